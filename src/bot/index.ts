/** The bot: its features in order, its updates, its end. */
import { setMaxListeners } from 'node:events'
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Bot } from 'grammy'
import type { Update } from 'grammy/types'
import type { Times } from '../config.ts'
import { isDatabaseTrouble } from '../db/database.ts'
import { placeOf } from '../errors.ts'
import { AssetLocked, openGate, type Attempt } from '../greetings/gate.ts'
import { announceBot, type Presence } from '../greetings/workers.ts'
import { countRefusals } from '../greetings/refusals.ts'
import { languageOf, texts } from '../texts.ts'
import { clientOptions, isTelegram, ownErrors, patiently } from '../telegram/api.ts'
import { TelegramError } from '../telegram/errors.ts'
import { watchFloods } from '../telegram/live-floods.ts'
import type { BotContext } from './context.ts'
import { greeting, type GreetingParts } from './features/greeting.ts'
import { welcome } from './features/welcome.ts'
import { openIntake, TookTooLong, type Outcome } from './intake.ts'
import { createPerChat } from './per-chat.ts'
import { allowedUpdates, listenForWebhook, poll, whenAborted } from './updates.ts'
import { openPendingNotes } from './pending-note.ts'

/** What the bot needs. */
export interface BotParts extends Omit<GreetingParts, 'pendingNotes' | 'stop'> {
  token: string
  apiRoot: string | undefined
  webhook: { url: string; secret: string | undefined; port: number } | undefined
  times: Times
  log: {
    info(fields: object, message: string): void
    warn(fields: object, message: string): void
    error(fields: object, message: string): void
  }
}

/** A running bot. */
export interface RunningBot {
  /** Settles when the bot ends: by `stop`, or with the reason why it cannot go on. */
  ended: Promise<void>
  /** Takes no more updates, lets what is under way end for up to `stopMs`. */
  stop(stopMs: number): Promise<void>
  abortNow(): void
}

// A text answer is not stored anywhere. So much time it gets to be sent before its update is confirmed.
const answerGraceMs = 1_000

/** Connections of the bot's own. All of them together cannot be taken by people at the door: the rest is for updates that are held. */
export const peopleConnections = 8
const atTheDoor = { atOnce: 6, forOneAsset: 3 }

/** Answers to one chat that may wait for each other. */
const longestLine = 10

