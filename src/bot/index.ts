/** The bot: its features in order, its updates, its end. */
import { setMaxListeners } from 'node:events'
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Bot } from 'grammy'
import type { Times } from '../config.ts'
import { openGate } from '../greetings/gate.ts'
import { announceBot, type Presence } from '../greetings/workers.ts'
import { countRefusals } from '../greetings/refusals.ts'
import { countUnderstood } from '../greetings/understood.ts'
import { clientOptions, ownErrors, patiently } from '../telegram/api.ts'
import { watchFloods } from '../telegram/live-floods.ts'
import type { Storage } from '../telegram/storage.ts'
import type { BotContext } from './context.ts'
import type { PostingChannels } from './forecast.ts'
import { admin, showAdminMenus } from './features/admin.ts'
import { afterVideo } from './features/after-video.ts'
import { buttons } from './features/buttons.ts'
import { commands } from './features/commands.ts'
import { exactSpelling } from './features/exact-spelling.ts'
import { groups } from './features/groups.ts'
import { guest } from './features/guest.ts'
import { inline } from './features/inline.ts'
import { names } from './features/names.ts'
import { prepareHandler } from './handling.ts'
import { openIntake, type Intake } from './intake.ts'
import { chosenLanguages } from './languages.ts'
import { openLookups } from './lookups.ts'
import { createOutbox } from './outbox.ts'
import { createPerChat } from './per-chat.ts'
import { allowedUpdates, listenForWebhook, poll, whenAborted } from './updates.ts'
import { openPendingNotes } from './pending-note.ts'
import { introduce } from './profile.ts'
import { openWarmRuns } from './warm-runs.ts'
import type { RespondDeps } from './respond.ts'

