/**
 * The fault suite: every fault of the list alone, then some together, each under a load of people and names, with real
 * processes, a real PostgreSQL and a real Redis. Only Telegram is simulated, at its HTTP edge.
 *
 *   npm run test:faults -- [--seed N] [--only REGEXP] [--combinations N] [--together REGEXP] [--queue postgresql|redis] [--real]
 *
 * `--together` plays all that match at once, and nothing else.
 * `--real` takes times as they are in life, which takes hours.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { setTimeout as sleep } from 'node:timers/promises'
import { packageRoot } from '../../src/installation.ts'
import { queueModes } from '../environment/redis.ts'
import { check, isSettled, progressOf, type Allowance, type Finding } from './check.ts'
import { faults, noFault, type Fault, type Playing } from './faults.ts'
import { bringIn, planLoad, randomFrom } from './load.ts'
import { openFaultEnvironment, type FaultEnvironment } from './fault-environment.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    only: { type: 'string' },
    combinations: { type: 'string' },
    together: { type: 'string' },
    queue: { type: 'string' },
    real: { type: 'boolean', default: false },
  },
})
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9))
const divisor = values.real ? 1 : 25
/** times that are spent waiting for the program grow with its own */
const longestMs = values.real ? 1_800_000 : 60_000

interface Row extends Finding {
  name: string
  fired: number
  recoverySeconds: number
  seconds: number
}

let loads = 0
const open = new Set<FaultEnvironment>()
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void Promise.all([...open].map((stage) => stage.close())).finally(() => process.exit(130)))

/** One load, in which these faults play. */
async function round(stage: FaultEnvironment, name: string, chosen: readonly Fault[]): Promise<Row> {
  const number = ++loads
  const random = randomFrom(seed + number)
  const load = planLoad(number, { warmed: stage.town.storage.chatIds.length > 0 }) // to warm names takes a channel
  const allowed: Allowance = {
    unreachable: new Set(),
    moved: new Map(),
    impossible: new Set(),
    mayDouble: false,
    mayUseAttempts: false,
    rendersUnseen: false,
  }
  const started = Date.now()
  const violations: string[] = []
  let fired = 0
  let over = started
  await stage.town.telegram.clearCalls()

  const coming = bringIn(stage, load, chosen.length > 1 ? 4_000 : 1_500)
  coming.catch(() => undefined)
  await Promise.all(
    chosen.map(async (fault) => {
      if (chosen.length > 1) await sleep(random() * 3_000)
      const playing = await fault.begin({
        stage,
        load,
        random: randomFrom(seed + number + faults.indexOf(fault)),
        allowed,
        isAlone: chosen.length === 1,
      })
      const times = await lasts(playing, fault)
      // Of several, one may be in the way of another.
      if (times === 0 && chosen.length === 1) violations.push(`never fired: ${fault.name}`)
      fired += times
      try {
        await playing.end()
      } catch (error) {
        violations.push(String(error))
      }
      over = Date.now()
    }),
  )
  await coming
  const deadline = Date.now() + longestMs
  while (!(await isSettled(stage, load))) {
    if (Date.now() > deadline) {
      violations.push(`not over after ${longestMs / 1_000} s: ${await progressOf(stage, load).catch(String)}`)
      break
    }
    await sleep(100)
  }
  const recoverySeconds = Math.max(0, Date.now() - Math.max(over, started)) / 1_000
  const finding = await check(stage, load, allowed)
  await stage.town.telegram.release()
  violations.push(...finding.violations)
  if (violations.length > 0) violations.push(`logs: ${await keepLogs(stage, number)}`)
  return { ...finding, name, fired, recoverySeconds, seconds: (Date.now() - started) / 1_000, violations }
}

/** What all services have written, for whoever looks for the reason. */
async function keepLogs({ bot, workers }: FaultEnvironment, number: number): Promise<string> {
  const folder = join(packageRoot, 'tmp', 'faults')
  await mkdir(folder, { recursive: true })
  for (const service of [bot, ...workers])
    await writeFile(join(folder, `${seed}-${number}-${service.name.replace(' ', '-')}.log`), service.output())
  return join('tmp', 'faults', `${seed}-${number}-*.log`)
}

/** Until it has fired often enough; how often it did. In combinations some fire less, as others are in their way. */
async function lasts(playing: Playing, fault: Fault): Promise<number> {
  const deadline = Date.now() + (values.real ? 600_000 : 12_000)
  for (;;) {
    const times = await playing.fired().catch(() => 0)
    if (times >= playing.enough || Date.now() > deadline) {
      await sleep(fault.alone === true ? 0 : 200)
      return Math.max(times, await playing.fired().catch(() => 0))
    }
    await sleep(50)
  }
}

/** Some faults that go together. */
function combination(random: () => number, possible: Fault[]): Fault[] {
  const left = [...possible]
  return Array.from({ length: 5 }, () => left.splice(Math.floor(random() * left.length), 1)[0] as Fault)
}

