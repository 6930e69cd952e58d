/** The database as commands see it: opened, migrated, closed. */
import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { connectClient, connectionConfig } from './connect.ts'
import { Prisma, PrismaClient } from './generated/client.ts'
import { joinServer } from './embedded/index.ts'
import type { DatabaseLog } from './embedded/data.ts'
import { codeOf, DatabaseUnreachable, DatabaseUnusable, isDatabaseDown, isWriteConflict } from './errors.ts'
import { migrate } from './migrate.ts'

export { DatabaseUnreachable, DatabaseUnusable, isDatabaseDown, isDatabaseTrouble } from './errors.ts'

/** A piece of SQL that several statements share. */
export const sql = Prisma.sql

/** What everything below a command gets. */
export type Db = PrismaClient

/** The same inside a transaction. */
export type Tx = Prisma.TransactionClient

/** An open database. */
export interface Database {
  db: Db
  /** address of PostgreSQL, password included: for the queue's PostgreSQL backend, never for a log */
  url: string
  /**
   * Another pool of so many connections, closed with this database: whoever
   * waits in one keeps nobody waiting in the other.
   */
  openPool: (size: number) => Db
  /** Closes the pools and, as the last member of an embedded server, stops that. Never throws. */
  close(): Promise<void>
}

/** The embedded server's database; the sandbox's has `_sandbox` behind. */
const defaultName = 'greetings'
const oldestServer = 140_000

/**
 * Opens the database of `databaseUrl`, or the embedded one of `home` (which must exist); in the sandbox
 * the one beside it that is called `<name>_sandbox`, made when missing. Migrates it and ensures the one
 * `Installation` row.
 * @throws DatabaseUnreachable exit code 3
 * @throws DatabaseUnusable exit code 2
 */
export async function openDatabase({
  home,
  databaseUrl,
  sandbox,
  role,
  poolSize = 10,
  keepFreeBytes,
  log,
}: {
  home: string
  databaseUrl: string | undefined
  sandbox: boolean
  /** the command's name: shown by PostgreSQL, and by `db stop` when the server is in use */
  role: string
  /** connections of this process, beside those of the queue */
  poolSize?: number
  /** what has to stay free on the embedded server's disk, see `reserveOf` */
  keepFreeBytes?: number | undefined
  log?: DatabaseLog
}): Promise<Database> {
  if (databaseUrl !== undefined) {
    const live = new URL(databaseUrl)
    checkSchema(live)
    const url = sandbox ? beside(live) : live
    const create = sandbox ? [live, inDatabase(live, 'postgres')] : []
    return connect(
      url,
      { create, role, poolSize, log, remedy: 'Check DATABASE_URL and that the server runs.' },
      async () => undefined,
    )
  }
  const server = await joinServer(home, role, { log, keepFreeBytes })
  try {
    const url = new URL(server.url(sandbox ? `${defaultName}_sandbox` : defaultName))
    return await connect(
      url,
      { create: [inDatabase(url, 'postgres')], role, poolSize, log, remedy: 'Run `greetings doctor`.' },
      () => server.close(),
    )
  } catch (error) {
    await server.close()
    throw error
  }
}

async function connect(
  url: URL,
  {
    create,
    role,
    poolSize,
    log,
    remedy,
  }: { create: URL[]; role: string; poolSize: number; log: DatabaseLog | undefined; remedy: string },
  leave: () => Promise<void>,
): Promise<Database> {
  try {
    await prepare(url, create, role)
  } catch (error) {
    throw explain(error, url, remedy)
  }
  const pools: Db[] = []
  function openPool(size: number): Db {
    // The adapter listens for errors of idle connections: they are dropped and replaced by the next query.
    const adapter = new PrismaPg(
      connectionConfig({
        connectionString: url.href,
        max: size,
        application_name: `greetings ${role}`,
        connectionTimeoutMillis: 15_000,
      }),
      { onPoolError: (error) => log?.warn(`A database connection was lost: ${error.message}`) },
    )
    // Prisma's longer messages quote arguments, among them names.
    const pool = new PrismaClient({ adapter, errorFormat: 'minimal' })
    pools.push(pool)
    return pool
  }
  let closed: Promise<void> | undefined
  return {
    db: openPool(poolSize),
    url: url.href,
    openPool,
    close: () =>
      (closed ??= (async () => {
        await Promise.all(
          pools.map((pool) =>
            pool
              .$disconnect()
              .catch((error: unknown) => log?.warn(`The database was not closed cleanly: ${String(error)}`)),
          ),
        )
        await leave()
      })()),
  }
}

