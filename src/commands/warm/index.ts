/** `warm`: every name of a list through the door, then waiting until each video is in the cache. */
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { configOfProcess, type Config } from '../../config.ts'
import { isDatabaseTrouble, type Db } from '../../db/database.ts'
import { currentOutages } from '../../greetings/outages.ts'
import { recordPaces, rendersAhead } from '../../greetings/pace.ts'
import { liveWorkers } from '../../greetings/workers.ts'
import type { Ask } from '../../greetings/ask.ts'
import { request, type ListOptions } from '../../greetings/request.ts'
import { openLog } from '../../log.ts'
import type { NameRow, Selection } from '../../names/csv.ts'
import type { RunningWorker } from '../../queue/processors/worker.ts'
import { usableChannels } from '../../telegram/channels.ts'
import type { Renderer } from '../../video/renderer.ts'
import { loadTemplates, templateFor, type Template } from '../../video/template.ts'
import { exitCode } from '../../terminal/exit.ts'
import { DoubtfulList, nameRulesOf, readLists, type ListReading } from '../../terminal/name-arguments.ts'
import { openProgress, type Progress, type ProgressView } from '../../terminal/progress.ts'
import { listenForStop, type StopRequest } from '../../terminal/signals.ts'
import { emptySummary, failedNamesShown, printSummary, secondsSince, type FailedName, type Summary } from './summary.ts'
import { openRendererOf, revisionsOf } from '../../app/renderer.ts'
import { checkTelegramIsConfigured, openServices, startWorkerIn, type Services } from '../../app/services.ts'

export interface WarmOptions extends ListReading {
  sandbox: boolean
  dryRun: boolean
  limit?: number
  /** 0 to 1 */
  coverage?: number
  wait: boolean
  work: boolean
  retryFailed: boolean
  refresh: boolean
  template?: string
  /** milliseconds */
  timeout?: number
  rejects?: string
  strict: boolean
  newBot: boolean
  json: boolean
  quiet: boolean
  logLevel?: string
}

const doorBatch = 5_000

