/**
 * The job: who may go on with an asset, and what is left when it does not work. No worker and no reconciler around it.
 */
import { setMaxListeners } from 'node:events'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { listen, type DomainEvent } from '../../src/events.ts'
import { AssetFault, diskOutage, Outage } from '../../src/errors.ts'
import { request } from '../../src/greetings/request.ts'
import { lanes } from '../../src/queue/index.ts'
import { generateVideo, type JobDeps } from '../../src/queue/processors/video-generation.ts'
import { ask, openTestEnvironment, person, until, type TestEnvironment } from '../environment/test-environment.ts'
import { plannedRenderer, jobDepsOf } from '../environment/worker-parts.ts'

const never = new AbortController().signal
setMaxListeners(0, never)

let town: TestEnvironment
let renderer: Awaited<ReturnType<typeof plannedRenderer>>
let making: (signal: AbortSignal) => Promise<void> = async () => undefined
let happened: DomainEvent[] = []
let deaf = () => {}
beforeAll(async () => {
  town = await openTestEnvironment()
  renderer = await plannedRenderer(town, (_display, signal) => making(signal))
  deaf = listen((event) => happened.push(event))
})
afterAll(async () => {
  deaf()
  await town.close()
})
beforeEach(async () => {
  await town.db.$executeRaw`TRUNCATE "VideoAsset", "UserRequest", "SoundReport", "User", "Outage", "FloodBucket"`
  for (const lane of lanes) await town.queue.queues[lane].drain(true)
  await town.telegram.clearCalls()
  making = async () => undefined
  happened = []
})
afterEach(() => town.telegram.release())

const letters = [...'абвгдежзиклмнопрст']
let names = 0
/** A name of which no video was made here. */
const newName = () => `Им${letters[Math.floor(names / letters.length)] ?? ''}${letters[names++ % letters.length] ?? ''}`
type Fields = Partial<Parameters<TestEnvironment['db']['videoAsset']['create']>[0]['data']>
const create = (fields: Fields = {}) => {
  const { template, key, display } = ask(newName())
  return town.db.videoAsset.create({
    data: { template, name: key, display, generation: 5, queuedAt: new Date(), ...fields },
  })
}
type Asset = Awaited<ReturnType<typeof create>>
const rowOf = ({ id }: Asset) => town.db.videoAsset.findUniqueOrThrow({ where: { id } })
const run = (shop: JobDeps, { id, generation }: Asset, signals: { closing?: AbortSignal; stop?: AbortSignal } = {}) =>
  generateVideo(shop, { assetId: id, generation }, 'people', { closing: never, stop: never, ...signals })
const uploads = async () => (await town.telegram.calls({ method: 'sendVideo', upload: 'multipart' })).length
const faults = () => happened.filter(({ what }) => what === 'fault' || what === 'outage')
const rests = async ({ outages }: JobDeps) =>
  Promise.race([
    outages.whenOver(never).then(() => false),
    new Promise<true>((resolve) => setTimeout(resolve, 50, true)),
  ])

describe('property 2: an asset that is no longer ours', () => {
  /** Somebody else has it from now on, and this worker hears of it. */
  async function lose(asset: Asset, signal: AbortSignal): Promise<void> {
    await town.db.videoAsset.update({ where: { id: asset.id }, data: { generation: 6, leaseOwner: 'another' } })
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  }

  it.each([
    ['stopped', (signal: AbortSignal) => signal.reason as Error],
    ['failed', () => new AssetFault('render', 'it was dark')],
    ['out of order', () => new Outage('ffmpeg', 'There is no ffmpeg.')],
  ])('is neither put back nor counted as a fault, when the render %s', async (_how, reason) => {
    const asset = await create()
    making = async (signal) => {
      await lose(asset, signal)
      throw reason(signal)
    }
    const shop = jobDepsOf(town, renderer)
    await run(shop, asset)
    expect(await rowOf(asset)).toMatchObject({
      status: 'GENERATING',
      generation: 6,
      leaseOwner: 'another',
      attempts: 0,
      errorClass: null,
    })
    expect(faults()).toEqual([])
    expect(await rests(shop)).toBe(false)
    expect(await town.db.outage.count()).toBe(0)
    expect(await uploads()).toBe(0)
  })

  it('is not recorded though its upload went through', async () => {
    const asset = await create()
    const hold = await town.telegram.fault({ method: 'sendVideo', answer: { kind: 'hold' } })
    const working = run(jobDepsOf(town, renderer), asset)
    await town.telegram.waitForHeld(hold.id)
    await town.db.videoAsset.update({ where: { id: asset.id }, data: { generation: 6 } })
    await town.telegram.release()
    await working
    expect(await rowOf(asset)).toMatchObject({ status: 'GENERATING', telegramFileId: null })
  })

  it('is left alone from the start, when the job is old or somebody has it', async () => {
    const [old, held] = [
      await create(),
      await create({ status: 'GENERATING', leaseOwner: 'another', leaseUntil: new Date(Date.now() + 60_000) }),
    ]
    await run(jobDepsOf(town, renderer), { ...old, generation: 4 })
    await run(jobDepsOf(town, renderer), held)
    expect([await rowOf(old), await rowOf(held)]).toEqual([old, held])
    expect(happened).toEqual([])
  })
})

