/** New videos are offered in the background, one pass at a time: what is urgent does not wait for it. */
import { placeOf } from '../../errors.ts'
import type { DeliveryDeps } from '../../telegram/delivery.ts'
import { offerNewVideos } from '../../telegram/offers.ts'

export interface Offers {
  /** Begins a pass, unless one is under way. */
  begin(): void
  /** Resolves when that has ended. */
  settled(): Promise<void>
}

/** No pass at first. What does not work is tried again with the next. */
export function createOffers(
  delivery: DeliveryDeps,
  log: { warn(fields: object, message: string): void },
  closing: AbortSignal,
): Offers {
  let underWay: Promise<void> | undefined
  return {
    begin() {
      underWay ??= offerNewVideos(delivery, closing)
        .catch((error: unknown) => {
          if (!closing.aborted) log.warn({ trouble: 'offers', error: placeOf(error) }, 'could not offer new videos now')
        })
        .finally(() => (underWay = undefined))
    },
    settled: async () => underWay,
  }
}
