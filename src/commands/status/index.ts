/** `status`: what the cache, the queue, the workers and the bots are doing; `--check` judges it, `--watch` keeps looking. */
import { setTimeout as sleep } from 'node:timers/promises'
import { styleText } from 'node:util'
import { configOfProcess, type Config } from '../../config.ts'
import { isDatabaseTrouble, type Db } from '../../db/database.ts'
import { coverage, type Coverage, type ListedName } from '../../greetings/reports/coverage.ts'
import { findings, usualLimits, type Limits } from '../../greetings/reports/health.ts'
import { currentOutages } from '../../greetings/outages.ts'
import { botIdOf, botText, ownBot, type OwnBot } from '../../greetings/own-bot.ts'
import { liveBots, liveWorkers, rivalPollers, type LiveProcess } from '../../greetings/workers.ts'
import { longestWaitSeconds, statistics, workload } from '../../greetings/reports/statistics.ts'
import { openLog } from '../../log.ts'
import type { NameRow } from '../../names/selection.ts'
import type { GreetingsQueue, QueueCounts } from '../../queue/index.ts'
import { loadTemplates, templateFor, templateRevision, type Template } from '../../video/template.ts'
import { endOf, exitCode, UsageFault } from '../../terminal/exit.ts'
import { keyOf, nameRulesOf, readLists, refuseDoubtful, type ListReading } from '../../terminal/name-arguments.ts'
import { nameReport, nameText } from './name.ts'
import { listenForStop } from '../../terminal/signals.ts'
import { openRecords, type Records } from '../../app/store.ts'
import { otherBotText } from '../../greetings/own-bot.ts'

export interface StatusOptions extends ListReading {
  sandbox: boolean
  json: boolean
  csv?: string
  watch: boolean
  check: boolean
  /** milliseconds */
  maxOldest?: number
  maxFailed?: number
  maxPending?: number
  minHitRate?: number
  minWorkers?: number
  minBots?: number
  logLevel?: string
}

const watchEveryMs = 2_000

/** With a name: about that name alone. */
export async function status(name: string | undefined, options: StatusOptions): Promise<number> {
  const limits = limitsOf(options)
  if (options.watch && options.check)
    throw new UsageFault('--watch and --check do not go together: a monitor runs --check again and again.')
  if (!options.check && limits !== undefined) throw new UsageFault('Limits are for --check: add it.')
  if (name !== undefined && (options.check || options.watch || options.csv !== undefined))
    throw new UsageFault('--check, --watch and --csv are about everything: leave the name out, or them.')
  const config = configOfProcess()
  const log = openLog(options.logLevel ?? config.logLevel)
  const templates = await loadTemplates(config.templatesFolder, config.templates)
  const rules = await nameRulesOf(config, templates)
  const key = name === undefined ? undefined : keyOf(name, { ...rules, anyWord: true })
  const list =
    options.csv === undefined ? undefined : await readLists([options.csv], { ...options, quiet: options.watch }, rules)
  if (list !== undefined) refuseDoubtful(list)
  const listed = list === undefined ? undefined : () => listedNames(list.select().batches(5_000), templates)
  let records: Records
  try {
    records = await openRecords({ config, log, sandbox: options.sandbox, role: 'status', create: false })
  } catch (error) {
    if (!options.check || options.json) throw error
    return unknown(error)
  }
  const queue = createQueueReader(records, config)
  try {
    const place = await placeOf(records, config, options.sandbox)
    const revisions = new Map<string, string>()
    for (const template of templates) revisions.set(template.id, await templateRevision(template))
    if (key !== undefined) {
      const report = await nameReport(records, { key, bot: place.bot, revisions })
      process.stdout.write(
        options.json
          ? `${JSON.stringify({ ...placeJson(place), ...report })}\n`
          : `${placeText(place)}\n${nameText(report)}`,
      )
      return exitCode.done
    }
    const look = () => reportOf(records.db, queue, { config, revisions, place, listed: listed?.() })
    if (options.watch) return await watch(look, config, options.json)
    const report = await look()
    if (options.check) return await check(records.db, report, limits ?? usualLimits, options.json)
    process.stdout.write(options.json ? `${JSON.stringify(jsonOf(report))}\n` : asText(report))
    return report.queue === null ? exitCode.unreachable : exitCode.done
  } catch (error) {
    if (!options.check || options.json || !isDatabaseTrouble(error)) throw error
    return unknown(error)
  } finally {
    await queue.close()
    await records.close()
  }
}

