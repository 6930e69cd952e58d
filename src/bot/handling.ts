/** How one update is handled: what its handlers know and may do, how it ended, and what its sender is told if it never works. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bot } from 'grammy'
import type { Update } from 'grammy/types'
import { isDatabaseTrouble } from '../db/database.ts'
import { placeOf } from '../errors.ts'
import { AssetLocked, type Attempt } from '../greetings/gate.ts'
import { languageOf, text } from '../texts.ts'
import type { BotContext } from './context.ts'
import { TookTooLong, type IntakeParts } from './intake.ts'
import type { Outbox } from './outbox.ts'

/** What the intake asks of whoever handles updates. */
export type UpdateHandler = Pick<IntakeParts, 'handle' | 'answered' | 'sendFailureNotice'>

// A text answer is not stored anywhere. So much time it gets to be sent before its update is confirmed.
const answerGraceMs = 1_000

/** Prepares the bot's context; its features are added after this. */
export function prepareHandler(
  bot: Bot<BotContext>,
  outbox: Outbox,
  stop: AbortSignal,
  log: { error(fields: object, message: string): void },
): UpdateHandler {
  const tries = new WeakMap<Update, { attempt: Attempt; answers: Promise<unknown>[] }>()

  bot.use(async (ctx, next) => {
    ctx.language = languageOf(ctx.from?.language_code)
    const { attempt, answers } = tries.get(ctx.update) ?? { attempt: { giveUp: stop, isRetry: false }, answers: [] }
    ctx.attempt = attempt
    const chatId = ctx.chat?.id ?? 0
    const isIdle = outbox.isIdle(chatId)
    ctx.later = (task) => void outbox.send(chatId, task)
    ctx.say = (words) => {
      const said = outbox.say(chatId, words)
      // What has to wait, for others of its chat or for a flood, will not be sent within the grace.
      if (isIdle && outbox.isFree(chatId)) answers.push(said)
    }
    await next()
  })

  function sendFailureNotice(update: Update): void {
    const message = update.message ?? update.edited_message
    if (message !== undefined)
      outbox.sayAnyhow(message.chat.id, text(languageOf(message.from?.language_code), 'trouble'))
  }

  return {
    sendFailureNotice,
    /** Stores what an update asks for. What cannot be handled at all must not block the rest. */
    async handle(update, attempt) {
      tries.set(update, { attempt, answers: [] })
      try {
        await bot.handleUpdate(update)
      } catch (error) {
        const cause = (error as { error?: unknown }).error ?? error
        if (isDatabaseTrouble(cause) || cause instanceof AssetLocked || cause instanceof TookTooLong) return 'busy'
        log.error({ error: placeOf(cause), updateId: update.update_id }, 'an update could not be handled')
        sendFailureNotice(update)
      }
      return 'handled'
    },
    async answered(update) {
      const answers = tries.get(update)?.answers ?? []
      if (answers.length > 0) await Promise.race([Promise.allSettled(answers), sleep(answerGraceMs)])
    },
  }
}
