import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { claim, markAvailable } from '../../src/greetings/assets.ts'
import { personLimits } from '../../src/greetings/answer.ts'
import { request } from '../../src/greetings/request.ts'
import { queueModes } from '../environment/redis.ts'
import { ask, openTestEnvironment, person, until, type TestEnvironment } from '../environment/test-environment.ts'

let town: TestEnvironment

async function makeAvailable(assetId: string, fileId = 'file-1') {
  const { generation } = await town.db.videoAsset.findUniqueOrThrow({ where: { id: assetId } })
  const asset = await claim(town.db, { assetId, generation }, 'test', 60_000)
  if (asset === undefined) throw new Error('could not claim')
  await markAvailable(
    town.db,
    asset,
    'test',
    town.botId,
    { revision: 'r', templateRevision: 't' },
    { fileId, fileUniqueId: 'u', chatId: -1n, messageId: 1 },
  )
}

describe.each(queueModes)('the door, with the queue on %s', (queueMode) => {
  beforeAll(async () => {
    town = await openTestEnvironment({ queueMode })
  })
  afterAll(() => town.close())
  beforeEach(async () => {
    await town.db.userRequest.deleteMany()
    await town.db.videoAsset.deleteMany()
  })

  it('property 1: one asset per (template, name), whatever the spelling, at the same time', async () => {
    const spellings = ['Маша', 'маша', 'МАША', '  Маша ', 'Ма\u200bша', 'Маша'.normalize('NFD'), 'мАшА']
    const answers = await Promise.all(
      Array.from({ length: 70 }, (_, n) =>
        request(town.door, [ask(spellings[n % spellings.length] ?? '')], person(1_000 + n)),
      ),
    )
    const ids = new Set(answers.map(([answer]) => answer?.status === 'waiting' && answer.assetId))
    expect(ids.size).toBe(1)
    expect(await town.db.videoAsset.count()).toBe(1)
    expect(await town.db.userRequest.count({ where: { status: 'PENDING' } })).toBe(70)
  })

  it('property 1: different names at the same time become one asset each', async () => {
    const letters = [...'абвгдежзик']
    const names = letters.flatMap((one) => letters.map((other) => `Им${one}${other}`))
    await Promise.all([...names, ...names].map((name, n) => request(town.door, [ask(name)], person(5_000 + n))))
    expect(await town.db.videoAsset.count()).toBe(100)
  })

  it('property 2: however many ask, one job; an old generation cannot be claimed', async () => {
    const before = await town.queue.counts()
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => request(town.door, [ask('Олег')], person(10_000 + n))),
    )
    const after = await town.queue.counts()
    expect(after.waiting - before.waiting).toBe(1)
    expect(answers.flat().filter((answer) => answer.status === 'waiting').length).toBe(50)
    const asset = await town.db.videoAsset.findFirstOrThrow({ where: { name: ask('Олег').key } })
    const job = { assetId: asset.id, generation: asset.generation }
    const claims = await Promise.all(Array.from({ length: 10 }, (_, n) => claim(town.db, job, `worker ${n}`, 60_000)))
    expect(claims.filter((claimed) => claimed !== undefined)).toHaveLength(1)
    // Nobody holds it any more, and it waits: its generation alone keeps the old job away.
    await town.db.videoAsset.update({
      where: { id: asset.id },
      data: { status: 'PENDING', generation: asset.generation + 1, leaseOwner: null, leaseUntil: null },
    })
    expect(await claim(town.db, job, 'old', 60_000)).toBeUndefined()
    expect(await claim(town.db, { ...job, generation: asset.generation + 1 }, 'new', 60_000)).toBeDefined()
  })

  it('property 6: who asks again for a pending name has one request', async () => {
    const [first] = await request(town.door, [ask('Ира')], person(1))
    const [second] = await request(town.door, [ask('ира')], person(1))
    expect(first).toMatchObject({ status: 'waiting', again: false })
    expect(second).toMatchObject({ status: 'waiting', again: true })
    expect(await town.db.userRequest.count()).toBe(1)
  })

  it('property 6: an update delivered again makes no second request, for a miss and for a hit', async () => {
    const asked = person(2)
    const [miss] = await request(town.door, [ask('Лена')], asked)
    expect(miss?.status).toBe('waiting')
    expect((await request(town.door, [ask('Лена')], asked))[0]).toMatchObject({
      status: 'repeated',
      requestStatus: 'PENDING',
    })
    if (miss?.status !== 'waiting') return
    await makeAvailable(miss.assetId)
    const again = person(3)
    expect((await request(town.door, [ask('Лена')], again))[0]).toMatchObject({ status: 'available', fileId: 'file-1' })
    expect((await request(town.door, [ask('Лена')], again))[0]).toMatchObject({ status: 'repeated' })
    expect(await town.db.userRequest.count()).toBe(2)
  })

  it('a hit is stored and claimed for the one who sends it', async () => {
    const [warmed] = await request(town.door, [ask('Ян')])
    if (warmed?.status !== 'waiting') throw new Error('expected a miss')
    await makeAvailable(warmed.assetId, 'file-ян')
    const [answer] = await request(town.door, [ask('Ян')], person(4))
    if (answer?.status !== 'available') throw new Error('expected a hit')
    expect(answer.fileId).toBe('file-ян')
    const stored = await town.db.userRequest.findUniqueOrThrow({ where: { id: answer.claimed?.id ?? '' } })
    expect(stored).toMatchObject({ status: 'PENDING', hit: true, claimOwner: 'door' })
  })

  it('a list: new names, known names and cached names are told apart, and asking again adds nothing', async () => {
    const [cached] = await request(town.door, [ask('Аня')])
    if (cached?.status !== 'waiting') throw new Error('expected a miss')
    await makeAvailable(cached.assetId)
    const first = await request(town.door, ['Аня', 'Боря', 'Вова'].map(ask))
    expect(first.map((answer) => (answer.status === 'waiting' ? `started ${answer.started}` : answer.status))).toEqual([
      'available',
      'started true',
      'started true',
    ])
    const counts = await town.queue.counts()
    const second = await request(town.door, ['Аня', 'Боря', 'Вова'].map(ask))
    expect(second.map((answer) => (answer.status === 'waiting' ? `started ${answer.started}` : answer.status))).toEqual(
      ['available', 'started false', 'started false'],
    )
    expect(await town.queue.counts()).toEqual({ ...counts, oldestWaitingSeconds: expect.any(Number) as number })
  })

  it('property 10: a file_id of another bot is no hit and becomes work again', async () => {
    const [warmed] = await request(town.door, [ask('Эля')])
    if (warmed?.status !== 'waiting') throw new Error('expected a miss')
    await makeAvailable(warmed.assetId)
    const otherDoor = { ...town.door, botId: town.botId + 1n }
    expect((await request(otherDoor, [ask('Эля')], person(5)))[0]).toMatchObject({ status: 'waiting', started: true })
    expect(await town.db.videoAsset.findUniqueOrThrow({ where: { id: warmed.assetId } })).toMatchObject({
      status: 'PENDING',
      generation: 2,
    })
  })

  it('property 11: a failed name is told at once while it cools down, and is work again after it', async () => {
    const [made] = await request(town.door, [ask('Гоша')])
    if (made?.status !== 'waiting') throw new Error('expected a miss')
    await town.db.videoAsset.update({
      where: { id: made.assetId },
      data: { status: 'FAILED', retryAfter: new Date(Date.now() + 60_000), attempts: 3 },
    })
    expect((await request(town.door, [ask('Гоша')], person(6)))[0]?.status).toBe('failed')
    expect((await request(town.door, [ask('Гоша')]))[0]?.status).toBe('failed')
    expect(await town.db.userRequest.count()).toBe(0)
    await town.db.videoAsset.update({ where: { id: made.assetId }, data: { retryAfter: new Date(Date.now() - 1_000) } })
    const answers = await Promise.all([7, 8, 9].map((id) => request(town.door, [ask('Гоша')], person(id))))
    expect(answers.flat().map((answer) => answer.status)).toEqual(['waiting', 'waiting', 'waiting'])
    expect(await town.db.videoAsset.findUniqueOrThrow({ where: { id: made.assetId } })).toMatchObject({
      status: 'PENDING',
      generation: 2,
      attempts: 0,
    })
    expect((await request(town.door, [ask('Гоша')], undefined, { retryFailed: true }))[0]).toMatchObject({
      status: 'waiting',
      started: false,
    })
  })

  it('property 12: a person who asks for a queued warm name moves it to the people’s lane', async () => {
    await request(town.door, ['Да', 'Ду', 'До'].map(ask))
    const order: string[] = []
    await request(town.door, [ask('До')], person(10))
    const before = await town.queue.counts()
    expect(before.waiting).toBeGreaterThanOrEqual(3)
    const asset = await town.db.videoAsset.findFirstOrThrow({ where: { name: ask('До').key } })
    const worker = town.queue.work('people', 1, async (job) => void order.push(job.assetId))
    await until(async () => order.includes(asset.id), 'the promoted job')
    await worker.close()
    expect((await town.queue.counts()).waiting).toBe(before.waiting - order.length)
  })

  it('property 15: nobody fills the queue', async () => {
    const vowels = [...'аоуиеюяэыё']
    const names = vowels.flatMap((one) => vowels.map((other) => `К${one}т${other}`))
    for (const name of names.slice(0, personLimits.waiting))
      expect((await request(town.door, [ask(name)], person(11)))[0]?.status).toBe('waiting')
    expect((await request(town.door, [ask(names[20] ?? '')], person(11)))[0]).toEqual({
      status: 'refused',
      reason: 'too_many_waiting',
      most: 20,
      retryAt: null,
      told: false,
    })
    expect((await request(town.door, [ask(names[0] ?? '')], person(11)))[0]).toMatchObject({
      status: 'waiting',
      again: true,
    })
    await town.db.userRequest.updateMany({ where: { userId: 11n }, data: { status: 'COMPLETED' } })
    for (const name of names.slice(personLimits.waiting, personLimits.newPerDay)) {
      expect((await request(town.door, [ask(name)], person(11)))[0]?.status).toBe('waiting')
      await town.db.userRequest.updateMany({ where: { userId: 11n }, data: { status: 'COMPLETED' } })
    }
    expect((await request(town.door, [ask(names[60] ?? '')], person(11)))[0]).toMatchObject({
      status: 'refused',
      reason: 'too_many_today',
      most: 50,
      told: false,
    })
    expect(await town.db.videoAsset.count({ where: { name: ask(names[60] ?? '').key } })).toBe(0)
    expect((await request(town.door, [ask(names[60] ?? '')], { ...person(11), unlimited: true }))[0]?.status).toBe(
      'waiting',
    )
  })

  it('the queue away: the request is stored all the same, and its asset waits to be queued', async () => {
    const door = { ...town.door, queue: { ...town.queue, promote: () => Promise.reject(new Error('away')) } }
    expect((await request(door, [ask('Яна')], person(12)))[0]?.status).toBe('waiting')
    expect(await town.db.videoAsset.findFirstOrThrow({ where: { name: ask('Яна').key } })).toMatchObject({
      status: 'PENDING',
      queuedAt: null,
    })
  })
})
