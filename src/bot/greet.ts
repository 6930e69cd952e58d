/** Names that are certain: asked for at the door, and each answered with its video, a note that it is made, or why not. */
import { emit } from '../events.ts'
import { askFromName, type Ask, type AskRules } from '../greetings/ask.ts'
import type { Answer, Refusal, RequestDeps } from '../greetings/answer.ts'
import { preferredSpelling } from '../greetings/assets.ts'
import { request } from '../greetings/request.ts'
import type { Name } from '../names/name.ts'
import { sendDirectly, type DeliveryDeps } from '../telegram/delivery.ts'
import { text, wholeHours, wholeMinutes, type Language } from '../texts.ts'
import type { BotContext } from './context.ts'
import type { PendingNotes } from './pending-note.ts'

/** What greeting somebody needs. */
export interface GreetingDeps extends AskRules {
  door: RequestDeps
  delivery: DeliveryDeps
  pendingNotes: PendingNotes
  isAdmin(userId: number): boolean
  stop: AbortSignal
}

/** A name that is wanted. */
export interface Wanted {
  name: Name
  /** the name it probably is, whose only difference is ё: its video will do, unless this one has a video of its own */
  twin?: Name | undefined
}

/** Asks for a person's names, all of them or none, and answers each. */
export async function greet(deps: GreetingDeps, ctx: BotContext, wanted: readonly Wanted[]): Promise<void> {
  const language = await ctx.language()
  const asks = await asksFor(deps, wanted)
  if (asks.length < wanted.length) {
    emit({ what: 'asked', outcome: 'no_name', reason: 'no_template' })
    ctx.say(text(language, 'no-template'))
  }
  const from = ctx.from?.id ?? ctx.chat?.id
  if (asks.length === 0 || from === undefined || ctx.chat === undefined) return
  const answers = await request(deps.door, asks, {
    userId: BigInt(from),
    chatId: BigInt(ctx.chat.id),
    language,
    updateId: ctx.update.update_id,
    attempt: ctx.attempt,
    unlimited: deps.isAdmin(from),
  })
  answers.forEach((answer, index) => {
    const ask = asks[index]
    if (ask !== undefined && answer.status !== 'refused') tell(deps, ctx, { ask, answer, language })
  })
  // One limit is one answer, however many names it concerns.
  const refusal = answers.find((answer) => answer.status === 'refused')
  if (refusal !== undefined && !refusal.told) ctx.say(limitText(language, refusal))
}

async function asksFor({ door, ...rules }: GreetingDeps, wanted: readonly Wanted[]): Promise<Ask[]> {
  const asks: Ask[] = []
  for (const { name, twin } of wanted) {
    const asked = askFromName(name, rules)
    if (!asked.ok) continue
    const other = twin === undefined ? undefined : askFromName(twin, rules)
    asks.push(other?.ok === true ? await preferredSpelling(door, asked.ask, other.ask) : asked.ask)
  }
  return asks
}

function tell(
  { delivery, pendingNotes, stop }: GreetingDeps,
  ctx: BotContext,
  { ask: { display }, answer, language }: { ask: Ask; answer: Exclude<Answer, Refusal>; language: Language },
): void {
  switch (answer.status) {
    case 'available': {
      const { claimed, assetId, fileId } = answer
      if (claimed === null) return
      const claimedAt = Date.now()
      const tapped = ctx.takeTapped()
      return ctx.later(async () => {
        await sendDirectly(delivery, claimed, { id: assetId, display, fileId }, { claimedAt, signal: stop })
        if (tapped !== undefined)
          await delivery.api.deleteMessage(String(claimed.chatId), tapped).catch(() => undefined)
      })
    }
    case 'on_its_way':
      return ctx.say(text(language, 'on-its-way', { name: display }))
    case 'waiting': {
      const { requestId } = answer
      // Null: they wait for it already.
      if (requestId === null) return ctx.say(text(language, 'still-making', { name: display }))
      const chatId = BigInt(ctx.chat?.id ?? 0)
      const edits = ctx.takeTapped()
      return ctx.later(() => pendingNotes.show({ requestId, chatId, edits }))
    }
    case 'failed':
      return ctx.say(
        text(language, 'failed', { name: display, minutes: wholeMinutes(answer.retryAt.getTime() - Date.now()) }),
      )
    case 'repeated':
      // Stored when the update came first; whoever holds the request sends the video.
      return
  }
}

/** How many names are enough, and when to go on. */
function limitText(language: Language, { most, retryAt }: Refusal): string {
  return retryAt === null
    ? text(language, 'limit-waiting', { count: most })
    : text(language, 'limit-today', { count: most, hours: wholeHours(retryAt.getTime() - Date.now()) })
}
