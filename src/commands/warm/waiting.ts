/** Waiting until every video of a run is in the cache, or was given up. */
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Services } from '../../app/services.ts'
import type { Config } from '../../config.ts'
import { isDatabaseTrouble, type Db } from '../../db/database.ts'
import { finishedOf } from '../../greetings/reports/outcomes.ts'
import { currentOutages } from '../../greetings/outages.ts'
import { rendersAhead } from '../../greetings/estimate.ts'
import { liveWorkers } from '../../greetings/workers.ts'
import type { RunningWorker } from '../../queue/processors/worker.ts'
import { usableChannels } from '../../telegram/channels.ts'
import { openProgress, type Progress, type ProgressView } from '../../terminal/progress.ts'
import type { StopRequest } from '../../terminal/signals.ts'
import { failedNamesShown, secondsSince, type Summary } from './summary.ts'

/** The videos that a run asked for. */
export interface Asked {
  /** assets that are still to be made */
  open: Set<string>
  /** the first that were given up */
  failed: string[]
  summary: Summary
}

interface Waiting {
  config: Config
  stop: StopRequest
  /** performance.now() after which the rest is left queued */
  deadline: number | undefined
  /** the one in this process */
  worker: RunningWorker | undefined
}

/** Shows how the run gets on until none of its videos is open. True: the time was up. */
export async function waitForVideos(
  services: Services,
  asked: Asked,
  { quiet, ...waiting }: Waiting & { quiet: boolean },
): Promise<boolean> {
  const { summary } = asked
  const view = openProgress({
    quiet,
    cached: summary.cached,
    alreadyDone: summary.available + summary.failed,
    postsPerMinute: postsPerMinute(services),
  })
  const since = performance.now()
  const timedOut = await waitFor(services, asked, waiting, view).finally(() => view.close())
  if (summary.made > 0) summary.perMinute = Number((summary.made / (secondsSince(since) / 60)).toFixed(1))
  return timedOut
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

/** Asks the database for those still open until there are none. True: the time was up. */
async function waitFor(services: Services, asked: Asked, waiting: Waiting, view: ProgressView): Promise<boolean> {
  const { config, stop, deadline, worker } = waiting
  const said = new Map<string, string>()
  const say = (about: string, text: string) => {
    if (said.get(about) !== text) view.note(text)
    said.set(about, text)
  }
  let rendered = 0 // a finished file counts on while it changes hands
  while (stop.code === undefined) {
    try {
      if (await countFinished(services.db, asked))
        say('gone', 'Names of this run were removed by `cancel` or `forget`: they count as failed.')
      const workers = await liveWorkers(services.db, config.times)
      rendered = show(view, services, asked.summary, workers, rendered)
      if (asked.open.size === 0) return false
      if (worker === undefined && workers.length === 0)
        say('nobody', 'No worker is alive, so nothing is being made. Start one: greetings worker')
      for (const { step, reason } of await currentOutages(services.db))
        say(step, `Waiting: ${step} is out of order. ${reason}`)
    } catch (error) {
      if (!isDatabaseTrouble(error)) throw error
      say('database', 'The database does not answer; the run goes on when it does.')
    }
    if (deadline !== undefined && performance.now() >= deadline) return true
    const pause = sleep(Math.min(config.times.pollMs, 1_000), undefined, { signal: stop.asked }).catch(() => undefined)
    await (worker === undefined ? pause : Promise.race([pause, worker.ended]))
  }
  return false
}

/** Takes those that are finished off the open ones. True: some of them are gone. */
async function countFinished(db: Db, { open, failed, summary }: Asked): Promise<boolean> {
  let someAreGone = false
  for (const { id, status, bytes } of await finishedOf(db, [...open])) {
    open.delete(id)
    if (status === 'AVAILABLE') {
      summary.available++
      summary.made++
      if (bytes !== null) summary.bytes = (summary.bytes ?? 0) + bytes
    } else {
      summary.failed++
      if (failed.length < failedNamesShown) failed.push(id)
    }
    someAreGone ||= status === null
  }
  return someAreGone
}

/** @param before videos that were rendered when it was last shown. Returns how many are now. */
function show(
  view: ProgressView,
  services: Services,
  summary: Summary,
  workers: Awaited<ReturnType<typeof liveWorkers>>,
  before: number,
): number {
  const sum = (of: 'rendering' | 'uploading') => workers.reduce((total, worker) => total + worker[of], 0)
  const rendered = Math.max(before, Math.min(summary.names, summary.available + sum('uploading')))
  view.show({
    total: summary.names,
    rendered,
    available: summary.available,
    failed: summary.failed,
    rendering: sum('rendering'),
    uploading: sum('uploading'),
    bound: boundOf(services, workers),
  })
  return rendered
}
