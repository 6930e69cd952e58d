/**
 * Which breaks are tried: those found by hand, and of all that can be made from the
 * sources a sample spread over files and kinds.
 */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/installation.ts'
import { breaksOf, changeOf, idOf, type Break } from './breaks.ts'

const listFile = join(packageRoot, 'scripts/mutants/list.json')
const byHandFile = join(packageRoot, 'scripts/mutants/by-hand.json')

/**
 * Where a promise to a person is kept or broken: the door, claims, the
 * reconciler, delivery, the queue, the bot, the renderer.
 */
const brokenFiles = [
  ...[
    'request',
    'requests',
    'gate',
    'assets',
    'reconcile',
    'outages',
    'upkeep/cancel',
    'upkeep/forget',
    'upkeep/purge',
    'upkeep/retry',
  ].map((name) => `src/greetings/${name}.ts`),
  ...['channels', 'delivery', 'errors', 'file-ids', 'flood', 'storage'].map((name) => `src/telegram/${name}.ts`),
  ...[
    'index',
    'on-postgres',
    'on-redis',
    'server',
    'processors/deliveries',
    'processors/housekeeping',
    'processors/lease',
    'processors/outages',
    'processors/settle',
    'processors/slots',
    'processors/video-generation',
    'processors/worker',
  ].map((name) => `src/queue/${name}.ts`),
  ...['handling', 'index', 'updates', 'intake', 'outbox', 'per-chat', 'pending-note', 'features/greeting'].map(
    (name) => `src/bot/${name}.ts`,
  ),
  'src/resident-process.ts',
  ...['command', 'failure', 'find', 'left-over', 'run', 'watchdog'].map((name) => `src/ffmpeg/${name}.ts`),
  ...['render-cache', 'render-pool', 'renderer', 'work-folders', 'check'].map((name) => `src/video/${name}.ts`),
]

export const sourceOf = (file: string) => readFileSync(join(packageRoot, file), 'utf8')

/** The committed list. */
export function listedBreaks(): Break[] {
  return JSON.parse(readFileSync(listFile, 'utf8')) as Break[]
}

/** Every break that can be made. */
export function allBreaks(): Break[] {
  const byHand = JSON.parse(readFileSync(byHandFile, 'utf8')) as Pick<Break, 'file' | 'before' | 'after'>[]
  const known = byHand.map(({ file, before, after }) => ({
    id: idOf(file, before, after),
    file,
    kind: 'by hand',
    before,
    after,
  }))
  const made = brokenFiles.flatMap((file) => {
    const source = sourceOf(file)
    // The same change once more would count twice.
    const taken = known.filter((each) => each.file === file).map((each) => changeOf(source, each))
    return breaksOf(file, source).filter((each) => {
      const { start, end } = changeOf(source, each)
      return !taken.some((change) => start >= change.start && end <= change.end)
    })
  })
  return [...known, ...made]
}

/** Writes the list anew from the sources. What was said to be equivalent stays so. */
export function writeList(): Break[] {
  const equivalents = new Map(
    listedBreaks().flatMap(({ id, equivalent }) => (equivalent === undefined ? [] : [[id, equivalent]])),
  )
  const list = sampled(allBreaks()).map((each) => ({
    ...each,
    ...(equivalents.has(each.id) ? { equivalent: equivalents.get(each.id) } : {}),
  }))
  writeFileSync(listFile, `[\n${list.map((each) => `  ${JSON.stringify(each)}`).join(',\n')}\n]\n`)
  return list
}

/**
 * All found by hand; of each file about as many as the root of what it has, of all kinds in turn. Within a kind chance
 * decides, by the break's own id: a change of one statement changes the choice there and nowhere else.
 */
function sampled(breaks: readonly Break[]): Break[] {
  return groups(breaks, ({ file }) => file).flatMap((ofFile) => {
    const byHand = ofFile.filter(({ kind }) => kind === 'by hand')
    const made = ofFile.filter(({ kind }) => kind !== 'by hand')
    const rank = new Map<string, number>()
    for (const kind of groups(made, ({ kind }) => kind)) {
      for (const [at, { id }] of kind.sort((one, other) => chance(one).localeCompare(chance(other))).entries())
        rank.set(id, at)
    }
    const chosen = made
      .sort(
        (one, other) => (rank.get(one.id) ?? 0) - (rank.get(other.id) ?? 0) || chance(one).localeCompare(chance(other)),
      )
      .slice(0, Math.round(Math.sqrt(made.length)))
    return [...byHand, ...chosen]
  })
}

function groups<T>(all: readonly T[], by: (one: T) => string): T[][] {
  const found = new Map<string, T[]>()
  for (const one of all) found.set(by(one), [...(found.get(by(one)) ?? []), one])
  return [...found.values()]
}

const chance = ({ id }: Break) => createHash('sha256').update(`1 ${id}`).digest('hex')
