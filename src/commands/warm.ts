/** `warm`: every name of a list through the door, then waiting until each video is in the cache. */
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { configOfProcess, type Config } from '../config.ts'
import { isDatabaseDown, openDatabase, type Database, type Db } from '../db/database.ts'
import { currentOutages } from '../greetings/outages.ts'
import { request, type Ask } from '../greetings/request.ts'
import { findHome } from '../home.ts'
import { openLog, type Log } from '../log.ts'
import { readNames, type NameList, type NameRow, type Selection } from '../names/csv.ts'
import { explainRejection } from '../names/name.ts'
import { liveWorkers, type RunningWorker } from '../queue/processors/worker.ts'
import { loadTemplates, scriptsOf, templateFor, type Template } from '../video/template.ts'
import { exitCode } from './exit.ts'
import { openProgress, type ProgressView } from './progress.ts'
import { listenForStop, type StopRequest } from './stop.ts'
import { checkTelegramIsConfigured, concurrencyOf, openFolder, openStudioOf, openWorld, startWorkerIn, type World } from './world.ts'

export interface WarmOptions {
  sandbox?: boolean
  dryRun?: boolean
  limit?: number
  wait: boolean
  work: boolean
  retryFailed?: boolean
  template?: string
  /** milliseconds */
  timeout?: number
  column?: string
  delimiter?: string
  encoding?: string
  rejects?: string
  strict?: boolean
  newBot?: boolean
  json?: boolean
  quiet?: boolean
  logLevel?: string
}

/** The contract of `warm --json`. */
interface Summary {
  rows: number
  blank: number
  rejected: number
  duplicates: number
  names: number
  cached: number
  joined: number
  enqueued: number
  failedBefore: number
  available: number
  failed: number
  pending: number
  rejects: { line: number; reason: string }[]
  seconds: number
}

const doorBatch = 5_000

export async function warm(files: string[], options: WarmOptions): Promise<number> {
  const config = configOfProcess()
  const started = performance.now()
  // While bars are drawn, only what matters may come between them.
  const log = openLog(options.logLevel ?? (process.stderr.isTTY || options.quiet === true ? 'error' : config.logLevel === 'info' ? 'warn' : config.logLevel))
  if (options.dryRun !== true) checkTelegramIsConfigured(config, options.sandbox === true)
  const templates = await loadTemplates(config.templatesFolder, options.template === undefined ? config.templates : [options.template])
  const extraScripts = scriptsOf(templates)
  const list = await readNames(files, { column: options.column, delimiter: options.delimiter, encoding: options.encoding, rejects: options.rejects, extraScripts })
  const selection = list.select({ limit: options.limit })
  const summary = emptySummary(list, selection)
  const asksOf = (rows: NameRow[]) => toAsks(rows, templates, options.template !== undefined, summary)

  if (options.dryRun === true) return plan(config, log, selection, asksOf, summary, options, started)

  const stop = listenForStop()
  const world = await openWorld({ config, log, sandbox: options.sandbox === true, role: 'warm', create: true, newBot: options.newBot, needsChannel: true })
  let worker: RunningWorker | undefined
  let closeStudio = async () => {}
  const hurry = () => worker?.hurry()
  stop.hurried.addEventListener('abort', hurry, { once: true })
  let timedOut = false
  try {
    const open = await enqueue(world, selection, asksOf, summary, options.retryFailed === true, stop)
    if (options.wait && open.size > 0 && stop.code === undefined) {
      if (options.work) {
        // What is queued already may be of any enabled template, and this run's own may be none of them.
        const studio = await openStudioOf({ ...config, templates: [...new Set([...config.templates, ...templates.map(({ id }) => id)])] }, world.home)
        closeStudio = () => studio.close()
        worker = await startWorkerIn(world, studio, config, log)
      }
      const view = openProgress({ quiet: options.quiet === true, alreadyDone: summary.available + summary.failed })
      try {
        timedOut = await waitFor(world, open, summary, { config, stop, view, deadline: options.timeout === undefined ? undefined : started + options.timeout, working: worker !== undefined })
      } finally {
        view.close()
      }
    }
    summary.pending = open.size
  } finally {
    await worker?.stop(config.stopMs)
    await closeStudio()
    await world.close()
    stop.close()
  }
  summary.seconds = secondsSince(started)
  print(summary, options, { timedOut, stopped: stop.code !== undefined })
  if (stop.code !== undefined) return stop.code
  if (summary.failed > 0 || timedOut || (options.strict === true && summary.rejected > 0)) return exitCode.someFailed
  return exitCode.done
}

