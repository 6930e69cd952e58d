/** A database of its own for a test, on one embedded server that all test files share while they run. */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { openDatabase, type Database } from '../../src/db/database.ts'
import { joinServer } from '../../src/db/embedded/index.ts'
import { serverFolders } from '../../src/db/embedded/place.ts'
import { stopServer } from '../../src/db/embedded/by-hand.ts'
import { postgresMajor } from '../../src/db/postgres-binaries.ts'
import { openHome } from '../../src/home.ts'

/**
 * Makes and opens an empty, migrated database; `close` drops it. Its `url` can be given to a child process
 * as DATABASE_URL. The server's data folder is kept between runs, which saves making it (a second or two).
 */
export async function temporaryDatabase({ poolSize }: { poolSize?: number } = {}): Promise<Database> {
  const home = join(tmpdir(), `greetings-tests-${userInfo().username}-${postgresMajor}`)
  await openHome({ folder: home, create: true })
  const server = await joinServer(home, 'test')
  const name = `test_${randomUUID().replaceAll('-', '').slice(0, 16)}`
  await inPostgres(server.url('postgres'), `CREATE DATABASE ${name}`)
  const opened = await openDatabase({ home, databaseUrl: server.url(name), sandbox: false, role: 'test', poolSize })
  return {
    ...opened,
    close: async () => {
      await opened.close()
      for (const database of [name, `${name}_sandbox`])
        await inPostgres(server.url('postgres'), `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`)
      await server.close()
    },
  }
}

async function inPostgres(url: string, sql: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  await client.query(sql).finally(() => client.end())
}

/** A home of its own, removed with everything that belongs to it. For tests of the embedded server itself. */
export async function temporaryHome(): Promise<{ folder: string; remove(): Promise<void> }> {
  const parent = await mkdtemp(join(tmpdir(), 'greetings-home-'))
  const { folder } = await openHome({ folder: join(parent, '.greetings'), create: true })
  return {
    folder,
    remove: async () => {
      const stopped = await stopServer(folder)
      for (const each of [...(await serverFolders(folder)), parent]) await rm(each, { recursive: true, force: true })
      if (stopped.outcome === 'in use') throw new Error(`still in use by ${stopped.members.join(', ')}`)
    },
  }
}