export async function warm(files: string[], options: WarmOptions): Promise<number> {
  const config = configOfProcess()
  const started = performance.now()
  // While bars are drawn, only what matters may come between them.
  const log = openLog(
    options.logLevel ??
      (process.stderr.isTTY || options.quiet ? 'error' : config.logLevel === 'info' ? 'warn' : config.logLevel),
  )
  if (!options.dryRun) checkTelegramIsConfigured(config, options.sandbox)
  const templates = await loadTemplates(
    config.templatesFolder,
    options.template === undefined ? config.templates : [options.template],
  )
  const list = await readLists(files, options, await nameRulesOf(config, templates))
  const selection = list.select({ limit: options.limit, coverage: options.coverage })
  const summary = emptySummary(list, selection)
  const asksOf = (rows: NameRow[]) => toAsks(rows, templates, options.template !== undefined, summary)

  if (options.dryRun) {
    const { plan } = await import('./plan.ts')
    return plan({ config, log, list, selection, templates, asksOf, summary, options, started })
  }

  if (list.doubt !== undefined) {
    // What hardly holds a name was read in the wrong way: nothing of it is made.
    summary.names = 0
    summary.seconds = secondsSince(started)
    printSummary(summary, options, { timedOut: false, stopped: false })
    throw new DoubtfulList(list.doubt)
  }
  const stop = listenForStop()
  const services = await openServices({
    config,
    log,
    sandbox: options.sandbox,
    role: 'warm',
    create: true,
    newBot: options.newBot,
    channels: 'needed',
  })
  let worker: RunningWorker | undefined
  let renderer: Renderer | undefined
  const abortNow = () => worker?.abortNow()
  stop.abortedNow.addEventListener('abort', abortNow, { once: true })
  let timedOut = false
  try {
    // What is queued already may be of any enabled template, and this run's own may be none of them.
    const openRenderer = async () =>
      (renderer ??= await openRendererOf(
        { ...config, templates: [...new Set([...config.templates, ...templates.map(({ id }) => id)])] },
        services.home,
        { db: services.db, log },
      ))
    const revisionNow = options.refresh
      ? await openRenderer().then(({ templates, revisionOf }) => revisionsOf(templates, revisionOf))
      : undefined
    const askedSince = performance.now()
    const { open, failed } = await enqueue(
      services,
      selection,
      asksOf,
      summary,
      { retryFailed: options.retryFailed, revisionNow },
      stop,
    )
    const askedSeconds = secondsSince(askedSince)
    if (options.wait && open.size > 0 && stop.code === undefined) {
      if (options.work) worker = await startWorkerIn(services, await openRenderer(), config, log)
      await recordPaces(services.db, [
        { step: 'start', template: '', parallel: 1, seconds: secondsSince(started) - askedSeconds, samples: 1 },
      ]).catch(() => undefined)
      const view = openProgress({
        quiet: options.quiet,
        cached: summary.cached,
        alreadyDone: summary.available + summary.failed,
        postsPerMinute: postsPerMinute(services),
      })
      const waitedSince = performance.now()
      try {
        timedOut = await waitFor(services, open, failed, summary, {
          config,
          stop,
          view,
          deadline: options.timeout === undefined ? undefined : started + options.timeout,
          worker,
        })
      } finally {
        view.close()
      }
      if (summary.made > 0) summary.perMinute = Number((summary.made / (secondsSince(waitedSince) / 60)).toFixed(1))
    }
    summary.pending = open.size
    summary.failedNames = await failedNames(services.db, failed)
  } finally {
    await worker?.stop(config.stopMs)
    await renderer?.close()
    await services.close()
    stop.close()
  }
  summary.seconds = secondsSince(started)
  printSummary(summary, options, { timedOut, stopped: stop.code !== undefined })
  if (stop.code !== undefined) return stop.code
  if (summary.failed > 0 || timedOut || (options.strict && summary.rejected > 0)) return exitCode.someFailed
  return exitCode.done
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
      summary.rejectedBy.unsupported_script = (summary.rejectedBy.unsupported_script ?? 0) + 1
      if (summary.rejects.length < 100)
        summary.rejects.push({
          line,
          code: 'unsupported_script',
          reason: `No enabled template serves ${name.script} names with these letters.`,
        })
    }
  }
  return asks
}

/** Everything through the door; returns the assets that are still to be made, and the first that were given up before. */
async function enqueue(
  { door }: Services,
  selection: Selection,
  asksOf: (rows: NameRow[]) => Ask[],
  summary: Summary,
  options: ListOptions,
  stop: StopRequest,
): Promise<{ open: Set<string>; failed: string[] }> {
  const open = new Set<string>()
  const failed: string[] = []
  for await (const rows of selection.batches(doorBatch)) {
    for (const answer of await request(door, asksOf(rows), undefined, options)) {
      if (answer.status === 'available') {
        summary.cached++
        summary.available++
      } else if (answer.status === 'failed') {
        summary.failedBefore++
        summary.failed++
        if (failed.length < failedNamesShown) failed.push(answer.assetId)
      } else if (answer.status === 'waiting') {
        if (answer.started) summary.enqueued++
        else summary.joined++
        open.add(answer.assetId)
      }
    }
    if (stop.code !== undefined) break
  }
  // Stopped half way: the sums are of the names that were reached.
  summary.names = summary.cached + summary.joined + summary.enqueued + summary.failedBefore
  return { open, failed }
}

interface Waiting {
  config: Config
  stop: StopRequest
  view: ProgressView
  /** performance.now() after which the rest is left queued */
  deadline: number | undefined
  /** the one in this process */
  worker: RunningWorker | undefined
}

/** Telegram's limit on everything a bot sends in bulk, and what the channels take together. */
const overallPerMinute = 1_800
const postsPerMinute = ({ storage }: Services) =>
  Math.min(overallPerMinute, storage.ratePerMinute * usableChannels(storage).length)

/** Workers whose finished files pile up, while places to render are free, wait for the channels. */
function boundOf(
  { storage }: Services,
  workers: { concurrency: number; rendering: number; uploading: number }[],
): Progress['bound'] {
  const waiting = workers.filter(
    ({ concurrency, rendering, uploading }) => uploading >= rendersAhead && rendering < concurrency,
  )
  if (waiting.length === 0 || waiting.length * 2 < workers.length) return 'rendering'
  return storage.ratePerMinute * usableChannels(storage).length > overallPerMinute ? 'Telegram' : 'the channels'
}

