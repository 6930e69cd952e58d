/** `status`: what the cache, the queue and the workers are doing; `--check` judges it, `--watch` keeps looking. */
import { setTimeout as sleep } from 'node:timers/promises'
import { styleText } from 'node:util'
import { configOfProcess, type Config } from '../config.ts'
import { isDatabaseDown } from '../db/database.ts'
import { coverage, type Coverage, type ListedName } from '../greetings/coverage.ts'
import { findings, usualLimits, type Limits } from '../greetings/health.ts'
import { currentOutages } from '../greetings/outages.ts'
import { longestWaitSeconds, statistics } from '../greetings/statistics.ts'
import { openLog } from '../log.ts'
import { readNames } from '../names/csv.ts'
import { liveWorkers } from '../queue/processors/worker.ts'
import { loadTemplates, scriptsOf, templateFor, templateRevision, type Template } from '../video/template.ts'
import { endOf, exitCode, UsageFault } from './exit.ts'
import { listenForStop } from './stop.ts'
import { openStore, type Store } from './world.ts'

export interface StatusOptions {
  sandbox?: boolean
  json?: boolean
  csv?: string
  column?: string
  delimiter?: string
  encoding?: string
  watch?: boolean
  check?: boolean
  /** milliseconds */
  maxOldest?: number
  maxFailed?: number
  maxPending?: number
  minHitRate?: number
  minWorkers?: number
  logLevel?: string
}

const watchEveryMs = 2_000

export async function status(options: StatusOptions): Promise<number> {
  const limits = limitsOf(options)
  if (options.watch === true && options.check === true) throw new UsageFault('--watch and --check do not go together: a monitor runs --check again and again.')
  if (options.check !== true && limits !== undefined) throw new UsageFault('Limits are for --check: add it.')
  const config = configOfProcess()
  const log = openLog(options.logLevel ?? config.logLevel)
  const templates = await loadTemplates(config.templatesFolder, config.templates)
  const list = options.csv === undefined ? undefined : await readNames([options.csv], { ...options, extraScripts: scriptsOf(templates) })
  const listed = list === undefined ? undefined : () => listedNames(list.select().batches(5_000), templates)
  let store: Store
  try {
    store = await openStore({ config, log, sandbox: options.sandbox === true, role: 'status', create: false })
  } catch (error) {
    if (options.check !== true || options.json === true) throw error
    return unknown(error)
  }
  try {
    const look = () => reportOf(store, config, templates, listed?.())
    if (options.watch === true) return await watch(look, config, options.json === true)
    const report = await look()
    if (options.check === true) return await check(store, report, limits ?? usualLimits, options.json === true)
    process.stdout.write(options.json === true ? `${JSON.stringify(report)}\n` : asText(report))
    return exitCode.done
  } catch (error) {
    if (options.check !== true || options.json === true || !isDatabaseDown(error)) throw error
    return unknown(error)
  } finally {
    await store.close()
  }
}

function limitsOf({ maxOldest, maxFailed, maxPending, minHitRate, minWorkers }: StatusOptions): Limits | undefined {
  const oldest = maxOldest === undefined ? undefined : maxOldest / 1_000
  const limits: Limits = { maxPersonWaitSeconds: oldest, maxJobWaitSeconds: oldest, maxFailed, maxPending, minHitRate, minWorkers }
  return Object.values(limits).every((limit) => limit === undefined) ? undefined : limits
}

async function* listedNames(batches: ReturnType<ReturnType<Awaited<ReturnType<typeof readNames>>['select']>['batches']>, templates: Template[]): AsyncGenerator<ListedName[]> {
  for await (const rows of batches) yield rows.map(({ name, count }) => ({ template: templateFor(templates, name)?.id, key: name.key, count }))
}

// ---- the report ------------------------------------------------------------------------------------

async function reportOf({ db, queue }: Store, { times }: Config, templates: Template[], listed: AsyncIterable<ListedName[]> | undefined) {
  const revisions = new Map<string, string>()
  for (const template of templates) revisions.set(template.id, await templateRevision(template))
  const [numbers, jobs, workers, outages, { repeatedUploads }] = await Promise.all([statistics(db, revisions), queue.counts(), liveWorkers(db, times.workerGoneMs), currentOutages(db), db.installation.findUniqueOrThrow({ where: { id: 1 } })])
  const { assets, requests, last24h, failures } = numbers
  return {
    assets,
    requests,
    last24h,
    queue: jobs,
    workers: workers.map(({ host, pid, concurrency, rendering, uploading, startedAt }) => ({ host, pid, concurrency, rendering, uploading, startedAt: startedAt.toISOString() })),
    failures,
    repeatedUploads,
    outages: outages.map(({ step, reason, since, until }) => ({ step, reason, since: since.toISOString(), until: until.toISOString() })),
    ...(listed === undefined ? {} : { coverage: await coverage(db, listed) }),
  }
}

