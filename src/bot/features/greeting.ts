/** A name as plain text: a hit is answered with the video at once, a miss with a note and, later, the video. */
import { Composer } from 'grammy'
import { emit } from '../../events.ts'
import { request, type RequestDeps } from '../../greetings/request.ts'
import { doorClaims } from '../../greetings/requests.ts'
import { texts } from '../../texts.ts'
import { explainRejection } from '../../names/explanations.ts'
import { type NameRules, parseName } from '../../names/name.ts'
import { sendDirectly, type DeliveryDeps } from '../../telegram/delivery.ts'
import type { BotContext } from '../context.ts'
import type { PendingNote, PendingNotes } from '../pending-note.ts'

/** What the feature needs. */
export interface GreetingParts {
  door: RequestDeps
  delivery: DeliveryDeps
  pendingNotes: PendingNotes
  /** the template that serves the name's script and has all its letters, if any does */
  templateFor(name: { script: string; display: string }): { id: string } | undefined
  /** what is a name here */
  nameRules: NameRules
  isAdmin(userId: number): boolean
  stop: AbortSignal
}

export function greeting({
  door,
  delivery,
  pendingNotes: pendingNotes,
  templateFor,
  nameRules,
  isAdmin,
  stop,
}: GreetingParts): Composer<BotContext> {
  const composer = new Composer<BotContext>()
  const show = (ctx: BotContext, person: PendingNote) => ctx.later(() => pendingNotes.show(person))
  const personal = composer.chatType('private')

  personal.on(['message:text', 'edited_message:text'], async (ctx) => {
    const say = texts[ctx.language]
    const parsed = parseName(ctx.msg.text, nameRules)
    if (!parsed.ok) {
      emit({ what: 'asked', outcome: 'no_name', reason: parsed.reason })
      return ctx.say(explainRejection(parsed.reason, ctx.language))
    }
    const { key, display } = parsed.name
    const template = templateFor(parsed.name)
    if (template === undefined) {
      emit({ what: 'asked', outcome: 'no_name', reason: 'no_template' })
      return ctx.say(say.noTemplate)
    }

    const chatId = BigInt(ctx.chat.id)
    const [answer] = await request(door, [{ template: template.id, key, display }], {
      userId: BigInt(ctx.from?.id ?? ctx.chat.id),
      chatId,
      language: ctx.language,
      updateId: ctx.update.update_id,
      attempt: ctx.attempt,
      unlimited: ctx.from !== undefined && isAdmin(ctx.from.id),
    })

    switch (answer?.status) {
      case 'available': {
        const { requestId, assetId, fileId } = answer
        if (requestId === null) return ctx.say(say.onItsWay)
        const claimedAt = Date.now()
        return ctx.later(() =>
          sendDirectly(
            delivery,
            { id: requestId, chatId, language: ctx.language, noteMessageId: null, claimOwner: doorClaims },
            { id: assetId, display, fileId },
            { claimedAt, signal: stop },
          ),
        )
      }
      case 'waiting':
        if (answer.again || answer.requestId === null) return ctx.say(say.stillMaking(display))
        return show(ctx, { requestId: answer.requestId, chatId, note: say.making(display) })
      case 'failed':
        return ctx.say(say.failed(display, Math.ceil((answer.retryAt.getTime() - Date.now()) / 60_000)))
      case 'refused':
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
