import { afterAll, beforeAll, expect, it } from 'vitest'
import { request } from '../../src/greetings/request.ts'
import { startWorker, type RunningWorker } from '../../src/queue/processors/worker.ts'
import { ask, openTestEnvironment, person, until, type TestEnvironment } from '../environment/test-environment.ts'
import { plannedRenderer, workerParts } from '../environment/worker-parts.ts'

// One channel, filled by a warm run for longer than a minute: Telegram would refuse any post beyond the run's own.
const perMinute = 20
const timeDivisor = 5
let town: TestEnvironment
let worker: RunningWorker

beforeAll(async () => {
  town = await openTestEnvironment({ timeDivisor, channelRate: perMinute })
  await town.telegram.limit({ channelPerMinute: perMinute, overallPerSecond: 30 })
})
afterAll(async () => {
  await worker.stop(0)
  await town.close()
})

it('property 12: a cold name takes a person no more than its render and ten seconds, though warm has the channel full', async () => {
  const letters = [...'абвгдежзик']
  await request(
    town.door,
    letters.flatMap((one) => letters.map((other) => ask(`Ими${one}${other}`))),
  )
  worker = await startWorker(workerParts(town, await plannedRenderer(town)), 2)
  const warmed = () => town.db.videoAsset.count({ where: { status: 'AVAILABLE', userRequests: { none: {} } } })
  await until(async () => (await warmed()) > perMinute + 2, 'more than a minute of posts', 60_000)

  const waits: number[] = []
  for (const [n, name] of ['Холод', 'Стужа', 'Мороз', 'Вьюга'].entries()) {
    await town.telegram.say({ userId: 100 + n, text: '/start' })
    const startedAt = Date.now()
    await request(town.door, [ask(name)], person(100 + n))
    await until(
      async () => (await town.db.userRequest.count({ where: { userId: 100 + n, status: 'COMPLETED' } })) === 1,
      name,
    )
    waits.push(Date.now() - startedAt)
  }
  expect(Math.max(...waits)).toBeLessThan(10_000 / timeDivisor)
  // The run was still at its limit, and nobody went beyond Telegram's.
  expect(await warmed()).toBeLessThan(100)
  expect(
    (await town.telegram.calls({ method: 'sendVideo', upload: 'multipart', ok: false })).map(({ status }) => status),
  ).toEqual([])
})
