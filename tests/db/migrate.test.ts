import { createHash } from 'node:crypto'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import { DatabaseUnusable } from '../../src/db/errors.ts'
import { migrate } from '../../src/db/migrate.ts'
import { migrationsFolder } from '../../src/installation.ts'
import { temporaryDatabase } from '../environment/temporary-database.ts'

let database: Database
const clients: pg.Client[] = []
let folder: string
beforeAll(async () => {
  database = await temporaryDatabase()
})
afterAll(() => database.close())
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'greetings-migrations-'))
})
afterEach(async () => {
  for (const client of clients.splice(0)) await client.end()
  await rm(folder, { recursive: true, force: true })
})

/** A connection to the test's database, emptied first. */
async function emptyDatabase(): Promise<pg.Client> {
  const client = await connect()
  await client.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
  return client
}

async function connect(): Promise<pg.Client> {
  const client = new pg.Client(database.url)
  clients.push(client)
  await client.connect()
  return client
}

async function addMigration(name: string, sql: string): Promise<void> {
  await mkdir(join(folder, name))
  await writeFile(join(folder, name, 'migration.sql'), sql)
}

describe('migrate', () => {
  it('applies everything once, in order, whoever comes at the same time', async () => {
    const client = await emptyDatabase()
    await addMigration('2_second', 'ALTER TABLE one ADD COLUMN two int; INSERT INTO one VALUES (1, 2)')
    await addMigration('1_first', 'CREATE TABLE one (one int)')
    await writeFile(join(folder, 'migration_lock.toml'), '')
    const all = await Promise.all(
      [client, await connect(), await connect(), await connect()].map((each) => migrate(each, folder)),
    )
    expect(all.flat().sort()).toEqual(['1_first', '2_second'])
    expect((await client.query('SELECT * FROM one')).rows).toEqual([{ one: 1, two: 2 }])
    expect(await migrate(client, folder)).toEqual([])
  })

  it('keeps the record that Prisma would keep', async () => {
    const client = await emptyDatabase()
    await migrate(client)
    const { rows } = await client.query<Record<string, unknown>>(
      'SELECT * FROM _prisma_migrations ORDER BY migration_name',
    )
    const names = (await readdir(migrationsFolder, { withFileTypes: true }))
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
    expect(rows.map((row) => row['migration_name'])).toEqual(names.sort())
    for (const row of rows) {
      const file = await readFile(join(migrationsFolder, String(row['migration_name']), 'migration.sql'))
      expect(row).toMatchObject({
        checksum: createHash('sha256').update(file).digest('hex'),
        logs: null,
        rolled_back_at: null,
        applied_steps_count: 1,
      })
      expect(row['id']).toMatch(/^[0-9a-f-]{36}$/)
      expect(row['finished_at']).toBeInstanceOf(Date)
    }
  })

  it('leaves nothing of a migration that fails', async () => {
    const client = await emptyDatabase()
    await addMigration('1_first', 'CREATE TABLE one (one int)')
    await addMigration('2_second', 'CREATE TABLE two (two int); SELECT 1/0')
    await expect(migrate(client, folder)).rejects.toThrow(/division by zero/)
    const { rows } = await client.query(`SELECT relname FROM pg_class WHERE relname IN ('one', 'two')`)
    expect(rows).toEqual([{ relname: 'one' }])
    await writeFile(join(folder, '2_second', 'migration.sql'), 'CREATE TABLE two (two int)')
    expect(await migrate(client, folder)).toEqual(['2_second'])
  })

  it('refuses the database of a newer program, and changes nothing in it', async () => {
    const client = await emptyDatabase()
    await addMigration('1_first', 'CREATE TABLE one (one int)')
    await addMigration('2_of_the_future', 'CREATE TABLE two (two int)')
    await migrate(client, folder)
    await rm(join(folder, '2_of_the_future'), { recursive: true })
    await addMigration('1_more', 'CREATE TABLE more (more int)')
    await expect(migrate(client, folder)).rejects.toThrow(/newer version of this program \(it has 2_of_the_future\)/)
    expect((await client.query('SELECT 1 FROM _prisma_migrations')).rowCount).toBe(2)
  })

  it('refuses a changed migration, one that was not finished, and foreign tables', async () => {
    const client = await emptyDatabase()
    await addMigration('1_first', 'CREATE TABLE one (one int)')
    await client.query('CREATE TABLE one (theirs int)')
    await expect(migrate(client, folder)).rejects.toThrow(DatabaseUnusable)
    await client.query('DROP TABLE one')
    await migrate(client, folder)
    await client.query('UPDATE _prisma_migrations SET finished_at = NULL')
    await expect(migrate(client, folder)).rejects.toThrow(/not finished/)
    await client.query('UPDATE _prisma_migrations SET finished_at = now()')
    await writeFile(join(folder, '1_first', 'migration.sql'), 'CREATE TABLE one (other int)')
    await expect(migrate(client, folder)).rejects.toThrow(/not the one of this version/)
  })

  it('takes no notice of a migration that was rolled back', async () => {
    const client = await emptyDatabase()
    await cp(migrationsFolder, folder, { recursive: true })
    await migrate(client, folder)
    await client.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, rolled_back_at) VALUES ('x', 'x', 'x', now())`,
    )
    expect(await migrate(client, folder)).toEqual([])
  })
})

describe('the migrations of this project', () => {
  it('count the videos of an older database anew, by the bot they belong to', async () => {
    const client = await emptyDatabase()
    await cp(join(migrationsFolder, '20261124000000_init'), join(folder, '20261124000000_init'), { recursive: true })
    await migrate(client, folder)
    await client.query(
      `INSERT INTO "VideoAsset" (template, name, display, status, "telegramFileId", "telegramBotId") VALUES ('t', 'a', 'A', 'AVAILABLE', 'f', 1), ('t', 'b', 'B', 'AVAILABLE', 'f', 2), ('t', 'c', 'C', 'PENDING', NULL, NULL)`,
    )
    await migrate(client)
    await client.query(`UPDATE "VideoAsset" SET status = 'FAILED' WHERE name = 'c'`)
    const { rows } = await client.query(
      `SELECT status, "telegramBotId" AS bot, sum(count)::int AS count FROM "AssetCount" GROUP BY 1, 2 HAVING sum(count) <> 0 ORDER BY 1, 2`,
    )
    expect(rows).toEqual([
      { status: 'AVAILABLE', bot: '1', count: 1 },
      { status: 'AVAILABLE', bot: '2', count: 1 },
      { status: 'FAILED', bot: null, count: 1 },
    ])
  })
})