function limitsOf({
  maxOldest,
  maxFailed,
  maxPending,
  minHitRate,
  minWorkers,
  minBots,
}: StatusOptions): Limits | undefined {
  const oldest = maxOldest === undefined ? undefined : maxOldest / 1_000
  const limits: Limits = {
    maxPersonWaitSeconds: oldest,
    maxJobWaitSeconds: oldest,
    maxFailed,
    maxPending,
    minHitRate,
    minWorkers,
    minBots,
  }
  return Object.values(limits).every((limit) => limit === undefined) ? undefined : limits
}

async function* listedNames(batches: AsyncIterable<NameRow[]>, templates: Template[]): AsyncGenerator<ListedName[]> {
  for await (const rows of batches)
    yield rows.map(({ name, count }) => ({ template: templateFor(templates, name)?.id, key: name.key, count }))
}

interface Place {
  home: string
  world: 'live' | 'sandbox'
  bot: OwnBot | null
  /** the token is of another bot than the database: what to do */
  conflict: string | undefined
}

async function placeOf({ db, home }: Records, { token }: Config, sandbox: boolean): Promise<Place> {
  const bot = await ownBot(db, sandbox ? undefined : token)
  const conflict =
    sandbox || token === undefined || bot === null || botIdOf(token) === bot.id
      ? undefined
      : otherBotText(bot.id, String(botIdOf(token)))
  return { home, world: sandbox ? 'sandbox' : 'live', bot, conflict }
}

const placeJson = ({ home, world, bot }: Place) => ({
  home,
  world,
  bot: bot === null ? null : { id: Number(bot.id), username: bot.username },
})
const placeText = ({ home, world, bot }: Place) =>
  `home       ${home} · ${world} · ${bot === null ? 'no bot yet' : botText(bot)}`

interface QueueReader {
  /** the counts, or why there are none: everything else is worth telling without them */
  read(): Promise<QueueCounts | { away: string }>
  close(): Promise<void>
}

function createQueueReader({ openQueue }: Records, { redisUrl }: Config): QueueReader {
  let queue: GreetingsQueue | undefined
  return {
    async read() {
      try {
        return await (queue ??= await openQueue()).counts()
      } catch (error) {
        // In PostgreSQL it goes the way of everything else.
        if (redisUrl === undefined) throw error
        return {
          away: error instanceof Error && error.name === 'QueueUnreachable' ? error.message : 'Redis gives no answer.',
        }
      }
    },
    close: async () => queue?.close().catch(() => undefined),
  }
}

interface Looked {
  config: Config
  revisions: ReadonlyMap<string, string>
  place: Place
  listed: AsyncIterable<ListedName[]> | undefined
}

async function reportOf(db: Db, queue: QueueReader, { config: { times }, revisions, place, listed }: Looked) {
  const botId = place.bot?.id ?? null
  const [numbers, read, workers, bots, outages, { repeatedUploads }] = await Promise.all([
    statistics(db, revisions, botId),
    queue.read(),
    liveWorkers(db, times),
    liveBots(db, times),
    currentOutages(db),
    db.installation.findUniqueOrThrow({ where: { id: 1 } }),
  ])
  return {
    place,
    numbers,
    queue: 'away' in read ? null : workload(read, numbers.assets),
    unreachable: 'away' in read ? [read.away] : [],
    workers,
    bots,
    repeatedUploads,
    outages,
    coverage: listed === undefined ? undefined : await coverage(db, botId, listed),
  }
}

