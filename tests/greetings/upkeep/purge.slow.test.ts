/** `purge`: what goes, what stays, and people who come back in that very moment. */
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { Db } from '../../../src/db/database.ts'
import { countOldRequests, countPeopleBefore, purgePeople, purgeRequests } from '../../../src/greetings/upkeep/purge.ts'
import { request } from '../../../src/greetings/request.ts'
import { ask, openTestEnvironment, person, type TestEnvironment } from '../../environment/test-environment.ts'

let town: TestEnvironment
beforeAll(async () => {
  town = await openTestEnvironment()
})
afterAll(() => town.close())
beforeEach(() => town.db.$executeRaw`TRUNCATE "VideoAsset", "UserRequest", "SoundReport", "User"`)

const never = new AbortController().signal
const daysMs = 86_400_000
const purging = (signal = never) => purgeRequests(town.db, 30 * daysMs, { signal, onProgress: () => undefined })

/** A person and one request of theirs, made and finished so many days ago. */
async function asked(
  userId: number,
  status: 'PENDING' | 'COMPLETED' | 'FAILED',
  createdDays: number,
  finishedDays: number | null,
): Promise<void> {
  const ago = (days: number) => new Date(Date.now() - days * daysMs)
  const asset = await town.db.videoAsset.create({ data: { template: 'tiny', name: `name ${userId}`, display: '' } })
  await town.db.user.create({ data: { id: userId } })
  await town.db.userRequest.create({
    data: {
      userId,
      assetId: asset.id,
      chatId: userId,
      language: 'ru',
      botId: 1,
      updateId: userId,
      status,
      createdAt: ago(createdDays),
      finishedAt: finishedDays === null ? null : ago(finishedDays),
    },
  })
}
const left = async () =>
  (await town.db.userRequest.findMany({ orderBy: { userId: 'asc' } })).map(({ userId }) => Number(userId))

it('requests that were made and finished long ago go, and with them people of whom nothing is left', async () => {
  await asked(1, 'COMPLETED', 40, 40)
  await asked(2, 'FAILED', 40, 40)
  await asked(3, 'COMPLETED', 40, 20) // waited long
  await asked(4, 'COMPLETED', 20, 40) // a clock that was wrong
  await asked(5, 'PENDING', 40, null) // waits still
  await asked(6, 'PENDING', 40, 40)
  await town.db.user.create({ data: { id: 7 } })
  expect(await countOldRequests(town.db, 30 * daysMs)).toBe(2)
  expect(await countPeopleBefore(town.db, 30 * daysMs)).toBe(3)
  expect(await purging()).toBe(2)
  expect(await left()).toEqual([3, 4, 5, 6])
  expect(await purgePeople(town.db, { signal: never })).toBe(3)
  expect((await town.db.user.findMany({ orderBy: { id: 'asc' } })).map(({ id }) => Number(id))).toEqual([3, 4, 5, 6])
  expect(await countPeopleBefore(town.db, 30 * daysMs)).toBe(0)
})

it('a request or a person that somebody has locked holds nothing up and stays', async () => {
  await asked(1, 'COMPLETED', 40, 40)
  await asked(2, 'COMPLETED', 40, 40)
  await town.db.user.createMany({ data: [{ id: 3 }, { id: 4 }] })
  const other = new pg.Client(town.database.url)
  await other.connect()
  try {
    await other.query('BEGIN')
    await other.query('SELECT 1 FROM "UserRequest" WHERE "userId" = 1 FOR UPDATE')
    await other.query('SELECT 1 FROM "User" WHERE id = 3 FOR UPDATE')
    const waits = new Promise<'waits'>((resolve) => setTimeout(() => resolve('waits'), 10_000).unref())
    expect(await Promise.race([purging(), waits])).toBe(1)
    expect(await left()).toEqual([1])
    expect(await Promise.race([purgePeople(town.db, { signal: never }), waits])).toBe(2)
    expect(await town.db.user.count()).toBe(2)
  } finally {
    await other.end()
  }
})

