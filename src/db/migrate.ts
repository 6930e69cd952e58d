/**
 * Brings a database to the schema of this program: applies the files under `prisma/migrations` that it
 * lacks, and keeps the same record as Prisma does, so that `prisma migrate deploy` and this agree.
 */
import { createHash, randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Client } from 'pg'
import { migrationsFolder } from '../installation.ts'
import { DatabaseUnusable } from './errors.ts'

/** The advisory lock that Prisma's own engine takes while it migrates. */
const prismaLock = 72_707_369

/** As Prisma makes it. */
const recordTable = `
CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
  id                  VARCHAR(36) PRIMARY KEY NOT NULL,
  checksum            VARCHAR(64) NOT NULL,
  finished_at         TIMESTAMPTZ,
  migration_name      VARCHAR(255) NOT NULL,
  logs                TEXT,
  rolled_back_at      TIMESTAMPTZ,
  started_at          TIMESTAMPTZ NOT NULL DEFAULT now(),
  applied_steps_count INTEGER NOT NULL DEFAULT 0
)`

interface Migration {
  name: string
  sql: string
  /** SHA-256 of the file, hexadecimal */
  checksum: string
}

/**
 * Applies what is missing, each migration in a transaction of its own under one lock; processes that come
 * at the same time wait and find it done. Costs two short queries when nothing is missing.
 * @returns the names of those applied now
 * @throws DatabaseUnusable when the database was migrated by a newer program, differs, or holds other tables
 */
export async function migrate(client: Client, folder = migrationsFolder): Promise<string[]> {
  const known = await readMigrations(folder)
  const applied: string[] = []
  if (missing(known, await readRecord(client)).length === 0) return applied
  for (;;) {
    const name = await applyNext(client, known)
    if (name === undefined) return applied
    applied.push(name)
  }
}

async function readMigrations(folder: string): Promise<Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  return Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(join(folder, name, 'migration.sql'), 'utf8')
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    }),
  )
}

interface RecordedMigration {
  migration_name: string
  checksum: string
  finished: boolean
}

async function readRecord(client: Client): Promise<RecordedMigration[]> {
  // Not to_regclass: after a wait for the lock it answers from a cache in which the table is still missing.
  const { rowCount } = await client.query(
    `SELECT 1 FROM pg_class WHERE relname = '_prisma_migrations' AND relnamespace = current_schema()::regnamespace`,
  )
  if (rowCount === 0) return []
  const { rows } = await client.query<RecordedMigration>(
    `SELECT migration_name, checksum, finished_at IS NOT NULL AS finished FROM "_prisma_migrations"
      WHERE rolled_back_at IS NULL`,
  )
  return rows
}

/** The migrations still to apply, in order. */
function missing(known: Migration[], record: RecordedMigration[]): Migration[] {
  for (const { migration_name, checksum, finished } of record) {
    const ours = known.find(({ name }) => name === migration_name)
    if (ours === undefined)
      throw new DatabaseUnusable(
        `The database was migrated by a newer version of this program (it has ${migration_name}). Use ` +
          'that version, or another database.',
      )
    if (!finished)
      throw new DatabaseUnusable(
        `The migration ${migration_name} was begun by another tool and not finished. Repair it with ` +
          '`npx prisma migrate resolve`.',
      )
    if (ours.checksum !== checksum)
      throw new DatabaseUnusable(
        `The migration ${migration_name} in the database is not the one of this version of the program. Use ` +
          'the version the database was made with, or another database.',
      )
  }
  return known.filter(({ name }) => !record.some(({ migration_name }) => migration_name === name))
}

async function applyNext(client: Client, known: Migration[]): Promise<string | undefined> {
  await client.query('BEGIN')
  try {
    // Held until COMMIT: a session's lock would not survive a connection pooler.
    await client.query('SELECT pg_advisory_xact_lock($1)', [prismaLock])
    const next = missing(known, await readRecord(client))[0]
    if (next !== undefined) {
      await client.query(recordTable)
      await client.query(next.sql)
      await client.query(
        `INSERT INTO "_prisma_migrations" (id, checksum, finished_at, migration_name, logs, rolled_back_at, started_at,
          applied_steps_count)
         VALUES ($1, $2, clock_timestamp(), $3, NULL, NULL, now(), 1)`,
        [randomUUID(), next.checksum, next.name],
      )
    }
    await client.query('COMMIT')
    return next?.name
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined)
    throw explain(error)
  }
}

function explain(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === '42P07' || code === '42710')
    return new DatabaseUnusable(
      'The database already holds tables of the same names that are not ours. Give this program a database of its own.',
      { cause: error },
    )
  if (code === '42501')
    return new DatabaseUnusable(
      'The database user may not create tables in the schema "public". GRANT it that right, or use another user.',
      { cause: error },
    )
  return error
}
