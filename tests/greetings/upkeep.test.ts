/** What an operator does to names: forget them, take them back, try them again. */
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { fence } from '../../src/greetings/assets.ts'
import { assetsOf, forgetAssets, setsWith } from '../../src/greetings/upkeep/forget.ts'
import { clearOutage, currentOutages, forgetOutages, noteOutage } from '../../src/greetings/outages.ts'
import { Outage } from '../../src/errors.ts'
import { retryFailed } from '../../src/greetings/upkeep/retry.ts'
import { takeBack } from '../../src/greetings/upkeep/cancel.ts'
import { lanes, type Lane } from '../../src/queue/index.ts'
import { openTestEnvironment, until, type TestEnvironment } from '../environment/test-environment.ts'

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
  await town.db.$executeRaw`TRUNCATE "VideoAsset", "UserRequest", "SoundReport", "User", "Outage"`
  for (const lane of lanes) await town.queue.queues[lane].drain(true)
})

const longAgo = new Date('2020-01-01')
const [past, future] = [() => new Date(Date.now() - 60_000), () => new Date(Date.now() + 60_000)]
type Fields = Partial<Parameters<TestEnvironment['db']['videoAsset']['create']>[0]['data']>
const create = (name: string, fields: Fields = {}) =>
  town.db.videoAsset.create({
    data: {
      template: 'tiny',
      name,
      display: name,
      generation: 5,
      createdAt: longAgo,
      updatedAt: longAgo,
      queuedAt: longAgo,
      ...fields,
    },
  })
const rowOf = (id: string) => town.db.videoAsset.findUnique({ where: { id } })
const jobOf = ({ id, generation }: { id: string; generation: number }) => ({ assetId: id, generation })
const has = async (lane: Lane, asset: { id: string; generation: number }) =>
  (await town.queue.missing(lane, [jobOf(asset)])).length === 0

let updates = 1
async function asks(
  assetId: string,
  userId: number,
  status: 'PENDING' | 'COMPLETED' | 'FAILED' = 'PENDING',
): Promise<void> {
  await town.db.user.upsert({ where: { id: userId }, create: { id: userId }, update: {} })
  await town.db.userRequest.create({
    data: { userId, assetId, chatId: userId, language: 'ru', botId: 1, updateId: updates++, status },
  })
}

