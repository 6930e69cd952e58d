/** `warm --dry-run`: what would be done, how long it takes and what it needs, from the list and the database alone. */
import { readdir, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Config } from '../config.ts'
import { openDatabase, type Database, type Db } from '../db/database.ts'
import type { Ask } from '../greetings/request.ts'
import { findHome, type FoundHome } from '../home.ts'
import type { Log } from '../log.ts'
import type { NameList, NameRow, Selection } from '../names/csv.ts'
import { describeRejection, type NameRejection } from '../names/name.ts'
import { openRecordings } from '../speech/recordings.ts'
import { templateRevision, type Template } from '../video/template.ts'
import { exitCode } from './exit.ts'
import { DoubtfulList, listedText } from './given-names.ts'
import { durationText } from './progress.ts'
import { listLines, secondsSince, sizeText, type Summary } from './warm-summary.ts'
import { openFolder, recordingsFolderOf, studioFolders, telegramRatePerMinute } from './world.ts'

/** What a run is planned from. */
interface Planned {
  config: Config
  log: Log
  list: NameList
  selection: Selection
  templates: Template[]
  asksOf: (rows: NameRow[]) => Ask[]
  summary: Summary
  options: { sandbox?: boolean; refresh?: boolean; retryFailed?: boolean; strict?: boolean; json?: boolean }
  /** performance.now() */
  started: number
}

/** What `--dry-run --json` adds to the summary. */
interface Estimate {
  /** names that are to be made */
  misses: number
  /** of them, names whose video is of an older template and is made anew (`--refresh`) */
  outdated: number
  /** selected names that have a recording */
  recordings: number
  /** how many of the most frequent names make up a share of all children; null for a list without counts */
  curve: { share: number; names: number }[] | null
  /** null until this installation has made a few videos */
  renderSeconds: number | null
  uploadSeconds: number
  estimatedSeconds: number
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
  const store = await openKnown(config, log, options.sandbox === true, { exists, folder })
  try {
    const botId = (await store?.db.installation.findUnique({ where: { id: 1 } }))?.botId ?? null
    const revisions = new Map<string, string>()
    if (options.refresh === true) for (const template of templates) revisions.set(template.id, await templateRevision(template))
    const recorded = await recordedKeys(recordingsFolderOf(config, folder), templates)
    let outdated = 0
    let recordings = 0
    for await (const rows of selection.batches(batch)) {
      const asks = asksOf(rows)
      recordings += asks.filter(({ template, key }) => recorded.get(template)?.has(key) === true).length
      for (const asset of store === undefined ? [] : await knownAssets(store.db, asks)) {
        const { template, status, botId: of, templateRevision: made } = asset
        const isOld = status === 'AVAILABLE' && revisions.has(template) && revisions.get(template) !== made
        if (of !== null && of === botId) {
          if (isOld) outdated++
          else summary.cached++
        } else if (status === 'FAILED' && options.retryFailed !== true) summary.failedBefore++
        else if (status === 'PENDING' || status === 'GENERATING') summary.joined++
      }
    }
    summary.enqueued = summary.names - summary.cached - summary.joined - summary.failedBefore
    summary.available = summary.cached
    summary.failed = summary.failedBefore
    summary.pending = summary.joined + summary.enqueued
    const pace = store === undefined ? undefined : await measuredSecondsPerVideo(store.db)
    const channels = options.sandbox === true ? 1 : Math.max(1, config.storageChatIds.length)
    const perMinute = options.sandbox === true && config.channelRatePerMinute === undefined ? undefined : (config.channelRatePerMinute ?? telegramRatePerMinute) * channels
    const misses = summary.pending
    const renderSeconds = pace === undefined ? null : Math.round(misses * pace)
    const uploadSeconds = perMinute === undefined ? 0 : Math.round((misses / perMinute) * 60)
    const estimate: Estimate = {
      misses,
      outdated,
      recordings,
      curve: list.total === null ? null : shares.map((share) => ({ share, names: list.select({ coverage: share }).size })),
      renderSeconds,
      uploadSeconds,
      estimatedSeconds: Math.max(renderSeconds ?? 0, uploadSeconds),
      diskBytes: misses * (await usualSize(studioFolders(folder).rendersFolder)),
      diskFreeBytes: await freeBytes(folder),
    }
    summary.seconds = secondsSince(started)
    if (options.json === true) process.stdout.write(`${JSON.stringify({ ...summary, dryRun: true, ...estimate })}\n`)
    else process.stdout.write(planText(summary, estimate, { channels, perMinute, pace, share: selection.share }))
    if (list.doubt !== undefined) throw new DoubtfulList(list.doubt)
    return options.strict === true && summary.rejected > 0 ? exitCode.someFailed : exitCode.done
  } finally {
    await store?.close()
  }
}