describe('property 3: a video that lies in the channel already', () => {
  const uploaded = (fields: Fields) => ({
    telegramFileId: 'file',
    telegramFileUniqueId: 'u',
    telegramBotId: town.botId,
    ...fields,
  })
  const revisionOf = ({ name }: Asset) => `revision of ${name}`

  it('is not uploaded again', async () => {
    const asset = await create(uploaded({}))
    await town.db.videoAsset.update({ where: { id: asset.id }, data: { revision: revisionOf(asset) } })
    await run(jobDepsOf(town, renderer), asset)
    expect(await rowOf(asset)).toMatchObject({ status: 'AVAILABLE', telegramFileId: 'file', leaseOwner: null })
    expect(await uploads()).toBe(0)
  })

  it.each([
    ['of an older revision', { revision: 'another' }],
    ['of another bot', { telegramBotId: 1n }],
    ['that Telegram forgot', { telegramFileId: null }],
  ])('but one %s is', async (_what, fields) => {
    const asset = await create(uploaded({}))
    await town.db.videoAsset.update({ where: { id: asset.id }, data: { revision: revisionOf(asset), ...fields } })
    await run(jobDepsOf(town, renderer), asset)
    const row = await rowOf(asset)
    expect(row).toMatchObject({ status: 'AVAILABLE', telegramBotId: town.botId, revision: revisionOf(asset) })
    expect(row.telegramFileId).not.toBeOneOf([null, 'file'])
    expect(await uploads()).toBe(1)
  })

  it('is not rendered again where it is kept', async () => {
    const asset = await create()
    await run(jobDepsOf(town, renderer), asset)
    const before = renderer.made.length
    await town.db.videoAsset.update({
      where: { id: asset.id },
      data: { status: 'PENDING', generation: 6, telegramFileId: null },
    })
    await run(jobDepsOf(town, renderer), { ...asset, generation: 6 })
    expect(renderer.made.length).toBe(before)
    expect(await uploads()).toBe(2)
  })
})

describe('property 12: a place to render', () => {
  it('is given back before the upload, and once', async () => {
    const asset = await create()
    const shop = jobDepsOf(town, renderer)
    const hold = await town.telegram.fault({ method: 'sendVideo', answer: { kind: 'hold' } })
    let used = 0
    making = async () => void (used = shop.slots.used)
    const working = run(shop, asset)
    await town.telegram.waitForHeld(hold.id)
    expect([used, shop.slots.used, shop.slots.uploading]).toEqual([1, 0, 1])
    await town.telegram.release()
    await working
    expect([shop.slots.used, shop.slots.uploading]).toEqual([0, 0])
  })

  it('is given back when the job comes to nothing', async () => {
    const shop = jobDepsOf(town, renderer)
    making = async () => Promise.reject(new AssetFault('voice', 'no voice'))
    await run(shop, await create())
    await run(shop, await create({ status: 'FAILED' }))
    expect(shop.slots.used).toBe(0)
  })
})

