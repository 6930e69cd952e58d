/** A name as plain text: a hit is answered with the video at once, a miss with a note and, later, the video. */
import { Composer } from 'grammy'
import { emit } from '../../events.ts'
import { askFromText, type AskRules } from '../../greetings/ask.ts'
import type { RequestDeps } from '../../greetings/answer.ts'
import { request } from '../../greetings/request.ts'
import { texts } from '../../texts.ts'
import { explainRejection } from '../../names/explanations.ts'
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
    const say = texts[ctx.language]
    const asked = askFromText(ctx.msg.text, parts)
    if (!asked.ok) {
      const { reason } = asked
      emit({ what: 'asked', outcome: 'no_name', reason })
      return ctx.say(reason === 'no_template' ? say.noTemplate : explainRejection(reason, ctx.language))
    }
    const { display } = asked.ask

    const chatId = BigInt(ctx.chat.id)
    const [answer] = await request(door, [asked.ask], {
      userId: BigInt(ctx.from?.id ?? ctx.chat.id),
      chatId,
      language: ctx.language,
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
        return ctx.say(say.onItsWay)
      case 'waiting': {
        const { requestId } = answer
        // Null: they wait for it already.
        if (requestId === null) return ctx.say(say.stillMaking(display))
        return ctx.later(() => pendingNotes.show({ requestId, chatId, note: say.making(display) }))
      }
      case 'failed':
        return ctx.say(say.failed(display, Math.ceil((answer.retryAt.getTime() - Date.now()) / 60_000)))
      case 'refused':
        if (answer.told) return
        return ctx.say(answer.reason === 'too_many_waiting' ? say.tooManyWaiting : say.tooManyToday)
      case 'repeated':
        // Stored when the update came first; whoever holds the request sends the video.
        return
    }
  })

  personal.on(['message', 'edited_message'], (ctx) => {
    emit({ what: 'asked', outcome: 'no_name', reason: 'no_text' })
    return ctx.say(texts[ctx.language].notText)
  })
  return composer
}
