/** Home, database and queue: what commands that only look at the state open. */
import type { Config } from '../config.ts'
import { openDatabase, type Db } from '../db/database.ts'
import type { Log } from '../log.ts'
import type { GreetingsQueue } from '../queue/index.ts'
import { openFolder } from './folders.ts'

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

/** How a store is opened. */
export interface StoreOptions {
  config: Config
  log: Log
  sandbox: boolean
  /** the command's name, shown by PostgreSQL */
  role: string
  /** make a home when there is none */
  create: boolean
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
      // BullMQ is loaded for commands that look at the queue only.
      const [{ openQueue }, { queueId }] = await Promise.all([
        import('../queue/index.ts'),
        db.installation.findUniqueOrThrow({ where: { id: 1 } }),
      ])
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