describe('property 11: what does not work', () => {
  it.each(['ffmpeg', 'voice', 'disk', 'telegram', 'storage', 'token'] as const)(
    'of %s pauses that step, is noted, and uses no attempt',
    async (step) => {
      const asset = await create({ attempts: 1 })
      const refused: unknown[] = []
      const shop = jobDepsOf(town, renderer)
      shop.outages.tokenRefused.catch((outage: unknown) => refused.push(outage))
      making = async () => Promise.reject(new Outage(step, 'out of order', 60_000))
      await run(shop, asset)
      expect(await rests(shop)).toBe(true)
      expect(shop.outages.outOfOrder).toEqual(new Set([step]))
      expect(await town.db.outage.findMany({ select: { step: true, reason: true } })).toEqual([
        { step, reason: 'out of order' },
      ])
      const row = await rowOf(asset)
      expect(row).toMatchObject({
        status: 'PENDING',
        generation: 6,
        attempts: 1,
        errorClass: step,
        errorText: 'out of order',
        leaseOwner: null,
      })
      expect((row.retryAfter?.getTime() ?? 0) - Date.now()).toBeGreaterThan(30_000)
      expect(row.queuedAt).not.toBeNull()
      expect(await town.queue.counts()).toMatchObject({ waiting: 0, delayed: 1 })
      expect(faults()).toEqual([{ what: 'outage', step }])
      expect(refused.length).toBe(step === 'token' ? 1 : 0)
    },
  )

  it('of a template that this worker lacks pauses nothing else', async () => {
    const shop = jobDepsOf(town, { ...renderer, templates: [] })
    const asset = await create()
    await run(shop, asset)
    expect(await rests(shop)).toBe(false)
    expect(await rowOf(asset)).toMatchObject({ status: 'PENDING', attempts: 0, errorClass: 'template' })
  })

  it('is over once the step is seen to work: the pause ends and the note goes', async () => {
    const shop = jobDepsOf(town, renderer)
    for (const step of ['ffmpeg', 'storage'] as const)
      await town.db.outage.create({ data: { step, reason: 'was', until: new Date() } })
    await shop.outages.learn()
    expect(shop.outages.outOfOrder.size).toBe(2)
    await run(shop, await create())
    expect(shop.outages.outOfOrder.size).toBe(0)
    expect(await town.db.outage.count()).toBe(0)
  })

  it('of what makes videos is not over because a file was kept from before', async () => {
    const shop = jobDepsOf(town, renderer)
    const asset = await create()
    await run(shop, asset)
    await town.db.outage.create({ data: { step: 'disk', reason: diskOutage('full').message, until: new Date() } })
    await shop.outages.learn()
    await town.db.videoAsset.update({
      where: { id: asset.id },
      data: { status: 'PENDING', generation: 6, telegramFileId: null },
    })
    await run(shop, { ...asset, generation: 6 })
    expect(await rowOf(asset)).toMatchObject({ status: 'AVAILABLE' })
    expect([...shop.outages.outOfOrder]).toEqual(['disk'])
  })

  it('of the asset uses an attempt, and the third gives it up', async () => {
    const [second, last] = [await create({ attempts: 1 }), await create({ attempts: 2 })]
    making = async () => Promise.reject(new AssetFault('gate', 'no sound'))
    await run(jobDepsOf(town, renderer), second)
    await run(jobDepsOf(town, renderer), last)
    expect(await rowOf(second)).toMatchObject({
      status: 'PENDING',
      attempts: 2,
      errorClass: 'gate',
      errorText: 'no sound',
      generation: 6,
    })
    expect(await rowOf(last)).toMatchObject({
      status: 'FAILED',
      attempts: 3,
      errorClass: 'gate',
      errorText: 'no sound',
      leaseOwner: null,
    })
    expect(faults()).toEqual([
      { what: 'fault', cause: 'gate', final: false },
      { what: 'fault', cause: 'gate', final: true },
    ])
  })

  it('unexpectedly is a fault of the render, told by its place and without its words', async () => {
    const asset = await create()
    making = async () => Promise.reject(new TypeError('a secret'))
    await run(jobDepsOf(town, renderer), asset)
    const { errorClass, errorText, attempts } = await rowOf(asset)
    expect([errorClass, attempts]).toEqual(['render', 1])
    expect(errorText).toMatch(/^unexpected TypeError at /)
    expect(errorText).not.toContain('secret')
  })
})

it('property 11: an outage met by a delivery is noted and pauses; the job has ended, as its video is there', async () => {
  const { template, key, display } = ask(newName())
  await town.telegram.say({ userId: 78, text: '/start' })
  await request(town.door, [{ template, key, display }], person(78))
  const asset = await town.db.videoAsset.findFirstOrThrow({ where: { name: key } })
  await town.telegram.fault({ method: 'sendVideo', upload: 'file_id', answer: { kind: 'html', code: 502 } })
  const shop = jobDepsOf(town, renderer)
  expect(await run(shop, asset)).toBeUndefined()
  expect(await rowOf(asset)).toMatchObject({ status: 'AVAILABLE' })
  expect(await town.db.outage.findMany({ select: { step: true } })).toEqual([{ step: 'telegram' }])
  expect(await rests(shop)).toBe(true)
})

