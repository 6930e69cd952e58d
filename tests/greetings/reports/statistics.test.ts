import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { Database, Db } from '../../../src/db/database.ts'
import { foldCounts, percentile, statistics, workload } from '../../../src/greetings/reports/statistics.ts'
import { temporaryDatabase } from '../../environment/temporary-database.ts'

let database: Database
let db: Db
beforeAll(async () => {
  database = await temporaryDatabase()
  db = database.db
})
afterAll(() => database.close())
beforeEach(() => db.$executeRaw`TRUNCATE "VideoAsset", "UserRequest", "SoundReport", "User", "RequestCount"`)

const ours = 1n
const today = new Map([
  ['one', 'today'],
  ['two', 'today'],
])

/** The same numbers, counted the slow way. */
async function counted() {
  const assets = await db.videoAsset.findMany()
  const of = (status: string) => assets.filter((asset) => asset.status === status)
  const held = of('GENERATING').filter(
    ({ leaseUntil }) => leaseUntil !== null && leaseUntil.getTime() > Date.now(),
  ).length
  const own = of('AVAILABLE').filter(
    ({ telegramFileId, telegramBotId }) => telegramFileId !== null && telegramBotId === ours,
  )
  return {
    pending: of('PENDING').length + of('GENERATING').length - held,
    generating: held,
    available: own.length,
    otherBot: of('AVAILABLE').length - own.length,
    failed: of('FAILED').length,
    stale: own.filter(({ templateRevision }) => templateRevision === 'yesterday').length,
  }
}

it('counts videos exactly through changes of every kind at once, while the counts are folded', async () => {
  const states = ['PENDING', 'GENERATING', 'AVAILABLE', 'FAILED']
  const change = async (n: number) => {
    const status = states[n % 4] ?? ''
    await db.$executeRaw`INSERT INTO "VideoAsset" (template, name, display) SELECT CASE WHEN n % 2 = 0 THEN 'one' ELSE 'two' END, ${`name ${n} `} || n, '' FROM generate_series(1, ${10 + n}) AS n ON CONFLICT DO NOTHING`
    await db.$executeRaw`UPDATE "VideoAsset" SET status = ${status}::"AssetStatus", "telegramFileId" = 'f', "telegramBotId" = 1 + round(random()), "leaseUntil" = now() + (random() - 0.5) * interval '10 hours', "templateRevision" = CASE WHEN random() < 0.5 THEN 'today' ELSE 'yesterday' END WHERE id IN (SELECT id FROM "VideoAsset" WHERE random() < 0.3 FOR UPDATE SKIP LOCKED)`
    await db
      .$transaction(async (tx) => {
        await tx.$executeRaw`DELETE FROM "VideoAsset" WHERE id IN (SELECT id FROM "VideoAsset" LIMIT 20 FOR UPDATE SKIP LOCKED)`
        throw new Error('changed my mind')
      })
      .catch(() => undefined)
    if (n % 5 === 0)
      await db.$executeRaw`DELETE FROM "VideoAsset" WHERE id IN (SELECT id FROM "VideoAsset" LIMIT 7 FOR UPDATE SKIP LOCKED)`
    if (n % 3 === 0) await foldCounts(db)
  }
  await Promise.all(Array.from({ length: 40 }, (_, n) => change(n)))
  const expected = await counted()
  expect(expected.available).toBeGreaterThan(0)
  expect(expected.stale).toBeGreaterThan(0)
  expect(expected.otherBot).toBeGreaterThan(0)
  expect(expected.generating).toBeGreaterThan(0)
  expect((await statistics(db, today, ours)).assets).toEqual(expected)
  await Promise.all([foldCounts(db), foldCounts(db)])
  expect((await statistics(db, today, ours)).assets).toEqual(expected)
  await foldCounts(db)
  expect(await db.assetCount.count()).toBeLessThanOrEqual(4 * 2 * 3 * 3)
  await db.videoAsset.deleteMany()
  await foldCounts(db)
  expect(await db.assetCount.count()).toBe(0)
})

it('counts by template, and every bot’s videos while it is not known which bot this is', async () => {
  const video = (template: string, name: string, more: object) =>
    db.videoAsset.create({
      data: {
        template,
        name,
        display: name,
        status: 'AVAILABLE',
        telegramFileId: 'f',
        templateRevision: 'today',
        ...more,
      },
    })
  await video('one', 'a', { telegramBotId: ours })
  await video('one', 'b', { telegramBotId: 2n })
  await video('other', 'c', { telegramBotId: ours, templateRevision: 'unknown' })
  const none = { pending: 0, generating: 0, available: 0, otherBot: 0, failed: 0, stale: 0 }
  const { assets, templates } = await statistics(db, today, ours)
  expect(assets).toEqual({ ...none, available: 2, otherBot: 1 })
  expect(templates).toEqual([
    { template: 'one', ...none, available: 1, otherBot: 1 },
    { template: 'two', ...none },
    { template: 'other', ...none, available: 1 },
  ])
  expect((await statistics(db, today, null)).assets).toEqual({ ...none, available: 3 })
})