/** The database, if there can be one: a database of one's own needs no home, and without either nothing is known yet. */
async function openKnown(config: Config, log: Log, sandbox: boolean, { exists, folder }: FoundHome): Promise<Database | undefined> {
  if (!exists && config.databaseUrl === undefined) return undefined
  const home = exists ? await openFolder(config, false) : folder
  return openDatabase({ home, databaseUrl: config.databaseUrl, sandbox, role: 'warm', log })
}

interface KnownAsset {
  template: string
  status: string
  /** whose the `file_id` is; null when there is none */
  botId: bigint | null
  templateRevision: string | null
}

async function knownAssets(db: Db, asks: Ask[]): Promise<KnownAsset[]> {
  return db.$queryRaw<KnownAsset[]>`
    SELECT template, status::text AS status, CASE WHEN "telegramFileId" IS NOT NULL THEN "telegramBotId" END AS "botId", "templateRevision"
    FROM "VideoAsset" JOIN unnest(${asks.map(({ template }) => template)}::text[], ${asks.map(({ key }) => key)}::text[]) AS ask(t, n) ON template = ask.t AND name = ask.n`
}

/** The pace of the last finished videos, all workers together, when there were enough of them in one go. */
async function measuredSecondsPerVideo(db: Db): Promise<number | undefined> {
  const [row] = await db.$queryRaw<{ count: bigint; seconds: number | null }[]>`
    SELECT count(*) AS count, extract(epoch FROM max("availableAt") - min("availableAt"))::float8 AS seconds
    FROM (SELECT "availableAt" FROM "VideoAsset" WHERE "availableAt" > (SELECT max("availableAt") - interval '10 minutes' FROM "VideoAsset") ORDER BY "availableAt" DESC LIMIT 200) AS lately`
  const count = Number(row?.count ?? 0)
  return row === undefined || row.seconds === null || count < 5 ? undefined : row.seconds / (count - 1)
}

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
  /** seconds per video, measured */
  pace: number | undefined
  share: number | null
}

function planText(summary: Summary, estimate: Estimate, { channels, perMinute, pace, share }: Bounds): string {
  const { misses, outdated, recordings, curve, renderSeconds, uploadSeconds, estimatedSeconds, diskBytes, diskFreeBytes } = estimate
  const reasons = Object.entries(summary.rejectedBy).sort(([, a], [, b]) => b - a)
  const lines = [
    ...summary.lists.map((list) => `column         ${listedText(list)}`),
    ...listLines(summary),
    ...reasons.map(([reason, count]) => `  ${String(count).padStart(6)} rejected: ${describeRejection(reason as NameRejection)}`),
    curve === null ? '' : `children       ${curve.map(({ share, names }) => `${share * 100} % with ${names} ${names === 1 ? 'name' : 'names'}`).join(', ')}`,
    share === null || curve === null ? '' : `               these ${summary.names} names are those of ${(share * 100).toFixed(1)} %`,
    `would make     ${misses} of ${summary.names}${summary.joined > 0 ? `, of which ${summary.joined} are queued already` : ''}${outdated > 0 ? `, of which ${outdated} have a video from an older template` : ''}`,
    `in the cache   ${summary.cached}${summary.failedBefore > 0 ? `, and ${summary.failedBefore} failed before (--retry-failed tries them again)` : ''}`,
    recordings === 0 ? '' : `recordings     ${recordings} of these names have one`,
  ]
  if (misses > 0) {
    lines.push(
      `rendering      ${renderSeconds === null ? 'unknown until the first videos are made here' : `${durationText(renderSeconds)} at the last pace, ${pace?.toFixed(1)} s a name`}`,
      `uploading      ${perMinute === undefined ? 'as fast as the sandbox takes it' : `${durationText(uploadSeconds)} at ${perMinute} a minute through ${channels} ${channels === 1 ? 'channel' : 'channels'}`}`,
      `disk           ${sizeText(diskBytes)}${diskFreeBytes === null ? '' : `, ${sizeText(diskFreeBytes)} free`}`,
      `in all         ${renderSeconds === null ? `not less than ${durationText(uploadSeconds)}` : `about ${durationText(estimatedSeconds)}`}`,
    )
  }
  return `${lines.filter((line) => line !== '').join('\n')}\n`
}
