/** Telegram's limits, where they are switched on. */
import type { Limits, CallRecord } from './contract.ts'
import { tooManyRequests } from './refusal.ts'

/** Counts what was sent and refuses what exceeds Telegram's limits. */
export class LimitKeeper {
  limits: Limits = {}
  private readonly sent = new Map<string, number[]>()
  private readonly floodUntil = new Map<string, number>()
  private readonly lastOfSize = new Map<string, number>()

  constructor(private readonly timeDivisor: number) {}

  /** @throws Refusal 429 */
  check(call: CallRecord): void {
    const { channelPerMinute, chatPerSecond, chatBurst = 3, overallPerSecond, sameSizeSeconds } = this.limits
    if (call.chatId === undefined) return
    const scope = `${call.botId}/${call.chatId}`
    this.refuseInFlood(scope, call)
    this.refuseInFlood(String(call.botId), call)
    if (call.uploadBytes !== undefined && sameSizeSeconds !== undefined) {
      const key = `${call.botId}/${call.uploadBytes}`
      const last = this.lastOfSize.get(key) ?? 0
      if (Date.now() - last < (sameSizeSeconds * 1_000) / this.timeDivisor) this.flood(scope, 60)
      this.lastOfSize.set(key, Date.now())
    }
    if (call.chatId < 0 && channelPerMinute !== undefined) this.count(scope, channelPerMinute, 60)
    if (call.chatId > 0 && chatPerSecond !== undefined) this.count(scope, chatPerSecond * chatBurst, chatBurst)
    if (overallPerSecond !== undefined) this.count(String(call.botId), overallPerSecond, 1)
  }

  private refuseInFlood(scope: string, call: CallRecord): void {
    const left = (this.floodUntil.get(scope) ?? 0) - Date.now()
    if (left <= 0) return
    call.early = true
    throw tooManyRequests((left * this.timeDivisor) / 1_000)
  }

  private flood(scope: string, seconds: number): never {
    this.floodUntil.set(scope, Date.now() + (seconds * 1_000) / this.timeDivisor)
    throw tooManyRequests(seconds)
  }

  // At most `most` within any `seconds`.
  private count(scope: string, most: number, seconds: number): void {
    const window = (seconds * 1_000) / this.timeDivisor
    const now = Date.now()
    const times = (this.sent.get(scope) ?? []).filter((time) => now - time < window)
    if (times.length >= most) {
      this.sent.set(scope, times)
      this.flood(scope, Math.max(1, Math.ceil((((times[0] ?? now) + window - now) * this.timeDivisor) / 1_000)))
    }
    times.push(now)
    this.sent.set(scope, times)
  }
}
