/** What the bot sends: in order per chat, patient with floods, and to nobody more than Telegram lets it. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { InlineKeyboard } from 'grammy'
import type { Times } from '../config.ts'
import { placeOf } from '../errors.ts'
import type { Api } from '../telegram/api.ts'
import { TelegramError } from '../telegram/errors.ts'
import type { LiveFloods } from '../telegram/live-floods.ts'
import { createPerChat } from './per-chat.ts'
import { putText } from './put-text.ts'

/** A text that is to be said. */
export interface Words {
  text: string
  keyboard?: InlineKeyboard | undefined
  /** the `file_id` of a video that the text is the caption of */
  video?: string | undefined
  /** the message whose place it takes, if that is still there; a new one otherwise */
  edits?: number | undefined
  /** is called with the id of the message, once it stands in the chat */
  sent?: ((messageId: number) => Promise<unknown>) | undefined
}

export interface Outbox {
  /**
   * Sends in the chat's own line. Whoever writes faster than Telegram lets us answer is not answered each time. A video
   * that is not sent here is delivered by a worker, as its request is stored.
   */
  send(chatId: number, task: () => Promise<unknown>): Promise<unknown>
  /** Says a text in the chat's own line, likewise. */
  say(chatId: number, words: Words): Promise<unknown>
  /** Says a text however long the chat's line is. */
  sayAnyhow(chatId: number, text: string): void
  /** Nothing of the chat waits. */
  isIdle(chatId: number): boolean
  /** No flood stands in the way. */
  isFree(chatId: number): boolean
  /** Resolves when nothing is under way. */
  idle(): Promise<void>
}

interface OutboxDeps {
  api: Api
  floods: LiveFloods
  times: Times
  log: { warn(fields: object, message: string): void }
}

/** Answers to one chat that may wait for each other. */
const longestLine = 10

/** Of one text. */
const mostTries = 5

/** Nothing waits at first. */
export function createOutbox(deps: OutboxDeps, stop: AbortSignal): Outbox {
  const { floods, log } = deps
  const sending = createPerChat()
  const send = async (chatId: number, task: () => Promise<unknown>) =>
    sending.waiting(chatId) >= longestLine
      ? undefined
      : sending.add(chatId, task).catch((error: unknown) => {
          if (!stop.aborted)
            log.warn(
              { error: error instanceof TelegramError ? error.message : placeOf(error) },
              'an answer could not be sent now',
            )
        })
  return {
    send,
    say: (chatId, words) => send(chatId, () => sayPatiently(deps, chatId, words, stop)),
    sayAnyhow: (chatId, text) =>
      void sending.add(chatId, () => sayPatiently(deps, chatId, { text }, stop)).catch(() => undefined),
    isIdle: (chatId) => sending.waiting(chatId) === 0,
    isFree: (chatId) => floods.restMs(chatId) === 0,
    idle: () => sending.idle(),
  }
}

/** A flood is slept through here, in this chat's own line. */
async function sayPatiently(
  { api, times }: OutboxDeps,
  chatId: number,
  words: Words,
  stop: AbortSignal,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      const messageId = await putText(api, chatId, words, stop)
      await words.sent?.(messageId)
      return
    } catch (error) {
      if (!(error instanceof TelegramError)) throw error
      if (error.kind === 'person_unreachable') return
      if (tries === mostTries) throw error
      if (error.kind === 'flood' && (error.retryAfterMs ?? 0) <= times.longestFloodSleepMs)
        await sleep(error.retryAfterMs ?? times.telegramSecondMs, undefined, { signal: stop })
      else if (error.kind === 'server' || error.kind === 'not_sent')
        await sleep(times.telegramSecondMs * tries, undefined, { signal: stop })
      else throw error
    }
  }
}
