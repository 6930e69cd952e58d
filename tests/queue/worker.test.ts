import { afterAll, beforeAll, expect, it } from 'vitest'
import { diskOutage, Outage } from '../../src/errors.ts'
import { listen, type DomainEvent } from '../../src/events.ts'
import { currentOutages, noteOutage } from '../../src/greetings/outages.ts'
import { request } from '../../src/greetings/request.ts'
import { startWorker } from '../../src/queue/processors/worker.ts'
import { ask, openTestEnvironment, person, until, type TestEnvironment } from '../environment/test-environment.ts'
import { videosOf } from './processes.ts'
import { plannedRenderer, workerParts } from '../environment/worker-parts.ts'

let town: TestEnvironment
beforeAll(async () => {
  town = await openTestEnvironment()
})
afterAll(() => town.close())

it('property 13: a stop lets every delivery in hand end, also one that another of the same name came after', async () => {
  const worker = await startWorker(workerParts(town, await plannedRenderer(town)), 1)
  await town.telegram.say({ userId: 1, text: '/start' })
  const hold = await town.telegram.fault({ method: 'sendVideo', chatId: 1, answer: { kind: 'hold' } })
  const [answer] = await request(town.door, [ask('Маша')], person(1))
  const id = answer !== undefined && 'assetId' in answer ? answer.assetId : ''
  await town.telegram.waitForHeld(hold.id)

  // Its video is looked at once more, and handed to whoever waits: nobody but who is being served.
  await town.db.videoAsset.update({ where: { id }, data: { status: 'PENDING', generation: 2 } })
  await town.queue.add('people', [{ assetId: id, generation: 2 }])
  await until(
    async () => (await town.db.videoAsset.findUniqueOrThrow({ where: { id } })).status === 'AVAILABLE',
    'the second look',
  )
  let isStopped = false
  const stopped = worker.stop(20_000).then(() => (isStopped = true))
  await until(async () => (await town.queue.counts()).active === 0, 'the end of the jobs')
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(isStopped).toBe(false)
  await town.telegram.release()
  await stopped
  expect(await town.db.userRequest.findFirstOrThrow()).toMatchObject({ status: 'COMPLETED' })
  expect(await videosOf(town, 1)).toBe(1)
  expect(await town.db.workerProcess.count()).toBe(0)
})

it('prepares its templates when it starts, beside its first jobs, and a stop interrupts that', async () => {
  const renderer = await plannedRenderer(town)
  let interrupted: unknown
  const warmUp: typeof renderer.warmUp = async (signal, onMade) => {
    onMade?.('tiny', 2_000)
    await new Promise<void>((_, fail) =>
      signal?.addEventListener('abort', () => fail((interrupted = signal.reason as Error))),
    )
  }
  const told: DomainEvent[] = []
  const ignore = listen((event) => void told.push(event))
  const worker = await startWorker({ ...workerParts(town, { ...renderer, warmUp }), prepares: true }, 1)
  await request(town.door, [ask('Клара')])
  await until(async () => renderer.made.includes('Клара'), 'the first video')
  expect(told).toContainEqual({ what: 'step', step: 'prepare', template: 'tiny', seconds: 2 })
  expect(interrupted).toBeUndefined()
  await worker.stop(20_000)
  ignore()
  expect(interrupted).toBeInstanceOf(Error)
})

it.each([
  ['that another worker met, and that of this host’s disk', 'Петя', diskOutage('full'), []],
  [
    'that another worker met, but none of another host’s disk',
    'Оля',
    new Outage('disk', 'another.example: full'),
    ['disk'],
  ],
])('property 11: a video that is made ends an outage %s', async (_what, name, ofDisk, left) => {
  for (const outage of [ofDisk, new Outage('voice', 'away')]) await noteOutage(town.db, outage, 60_000)
  const worker = await startWorker(workerParts(town, await plannedRenderer(town)), 1)
  try {
    await request(town.door, [ask(name)])
    await until(
      async () => (await town.db.videoAsset.count({ where: { name: ask(name).key, status: 'AVAILABLE' } })) === 1,
      'the video',
    )
    await until(async () => (await currentOutages(town.db)).length === left.length, 'the end of the outages')
    expect((await currentOutages(town.db)).map(({ step }) => step)).toEqual(left)
  } finally {
    await worker.stop(5_000)
    await town.db.outage.deleteMany()
  }
})

it('property 12: twenty names of one person hold up another’s first by one render at most', async () => {
  let begun = 0
  let open: (() => void) | undefined
  const gate = new Promise<void>((resolve) => (open = resolve))
  const renderer = await plannedRenderer(town, async () => {
    begun++
    await gate
  })
  const vowels = [...'аоуиея']
  const many = vowels.flatMap((one) => vowels.map((other) => ask(`К${one}т${other}`))).slice(0, 20)
  await town.telegram.say({ userId: 3, text: '/start' })
  await town.telegram.say({ userId: 4, text: '/start' })
  await request(town.door, many, person(3))
  const worker = await startWorker(workerParts(town, renderer), 1)
  try {
    await until(async () => begun > 0, 'the first render')
    // A worker takes some jobs ahead, and those must not matter.
    await until(async () => (await town.queue.counts()).active >= 8, 'the jobs that are taken ahead')
    await request(town.door, [ask('Аня')], person(4))
    await request(town.door, [ask('Таня')], person(4))
    open?.()
    await until(async () => renderer.made.includes('Таня'), 'both')
    expect(renderer.made.indexOf('Аня')).toBeLessThanOrEqual(2)
    expect(renderer.made.indexOf('Таня')).toBeLessThan(15)
  } finally {
    await worker.stop(20_000)
  }
})

it('property 11: an outage met by a delivery is noted, and over when the video has arrived', async () => {
  await town.telegram.say({ userId: 2, text: '/start' })
  const fault = await town.telegram.fault({
    method: 'sendVideo',
    chatId: 2,
    times: 1_000,
    answer: { kind: 'html', code: 502 },
  })
  const worker = await startWorker(workerParts(town, await plannedRenderer(town)), 1)
  const noted = async () => (await currentOutages(town.db)).map(({ step }) => step)
  try {
    await request(town.door, [ask('Вера')], person(2))
    await until(async () => (await noted()).includes('telegram'), 'the note of the outage', 10_000)
    await town.telegram.release(fault.id)
    await until(async () => (await videosOf(town, 2)) === 1, 'the video')
    await until(async () => (await noted()).length === 0, 'the end of the outage')
  } finally {
    await town.telegram.release()
    await worker.stop(5_000)
  }
})
