/** A worker: takes jobs from both lanes, tells that it is alive, reconciles, and stops in good order. */
import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDatabaseDown, type Db } from '../../db/database.ts'
import { uploadedRevisions } from '../../greetings/assets.ts'
import { Outage, placeOf } from '../../greetings/faults.ts'
import { currentOutages } from '../../greetings/outages.ts'
import { reconcile } from '../../greetings/reconcile.ts'
import { deliver } from '../../telegram/delivery.ts'
import { TelegramError } from '../../telegram/errors.ts'
import { lanes } from '../index.ts'
import { createPauses, createSlots } from './slots.ts'
import { generateVideo, type Workshop } from './video-generation.ts'

/** A running worker. */
export interface RunningWorker {
  /** Rejects with a TelegramError when Telegram does not accept the token any more; what is queued stays queued. */
  ended: Promise<never>
  /**
   * Takes no more work, finishes what is in hand for up to `stopMs`, then aborts renders, releases leases and
   * returns the jobs without using an attempt.
   */
  stop(stopMs: number): Promise<void>
  /** Aborts what is in hand at once. */
  hurry(): void
}

/** Reconciling passes from one look at the size of the kept files to the next. */
const passesPerTidying = 30

type WorkshopParts = { keepBytes: number } & Omit<Workshop, 'slots' | 'pauses' | 'owner' | 'uploads' | 'outOfOrder' | 'onTokenRefused'>

/** Finished files that may wait for an upload while rendering goes on, per worker. */
export const rendersAhead = 6

/** Starts the worker; `concurrency` is the number of parallel renders. */
export async function startWorker(parts: WorkshopParts, concurrency: number): Promise<RunningWorker> {
  const { db, queue, times, log, courier } = parts
  const id = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`
  const outOfOrder = new Set((await currentOutages(db)).map(({ step }) => step))
  let end = (_error: TelegramError) => {}
  const ended = new Promise<never>((_, reject) => (end = reject))
  ended.catch(() => undefined) // whoever waits hears it
  const workshop: Workshop = { ...parts, slots: createSlots(concurrency), pauses: createPauses(), owner: id, uploads: { count: 0 }, outOfOrder, onTokenRefused: () => end(new TelegramError('token', 'sendVideo', 401, 'Unauthorized')) }
  const closing = new AbortController()
  const stop = new AbortController()
  // Every job and every send in hand listens.
  setMaxListeners(0, closing.signal, stop.signal)
  const deliveries = new Map<string, Promise<void>>()

  const alive = () => beat(db, { id, concurrency, rendering: workshop.slots.used, uploading: workshop.uploads.count })
  await alive()
  const heartbeat = setInterval(() => void alive().catch(() => undefined), times.leaseRenewMs)

  function deliverLater(assetId: string) {
    if (deliveries.has(assetId) || stop.signal.aborted) return
    const done = deliver(courier, assetId, stop.signal)
      .then(() => undefined, (error: unknown) => {
        if (error instanceof Outage && error.step === 'token') workshop.onTokenRefused()
        if (!stop.signal.aborted) log.warn({ assetId, error: placeOf(error) }, 'a delivery was interrupted and will go on')
      })
      .finally(() => deliveries.delete(assetId))
    deliveries.set(assetId, done)
  }

  async function keepReconciling() {
    for (let pass = 0; !closing.signal.aborted; pass++) {
      try {
        const found = await reconcile({ db, queue, botId: courier.botId, times })
        if (found !== undefined && found.recovered + found.queued > 0) log.info({ recovered: found.recovered, queued: found.queued }, 'reconciled')
        for (const assetId of found?.undelivered ?? []) deliverLater(assetId)
        if (pass % passesPerTidying === 0) {
          const removed = await parts.studio.keepWithin(parts.keepBytes, (revisions) => uploadedRevisions(db, revisions))
          if (removed > 0) log.info({ removed }, 'the oldest uploaded files were removed (KEEP_GB)')
        }
      } catch (error) {
        log.warn({ error: placeOf(error), databaseDown: isDatabaseDown(error) }, 'could not reconcile now')
      }
      await sleep(times.reconcileMs, undefined, { signal: closing.signal }).catch(() => undefined)
    }
  }
  const reconciling = keepReconciling()

  const signals = { closing: closing.signal, stop: stop.signal }
  const workers = lanes.map((lane) => queue.work(lane, concurrency + rendersAhead, (job) => generateVideo(workshop, job, lane, signals)))

  return {
    ended,
    hurry: () => stop.abort(new Error('the worker stops')),
    async stop(stopMs) {
      closing.abort(new Error('the worker is closing'))
      const deadline = setTimeout(() => stop.abort(new Error('the worker stops')), stopMs)
      await Promise.all(workers.map((worker) => worker.close()))
      clearTimeout(deadline)
      stop.abort(new Error('the worker stops'))
      await Promise.allSettled([...deliveries.values(), reconciling])
      clearInterval(heartbeat)
      await db.workerProcess.deleteMany({ where: { id } }).catch(() => undefined)
    },
  }
}

async function beat(db: Db, { id, concurrency, rendering, uploading }: { id: string; concurrency: number; rendering: number; uploading: number }): Promise<void> {
  await db.$executeRaw`
    INSERT INTO "WorkerProcess" (id, host, pid, concurrency, rendering, uploading) VALUES (${id}, ${hostname()}, ${process.pid}, ${concurrency}, ${rendering}, ${uploading})
    ON CONFLICT (id) DO UPDATE SET rendering = EXCLUDED.rendering, uploading = EXCLUDED.uploading, "seenAt" = now()`
}

/** Worker processes that were seen lately, longest running first. */
export async function liveWorkers(db: Db, workerGoneMs: number) {
  return db.$queryRaw<{ id: string; host: string; pid: number; concurrency: number; rendering: number; uploading: number; startedAt: Date }[]>`
    SELECT id, host, pid, concurrency, rendering, uploading, "startedAt" FROM "WorkerProcess"
    WHERE "seenAt" > now() - ${workerGoneMs}::float8 * interval '1 millisecond' ORDER BY "startedAt"`
}
