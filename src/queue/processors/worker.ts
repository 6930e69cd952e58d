/** A worker: takes jobs from both lanes, tells that it is alive, reconciles, and stops in good order. */
import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDatabaseDown } from '../../db/database.ts'
import { uploadedRevisions } from '../../greetings/assets.ts'
import { forgottenFiles } from '../../greetings/former.ts'
import { isSeenHere, placeOf, type Outage } from '../../errors.ts'
import { currentOutages } from '../../greetings/outages.ts'
import { measurePaces, rendersAhead } from '../../greetings/pace.ts'
import { announceWorker, newProcessId } from '../../greetings/workers.ts'
import { reconcile, type Reconciled } from '../../greetings/reconcile.ts'
import { deliverBatch, waitingFor } from '../../telegram/delivery.ts'
import { forgetChats } from '../../telegram/flood.ts'
import { lanes } from '../index.ts'
import { createPauses, createPlaces, createSlots } from './slots.ts'
import { generateVideo, interrupted, works, type JobDeps } from './video-generation.ts'

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

/** Reconciling passes from one look at the size of the render cache to the next. */
const passesPerTidying = 30

type WorkerParts = { keepBytes: number } & Omit<
  JobDeps,
  'slots' | 'pauses' | 'owner' | 'uploads' | 'outOfOrder' | 'deliver' | 'onTokenRefused'
>

// Assets whose people are served at the same time, per worker. A place is for one batch; who has fewer people goes first,
// so that a name thousands wait for holds up no other, and one place of four goes by the time of waiting alone.
const deliveriesAtOnce = 8
const patience = 4

/** Starts the worker; `concurrency` is the number of parallel renders. */
export async function startWorker(parts: WorkerParts, concurrency: number): Promise<RunningWorker> {
  const { db, queue, times, log, delivery } = parts
  const id = newProcessId()
  const outOfOrder = new Set<string>()
  const closing = new AbortController()
  const stop = new AbortController()
  // Every job and every send in hand listens.
  setMaxListeners(0, closing.signal, stop.signal)
  let refuse: (outage: Outage) => void = () => undefined
  const ended = new Promise<never>((_, reject) => (refuse = reject))
  ended.catch(() => undefined)
  const deps: JobDeps = {
    ...parts,
    deliver: (assetId) => void deliverLater(assetId),
    slots: createSlots(concurrency),
    pauses: createPauses(),
    owner: id,
    uploads: { count: 0 },
    outOfOrder,
    onTokenRefused: refuse,
  }
  const deliveries = new Map<string, Promise<void>>()
  const couriers = createPlaces(deliveriesAtOnce, patience)

  const presence = await announceWorker(db, times, {
    id,
    concurrency,
    load: () => ({ rendering: deps.slots.used, uploading: deps.uploads.count }),
  })
  const paces = measurePaces(db, times, { processId: id, rendering: () => deps.slots.used })

  /** After the one under way, which may have looked for people already. */
  function deliverLater(assetId: string) {
    const done = serve(assetId, deliveries.get(assetId)).finally(() => {
      if (deliveries.get(assetId) === done) deliveries.delete(assetId)
    })
    deliveries.set(assetId, done)
  }

  async function serve(assetId: string, before: Promise<void> | undefined): Promise<void> {
    await before
    try {
      for (let more = true; more;) {
        const waiting = await waitingFor(db, assetId)
        if (waiting === 0) return
        const leave = await couriers.take(waiting, stop.signal)
        try {
          const batch = await deliverBatch(delivery, assetId, stop.signal)
          more = batch !== undefined
          if (batch !== undefined && batch.served > 0) await works(deps, ['telegram', 'token'])
        } finally {
          leave()
        }
      }
    } catch (error) {
      if (!stop.signal.aborted) await interrupted(deps, assetId, error).catch(() => undefined)
    }
  }

  async function keepReconciling() {
    let from: Reconciled['next'] | undefined
    for (let pass = 0; !closing.signal.aborted; pass++) {
      try {
        // Also what other workers met: whoever sees that a step works says so.
        for (const outage of await currentOutages(db)) if (isSeenHere(outage)) outOfOrder.add(outage.step)
        const found = await reconcile({ db, queue, botId: delivery.botId, times }, from)
        from = found?.next ?? from
        if (found !== undefined) await forgetChats(db)
        log.info({ over: 'database' }, 'the database is back')
        log.info({ over: 'reconcile' }, 'reconciling works again')
        if (found?.queueFault === undefined) log.info({ over: 'queue' }, 'the queue is in line again')
        if (found !== undefined && found.recovered + found.queued > 0)
          log.info({ recovered: found.recovered, queued: found.queued }, 'reconciled')
        if (found?.queueFault !== undefined)
          log.warn({ trouble: 'queue', error: placeOf(found.queueFault) }, 'could not bring the queue into line now')
        for (const assetId of found?.undelivered ?? []) if (!deliveries.has(assetId)) deliverLater(assetId)
        if (pass % passesPerTidying === 0) {
          const removed = await parts.renderer.trimCache(parts.keepBytes, (revisions) =>
            uploadedRevisions(db, revisions),
          )
          if (removed > 0) log.info({ removed }, 'the oldest uploaded files were removed (KEEP_GB)')
          const forgotten = await parts.renderer.removeCached(await forgottenFiles(db))
          if (forgotten > 0) log.info({ removed: forgotten }, 'files of names that were forgotten were removed')
        }
      } catch (error) {
        log.warn(
          { trouble: 'reconcile', error: placeOf(error), databaseDown: isDatabaseDown(error) },
          'could not reconcile now',
        )
      }
      await sleep(times.reconcileMs, undefined, { signal: closing.signal }).catch(() => undefined)
    }
  }
  const reconciling = keepReconciling()

  const signals = { closing: closing.signal, stop: stop.signal }
  const workers = lanes.map((lane) =>
    queue.work(lane, concurrency + rendersAhead, (job) => generateVideo(deps, job, lane, signals)),
  )

  return {
    ended,
    abortNow: () => stop.abort(new Error('the worker stops')),
    async stop(stopMs) {
      closing.abort(new Error('the worker is closing'))
      const deadline = setTimeout(() => stop.abort(new Error('the worker stops')), stopMs)
      await Promise.all(workers.map((worker) => worker.close()))
      await Promise.allSettled([...deliveries.values(), reconciling])
      clearTimeout(deadline)
      stop.abort(new Error('the worker stops'))
      await paces.close()
      await presence.leave()
    },
  }
}