const secondsSince = (started: number) => Number(((performance.now() - started) / 1_000).toFixed(2))

function emptySummary(list: NameList, selection: Selection): Summary {
  const { rows, blank, rejected, duplicates } = list
  const rejects = list.rejects.map(({ line, reason }) => ({ line, reason: explainRejection(reason, 'en') }))
  return { rows, blank, rejected, duplicates, names: selection.size, cached: 0, joined: 0, enqueued: 0, failedBefore: 0, available: 0, failed: 0, pending: 0, rejects, seconds: 0 }
}

/** Each name with its template. A name whose script no template serves is rejected here. */
function toAsks(rows: NameRow[], templates: Template[], forced: boolean, summary: Summary): Ask[] {
  const asks: Ask[] = []
  for (const { line, name, say } of rows) {
    const template = forced ? templates[0] : templateFor(templates, name)
    if (template !== undefined) asks.push({ template: template.id, key: name.key, display: name.display, say })
    else {
      summary.names--
      summary.rejected++
      if (summary.rejects.length < 100) summary.rejects.push({ line, reason: `No enabled template serves ${name.script} names with these letters.` })
    }
  }
  return asks
}

/** Everything through the door; returns the assets that are still to be made. */
async function enqueue({ door }: World, selection: Selection, asksOf: (rows: NameRow[]) => Ask[], summary: Summary, retryFailed: boolean, stop: StopRequest): Promise<Set<string>> {
  const open = new Set<string>()
  for await (const rows of selection.batches(doorBatch)) {
    for (const answer of await request(door, asksOf(rows), undefined, { retryFailed })) {
      if (answer.status === 'available') {
        summary.cached++
        summary.available++
      } else if (answer.status === 'failed') {
        summary.failedBefore++
        summary.failed++
      } else if (answer.status === 'waiting') {
        if (answer.started) summary.enqueued++
        else summary.joined++
        open.add(answer.assetId)
      }
    }
    if (stop.code !== undefined) break
  }
  return open
}

interface Waiting {
  config: Config
  stop: StopRequest
  view: ProgressView
  /** performance.now() after which the rest is left queued */
  deadline: number | undefined
  working: boolean
}

/** Asks the database for those still open until there are none. True: the time was up. */
async function waitFor(world: World, open: Set<string>, summary: Summary, { config, stop, view, deadline, working }: Waiting): Promise<boolean> {
  const { times } = config
  let saidNobody = false
  const said = new Map<string, string>()
  while (stop.code === undefined) {
    try {
      for (const { id, status } of await finished(world.db, [...open])) {
        open.delete(id)
        if (status === 'AVAILABLE') summary.available++
        else summary.failed++
      }
      const workers = await liveWorkers(world.db, times.workerGoneMs)
      const sum = (of: 'rendering' | 'uploading') => workers.reduce((total, worker) => total + worker[of], 0)
      view.show({ total: summary.names, rendered: Math.min(summary.names, summary.available + sum('uploading')), available: summary.available, failed: summary.failed, rendering: sum('rendering'), uploading: sum('uploading') })
      if (open.size === 0) return false
      if (!working && workers.length === 0 && !saidNobody) {
        saidNobody = true
        view.note('No worker is alive, so nothing is being made. Start one: greetings worker')
      }
      for (const { step, reason } of await currentOutages(world.db)) {
        if (said.get(step) === reason) continue
        said.set(step, reason)
        view.note(`Waiting: ${step} is out of order. ${reason}`)
      }
    } catch (error) {
      if (!isDatabaseDown(error)) throw error
      if (said.get('database') === undefined) view.note('The database is away; the run goes on when it is back.')
      said.set('database', 'away')
    }
    if (deadline !== undefined && performance.now() >= deadline) return true
    await sleep(Math.min(times.pollMs, 1_000), undefined, { signal: stop.asked }).catch(() => undefined)
  }
  return false
}

