/** `warm`: every name of a list through the door, then waiting until each video is in the cache. */
import { performance } from 'node:perf_hooks'
import { configOfProcess, type Config } from '../../config.ts'
import { isDatabaseTrouble, type Db } from '../../db/database.ts'
import { recordPaces } from '../../greetings/pace.ts'
import { askFromName, type Ask, type AskRules } from '../../greetings/ask.ts'
import { request } from '../../greetings/request.ts'
import type { ListOptions } from '../../greetings/request-list.ts'
import { openLog, type Log } from '../../log.ts'
import type { NameRow, Selection } from '../../names/selection.ts'
import type { RunningWorker } from '../../queue/processors/worker.ts'
import type { Renderer } from '../../video/renderer.ts'
import { loadTemplates } from '../../video/load-templates.ts'
import type { Template } from '../../video/template.ts'
import { exitCode } from '../../terminal/exit.ts'
import { askRulesOf, DoubtfulList, readLists, type ListReading } from '../../terminal/name-arguments.ts'
import { listenForStop, type StopRequest } from '../../terminal/signals.ts'
import { failuresOf } from '../../greetings/reports/outcomes.ts'
import { emptySummary, failedNamesShown, printSummary, secondsSince, type FailedName, type Summary } from './summary.ts'
import { waitForVideos, type Asked } from './waiting.ts'
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
  const askRules = await askRulesOf(config, templates, { forced: options.template !== undefined })
  const list = await readLists(files, options, askRules.nameRules)
  const selection = list.select({ limit: options.limit, coverage: options.coverage })
  const summary = emptySummary(list, selection)
  const asksOf = (rows: NameRow[]) => toAsks(rows, askRules, summary)

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
  const timedOut = await fill({ config, log, selection, templates, asksOf, summary, options, started }, stop)
  summary.seconds = secondsSince(started)
  printSummary(summary, options, { timedOut, stopped: stop.code !== undefined })
  if (stop.code !== undefined) return stop.code
  if (summary.failed > 0 || timedOut || (options.strict && summary.rejected > 0)) return exitCode.someFailed
  return exitCode.done
}

interface Run {
  config: Config
  log: Log
  selection: Selection
  templates: Template[]
  asksOf: (rows: NameRow[]) => Ask[]
  summary: Summary
  options: WarmOptions
  /** performance.now() */
  started: number
}

/**
 * Asks for all names and waits for their videos, with a worker of its own unless
 * it was told otherwise. True: the time was up.
 */
async function fill(run: Run, stop: StopRequest): Promise<boolean> {
  const { config, log, templates, summary, options, started } = run
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
    const asked = await enqueue(services, run, { retryFailed: options.retryFailed, revisionNow }, stop)
    const askedSeconds = secondsSince(askedSince)
    if (options.wait && asked.open.size > 0 && stop.code === undefined) {
      if (options.work) worker = await startWorkerIn(services, await openRenderer(), config, log)
      await recordPaces(services.db, [
        { step: 'start', template: '', parallel: 1, seconds: secondsSince(started) - askedSeconds, samples: 1 },
      ]).catch(() => undefined)
      const deadline = options.timeout === undefined ? undefined : started + options.timeout
      timedOut = await waitForVideos(services, asked, { config, stop, deadline, worker, quiet: options.quiet })
    }
    summary.pending = asked.open.size
    summary.failedNames = await failedNames(services.db, asked.failed)
  } finally {
    await worker?.stop(config.stopMs)
    await renderer?.close()
    await services.close()
    stop.close()
  }
  return timedOut
}

/** Each name with its template. A name whose script no template serves is rejected here. */
function toAsks(rows: NameRow[], rules: AskRules, summary: Summary): Ask[] {
  const asks: Ask[] = []
  for (const { line, name, say } of rows) {
    const asked = askFromName(name, rules, say)
    if (asked.ok) asks.push(asked.ask)
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

/**
 * Everything through the door; returns the assets that are still to be made, and the first that were given up before.
 */
async function enqueue(
  { door }: Services,
  { selection, asksOf, summary }: Run,
  options: ListOptions,
  stop: StopRequest,
): Promise<Asked> {
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
  return { open, failed, summary }
}

/** Who they are and what went wrong; none when the database is away, as then the run ends for another reason. */
async function failedNames(db: Db, ids: readonly string[]): Promise<FailedName[]> {
  if (ids.length === 0) return []
  try {
    return await failuresOf(db, ids)
  } catch (error) {
    if (!isDatabaseTrouble(error)) throw error
    return []
  }
}
