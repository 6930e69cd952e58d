/** `warm --dry-run`: what would be done, how long it takes and what it needs, from the list and the database alone. */
import { readdir, stat, statfs } from 'node:fs/promises'
import { availableParallelism, hostname } from 'node:os'
import { dirname, join } from 'node:path'
import type { Config } from '../../config.ts'
import { openDatabase, type Database, type Db } from '../../db/database.ts'
import { ownBot } from '../../greetings/own-bot.ts'
import { estimate, readPaces, type MakingHost } from '../../greetings/pace.ts'
import { liveWorkers } from '../../greetings/workers.ts'
import type { Ask } from '../../greetings/ask.ts'
import { foresee, type Foreseen } from '../../greetings/request.ts'
import { findHome, type FoundHome } from '../../home.ts'
import type { Log } from '../../log.ts'
import type { NameList, NameRow, Selection } from '../../names/csv.ts'
import { describeRejection, type NameRejection } from '../../names/name.ts'
import { openRecordings } from '../../speech/recordings.ts'
import { windowSeconds } from '../../telegram/flood.ts'
import { findFfmpeg } from '../../ffmpeg/find.ts'
import { areMade } from '../../video/parts.ts'
import { templateRevision, type Template } from '../../video/template.ts'
import { exitCode } from '../../terminal/exit.ts'
import { DoubtfulList, listedText } from '../../terminal/name-arguments.ts'
import { durationText } from '../../terminal/progress.ts'
import { listLines, secondsSince, sizeText, type Summary } from './summary.ts'
import { openFolder, recordingsFolderOf, renderFolders } from '../../app/folders.ts'
import { concurrencyOf, openRevisionsOf, revisionsOf } from '../../app/renderer.ts'
import { telegramRatePerMinute } from '../../telegram/flood.ts'

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

/** What `--dry-run --json` adds to the summary. */
interface Foretold {
  /** names that are to be made */
  misses: number
  /** of them, names whose video would be another one today and is made again (`--refresh`) */
  outdated: number
  /** of them, names whose video another bot alone can send */
  otherBot: number
  /** videos that are queued already for somebody else and come first */
  ahead: number
  /** selected names that have a recording */
  recordings: number
  /** how many of the most frequent names make up a share of all children; null for a list without counts */
  curve: { share: number; names: number }[] | null
  /** of all workers together; null until a video of these templates was made */
  renderSeconds: number | null
  /** making what all videos of a template share, where that is not there yet; null: unknown */
  prepareSeconds: number | null
  uploadSeconds: number
  /** the whole run; null while one of its parts is unknown */
  estimatedSeconds: number | null
  /** what the new files take in the home, and what is free there */
  diskBytes: number
  diskFreeBytes: number | null
}

const batch = 5_000
const shares = [0.5, 0.8, 0.9, 0.95, 0.99]
/** of a file of the templates that ship, when none is there to measure */
const usualBytes = 5_000_000