/** Asks the database for those still open until there are none. True: the time was up. The first that fail are added to `failed`. */
async function waitFor(
  services: Services,
  open: Set<string>,
  failed: string[],
  summary: Summary,
  { config, stop, view, deadline, worker }: Waiting,
): Promise<boolean> {
  const { times } = config
  let saidNobody = false
  let saidGone = false
  let rendered = 0 // a finished file counts on while it changes hands
  const said = new Map<string, string>()
  while (stop.code === undefined) {
    try {
      for (const { id, status, bytes } of await settled(services.db, [...open])) {
        open.delete(id)
        if (status === 'AVAILABLE') {
          summary.available++
          summary.made++
          if (bytes !== null) summary.bytes = (summary.bytes ?? 0) + bytes
        } else {
          summary.failed++
          if (failed.length < failedNamesShown) failed.push(id)
        }
        if (status === null && !saidGone) {
          saidGone = true
          view.note('Names of this run were removed by `cancel` or `forget`: they count as failed.')
        }
      }
      const workers = await liveWorkers(services.db, times)
      const sum = (of: 'rendering' | 'uploading') => workers.reduce((total, worker) => total + worker[of], 0)
      rendered = Math.max(rendered, Math.min(summary.names, summary.available + sum('uploading')))
      view.show({
        total: summary.names,
        rendered,
        available: summary.available,
        failed: summary.failed,
        rendering: sum('rendering'),
        uploading: sum('uploading'),
        bound: boundOf(services, workers),
      })
      if (open.size === 0) return false
      if (worker === undefined && workers.length === 0 && !saidNobody) {
        saidNobody = true
        view.note('No worker is alive, so nothing is being made. Start one: greetings worker')
      }
      for (const { step, reason } of await currentOutages(services.db)) {
        if (said.get(step) === reason) continue
        said.set(step, reason)
        view.note(`Waiting: ${step} is out of order. ${reason}`)
      }
    } catch (error) {
      if (!isDatabaseTrouble(error)) throw error
      if (said.get('database') === undefined) view.note('The database does not answer; the run goes on when it does.')
      said.set('database', 'away')
    }
    if (deadline !== undefined && performance.now() >= deadline) return true
    const pause = sleep(Math.min(times.pollMs, 1_000), undefined, { signal: stop.asked }).catch(() => undefined)
    await (worker === undefined ? pause : Promise.race([pause, worker.ended]))
  }
  return false
}

const idsPerQuery = 20_000

/** Those of the assets that are finished, or gone: of these the status is null. */
async function settled(
  db: Db,
  ids: string[],
): Promise<{ id: string; status: 'AVAILABLE' | 'FAILED' | null; bytes: number | null }[]> {
  const found: Awaited<ReturnType<typeof settled>> = []
  for (let at = 0; at < ids.length; at += idsPerQuery) {
    const some = ids.slice(at, at + idsPerQuery)
    found.push(
      ...(await db.$queryRaw<typeof found>`
      SELECT wanted.id, asset.status::text AS status, asset.bytes FROM unnest(${some}::text[]) AS wanted(id) LEFT JOIN "VideoAsset" AS asset ON asset.id = wanted.id
      WHERE asset.id IS NULL OR asset.status IN ('AVAILABLE', 'FAILED')`),
    )
  }
  return found
}

/** Who they are and what went wrong; none when the database is away, as then the run ends for another reason. */
async function failedNames(db: Db, ids: readonly string[]): Promise<FailedName[]> {
  if (ids.length === 0) return []
  try {
    return await db.$queryRaw<FailedName[]>`
      SELECT display AS name, template, coalesce("errorClass", 'unknown') || coalesce(': ' || "errorText", '') AS reason
      FROM "VideoAsset" WHERE id = ANY(${ids as string[]}::text[]) AND status = 'FAILED' ORDER BY display`
  } catch (error) {
    if (!isDatabaseTrouble(error)) throw error
    return []
  }
}
