import { setMaxListeners } from 'node:events'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { AssetFault, Outage } from '../../src/errors.ts'
import { request } from '../../src/greetings/request.ts'
import { text } from '../../src/texts.ts'
import { startWorker, type RunningWorker } from '../../src/queue/processors/worker.ts'
import { uploadToStorage, type Storage } from '../../src/telegram/storage.ts'
import type { Renderer } from '../../src/video/renderer.ts'
import { queueModes } from '../environment/redis.ts'
import { ask, openTestEnvironment, person, until, type TestEnvironment } from '../environment/test-environment.ts'
import { videosOf } from './processes.ts'
import { plannedRenderer, workerParts, type Making } from '../environment/worker-parts.ts'

describe.each(queueModes)('a worker, queue on %s', (queueMode) => {
  let town: TestEnvironment
  let renderer: Renderer & { made: string[] }
  let making: Making = async () => undefined
  const workers = new Set<RunningWorker>()

  beforeAll(async () => {
    town = await openTestEnvironment({ queueMode })
    renderer = await plannedRenderer(town, (display, signal) => making(display, signal))
  })
  afterEach(async () => {
    await town.telegram.release()
    await Promise.all([...workers].map((worker) => worker.stop(0)))
    workers.clear()
    making = async () => undefined
    await town.db.userRequest.deleteMany()
    await town.db.videoAsset.deleteMany()
    await town.db.outage.deleteMany()
    await town.db.floodBucket.deleteMany()
  })
  afterAll(() => town.close())

  async function work(storage: Partial<Storage> = {}, concurrency = 1): Promise<RunningWorker> {
    const worker = await startWorker(
      { ...workerParts(town, renderer), storage: { ...town.storage, ...storage } },
      concurrency,
    )
    workers.add(worker)
    return worker
  }

  async function asks(name: string, id: number): Promise<string> {
    await town.telegram.say({ userId: id, text: '/start' })
    const [answer] = await request(town.door, [ask(name)], person(id))
    if (answer?.status !== 'waiting') throw new Error(`asked, but ${String(answer?.status)}`)
    return answer.assetId
  }

  const madeBefore = async () =>
    uploadToStorage(
      town.storage,
      await renderer.make(
        renderer.templates[0] as never,
        { key: 'x', display: 'X', say: null },
        { signal: new AbortController().signal, onStep: () => undefined },
      ),
      { signal: new AbortController().signal, isWanted: () => true },
    )
  const assetOf = (id: string) =>
    town.db.videoAsset.findUniqueOrThrow({ where: { id }, include: { userRequests: true } })
  const served = (id: string) =>
    until(async () => (await assetOf(id)).userRequests.every(({ status }) => status === 'COMPLETED'), 'the delivery')

  it('property 11: three faults of the asset, then FAILED, and the people are told when to try again', async () => {
    let tries = 0
    making = async () => {
      tries++
      throw new AssetFault('render', 'the frames do not fit')
    }
    const assetId = await asks('Артём', 10)
    await asks('Артём', 11)
    await work()
    const failed = await until(async () => {
      const asset = await assetOf(assetId)
      return asset.userRequests.every(({ status }) => status === 'FAILED') && asset
    }, 'the failure')
    expect(failed).toMatchObject({
      status: 'FAILED',
      attempts: 3,
      errorClass: 'render',
      errorText: 'the frames do not fit',
    })
    expect(tries).toBe(3)
    for (const id of [10, 11]) {
      expect((await town.telegram.messages(id)).filter(({ text }) => text?.includes('не получилось')).length).toBe(1)
    }
    // Who asks during the cool-down is told at once; after it the asset gets a fresh start.
    await town.db.videoAsset.update({ where: { id: assetId }, data: { retryAfter: new Date(Date.now() + 3_600_000) } })
    await town.telegram.say({ userId: 12, text: '/start' })
    expect(await request(town.door, [ask('Артём')], person(12))).toMatchObject([{ status: 'failed' }])
    await town.db.videoAsset.update({ where: { id: assetId }, data: { retryAfter: new Date(Date.now() - 1_000) } })
    making = async () => undefined
    await asks('Артём', 12)
    await until(async () => (await videosOf(town, 12)) === 1, 'the video')
    expect(text('ru', 'failed', { name: 'Артём', minutes: 60 })).toContain('через час')
  })

  it.each([
    { what: 'ffmpeg is missing', name: 'Борис', outage: () => new Outage('ffmpeg', 'There is no ffmpeg.') },
    { what: 'the disk is full', name: 'Богдан', outage: () => new Outage('disk', 'The disk is full.') },
    {
      what: 'the voice does not answer',
      name: 'Белла',
      outage: () => new Outage('voice', 'The voice does not answer.'),
    },
  ])('property 11: when $what no attempt is used, and the work goes on by itself', async ({ outage, name }) => {
    let works = false
    making = async () => {
      if (!works) throw outage()
    }
    const assetId = await asks(name, 20)
    await work()
    const { step, reason } = await until(() => town.db.outage.findFirst(), 'the outage being noted')
    expect(outage()).toMatchObject({ step, message: reason })
    await until(async () => (await assetOf(assetId)).generation > 2, 'several tries')
    expect((await assetOf(assetId)).attempts).toBe(0)
    works = true
    await served(assetId)
    expect(await town.db.outage.count()).toBe(0)
    expect(await assetOf(assetId)).toMatchObject({ status: 'AVAILABLE', attempts: 0, errorText: null })
  })

  it.each([
    { what: 'a proxy answers 502', name: 'Вера', answer: { kind: 'html', code: 502 }, times: 3 },
    { what: 'the connection breaks', name: 'Владлен', answer: { kind: 'drop-before' }, times: 7 },
    {
      what: 'Telegram asks for minutes of rest',
      name: 'Василиса',
      answer: { kind: 'flood', retryAfter: 90 },
      times: 1,
    },
  ] as const)(
    'property 11: when $what during the upload, nothing is lost and nothing rendered again',
    async ({ answer, times, name }) => {
      await town.telegram.fault({ method: 'sendVideo', upload: 'multipart', times, answer })
      const before = renderer.made.length
      const assetId = await asks(name, 30)
      await work()
      await served(assetId)
      expect((await assetOf(assetId)).attempts).toBe(0)
      expect(renderer.made.length - before).toBe(1)
    },
  )

  it('property 11: a channel in which the bot may not post is an outage until it may', async () => {
    await town.telegram.setMember({ chatId: town.channelId, status: 'administrator', can_post_messages: false })
    const assetId = await asks('Галина', 40)
    await work()
    await until(() => town.db.outage.findUnique({ where: { step: 'storage' } }), 'the outage being noted')
    expect(await assetOf(assetId)).toMatchObject({ attempts: 0 })
    await town.telegram.setMember({ chatId: town.channelId, status: 'administrator', can_post_messages: true })
    await served(assetId)
    expect(await town.db.outage.count()).toBe(0)
  })

  it('property 11: an outage is over when somebody is served, though nothing is uploaded', async () => {
    const asset = await asks('Жанна', 55)
    await town.db.videoAsset.update({
      where: { id: asset },
      data: { status: 'AVAILABLE', telegramFileId: (await madeBefore()).fileId, telegramBotId: town.botId },
    })
    await town.db.outage.create({ data: { step: 'telegram', reason: 'away', until: new Date(Date.now() + 60_000) } })
    await work()
    await served(asset)
    await until(async () => (await town.db.outage.count()) === 0, 'the end of the outage')
  })

  const told = async (id: number) =>
    (await town.telegram.messages(id)).some(({ text }) => text?.includes('не получилось') === true)

  it('property 8: without a storage channel a flood is waited for, and nobody is told that it failed', async () => {
    await town.telegram.fault({ method: 'sendVideo', upload: 'multipart', answer: { kind: 'flood', retryAfter: 40 } })
    const assetId = await asks('Ульяна', 56)
    await work({ chatIds: [] })
    await served(assetId)
    expect(await assetOf(assetId)).toMatchObject({ status: 'AVAILABLE', attempts: 0, errorClass: null })
    expect([await videosOf(town, 56), await told(56)]).toEqual([1, false])
  })

  it('property 8: without a storage channel whom a killed worker had claimed is served when the claim is over', async () => {
    const assetId = await asks('Фёкла', 57)
    await town.db.userRequest.updateMany({ data: { claimOwner: 'killed', claimUntil: new Date(Date.now() + 1_500) } })
    await work({ chatIds: [] })
    await served(assetId)
    expect(await assetOf(assetId)).toMatchObject({ status: 'AVAILABLE', attempts: 0, errorClass: null })
    expect([await videosOf(town, 57), await told(57)]).toEqual([1, false])
  })

  it('property 8: without a storage channel, and when nobody can be reached, whoever asks next gets the video at once', async () => {
    const assetId = await asks('Харитон', 58)
    await town.telegram.block(58)
    await work({ chatIds: [] })
    await until(async () => (await assetOf(assetId)).status === 'FAILED', 'the end')
    expect(await assetOf(assetId)).toMatchObject({ attempts: 0, errorClass: 'storage', retryAfter: null })
    expect(await asks('Харитон', 59)).toBe(assetId)
    await until(async () => (await videosOf(town, 59)) === 1, 'the video')
    expect([await told(58), await told(59)]).toEqual([false, false])
  })

  it('property 5: jobs that were never added are added', async () => {
    const broken = {
      ...town.queue,
      add: () => Promise.reject(new Error('no queue')),
      promote: () => Promise.reject(new Error('no queue')),
    }
    await town.telegram.say({ userId: 50, text: '/start' })
    await expect(request({ ...town.door, queue: broken }, [ask('Дина'), ask('Демьян')])).rejects.toThrow('no queue')
    expect(await request({ ...town.door, queue: broken }, [ask('Динара')], person(50))).toMatchObject([
      { status: 'waiting' },
    ])
    expect(await town.db.videoAsset.count({ where: { queuedAt: null } })).toBe(3)
    await work()
    await until(async () => (await town.db.videoAsset.count({ where: { status: 'AVAILABLE' } })) === 3, 'all videos')
    await until(async () => (await videosOf(town, 50)) === 1, 'the delivery')
  })

  it.runIf(queueMode === 'redis')(
    'property 5: a Redis that was emptied loses nothing, whatever waits in it',
    async () => {
      const names = Array.from({ length: 20 }, (_, n) => ask(`Имя${'абвгдежзиклмнопрстуф'.charAt(n)}`))
      await request(town.door, names)
      const asset = await asks('Есения', 60)
      const { flush, close } = await redisOf(String(town.redis?.url))
      try {
        await flush()
        expect(await town.queue.counts()).toMatchObject({ waiting: 0 })
        const hold = await town.telegram.fault({ method: 'sendVideo', upload: 'multipart', answer: { kind: 'hold' } })
        await work()
        await town.telegram.waitForHeld(hold.id)
        // And once more while it works.
        await flush()
        await town.telegram.release()
        await until(
          async () => (await town.db.videoAsset.count({ where: { status: 'AVAILABLE' } })) === 21,
          'all videos',
        )
        await served(asset)
        expect(
          (await town.telegram.calls({ method: 'sendVideo', chatId: 60 })).filter(({ status }) => status === 200)
            .length,
        ).toBe(1)
      } finally {
        await close()
      }
    },
  )

  it('property 12: a person overtakes the render slot and the upload, though warm is at its limit', async () => {
    const names = Array.from({ length: 24 }, (_, n) => ask(`Тёплый${'абвгдежзиклмнопрстуфхцчш'.charAt(n)}`))
    await request(town.door, names)
    // One upload in four seconds: Telegram's time is not divided here.
    await work({ ratePerMinute: 15, times: { ...town.times, longestFloodSleepMs: 60_000, telegramSecondMs: 1_000 } })
    await until(
      async () => (await town.db.videoAsset.count({ where: { status: 'AVAILABLE' } })) === 1,
      'the first upload',
    )
    const startedAt = Date.now()
    const queued = names.at(-1)?.display ?? ''
    const cold = await asks('Холод', 70)
    const promoted = await asks(queued, 71)
    await Promise.all([served(cold), served(promoted)])
    expect(Date.now() - startedAt).toBeLessThan(10_000)
    const warm = await town.db.videoAsset.count({ where: { status: 'AVAILABLE', userRequests: { none: {} } } })
    expect(warm).toBeLessThan(1 + 2 + (Date.now() - startedAt) / 4_000)
  })

  it('property 12: people are served in the order of asking, before every warm name', async () => {
    await request(town.door, [ask('Теплынь'), ask('Тепло')])
    const order = ['Зоя', 'Инга', 'Карина', 'Лев']
    for (const [n, name] of order.entries()) await asks(name, 80 + n)
    const before = renderer.made.length
    // A worker that has room for one at a time, started when everything waits.
    await work()
    await until(async () => (await town.db.videoAsset.count({ where: { status: 'AVAILABLE' } })) === 6, 'all videos')
    const made = renderer.made.slice(before).filter((name) => order.includes(name))
    expect(made).toEqual(order)
  })

  it('property 13: a stop finishes what is in hand when it can', async () => {
    let go = () => {}
    making = () => new Promise((resolve) => (go = resolve))
    const assetId = await asks('Марк', 90)
    const later = await asks('Мирон', 91)
    const worker = await work()
    await until(async () => (await assetOf(assetId)).status === 'GENERATING', 'the claim')
    const stopped = worker.stop(10_000)
    go()
    await stopped
    workers.delete(worker)
    expect(await assetOf(assetId)).toMatchObject({ status: 'AVAILABLE' })
    // What was not begun is free for the next worker.
    expect(await assetOf(later)).toMatchObject({ status: 'PENDING', leaseOwner: null, attempts: 0 })
    making = async () => undefined
    await work()
    await served(later)
    expect(await town.db.workerProcess.count()).toBe(1)
  })

  it('property 13: a stop whose time is over returns the work without an attempt', async () => {
    making = (_display, signal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }))
    const assetId = await asks('Нина', 95)
    const worker = await work()
    await until(async () => (await assetOf(assetId)).status === 'GENERATING', 'the claim')
    await worker.stop(50)
    workers.delete(worker)
    expect(await assetOf(assetId)).toMatchObject({
      status: 'PENDING',
      attempts: 0,
      leaseOwner: null,
      retryAfter: null,
      errorText: null,
    })
    making = async () => undefined
    await work()
    await served(assetId)
  })
})

/** A connection that empties a Redis. */
async function redisOf(url: string): Promise<{ flush(): Promise<void>; close(): Promise<void> }> {
  const { Redis } = await import('ioredis')
  const redis = new Redis(url)
  setMaxListeners(0, redis)
  return { flush: async () => void (await redis.flushall()), close: async () => redis.disconnect() }
}