it('a job that was fetched and not begun waits', () => {
  const queue = { waiting: 3, active: 16, delayed: 1, failed: 0, oldestWaitingSeconds: 5 }
  expect(workload(queue, { generating: 4 })).toEqual({
    waiting: 15,
    active: 4,
    delayed: 1,
    failed: 0,
    oldestWaitingSeconds: 5,
  })
  expect(workload({ ...queue, active: 2 }, { generating: 4 })).toMatchObject({ waiting: 3, active: 2 })
})

/**
 * Requests, one every 72 seconds (none at the very edge of the day), some of them
 * pending, the others sent after up to two minutes.
 */
async function fillRequests(count: number) {
  await db.$executeRaw`INSERT INTO "VideoAsset" (id, template, name, display) SELECT 'a' || n, 'one', 'name ' || n, '' FROM generate_series(1, ${count}::int) AS n`
  await db.$executeRaw`INSERT INTO "User" (id) VALUES (1)`
  await db.$executeRaw`
    INSERT INTO "UserRequest" ("userId", "assetId", "chatId", language, "botId", "updateId", hit, "createdAt")
    SELECT 1, 'a' || n, 1, 'ru', 1, n, n % 3 > 0, now() - (n - 0.5) * interval '72 seconds' FROM generate_series(1, ${count}::int) AS n`
  await db.$executeRaw`
    UPDATE "UserRequest" SET status = CASE WHEN "updateId" % 10 = 1 THEN 'FAILED' ELSE 'COMPLETED' END::"RequestStatus", "finishedAt" = "createdAt" + (CASE WHEN hit THEN 0.2 ELSE 120 END) * random() * interval '1 second'
    WHERE "updateId" % 10 > 0`
}

async function countedDay() {
  const rows = await db.userRequest.findMany({ where: { createdAt: { gt: new Date(Date.now() - 86_400_000) } } })
  const waits = rows
    .filter(({ status }) => status === 'COMPLETED')
    .map(({ createdAt, finishedAt }) => ((finishedAt?.getTime() ?? 0) - createdAt.getTime()) / 1_000)
    .sort((a, b) => a - b)
  return { requests: rows.length, hits: rows.filter(({ hit }) => hit).length, waits }
}

it('counts requests of the last day to the second, and their waiting times to a fifth', async () => {
  await fillRequests(3_000)
  for (const folds of [0, 1, 2]) {
    if (folds > 0) await foldCounts(db)
    const expected = await countedDay()
    const { last24h, requests } = await statistics(db, today, ours)
    expect(requests).toEqual({ pending: 300, completed: 2_400, failed: 300 })
    expect(last24h).toMatchObject({ requests: expected.requests, hits: expected.hits })
    for (const [ours, share] of [
      [last24h.waitSeconds.p50, 0.5],
      [last24h.waitSeconds.p95, 0.95],
    ] as const) {
      const exact = expected.waits[Math.floor(share * expected.waits.length)] ?? 0
      expect(Math.abs((ours ?? 0) / exact - 1)).toBeLessThan(0.2)
    }
  }
  // Hours older than two days have become days.
  expect(
    await db.requestCount.count({
      where: { hour: { lt: new Date(Date.now() - 50 * 3_600_000) }, waitBucket: { not: null } },
    }),
  ).toBe(0)
})

it('keeps the totals when requests are removed', async () => {
  await fillRequests(100)
  const { requests } = await statistics(db, today, ours)
  await db.userRequest.deleteMany({ where: { status: { not: 'PENDING' } } })
  expect((await statistics(db, today, ours)).requests).toEqual(requests)
})

it('reads a percentile from classes', () => {
  expect(percentile([], 0.5)).toBeNull()
  // Class 40 lies between 0.01 × 2^10 and 0.01 × 2^10.25 seconds.
  const wait =
    percentile(
      [
        { bucket: 40, count: 10 },
        { bucket: 80, count: 1 },
      ],
      0.5,
    ) ?? 0
  expect(wait).toBeGreaterThan(10.24)
  expect(wait).toBeLessThan(12.2)
})
