import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PostgresQueueBackend } from 'bullmq'
import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { connectClient, connectionConfig } from '../../src/db/connect.ts'
import { isDatabaseDown } from '../../src/db/database.ts'
import { openTestEnvironment, type TestEnvironment } from '../environment/test-environment.ts'

let town: TestEnvironment
beforeAll(async () => {
  town = await openTestEnvironment()
})
afterAll(() => town.close())

const wanted = {
  idle_in_transaction_session_timeout: '30s',
  tcp_keepalives_idle: '10',
  tcp_keepalives_interval: '5',
  tcp_keepalives_count: '3',
  tcp_user_timeout: '25000',
}
const settings = `SELECT name, current_setting(name) AS value FROM unnest('{${Object.keys(wanted).join(',')}}'::text[]) AS name`
const asObject = (rows: readonly { name: string; value: string }[]) =>
  Object.fromEntries(rows.map(({ name, value }) => [name, value]))

it('property 16: every connection of ours is ended when it freezes in a transaction, and when its other end is gone', async () => {
  const { db, database, queue } = town
  expect(asObject(await db.$queryRawUnsafe(settings)), 'of the pool').toEqual(wanted)
  const client = await connectClient({ connectionString: database.url })
  expect(asObject((await client.query<{ name: string; value: string }>(settings)).rows), 'of one alone').toEqual(wanted)
  await client.end()
  const { connection } = queue.queues.people.getBackend() as unknown as PostgresQueueBackend
  expect(
    asObject((await connection.pool.query<{ name: string; value: string }>(settings)).rows),
    'of the queue',
  ).toEqual(wanted)
  const listening = await connection.getListenClient()
  expect(
    asObject((await listening.query<{ name: string; value: string }>(settings)).rows),
    'of a worker that listens',
  ).toEqual(wanted)
})

it('a transaction in which nothing happens is ended, and what it held is free', async () => {
  const frozen = await connectClient(
    { connectionString: town.database.url },
    { idle_in_transaction_session_timeout: '200ms' },
  )
  const other = await connectClient({ connectionString: town.database.url }, { lock_timeout: '10s' })
  try {
    const lock = `SELECT 1 FROM "Installation" FOR UPDATE`
    await frozen.query('BEGIN')
    await frozen.query(lock)
    expect((await other.query(lock)).rowCount).toBe(1)
    const failure: unknown = await frozen.query('COMMIT').catch((error: unknown) => error)
    expect(isDatabaseDown(failure)).toBe(true)
    expect(isDatabaseDown({ code: '25P03' })).toBe(true)
  } finally {
    await Promise.all([other.end(), frozen.end().catch(() => undefined)])
  }
})

it('a connection whose settings are refused is not left open', async () => {
  const { url } = town.database
  const name = 'refused settings'
  const config = { connectionString: url, application_name: name }
  await expect(connectClient(config, { no_such_setting: '1' })).rejects.toThrow(/no_such_setting/)
  const pool = new pg.Pool(connectionConfig({ ...config, max: 1 }, { no_such_setting: '1' }))
  await expect(pool.query('SELECT 1')).rejects.toThrow(/no_such_setting/)
  await pool.end()
  await expect
    .poll(() => town.db.$queryRaw`SELECT pid FROM pg_stat_activity WHERE application_name = ${name}`)
    .toEqual([])
})

it('no other file opens connections past these settings', async () => {
  const folder = join(import.meta.dirname, '..', '..', 'src')
  const files = (await readdir(folder, { recursive: true })).filter(
    (file) => file.endsWith('.ts') && !file.includes('generated'),
  )
  const opening = []
  for (const file of files)
    if (
      /new pg\.|new Pool\(|new Client\(|extends pg\.|PrismaPg\(\s*\{/.test(await readFile(join(folder, file), 'utf8'))
    )
      opening.push(file)
  expect(opening).toEqual([join('db', 'connect.ts')])
})
