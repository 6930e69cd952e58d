/** One update that asks for several names, and one person who asks for many. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Ask } from '../../src/greetings/ask.ts'
import { voteForName } from '../../src/greetings/known.ts'
import { reconcile } from '../../src/greetings/reconcile.ts'
import { request } from '../../src/greetings/request.ts'
import { missedNames } from '../../src/greetings/reports/names.ts'
import { parseNameOrSet } from '../../src/names/set.ts'
import { lanes, type Lane } from '../../src/queue/index.ts'
import { ask, openTestEnvironment, person, type TestEnvironment } from '../environment/test-environment.ts'

let town: TestEnvironment
beforeAll(async () => {
  town = await openTestEnvironment({ channels: 0 })
})
afterAll(() => town.close())
beforeEach(async () => {
  await town.db.$executeRaw`TRUNCATE "VideoAsset", "UserRequest", "SoundReport", "User"`
  for (const lane of lanes) await town.queue.queues[lane].drain(true)
})

const vowels = [...'аоуиеюяэыё']
const names = vowels.flatMap((one) => vowels.map((other) => `К${one}т${other}`))
const asks = (from: number, to: number) => names.slice(from, to).map(ask)
const longAgo = new Date('2020-01-01')
const create = (name: string, status: 'FAILED' | 'AVAILABLE') =>
  town.db.videoAsset.create({
    data: {
      template: 'tiny',
      name: ask(name).key,
      display: name,
      status,
      ...(status === 'AVAILABLE' ? { telegramFileId: 'file', telegramBotId: town.botId } : {}),
    },
  })
const jobs = async (lane: Lane) =>
  (await town.queue.queues[lane].getJobs(['wait', 'prioritized', 'delayed'])).map(
    ({ data }) => (data as { assetId: string }).assetId,
  )
const stored = async () =>
  (await town.db.userRequest.findMany({ include: { asset: true } })).map(({ asset }) => asset.display).sort()

describe('one update with several names', () => {
  it('stores a request for each, in the order of asking; what there is already is claimed for the caller', async () => {
    await create('Маша', 'AVAILABLE')
    const answers = await request(town.door, ['Петя', 'Маша', 'Ваня'].map(ask), person(1))
    expect(answers).toMatchObject([{ status: 'waiting' }, { status: 'available' }, { status: 'waiting' }])
    expect(await stored()).toEqual(['Ваня', 'Маша', 'Петя'])
    expect(await town.db.userRequest.findMany({ where: { hit: true }, select: { claimOwner: true } })).toEqual([
      { claimOwner: 'door' },
    ])
  })

  it('stores none of them when one cannot be stored', async () => {
    await town.db.$executeRaw`ALTER TABLE "UserRequest" ADD CONSTRAINT "two" CHECK ("chatId" <> 7 OR behind < 5)`
    try {
      await expect(request(town.door, asks(0, 6), person(7))).rejects.toThrow()
    } finally {
      await town.db.$executeRaw`ALTER TABLE "UserRequest" DROP CONSTRAINT "two"`
    }
    expect([await town.db.userRequest.count(), await town.db.videoAsset.count()]).toEqual([0, 0])
  })

  it('stores nothing more when the update comes again, also when there is more room than then', async () => {
    const who = person(1)
    await request(town.door, asks(0, 18), person(1))
    const first = await request(town.door, asks(18, 22), who)
    expect(first.map(({ status }) => status)).toEqual(['waiting', 'waiting', 'refused', 'refused'])
    const before = await stored()
    await town.db.userRequest.updateMany({ data: { status: 'COMPLETED' } })
    for (const again of [asks(18, 22), asks(20, 21), asks(18, 19)])
      for (const answer of await request(town.door, again, who)) expect(answer).toMatchObject({ status: 'repeated' })
    expect(await stored()).toEqual(before)
    expect(await town.db.videoAsset.count()).toBe(20)
  })

  it('stores nothing more when the update comes again and means a video that has come since', async () => {
    const who = person(1)
    await request(town.door, asks(0, 1), who)
    await create('Маша', 'AVAILABLE')
    expect(await request(town.door, [ask('Маша')], who)).toMatchObject([{ status: 'repeated' }])
    expect(await town.db.userRequest.count()).toBe(1)
  })

  it('never waits for one that has the same names in another order', async () => {
    for (let round = 0; round < 10; round++) {
      await town.db.$executeRaw`TRUNCATE "VideoAsset", "UserRequest", "SoundReport", "User"`
      for (const name of ['Маша', 'Петя']) await create(name, 'FAILED')
      const answers = await Promise.all([
        request(town.door, ['Маша', 'Петя', 'Ваня', 'Юра'].map(ask), person(1)),
        request(town.door, ['Юра', 'Ваня', 'Петя', 'Маша'].map(ask), person(2)),
      ])
      expect(new Set(answers.flat().map(({ status }) => status))).toEqual(new Set(['waiting']))
    }
  })
})

describe('property 15: one who asks for many', () => {
  const told = async (name: string) => (await request(town.door, [ask(name)], person(1)))[0]

  it('has five in work like everybody, fifteen behind everybody’s, and is told once that it is enough', async () => {
    await request(town.door, asks(0, 20), person(1))
    expect([(await jobs('people')).length, (await jobs('deferred')).length]).toEqual([1, 19])
    const refused = { status: 'refused', reason: 'too_many_waiting', most: 20, retryAt: null }
    expect(await told(names[20] ?? '')).toEqual({ ...refused, told: false })
    // Asked for again: not new, and no reason to say it again.
    expect(await told(names[3] ?? '')).toMatchObject({ status: 'waiting', again: true })
    expect(await told(names[21] ?? '')).toEqual({ ...refused, told: true })
    const one = await town.db.userRequest.findFirstOrThrow()
    await town.db.userRequest.update({ where: { id: one.id }, data: { status: 'COMPLETED' } })
    expect(await told(names[20] ?? '')).toMatchObject({ status: 'waiting' })
    expect(await told(names[21] ?? '')).toEqual({ ...refused, told: false })
  })

  it('has twenty, however many updates come at once, and nothing is made for what is refused', async () => {
    const answers = await Promise.all(names.slice(0, 60).map((name) => patiently(name)))
    expect(answers.filter(({ status }) => status === 'waiting').length).toBe(20)
    expect(answers.filter((answer) => answer.status === 'refused' && !answer.told).length).toBe(1)
    expect([await town.db.userRequest.count(), await town.db.videoAsset.count()]).toEqual([20, 20])
    expect([(await jobs('people')).length, (await jobs('deferred')).length]).toEqual([1, 19])
  })

  /** As the bot does: one that met a locked row is tried again. */
  async function patiently(name: string, who = person(1)) {
    for (;;) {
      const [answer] = await request(town.door, [ask(name)], who).catch(() => [])
      if (answer !== undefined) return answer
    }
  }

  it('of fifty a day hears when there is room again: a day after the oldest', async () => {
    await request(town.door, asks(0, 20), person(1))
    await town.db.userRequest.updateMany({ data: { status: 'COMPLETED' } })
    const oldest = new Date(Date.now() - 3_600_000)
    await town.db
      .$executeRaw`UPDATE "UserRequest" SET "createdAt" = ${oldest} WHERE id = (SELECT min(id) FROM "UserRequest")`
    await request(town.door, asks(20, 40), person(1))
    await town.db.userRequest.updateMany({ data: { status: 'COMPLETED' } })
    const last = await request(town.door, asks(40, 52), person(1))
    const refused = { status: 'refused', reason: 'too_many_today', most: 50 }
    const retryAt = new Date(oldest.getTime() + 86_400_000)
    expect(last.slice(9)).toMatchObject([
      { status: 'waiting' },
      { ...refused, retryAt, told: false },
      { ...refused, retryAt, told: true },
    ])
  })

  it('hears of the day’s limit as soon as the other is over', async () => {
    for (const [from, to] of [
      [0, 20],
      [20, 30],
    ] as const) {
      await request(town.door, asks(from, to), person(1))
      await town.db.userRequest.updateMany({ data: { status: 'COMPLETED' } })
    }
    await request(town.door, asks(30, 50), person(1))
    expect(await told(names[60] ?? '')).toMatchObject({ reason: 'too_many_today', told: false })
    await create('Маша', 'AVAILABLE')
    expect(await told('Маша')).toMatchObject({ status: 'available' })
    expect(await told(names[61] ?? '')).toMatchObject({ reason: 'too_many_today', told: true })
  })

  it('property 12: what waits behind goes to the front when somebody asks who waits for little', async () => {
    const last = (await request(town.door, asks(0, 6), person(1)))[5]
    const assetId = last !== undefined && 'assetId' in last ? last.assetId : ''
    const place = async () => (await town.queue.queues.deferred.getJob(`${assetId}-1`))?.priority
    expect(await place()).toBe(5)
    // The second name of somebody else goes before the third of anybody.
    await request(town.door, asks(6, 7), person(3))
    await request(town.door, asks(5, 6), person(3))
    expect(await place()).toBe(1)
    await request(town.door, asks(5, 6), person(2))
    expect(await jobs('deferred')).not.toContain(assetId)
    expect(await jobs('people')).toContain(assetId)
  })

  it('has lost jobs added again where they were', async () => {
    await request(town.door, asks(0, 7), person(1))
    const places = async () => {
      const found = await town.queue.queues.deferred.getJobs(['prioritized'])
      return found.map(({ priority }) => priority).sort()
    }
    const [first, behind] = [await jobs('people'), await jobs('deferred')]
    expect(await places()).toEqual([1, 2, 3, 4, 5, 6])
    for (const lane of lanes) await town.queue.queues[lane].drain(true)
    await town.db.videoAsset.updateMany({ data: { queuedAt: longAgo, updatedAt: longAgo } })
    await reconcile({ db: town.db, queue: town.queue, botId: town.botId, times: town.times })
    expect([new Set(await jobs('people')), new Set(await jobs('deferred'))]).toEqual([new Set(first), new Set(behind)])
    expect([first.length, behind.length]).toEqual([1, 6])
    expect(await places()).toEqual([1, 2, 3, 4, 5, 6])
  })
})