type Report = Awaited<ReturnType<typeof reportOf>>

/** The contract of `--json`. */
function jsonOf({
  place,
  numbers: { assets, templates, requests, last24h, failures },
  queue,
  unreachable,
  workers,
  bots,
  repeatedUploads,
  outages,
  coverage: covered,
}: Report): object {
  return {
    ...placeJson(place),
    assets,
    templates,
    requests,
    last24h,
    queue,
    unreachable,
    workers: workers.map(({ host, pid, concurrency, rendering, uploading, startedAt, seenSeconds }) => ({
      host,
      pid,
      concurrency,
      rendering,
      uploading,
      startedAt: startedAt.toISOString(),
      seenSeconds,
    })),
    bots: bots.map(({ host, pid, mode, startedAt, seenSeconds }) => ({
      host,
      pid,
      mode,
      startedAt: startedAt.toISOString(),
      seenSeconds,
    })),
    failures,
    repeatedUploads,
    outages: outages.map(({ step, reason, since, until }) => ({
      step,
      reason,
      since: since.toISOString(),
      until: until.toISOString(),
    })),
    ...(covered === undefined ? {} : { coverage: covered }),
  }
}

const percent = (share: number) => `${(share * 100).toFixed(1)} %`

/** In colours where stdout is a terminal and NO_COLOR is not set: `styleText` looks. */
function asText({
  place,
  numbers: {
    assets: { otherBot, ...videos },
    requests,
    last24h,
    failures,
  },
  queue,
  unreachable,
  workers,
  bots,
  repeatedUploads,
  outages,
  coverage: covered,
}: Report): string {
  const counts = (values: Record<string, number>) =>
    Object.entries(values)
      .map(([name, value]) => `${value} ${name}`)
      .join(' · ')
  const seconds = (value: number | null) => (value === null ? '–' : `${value} s`)
  const doing = ({ silent, seenSeconds }: LiveProcess, what: string) =>
    silent ? styleText('yellow', `silent for ${Math.round(seenSeconds)} s`) : what
  const rivals = rivalPollers(bots)
  const lines = [
    placeText(place),
    place.conflict === undefined ? '' : `           ${styleText('red', place.conflict)}`,
    `videos     ${counts(videos).replace(/\b[1-9]\d* failed/, (some) => styleText('red', some))}${otherBot === 0 ? '' : ` · ${styleText('yellow', `${otherBot} of another bot`)}`}`,
    `requests   ${counts(requests)}`,
    `last 24 h  ${last24h.requests} requests, ${last24h.hits} hits${last24h.hitRate === null ? '' : ` (${percent(last24h.hitRate)})`}, waiting p50 ${seconds(last24h.waitSeconds.p50)}, p95 ${seconds(last24h.waitSeconds.p95)}`,
    covered === undefined ? '' : listText(covered),
    queue === null
      ? ''
      : `queue      ${queue.waiting} waiting · ${queue.active} active · ${queue.delayed} delayed${queue.oldestWaitingSeconds === null ? '' : `, the oldest for ${queue.oldestWaitingSeconds} s`}`,
    ...unreachable.map((sentence) => `queue      ${styleText('red', sentence)}`),
    workers.length === 0 ? `workers    ${styleText('yellow', 'none is alive')}` : '',
    ...workers.map(
      (worker) =>
        `worker     ${worker.host}, pid ${worker.pid}: ${doing(worker, `${worker.rendering} of ${worker.concurrency} rendering, ${worker.uploading} uploading`)}`,
    ),
    bots.length === 0 ? `bots       ${styleText('yellow', 'none is alive')}` : '',
    ...bots.map((bot) => `bot        ${bot.host}, pid ${bot.pid}: ${doing(bot, bot.mode)}`),
    rivals.length === 0
      ? ''
      : `           ${styleText('red', `these fetch updates at the same time, and Telegram serves one: stop all but one`)}`,
    ...outages.map(
      ({ step, reason, until }) =>
        `outage     ${styleText('yellow', `${step}: ${reason} (next try ${until.toISOString()})`)}`,
    ),
    ...failures.map(({ reason, count }) => `failed     ${styleText('red', `${count} × ${reason}`)}`),
    repeatedUploads === 0
      ? ''
      : `uploads    ${repeatedUploads} made again, as Telegram’s answer was lost: the storage channel may hold some videos twice, which harms nobody`,
  ]
  return `${lines.filter((line) => line !== '').join('\n')}\n`
}

