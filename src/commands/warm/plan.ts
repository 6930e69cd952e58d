/** `warm --dry-run`: what would be done, how long it takes and what it needs, from the list and the database alone. */
import { readdir, stat, statfs } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import type { Config } from '../../config.ts'
import { openDatabase, type Database, type Db } from '../../db/database.ts'
import { ownBot } from '../../greetings/own-bot.ts'
import { estimate, makingHosts, type MakingHost } from '../../greetings/estimate.ts'
import { readPaces } from '../../greetings/pace.ts'
import { unfinishedByTemplate } from '../../greetings/reports/outcomes.ts'
import { liveWorkers } from '../../greetings/workers.ts'
import type { Ask } from '../../greetings/ask.ts'
import { foresee, type Foreseen } from '../../greetings/request-list.ts'
import { findHome, type FoundHome } from '../../home.ts'
import type { Log } from '../../log.ts'
import type { NameList } from '../../names/lists.ts'
import type { NameRow, Selection } from '../../names/selection.ts'
import { openRecordings } from '../../speech/recordings.ts'
import { findFfmpeg } from '../../ffmpeg/find.ts'
import { areMade } from '../../video/parts.ts'
import { templateRevision } from '../../video/load-templates.ts'
import type { Template } from '../../video/template.ts'
import { exitCode } from '../../terminal/exit.ts'
import { DoubtfulList } from '../../terminal/name-arguments.ts'
import { planText, type Bounds, type Foretold } from './plan-text.ts'
import { secondsSince, type Summary } from './summary.ts'
import { openFolder, recordingsFolderOf, renderFolders } from '../../app/folders.ts'
import { concurrencyOf, openRevisionsOf, revisionsOf } from '../../app/renderer.ts'
import { telegramRatePerMinute, windowSeconds } from '../../telegram/flood.ts'

/** What a run is planned from. */
interface Planned {
  config: Config
  log: Log
  list: NameList
  selection: Selection
  templates: Template[]
  asksOf: (rows: NameRow[]) => Ask[]
  summary: Summary
  options: {
    sandbox: boolean
    refresh: boolean
    retryFailed: boolean
    strict: boolean
    json: boolean
    work: boolean
  }
  /** performance.now() */
  started: number
}

const batch = 5_000
const shares = [0.5, 0.8, 0.9, 0.95, 0.99]
/** of a file of the templates that ship, when none is there to measure */
const usualBytes = 5_000_000

/** Plans a run and prints the plan. Makes nothing, not even a home. */
export async function plan(planned: Planned): Promise<number> {
  const { config, log, list, selection, summary, options, started } = planned
  const home = await findHome({ explicit: config.home, cwd: process.cwd() })
  const store = await openKnown(config, log, options.sandbox, home)
  try {
    const known = await foreseeNames(planned, home.folder, store)
    countIn(summary, known.outcomes)
    const { foretold, bounds } = await foretell(planned, home, store?.db, known)
    summary.seconds = secondsSince(started)
    process.stdout.write(
      options.json
        ? `${JSON.stringify({ ...summary, dryRun: true, ...foretold })}\n`
        : planText(summary, foretold, { ...bounds, share: selection.share }),
    )
    if (list.doubt !== undefined) throw new DoubtfulList(list.doubt)
    return options.strict && summary.rejected > 0 ? exitCode.someFailed : exitCode.done
  } finally {
    await store?.close()
  }
}

/** What would come of each name, as counts. */
interface Known {
  outcomes: ReadonlyMap<Foreseen, number>
  /** by template: names that are to be made, and of them those that are queued already */
  toMake: ReadonlyMap<string, number>
  joined: ReadonlyMap<string, number>
  /** names that have a recording */
  recordings: number
}