const idsPerQuery = 20_000

async function finished(db: Db, ids: string[]): Promise<{ id: string; status: 'AVAILABLE' | 'FAILED' }[]> {
  const found: { id: string; status: 'AVAILABLE' | 'FAILED' }[] = []
  for (let at = 0; at < ids.length; at += idsPerQuery) {
    const some = ids.slice(at, at + idsPerQuery)
    found.push(...(await db.$queryRaw<typeof found>`SELECT id, status::text AS status FROM "VideoAsset" WHERE id = ANY(${some}) AND status IN ('AVAILABLE', 'FAILED')`))
  }
  return found
}

// ---- the plan --------------------------------------------------------------------------------------

/** `--dry-run`: what would be done, from the database alone. */
async function plan(config: Config, log: Log, selection: Selection, asksOf: (rows: NameRow[]) => Ask[], summary: Summary, options: WarmOptions, started: number): Promise<number> {
  const store = await openKnown(config, log, options.sandbox === true)
  try {
    const botId = (await store?.db.installation.findUnique({ where: { id: 1 } }))?.botId ?? null
    for await (const rows of selection.batches(doorBatch)) {
      const asks = asksOf(rows)
      const known = store === undefined ? [] : await knownAssets(store.db, asks)
      for (const { status, botId: of } of known) {
        if (of !== null && of === botId) summary.cached++
        else if (status === 'FAILED' && options.retryFailed !== true) summary.failedBefore++
        else if (status === 'PENDING' || status === 'GENERATING') summary.joined++
      }
    }
    summary.enqueued = summary.names - summary.cached - summary.joined - summary.failedBefore
    summary.available = summary.cached
    summary.failed = summary.failedBefore
    summary.pending = summary.joined + summary.enqueued
    const secondsPerRender = store === undefined ? undefined : await measuredSecondsPerRender(store.db)
    const channels = options.sandbox === true ? 1 : Math.max(1, config.storageChatIds.length)
    const perMinute = options.sandbox === true && config.channelRatePerMinute === undefined ? undefined : (config.channelRatePerMinute ?? 20) * channels
    const misses = summary.pending
    const renderSeconds = secondsPerRender === undefined ? undefined : (misses * secondsPerRender) / concurrencyOf(config)
    const uploadSeconds = perMinute === undefined ? 0 : (misses / perMinute) * 60
    const estimate = { misses, renderSeconds: renderSeconds === undefined ? null : Math.round(renderSeconds), uploadSeconds: Math.round(uploadSeconds), estimatedSeconds: Math.round(Math.max(renderSeconds ?? 0, uploadSeconds)) }
    summary.seconds = secondsSince(started)
    if (options.json === true) process.stdout.write(`${JSON.stringify({ ...summary, dryRun: true, ...estimate })}\n`)
    else process.stdout.write(planText(summary, estimate, channels, perMinute))
    return options.strict === true && summary.rejected > 0 ? exitCode.someFailed : exitCode.done
  } finally {
    await store?.close()
  }
}

/** The database, if there can be one: a database of one's own needs no home, and without either nothing is known yet. */
async function openKnown(config: Config, log: Log, sandbox: boolean): Promise<Database | undefined> {
  const { exists, folder } = await findHome({ explicit: config.home, cwd: process.cwd() })
  if (!exists && config.databaseUrl === undefined) return undefined
  const home = exists ? await openFolder(config, false) : folder
  return openDatabase({ home, databaseUrl: config.databaseUrl, sandbox, role: 'warm', log })
}

async function knownAssets(db: Db, asks: Ask[]): Promise<{ status: string; botId: bigint | null }[]> {
  return db.$queryRaw<{ status: string; botId: bigint | null }[]>`
    SELECT status::text AS status, CASE WHEN "telegramFileId" IS NOT NULL THEN "telegramBotId" END AS "botId"
    FROM "VideoAsset" JOIN unnest(${asks.map(({ template }) => template)}::text[], ${asks.map(({ key }) => key)}::text[]) AS ask(t, n) ON template = ask.t AND name = ask.n`
}