describe('several names in one video', () => {
  const set = (text: string): Ask => {
    const parsed = parseNameOrSet(text)
    if (!parsed.ok) throw new Error(parsed.reason)
    return { template: 'tiny', key: parsed.name.key, display: parsed.name.display }
  }

  it('go behind single names and count as two', async () => {
    const [answer] = await request(town.door, [set('Маша и Петя')], person(1))
    expect(answer).toMatchObject({ status: 'waiting', started: true })
    const [job] = await town.queue.queues.deferred.getJobs(['prioritized'])
    expect([await jobs('people'), job?.priority]).toEqual([[], 5])
    const more = await request(town.door, asks(0, 18), person(1))
    expect(more.every(({ status }) => status === 'waiting')).toBe(true)
    expect(await request(town.door, asks(18, 19), person(1))).toMatchObject([
      { status: 'refused', reason: 'too_many_waiting', most: 20 },
    ])
    // There is room for one name, and none for a set.
    await town.db.userRequest.updateMany({
      where: { asset: { display: names[0] ?? '' } },
      data: { status: 'COMPLETED' },
    })
    const [other] = await request(town.door, [set('Оля и Петя')], person(1))
    expect(other).toMatchObject({ status: 'refused' })
    expect(await request(town.door, asks(18, 19), person(1))).toMatchObject([{ status: 'waiting' }])
  })

  it('and each of them, when the update comes again, are exactly the same', async () => {
    const who = person(1)
    const tapped = [set('Маша и Петя'), ...['Маша', 'Петя'].map(ask)]
    await request(town.door, tapped, who)
    const before = await stored()
    expect(before).toEqual(['Маша', 'Маша и Петя', 'Петя'])
    expect((await request(town.door, tapped, who)).map(({ status }) => status)).toEqual(Array(3).fill('repeated'))
    expect(await stored()).toEqual(before)
  })

  it('are spoken as each is alone, never suggested, and no name of a list for warming', async () => {
    await request(town.door, [{ ...ask('Маша'), say: 'Ма-ша' }, set('Ваня, Маша и Петя')])
    await request(town.door, [set('Маша и Петя')], person(1))
    await request(town.door, [set('Ваня и Маша')])
    const says = await town.db.videoAsset.findMany({ select: { display: true, say: true, listedAt: true } })
    expect(new Map(says.map(({ display, say }) => [display, say]))).toEqual(
      new Map([
        ['Маша', 'Ма-ша'],
        ['Ваня, Маша и Петя', null],
        ['Маша и Петя', 'Ма-ша & '],
        ['Ваня и Маша', ' & Ма-ша'],
      ]),
    )
    await request(town.door, [set('Маша и Петя')])
    expect(await town.db.videoAsset.findMany({ where: { listedAt: { not: null } } })).toMatchObject([{ name: 'маша' }])
    expect(await missedNames(town.db, {})).toEqual([])
    expect(await missedNames(town.db, { sets: true })).toMatchObject([{ name: 'Маша и Петя', say: 'Ма-ша & ' }])
    await voteForName(town.db, 1n, 'маша & петя')
    expect(await town.db.nameVote.count()).toBe(0)
  })
})

it('the names of a list may be suggested to anybody, what a person asks for may not', async () => {
  await request(town.door, ['Петя', 'Ваня'].map(ask), person(1))
  await request(town.door, ['Петя', 'Маша'].map(ask))
  const listed = await town.db.videoAsset.findMany({ where: { listedAt: { not: null } } })
  expect(listed.map(({ display }) => display).sort()).toEqual(['Маша', 'Петя'])
})
