/** Brings updates to bots: by long polling, which an offset confirms, or by webhook. */
import { setMaxListeners } from 'node:events'
import { Refusal } from '../refusal.ts'
import type { Webhook } from '../state/records.ts'
import type { Update } from '../state/records.ts'
import type { SandboxState } from '../state/state.ts'
import { postUpdate } from './webhook.ts'

const usual = new Set([
  'message',
  'edited_message',
  'channel_post',
  'edited_channel_post',
  'inline_query',
  'chosen_inline_result',
  'callback_query',
  'my_chat_member',
])

const keptForResending = 5_000

interface Poll {
  answer(updates: Update[] | Refusal): void
  offset: number
  limit: number
}

interface Delivery {
  /** chats with an update on its way: order is kept within a chat */
  busy: Set<number | string>
  stopped: AbortController
  lastError?: { date: number; message: string }
}

/** One for all bots of a server. `close()` ends every poll and delivery. */
export class UpdateQueue {
  private readonly polls = new Map<number, Poll>()
  private readonly deliveries = new Map<number, Delivery>()
  private readonly recent = new Map<number, Update[]>()
  /** updates to be told again although they were confirmed; true once told */
  private readonly again = new Map<number, Map<number, { update: Update; told: boolean }>>()
  private closed = false

  constructor(
    private readonly state: SandboxState,
    private readonly timeDivisor: number,
    /** runs a call that a webhook answered with */
    private readonly callback: (botId: number, method: string, values: Record<string, unknown>) => void,
  ) {}

  /** Goes on with what was not delivered before a restart. */
  resume(): void {
    for (const bot of this.state.bots.keys()) this.deliver(bot)
  }

  close(): void {
    this.closed = true
    for (const poll of this.polls.values()) poll.answer([])
    for (const delivery of this.deliveries.values()) delivery.stopped.abort()
  }

  /** Queues an update unless the bot does not want its kind. */
  add(bot: number, content: Record<string, unknown>): Update | undefined {
    const kind = Object.keys(content)[0] ?? ''
    const wanted = this.state.setting<string[]>(bot, 'allowed_updates')
    const allowed = wanted === undefined || wanted.length === 0 ? usual.has(kind) : wanted.includes(kind)
    if (!allowed) return undefined
    const update = this.state.addUpdate(bot, content)
    const recent = this.recent.get(bot) ?? []
    recent.push(update)
    if (recent.length > keptForResending) recent.splice(0, recent.length - keptForResending)
    this.recent.set(bot, recent)
    this.tell(bot)
    return update
  }

  /** Tells updates once more, also confirmed ones, as Telegram does when an answer was lost. Their number. */
  resend(bot: number, ids?: number[]): number {
    const waiting = new Set((this.state.pending.get(bot) ?? []).map((update) => update.update_id))
    const chosen = (this.recent.get(bot) ?? []).filter((update) =>
      ids === undefined ? waiting.has(update.update_id) : ids.includes(update.update_id),
    )
    const again = this.again.get(bot) ?? new Map<number, { update: Update; told: boolean }>()
    for (const update of chosen)
      if (!waiting.has(update.update_id)) again.set(update.update_id, { update, told: false })
    this.again.set(bot, again)
    this.tell(bot)
    return chosen.length
  }

  private tell(bot: number): void {
    const poll = this.polls.get(bot)
    if (poll !== undefined) {
      const updates = this.take(bot, poll.offset, poll.limit)
      if (updates.length > 0) poll.answer(updates)
    }
    this.deliver(bot)
  }

  private take(bot: number, offset: number, limit: number): Update[] {
    const again = [...(this.again.get(bot)?.values() ?? [])]
    const updates = [
      ...again.map(({ update }) => update),
      ...(this.state.pending.get(bot) ?? []).slice(0, limit),
    ].slice(0, limit)
    for (const one of again) if (updates.includes(one.update)) one.told = true
    return updates.filter((update) => update.update_id >= offset || this.again.get(bot)?.has(update.update_id))
  }

  /**
   * Answers `getUpdates`. `gone` tells when the caller hung up.
   * @throws Refusal 409 while a webhook is set, and to a poller whom another one replaced
   */
  async poll(
    bot: number,
    values: { offset: number; limit: number; timeout: number; allowed?: string[] },
    gone: AbortSignal,
  ): Promise<Update[]> {
    if (this.webhook(bot) !== undefined)
      throw conflict(
        "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
      )
    if (values.allowed !== undefined) this.setAllowed(bot, values.allowed)
    this.polls
      .get(bot)
      ?.answer(conflict('terminated by other getUpdates request; make sure that only one bot instance is running'))
    const pending = this.state.pending.get(bot) ?? []
    const offset = values.offset < 0 ? ((pending.at(values.offset) ?? pending[0])?.update_id ?? 0) : values.offset
    if (offset > 0) {
      this.state.confirmUpdates(bot, offset)
      const again = this.again.get(bot)
      for (const [id, { told }] of again ?? []) if (told && id < offset) again?.delete(id)
    }
    const ready = this.take(bot, offset, values.limit)
    if (ready.length > 0 || values.timeout === 0 || this.closed) return ready
    return new Promise((resolve, reject) => {
      const poll: Poll = {
        offset,
        limit: values.limit,
        answer: (answer) => {
          clearTimeout(timer)
          gone.removeEventListener('abort', hungUp)
          if (this.polls.get(bot) === poll) this.polls.delete(bot)
          if (answer instanceof Refusal) reject(answer)
          else resolve(answer)
        },
      }
      const hungUp = () => poll.answer([])
      const timer = setTimeout(() => poll.answer([]), values.timeout * 1_000)
      gone.addEventListener('abort', hungUp)
      this.polls.set(bot, poll)
    })
  }

