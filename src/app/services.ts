/**
 * All that a command needs that talks to Telegram: store, sandbox or live bot, channels. Opened
 * and closed here. What only some commands need is loaded when it is asked for, as loading takes
 * most of the time of a command that only looks.
 */
import { join } from 'node:path'
import type { Config } from '../config.ts'
import type { Db } from '../db/database.ts'
import { botText, otherBotText } from '../greetings/own-bot.ts'
import type { RequestDeps } from '../greetings/answer.ts'
import type { Log } from '../log.ts'
import type { RunningWorker } from '../queue/processors/worker.ts'
import type { Sandbox } from '../sandbox/process/open-sandbox.ts'
import type { Api, BotIdentity } from '../telegram/api.ts'
import type { DeliveryDeps } from '../telegram/delivery.ts'
import type { ChannelFault } from '../telegram/channels.ts'
import { telegramRatePerMinute } from '../telegram/flood.ts'
import type { Storage } from '../telegram/storage.ts'
import type { Renderer } from '../video/renderer.ts'
import { UsageFault } from '../terminal/exit.ts'
import { openFolder } from './folders.ts'
import { concurrencyOf } from './renderer.ts'
import { openStore, type Store, type StoreOptions } from './store.ts'

/** A store, and the bot that serves from it. */
export interface Services extends Store {
  api: Api
  token: string
  apiRoot: string | undefined
  bot: BotIdentity
  sandbox: Sandbox | undefined
  storage: Storage
  door: RequestDeps
  delivery: DeliveryDeps
}

// Nearly unlimited: the sandbox has no flood limit unless it is told to.
const sandboxRatePerMinute = 60_000

/**
 * What a command needs of the storage channels: one that takes posts; that, where there are any; or nothing, as hits
 * are sent without them.
 */
type ChannelNeed = 'needed' | 'usable' | 'any'

/**
 * Opens everything. Without a token and without `--sandbox`, and without a channel that the command needs, nothing is
 * made and the message says what to do.
 * @throws UsageFault, HomeUnusable, DatabaseUnreachable, QueueUnreachable, TelegramError
 */
export async function openServices(
  options: StoreOptions & { newBot?: boolean; channels?: ChannelNeed },
): Promise<Services> {
  const { config, log, channels: need = 'any' } = options
  checkTelegramIsConfigured(config, options.sandbox)
  const { connectTelegram, patiently, whoAmI } = await import('../telegram/api.ts')
  const sandbox = options.sandbox ? await openSandboxOf(options) : undefined
  let store: Store | undefined
  const close = async () => {
    await store?.close()
    await sandbox?.close()
  }
  try {
    const token = sandbox?.token ?? config.token ?? ''
    const apiRoot = sandbox?.url ?? config.apiRoot
    // The sandbox takes files as Telegram does, whatever the server of one's own can do.
    const api = connectTelegram({
      token,
      apiRoot,
      local: sandbox === undefined && config.apiLocal,
      times: config.times,
    })
    const bot = await patiently(config.times, () => whoAmI(api))
    const given = sandbox === undefined ? config.storageChatIds : [sandbox.storageChatId]
    // Before anything is made or handed over: who is sent away for this must find all as it was.
    const faults = await patiently(config.times, () => faultsOfChannels(api, given, bot, need))
    for (const { chatId, problem } of faults)
      log.error(
        { channel: given.indexOf(chatId) + 1, problem },
        'a storage channel is left out: correct its rights or STORAGE_CHAT_IDS; `greetings doctor` shows which',
      )
    store = await openStore(options)
    const { db, queue } = store
    await adoptBot(db, bot, options.newBot ?? false)
    const { times } = config
    const storage: Storage = {
      db,
      api,
      chatIds: given,
      leftOut: new Map(faults.map(({ chatId, problem }) => [chatId, problem])),
      ratePerMinute:
        config.channelRatePerMinute ?? (sandbox === undefined ? telegramRatePerMinute : sandboxRatePerMinute),
      times,
      log,
    }
    const delivery: DeliveryDeps = { db, api, queue, botId: bot.id, bot, times, log }
    const door: RequestDeps = { db, queue, botId: bot.id, times, log }
    return { ...store, api, token, apiRoot, bot, sandbox, storage, delivery, door, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function openSandboxOf({ config, log, create }: StoreOptions): Promise<Sandbox> {
  const { openSandbox } = await import('../sandbox/process/open-sandbox.ts')
  const folder = join(await openFolder(config, create), 'sandbox')
  return openSandbox({ folder, log, timeDivisor: config.timeDivisor })
}

/** Without a token and without the sandbox a command that needs Telegram cannot begin. @throws UsageFault */
export function checkTelegramIsConfigured(config: Config, sandbox: boolean): void {
  if (sandbox || config.token !== undefined) return
  throw new UsageFault(
    'There is no bot to work with. Either set TELEGRAM_BOT_TOKEN to the token @BotFather gave you, or ' +
      'add --sandbox to try everything on this machine without Telegram.',
  )
}

/** A database serves one bot: a `file_id` is worth nothing to another. */
async function adoptBot(db: Db, bot: BotIdentity, newBot: boolean): Promise<void> {
  const data = { botId: bot.id, botUsername: bot.username }
  await db.installation.updateMany({ where: { id: 1, OR: [{ botId: null }, { botId: bot.id }] }, data })
  const { botId } = await db.installation.findUniqueOrThrow({ where: { id: 1 } })
  if (botId === bot.id) return
  if (!newBot) throw new UsageFault(otherBotText(botId, botText(bot)))
  await db.installation.update({ where: { id: 1 }, data })
}

/** The channels in which the bot may not post. @throws UsageFault when the command cannot go on without them */
async function faultsOfChannels(
  api: Api,
  chatIds: string[],
  bot: BotIdentity,
  need: ChannelNeed,
): Promise<ChannelFault[]> {
  if (need === 'needed' && chatIds.length === 0) {
    throw new UsageFault(
      'There is no storage channel to upload to. In Telegram: create a private channel, add the bot as an ' +
        'administrator who may post messages, and set STORAGE_CHAT_IDS to its id (a number like ' +
        '-1001234567890; forward a post of the channel to a bot that shows ids, or look at the address of ' +
        'the channel in Telegram’s web client).',
    )
  }
  const { checkChannels } = await import('../telegram/channels.ts')
  const faults = await checkChannels(api, chatIds, bot.id)
  if (need !== 'any' && faults.length > 0 && faults.length === chatIds.length) {
    const lines = faults.map(({ chatId, problem }) => `  storage channel ${chatId}: ${problem}`)
    throw new UsageFault(
      [
        `The bot @${bot.username} cannot use ` +
          (faults.length === 1 ? 'its storage channel' : 'any of its storage channels') +
          ':',
        ...lines,
        'Make it an administrator with the right to post messages, or correct STORAGE_CHAT_IDS.',
      ].join('\n'),
    )
  }
  return faults
}

/** A worker in this process; one that `prepares` makes at once what the videos of each template share. */
export async function startWorkerIn(
  { storage, delivery }: Services,
  renderer: Renderer,
  config: Config,
  log: Log,
  { prepares = false }: { prepares?: boolean } = {},
): Promise<RunningWorker> {
  const { startWorker } = await import('../queue/processors/worker.ts')
  return startWorker(
    { storage, delivery, renderer, times: config.times, keepBytes: config.keepBytes, prepares, log },
    concurrencyOf(config),
  )
}