async function foreseeNames(
  { config, selection, templates, asksOf, options }: Planned,
  folder: string,
  store: Database | undefined,
): Promise<Known> {
  const revisions = options.refresh && store !== undefined ? await openRevisionsOf(config, folder) : undefined
  try {
    const botId =
      store === undefined ? null : ((await ownBot(store.db, options.sandbox ? undefined : config.token))?.id ?? null)
    const recorded = await recordedKeys(recordingsFolderOf(config, folder), templates)
    const revisionNow = revisions === undefined ? undefined : revisionsOf(templates, revisions.now)
    const outcomes = new Map<Foreseen, number>()
    const toMake = new Map<string, number>()
    const joined = new Map<string, number>()
    let recordings = 0
    for await (const rows of selection.batches(batch)) {
      const asks = asksOf(rows)
      recordings += asks.filter(({ template, key }) => recorded.get(template)?.has(key)).length
      const foreseen =
        store === undefined
          ? asks.map((): Foreseen => 'new')
          : await foresee({ db: store.db, botId }, asks, { retryFailed: options.retryFailed, revisionNow })
      for (const [at, outcome] of foreseen.entries()) {
        const template = asks[at]?.template ?? ''
        increase(outcomes, outcome)
        if (outcome === 'joined') increase(joined, template)
        if (outcome !== 'cached' && outcome !== 'failedBefore') increase(toMake, template)
      }
    }
    return { outcomes, toMake, joined, recordings }
  } finally {
    await revisions?.close()
  }
}

function countIn(summary: Summary, outcomes: Known['outcomes']): void {
  summary.cached = outcomes.get('cached') ?? 0
  summary.joined = outcomes.get('joined') ?? 0
  summary.failedBefore = outcomes.get('failedBefore') ?? 0
  summary.enqueued = summary.names - summary.cached - summary.joined - summary.failedBefore
  summary.available = summary.cached
  summary.failed = summary.failedBefore
  summary.pending = summary.joined + summary.enqueued
}

/** How long the run takes and what it needs. */
async function foretell(
  { config, list, templates, summary, options }: Planned,
  { exists, folder }: FoundHome,
  db: Db | undefined,
  { outcomes, toMake, joined, recordings }: Known,
): Promise<{ foretold: Foretold; bounds: Omit<Bounds, 'share'> }> {
  const misses = summary.pending
  const ahead = db === undefined ? new Map<string, number>() : await aheadOf(db, joined)
  const hosts = await hostsOf(config, db, options.work)
  const { channels, perMinute } = postsOf(config, options.sandbox)
  const wanted = templates.filter(({ id }) => (toMake.get(id) ?? 0) + (ahead.get(id) ?? 0) > 0)
  const times = estimate(db === undefined ? [] : await readPaces(db), {
    videos: misses === 0 ? new Map() : added(toMake, ahead),
    hosts,
    host: hostname(),
    unprepared: options.work ? await unpreparedOf(config, exists ? folder : undefined, wanted) : [],
    channels:
      perMinute === undefined ? undefined : { count: channels, postSeconds: postSeconds(config, perMinute / channels) },
  })
  const foretold: Foretold = {
    misses,
    outdated: outcomes.get('outdated') ?? 0,
    otherBot: outcomes.get('otherBot') ?? 0,
    ahead: [...ahead.values()].reduce((sum, count) => sum + count, 0),
    recordings,
    curve:
      list.total === null ? null : shares.map((share) => ({ share, names: list.select({ coverage: share }).size })),
    renderSeconds: rounded(times.render),
    prepareSeconds: rounded(times.prepare),
    uploadSeconds: Math.round(times.upload),
    estimatedSeconds: rounded(times.total),
    diskBytes: misses * (await usualSize(renderFolders(folder).rendersFolder)),
    diskFreeBytes: await freeBytes(folder),
  }
  return { foretold, bounds: { channels, perMinute, places: hosts.reduce((sum, host) => sum + host.places, 0) } }
}

