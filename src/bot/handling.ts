/** How one update is handled: what its handlers know and may do, how it ended, and what its sender is told if it never works. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bot } from 'grammy'
import type { Message, Update, User } from 'grammy/types'
import { isDatabaseTrouble } from '../db/database.ts'
import { placeOf } from '../errors.ts'
import { AssetLocked, type Attempt } from '../greetings/gate.ts'
import { languageOf, languageOfScript, text, type Language } from '../texts.ts'
import type { BotContext } from './context.ts'
import { TookTooLong, type IntakeParts } from './intake.ts'
import type { ChosenLanguages } from './languages.ts'
import type { Outbox } from './outbox.ts'
import { chatOf } from './per-chat.ts'

/** What the intake asks of whoever handles updates. */
export type UpdateHandler = Pick<IntakeParts, 'handle' | 'answered' | 'sendFailureNotice'>

interface HandlerParts {
  bot: Bot<BotContext>
  outbox: Outbox
  chosen: ChosenLanguages
  stop: AbortSignal
  log: { error(fields: object, message: string): void }
}

// A text answer is not stored anywhere. So much time it gets to be sent before its update is confirmed.
const answerGraceMs = 1_000

/** Prepares the bot's context; its features are added after this. */
export function prepareHandler({ bot, outbox, chosen, stop, log }: HandlerParts): UpdateHandler {
  const tries = new WeakMap<Update, { attempt: Attempt; answers: Promise<unknown>[] }>()

  bot.use(async (ctx, next) => {
    const { attempt, answers } = tries.get(ctx.update) ?? { attempt: { giveUp: stop, isRetry: false }, answers: [] }
    ctx.attempt = attempt
    const chatId = chatOf(ctx.update)
    const isIdle = outbox.isIdle(chatId)
    speakWith(ctx, chosen)
    ctx.later = (task) => void outbox.send(chatId, task)
    ctx.say = (words, { keyboard, video, sent } = {}) => {
      const said = outbox.say(chatId, { text: words, keyboard, video, edits: ctx.takeTapped(), sent })
      // What has to wait, for others of its chat or for a flood, will not be sent within the grace.
      if (isIdle && outbox.isFree(chatId)) answers.push(said)
    }
    answerTapsOf(ctx)
    try {
      await next()
    } finally {
      // A tap is answered at once, also when its update has to be tried again.
      ctx.toast()
    }
  })

  function sendFailureNotice(update: Update): void {
    const message: Partial<Message> | undefined =
      update.message ?? update.edited_message ?? update.callback_query?.message
    const from = update.callback_query?.from ?? message?.from
    if (message?.chat !== undefined) outbox.sayAnyhow(message.chat.id, text(languageOfUpdate(message, from), 'trouble'))
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

/** Without what the person chose. */
const languageOfUpdate = (message: Partial<Message> | undefined, from: User | undefined): Language =>
  // Commands and mentions are Latin in every language.
  languageOfScript(message?.text?.startsWith('/') === true ? '' : (message?.text ?? '').replace(/@\w+/g, '')) ??
  languageOf(from?.language_code)

function speakWith(ctx: BotContext, chosen: ChosenLanguages): void {
  let language: Promise<Language> | undefined
  const find = async () => {
    const choice = ctx.from === undefined ? undefined : await chosen.of(ctx.from.id)
    // The message with the buttons is the bot's own.
    const message = ctx.callbackQuery === undefined ? ctx.msg : undefined
    return (
      choice ?? languageOfUpdate(ctx.inlineQuery === undefined ? message : { text: ctx.inlineQuery.query }, ctx.from)
    )
  }
  ctx.language = () => (language ??= find())
  ctx.languageChosen = (choice) => {
    language = choice === undefined ? undefined : Promise.resolve(choice)
    if (ctx.from !== undefined) chosen.remember(ctx.from.id, choice)
  }
}

function answerTapsOf(ctx: BotContext): void {
  const tap = ctx.callbackQuery
  let tapped = tap?.message?.message_id
  ctx.takeTapped = () => {
    const messageId = tapped
    tapped = undefined
    return messageId
  }
  let isAnswered = tap === undefined
  ctx.toast = (words) => {
    if (isAnswered || tap === undefined) return
    isAnswered = true
    // One that is too old, or answered by an earlier try, is refused, which harms nobody.
    ctx.api.answerCallbackQuery(tap.id, words === undefined ? {} : { text: words }).catch(() => undefined)
  }
}
