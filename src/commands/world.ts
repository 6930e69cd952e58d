/**
 * The world a command works in: home, sandbox or live, database, queue, Telegram. Opened and closed here. What only
 * some commands need is loaded when it is asked for, as loading takes most of the time of a command that only looks.
 */
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { openDatabase, type Db } from '../db/database.ts'
import { serverFolders } from '../db/embedded.ts'
import { uploadedRevisions } from '../greetings/assets.ts'
import { botText } from '../greetings/own-bot.ts'
import type { Ask } from '../greetings/ask.ts'
import type { RequestDeps } from '../greetings/request.ts'
import { findHome, openHome } from '../home.ts'
import type { Log } from '../log.ts'
import { openQueue, type GreetingsQueue } from '../queue/index.ts'
import type { RunningWorker } from '../queue/processors/worker.ts'
import type { Sandbox } from '../sandbox/life.ts'
import type { Api, BotIdentity } from '../telegram/api.ts'
import type { DeliveryDeps } from '../telegram/delivery.ts'
import type { ChannelFault } from '../telegram/channels.ts'
import type { Storage } from '../telegram/storage.ts'
import type { Revisions } from '../video/revisions.ts'
import type { Renderer } from '../video/renderer.ts'
import type { Template } from '../video/template.ts'
import { UsageFault } from './exit.ts'

/** Home and database: all there is to know while the queue is away. */
export interface Records {
  home: string
  db: Db
  /** @throws QueueUnreachable; DatabaseUnusable where a pooler stands before PostgreSQL */
  openQueue(): Promise<GreetingsQueue>
  /** Another pool of so many connections to the same database, closed with it. */
  openPool: (size: number) => Db
  close(): Promise<void>
}

/** Home, database and queue: what every command that looks at the state needs. */
export interface Store {
  home: string
  db: Db
  queue: GreetingsQueue
  openPool: Records['openPool']
  close(): Promise<void>
}

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

interface StoreOptions {
  config: Config
  log: Log
  sandbox: boolean
  /** the command's name, shown by PostgreSQL */
  role: string
  /** make a home when there is none */
  create: boolean
}

// Nearly unlimited: the sandbox has no flood limit unless it is told to.
const sandboxRatePerMinute = 60_000
/** What Telegram takes in one channel. */
export const telegramRatePerMinute = 20

/** The folder of the home, made when `create`. @throws HomeUnusable */
export async function openFolder(config: Config, create: boolean): Promise<string> {
  const found = await findHome({ explicit: config.home, cwd: process.cwd() })
  return (await openHome({ folder: found.folder, create })).folder
}

/** Where rendered files and what templates are made of are kept: shared by sandbox and live. */
export function renderFolders(home: string) {
  return { rendersFolder: join(home, 'renders'), cacheFolder: join(home, 'cache') }
}

/** Opens home and database. */
export async function openRecords({ config, log, sandbox, role, create }: StoreOptions): Promise<Records> {
  const home = await openFolder(config, create)
  const { db, url, openPool, close } = await openDatabase({
    home,
    databaseUrl: config.databaseUrl,
    keepFreeBytes: config.keepFreeBytes,
    sandbox,
    role,
    log,
  })
  return {
    home,
    db,
    async openQueue() {
      const { queueId } = await db.installation.findUniqueOrThrow({ where: { id: 1 } })
      return openQueue({ databaseUrl: url, redisUrl: config.redisUrl, queueId, jobLockMs: config.times.jobLockMs, log })
    },
    openPool,
    close,
  }
}

/** Opens home, database and queue. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { home, db, openQueue: open, openPool, close } = await openRecords(options)
  try {
    const queue = await open()
    return {
      home,
      db,
      queue,
      openPool,
      async close() {
        await queue.close().catch(() => undefined)
        await close()
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}

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
  const sandbox = options.sandbox
    ? await (
        await import('../sandbox/life.ts')
      ).openSandbox({
        folder: join(await openFolder(config, options.create), 'sandbox'),
        log,
        timeDivisor: config.timeDivisor,
      })
    : undefined
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
    for (const { chatId, problem } of faults) {
      log.error(
        { channel: given.indexOf(chatId) + 1, problem },
        'a storage channel is left out: correct its rights or STORAGE_CHAT_IDS; `greetings doctor` shows which',
      )
    }
    store = await openStore(options)
    const { db, queue } = store
    await adoptBot(db, bot, options.newBot === true)
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
    const delivery: DeliveryDeps = { db, api, queue, botId: bot.id, times, log }
    const door: RequestDeps = { db, queue, botId: bot.id, times, log }
    return { ...store, api, token, apiRoot, bot, sandbox, storage, delivery, door, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Without a token and without the sandbox a command that needs Telegram cannot begin. @throws UsageFault */