type Report = Awaited<ReturnType<typeof reportOf>> & { coverage?: Coverage }

const percent = (share: number) => `${(share * 100).toFixed(1)} %`

/** In colours where stdout is a terminal and NO_COLOR is not set: `styleText` looks. */
function asText({ assets, requests, last24h, queue, workers, failures, repeatedUploads, outages, coverage: covered }: Report): string {
  const counts = (values: Record<string, number>) => Object.entries(values).map(([name, value]) => `${value} ${name}`).join(' · ')
  const seconds = (value: number | null) => (value === null ? '–' : `${value} s`)
  const lines = [
    `videos     ${counts(assets).replace(/\b[1-9]\d* failed/, (some) => styleText('red', some))}`,
    `requests   ${counts(requests)}`,
    `last 24 h  ${last24h.requests} requests, ${last24h.hits} hits${last24h.hitRate === null ? '' : ` (${percent(last24h.hitRate)})`}, waiting p50 ${seconds(last24h.waitSeconds.p50)}, p95 ${seconds(last24h.waitSeconds.p95)}`,
    covered === undefined ? '' : `list       ${covered.available} of ${covered.names} names available${covered.share === null ? '' : ` (${percent(covered.share)})`}${covered.weightedShare === null ? '' : `, ${percent(covered.weightedShare)} of the children`}`,
    `queue      ${queue.waiting} waiting · ${queue.active} active · ${queue.delayed} delayed${queue.oldestWaitingSeconds === null ? '' : `, the oldest for ${queue.oldestWaitingSeconds} s`}`,
    workers.length === 0 ? `workers    ${styleText('yellow', 'none is alive')}` : '',
    ...workers.map(({ host, pid, concurrency, rendering, uploading }) => `worker     ${host}, pid ${pid}: ${rendering} of ${concurrency} rendering, ${uploading} uploading`),
    ...outages.map(({ step, reason, until }) => `outage     ${styleText('yellow', `${step}: ${reason} (next try ${until})`)}`),
    ...failures.map(({ reason, count }) => `failed     ${styleText('red', `${count} × ${reason}`)}`),
    repeatedUploads === 0 ? '' : `uploads    ${repeatedUploads} made again, as Telegram’s answer was lost: the storage channel may hold some videos twice, which harms nobody`,
  ]
  return `${lines.filter((line) => line !== '').join('\n')}\n`
}

// ---- --watch ---------------------------------------------------------------------------------------

/** Until a signal comes, which is how it is meant to end. */
async function watch(look: () => Promise<Report>, { timeDivisor }: Config, json: boolean): Promise<number> {
  const stop = listenForStop()
  const tty = process.stdout.isTTY && !json
  try {
    for (let first = true; !stop.asked.aborted; first = false) {
      try {
        const report = await look()
        if (json) process.stdout.write(`${JSON.stringify(report)}\n`)
        else if (tty) process.stdout.write(`${first ? '\x1b[2J' : ''}\x1b[H${asText(report).replaceAll('\n', '\x1b[K\n')}\x1b[J`)
        else process.stdout.write(`${first ? '' : '\n'}${asText(report)}`)
      } catch (error) {
        if (!isDatabaseDown(error)) throw error
        process.stderr.write('The database is away; looking again.\n')
      }
      await sleep(watchEveryMs / timeDivisor, undefined, { signal: stop.asked }).catch(() => undefined)
    }
    return exitCode.done
  } finally {
    stop.close()
  }
}

// ---- --check ---------------------------------------------------------------------------------------

async function check({ db }: Store, report: Report, limits: Limits, json: boolean): Promise<number> {
  const { assets, last24h, queue, workers, outages } = report
  const found = findings({ personWaitSeconds: await longestWaitSeconds(db), jobWaitSeconds: queue.oldestWaitingSeconds, failed: assets.failed, pending: assets.pending, hitRate: last24h.hitRate, workers: workers.length, outages }, limits)
  const healthy = found.length === 0
  // A monitor shows the first line, and the rest to whoever asks.
  const lines = healthy ? [`OK: ${assets.available} videos available, ${assets.pending} pending, ${assets.failed} failed`] : [`WARNING: ${found.join('; ')}`, ...found]
  process.stdout.write(json ? `${JSON.stringify({ ...report, healthy, findings: found })}\n` : `${lines.join('\n')}\n`)
  return healthy ? exitCode.done : exitCode.someFailed
}

/** A service is away: a monitor reads that on stdout. Anything else is reported as ever. */
function unknown(error: unknown): number {
  const end = endOf(error)
  if (end.code !== exitCode.unreachable) throw error
  process.stdout.write(`UNKNOWN: ${end.lines[0]}\n`)
  return end.code
}
