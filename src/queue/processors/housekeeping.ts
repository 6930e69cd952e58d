/**
 * What a worker does beside its jobs, again and again: bring the queue into line,
 * serve who was left over, keep the cache small.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Times } from '../../config.ts'
import { isDatabaseDown, type Db } from '../../db/database.ts'
import { placeOf } from '../../errors.ts'
import { uploadedRevisions } from '../../greetings/assets.ts'
import { forgottenFiles } from '../../greetings/former.ts'
import { reconcile, type Reconciled } from '../../greetings/reconcile.ts'
import type { DeliveryDeps } from '../../telegram/delivery.ts'
import { forgetChats } from '../../telegram/flood.ts'
import type { Renderer } from '../../video/renderer.ts'
import type { GreetingsQueue } from '../index.ts'
import type { Deliveries } from './deliveries.ts'
import { createOffers } from './offers.ts'
import type { Outages } from './outages.ts'

/** Reconciling passes from one look at the size of the render cache to the next. */
const passesPerTidying = 30

interface HousekeepingDeps {
  db: Db
  queue: GreetingsQueue
  botId: bigint
  outages: Outages
  deliveries: Deliveries
  delivery: DeliveryDeps
  renderer: Renderer
  times: Times
  log: Record<'info' | 'warn', (fields: object, message: string) => void>
}

/**
 * Goes on until it is aborted. `keepBytes`: what the render cache may take.
 * Whatever does not work is tried again the next time.
 */
export async function keepHouse(deps: HousekeepingDeps, keepBytes: number, closing: AbortSignal): Promise<void> {
  const { times, log } = deps
  const offers = createOffers(deps.delivery, log, closing)
  let from: Reconciled['next'] | undefined
  for (let pass = 0; !closing.aborted; pass++) {
    try {
      const next = await bringIntoLine(deps, from)
      // Of several workers one at a time has the turn.
      if (next !== undefined) offers.begin()
      from = next ?? from
      if (pass % passesPerTidying === 0) await tidyCache(deps, keepBytes)
    } catch (error) {
      log.warn(
        { trouble: 'reconcile', error: placeOf(error), databaseDown: isDatabaseDown(error) },
        'could not reconcile now',
      )
    }
    await sleep(times.reconcileMs, undefined, { signal: closing }).catch(() => undefined)
  }
  await offers.settled()
}

/** One pass. Returns where the next one begins; undefined: somebody else does it now. */
async function bringIntoLine(
  { db, queue, botId, outages, deliveries, times, log }: HousekeepingDeps,
  from: Reconciled['next'] | undefined,
): Promise<Reconciled['next'] | undefined> {
  await outages.learn()
  const found = await reconcile({ db, queue, botId, times }, from)
  if (found !== undefined) await forgetChats(db)
  log.info({ over: 'database' }, 'the database is back')
  log.info({ over: 'reconcile' }, 'reconciling works again')
  if (found?.queueFault === undefined) log.info({ over: 'queue' }, 'the queue is in line again')
  if (found === undefined) return undefined
  if (found.recovered + found.queued > 0) log.info({ recovered: found.recovered, queued: found.queued }, 'reconciled')
  if (found.queueFault !== undefined)
    log.warn({ trouble: 'queue', error: placeOf(found.queueFault) }, 'could not bring the queue into line now')
  for (const assetId of found.undelivered) if (!deliveries.has(assetId)) deliveries.begin(assetId)
  return found.next
}

async function tidyCache({ db, renderer, log }: HousekeepingDeps, keepBytes: number): Promise<void> {
  const removed = await renderer.trimCache(keepBytes, (revisions) => uploadedRevisions(db, revisions))
  if (removed > 0) log.info({ removed }, 'the oldest uploaded files were removed (KEEP_GB)')
  const forgotten = await renderer.removeCached(await forgottenFiles(db))
  if (forgotten > 0) log.info({ removed: forgotten }, 'files of names that were forgotten were removed')
}