/** Channels to upload to, and what they take a minute together; undefined: as much as comes. */
function postsOf(config: Config, sandbox: boolean): { channels: number; perMinute: number | undefined } {
  const channels = sandbox ? 1 : Math.max(1, config.storageChatIds.length)
  const perMinute =
    sandbox && config.channelRatePerMinute === undefined
      ? undefined
      : (config.channelRatePerMinute ?? telegramRatePerMinute) * channels
  return { channels, perMinute }
}

/**
 * The database, if there can be one: a database of one's own needs no home, and without either nothing is known yet.
 */
async function openKnown(
  config: Config,
  log: Log,
  sandbox: boolean,
  { exists, folder }: FoundHome,
): Promise<Database | undefined> {
  if (!exists && config.databaseUrl === undefined) return undefined
  const home = exists ? await openFolder(config, false) : folder
  return openDatabase({
    home,
    databaseUrl: config.databaseUrl,
    keepFreeBytes: config.keepFreeBytes,
    sandbox,
    role: 'warm',
    log,
  })
}

const rounded = (seconds: number | null) => (seconds === null ? null : Math.round(seconds))

function increase<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function added(one: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>): Map<string, number> {
  return new Map(
    [...new Set([...one.keys(), ...other.keys()])].map((key) => [key, (one.get(key) ?? 0) + (other.get(key) ?? 0)]),
  )
}

/** Unfinished videos of others, by template; what waits for its next try is left out. */
async function aheadOf(db: Db, joined: ReadonlyMap<string, number>): Promise<Map<string, number>> {
  const unfinished = await unfinishedByTemplate(db)
  return new Map(
    [...unfinished].map(([template, count]) => [template, Math.max(0, count - (joined.get(template) ?? 0))]),
  )
}

/** Those that work already, and this one where the run brings a worker. */
async function hostsOf(config: Config, db: Db | undefined, works: boolean): Promise<MakingHost[]> {
  const workers = db === undefined ? [] : (await liveWorkers(db, config.times)).filter(({ silent }) => !silent)
  return makingHosts(works ? [...workers, { host: hostname(), concurrency: concurrencyOf(config) }] : workers)
}

/** Templates whose first video here has to wait for what all of them share. */
async function unpreparedOf(config: Config, home: string | undefined, templates: Template[]): Promise<string[]> {
  const { cacheFolder } = renderFolders(home ?? '')
  const ffmpeg =
    home === undefined ? undefined : await findFfmpeg({ path: config.ffmpegPath, cacheFolder }).catch(() => undefined)
  const unprepared: string[] = []
  for (const template of templates) {
    if (ffmpeg === undefined || !(await areMade(ffmpeg, template, await templateRevision(template), cacheFolder)))
      unprepared.push(template.id)
  }
  return unprepared
}

/** The distance of posts in one channel. Of each minute a second more is kept, see `reservePost`. */
const postSeconds = ({ times }: Config, perMinute: number) =>
  (windowSeconds / perMinute) * (times.telegramSecondMs / 1_000)

async function recordedKeys(folder: string, templates: Template[]): Promise<Map<string, Map<string, string>>> {
  const recordings = openRecordings(folder)
  const keys = new Map<string, Map<string, string>>()
  for (const template of templates) keys.set(template.id, (await recordings.list(template)).byKey)
  return keys
}

/** Mean size of some finished files, bytes. */
async function usualSize(rendersFolder: string): Promise<number> {
  const files = (await readdir(rendersFolder).catch(() => [])).filter((name) => name.endsWith('.mp4')).slice(0, 100)
  let sum = 0
  for (const file of files) sum += (await stat(join(rendersFolder, file)).catch(() => ({ size: usualBytes }))).size
  return files.length === 0 ? usualBytes : Math.round(sum / files.length)
}

/** Of the disk the home is on, or will be. */
async function freeBytes(folder: string): Promise<number | null> {
  for (let at = folder; ; at = dirname(at)) {
    const found = await statfs(at).catch(() => undefined)
    if (found !== undefined) return found.bavail * found.bsize
    if (dirname(at) === at) return null
  }
}
