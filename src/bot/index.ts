/** The bot: its features in order, its updates, its end. */
import { setMaxListeners } from 'node:events'
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Bot } from 'grammy'
import type { Update } from 'grammy/types'
import type { Times } from '../config.ts'
import { isDatabaseDown } from '../db/database.ts'
import { placeOf } from '../greetings/faults.ts'
import { announceBot } from '../greetings/processes.ts'
import { languageOf, texts } from '../greetings/texts.ts'
import { clientOptions, isTelegram, ownErrors, patiently } from '../telegram/api.ts'
import { TelegramError } from '../telegram/errors.ts'
import type { BotContext } from './context.ts'
import { greeting, type GreetingParts } from './features/greeting.ts'
import { welcome } from './features/welcome.ts'
import { allowedUpdates, chatOf, createPerChat, listenForWebhook, poll } from './updates.ts'
import { openWaitingRoom } from './waiting-room.ts'

/** What the bot needs. */
export interface BotParts extends Omit<GreetingParts, 'waitingRoom' | 'stop'> {
  token: string
  apiRoot: string | undefined
  webhook: { url: string; secret: string | undefined; port: number } | undefined
  times: Times
  log: { info(fields: object, message: string): void; warn(fields: object, message: string): void; error(fields: object, message: string): void }
}

/** A running bot. */
export interface RunningBot {
  /** Settles when the bot ends: by `stop`, or with the reason why it cannot go on. */
  ended: Promise<void>
  /** Takes no more updates, lets what is under way end for up to `stopMs`. */
  stop(stopMs: number): Promise<void>
  hurry(): void
}

// A text answer is not stored anywhere. So much time it gets to be sent before its update is confirmed.
const answerGraceMs = 1_000

/** Answers to one chat that may wait for each other. */
const longestLine = 10

/** Starts the bot. @throws TelegramError when Telegram does not let it */
export async function startBot(parts: BotParts): Promise<RunningBot> {
  const { token, apiRoot, webhook, times, log, door, courier } = parts
  const bot = new Bot<BotContext>(token, { client: clientOptions({ apiRoot }) })
  bot.api.config.use(ownErrors(times))
  const intakeStop = new AbortController()
  const sendStop = new AbortController()
  setMaxListeners(0, intakeStop.signal, sendStop.signal) // every update that waits for the database, and every send in hand, listens
  const handling = createPerChat()
  const sending = createPerChat()
  const waitingRoom = openWaitingRoom({ db: door.db, api: courier.api, times, stop: sendStop.signal })
  let batchAnswers: Promise<unknown>[] = []

  bot.use(async (ctx, next) => {
    ctx.language = languageOf(ctx.from?.language_code)
    const chatId = ctx.chat?.id ?? 0
    const isIdle = sending.waiting(chatId) === 0
    // Whoever writes faster than Telegram lets us answer is not answered each time. A video that is not sent here is
    // delivered by a worker, as its request is stored.
    const send = async (task: () => Promise<unknown>) =>
      sending.waiting(chatId) >= longestLine ? undefined : sending.add(chatId, task).catch((error: unknown) => {
        if (!sendStop.signal.aborted) log.warn({ error: error instanceof TelegramError ? error.message : placeOf(error) }, 'an answer could not be sent now')
      })
    ctx.later = (task) => void send(task)
    ctx.say = (text) => {
      const said = send(() => sayPatiently(chatId, text))
      // What has to wait for others of its chat will not be sent within the grace.
      if (isIdle) batchAnswers.push(said)
    }
    await next()
  })
  bot.use(welcome())
  bot.use(greeting({ ...parts, waitingRoom, stop: sendStop.signal }))

  /** A flood is slept through here, in this chat's own line. */
  async function sayPatiently(chatId: number, text: string): Promise<void> {
    for (let tries = 0; tries < 5; tries++) {
      try {
        await bot.api.sendMessage(chatId, text, undefined, sendStop.signal as never)
        return
      } catch (error) {
        if (!(error instanceof TelegramError)) throw error
        if (error.kind === 'flood' && (error.retryAfterMs ?? 0) <= times.longestFloodSleepMs) await sleep(error.retryAfterMs ?? times.telegramSecondMs, undefined, { signal: sendStop.signal })
        else if (error.kind === 'server' || error.kind === 'not_sent') await sleep(times.telegramSecondMs * (tries + 1), undefined, { signal: sendStop.signal })
        else if (error.kind === 'person_unreachable') return
        else throw error
      }
    }
  }

  /** Stores one update. Only a database that is away is worth another try; anything else must not block the rest. */
  async function handle(update: Update): Promise<void> {
    await handling.add(chatOf(update), async () => {
      try {
        await bot.handleUpdate(update)
      } catch (error) {
        const cause = (error as { error?: unknown }).error ?? error
        if (isDatabaseDown(cause)) throw cause
        log.error({ error: placeOf(cause), updateId: update.update_id }, 'an update could not be handled')
        const chatId = update.message?.chat.id
        if (chatId !== undefined) void sending.add(chatId, () => sayPatiently(chatId, texts[languageOf(update.message?.from?.language_code)].trouble)).catch(() => undefined)
      }
    })
    const answers = batchAnswers
    batchAnswers = []
    if (answers.length > 0) await Promise.race([Promise.allSettled(answers), sleep(answerGraceMs)])
  }

  await patiently(times, () => bot.init())
  await introduce(bot, times)
  const intake = { bot, handle, times, log }
  let ended: Promise<void>
  if (webhook === undefined) {
    await patiently(times, () => bot.api.deleteWebhook())
    ended = poll(intake, intakeStop.signal)
  } else {
    const secret = webhook.secret ?? randomBytes(24).toString('base64url')
    const server = await listenForWebhook(intake, { port: webhook.port, secret })
    await patiently(times, () => bot.api.setWebhook(webhook.url, { secret_token: secret, allowed_updates: [...allowedUpdates] }))
    log.info({ port: server.port }, 'waiting for webhook calls on 127.0.0.1')
    ended = new Promise<void>((resolve) => intakeStop.signal.addEventListener('abort', () => resolve(), { once: true })).then(() => server.close())
  }
  ended.catch(() => undefined)
  const presence = await announceBot(door.db, times, webhook === undefined ? 'polling' : 'webhook')

  return {
    ended,
    hurry: () => sendStop.abort(new Error('the bot stops')),
    async stop(stopMs) {
      intakeStop.abort(new Error('the bot takes no more updates'))
      await ended.catch(() => undefined)
      const deadline = setTimeout(() => sendStop.abort(new Error('the bot stops')), stopMs)
      await Promise.all([handling.idle(), sending.idle()])
      clearTimeout(deadline)
      waitingRoom.close()
      await presence.leave()
    },
  }
}

/** The command menu. A refusal here keeps nobody from a greeting. */
async function introduce(bot: Bot<BotContext>, times: Times): Promise<void> {
  const english = [
    { command: 'start', description: 'Begin' },
    { command: 'help', description: 'How it works' },
  ]
  const russian = [
    { command: 'start', description: 'Начать' },
    { command: 'help', description: 'Как это работает' },
  ]
  try {
    await patiently(times, () => bot.api.setMyCommands(english))
    await patiently(times, () => bot.api.setMyCommands(russian, { language_code: 'ru' }))
  } catch (error) {
    if (isTelegram(error, 'token', 'not_sent')) throw error
  }
}
