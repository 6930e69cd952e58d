/**
 * Direct answers take no ticket, but they wait for a live 429. What one of them meets is noted for every process, in the
 * buckets that bulk keeps to; what others met is read once a second. So an answer asks this process's memory, and a hit
 * costs no query more.
 */
import type { Transformer } from 'grammy'
import type { Times } from '../config.ts'
import type { Db } from '../db/database.ts'
import { TelegramError } from './errors.ts'
import { bulkKey, bulkRate, chatKey, pauseBulk, restingNow } from './flood.ts'

export interface LiveFloods {
  /** How long nothing may be sent to the chat; 0: it may. */
  restMs(chatId: number | bigint): number
  /**
   * Refuses what would run into a live flood, as Telegram would and without asking it, and notes a flood that is met.
   * To be used after the one that makes errors ours.
   */
  transformer: Transformer
  close(): void
}

/** What a person hears and sees in their chat. */
const answers = new Set(['sendMessage', 'sendVideo'])

/** So many messages to one chat within so many of Telegram's seconds are its own fault if Telegram asks for rest. */
const loudCount = 4
const loudSeconds = 20

/** Watches until `close`. */
export function watchFloods({ db, times }: { db: Db; times: Times }): LiveFloods {
  let resting = new Map<string, number>()
  const lately = new Map<string, { count: number; since: number }>()
  /** answers that wait for all of the bot's floods to end: they come back one after the other, not all at once */
  let behind = 0
  const spacingMs = (60 * times.telegramSecondMs) / bulkRate.perMinute

  const timer = setInterval(() => void look().catch(() => undefined), times.pollMs).unref()
  void look().catch(() => undefined)

  async function look() {
    const began = Date.now()
    const rows = await restingNow(db)
    // What was met since may not be in there yet.
    const own = [...resting].filter(([, until]) => until > began)
    resting = new Map(rows.map(({ key, restMs }) => [key, began + restMs]))
    for (const [key, until] of own) note(key, until)
    for (const [key, { since }] of lately) if (began - since > loudSeconds * times.telegramSecondMs) lately.delete(key)
  }

  function note(key: string, until: number) {
    resting.set(key, Math.max(until, resting.get(key) ?? 0))
  }

  const leftOf = (key: string) => Math.max(0, (resting.get(key) ?? 0) - Date.now())
  const restMs = (chatId: number | bigint) => Math.max(leftOf(chatKey(BigInt(chatId))), leftOf(bulkKey))

  function countSend(key: string) {
    const sent = lately.get(key)
    if (sent === undefined || Date.now() - sent.since > loudSeconds * times.telegramSecondMs)
      lately.set(key, { count: 1, since: Date.now() })
    else sent.count++
  }

  /** How long this answer waits, if it has to. */
  function waitOf(chatId: bigint): number {
    const ofBot = leftOf(bulkKey)
    if (ofBot === 0) behind = 0
    return Math.max(leftOf(chatKey(chatId)), ofBot === 0 ? 0 : ofBot + behind++ * spacingMs)
  }

  async function met(chatId: bigint, forMs: number): Promise<void> {
    const key = chatKey(chatId)
    const until = Date.now() + forMs
    note(key, until)
    const isLoud = (lately.get(key)?.count ?? 0) > loudCount
    // Without the database at least this process knows.
    if (await pauseBulk(db, chatId, forMs, isLoud).catch(() => false)) note(bulkKey, until)
  }

  return {
    restMs,
    transformer: async (previous, method, payload, signal) => {
      const to = (payload as { chat_id?: unknown }).chat_id
      if (!answers.has(method) || !/^-?\d+$/.test(String(to))) return previous(method, payload, signal)
      const chatId = BigInt(String(to))
      const waitMs = waitOf(chatId)
      if (waitMs > 0)
        throw new TelegramError('flood', method, 429, 'Telegram asked for rest a moment ago', Math.ceil(waitMs))
      countSend(chatKey(chatId))
      try {
        return await previous(method, payload, signal)
      } catch (error) {
        if (error instanceof TelegramError && error.kind === 'flood')
          await met(chatId, error.retryAfterMs ?? times.telegramSecondMs)
        throw error
      }
    },
    close: () => clearInterval(timer),
  }
}
