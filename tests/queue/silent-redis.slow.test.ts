import { afterAll, beforeAll, expect, it } from 'vitest'
import { reconcile } from '../../src/greetings/reconcile.ts'
import { request } from '../../src/greetings/request.ts'
import { queueModes } from '../environment/redis.ts'
import { ask, openTestEnvironment, person, until, type TestEnvironment } from '../environment/test-environment.ts'

let town: TestEnvironment
beforeAll(async () => {
  if (queueModes.includes('redis')) town = await openTestEnvironment({ queueMode: 'redis' })
})
afterAll(() => town?.close())

/** How long until it failed; Infinity: it did not. */
async function failsAfter(work: Promise<unknown>): Promise<number> {
  const startedAt = Date.now()
  return work.then(
    () => Infinity,
    () => Date.now() - startedAt,
  )
}

it.runIf(queueModes.includes('redis'))(
  'property 16: a Redis that says nothing, without closing a connection, holds up nobody and nothing in the database',
  async () => {
    const { queue, db } = town
    const pid = Number(town.redis?.pid)
    await request(town.door, [ask('Анна')])
    await db.$executeRaw`INSERT INTO "VideoAsset" (template, name, display, status, "leaseOwner", "leaseUntil", "updatedAt") VALUES ('tiny', 'клим', 'Клим', 'GENERATING', 'dead', now() - interval '1 minute', now() - interval '1 hour')`
    const job = { assetId: 'a', generation: 1 }
    process.kill(pid, 'SIGSTOP')
    try {
      const pass = reconcile({ db, queue, botId: town.botId, times: town.times })
      const calls = {
        add: failsAfter(queue.add('warm', [job])),
        promote: failsAfter(queue.promote(job)),
        missing: failsAfter(queue.missing('people', [job])),
        remove: failsAfter(queue.remove('warm', [job])),
        counts: failsAfter(queue.counts()),
        evictionPolicy: failsAfter(queue.evictionPolicy()),
        // As bull-board asks, past our own limits.
        getJobs: failsAfter(queue.queues.people.getJobs(['wait'])),
      }
      const askedAt = Date.now()
      expect(await request(town.door, [ask('Борис')], person(1))).toMatchObject([{ status: 'waiting' }])
      expect(Date.now() - askedAt).toBeLessThan(3_500)
      // A name whose worker died is recovered all the same, and free for whoever asks for it.
      await until(
        async () => (await db.videoAsset.findFirst({ where: { name: 'клим', status: 'PENDING' } })) !== null,
        'the recovery',
        2_000,
      )
      const [open] = await db.$queryRaw<
        object[]
      >`SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'`
      expect(open).toBeUndefined()
      for (const [name, after] of Object.entries(calls))
        expect(await after, name).toBeLessThan(name === 'promote' ? 3_500 : name === 'getJobs' ? 12_000 : 8_000)
      expect((await pass)?.queueFault).toBeInstanceOf(Error)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    await until(async () => queue.counts().catch(() => undefined), 'the queue')
    const after = await until(async () => {
      const found = await reconcile({ db, queue, botId: town.botId, times: town.times })
      return found?.queueFault === undefined && found
    }, 'a whole pass')
    expect(after.queueFault).toBeUndefined()
    expect(await queue.counts()).toMatchObject({ waiting: expect.any(Number) as number })
  },
)