it('a purge that is stopped has begun with the oldest', async () => {
  await town.db.$executeRaw`INSERT INTO "VideoAsset" (id, template, name, display) VALUES ('asset', 'tiny', 'name', '')`
  await town.db.$executeRaw`INSERT INTO "User" (id) VALUES (1)`
  await town.db.$executeRaw`
    INSERT INTO "UserRequest" ("userId", "assetId", "chatId", language, "botId", "updateId", status, "createdAt", "finishedAt")
    SELECT 1, 'asset', 1, 'ru', 1, n, 'COMPLETED', asked, asked FROM (SELECT n, now() - interval '40 days' - n * interval '1 second' AS asked FROM generate_series(1, 5010) AS n) AS one`
  const stop = new AbortController()
  expect(await purgeRequests(town.db, 30 * daysMs, { signal: stop.signal, onProgress: () => stop.abort() })).toBe(5_000)
  expect((await town.db.userRequest.findMany()).every(({ updateId }) => updateId <= 10)).toBe(true)
  expect(await purging(stop.signal)).toBe(0)
  expect(await purging()).toBe(10)
})

it('people are looked at in batches, and none is passed over', async () => {
  await town.db.$executeRaw`INSERT INTO "User" (id) SELECT n FROM generate_series(1, 5010) AS n`
  await asked(6_000, 'PENDING', 0, null)
  expect(await purgePeople(town.db, { signal: never })).toBe(5_010)
  expect((await town.db.user.findMany()).map(({ id }) => Number(id))).toEqual([6_000])
})

it('who asked between the look and the lock stays, and the purge goes on', async () => {
  await asked(1, 'PENDING', 0, null)
  await town.db.user.create({ data: { id: 2 } })
  // As if the first look had been a moment earlier, when the first person had asked for nothing yet.
  const earlier = new Proxy(town.db, {
    get: (target, key) =>
      key !== '$transaction'
        ? (Reflect.get(target, key) as unknown)
        : (work: (tx: unknown) => Promise<unknown>, options: object) =>
            target.$transaction(
              (tx) =>
                work(
                  new Proxy(tx, {
                    get: (inner, name) =>
                      name === '$queryRaw'
                        ? async (...query: Parameters<Db['$queryRaw']>) => [
                            ...(await inner.$queryRaw<{ id: bigint }[]>(...query)),
                            { id: 1n },
                          ]
                        : (Reflect.get(inner, name) as unknown),
                  }),
                ),
              options,
            ),
  })
  expect(await purgePeople(earlier, { signal: never })).toBe(1)
  expect((await town.db.user.findMany()).map(({ id }) => Number(id))).toEqual([1])
})

it('nobody loses their request, whoever comes first: the person who asks or the purge', async () => {
  await town.db.videoAsset.create({
    data: {
      template: 'tiny',
      name: 'маша',
      display: 'Маша',
      status: 'AVAILABLE',
      telegramFileId: 'x',
      telegramBotId: town.botId,
    },
  })
  const { signal } = new AbortController()
  const people = Array.from({ length: 12 }, (_, n) => n + 1)
  const names = ['Маша', 'Петя'] // a hit, and a miss
  for (let round = 0; round < 15; round++) {
    await town.db.userRequest.deleteMany()
    const asked = people.map((id) => request(town.door, [ask(names[id % 2] ?? '')], person(id)))
    const purged = [purgePeople(town.db, { signal }), purgePeople(town.db, { signal })]
    const answers = (await Promise.all(asked)).flat()
    await Promise.all(purged)
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set(['available', 'waiting']))
    expect(await town.db.userRequest.count()).toBe(people.length)
  }
  await town.db.userRequest.deleteMany()
  expect(await purgePeople(town.db, { signal })).toBe(people.length)
  expect(await town.db.user.count()).toBe(0)
})