/** Starts the bot. @throws TelegramError when Telegram does not let it */
export async function startBot(parts: BotParts): Promise<RunningBot> {
  const { token, apiRoot, webhook, times, log } = parts
  const door = { ...parts.door, gate: openGate(atTheDoor) }
  const bot = new Bot<BotContext>(token, { client: clientOptions({ apiRoot }) })
  const floods = watchFloods({ db: door.db, times })
  bot.api.config.use(ownErrors(times), floods.transformer)
  const delivery = { ...parts.delivery, api: bot.api }
  const intakeStop = new AbortController()
  const sendStop = new AbortController()
  setMaxListeners(0, intakeStop.signal, sendStop.signal) // every update that waits for the database, and every send in hand, listens
  const handling = createPerChat()
  const sending = createPerChat()
  const pendingNotes = openPendingNotes({ db: door.db, api: bot.api, times, stop: sendStop.signal })
  const tries = new WeakMap<Update, { attempt: Attempt; answers: Promise<unknown>[] }>()

  bot.use(async (ctx, next) => {
    ctx.language = languageOf(ctx.from?.language_code)
    const { attempt, answers } = tries.get(ctx.update) ?? {
      attempt: { giveUp: sendStop.signal, isRetry: false },
      answers: [],
    }
    ctx.attempt = attempt
    const chatId = ctx.chat?.id ?? 0
    const isIdle = sending.waiting(chatId) === 0
    // Whoever writes faster than Telegram lets us answer is not answered each time. A video that is not sent here is
    // delivered by a worker, as its request is stored.
    const send = async (task: () => Promise<unknown>) =>
      sending.waiting(chatId) >= longestLine
        ? undefined
        : sending.add(chatId, task).catch((error: unknown) => {
            if (!sendStop.signal.aborted)
              log.warn(
                { error: error instanceof TelegramError ? error.message : placeOf(error) },
                'an answer could not be sent now',
              )
          })
    ctx.later = (task) => void send(task)
    ctx.say = (text) => {
      const said = send(() => sayPatiently(chatId, text))
      // What has to wait, for others of its chat or for a flood, will not be sent within the grace.
      if (isIdle && floods.restMs(chatId) === 0) answers.push(said)
    }
    await next()
  })
  bot.use(welcome())
  bot.use(greeting({ ...parts, door, delivery, pendingNotes: pendingNotes, stop: sendStop.signal }))

  /** A flood is slept through here, in this chat's own line. */
  async function sayPatiently(chatId: number, text: string): Promise<void> {
    for (let tries = 0; tries < 5; tries++) {
      try {
        await bot.api.sendMessage(chatId, text, undefined, sendStop.signal as never)
        return
      } catch (error) {
        if (!(error instanceof TelegramError)) throw error
        if (error.kind === 'flood' && (error.retryAfterMs ?? 0) <= times.longestFloodSleepMs)
          await sleep(error.retryAfterMs ?? times.telegramSecondMs, undefined, { signal: sendStop.signal })
        else if (error.kind === 'server' || error.kind === 'not_sent')
          await sleep(times.telegramSecondMs * (tries + 1), undefined, { signal: sendStop.signal })
        else if (error.kind === 'person_unreachable') return
        else throw error
      }
    }
  }

  /** Stores what an update asks for. What cannot be handled at all must not block the rest. */
  async function handle(update: Update, attempt: Attempt): Promise<Outcome> {
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
  }

  async function answered(update: Update): Promise<void> {
    const answers = tries.get(update)?.answers ?? []
    if (answers.length > 0) await Promise.race([Promise.allSettled(answers), sleep(answerGraceMs)])
  }

  function sendFailureNotice(update: Update): void {
    const message = update.message ?? update.edited_message
    if (message !== undefined)
      void sending
        .add(message.chat.id, () =>
          sayPatiently(message.chat.id, texts[languageOf(message.from?.language_code)].trouble),
        )
        .catch(() => undefined)
  }

  /** Begins to take updates. What it gives settles when that is over. */
  async function takeUpdates(): Promise<{ over: Promise<void> }> {
    if (webhook === undefined) {
      await patiently(times, () => bot.api.deleteWebhook())
      return { over: poll({ bot, intake, times, log }, intakeStop.signal) }
    }
    const secret = webhook.secret ?? randomBytes(24).toString('base64url')
    const server = await listenForWebhook({ intake, log }, { port: webhook.port, secret })
    const over = whenAborted(intakeStop.signal).then(() => server.close(sendStop.signal))
    await patiently(times, () =>
      bot.api.setWebhook(webhook.url, { secret_token: secret, allowed_updates: [...allowedUpdates] }),
    )
    log.info({ port: server.port }, 'waiting for webhook calls on 127.0.0.1')
    return { over }
  }

  // From the first update on: handlers tell what they refuse.
  const refusals = countRefusals(door.db, times)
  const stopWatching = async () => {
    pendingNotes.close()
    floods.close()
    await refusals.close()
  }
  const intake = openIntake({
    db: door.db,
    botId: door.botId,
    handle,
    answered,
    sendFailureNotice: sendFailureNotice,
    handling,
    times,
    log,
  })
  let ended: Promise<void>
  let presence: Presence
  try {
    await patiently(times, () => bot.init())
    await introduce(bot, times)
    ended = (await takeUpdates()).over
    ended.catch(() => undefined)
    presence = await announceBot(door.db, times, webhook === undefined ? 'polling' : 'webhook')
  } catch (error) {
    // What listens, or goes on looking at the database, would keep the process from ending.
    intakeStop.abort(error)
    await stopWatching()
    throw error
  }
  const trying = intake.keepTrying(intakeStop.signal)

  return {
    ended,
    abortNow: () => sendStop.abort(new Error('the bot stops')),
    async stop(stopMs) {
      intakeStop.abort(new Error('the bot takes no more updates'))
      const deadline = setTimeout(() => sendStop.abort(new Error('the bot stops')), stopMs)
      const finished = ended
        .catch(() => undefined)
        .then(() => Promise.all([trying, intake.idle()]))
        .then(() => sending.idle())
      // A database that does not answer is not waited for: what it did not take was not confirmed.
      await Promise.race([finished, whenAborted(sendStop.signal).then(() => sleep(times.handleMs))])
      clearTimeout(deadline)
      await Promise.all([stopWatching(), presence.leave()])
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
