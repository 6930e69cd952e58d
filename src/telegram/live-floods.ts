/**
 * Direct answers take no ticket, but they wait for a live 429. What one of them meets is noted for every
 * process, in the buckets that bulk keeps to; what others met is read once a second. So an answer asks this
 * process's memory, and a hit costs no query more.
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
export function watchFloods(deps: { db: Db; times: Times }): LiveFloods {
  return new FloodWatch(deps)
}

class FloodWatch implements LiveFloods {
  private readonly db: Db
  private readonly times: Times
  private readonly spacingMs: number
  private readonly timer: NodeJS.Timeout
  private resting = new Map<string, number>()
  private readonly lately = new Map<string, { count: number; since: number }>()
  /** answers that wait for all of the bot's floods to end: they come back one after the other, not all at once */
  private behind = 0

  constructor({ db, times }: { db: Db; times: Times }) {
    this.db = db
    this.times = times
    this.spacingMs = (60 * times.telegramSecondMs) / bulkRate.perMinute
    const look = () => void this.look().catch(() => undefined)
    this.timer = setInterval(look, times.pollMs).unref()
    look()
  }

  restMs(chatId: number | bigint): number {
    return Math.max(this.leftOf(chatKey(BigInt(chatId))), this.leftOf(bulkKey))
  }

  readonly transformer: Transformer = async (previous, method, payload, signal) => {
    const to = (payload as { chat_id?: unknown }).chat_id
    if (!answers.has(method) || !/^-?\d+$/.test(String(to))) return previous(method, payload, signal)
    const chatId = BigInt(String(to))
    const waitMs = this.waitOf(chatId)
    if (waitMs > 0)
      throw new TelegramError('flood', method, 429, 'Telegram asked for rest a moment ago', Math.ceil(waitMs))
    this.countSend(chatKey(chatId))
    try {
      return await previous(method, payload, signal)
    } catch (error) {
      if (error instanceof TelegramError && error.kind === 'flood')
        await this.met(chatId, error.retryAfterMs ?? this.times.telegramSecondMs)
      throw error
    }
  }

  close(): void {
    clearInterval(this.timer)
  }

  private async look(): Promise<void> {
    const began = Date.now()
    const rows = await restingNow(this.db)
    // What was met since may not be in there yet.
    const own = [...this.resting].filter(([, until]) => until > began)
    this.resting = new Map(rows.map(({ key, restMs }) => [key, began + restMs]))
    for (const [key, until] of own) this.note(key, until)
    for (const [key, { since }] of this.lately)
      if (began - since > loudSeconds * this.times.telegramSecondMs) this.lately.delete(key)
  }

  private note(key: string, until: number): void {
    this.resting.set(key, Math.max(until, this.resting.get(key) ?? 0))
  }

  private leftOf(key: string): number {
    return Math.max(0, (this.resting.get(key) ?? 0) - Date.now())
  }

  private countSend(key: string): void {
    const sent = this.lately.get(key)
    if (sent === undefined || Date.now() - sent.since > loudSeconds * this.times.telegramSecondMs)
      this.lately.set(key, { count: 1, since: Date.now() })
    else sent.count++
  }

  /** How long this answer waits, if it has to. */
  private waitOf(chatId: bigint): number {
    const ofBot = this.leftOf(bulkKey)
    if (ofBot === 0) this.behind = 0
    return Math.max(this.leftOf(chatKey(chatId)), ofBot === 0 ? 0 : ofBot + this.behind++ * this.spacingMs)
  }

  private async met(chatId: bigint, forMs: number): Promise<void> {
    const key = chatKey(chatId)
    const until = Date.now() + forMs
    this.note(key, until)
    const isLoud = (this.lately.get(key)?.count ?? 0) > loudCount
    // Without the database at least this process knows.
    if (await pauseBulk(this.db, chatId, forMs, isLoud).catch(() => false)) this.note(bulkKey, until)
  }
}
