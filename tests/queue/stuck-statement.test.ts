import { setImmediate as turn } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { openTestEnvironment, type TestEnvironment } from '../environment/test-environment.ts'

let town: TestEnvironment
let other: pg.Client
beforeAll(async () => {
  town = await openTestEnvironment({ channels: 0 })
  other = new pg.Client(town.database.url)
  await other.connect()
})
afterEach(() => vi.useRealTimers())
afterAll(async () => {
  await other.end()
  await town.close()
})

it('on PostgreSQL a statement that gets no answer is given up after a minute, whoever asked it', async () => {
  const { rows } = await other.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE tablename = 'job'`,
  )
  await town.queue.queues.warm.getJobCounts() // a connection is there
  await other.query('BEGIN')
  await other.query(`LOCK TABLE ${rows[0]?.name}`)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  let isOver = false
  // As bull-board asks, past our own limits.
  const over = town.queue.queues.warm.getJobCounts().then(
    () => 'answered',
    () => ((isOver = true), 'given up'),
  )
  const waiting = async () =>
    (
      await other.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      )
    ).rowCount
  while (!((await waiting()) ?? 0)) await turn()
  await vi.advanceTimersByTimeAsync(59_000)
  await waiting()
  expect(isOver).toBe(false)
  await vi.advanceTimersByTimeAsync(2_000)
  await waiting()
  expect(isOver).toBe(true)
  await other.query('ROLLBACK')
  expect(await over).toBe('given up')
})