/** What the bot needs. */
export interface BotParts extends Omit<RespondDeps, 'pendingNotes' | 'stop' | 'isAdmin'> {
  token: string
  apiRoot: string | undefined
  webhook: { url: string; secret: string | undefined; port: number } | undefined
  /** Telegram ids of those who run the bot */
  adminIds: readonly number[]
  /** the storage channels, of which the lists of admins take their time */
  storage: Pick<Storage, 'chatIds' | 'leftOut' | 'ratePerMinute'>
  /** the server at `apiRoot` runs in local mode and sees our files */
  apiLocal?: boolean
  /** where videos are posted, for how long people wait */
  channels: PostingChannels
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

/** Connections of the bot's own. All of them together cannot be taken by people at the door: the rest is for updates that are held. */
export const peopleConnections = 10
const atTheDoor = { atOnce: 6, forOneAsset: 3 }
/** For people in other chats, who do not wait. Telegram takes no answer to an old query. */
const elsewhere = { atOnce: 2, lateMs: 8_000 }

/** Two moments of a stop: take no update any more; then give up what is on its way. */
interface StopSignals {
  intake: AbortSignal
  send: AbortSignal
}

/** Starts the bot. @throws TelegramError when Telegram does not let it */
export async function startBot(parts: BotParts): Promise<RunningBot> {
  const { times } = parts
  const intakeStop = new AbortController()
  const sendStop = new AbortController()
  const signals: StopSignals = { intake: intakeStop.signal, send: sendStop.signal }
  setMaxListeners(0, signals.intake, signals.send) // every update that waits for the database, and every send in hand, listens
  const { bot, intake, outbox, warmRuns, stopWatching } = assemble(parts, signals.send)
  let ended: Promise<void>
  let presence: Presence
  try {
    await patiently(times, () => bot.init())
    ended = (await takeUpdates(bot, intake, parts, signals)).over
    ended.catch(() => undefined)
    presence = await announceBot(parts.door.db, times, parts.webhook === undefined ? 'polling' : 'webhook')
  } catch (error) {
    // What listens, or goes on looking at the database, would keep the process from ending.
    intakeStop.abort(error)
    await stopWatching()
    throw error
  }
  const trying = intake.keepTrying(signals.intake)
  warmRuns.look()
  // A refused token shows where updates are fetched.
  void introduce(bot.api, times).catch(() => undefined)
  void showAdminMenus(bot.api, { db: parts.door.db, times, adminIds: parts.adminIds }).catch(() => undefined)

  return {
    ended,
    abortNow: () => sendStop.abort(new Error('the bot stops')),
    async stop(stopMs) {
      intakeStop.abort(new Error('the bot takes no more updates'))
      const deadline = setTimeout(() => sendStop.abort(new Error('the bot stops')), stopMs)
      const finished = ended
        .catch(() => undefined)
        .then(() => Promise.all([trying, intake.idle()]))
        .then(() => outbox.idle())
      // A database that does not answer is not waited for: what it did not take was not confirmed.
      await Promise.race([finished, whenAborted(signals.send).then(() => sleep(times.handleMs))])
      clearTimeout(deadline)
      await Promise.all([stopWatching(), presence.leave()])
    },
  }
}

/** The bot with its features, and what it works with. It talks to nobody yet. */
function assemble(parts: BotParts, stop: AbortSignal) {
  const { token, apiRoot, adminIds, storage, times, log } = parts
  const door = { ...parts.door, gate: openGate(atTheDoor) }
  const { db, botId } = door
  const bot = new Bot<BotContext>(token, { client: clientOptions({ apiRoot }) })
  const floods = watchFloods({ db, times })
  bot.api.config.use(ownErrors(times), floods.transformer)
  const delivery = { ...parts.delivery, api: bot.api }
  const outbox = createOutbox({ api: bot.api, floods, times, log }, stop)
  const pendingNotes = openPendingNotes({ db, api: bot.api, times, floods, channels: parts.channels, stop })
  const handler = prepareHandler({ bot, outbox, chosen: chosenLanguages(db), stop, log })
  // In this order: `buttons` takes every tap and `names` every private message, so they come last.
  const isAdmin = (userId: number) => adminIds.includes(userId)
  const deps: RespondDeps = { ...parts, door, delivery, pendingNotes, isAdmin, stop }
  const elsewhereDeps = { ...deps, lookups: openLookups(elsewhere) }
  bot.use(inline(elsewhereDeps), guest(elsewhereDeps))
  const warmRuns = openWarmRuns({
    ...deps,
    // Not over the connections of people who ask.
    db: delivery.db,
    door: { ...parts.door, db: delivery.db },
    botId,
    api: bot.api,
    telegram: { token, apiRoot, local: parts.apiLocal === true, times },
    storage,
    times,
    log,
  })
  bot.use(
    admin({ ...deps, times, warmRuns }),
    commands(deps),
    groups(deps),
    exactSpelling(deps),
    afterVideo(deps),
    buttons(deps),
    names(deps),
  )
  // From the first update on: handlers tell what they understand and refuse.
  const counting = [countRefusals(db, times), countUnderstood(db, times)]
  const intake = openIntake({ db, botId, ...handler, handling: createPerChat(), times, log })
  const stopWatching = async () => {
    await pendingNotes.close()
    floods.close()
    await warmRuns.close()
    await Promise.all(counting.map((each) => each.close()))
  }
  return { bot, intake, outbox, warmRuns, stopWatching }
}

/** Begins to take updates. What it gives settles when that is over. */
async function takeUpdates(
  bot: Bot<BotContext>,
  intake: Intake,
  { webhook, times, log }: BotParts,
  signals: StopSignals,
): Promise<{ over: Promise<void> }> {
  if (webhook === undefined) {
    await patiently(times, () => bot.api.deleteWebhook())
    return { over: poll({ bot, intake, times, log }, signals.intake) }
  }
  const secret = webhook.secret ?? randomBytes(24).toString('base64url')
  const server = await listenForWebhook({ intake, log }, { port: webhook.port, secret })
  const over = whenAborted(signals.intake).then(() => server.close(signals.send))
  await patiently(times, () =>
    bot.api.setWebhook(webhook.url, { secret_token: secret, allowed_updates: [...allowedUpdates] }),
  )
  log.info({ port: server.port }, 'waiting for webhook calls on 127.0.0.1')
  return { over }
}
