import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { reconcile, type Reconciled } from '../../src/greetings/reconcile.ts'
import { request } from '../../src/greetings/request.ts'
import { lanes } from '../../src/queue/index.ts'
import { startWorker } from '../../src/queue/processors/worker.ts'
import { plannedRenderer, workerParts } from '../environment/worker-parts.ts'
import { queueModes } from '../environment/redis.ts'
import { ask, openTestEnvironment, person, until, type TestEnvironment } from '../environment/test-environment.ts'

describe.each(queueModes)('jobs that the queue does not hold, queue on %s', (queueMode) => {
  let town: TestEnvironment
  beforeAll(async () => {
    town = await openTestEnvironment({ queueMode })
  })
  afterAll(() => town.close())
  beforeEach(async () => {
    for (const lane of lanes) await town.queue.queues[lane].drain(true)
    await town.db.userRequest.deleteMany()
    await town.db.videoAsset.deleteMany()
    await town.db.installation.updateMany({ data: { reconciler: null, reconcilerUntil: null } })
  })

  const pass = async (from?: Reconciled['next']): Promise<Reconciled> => {
    const found = await reconcile({ db: town.db, queue: town.queue, botId: town.botId, times: town.times }, from)
    if (found === undefined) throw new Error('somebody else is reconciling')
    expect(found.queueFault).toBeUndefined()
    return found
  }
  const longAgo = () =>
    town.db
      .$executeRaw`UPDATE "VideoAsset" SET "queuedAt" = now() - interval '1 minute', "updatedAt" = now() - interval '1 minute' WHERE "queuedAt" IS NOT NULL`
  const jobOf = async (name: string) => {
    const { id, generation } = await town.db.videoAsset.findFirstOrThrow({ where: { name: ask(name).key } })
    return { assetId: id, generation }
  }

  it('property 5: a lost job is found by its name, however many others there are', async () => {
    for (const [n, name] of ['Анна', 'Борис', 'Вера'].entries()) await request(town.door, [ask(name)], person(n + 1))
    const lost = await jobOf('Борис')
    await town.queue.remove('people', [lost])
    // The queue holds more jobs than there are unfinished assets, as it does while more comes in than is made.
    await town.queue.add(
      'people',
      Array.from({ length: 20 }, () => ({ assetId: randomUUID(), generation: 1 })),
    )
    await longAgo()
    expect(await town.queue.missing('people', [lost, await jobOf('Вера')])).toEqual([lost])
    expect(await pass()).toMatchObject({ queued: 1 })
    expect(await town.queue.missing('people', [lost])).toEqual([])
    expect(await pass()).toMatchObject({ queued: 0 })
  })

  it('property 12: a job that stayed warm when its person came, as the queue did not answer, goes to the people', async () => {
    await request(town.door, [ask('Глеб'), ask('Дина')])
    const silent = { ...town.door, queue: { ...town.queue, promote: () => Promise.reject(new Error('no answer')) } }
    await request(silent, [ask('Глеб')], person(1))
    const job = await jobOf('Глеб')
    expect(await town.queue.missing('people', [job])).toEqual([job])
    await longAgo()
    await pass()
    expect(await town.queue.missing('people', [job])).toEqual([])
    expect(await town.queue.missing('warm', [job, await jobOf('Дина')])).toEqual([job])
  })

  it('a lost job that may not run yet comes back with its delay', async () => {
    await request(town.door, [ask('Ева')])
    const job = await jobOf('Ева')
    await town.queue.remove('warm', [job])
    await longAgo()
    await town.db.videoAsset.updateMany({ data: { retryAfter: new Date(Date.now() + 60_000) } })
    await pass()
    expect(await town.queue.counts()).toMatchObject({ waiting: 0, delayed: 1 })
  })

  it('a job is not looked for before it had the time to get there, and never for a live lease', async () => {
    await request(town.door, [ask('Жанна'), ask('Захар')])
    await town.queue.remove('warm', [await jobOf('Жанна'), await jobOf('Захар')])
    await town.db.$executeRaw`UPDATE "VideoAsset" SET "updatedAt" = now() - interval '1 minute'`
    await town.db
      .$executeRaw`UPDATE "VideoAsset" SET status = 'GENERATING', "leaseUntil" = now() + interval '1 minute', "queuedAt" = now() - interval '1 minute' WHERE name = ${ask('Захар').key}`
    expect(await pass()).toMatchObject({ queued: 0, recovered: 0 })
  })

  it('a pass looks at some thousands, the oldest first, and the next one goes on from there', async () => {
    await town.db.$executeRaw`
      INSERT INTO "VideoAsset" (template, name, display, "queuedAt", "updatedAt") SELECT 'tiny', 'имя ' || n, 'Имя', now() - interval '1 hour' + n / 100 * interval '1 second', now() FROM generate_series(1, 5500) AS n`
    const rows = await town.db.videoAsset.findMany({ select: { id: true, name: true } })
    const lost = rows
      .filter(({ name }) => name === 'имя 10' || name === 'имя 5400')
      .map(({ id }) => ({ assetId: id, generation: 1 }))
    await town.queue.add(
      'warm',
      rows.map(({ id }) => ({ assetId: id, generation: 1 })),
    )
    await town.queue.remove('warm', lost)
    const first = await pass()
    expect(first.queued).toBe(1)
    const [early] = await town.queue.missing('warm', lost)
    expect(rows.find(({ id }) => id === early?.assetId)?.name).toBe('имя 5400')
    const second = await pass(first.next)
    expect(second.queued).toBe(1)
    expect(await town.queue.missing('warm', lost)).toEqual([])
    // From the beginning again.
    expect(second.next).toEqual({ queuedAt: new Date(0), id: '' })
  })

  it('property 5: a claim that meets a database error is tried again, though no reconciler comes', async () => {
    const renderer = await plannedRenderer(town)
    let refused = 0
    const db = new Proxy(town.db, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key)
        if (key !== '$queryRaw') return value
        return (strings: TemplateStringsArray, ...values: unknown[]) => {
          if (strings[0]?.includes(`SET status = 'GENERATING'`) === true && refused++ === 0)
            return Promise.reject(Object.assign(new Error('terminating connection'), { code: '57P01' }))
          return (value as (...all: unknown[]) => unknown).call(target, strings, ...values)
        }
      },
    })
    const parts = workerParts(town, renderer)
    const worker = await startWorker(
      { ...parts, delivery: { ...parts.delivery, db }, times: { ...town.times, reconcileMs: 60_000 } },
      1,
    )
    try {
      await town.telegram.say({ userId: 9, text: '/start' })
      await request(town.door, [ask('Иван')], person(9))
      await until(
        async () => (await town.db.userRequest.findFirst({ where: { status: 'COMPLETED' } })) !== null,
        'the delivery',
      )
      expect(refused).toBe(2)
    } finally {
      await worker.stop(100)
    }
  })
})