/** Plans a run and prints the plan. Makes nothing, not even a home. */
export async function plan(planned: Planned): Promise<number> {
  const { config, log, list, selection, templates, asksOf, summary, options, started } = planned
  const { exists, folder } = await findHome({ explicit: config.home, cwd: process.cwd() })
  const store = await openKnown(config, log, options.sandbox, { exists, folder })
  let revisions: Awaited<ReturnType<typeof openRevisionsOf>> | undefined
  try {
    if (options.refresh && store !== undefined) revisions = await openRevisionsOf(config, folder)
    const botId =
      store === undefined ? null : ((await ownBot(store.db, options.sandbox ? undefined : config.token))?.id ?? null)
    const recorded = await recordedKeys(recordingsFolderOf(config, folder), templates)
    const revisionNow = revisions === undefined ? undefined : revisionsOf(templates, revisions.now)
    const [outcomes, toMake, joined] = [
      new Map<Foreseen, number>(),
      new Map<string, number>(),
      new Map<string, number>(),
    ]
    let recordings = 0
    for await (const rows of selection.batches(batch)) {
      const asks = asksOf(rows)
      recordings += asks.filter(({ template, key }) => recorded.get(template)?.has(key) === true).length
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
    const of = (outcome: Foreseen) => outcomes.get(outcome) ?? 0
    summary.cached = of('cached')
    summary.joined = of('joined')
    summary.failedBefore = of('failedBefore')
    summary.enqueued = summary.names - summary.cached - summary.joined - summary.failedBefore
    summary.available = summary.cached
    summary.failed = summary.failedBefore
    summary.pending = summary.joined + summary.enqueued
    const ahead = store === undefined ? new Map<string, number>() : await aheadOf(store.db, joined)
    const misses = summary.pending
    const channels = options.sandbox ? 1 : Math.max(1, config.storageChatIds.length)
    const perMinute =
      options.sandbox && config.channelRatePerMinute === undefined
        ? undefined
        : (config.channelRatePerMinute ?? telegramRatePerMinute) * channels
    const hosts = await makingHosts(config, store?.db, options.work)
    const times = estimate(store === undefined ? [] : await readPaces(store.db), {
      videos: misses === 0 ? new Map() : added(toMake, ahead),
      hosts,
      host: hostname(),
      unprepared: !options.work
        ? []
        : await unpreparedOf(
            config,
            exists ? folder : undefined,
            templates.filter(({ id }) => (toMake.get(id) ?? 0) + (ahead.get(id) ?? 0) > 0),
          ),
      channels:
        perMinute === undefined
          ? undefined
          : { count: channels, postSeconds: postSeconds(config, perMinute / channels) },
    })
    const foretold: Foretold = {
      misses,
      outdated: of('outdated'),
      otherBot: of('otherBot'),
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
    summary.seconds = secondsSince(started)
    if (options.json) process.stdout.write(`${JSON.stringify({ ...summary, dryRun: true, ...foretold })}\n`)
    else
      process.stdout.write(
        planText(summary, foretold, {
          channels,
          perMinute,
          places: hosts.reduce((sum, host) => sum + host.places, 0),
          share: selection.share,
        }),
      )
    if (list.doubt !== undefined) throw new DoubtfulList(list.doubt)
    return options.strict && summary.rejected > 0 ? exitCode.someFailed : exitCode.done
  } finally {
    await revisions?.close()
    await store?.close()
  }
}

/** The database, if there can be one: a database of one's own needs no home, and without either nothing is known yet. */
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
  const rows = await db.$queryRaw<{ template: string; count: bigint }[]>`
    SELECT template, count(*) AS count FROM "VideoAsset" WHERE status IN ('PENDING', 'GENERATING') AND coalesce("retryAfter" < now(), true) GROUP BY 1`
  return new Map(
    rows.map(({ template, count }) => [template, Math.max(0, Number(count) - (joined.get(template) ?? 0))]),
  )
}

/** Those that work already, and this one where the run brings a worker. */
async function makingHosts(config: Config, db: Db | undefined, works: boolean): Promise<MakingHost[]> {
  const workers = db === undefined ? [] : (await liveWorkers(db, config.times)).filter(({ silent }) => !silent)
  const places = works ? [...workers, { host: hostname(), concurrency: concurrencyOf(config) }] : workers
  return [...new Set(places.map(({ host }) => host))].map((host) => {
    const here = places.filter((each) => each.host === host).map(({ concurrency }) => concurrency)
    // A worker has as many places as its host has processors, unless it is told otherwise.
    return {
      host,
      places: here.reduce((sum, each) => sum + each, 0),
      processors: host === hostname() ? availableParallelism() : Math.max(...here),
    }
  })
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

interface Bounds {
  channels: number
  perMinute: number | undefined
  /** videos that are made at a time */
  places: number
  share: number | null
}

function planText(summary: Summary, foretold: Foretold, { channels, perMinute, places, share }: Bounds): string {
  const {
    misses,
    outdated,
    otherBot,
    ahead,
    recordings,
    curve,
    renderSeconds,
    prepareSeconds,
    uploadSeconds,
    estimatedSeconds,
    diskBytes,
    diskFreeBytes,
  } = foretold
  const reasons = Object.entries(summary.rejectedBy).sort(([, a], [, b]) => b - a)
  const lines = [
    ...summary.lists.map((list) => `column         ${listedText(list)}`),
    ...listLines(summary),
    ...reasons.map(
      ([reason, count]) => `  ${String(count).padStart(6)} rejected: ${describeRejection(reason as NameRejection)}`,
    ),
    curve === null
      ? ''
      : `children       ${curve.map(({ share, names }) => `${share * 100} % with ${names} ${names === 1 ? 'name' : 'names'}`).join(', ')}`,
    share === null || curve === null
      ? ''
      : `               these ${summary.names} names are those of ${(share * 100).toFixed(1)} %`,
    `would make     ${misses} of ${summary.names}${[
      summary.joined > 0 ? `${summary.joined} are queued already` : '',
      outdated > 0 ? `${outdated} have a video that would be another one today` : '',
      otherBot > 0 ? `${otherBot} have a video of another bot` : '',
    ]
      .filter((part) => part !== '')
      .map((part) => `, of which ${part}`)
      .join('')}`,
    `in the cache   ${summary.cached}${summary.failedBefore > 0 ? `, and ${summary.failedBefore} failed before (--retry-failed tries them again)` : ''}`,
    recordings === 0 ? '' : `recordings     ${recordings} of these names have one`,
  ]
  if (misses > 0) {
    lines.push(
      ahead === 0
        ? ''
        : `ahead          ${ahead} queued ${ahead === 1 ? 'video' : 'videos'} of others, counted in below`,
      prepareSeconds === 0
        ? ''
        : `preparing      ${prepareSeconds === null ? 'unknown: what all videos of a template share is made first, and here that was never done' : `${durationText(prepareSeconds)}, once: what all videos of a template share`}`,
      `rendering      ${renderSeconds !== null ? `${durationText(renderSeconds)}, ${(renderSeconds / (misses + ahead)).toFixed(1)} s a name, ${places} at a time` : places === 0 ? 'unknown: no worker is alive' : 'unknown until a first video of each template is made'}`,
      `uploading      ${perMinute === undefined ? 'as fast as the sandbox takes it' : `${durationText(uploadSeconds)} at ${perMinute} a minute through ${channels} ${channels === 1 ? 'channel' : 'channels'}`}`,
      `disk           ${sizeText(diskBytes)}${diskFreeBytes === null ? '' : `, ${sizeText(diskFreeBytes)} free`}`,
      `in all         ${estimatedSeconds !== null ? `about ${durationText(estimatedSeconds)}` : uploadSeconds > 0 ? `unknown, not less than ${durationText(uploadSeconds)}` : 'unknown'}`,
    )
  }
  return `${lines.filter((line) => line !== '').join('\n')}\n`
}
