/**
 * Checks that the stored `file_id`s can still be sent, one after the other at a gentle rate, and mends those
 * that cannot. Begins with those not looked at for longest, so that a run that was cut off goes on where it
 * stopped and a limited run each night comes round.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { markVerified } from '../greetings/assets.ts'
import { dueFiles, type StoredFile } from '../greetings/upkeep/due-files.ts'
import { Outage } from '../errors.ts'
import { isTelegram } from './api.ts'
import type { DeliveryDeps } from './delivery.ts'
import { repairFileId } from './file-ids.ts'
import { TelegramError } from './errors.ts'
import { reservePost } from './flood.ts'

/** What became of the ids. Their sum is the number of those looked at. */
export interface Verified {
  alive: number
  /** refused by Telegram, or another bot's, and not mended */
  dead: number
  /** Telegram gave no clear answer */
  unknown: number
  /** got a fresh id from the stored post */
  repaired: number
  /** no stored post: queued, a worker uploads the kept file or re-renders it */
  requeued: number
}

/** How it is done. */
export interface VerifyPlan {
  repair: boolean
  /** ids a second */
  rate: number
  limit: number | undefined
  /** only ids that were not looked at for so long */
  olderThanMs: number
  /** posts a minute to a storage channel: mending forwards a post there */
  postsPerMinute: number
  signal: AbortSignal
  onProgress: (verified: Verified) => void
}

const pageSize = 100
/** Unclear answers in a row, beyond which Telegram is taken for out of order. */
const patience = 5

/**
 * Looks at all ids that are due, until the signal aborts.
 * @throws Outage when Telegram does not work or asks for a long rest, TelegramError when it refuses the bot
 */
export async function verify(deps: DeliveryDeps, plan: VerifyPlan): Promise<Verified> {
  const { db, times } = deps
  const verified: Verified = { alive: 0, dead: 0, unknown: 0, repaired: 0, requeued: 0 }
  const [start] = await db.$queryRaw<
    { before: Date }[]
  >`SELECT now() - ${plan.olderThanMs}::float8 * interval '1 millisecond' AS before`
  const unclear: string[] = []
  let left = plan.limit ?? Infinity
  let inARow = 0
  while (left > 0 && !plan.signal.aborted) {
    const page = await dueFiles(deps, start?.before ?? new Date(), unclear, Math.min(pageSize, left))
    if (page.length === 0) break
    for (const stored of page) {
      if (plan.signal.aborted) break
      const next = sleep((times.telegramSecondMs / plan.rate) * (stored.own ? 1 : 0))
      const outcome = await look(deps, stored, plan)
      verified[outcome]++
      left--
      if (outcome === 'unknown') {
        unclear.push(stored.id)
        if (++inARow >= patience)
          throw new Outage(
            'telegram',
            `Telegram gave no clear answer ${patience} times in a row. Run it again later: ` +
              'it continues where it stopped.',
          )
      } else {
        inARow = 0
        await markVerified(db, stored.id)
      }
      plan.onProgress(verified)
      await next
    }
  }
  return verified
}

async function look(deps: DeliveryDeps, stored: StoredFile, plan: VerifyPlan): Promise<keyof Verified> {
  // Another bot's id is worth nothing to this one, whatever Telegram would say about it.
  const state = stored.own ? await ask(deps, stored.fileId, plan.signal) : 'dead'
  return state === 'dead' && plan.repair ? mend(deps, stored, plan) : state
}

/** Whether Telegram still knows the id. `getFile` posts nothing. */
async function ask(
  { api, times }: DeliveryDeps,
  fileId: string,
  signal: AbortSignal,
): Promise<'alive' | 'dead' | 'unknown'> {
  for (;;) {
    try {
      await api.getFile(fileId)
      return 'alive'
    } catch (error) {
      if (!(error instanceof TelegramError)) throw error
      if (isTelegram(error, 'too_large')) return 'alive' // too large to fetch, not to send
      if (isTelegram(error, 'bad_file_id')) return 'dead'
      if (isTelegram(error, 'token', 'conflict')) throw error
      if (!isTelegram(error, 'flood')) return 'unknown'
      if (!(await waited(error.retryAfterMs ?? times.telegramSecondMs, times.longestFloodSleepMs, signal)))
        return 'unknown'
    }
  }
}

const tries = 3

async function mend(
  deps: DeliveryDeps,
  { id, fileId, chatId }: StoredFile,
  { postsPerMinute, signal }: VerifyPlan,
): Promise<'repaired' | 'requeued' | 'unknown'> {
  const { db, times } = deps
  for (let attempt = 1; attempt <= tries; attempt++) {
    if (chatId !== null) {
      // The copy is a post of the channel like any other.
      for (;;) {
        const ticket = await reservePost(db, [String(chatId)], {
          perMinute: postsPerMinute,
          wanted: false,
          secondMs: times.telegramSecondMs,
        })
        if (!('waitMs' in ticket)) break
        if (!(await waited(ticket.waitMs, times.longestFloodSleepMs, signal))) return 'unknown'
      }
    }
    const repair = await repairFileId(deps, id, fileId, 'warm')
    if (repair === 'remaking') return 'requeued'
    if (repair !== 'later') return 'repaired'
    if (!(await waited(attempt * times.telegramSecondMs, times.longestFloodSleepMs, signal))) return 'unknown'
  }
  return 'unknown'
}

/** Waits as long as Telegram asks for; false: the run is to end. @throws Outage when that is too long to sit through */
async function waited(ms: number, longestMs: number, signal: AbortSignal): Promise<boolean> {
  if (ms > longestMs)
    throw new Outage(
      'telegram',
      `Telegram asks for a pause of ${Math.ceil(ms / 60_000)} min. Run it again then: it continues where it stopped.`,
      ms,
    )
  return sleep(ms, true, { signal }).catch(() => false)
}
