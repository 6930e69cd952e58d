/** A name as plain text: a hit is answered with the video at once, a miss with a note and, later, the video. */
import { Composer } from 'grammy'
import { emit } from '../../events.ts'
import { askFromText, type AskRules } from '../../greetings/ask.ts'
import type { Refusal, RequestDeps } from '../../greetings/answer.ts'
import { request } from '../../greetings/request.ts'
import { text, wholeHours, wholeMinutes, type Language } from '../../texts.ts'
import { sendDirectly, type DeliveryDeps } from '../../telegram/delivery.ts'
import type { BotContext } from '../context.ts'
import type { PendingNotes } from '../pending-note.ts'

/** What the feature needs. */
export interface GreetingParts extends AskRules {
  door: RequestDeps
  delivery: DeliveryDeps
  pendingNotes: PendingNotes
  isAdmin(userId: number): boolean
  stop: AbortSignal
}

export function greeting(parts: GreetingParts): Composer<BotContext> {
  const { door, delivery, pendingNotes, isAdmin, stop } = parts
  const composer = new Composer<BotContext>()
  const personal = composer.chatType('private')

  personal.on(['message:text', 'edited_message:text'], async (ctx) => {
    const { language } = ctx
    const asked = askFromText(ctx.msg.text, parts)
    if (!asked.ok) {
      const { reason } = asked
      emit({ what: 'asked', outcome: 'no_name', reason })
      return ctx.say(text(language, reason === 'no_template' ? 'no-template' : `rejected-${reason}`))
    }
    const { display } = asked.ask

    const chatId = BigInt(ctx.chat.id)
    const [answer] = await request(door, [asked.ask], {
      userId: BigInt(ctx.from?.id ?? ctx.chat.id),
      chatId,
      language,
      updateId: ctx.update.update_id,
      attempt: ctx.attempt,
      unlimited: ctx.from !== undefined && isAdmin(ctx.from.id),
    })

    switch (answer?.status) {
      case 'available': {
        const { claimed, assetId, fileId } = answer
        if (claimed === null) return
        const claimedAt = Date.now()
        return ctx.later(() =>
          sendDirectly(delivery, claimed, { id: assetId, display, fileId }, { claimedAt, signal: stop }),
        )
      }
      case 'on_its_way':
        return ctx.say(text(language, 'on-its-way', { name: display }))
      case 'waiting': {
        const { requestId } = answer
        // Null: they wait for it already.
        if (requestId === null) return ctx.say(text(language, 'still-making', { name: display }))
        return ctx.later(() =>
          pendingNotes.show({ requestId, chatId, note: text(language, 'making', { name: display }) }),
        )
      }
      case 'failed':
        return ctx.say(
          text(language, 'failed', { name: display, minutes: wholeMinutes(answer.retryAt.getTime() - Date.now()) }),
        )
      case 'refused':
        if (answer.told) return
        return ctx.say(limitReached(language, answer))
      case 'repeated':
        // Stored when the update came first; whoever holds the request sends the video.
        return
    }
  })

  personal.on(['message', 'edited_message'], (ctx) => {
    emit({ what: 'asked', outcome: 'no_name', reason: 'no_text' })
    return ctx.say(text(ctx.language, 'not-text'))
  })
  return composer
}

/** How many names are enough, and when to go on. */
function limitReached(language: Language, { most, retryAt }: Refusal): string {
  return retryAt === null
    ? text(language, 'limit-waiting', { count: most })
    : text(language, 'limit-today', { count: most, hours: wholeHours(retryAt.getTime() - Date.now()) })
}