/** While another transaction has done this and not committed it; it does when `work` waits for it. */
async function meanwhile<T>(
  sql: string,
  values: unknown[],
  work: () => Promise<T>,
  whileItWaits: () => Promise<void> = async () => undefined,
): Promise<T> {
  await other.query('BEGIN')
  await other.query(sql, values)
  const working = work()
  await until(async () => {
    const [row] = await town.db.$queryRaw<
      { count: bigint }[]
    >`SELECT count(*) AS count FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
    return Number(row?.count) > 0
  }, 'waiting for the other transaction')
  await whileItWaits().finally(() => other.query('COMMIT'))
  return working
}
type Known = Awaited<ReturnType<typeof assetsOf>>
const claiming = `UPDATE "VideoAsset" SET status = 'GENERATING', "leaseOwner" = 'worker', "leaseUntil" = now() + interval '1 minute' WHERE id = $1`

describe('forget', () => {
  it('knows a name’s assets of every template, who holds them and who waits', async () => {
    const english = await create('маша', {
      template: 'b',
      leaseUntil: past(),
      storageChatId: -1n,
      storageMessageId: 7,
      revision: 'r',
      say: 'ма-ша',
    })
    const russian = await create('маша', { template: 'a', leaseUntil: future() })
    const another = await create('петя')
    for (const user of [1, 2]) await asks(russian.id, user)
    await asks(russian.id, 3, 'COMPLETED')
    await asks(another.id, 4)
    expect(await assetsOf(town.db, ['маша'])).toMatchObject([
      { id: russian.id, template: 'a', held: true, waiting: 2 },
      {
        id: english.id,
        template: 'b',
        held: false,
        waiting: 0,
        say: 'ма-ша',
        chatId: -1n,
        messageId: 7,
        revision: 'r',
        generation: 5,
      },
    ])
  })

  it('knows in which videos a name stands together with others, also in those of which only a post is left', async () => {
    for (const name of ['маша', 'маша & петя', 'ваня & маша & петя', 'машаня & петя', 'анна маша & петя'])
      await create(name)
    await town.db.formerPost.create({ data: { chatId: -1n, messageId: 1, name: 'маша & оля' } })
    expect(await setsWith(town.db, 'маша')).toEqual(['ваня & маша & петя', 'маша & оля', 'маша & петя'])
    expect(await setsWith(town.db, 'маша & петя')).toEqual([])
  })

  it('property 2: what is fenced can be begun by nobody; nothing else changes', async () => {
    const [asset, another] = [
      await create('маша', { leaseUntil: past(), errorText: 'it was dark' }),
      await create('петя'),
    ]
    expect(await fence(town.db, await assetsOf(town.db, ['маша']))).toBe(true)
    const row = await rowOf(asset.id)
    expect(row).toEqual({
      ...asset,
      status: 'FAILED',
      generation: 6,
      queuedAt: null,
      errorClass: 'forgotten',
      errorText: null,
      retryAfter: row?.retryAfter,
      updatedAt: row?.updatedAt,
    })
    expect(row?.updatedAt.getTime()).toBeGreaterThan(longAgo.getTime())
    expect(Math.abs((row?.retryAfter?.getTime() ?? 0) - Date.now() - 60_000)).toBeLessThan(30_000)
    expect(await rowOf(another.id)).toEqual(another)
  })

  it('property 5: a name that a worker holds, by one template only, is left alone', async () => {
    const assets = [
      await create('маша', { template: 'a' }),
      await create('маша', { template: 'b', status: 'GENERATING', leaseOwner: 'worker', leaseUntil: future() }),
    ]
    await asks(assets[0]?.id ?? '', 1)
    await asks(assets[0]?.id ?? '', 2, 'COMPLETED')
    expect(await fence(town.db, await assetsOf(town.db, ['маша']))).toBe(false)
    expect(await forgetAssets(town, await assetsOf(town.db, ['маша']))).toBeUndefined()
    for (const asset of assets) expect(await rowOf(asset.id)).toEqual(asset)
    expect(await town.db.userRequest.count({ where: { status: 'PENDING' } })).toBe(1)
  })

  it('property 5: a worker that takes the name in this very moment keeps it', async () => {
    const asset = await create('маша')
    const known = await assetsOf(town.db, ['маша'])
    expect(await meanwhile(claiming, [asset.id], () => fence(town.db, known))).toBe(false)
    expect(await rowOf(asset.id)).toMatchObject({ status: 'GENERATING', leaseOwner: 'worker', generation: 5 })
    await town.db.videoAsset.update({ where: { id: asset.id }, data: { leaseOwner: null, leaseUntil: null } })
    expect(await meanwhile(claiming, [asset.id], () => forgetAssets(town, known))).toBeUndefined()
    expect(await rowOf(asset.id)).toMatchObject({ status: 'GENERATING', leaseOwner: 'worker' })
  })

  it.each([
    ['fencing', (assets: Known) => fence(town.db, assets), true],
    ['forgetting', (assets: Known) => forgetAssets(town, assets), { requests: 0, waiting: 0 }],
  ])(
    '%s waits for the first of several rows before it takes the next, so that two of them never wait for each other',
    async (_what, work, outcome) => {
      const ids = [await create('маша', { template: 'a' }), await create('маша', { template: 'b' })]
        .map(({ id }) => id)
        .sort()
      const assets = await assetsOf(town.db, ['маша'])
      const result = await meanwhile(
        `SELECT 1 FROM "VideoAsset" WHERE id = $1 FOR UPDATE`,
        [ids[0]],
        async () => work(assets),
        async () => {
          const { rowCount } = await other.query('SELECT 1 FROM "VideoAsset" WHERE id = $1 FOR UPDATE SKIP LOCKED', [
            ids[1],
          ])
          expect(rowCount).toBe(1)
        },
      )
      expect(result).toEqual(outcome)
    },
  )

  it('removes the name, its requests and its jobs, and nothing of another', async () => {
    const [asset, another] = [await create('маша'), await create('петя')]
    for (const lane of lanes) await town.queue.add(lane, [jobOf(asset), jobOf(another)])
    for (const user of [1, 2]) await asks(asset.id, user)
    await asks(asset.id, 3, 'COMPLETED')
    await asks(asset.id, 3, 'FAILED')
    await asks(another.id, 1)
    await asks(another.id, 2, 'COMPLETED')
    expect(await forgetAssets(town, await assetsOf(town.db, ['маша']))).toEqual({ requests: 4, waiting: 2 })
    expect(await town.db.videoAsset.findMany()).toEqual([another])
    expect(await town.db.userRequest.findMany({ select: { assetId: true } })).toEqual([
      { assetId: another.id },
      { assetId: another.id },
    ])
    for (const lane of lanes) expect([await has(lane, asset), await has(lane, another)]).toEqual([false, true])
  })
})

describe('take back', () => {
  const begun = (name: string) => create(name, { status: 'GENERATING', leaseOwner: 'worker', leaseUntil: future() })

  it('leaves alone what is wanted, begun or finished', async () => {
    const wanted = await create('маша')
    await asks(wanted.id, 1)
    const kept = [
      wanted,
      await begun('петя'),
      await create('ваня', { status: 'AVAILABLE' }),
      await create('юра', { status: 'FAILED' }),
    ]
    await town.queue.add('warm', kept.map(jobOf))
    expect(await takeBack(town)).toBe(0)
    for (const asset of kept) {
      expect(await rowOf(asset.id)).toEqual(asset)
      expect(await has('warm', asset)).toBe(true)
    }
  })

  it('removes what never had a video, keeps an old one served, and what somebody asked for long ago', async () => {
    const traces = { errorClass: 'render', errorText: 'it was dark', retryAfter: future() }
    const [fresh, old, asked, another] = [
      await create('маша', traces),
      await create('петя', { ...traces, telegramFileId: 'old' }),
      await create('ваня', traces),
      await create('юра', traces),
    ]
    await asks(asked.id, 1, 'FAILED')
    await asks(another.id, 2)
    await town.queue.add('warm', [fresh, old, asked, another].map(jobOf))
    expect(await takeBack(town)).toBe(3)
    expect(await rowOf(fresh.id)).toBeNull()
    expect(await rowOf(old.id)).toEqual({ ...old, status: 'AVAILABLE', generation: 6, queuedAt: null })
    expect(await rowOf(asked.id)).toEqual({
      ...asked,
      status: 'FAILED',
      generation: 6,
      queuedAt: null,
      errorClass: 'cancelled',
      errorText: null,
      retryAfter: null,
    })
    expect(await rowOf(another.id)).toEqual(another)
    expect(await Promise.all([fresh, old, asked, another].map((asset) => has('warm', asset)))).toEqual([
      false,
      false,
      false,
      true,
    ])
  })

  it('takes back the names that are given, and no other', async () => {
    const [asset, another] = [await create('маша'), await create('петя')]
    expect(await takeBack(town, ['маша', 'ваня'])).toBe(1)
    expect(await town.db.videoAsset.findMany()).toEqual([another])
    expect(await rowOf(asset.id)).toBeNull()
    expect(await takeBack(town, [])).toBe(0)
  })

  it('property 2: a name that a worker takes in this very moment is not taken back', async () => {
    const asset = await create('маша')
    expect(await meanwhile(claiming, [asset.id], () => takeBack(town))).toBe(0)
    expect(await rowOf(asset.id)).toMatchObject({ status: 'GENERATING', leaseOwner: 'worker', generation: 5 })
  })
})

describe('retry', () => {
  it('makes work of what failed, under a next generation, without its past, and queues it', async () => {
    const failed = await create('маша', {
      status: 'FAILED',
      attempts: 3,
      retryAfter: future(),
      leaseOwner: 'worker',
      leaseUntil: future(),
    })
    const others = [
      await create('петя', { status: 'AVAILABLE' }),
      await create('ваня'),
      await create('юра', { status: 'GENERATING', leaseOwner: 'worker', leaseUntil: future() }),
    ]
    expect(await retryFailed(town)).toBe(1)
    const row = await rowOf(failed.id)
    expect(row).toEqual({
      ...failed,
      status: 'PENDING',
      generation: 6,
      attempts: 0,
      retryAfter: null,
      leaseOwner: null,
      leaseUntil: null,
      queuedAt: row?.queuedAt,
      updatedAt: row?.updatedAt,
    })
    expect(row?.updatedAt.getTime()).toBeGreaterThan(longAgo.getTime())
    expect(row?.queuedAt?.getTime()).toBeGreaterThan(longAgo.getTime())
    expect(await has('warm', { id: failed.id, generation: 6 })).toBe(true)
    for (const each of others) expect(await rowOf(each.id)).toEqual(each)
  })

  it('property 5: what cannot be queued now is left to the reconciler', async () => {
    const failed = await create('маша', { status: 'FAILED' })
    const silent = { ...town.queue, add: () => Promise.reject(new Error('no answer')) }
    await expect(retryFailed({ db: town.db, queue: silent })).rejects.toThrow('no answer')
    expect(await rowOf(failed.id)).toMatchObject({ status: 'PENDING', queuedAt: null })
  })

  it('property 2: what another makes work of in this very moment becomes so once', async () => {
    const failed = await create('маша', { status: 'FAILED' })
    const reviving = `UPDATE "VideoAsset" SET status = 'PENDING', generation = generation + 1 WHERE id = $1`
    expect(await meanwhile(reviving, [failed.id], () => retryFailed(town))).toBe(0)
    expect(await rowOf(failed.id)).toMatchObject({ status: 'PENDING', generation: 6 })
  })

  it('tries the names that are given, and no other', async () => {
    const [, another] = [await create('маша', { status: 'FAILED' }), await create('петя', { status: 'FAILED' })]
    expect(await retryFailed(town, ['маша'])).toBe(1)
    expect(await rowOf(another.id)).toEqual(another)
  })
})

describe('outages', () => {
  const seconds = async (step: string) =>
    Math.round(
      ((await currentOutages(town.db)).find((each) => each.step === step)?.until.getTime() ?? 0) / 1_000 -
        Date.now() / 1_000,
    )

  it('are noted with their latest reason and their longest end, and cleared by their step', async () => {
    await noteOutage(town.db, new Outage('voice', 'the first reason'), 600_000)
    await noteOutage(town.db, new Outage('voice', 'x'.repeat(400)), 1_000)
    await noteOutage(town.db, new Outage('disk', 'full'), 1_000)
    expect(await currentOutages(town.db)).toMatchObject([{ step: 'voice', reason: 'x'.repeat(300) }, { step: 'disk' }])
    expect(Math.abs((await seconds('voice')) - 600)).toBeLessThan(10)
    await noteOutage(town.db, new Outage('voice', 'again'), 900_000)
    expect(Math.abs((await seconds('voice')) - 900)).toBeLessThan(10)
    await clearOutage(town.db, ['voice', 'telegram'])
    expect((await currentOutages(town.db)).map(({ step }) => step)).toEqual(['disk'])
  })

  it('that nobody meets any more are forgotten in the end, a refused token never', async () => {
    for (const step of ['voice', 'disk', 'token'] as const) await noteOutage(town.db, new Outage(step, 'away'), 0)
    const ago = (times: number) => new Date(Date.now() - times * town.times.outageMs)
    await town.db.outage.updateMany({ where: { step: { in: ['voice', 'token'] } }, data: { until: ago(30) } })
    await town.db.outage.updateMany({ where: { step: 'disk' }, data: { until: new Date(Date.now() + 5_000) } })
    await forgetOutages(town.db, town.times)
    expect((await currentOutages(town.db)).map(({ step }) => step).sort()).toEqual(['disk', 'token'])
  })
})
