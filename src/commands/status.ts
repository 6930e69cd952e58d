/** `status`: what the cache, the queue and the workers are doing. */
import { configOfProcess } from '../config.ts'
import { currentOutages } from '../greetings/outages.ts'
import { statistics } from '../greetings/statistics.ts'
import { openLog } from '../log.ts'
import { liveWorkers } from '../queue/processors/worker.ts'
import { loadTemplates, templateRevision } from '../video/template.ts'
import { exitCode } from './exit.ts'
import { openStore } from './world.ts'

export async function status(options: { sandbox?: boolean; json?: boolean; logLevel?: string }): Promise<number> {
  const config = configOfProcess()
  const log = openLog(options.logLevel ?? config.logLevel)
  const store = await openStore({ config, log, sandbox: options.sandbox === true, role: 'status', create: false })
  try {
    const templates = await loadTemplates(config.templatesFolder, config.templates)
    const revisions = new Map<string, string>()
    for (const template of templates) revisions.set(template.id, await templateRevision(template))
    const [numbers, queue, workers, outages] = await Promise.all([statistics(store.db, revisions), store.queue.counts(), liveWorkers(store.db, config.times.workerGoneMs), currentOutages(store.db)])
    const { assets, requests, last24h, failures } = numbers
    const report = {
      assets,
      requests,
      last24h,
      queue,
      workers: workers.map(({ host, pid, concurrency, rendering, uploading, startedAt }) => ({ host, pid, concurrency, rendering, uploading, startedAt: startedAt.toISOString() })),
      failures,
      outages: outages.map(({ step, reason, since, until }) => ({ step, reason, since: since.toISOString(), until: until.toISOString() })),
    }
    process.stdout.write(options.json === true ? `${JSON.stringify(report)}\n` : asText(report))
    return exitCode.done
  } finally {
    await store.close()
  }
}

interface Report {
  assets: Record<string, number>
  requests: Record<string, number>
  last24h: { requests: number; hits: number; hitRate: number | null; waitSeconds: { p50: number | null; p95: number | null } }
  queue: { waiting: number; active: number; delayed: number; failed: number; oldestWaitingSeconds: number | null }
  workers: { host: string; pid: number; concurrency: number; rendering: number; uploading: number }[]
  failures: { reason: string; count: number }[]
  outages: { step: string; reason: string; until: string }[]
}

function asText({ assets, requests, last24h, queue, workers, failures, outages }: Report): string {
  const counts = (values: Record<string, number>) => Object.entries(values).map(([name, value]) => `${value} ${name}`).join(' · ')
  const seconds = (value: number | null) => (value === null ? '–' : `${value} s`)
  const lines = [
    `videos     ${counts(assets)}`,
    `requests   ${counts(requests)}`,
    `last 24 h  ${last24h.requests} requests, ${last24h.hits} hits${last24h.hitRate === null ? '' : ` (${(last24h.hitRate * 100).toFixed(1)} %)`}, waiting p50 ${seconds(last24h.waitSeconds.p50)}, p95 ${seconds(last24h.waitSeconds.p95)}`,
    `queue      ${queue.waiting} waiting · ${queue.active} active · ${queue.delayed} delayed${queue.oldestWaitingSeconds === null ? '' : `, the oldest for ${queue.oldestWaitingSeconds} s`}`,
    workers.length === 0 ? 'workers    none is alive' : '',
    ...workers.map(({ host, pid, concurrency, rendering, uploading }) => `worker     ${host}, pid ${pid}: ${rendering} of ${concurrency} rendering, ${uploading} uploading`),
    ...outages.map(({ step, reason, until }) => `outage     ${step}: ${reason} (next try ${until})`),
    ...failures.map(({ reason, count }) => `failed     ${count} × ${reason}`),
  ]
  return `${lines.filter((line) => line !== '').join('\n')}\n`
}