function listText({ names, available, otherBot, share, weightedShare }: Coverage): string {
  return `list       ${available} of ${names} names available${share === null ? '' : ` (${percent(share)})`}${weightedShare === null ? '' : `, ${percent(weightedShare)} of the children`}${otherBot === 0 ? '' : `, ${otherBot} are of another bot`}`
}

/** Until a signal comes, which is how it is meant to end. */
async function watch(look: () => Promise<Report>, { timeDivisor }: Config, json: boolean): Promise<number> {
  const stop = listenForStop()
  const tty = process.stdout.isTTY && !json
  try {
    for (let first = true; !stop.asked.aborted; first = false) {
      try {
        const report = await look()
        if (json) process.stdout.write(`${JSON.stringify(jsonOf(report))}\n`)
        else if (tty)
          process.stdout.write(`${first ? '\x1b[2J' : ''}\x1b[H${asText(report).replaceAll('\n', '\x1b[K\n')}\x1b[J`)
        else process.stdout.write(`${first ? '' : '\n'}${asText(report)}`)
      } catch (error) {
        if (!isDatabaseTrouble(error)) throw error
        process.stderr.write('The database does not answer; looking again.\n')
      }
      await sleep(watchEveryMs / timeDivisor, undefined, { signal: stop.asked }).catch(() => undefined)
    }
    return exitCode.done
  } finally {
    stop.close()
  }
}

async function check(db: Db, report: Report, limits: Limits, json: boolean): Promise<number> {
  const {
    place,
    numbers: { assets, last24h },
    queue,
    unreachable,
    workers,
    bots,
    outages,
  } = report
  const state = {
    personWaitSeconds: await longestWaitSeconds(db),
    jobWaitSeconds: queue?.oldestWaitingSeconds ?? null,
    failed: assets.failed,
    pending: assets.pending,
    hitRate: last24h.hitRate,
    workers: workers.length,
    bots: bots.length,
    rivals: rivalPollers(bots),
    outages,
  }
  const found = [...unreachable, ...(place.conflict === undefined ? [] : [place.conflict]), ...findings(state, limits)]
  const healthy = found.length === 0
  const [otherBot, verdict] = [
    assets.otherBot === 0 ? '' : `, ${assets.otherBot} of another bot`,
    unreachable.length > 0 ? 'UNKNOWN' : 'WARNING',
  ]
  // A monitor shows the first line, and the rest to whoever asks.
  const lines = healthy
    ? [`OK: ${assets.available} videos available${otherBot}, ${assets.pending} pending, ${assets.failed} failed`]
    : [`${verdict}: ${found.join('; ')}`, ...found]
  process.stdout.write(
    json ? `${JSON.stringify({ ...jsonOf(report), healthy, findings: found })}\n` : `${lines.join('\n')}\n`,
  )
  return healthy ? exitCode.done : unreachable.length > 0 ? exitCode.unreachable : exitCode.someFailed
}

/** A service is away: a monitor reads that on stdout. Anything else is reported as ever. */
function unknown(error: unknown): number {
  const end = endOf(error)
  if (end.code !== exitCode.unreachable) throw error
  process.stdout.write(`UNKNOWN: ${end.lines[0]}\n`)
  return end.code
}
