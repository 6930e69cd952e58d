/** A worker's deliveries: finished assets go to everybody who waits, several assets at a time. */
import { waitingFor } from '../../greetings/requests.ts'
import { deliverBatch, type DeliveryDeps } from '../../telegram/delivery.ts'
import type { Outages } from './outages.ts'
import { createPlaces } from './slots.ts'

// Assets whose people are served at the same time, per worker. A place is for one batch; who has fewer people goes
// first, so that a name thousands wait for holds up no other, and one place of four goes by the time of waiting alone.
const deliveriesAtOnce = 8
const patience = 4

export interface Deliveries {
  /** Serves those who wait for the asset, after the delivery under way, which may have looked for people already. */
  begin(assetId: string): void
  /** Whether the asset's people are being served. */
  has(assetId: string): boolean
  /** Resolves when those under way have ended. */
  settled(): Promise<void>
}

/** No delivery at first. What Telegram or the database has against one is left to `outages` and the reconciler. */
export function createDeliveries(delivery: DeliveryDeps, outages: Outages, stop: AbortSignal): Deliveries {
  const underWay = new Map<string, Promise<void>>()
  const places = createPlaces(deliveriesAtOnce, patience)

  async function serve(assetId: string, before: Promise<void> | undefined): Promise<void> {
    await before
    try {
      for (let more = true; more;) {
        const waiting = await waitingFor(delivery.db, assetId)
        if (waiting === 0) return
        const leave = await places.take(waiting, stop)
        try {
          const batch = await deliverBatch(delivery, assetId, stop)
          more = batch !== undefined
          if (batch !== undefined && batch.served > 0) await outages.works(['telegram', 'token'])
        } finally {
          leave()
        }
      }
    } catch (error) {
      if (!stop.aborted) await outages.interrupted(assetId, error).catch(() => undefined)
    }
  }

  return {
    begin(assetId) {
      const done = serve(assetId, underWay.get(assetId)).finally(() => {
        if (underWay.get(assetId) === done) underWay.delete(assetId)
      })
      underWay.set(assetId, done)
    },
    has: (assetId) => underWay.has(assetId),
    settled: async () => void (await Promise.allSettled(underWay.values())),
  }
}
