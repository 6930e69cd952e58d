/** The door: what exactly is stored, who is limited, and what happens when several come at the same moment. */
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { markQueued } from '../../src/greetings/assets.ts'
import { personLimits } from '../../src/greetings/answer.ts'
import { request } from '../../src/greetings/request.ts'
import type { ClaimedRequest, Person } from '../../src/greetings/requests.ts'
import { lanes, type Lane } from '../../src/queue/index.ts'
import { ask, openTestEnvironment, person, until, type TestEnvironment } from '../environment/test-environment.ts'

let town: TestEnvironment
let other: pg.Client
beforeAll(async () => {
  town = await openTestEnvironment({ channels: 0 })
  other = new pg.Client(town.database.url)
  await other.connect()
})
afterAll(async () => {
  await other.end()
  await town.close()
})
beforeEach(async () => {
  await town.db.$executeRaw`TRUNCATE "VideoAsset", "UserRequest", "SoundReport", "User"`
  for (const lane of lanes) await town.queue.queues[lane].drain(true)
})

const longAgo = new Date('2020-01-01')
const [past, future] = [() => new Date(Date.now() - 60_000), () => new Date(Date.now() + 60_000)]
type Fields = Partial<Parameters<TestEnvironment['db']['videoAsset']['create']>[0]['data']>
const create = (name: string, fields: Fields = {}) =>
  town.db.videoAsset.create({
    data: { template: 'tiny', name: ask(name).key, display: name, generation: 5, updatedAt: longAgo, ...fields },
  })
const video = () =>
  ({
    status: 'AVAILABLE',
    telegramFileId: 'file',
    telegramFileUniqueId: 'unique',
    telegramBotId: town.botId,
    revision: 'old',
  }) as const
const rowOf = (id: string) => town.db.videoAsset.findUniqueOrThrow({ where: { id } })
const asks = async (name: string, who: Person) => (await request(town.door, [ask(name)], who))[0]
const has = async (lane: Lane, assetId: string, generation: number) =>
  (await town.queue.missing(lane, [{ assetId, generation }])).length === 0