describe('the reconciler beside others', () => {
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
  const pass = () => reconcile({ db: town.db, queue: town.queue, botId: town.botId, times: town.times })

  it('property 16: a row that somebody holds locked keeps it from nothing else', async () => {
    await town.db.$executeRaw`
      INSERT INTO "VideoAsset" (template, name, display, status, "leaseOwner", "leaseUntil", "updatedAt")
      SELECT 'tiny', 'клим ' || n, 'Клим', (CASE WHEN n <= 2 THEN 'GENERATING' ELSE 'PENDING' END)::"AssetStatus", 'dead', now() - interval '1 minute', now() - interval '1 hour' FROM generate_series(1, 4) AS n`
    await other.query('BEGIN')
    await other.query(`SELECT 1 FROM "VideoAsset" WHERE name IN ('клим 1', 'клим 3') FOR UPDATE`)
    try {
      // Two are recovered or marked, and two are locked.
      expect(await pass()).toMatchObject({ recovered: 1, queued: 3 })
      const marked = await town.db.videoAsset.findMany({
        where: { queuedAt: { not: null } },
        select: { name: true },
        orderBy: { name: 'asc' },
      })
      expect(marked).toEqual([{ name: 'клим 2' }, { name: 'клим 4' }])
    } finally {
      await other.query('ROLLBACK')
    }
    expect(await pass()).toMatchObject({ recovered: 1, queued: 2 })
    expect(await town.db.videoAsset.count({ where: { status: 'PENDING', queuedAt: { not: null } } })).toBe(4)
  })

  it('property 5: one at a time, and one that froze in the middle keeps the others away for no longer than a lease', async () => {
    let go = () => {}
    const gate = new Promise<void>((resolve) => (go = resolve))
    let begun = false
    const slow = {
      ...town.queue,
      missing: async () => {
        begun = true
        await gate
        return []
      },
    }
    const frozen = reconcile({ db: town.db, queue: slow, botId: town.botId, times: town.times })
    await until(async () => begun, 'the first pass')
    expect(await pass()).toBeUndefined()
    const { rows } = await other.query(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'`,
    )
    expect(rows).toEqual([])
    const found = await until(pass, 'another pass', town.times.leaseMs + 2_000)
    expect(found.queueFault).toBeUndefined()
    go()
    await frozen
  })
})
