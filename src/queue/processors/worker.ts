/** A worker: takes jobs from all lanes, tells that it is alive, keeps house, and stops in good order. */
import { setMaxListeners } from 'node:events'
import type { Times } from '../../config.ts'
import { rendersAhead } from '../../greetings/estimate.ts'
import { measurePaces } from '../../greetings/pace.ts'
import { announceWorker, newProcessId } from '../../greetings/workers.ts'
import type { DeliveryDeps } from '../../telegram/delivery.ts'
import type { Storage } from '../../telegram/storage.ts'
import type { Renderer } from '../../video/renderer.ts'
import { lanes } from '../index.ts'
import { createDeliveries } from './deliveries.ts'
import { keepHouse } from './housekeeping.ts'
import { createLeases } from './lease.ts'
import { createOutages } from './outages.ts'
import { prepareTemplates } from './preparing.ts'
import { createSlots } from './slots.ts'
import { generateVideo, type JobDeps } from './video-generation.ts'

/** A running worker. */
export interface RunningWorker {
  /**
   * Takes no more work, finishes what is in hand for up to `stopMs`, then aborts renders, releases leases and
   * returns the jobs without using an attempt.
   */
  stop(stopMs: number): Promise<void>
  /** Rejects with the reason when the worker cannot go on: Telegram refuses its token. */
  ended: Promise<never>
  /** Aborts what is in hand at once. */
  abortNow(): void
}

/** What a worker needs; `delivery` brings the database and the queue. */
export interface WorkerParts {
  delivery: DeliveryDeps
  storage: Storage
  renderer: Renderer
  times: Times
  /** what the render cache may take */
  keepBytes: number
  /** makes at once what all videos of a template share, for every enabled template */
  prepares?: boolean
  log: JobDeps['log']
}

/** Starts the worker; `concurrency` is the number of parallel renders. */
export async function startWorker(parts: WorkerParts, concurrency: number): Promise<RunningWorker> {
  const { delivery, storage, renderer, times, log } = parts
  const { db, queue, botId } = delivery
  const owner = newProcessId()
  const closing = new AbortController()
  const stop = new AbortController()
  const signals = { closing: closing.signal, stop: stop.signal }
  // Every job and every send in hand listens.
  setMaxListeners(0, signals.closing, signals.stop)

  const slots = createSlots(concurrency)
  const outages = createOutages({ db, times, log })
  const leases = createLeases({ db, queue, owner, times, log })
  const deliveries = createDeliveries(delivery, outages, signals.stop)
  const deps: JobDeps = { leases, outages, slots, renderer, storage, delivery, deliver: deliveries.begin, log }

  const load = () => ({ rendering: slots.used, uploading: slots.uploading })
  const presence = await announceWorker(db, times, { id: owner, concurrency, load })
  const paces = measurePaces(db, times, { processId: owner, rendering: () => slots.used })
  const house = { db, queue, botId, outages, deliveries, delivery, renderer, times, log }
  const keeping = keepHouse(house, parts.keepBytes, signals.closing)
  const workers = lanes.map((lane) =>
    queue.work(lane, concurrency + rendersAhead, (job) => generateVideo(deps, job, lane, signals)),
  )

  const preparing = parts.prepares === true ? prepareTemplates(renderer, log, signals.closing) : undefined

  return {
    ended: outages.tokenRefused,
    abortNow: () => stop.abort(new Error('the worker stops')),
    async stop(stopMs) {
      closing.abort(new Error('the worker is closing'))
      const deadline = setTimeout(() => stop.abort(new Error('the worker stops')), stopMs)
      await Promise.all(workers.map((worker) => worker.close()))
      await Promise.allSettled([deliveries.settled(), keeping, preparing])
      clearTimeout(deadline)
      stop.abort(new Error('the worker stops'))
      await paces.close()
      await presence.leave()
    },
  }
}
