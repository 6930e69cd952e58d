/** One pass of the reconciler: what it takes up, and what it leaves to others. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { claim, markAvailable, type ClaimedAsset } from '../../src/greetings/assets.ts'
import { reconcile } from '../../src/greetings/reconcile.ts'
import { lanes } from '../../src/queue/index.ts'
import { openTestEnvironment, type TestEnvironment } from '../environment/test-environment.ts'

let town: TestEnvironment
beforeAll(async () => {
  town = await openTestEnvironment({ channels: 0 })
})
afterAll(() => town.close())
beforeEach(async () => {
  await town.db.$executeRaw`TRUNCATE "VideoAsset", "UserRequest", "SoundReport", "User", "WorkerProcess"`
  await town.db.installation.updateMany({ data: { reconciler: null, reconcilerUntil: null } })
  for (const lane of lanes) await town.queue.queues[lane].drain(true)
})

const longAgo = new Date('2020-01-01')
const [past, future] = [() => new Date(Date.now() - 60_000), () => new Date(Date.now() + 60_000)]
type Fields = Partial<Parameters<TestEnvironment['db']['videoAsset']['create']>[0]['data']>
const create = (name: string, fields: Fields = {}) =>
  town.db.videoAsset.create({
    data: { template: 'tiny', name, display: name, generation: 5, createdAt: longAgo, updatedAt: longAgo, ...fields },
  })
const rowOf = (id: string) => town.db.videoAsset.findUniqueOrThrow({ where: { id } })
const pass = (changes: Partial<Parameters<typeof reconcile>[0]> = {}) =>
  reconcile({ db: town.db, queue: town.queue, botId: town.botId, times: town.times, ...changes })
const turn = () =>
  town.db.installation.findUniqueOrThrow({ where: { id: 1 }, select: { reconciler: true, reconcilerUntil: true } })

let updates = 1
async function asks(
  assetId: string,
  userId: number,
  fields: { status?: 'COMPLETED'; claimOwner?: string; claimUntil?: Date; createdAt?: Date } = {},
): Promise<void> {
  await town.db.user.upsert({ where: { id: userId }, create: { id: userId }, update: {} })
  await town.db.userRequest.create({
    data: { userId, assetId, chatId: userId, language: 'ru', botId: 1, updateId: updates++, ...fields },
  })
}

describe('property 5: one reconciler at a time', () => {
  it('while another has its turn, nothing is touched', async () => {
    const asset = await create('маша', { status: 'GENERATING', leaseOwner: 'dead', leaseUntil: past() })
    const others = { reconciler: 'another', reconcilerUntil: future() }
    await town.db.installation.updateMany({ data: others })
    expect(await pass()).toBeUndefined()
    expect(await rowOf(asset.id)).toEqual(asset)
    expect(await turn()).toEqual(others)
  })

  it('one that froze keeps the others away no longer than its turn lasts', async () => {
    await town.db.installation.updateMany({ data: { reconciler: 'frozen', reconcilerUntil: past() } })
    expect(await pass()).toMatchObject({ recovered: 0 })
    expect(await turn()).toEqual({ reconciler: null, reconcilerUntil: null })
  })

  it('of many at the same moment one works; when it has ended the next may', async () => {
    let go = () => {}
    const hold = new Promise<void>((resolve) => (go = resolve))
    const queue = {
      ...town.queue,
      missing: async <J>(_lane: unknown, jobs: readonly J[]) => {
        await hold
        return jobs.slice(0, 0)
      },
    }
    const passes = Array.from({ length: 4 }, () => pass({ queue }))
    let over = 0
    for (const each of passes) void each.then((found) => (over += found === undefined ? 1 : 0))
    while (over < 3) await new Promise((resolve) => setTimeout(resolve, 10))
    expect((await turn()).reconciler).not.toBeNull()
    go()
    expect((await Promise.all(passes)).filter((found) => found !== undefined)).toHaveLength(1)
    expect(await pass()).toBeDefined()
  })

  it('one that lost its turn does not end another’s', async () => {
    const queue = {
      ...town.queue,
      missing: async <J>(_lane: unknown, jobs: readonly J[]) => {
        await town.db.installation.updateMany({ data: { reconciler: 'another', reconcilerUntil: future() } })
        return jobs.slice(0, 0)
      },
    }
    await pass({ queue })
    expect((await turn()).reconciler).toBe('another')
  })
})

describe('property 5: work whose holder died', () => {
  it('becomes work again under the next generation, which the holder cannot write to any more', async () => {
    const asset = await create('маша')
    const held = await claim(town.db, { assetId: asset.id, generation: 5 }, 'dead', -1_000)
    expect(await pass()).toMatchObject({ recovered: 1 })
    expect(await rowOf(asset.id)).toMatchObject({
      status: 'PENDING',
      generation: 6,
      leaseOwner: null,
      leaseUntil: null,
      queuedAt: null,
    })
    expect(
      await markAvailable(
        town.db,
        held as ClaimedAsset,
        'dead',
        town.botId,
        { revision: 'r', templateRevision: 't' },
        { fileId: 'f', fileUniqueId: 'u', chatId: null, messageId: null },
      ),
    ).toBe(false)
    // A job that the dead worker left in the queue gets nothing.
    expect(await claim(town.db, { assetId: asset.id, generation: 5 }, 'late', 60_000)).toBeUndefined()
  })

  it('also where no lease says until when', async () => {
    const asset = await create('маша', { status: 'GENERATING' })
    expect(await pass()).toMatchObject({ recovered: 1 })
    expect(await rowOf(asset.id)).toMatchObject({ status: 'PENDING', generation: 6 })
  })

  it('is nothing else: a live lease, what waits, what is finished', async () => {
    const rows = [
      await create('маша', { status: 'GENERATING', leaseOwner: 'alive', leaseUntil: future() }),
      await create('петя', { queuedAt: future(), leaseUntil: past() }),
      await create('ваня', { status: 'AVAILABLE', leaseUntil: past() }),
      await create('юра', { status: 'FAILED', leaseUntil: past() }),
    ]
    expect(await pass()).toMatchObject({ recovered: 0 })
    for (const row of rows) expect(await rowOf(row.id)).toEqual(row)
  })

  it('is not known for a while after the database was away: who holds a lease could not renew it', async () => {
    const asset = await create('маша', { status: 'GENERATING', leaseOwner: 'alive', leaseUntil: past() })
    const sinceTheServerBegan = 10 * 365 * 86_400_000
    expect(await pass({ times: { ...town.times, leaseRenewMs: sinceTheServerBegan } })).toMatchObject({ recovered: 0 })
    expect(await rowOf(asset.id)).toEqual(asset)
    expect(await pass()).toMatchObject({ recovered: 1 })
  })
})

describe('property 12: jobs that were never added', () => {
  it('are added for people before all that is warm, the oldest first', async () => {
    await town.db
      .$executeRaw`INSERT INTO "VideoAsset" (template, name, display, "createdAt", "updatedAt") SELECT 'tiny', 'warm ' || n, '', now() - interval '1 day', now() - interval '1 hour' FROM generate_series(1, 1000) AS n`
    const [late, early] = [
      await create('маша', { createdAt: past() }),
      await create('петя', { createdAt: new Date(Date.now() - 120_000) }),
    ]
    await asks(late.id, 1)
    await asks(early.id, 2)
    const added: [string, string[]][] = []
    const queue = {
      ...town.queue,
      add: async (lane: string, jobs: readonly { assetId: string }[]) =>
        void added.push([lane, jobs.map(({ assetId }) => assetId)]),
      missing: async <J>(_lane: unknown, jobs: readonly J[]) => jobs.slice(0, 0),
    }
    expect(await pass({ queue })).toMatchObject({ queued: 1_002 })
    expect(added.find(([lane]) => lane === 'people')).toEqual(['people', [early.id, late.id]])
    expect(added[0]?.[0]).toBe('people')
  })

  it('wait until their time has come, and are no sooner added than somebody else may be about to', async () => {
    const [later, justNow] = [
      await create('маша', { retryAfter: future() }),
      await create('петя', { updatedAt: future() }),
    ]
    expect(await pass()).toMatchObject({ queued: 1 })
    expect(await town.queue.counts()).toMatchObject({ waiting: 0, delayed: 1 })
    expect((await rowOf(later.id)).queuedAt).not.toBeNull()
    expect((await rowOf(justNow.id)).queuedAt).toBeNull()
  })
})

describe('property 5: people who were not served', () => {
  const ready = (name: string, fields: Fields = {}) =>
    create(name, { status: 'AVAILABLE', telegramFileId: 'f', telegramBotId: town.botId, ...fields })

  it('are found when their video or its failure is there, and nobody serves them now', async () => {
    const found = [
      await ready('маша'),
      await create('петя', { status: 'FAILED' }),
      await ready('ваня', { status: 'GENERATING', leaseUntil: future(), leaseOwner: 'x' }),
    ]
    await asks(found[0]?.id ?? '', 1)
    await asks(found[1]?.id ?? '', 2, { claimOwner: 'dead', claimUntil: past() })
    await asks(found[2]?.id ?? '', 3)
    const others = [
      await ready('юра'),
      await ready('оля'),
      await create('коля', { queuedAt: future() }),
      await ready('толя', { telegramBotId: town.botId + 1n }),
      await create('поля', { status: 'AVAILABLE' }),
    ]
    await asks(others[0]?.id ?? '', 4, { claimOwner: 'delivery', claimUntil: future() })
    await asks(others[1]?.id ?? '', 5, { status: 'COMPLETED' })
    for (const [n, { id }] of others.slice(2).entries()) await asks(id, 6 + n)
    expect(new Set((await pass())?.undelivered)).toEqual(new Set(found.map(({ id }) => id)))
  })

  it('property 16: the first of each chat before the second of any, the oldest first', async () => {
    const [a, b, c, d] = [await ready('а'), await ready('б'), await ready('в'), await ready('г')]
    const ago = (seconds: number) => ({ createdAt: new Date(Date.now() - seconds * 1_000) })
    await asks(a.id, 1, ago(40))
    await asks(b.id, 1, ago(30))
    await asks(c.id, 2, ago(10))
    await asks(d.id, 3, ago(20))
    expect((await pass())?.undelivered).toEqual([a.id, d.id, c.id, b.id])
  })
})

it('workers that have not been seen for long are struck off, live ones are not', async () => {
  const seen = (id: string, seenAt: Date) =>
    town.db.workerProcess.create({ data: { id, host: 'here', pid: 1, concurrency: 1, seenAt } })
  await seen('gone', new Date(Date.now() - town.times.workerGoneMs * 4))
  await seen('quiet', new Date(Date.now() - town.times.workerGoneMs))
  await pass()
  expect((await town.db.workerProcess.findMany()).map(({ id }) => id)).toEqual(['quiet'])
})