/** While another transaction has done this and not committed it; it does when `work` waits for it. */
async function meanwhile<T>(sql: string, values: unknown[], work: () => Promise<T>): Promise<T> {
  await other.query('BEGIN')
  await other.query(sql, values)
  const working = work()
  await until(async () => {
    const [row] = await town.db.$queryRaw<
      { count: bigint }[]
    >`SELECT count(*) AS count FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
    return Number(row?.count) > 0
  }, 'waiting for the other transaction')
  await other.query('COMMIT')
  return working
}

describe('property 7: a hit is claimed for whoever sends it, for as long as a claim lasts', () => {
  async function expectClaimed(claimed: ClaimedRequest | null): Promise<void> {
    const [row] = await town.db.$queryRaw<
      { claimOwner: string; ms: number; hit: boolean }[]
    >`SELECT "claimOwner", hit, (extract(epoch FROM "claimUntil" - now()) * 1000)::float8 AS ms FROM "UserRequest" WHERE id = ${claimed?.id}`
    expect(row?.claimOwner).toBe('door')
    expect(row?.ms).toBeGreaterThan(town.times.claimMs / 3)
    expect(row?.ms).toBeLessThanOrEqual(town.times.claimMs)
  }

  it('when the video was there', async () => {
    const { id } = await create('Маша', video())
    await create('Петя', { ...video(), telegramFileId: 'another file' })
    const answer = await asks('Маша', person(1))
    expect(answer).toMatchObject({ status: 'available', assetId: id, fileId: 'file' })
    if (answer?.status === 'available') await expectClaimed(answer.claimed)
  })

  it('when it came in the moment of asking', async () => {
    const { id } = await create('Маша', { queuedAt: longAgo })
    const answer = await meanwhile(
      `UPDATE "VideoAsset" SET status = 'AVAILABLE', "telegramFileId" = 'new', "telegramBotId" = $2 WHERE id = $1`,
      [id, town.botId],
      () => asks('Маша', person(1)),
    )
    expect(answer).toMatchObject({ status: 'available', fileId: 'new' })
    if (answer?.status === 'available') await expectClaimed(answer.claimed)
  })

  it('a miss is claimed by nobody', async () => {
    await asks('Маша', person(1))
    expect(await town.db.userRequest.findFirstOrThrow()).toMatchObject({
      claimOwner: null,
      claimUntil: null,
      hit: false,
      status: 'PENDING',
    })
  })
})

describe('property 15: limits', () => {
  /** Requests of one person, finished unless they wait. */
  async function had(
    many: number,
    {
      hit = false,
      daysAgo = 0,
      status = 'COMPLETED',
    }: { hit?: boolean; daysAgo?: number; status?: 'COMPLETED' | 'PENDING' } = {},
    userId = 1,
  ): Promise<void> {
    await town.db.user.upsert({ where: { id: userId }, create: { id: userId }, update: {} })
    for (let n = 0; n < many; n++) {
      const { updateId } = person(userId)
      const asset = await town.db.videoAsset.create({
        data: { template: 'other', name: `${userId} ${updateId}`, display: '' },
      })
      await town.db.userRequest.create({
        data: {
          userId,
          assetId: asset.id,
          chatId: userId,
          language: 'ru',
          botId: town.botId,
          updateId,
          hit,
          status,
          createdAt: new Date(Date.now() - daysAgo * 86_400_000),
        },
      })
    }
  }

  it('are five at once and twenty that wait, fifty new ones a day, and twenty on their way', () => {
    expect(personLimits).toEqual({ atOnce: 5, waiting: 20, newPerDay: 50, onTheirWay: 20 })
  })

  it('neither hits, nor what was asked before today, nor what others asked count against a person', async () => {
    await had(personLimits.newPerDay - 1)
    await had(2, { hit: true })
    await had(2, { daysAgo: 1.1 })
    await had(personLimits.waiting, { status: 'PENDING' }, 2)
    await had(2, {}, 2)
    expect(await asks('Маша', person(1))).toMatchObject({ status: 'waiting' })
    expect(await asks('Петя', person(1))).toMatchObject({ status: 'refused', reason: 'too_many_today' })
  })

  it('of videos that are on their way to a person only those count that were there when they asked', async () => {
    await create('Маша', video())
    await create('Петя', video())
    await had(personLimits.onTheirWay - 1, { hit: true, status: 'PENDING' })
    await had(2, { status: 'PENDING' })
    await had(2, { hit: true })
    expect(await asks('Маша', person(1))).toMatchObject({ status: 'available' })
    expect(await asks('Петя', person(1))).toMatchObject({ status: 'refused', reason: 'too_many_waiting' })
  })

  it('who waits for as many as allowed may ask for those again, and for hits, and not for what they had before', async () => {
    await create('Маша', video())
    const { id } = await create('Петя', { queuedAt: longAgo })
    await town.db.user.create({ data: { id: 1 } })
    await town.db.userRequest.create({
      data: {
        userId: 1,
        assetId: id,
        chatId: 1,
        language: 'ru',
        botId: town.botId,
        updateId: person(1).updateId,
        status: 'COMPLETED',
      },
    })
    await had(personLimits.waiting - 1, { status: 'PENDING' })
    expect(await asks('Ваня', person(1))).toMatchObject({ status: 'waiting' })
    expect(await asks('Ваня', person(1))).toMatchObject({ status: 'waiting', again: true })
    expect(await asks('Маша', person(1))).toMatchObject({ status: 'available' })
    expect(await asks('Петя', person(1))).toMatchObject({ status: 'refused', reason: 'too_many_waiting' })
  })
})

describe('property 2: what becomes work again', () => {
  it('does so under the next generation and without its past', async () => {
    const asset = await create('Маша', {
      status: 'FAILED',
      attempts: 3,
      queuedAt: longAgo,
      retryAfter: past(),
      leaseOwner: 'dead',
      leaseUntil: past(),
    })
    const another = await create('Петя', { status: 'FAILED', attempts: 3, retryAfter: past() })
    expect(await asks('Маша', person(1))).toMatchObject({ status: 'waiting', started: true })
    const row = await rowOf(asset.id)
    expect(row).toEqual({
      ...asset,
      status: 'PENDING',
      generation: 6,
      attempts: 0,
      retryAfter: null,
      leaseOwner: null,
      leaseUntil: null,
      queuedAt: row.queuedAt,
      updatedAt: row.updatedAt,
    })
    expect(row.updatedAt.getTime()).toBeGreaterThan(longAgo.getTime())
    expect(row.queuedAt?.getTime()).toBeGreaterThan(longAgo.getTime())
    expect(await has('people', asset.id, 6)).toBe(true)
    expect(await rowOf(another.id)).toEqual(another)
  })

  it('is marked as queued once it is in the queue', async () => {
    const asset = await create('Маша', { status: 'FAILED', queuedAt: longAgo, retryAfter: past() })
    await request(
      { ...town.door, queue: { ...town.queue, promote: () => Promise.reject(new Error('no answer')) } },
      [ask('Маша')],
      person(1),
    )
    expect((await rowOf(asset.id)).queuedAt).toBeNull()
  })

  it('does so once: not when somebody else did it, and it was given up again, since it was looked at', async () => {
    const asset = await create('Маша', { status: 'FAILED' })
    let looks = 0
    const late = new Proxy(town.db, {
      get: (target, key) =>
        key !== '$queryRawUnsafe'
          ? (Reflect.get(target, key) as unknown)
          : async (...query: Parameters<TestEnvironment['db']['$queryRawUnsafe']>) => {
              const rows = await target.$queryRawUnsafe(...query)
              if (looks++ === 0) await target.videoAsset.update({ where: { id: asset.id }, data: { generation: 7 } })
              return rows
            },
    })
    expect(await request({ ...town.door, db: late }, [ask('Маша')], undefined, { retryFailed: true })).toMatchObject([
      { status: 'failed' },
    ])
    expect(await rowOf(asset.id)).toMatchObject({ status: 'FAILED', generation: 7 })
    expect(await has('warm', asset.id, 8)).toBe(false)
  })

  it('is not what a worker has, or what waits already', async () => {
    const rows = [
      await create('Маша', { status: 'GENERATING', leaseOwner: 'worker', leaseUntil: future() }),
      await create('Петя', { queuedAt: longAgo }),
    ]
    for (const [n, name] of ['Маша', 'Петя'].entries())
      expect(await asks(name, person(n + 1))).toMatchObject({ status: 'waiting', started: false, again: false })
    for (const row of rows)
      expect(await rowOf(row.id)).toMatchObject({ status: row.status, generation: 5, leaseOwner: row.leaseOwner })
  })
})

it('property 12: a name that was warm until a person asked is work of people, and of nobody else', async () => {
  const [answer] = await request(town.door, [ask('Маша'), ask('Петя')])
  const assetId = answer !== undefined && 'assetId' in answer ? answer.assetId : ''
  expect([await has('people', assetId, 1), await has('warm', assetId, 1)]).toEqual([false, true])
  await asks('Маша', person(1))
  expect([await has('people', assetId, 1), await has('warm', assetId, 1)]).toEqual([true, false])
  expect(await town.queue.counts()).toMatchObject({ waiting: 2 })
})

describe('a list', () => {
  it('queues what is missing and what was never queued; who is given up is tried only when that is wished', async () => {
    const loose = await create('Маша', { queuedAt: null })
    const queued = await create('Петя', { queuedAt: longAgo })
    const failed = await create('Ваня', { status: 'FAILED', retryAfter: future() })
    const made = await create('Юра', video())
    const another = await create('Оля', { ...video(), telegramBotId: town.botId + 1n })
    const names = ['Маша', 'Петя', 'Ваня', 'Юра', 'Оля', 'Новый'].map(ask)
    expect(await request(town.door, names)).toMatchObject([
      { status: 'waiting', assetId: loose.id, started: false },
      { status: 'waiting', assetId: queued.id, started: false },
      { status: 'failed', assetId: failed.id, retryAt: failed.retryAfter },
      { status: 'available', assetId: made.id, fileId: 'file', claimed: null },
      { status: 'waiting', assetId: another.id, started: true },
      { status: 'waiting', started: true },
    ])
    expect(
      await Promise.all([
        has('warm', loose.id, 5),
        has('warm', queued.id, 5),
        has('warm', failed.id, 6),
        has('warm', another.id, 6),
      ]),
    ).toEqual([true, false, false, true])
    expect((await rowOf(loose.id)).queuedAt).not.toBeNull()
    expect((await town.queue.counts()).waiting).toBe(3)
    expect(await request(town.door, names, undefined, { retryFailed: true })).toMatchObject([
      {},
      {},
      { status: 'waiting', started: true },
      {},
      { started: false },
      { started: false },
    ])
    expect(await has('warm', failed.id, 6)).toBe(true)
  })

  it('joins what another process creates in that moment', async () => {
    const answers = await meanwhile(
      `INSERT INTO "VideoAsset" (id, template, name, display) VALUES ('theirs', 'tiny', $1, 'Маша')`,
      [ask('Маша').key],
      () => request(town.door, [ask('Маша'), ask('Петя')]),
    )
    expect(answers).toMatchObject([
      { status: 'waiting', assetId: 'theirs', started: false },
      { status: 'waiting', started: true },
    ])
  })

  it('makes videos anew that would be others today, serves the old ones meanwhile, and keeps how they are spoken', async () => {
    const [same, old, spoken, pending] = [
      await create('Маша', { ...video(), revision: 'маша' }),
      await create('Петя', video()),
      await create('Ваня', { ...video(), say: 'ва-ня' }),
      await create('Юра', { ...video(), status: 'PENDING', queuedAt: longAgo }),
    ]
    const wanted: unknown[] = []
    const revisionNow = async ({ key, say }: { key: string; say?: string | null }) => {
      wanted.push([key, say])
      return key
    }
    const answers = await request(
      town.door,
      [ask('Маша'), { ...ask('Петя'), say: 'пе-тя' }, ask('Ваня'), ask('Юра')],
      undefined,
      { revisionNow },
    )
    expect(answers).toMatchObject([
      { status: 'available' },
      { status: 'waiting', started: true },
      { status: 'waiting', started: true },
      { status: 'available' },
    ])
    expect(wanted).toEqual([
      ['маша', null],
      ['петя', 'пе-тя'],
      ['ваня', 'ва-ня'],
    ])
    expect(await rowOf(old.id)).toMatchObject({
      status: 'PENDING',
      generation: 6,
      say: 'пе-тя',
      telegramFileId: 'file',
    })
    expect(await rowOf(spoken.id)).toMatchObject({ status: 'PENDING', generation: 6, say: 'ва-ня' })
    for (const row of [same, pending])
      expect(await rowOf(row.id)).toEqual({ ...row, listedAt: expect.any(Date) as Date })
    expect(await Promise.all([has('warm', old.id, 6), has('warm', spoken.id, 6)])).toEqual([true, true])
    expect(await asks('Петя', person(1))).toMatchObject({ status: 'available', fileId: 'file' })
  })

  it('asks what a video would be today of those alone that can be sent', async () => {
    const another = await create('Маша', { ...video(), telegramBotId: town.botId + 1n, say: 'ма-ша' })
    const wanted: string[] = []
    const revisionNow = async ({ key }: { key: string }) => {
      wanted.push(key)
      return 'today'
    }
    await create('Петя', video())
    expect(
      await request(town.door, [{ ...ask('Маша'), say: 'маша' }, ask('Петя')], undefined, { revisionNow }),
    ).toMatchObject([
      { status: 'waiting', started: true },
      { status: 'waiting', started: true },
    ])
    expect(wanted).toEqual(['петя'])
    expect(await rowOf(another.id)).toMatchObject({ status: 'PENDING', generation: 6, say: 'ма-ша' })
  })

  it('asks for nobody, and nothing of nobody', async () => {
    expect(await request(town.door, [])).toEqual([])
    await request(town.door, [ask('Маша'), ask('Петя')])
    expect(await town.db.userRequest.count()).toBe(0)
    expect(await request(town.door, [], person(1))).toEqual([])
    expect(await town.db.user.count()).toBe(0)
  })
})

it('remembers a person’s language, of a hit and of a miss', async () => {
  await create('Маша', video())
  const languages = async () =>
    Object.fromEntries((await town.db.user.findMany()).map(({ id, language }) => [Number(id), language]))
  for (const language of ['ru', 'en']) {
    await asks('Маша', { ...person(1), language })
    await asks('Петя', { ...person(2), language })
    expect(await languages()).toEqual({ 1: language, 2: language })
  }
})

it('only what waits is marked as queued', async () => {
  const [waits, made, another] = [
    await create('Маша'),
    await create('Петя', { status: 'AVAILABLE' }),
    await create('Ваня'),
  ]
  await markQueued(town.db, [waits.id, made.id])
  expect((await rowOf(waits.id)).queuedAt).not.toBeNull()
  expect(await rowOf(made.id)).toEqual(made)
  expect(await rowOf(another.id)).toEqual(another)
  await markQueued(town.db, [])
})
