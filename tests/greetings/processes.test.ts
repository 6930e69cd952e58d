/** Who is alive: by a heartbeat, and on the same machine by the process itself. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { waitingTimes } from '../../src/config.ts'
import type { Database, Db } from '../../src/db/database.ts'
import { announceBot, announceWorker, liveBots, liveWorkers, rivalPollers } from '../../src/greetings/workers.ts'
import { temporaryDatabase } from '../environment/temporary-database.ts'
import { until } from '../environment/test-environment.ts'

const times = waitingTimes(50)

let database: Database
let db: Db
beforeAll(async () => {
  database = await temporaryDatabase()
  db = database.db
})
afterAll(() => database.close())
beforeEach(() => db.$executeRaw`TRUNCATE "WorkerProcess", "BotProcess"`)

const ago = (ms: number) => new Date(Date.now() - ms)
const elsewhere = (id: string) => ({ id, host: id, pid: 1, machine: 'another' })

it('a worker tells what it does until it leaves', async () => {
  let rendering = 1
  const presence = await announceWorker(db, times, {
    id: 'w',
    concurrency: 2,
    load: () => ({ rendering, uploading: 3 }),
  })
  expect(await liveWorkers(db, times)).toMatchObject([
    { id: 'w', pid: process.pid, concurrency: 2, rendering: 1, uploading: 3 },
  ])
  rendering = 2
  await until(async () => (await liveWorkers(db, times))[0]?.rendering === 2, 'the next beat')
  await presence.leave()
  expect(await db.workerProcess.count()).toBe(0)
})

it('a bot tells how it takes updates until it leaves', async () => {
  const presence = await announceBot(db, times, 'webhook')
  expect(await liveBots(db, times)).toMatchObject([{ pid: process.pid, mode: 'webhook' }])
  await presence.leave()
  expect(await db.botProcess.count()).toBe(0)
})

it('what was killed on this machine is gone at once', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  const bot = await announceBot(db, times, 'polling')
  const { machine } = await db.botProcess.findFirstOrThrow()
  await bot.leave()
  const row = { host: 'here', pid: child.pid ?? 0, machine, seenAt: ago(-3_600_000) }
  await db.workerProcess.create({ data: { id: 'w', concurrency: 2, rendering: 2, ...row } })
  await db.botProcess.create({ data: { id: 'b', mode: 'polling', ...row } })
  expect([await liveWorkers(db, times), await liveBots(db, times)]).toMatchObject([
    [{ id: 'w', rendering: 2 }],
    [{ id: 'b' }],
  ])
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
  expect([await liveWorkers(db, times), await liveBots(db, times)]).toEqual([[], []])
  // The same id in another place tells nothing about this one.
  await db.workerProcess.updateMany({ data: { machine: 'another' } })
  expect(await liveWorkers(db, times)).toHaveLength(1)
})

it('what was killed or stands still elsewhere is silent within seconds, renders nothing, and is gone after some more', async () => {
  const life = waitingTimes(1)
  await db.workerProcess.create({
    data: { ...elsewhere('w'), concurrency: 2, rendering: 2, uploading: 1, seenAt: ago(11_000) },
  })
  expect(await liveWorkers(db, life)).toMatchObject([{ rendering: 2, uploading: 1, silent: false }])
  await db.workerProcess.updateMany({ data: { seenAt: ago(13_000) } })
  const [silent] = await liveWorkers(db, life)
  expect(silent).toMatchObject({ rendering: 0, uploading: 0, silent: true })
  expect(silent?.seenSeconds).toBeGreaterThan(12.9)
  await db.workerProcess.updateMany({ data: { seenAt: ago(21_000) } })
  expect(await liveWorkers(db, life)).toEqual([])
})

it('names bots that fetch updates at the same time, and no other', async () => {
  const bot = (id: string, mode: string, more: object = {}) =>
    db.botProcess.create({ data: { ...elsewhere(id), mode, seenAt: ago(-3_600_000), ...more } })
  await bot('a', 'polling', { startedAt: ago(2_000) })
  await bot('b', 'webhook')
  await bot('c', 'webhook')
  await bot('d', 'polling', { seenAt: ago(times.workerGoneMs - 200) })
  expect(rivalPollers(await liveBots(db, times))).toEqual([])
  await bot('e', 'polling', { pid: 7 })
  expect(rivalPollers(await liveBots(db, times))).toEqual(['a, pid 1', 'e, pid 7'])
})