/** Everything before the first query: the database itself, its tables, its one row. */
async function prepare(url: URL, create: URL[], role: string): Promise<void> {
  const client = await connectOrCreate(url, create, role)
  try {
    const { rows } = await client.query<{ version: number }>(
      `SELECT current_setting('server_version_num')::int AS version`,
    )
    const version = rows[0]?.version ?? 0
    if (version < oldestServer)
      throw new DatabaseUnusable(
        `The database is PostgreSQL ${Math.floor(version / 10_000)}; this program needs 14 or later.`,
      )
    await migrate(client)
    await client.query(`INSERT INTO "Installation" ("id") VALUES (1) ON CONFLICT DO NOTHING`)
  } finally {
    await client.end()
  }
}

async function connectOrCreate(url: URL, create: URL[], role: string): Promise<pg.Client> {
  try {
    return await connectOnce(url, role)
  } catch (error) {
    if (codeOf(error) !== '3D000' || create.length === 0) throw error
  }
  const admin = await firstOf(create, role)
  const name = decodeURIComponent(url.pathname.slice(1))
  try {
    await admin.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`)
  } catch (error) {
    if (codeOf(error) === '42501') {
      throw new DatabaseUnusable(
        `The sandbox's database "${name}" is missing and this user may not create it. Create it by hand ` +
          `(CREATE DATABASE ${pg.escapeIdentifier(name)}), or give the user the right: ALTER ROLE … CREATEDB.`,
        { cause: error },
      )
    }
    // Somebody else made it in the same moment.
    if (codeOf(error) !== '42P04' && codeOf(error) !== '23505') throw error
  } finally {
    await admin.end()
  }
  return connectOnce(url, role)
}

/** A connection to the first of the databases that exists. */
async function firstOf(urls: URL[], role: string): Promise<pg.Client> {
  for (const [i, url] of urls.entries()) {
    try {
      return await connectOnce(url, role)
    } catch (error) {
      if (codeOf(error) !== '3D000' || i === urls.length - 1) throw error
    }
  }
  throw new Error('no database to create another one from')
}

function connectOnce(url: URL, role: string): Promise<pg.Client> {
  return connectClient({
    connectionString: url.href,
    application_name: `greetings ${role}`,
    connectionTimeoutMillis: 10_000,
  })
}

function beside(live: URL): URL {
  const name = decodeURIComponent(live.pathname.slice(1)) || decodeURIComponent(live.username) || 'postgres'
  return inDatabase(live, `${name}_sandbox`)
}

function inDatabase(url: URL, name: string): URL {
  const other = new URL(url)
  other.pathname = `/${encodeURIComponent(name)}`
  return other
}

/** Prisma's own URLs may name a schema; pg would ignore it and use another one than expected. */
function checkSchema(url: URL): void {
  const schema = url.searchParams.get('schema')
  if (schema !== null && schema !== 'public')
    throw new DatabaseUnusable(
      `DATABASE_URL names the schema "${schema}", and only "public" is supported. Use a database of its own instead.`,
    )
}

function explain(error: unknown, url: URL, remedy: string): unknown {
  if (error instanceof DatabaseUnusable || error instanceof DatabaseUnreachable) return error
  const where = `${url.host}${url.pathname}`
  const code = codeOf(error)
  if (code === '3D000')
    return new DatabaseUnusable(
      `The database ${where} does not exist. Create it (createdb), or correct DATABASE_URL.`,
      { cause: error },
    )
  if (code === '28P01' || code === '28000')
    return new DatabaseUnusable(
      `The database ${where} refuses the user or the password (${code}). Correct DATABASE_URL.`,
      { cause: error },
    )
  if (isDatabaseDown(error))
    return new DatabaseUnreachable(
      `The database ${where} cannot be reached ` +
        `(${code ?? (error instanceof Error ? error.message : 'no reason given')}). ${remedy}`,
      { cause: error },
    )
  return error
}

/** Times a transaction is tried again after it lost against others. */
const retries = 12

/**
 * Runs `work` in a Serializable transaction, again with jitter while it loses against others, so it may
 * run several times: nothing in it may reach outside the transaction.
 */
export async function serializable<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await db.$transaction(work, { isolationLevel: 'Serializable', maxWait: 15_000, timeout: 15_000 })
    } catch (error) {
      if (attempt >= retries || !isWriteConflict(error)) throw error
      await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(10 * 2 ** attempt, 500)))
    }
  }
}