export function checkTelegramIsConfigured(config: Config, sandbox: boolean): void {
  if (sandbox || config.token !== undefined) return
  throw new UsageFault(
    'There is no bot to work with. Either set TELEGRAM_BOT_TOKEN to the token @BotFather gave you, or add --sandbox to try everything on this machine without Telegram.',
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

/** What to do where the database belongs to one bot and the token to another. */
export function otherBotText(botId: bigint | null, bot: string): string {
  return `This database belongs to the bot ${botId}, and the token is of another, ${bot}. Videos uploaded by one bot cannot be sent by another. Use the token of bot ${botId}, or another DATABASE_URL or GREETINGS_HOME, or hand this database over: \`greetings verify --new-bot\` takes every video over from the storage channels; with --new-bot on another command each is uploaded anew when it is asked for.`
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
      'There is no storage channel to upload to. In Telegram: create a private channel, add the bot as an administrator who may post messages, and set STORAGE_CHAT_IDS to its id (a number like -1001234567890; forward a post of the channel to a bot that shows ids, or look at the address of the channel in Telegram’s web client).',
    )
  }
  const { checkChannels } = await import('../telegram/channels.ts')
  const faults = await checkChannels(api, chatIds, bot.id)
  if (need !== 'any' && faults.length > 0 && faults.length === chatIds.length) {
    const lines = faults.map(({ chatId, problem }) => `  storage channel ${chatId}: ${problem}`)
    throw new UsageFault(
      [
        `The bot @${bot.username} cannot use ${faults.length === 1 ? 'its storage channel' : 'any of its storage channels'}:`,
        ...lines,
        'Make it an administrator with the right to post messages, or correct STORAGE_CHAT_IDS.',
      ].join('\n'),
    )
  }
  return faults
}

/** Where an operator's recordings of names lie: one folder for sandbox and live. */
export function recordingsFolderOf(config: Config, home: string): string {
  return config.recordingsFolder ?? join(home, 'recordings')
}

/** Where the database of this home grows on this host; nowhere when it is a server of one's own. */
export async function databaseFolders({ databaseUrl }: Config, home: string): Promise<string[]> {
  return databaseUrl === undefined ? serverFolders(home) : []
}

/** Templates, voice, recordings and ffmpeg of this host. With a store, uploaded renders give way when a disk lacks room. */
export async function openRendererOf(config: Config, home: string, store?: { db: Db; log: Log }): Promise<Renderer> {
  const room = store && {
    otherFolders: await databaseFolders(config, home),
    uploaded: (revisions: string[]) => uploadedRevisions(store.db, revisions),
    onRemoved: (removed: number) =>
      store.log.info({ removed }, 'the oldest uploaded files were removed, as a disk lacks room (KEEP_FREE_GB)'),
  }
  const { openRenderer } = await import('../video/renderer.ts')
  return openRenderer({
    ...renderFolders(home),
    room: { ...room, keepFreeBytes: config.keepFreeBytes },
    templatesFolder: config.templatesFolder,
    templateIds: config.templates,
    ffmpegPath: config.ffmpegPath,
    voice: config.voice,
    recordingsFolder: recordingsFolderOf(config, home),
  })
}

/** What a video of a name would be if this host made it now: by voice and recordings alone, nothing is made. */
export async function openRevisionsOf(config: Config, home: string): Promise<Revisions & { close(): Promise<void> }> {
  const [{ openSpeaker }, { createRevisions }] = await Promise.all([
    import('../speech/speaker.ts'),
    import('../video/revisions.ts'),
  ])
  const speaker = await openSpeaker(config.voice, tmpdir())
  return { ...createRevisions(speaker, recordingsFolderOf(config, home)), close: () => speaker.close() }
}

/** The same for a name that is asked for. */
export function revisionsOf(templates: readonly Template[], now: Revisions['now']): (ask: Ask) => Promise<string> {
  return async ({ template: id, key, display, say = null }) => {
    const template = templates.find((one) => one.id === id)
    return template === undefined ? '' : now(template, { key, display, say })
  }
}

/** Parallel renders of this host's worker. */
export function concurrencyOf(config: Config): number {
  return config.renderConcurrency ?? Math.min(8, availableParallelism())
}

/** A worker in this process. */
export async function startWorkerIn(
  world: Services,
  renderer: Renderer,
  config: Config,
  log: Log,
): Promise<RunningWorker> {
  const { db, queue, storage, delivery } = world
  const { startWorker } = await import('../queue/processors/worker.ts')
  return startWorker(
    { db, queue, storage, delivery, renderer, times: config.times, keepBytes: config.keepBytes, log },
    concurrencyOf(config),
  )
}
