/** Commands that remove, and the reconciler, meet people who ask in the same moment. */
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { claim, giveUpUnlessWanted } from '../../src/greetings/assets.ts'
import { noteOutage, currentOutages } from '../../src/greetings/outages.ts'
import { Outage } from '../../src/errors.ts'
import { reconcile } from '../../src/greetings/reconcile.ts'
import { request } from '../../src/greetings/request.ts'
import { takeBack } from '../../src/greetings/upkeep/cancel.ts'
import { ask, openTestEnvironment, person, until, type TestEnvironment } from '../environment/test-environment.ts'

let town: TestEnvironment
let other: pg.Client
beforeAll(async () => {
  town = await openTestEnvironment()
  other = new pg.Client(town.database.url)
  await other.connect()
})
afterAll(async () => {
  await other.end()
  await town.close()
})
beforeEach(async () => {
  await town.db.userRequest.deleteMany()
  await town.db.videoAsset.deleteMany()
  await town.db.outage.deleteMany()
})

/** How many wait for a lock in the town's database. */
async function waitForBlocked(many: number): Promise<void> {
  await until(async () => {
    const [row] = await town.db.$queryRaw<
      { count: bigint }[]
    >`SELECT count(*) AS count FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
    return Number(row?.count) === many
  }, `${many} waiting for a lock`)
}

const ready = (name: string) =>
  town.db.videoAsset.create({
    data: {
      template: 'tiny',
      name: ask(name).key,
      display: ask(name).display,
      status: 'AVAILABLE',
      telegramFileId: 'file',
      telegramFileUniqueId: 'unique',
      telegramBotId: town.botId,
    },
  })

it('a name that is taken back stays for whoever subscribed in that moment', async () => {
  await request(town.door, [ask('Маша'), ask('Петя')])
  const { id } = await town.db.videoAsset.findFirstOrThrow({ where: { name: ask('Маша').key } })
  await town.db.user.create({ data: { id: 1n, language: 'ru' } })
  await other.query('BEGIN')
  await other.query('SELECT 1 FROM "VideoAsset" WHERE id = $1 FOR SHARE', [id])
  await other.query(
    `INSERT INTO "UserRequest" ("userId", "assetId", "chatId", language, "botId", "updateId") VALUES (1, $1, 1, 'ru', $2, 1)`,
    [id, town.botId],
  )
  const taking = takeBack(town)
  await waitForBlocked(1)
  await other.query('COMMIT')
  expect(await taking).toBe(1)
  expect(await town.db.videoAsset.findMany({ select: { id: true, status: true } })).toEqual([{ id, status: 'PENDING' }])
})

it('an asset is not given up when somebody subscribes in that moment', async () => {
  await request(town.door, [ask('Маша')])
  const { id, generation } = await town.db.videoAsset.findFirstOrThrow()
  const asset = await claim(town.db, { assetId: id, generation }, 'me', 60_000)
  if (asset === undefined) throw new Error('could not claim')
  const reason = { errorClass: 'storage', errorText: 'nowhere' }
  await town.db.user.upsert({ where: { id: 1n }, create: { id: 1n }, update: {} })
  await other.query('BEGIN')
  await other.query('SELECT 1 FROM "VideoAsset" WHERE id = $1 FOR SHARE', [id])
  await other.query(
    `INSERT INTO "UserRequest" ("userId", "assetId", "chatId", language, "botId", "updateId") VALUES (1, $1, 1, 'ru', $2, 7)`,
    [id, town.botId],
  )
  const givingUp = giveUpUnlessWanted(town.db, asset, 'me', reason)
  await waitForBlocked(1)
  await other.query('COMMIT')
  expect(await givingUp).toBe(false)
  expect(await town.db.videoAsset.findFirst()).toMatchObject({ status: 'GENERATING', leaseOwner: 'me' })
  await town.db.userRequest.deleteMany()
  expect(await giveUpUnlessWanted(town.db, asset, 'somebody else', reason)).toBe(false)
  expect(await giveUpUnlessWanted(town.db, { ...asset, generation: generation + 1 }, 'me', reason)).toBe(false)
  expect(await giveUpUnlessWanted(town.db, asset, 'me', reason)).toBe(true)
  expect(await town.db.videoAsset.findFirst()).toMatchObject({
    status: 'FAILED',
    leaseOwner: null,
    leaseUntil: null,
    retryAfter: null,
    errorClass: 'storage',
  })
})

it('who asks for a cached name while it is removed is not lost: a new video is made', async () => {
  const { id } = await ready('Маша')
  await other.query('BEGIN')
  await other.query('SELECT 1 FROM "VideoAsset" WHERE id = $1 FOR UPDATE', [id])
  await other.query('DELETE FROM "VideoAsset" WHERE id = $1', [id])
  const asking = request(town.door, [ask('Маша')], person(2))
  await waitForBlocked(1)
  await other.query('COMMIT')
  expect(await asking).toMatchObject([{ status: 'waiting', started: true }])
  expect(await town.db.userRequest.count({ where: { status: 'PENDING' } })).toBe(1)
})

it('an update’s number that somebody else’s update had is no repetition', async () => {
  await ready('Маша')
  const first = person(3)
  const second = person(4, first.updateId)
  for (const each of [first, second])
    expect(await request(town.door, [ask('Маша')], each)).toMatchObject([{ status: 'available' }])
  expect(await request(town.door, [ask('Маша')], second)).toMatchObject([{ status: 'repeated' }])
})

it('while the reconciler adds many jobs, nobody waits for what it has added', async () => {
  await town.db
    .$executeRaw`INSERT INTO "VideoAsset" (template, name, display, "createdAt", "updatedAt") SELECT 'tiny', 'имя ' || n, 'Имя', now() - interval '1 hour' + n * interval '1 second', now() - interval '1 hour' FROM generate_series(1, 1500) AS n`
  await town.db.$executeRaw`UPDATE "VideoAsset" SET name = ${ask('Маша').key}, display = 'Маша' WHERE name = 'имя 1'`
  let go = () => {}
  let batches = 0
  const slow = {
    ...town.queue,
    add: async (...jobs: Parameters<typeof town.queue.add>) => {
      await town.queue.add(...jobs)
      if (jobs[1].length > 0 && ++batches === 2) await new Promise<void>((resolve) => (go = resolve))
    },
  }
  const pass = reconcile({ db: town.db, queue: slow, botId: town.botId, times: town.times })
  await until(async () => batches === 2, 'the second batch')
  expect(await town.db.videoAsset.count({ where: { queuedAt: { not: null } } })).toBe(1_000)
  expect(await request(town.door, [ask('Маша')], person(5))).toMatchObject([{ status: 'waiting', started: false }])
  go()
  expect(await pass).toMatchObject({ queued: 1_500 })
})

it('an outage that nobody meets any more is forgotten; a refused token is not', async () => {
  for (const step of ['telegram', 'voice', 'token'] as const)
    await noteOutage(town.db, new Outage(step, 'away'), town.times.outageMs)
  await town.db.outage.updateMany({
    where: { step: { not: 'voice' } },
    data: { until: new Date(Date.now() - 21 * town.times.outageMs) },
  })
  await reconcile({ db: town.db, queue: town.queue, botId: town.botId, times: town.times })
  expect((await currentOutages(town.db)).map(({ step }) => step).sort()).toEqual(['token', 'voice'])
})