/** A fault of the suite itself is one more violation, and no reason to leave out the rest. */
async function play(stage: FaultEnvironment, name: string, chosen: readonly Fault[]): Promise<Row> {
  try {
    return await round(stage, name, chosen)
  } catch (error) {
    await stage.town.telegram.release().catch(() => undefined)
    return failure(name, error)
  }
}

function failure(name: string, error: unknown): Row {
  return {
    name,
    fired: 0,
    requests: 0,
    lost: 0,
    doubled: 0,
    recoverySeconds: 0,
    seconds: 0,
    violations: [error instanceof Error ? String(error.stack) : String(error)],
  }
}

async function suite(): Promise<Row[]> {
  const rows: Row[] = []
  const report = (row: Row) => {
    rows.push(row)
    process.stderr.write(
      `${row.violations.length === 0 ? '✓' : '✗'} ${row.name} (${row.seconds.toFixed(1)} s, fired ${row.fired})\n${row.violations.map((text) => `    ${text}\n`).join('')}`,
    )
  }
  const singles = faults.filter(
    ({ name }) => values.together === undefined && (values.only === undefined || new RegExp(values.only).test(name)),
  )
  const chosenTogether = faults.filter(
    ({ name }) => values.together !== undefined && new RegExp(values.together).test(name),
  )
  const random = randomFrom(seed)
  const mayMount = process.getuid?.() === 0
  if (!mayMount) process.stderr.write('skipped: disks that are full or small, as only root can make one\n')
  const modes = [...queueModes].reverse().filter((mode) => values.queue === undefined || mode === values.queue)
  for (const queueMode of modes) {
    const first = queueMode === modes[0]
    // Most faults have nothing to do with where the queue lives: they play once, on Redis where there is one.
    const here = singles.filter(({ name, needsRedis }) =>
      needsRedis === true ? queueMode === 'redis' : first || name.startsWith('PostgreSQL'),
    )
    const together = chosenTogether.length > 0 ? 1 : Number(values.combinations ?? (values.only === undefined ? 2 : 0))
    if (here.length + together === 0) continue
    const stage = await openFaultEnvironment({ queueMode, divisor })
    open.add(stage)
    try {
      report(await play(stage, `none (queue on ${queueMode})`, [noFault]))
      // What changes the stage for good comes last.
      const isFinal = ({ needsMount }: Fault) => needsMount === true
      const final = here.filter((one) => isFinal(one) && mayMount)
      for (const fault of here.filter((one) => !isFinal(one)))
        report(await play(stage, first ? fault.name : `${fault.name} (queue on ${queueMode})`, [fault]))
      for (let n = 1; n <= together; n++) {
        const chosen =
          chosenTogether.length > 0
            ? chosenTogether
            : combination(
                random,
                faults.filter(
                  ({ alone, needsRedis }) => alone !== true && (needsRedis !== true || queueMode === 'redis'),
                ),
              )
        const row = await play(stage, `several together, ${n} (queue on ${queueMode})`, chosen)
        process.stderr.write(`  ${chosen.map(({ name }) => name).join(' + ')}\n`)
        report(row)
      }
      for (const fault of final) report(await play(stage, fault.name, [fault]))
    } finally {
      open.delete(stage)
      await stage.close().catch((error: unknown) => report(failure(`the end (queue on ${queueMode})`, error)))
    }
  }
  const direct = singles.filter(({ withoutChannel }) => withoutChannel === true)
  const [queueMode] = modes
  if (queueMode !== undefined && direct.length > 0) {
    const stage = await openFaultEnvironment({ queueMode, divisor, channels: 0 })
    open.add(stage)
    try {
      report(await play(stage, 'none (no storage channel)', [noFault]))
      for (const fault of direct) report(await play(stage, `${fault.name} (no storage channel)`, [fault]))
    } finally {
      open.delete(stage)
      await stage.close().catch((error: unknown) => report(failure('the end (no storage channel)', error)))
    }
  }
  if (!queueModes.includes('redis'))
    process.stderr.write('skipped: faults of Redis, as there is no redis-server in PATH\n')
  return rows
}

function table(rows: Row[]): string {
  const cells = [
    ['fault', 'fired', 'requests', 'lost', 'doubled', 'slowest recovery, s'],
    ...rows.map(({ name, fired, requests, lost, doubled, recoverySeconds }) =>
      [name, fired, requests, lost, doubled, recoverySeconds.toFixed(1)].map(String),
    ),
  ]
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)))
  return cells
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  '),
    )
    .join('\n')
}

const began = Date.now()
process.stderr.write(`seed ${seed}; times divided by ${divisor}\n`)
const rows = await suite()
const bad = rows.filter(({ violations }) => violations.length > 0)
process.stdout.write(
  `\n${table(rows)}\n\n${rows.length - bad.length} of ${rows.length} hold, ${((Date.now() - began) / 60_000).toFixed(1)} min. Again with: npm run test:faults -- --seed ${seed}\n`,
)
for (const { name, violations } of bad)
  process.stdout.write(`✗ ${name}\n${violations.map((text) => `    ${text}\n`).join('')}`)
process.exitCode = bad.length > 0 || rows.length === 0 ? 1 : 0