/** The pace of the last finished videos, when there were enough of them in one go. */
async function measuredSecondsPerRender(db: Db): Promise<number | undefined> {
  const [row] = await db.$queryRaw<{ count: bigint; seconds: number | null }[]>`
    SELECT count(*) AS count, extract(epoch FROM max("availableAt") - min("availableAt"))::float8 AS seconds
    FROM (SELECT "availableAt" FROM "VideoAsset" WHERE "availableAt" > (SELECT max("availableAt") - interval '10 minutes' FROM "VideoAsset") ORDER BY "availableAt" DESC LIMIT 200) AS lately`
  const count = Number(row?.count ?? 0)
  return row === undefined || row.seconds === null || count < 5 ? undefined : row.seconds / (count - 1)
}

interface Estimate {
  misses: number
  renderSeconds: number | null
  uploadSeconds: number
  estimatedSeconds: number
}

function planText(summary: Summary, { misses, renderSeconds, uploadSeconds, estimatedSeconds }: Estimate, channels: number, perMinute: number | undefined): string {
  const lines = [
    ...listLines(summary),
    `would make     ${misses} of ${summary.names}${summary.joined > 0 ? `, of which ${summary.joined} are queued already` : ''}`,
    `in the cache   ${summary.cached}${summary.failedBefore > 0 ? `, and ${summary.failedBefore} failed before (--retry-failed tries them again)` : ''}`,
    misses === 0 ? '' : `rendering      ${renderSeconds === null ? 'unknown until the first videos are made here' : timeText(renderSeconds)}`,
    misses === 0 ? '' : `uploading      ${perMinute === undefined ? 'as fast as the sandbox takes it' : `${timeText(uploadSeconds)} at ${perMinute} a minute through ${channels} ${channels === 1 ? 'channel' : 'channels'}`}`,
    misses === 0 ? '' : `in all about   ${timeText(estimatedSeconds)}`,
  ]
  return `${lines.filter((line) => line !== '').join('\n')}\n`
}

const timeText = (seconds: number) => (seconds < 90 ? `${Math.round(seconds)} s` : seconds < 5_400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3_600).toFixed(1)} h`)

// ---- the result ------------------------------------------------------------------------------------

function listLines({ rows, blank, rejected, duplicates, names, rejects }: Summary): string[] {
  return [
    `list           ${rows} rows: ${names} names${duplicates > 0 ? `, ${duplicates} repeated` : ''}${blank > 0 ? `, ${blank} blank` : ''}${rejected > 0 ? `, ${rejected} rejected` : ''}`,
    ...rejects.slice(0, 5).map(({ line, reason }) => `  line ${line}: ${reason}`),
    rejects.length > 5 ? `  … ${rejected - 5} more (--rejects FILE writes them all)` : '',
  ].filter((line) => line !== '')
}

function print(summary: Summary, options: WarmOptions, { timedOut, stopped }: { timedOut: boolean; stopped: boolean }): void {
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(summary)}\n`)
    return
  }
  const { names, cached, joined, enqueued, failedBefore, available, failed, pending, seconds } = summary
  const all = available === names
  const lines = [
    ...listLines(summary),
    `before         ${cached} cached${joined > 0 ? `, ${joined} already queued` : ''}${failedBefore > 0 ? `, ${failedBefore} failed before` : ''}; ${enqueued} new`,
    all ? `now            ${cached === names ? `all ${names} were in the cache` : `all ${names} are in the cache`}, ${seconds} s` : `now            ${available} in the cache${failed > 0 ? `, ${failed} failed` : ''}${pending > 0 ? `, ${pending} queued` : ''}, ${seconds} s`,
    failed > 0 ? 'See what went wrong with `greetings status`; `warm --retry-failed` tries again.' : '',
    pending > 0 && timedOut ? 'The time was up. The rest stays queued; run the same command again to go on.' : '',
    pending > 0 && stopped ? 'Stopped. The rest stays queued; run the same command again to go on.' : '',
    pending > 0 && !options.wait ? 'A running worker makes them: greetings worker, or up.' : '',
  ]
  process.stdout.write(`${lines.filter((line) => line !== '').join('\n')}\n`)
}
