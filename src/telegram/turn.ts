/** The turn of a message in bulk: nobody gets more than Telegram lets them. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Times } from '../config.ts'
import type { Db } from '../db/database.ts'
import { bulkKey, bulkRate, chatKey, chatRate, takeTicket } from './flood.ts'

/**
 * Waits until a message to the chat may go out in bulk. Undefined: it may; otherwise how long it would take, which is so
 * long that others go first.
 */
export async function waitForTurn(
  { db, times }: { db: Db; times: Times },
  chatId: bigint,
  signal: AbortSignal,
): Promise<number | undefined> {
  // A chat that rests must not hold up those after it, so nobody waits long for that.
  const buckets = [
    { key: chatKey(chatId), rate: chatRate, longestMs: 2 * times.telegramSecondMs },
    { key: bulkKey, rate: bulkRate, longestMs: times.longestFloodSleepMs },
  ]
  for (const { key, rate, longestMs } of buckets) {
    for (;;) {
      const ticket = await takeTicket(db, key, rate, times.telegramSecondMs)
      if (!('waitMs' in ticket)) break
      if (ticket.waitMs > longestMs) return ticket.waitMs
      await sleep(Math.min(ticket.waitMs, times.claimMs / 3), undefined, { signal })
    }
  }
  return undefined
}
