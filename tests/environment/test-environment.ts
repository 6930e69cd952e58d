/**
 * What most tests run in: a database, a queue, a Bot API server with a bot
 * and a storage channel, all real but Telegram.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BotParts } from '../../src/bot/index.ts'
import { waitingTimes, type Times } from '../../src/config.ts'
import type { Database, Db } from '../../src/db/database.ts'
import type { Ask } from '../../src/greetings/ask.ts'
import type { RequestDeps } from '../../src/greetings/answer.ts'
import type { Person } from '../../src/greetings/requests.ts'
import { openHome } from '../../src/home.ts'
import { openQueue, type GreetingsQueue } from '../../src/queue/index.ts'
import { sandboxControl, type SandboxControl } from '../../src/sandbox/client.ts'
import { startSandboxServer, type SandboxServer } from '../../src/sandbox/server.ts'
import { connectTelegram, type Api } from '../../src/telegram/api.ts'
import type { DeliveryDeps } from '../../src/telegram/delivery.ts'
import type { Storage } from '../../src/telegram/storage.ts'
import { parseName } from '../../src/names/name.ts'
import { loadShippedNames, type KnownNames } from '../../src/understanding/known-names.ts'
import { temporaryDatabase } from './temporary-database.ts'
import { startRedis, type TestRedis } from './redis.ts'

export const quietLog = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

/** A bot of this environment, which knows the names that ship. */
export const botParts = (town: TestEnvironment, more: Partial<BotParts> = {}): BotParts => ({
  token: town.token,
  apiRoot: town.server.url,
  webhook: undefined,
  door: town.door,
  delivery: town.delivery,
  channels: { usable: () => town.storage.chatIds, ratePerMinute: town.storage.ratePerMinute },
  templateFor: ({ script }) => (['Cyrillic', 'Latin'].includes(script) ? { id: 'tiny' } : undefined),
  nameRules: {},
  known: town.known,
  adminIds: [],
  storage: town.storage,
  times: town.times,
  log: quietLog,
  ...more,
})

/** Times fifty times shorter than in life. */
const usualDivisor = 50

export interface TestEnvironment {
  folder: string
  database: Database
  db: Db
  queue: GreetingsQueue
  redis: TestRedis | undefined
  server: SandboxServer
  telegram: SandboxControl
  token: string
  botId: bigint
  channelId: number
  api: Api
  times: Times
  door: RequestDeps
  delivery: DeliveryDeps
  storage: Storage
  /** the names that ship */
  known: KnownNames
  /** what a child process needs to run in this environment */
  env: Record<string, string>
  close(): Promise<void>
}

interface TestEnvironmentPlan {
  queueMode?: 'postgresql' | 'redis'
  channels?: number
  timeDivisor?: number
  /** a database of the test's own; it is closed with the environment */
  ownDatabase?: Database
  /** a Redis that writes everything down, to be restarted */
  keepRedis?: boolean
  /** posts a minute to a channel; as good as unlimited unless given */
  channelRate?: number
  /** for commands that need a home and make none */
  home?: boolean
}

export async function openTestEnvironment({
  queueMode = 'postgresql',
  channels = 1,
  timeDivisor = usualDivisor,
  ownDatabase,
  keepRedis = false,
  channelRate = 60_000,
  home = false,
}: TestEnvironmentPlan = {}): Promise<TestEnvironment> {
  const folder = await mkdtemp(join(tmpdir(), 'greetings-town-'))
  if (home) await openHome({ folder: join(folder, 'home'), create: true })
  const database = ownDatabase ?? (await temporaryDatabase())
  const { db } = database
  const redis = queueMode === 'redis' ? await startRedis({ keep: keepRedis }) : undefined
  const { queueId } = await db.installation.findUniqueOrThrow({ where: { id: 1 } })
  const queue = await openQueue({ databaseUrl: database.url, redisUrl: redis?.url, queueId, log: quietLog })
  const server = await startSandboxServer({ folder: join(folder, 'telegram'), timeDivisor })
  const telegram = sandboxControl(server.url)
  const bot = await telegram.registerBot({ username: 'greetings_test_bot' })
  const botId = BigInt(bot.id)
  const channelIds: number[] = []
  for (let n = 0; n < channels; n++)
    channelIds.push(await telegram.createChannel({ title: `storage ${n + 1}`, admins: [bot.id] }))
  const times = waitingTimes(timeDivisor)
  const api = connectTelegram({ token: bot.token, apiRoot: server.url, times })
  const delivery: DeliveryDeps = { db, api, queue, botId, times, log: quietLog }
  return {
    folder,
    database,
    db,
    queue,
    redis,
    server,
    telegram,
    token: bot.token,
    botId,
    channelId: channelIds[0] ?? 0,
    api,
    times,
    door: { db, queue, botId, times, log: quietLog },
    delivery,
    known: await loadShippedNames(),
    storage: {
      db,
      api,
      chatIds: channelIds.map(String),
      leftOut: new Map(),
      ratePerMinute: channelRate,
      times,
      log: quietLog,
    },
    env: {
      PATH: process.env.PATH ?? '',
      HOME: folder,
      GREETINGS_HOME: join(folder, 'home'),
      TELEGRAM_BOT_TOKEN: bot.token,
      TELEGRAM_API_ROOT: server.url,
      STORAGE_CHAT_IDS: channelIds.join(','),
      DATABASE_URL: database.url,
      ...(redis === undefined ? {} : { REDIS_URL: redis.url }),
      TEMPLATES: 'tiny',
      TEMPLATES_FOLDER: join(import.meta.dirname, '..', 'fixtures', 'templates'),
      TIME_DIVISOR: String(timeDivisor),
      CHANNEL_RATE: String(channelRate),
      STOP_SECONDS: '2',
    },
    async close() {
      await queue.close()
      await server.close()
      await database.close()
      await redis?.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A name as it is asked for, of the tiny template. */
export function ask(text: string): Ask {
  const parsed = parseName(text)
  if (!parsed.ok) throw new Error(`${text} is not a name: ${parsed.reason}`)
  return { template: 'tiny', key: parsed.name.key, display: parsed.name.display }
}

let updates = 1
/** A person, and an update of theirs that was never seen before. */
export function person(id: number, updateId = updates++): Person {
  return { userId: BigInt(id), chatId: BigInt(id), language: 'ru', updateId }
}

/** Waits for a condition of the database: looked at again and again, as nothing there tells of changes. */
export async function until<T>(
  look: () => Promise<T | undefined | null | false>,
  what: string,
  timeoutMs = 20_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== null && found !== false) return found
    if (Date.now() > deadline) throw new Error(`${what} did not happen within ${timeoutMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 15))
  }
}