it('property 5: a lease is renewed no more when the work has ended, however it did', async () => {
  // Only what is repeated: the lease's renewal.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  try {
    let held = 0
    for (const ending of [async () => undefined, async () => Promise.reject(new AssetFault('gate', 'no sound'))]) {
      making = async () => {
        held = vi.getTimerCount()
        await ending()
      }
      await run(jobDepsOf(town, renderer), await create())
      expect([held, vi.getTimerCount()]).toEqual([1, 0])
    }
  } finally {
    vi.useRealTimers()
  }
})

describe('property 13: a worker that stops', () => {
  it('returns what is in hand without an attempt and to whoever waits', async () => {
    const stop = new AbortController()
    const { template, key, display } = ask(newName())
    await request(town.door, [{ template, key, display }], person(1))
    const asset = await town.db.videoAsset.findFirstOrThrow({ where: { name: key } })
    making = async (signal) => {
      stop.abort(new Error('the worker stops'))
      signal.throwIfAborted()
    }
    await run(jobDepsOf(town, renderer), asset, { stop: stop.signal })
    expect(await rowOf(asset)).toMatchObject({
      status: 'PENDING',
      generation: 2,
      attempts: 0,
      leaseOwner: null,
      retryAfter: null,
      errorClass: null,
    })
    expect(await town.queue.missing('people', [{ assetId: asset.id, generation: 2 }])).toEqual([])
    expect(faults()).toEqual([])
  })

  it('leaves what it has not begun to the next, at once, and only that', async () => {
    const closing = new AbortController()
    closing.abort(new Error('closing'))
    const rows = [
      await create(),
      await create({ status: 'GENERATING', leaseOwner: 'another', leaseUntil: new Date(Date.now() + 60_000) }),
      await create(),
    ]
    for (const asset of rows.slice(0, 2)) await run(jobDepsOf(town, renderer), asset, { closing: closing.signal })
    await run(jobDepsOf(town, renderer), { ...(rows[2] as Asset), generation: 4 }, { closing: closing.signal })
    expect(await Promise.all(rows.map(async (asset) => (await rowOf(asset)).queuedAt === null))).toEqual([
      true,
      false,
      false,
    ])
  })
})

it('property 5: the lease is renewed while the work goes on', async () => {
  const asset = await create()
  let go = () => {}
  making = () => new Promise((resolve) => (go = resolve))
  const working = run(jobDepsOf(town, renderer), asset)
  const first = await until(async () => (await rowOf(asset)).leaseUntil, 'the claim')
  await until(
    async () => ((await rowOf(asset)).leaseUntil?.getTime() ?? 0) > first.getTime() + town.times.leaseRenewMs,
    'a renewal',
  )
  go()
  await working
  expect(await rowOf(asset)).toMatchObject({ status: 'AVAILABLE', leaseUntil: null })
})

it('property 16: while its row is locked, a lease that is renewed takes one connection, and goes on when the row is free', async () => {
  const asset = await create()
  let go = () => {}
  making = () => new Promise((resolve) => (go = resolve))
  const working = run(jobDepsOf(town, renderer), asset)
  await until(async () => (await rowOf(asset)).leaseUntil, 'the claim')
  const other = new pg.Client(town.database.url)
  await other.connect()
  await other.query('BEGIN')
  await other.query('SELECT 1 FROM "VideoAsset" WHERE id = $1 FOR UPDATE', [asset.id])
  const waiting = async () =>
    Number(
      (
        await other.query<{ count: string }>(
          `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        )
      ).rows[0]?.count,
    )
  await until(async () => (await waiting()) > 0, 'a renewal that waits')
  const since = Date.now()
  let most = 0
  await until(async () => {
    most = Math.max(most, await waiting())
    return Date.now() - since > 5 * town.times.leaseRenewMs
  }, 'five more renewals')
  expect(most).toBe(1)
  await other.query('ROLLBACK')
  await other.end()
  go()
  await working
  expect(await rowOf(asset)).toMatchObject({ status: 'AVAILABLE', generation: 5 })
})

it('property 8: without a channel, when nobody who waits can be reached, the name is given up for now', async () => {
  const { template, key, display } = ask(newName())
  await town.telegram.say({ userId: 77, text: '/start' })
  await request(town.door, [{ template, key, display }], person(77))
  await town.telegram.block(77)
  const asset = await town.db.videoAsset.findFirstOrThrow({ where: { name: key } })
  const shop = jobDepsOf(town, renderer)
  await run({ ...shop, storage: { ...town.storage, chatIds: [] } }, asset)
  expect(await rowOf(asset)).toMatchObject({ status: 'FAILED', errorClass: 'storage', leaseOwner: null })
})