  /** Whether a long poll of this bot is open. */
  polling(bot: number): boolean {
    return this.polls.has(bot)
  }

  setAllowed(bot: number, allowed: string[]): void {
    const before = this.state.setting<string[]>(bot, 'allowed_updates') ?? []
    if (JSON.stringify(before) !== JSON.stringify(allowed)) this.state.saveSetting(bot, 'allowed_updates', allowed)
  }

  webhook(bot: number): Webhook | undefined {
    return this.state.setting<Webhook>(bot, 'webhook')
  }

  setWebhook(bot: number, webhook: Webhook | undefined, dropPending: boolean): void {
    if (webhook !== undefined) this.polls.get(bot)?.answer(conflict('terminated by setWebhook request'))
    if (dropPending) this.state.confirmUpdates(bot, Number.MAX_SAFE_INTEGER)
    if (JSON.stringify(this.webhook(bot)) !== JSON.stringify(webhook)) this.state.saveSetting(bot, 'webhook', webhook)
    this.deliveries.get(bot)?.stopped.abort()
    this.deliveries.delete(bot)
    this.deliver(bot)
  }

  webhookInfo(bot: number): Record<string, unknown> {
    const webhook = this.webhook(bot)
    const allowed = this.state.setting<string[]>(bot, 'allowed_updates') ?? []
    const lastError = this.deliveries.get(bot)?.lastError
    return {
      url: webhook?.url ?? '',
      has_custom_certificate: false,
      pending_update_count: this.state.pending.get(bot)?.length ?? 0,
      ...(lastError === undefined ? {} : { last_error_date: lastError.date, last_error_message: lastError.message }),
      ...(webhook === undefined
        ? {}
        : { max_connections: webhook.max_connections, ip_address: webhook.ip_address ?? '127.0.0.1' }),
      ...(allowed.length === 0 ? {} : { allowed_updates: allowed }),
    }
  }

  private deliver(bot: number): void {
    const webhook = this.webhook(bot)
    if (webhook === undefined || this.closed) return
    const delivery = this.deliveries.get(bot) ?? newDelivery()
    this.deliveries.set(bot, delivery)
    const again = [...(this.again.get(bot)?.values() ?? [])].filter(({ told }) => !told).map(({ update }) => update)
    for (const update of [...again, ...(this.state.pending.get(bot) ?? [])]) {
      if (delivery.busy.size >= webhook.max_connections) return
      const chat = chatOf(update)
      if (delivery.busy.has(chat)) continue
      delivery.busy.add(chat)
      void this.post(bot, webhook, update, delivery).finally(() => {
        delivery.busy.delete(chat)
        if (!delivery.stopped.signal.aborted) this.deliver(bot)
      })
    }
  }

  // Until the webhook takes it: an answer of 2xx within ten seconds.
  private async post(bot: number, webhook: Webhook, update: Update, delivery: Delivery): Promise<void> {
    for (let pause = 1_000; !delivery.stopped.signal.aborted; pause = Math.min(64_000, pause * 2)) {
      try {
        const { status, body } = await postUpdate(
          webhook,
          update,
          Math.max(1_000, 10_000 / this.timeDivisor),
          delivery.stopped.signal,
        )
        if (status >= 200 && status < 300) {
          const again = this.again.get(bot)
          if (again?.has(update.update_id)) again.delete(update.update_id)
          else this.state.confirmUpdate(bot, update.update_id)
          this.runReply(bot, body)
          return
        }
        delivery.lastError = {
          date: Math.floor(Date.now() / 1_000),
          message: `Wrong response from the webhook: ${status}`,
        }
      } catch (error) {
        if (delivery.stopped.signal.aborted) return
        const message = (error as Error).message === 'timeout' ? 'Read timeout expired' : 'Connection refused'
        delivery.lastError = { date: Math.floor(Date.now() / 1_000), message }
      }
      await sleep(Math.max(20, pause / this.timeDivisor), delivery.stopped.signal)
    }
  }

  private runReply(bot: number, body: string): void {
    if (!body.trimStart().startsWith('{')) return
    try {
      const { method, ...values } = JSON.parse(body) as Record<string, unknown>
      if (typeof method === 'string') this.callback(bot, method, values)
    } catch {
      // An answer that only looks like JSON is no call.
    }
  }
}

function conflict(what: string): Refusal {
  return new Refusal(409, `Conflict: ${what}`)
}

/** Of a webhook: what keeps its order. Inline queries have a line of their own, as at Telegram. */
function chatOf(update: Update): number | string {
  const [kind, content] = Object.entries(update).find(([name]) => name !== 'update_id') ?? []
  const { chat, from, message } = (content ?? {}) as {
    chat?: { id: number }
    from?: { id: number }
    message?: { chat?: { id: number } }
  }
  if (kind?.includes('inline') === true) return `${kind}/${from?.id}`
  return chat?.id ?? message?.chat?.id ?? from?.id ?? 0
}

function newDelivery(): Delivery {
  const stopped = new AbortController()
  setMaxListeners(0, stopped.signal) // every update on its way listens
  return { busy: new Set(), stopped }
}

function sleep(ms: number, stopped: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stopped.aborted) return resolve()
    const done = () => {
      clearTimeout(timer)
      stopped.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    stopped.addEventListener('abort', done)
  })
}
