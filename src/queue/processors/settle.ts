/** What becomes of an asset whose work failed, by whose fault it was. */
import { isDatabaseTrouble } from '../../db/database.ts'
import { AssetFault, NotNow, Outage, placeOf } from '../../errors.ts'
import { emit } from '../../events.ts'
import type { Reason } from '../../greetings/assets.ts'
import type { Lease } from './lease.ts'
import type { Outages } from './outages.ts'

/** No storage channel, and nobody waits who can be reached: there is nowhere to upload to. */
export class NobodyReachable extends Error {}

interface SettleDeps {
  outages: Outages
  log: { warn(fields: object, message: string): void }
}

/** Faults of an asset before it is given up. */
const maxAttempts = 3

/**
 * Puts the asset back, or gives it up.
 * @throws the error itself when the database is to blame: then nothing can be recorded either
 */
export async function settle(
  { outages, log }: SettleDeps,
  lease: Lease,
  error: unknown,
  stopping: boolean,
): Promise<void> {
  if (lease.lost) return
  if (stopping) return lease.putBack(0)
  if (isDatabaseTrouble(error)) throw error
  if (error instanceof NobodyReachable) return giveUpUnreachable(lease)
  if (error instanceof NotNow) return lease.putBack(error.delayMs)
  if (error instanceof Outage) {
    const delayMs = await outages.begin(error)
    return lease.putBack(delayMs, { errorClass: error.step, errorText: error.message })
  }
  await countFault(lease, error, log)
}

async function giveUpUnreachable(lease: Lease): Promise<void> {
  const errorText = 'There is no storage channel, and nobody who can be reached waits.'
  if (await lease.failUnlessWanted({ errorClass: 'storage', errorText }))
    emit({ what: 'fault', cause: 'storage', final: true })
  else await lease.putBack(0)
}

/** A fault of the asset itself: it is tried again, but not for ever. */
async function countFault(lease: Lease, error: unknown, log: SettleDeps['log']): Promise<void> {
  const reason: Reason =
    error instanceof AssetFault
      ? { errorClass: error.faultClass, errorText: error.message }
      : { errorClass: 'render', errorText: `unexpected ${placeOf(error)}` }
  const attempt = lease.asset.attempts + 1
  const final = attempt >= maxAttempts
  emit({ what: 'fault', cause: reason.errorClass, final })
  log.warn(
    { assetId: lease.asset.id, attempt, errorClass: reason.errorClass, reason: reason.errorText },
    'a video could not be made',
  )
  await (final ? lease.fail(reason) : lease.tryAgain(reason))
}
