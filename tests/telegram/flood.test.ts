/**
 * Flood control against a real database. Nothing waits here: a second of Telegram's is made a minute long, so that no
 * busy machine matters, and time passes by moving what the buckets remember into the past.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Database, Db } from '../../src/db/database.ts'
import {
  bulkKey,
  bulkRate,
  channelKey,
  chatKey,
  chatRate,
  forgetChats,
  pauseBucket,
  pauseBulk,
  reservePost,
  takeTicket,
  type Ticket,
} from '../../src/telegram/flood.ts'
import { temporaryDatabase } from '../environment/temporary-database.ts'

const secondMs = 60_000
/** More than any statement takes, and much less than a second of Telegram's. */
const moment = secondMs / 6

let database: Database
let db: Db
beforeAll(async () => {
  database = await temporaryDatabase()
  ;({ db } = database)
})
afterAll(() => database.close())
beforeEach(async () => void (await db.floodBucket.deleteMany()))
afterEach(() => vi.useRealTimers())

/** Lets time pass for every bucket. */
async function elapse(ms: number): Promise<void> {
  await db.$executeRaw`
    WITH passed AS (SELECT ${ms}::float8 * interval '1 millisecond' AS time)
    UPDATE "FloodBucket" SET "nextAt" = "nextAt" - time, "restUntil" = "restUntil" - time, "halvedUntil" = "halvedUntil" - time,
      "peopleUntil" = "peopleUntil" - time, posts = ARRAY(SELECT at - time FROM unnest(posts) AS at)
    FROM passed`
}

const isTaken = (ticket: Ticket) => !('waitMs' in ticket)

function waitOf(ticket: Ticket): number {
  if (!('waitMs' in ticket)) throw new Error(`a ticket of ${ticket.key} instead of a time to wait`)
  return ticket.waitMs
}

/** Asks again and again until it has to wait. How many were given, and how long it is told to wait. */
async function takeAll(take: () => Promise<Ticket>): Promise<{ taken: string[]; waitMs: number }> {
  const taken: string[] = []
  for (;;) {
    const ticket = await take()
    if ('waitMs' in ticket) return { taken, waitMs: ticket.waitMs }
    taken.push(ticket.key)
  }
}

/** What is given within a time to somebody who always waits as long as told. */
async function takeDuring(ms: number, take: () => Promise<Ticket>): Promise<string[]> {
  const all: string[] = []
  for (let left = ms; ;) {
    const { taken, waitMs } = await takeAll(take)
    all.push(...taken)
    if (waitMs > left) {
      await elapse(left)
      return all
    }
    await elapse(waitMs)
    left -= waitMs
  }
}

/** Within `moment` of what is expected, and never above it: time goes on while the test runs. */
function expectWait(waitMs: number, expected: number): void {
  expect(waitMs).toBeLessThanOrEqual(Math.ceil(expected))
  expect(waitMs).toBeGreaterThan(expected - moment)
}

describe('a leaky bucket', () => {
  const rate = { perMinute: 30, burst: 4 }
  const spacingMs = 2 * secondMs
  const take = () => takeTicket(db, 'a', rate, secondMs)

  it('gives its burst at once and then one at a distance; the time to wait is neither too short nor too long', async () => {
    const { taken, waitMs } = await takeAll(take)
    expect(taken).toEqual(['a', 'a', 'a', 'a'])
    expectWait(waitMs, spacingMs)
    await elapse(waitMs - moment)
    expectWait(waitOf(await take()), moment)
    await elapse(moment)
    expect((await takeAll(take)).taken.length).toBe(1)
    expect((await takeDuring(60 * secondMs, take)).length).toBe(30)
  })

  it('saves up no more than its burst', async () => {
    await takeAll(take)
    await elapse(1.5 * spacingMs)
    expect((await takeAll(take)).taken.length).toBe(1)
    await elapse(100 * spacingMs)
    expect((await takeAll(take)).taken.length).toBe(4)
  })

  it('gives no more to many who ask at once', async () => {
    for (let round = 1; round <= 5; round++) {
      const tickets = await Promise.all(Array.from({ length: 24 }, take))
      expect(tickets.filter(isTaken).length, `round ${round}`).toBe(4)
      await elapse(100 * spacingMs)
    }
  })

  it('is independent of the others', async () => {
    await takeAll(take)
    expect(isTaken(await takeTicket(db, 'b', rate, secondMs))).toBe(true)
  })

  it('at rest gives nothing until the rest is over', async () => {
    await pauseBucket(db, 'a', 10 * secondMs)
    expectWait(waitOf(await take()), 10 * secondMs)
    await elapse(10 * secondMs - moment)
    expectWait(waitOf(await take()), moment)
    await elapse(moment)
    expect(isTaken(await take())).toBe(true)
  })

  it.each([
    ['bulk', bulkRate, 1, 30],
    ['a chat', chatRate, 10, 15],
  ] as const)('%s is given what Telegram takes, burst included', async (_what, real, seconds, most) => {
    const longSecondMs = 10 * secondMs
    const taken = await takeDuring(seconds * longSecondMs, () => takeTicket(db, 'real', real, longSecondMs))
    expect(taken.length).toBeLessThanOrEqual(most)
    expect(taken.length).toBeGreaterThan(most - 2)
  })
})

describe('a place in a channel', () => {
  const perMinute = 6
  const minute = 60 * secondMs
  const one = ['-1']
  const take = (wanted: boolean, chatIds = one) => reservePost(db, chatIds, { perMinute, wanted, secondMs })
  const ofNobody = () => take(false)
  const ofPeople = () => take(true)

  it('is given at a distance to posts nobody waits for, at once to those of people as long as the minute has room', async () => {
    const slow = await takeAll(ofNobody)
    expect(slow.taken).toEqual([channelKey('-1')])
    expectWait(slow.waitMs, minute / perMinute)
    const fast = await takeAll(ofPeople)
    expect(fast.taken.length).toBe(perMinute - 1)
    // The first place comes free a minute after it was taken, and a second for posts on their way.
    expectWait(fast.waitMs, 61 * secondMs)
    await elapse(fast.waitMs)
    expect(isTaken(await ofPeople())).toBe(true)
  })

  it('is used up to the rate by posts nobody waits for; a channel that stood still saves up one', async () => {
    await takeAll(ofNobody)
    await elapse(10 * minute)
    expect((await takeAll(ofNobody)).taken.length).toBe(2)
    expect((await takeDuring(10 * minute, ofNobody)).length).toBeGreaterThanOrEqual(
      Math.floor((10 * perMinute * 60) / 61) - 1,
    )
  })

  it('goes to a person before it goes to a post nobody waits for', async () => {
    // One a second, so that distance alone would let the next post go.
    const takeFast = (wanted: boolean) => reservePost(db, one, { perMinute: 60, wanted, secondMs })
    await takeAll(() => takeFast(true))
    await elapse(60.5 * secondMs)
    expect(isTaken(await takeFast(true))).toBe(false) // and from now on the others stand back
    await elapse(secondMs)
    expectWait(waitOf(await takeFast(false)), 0.5 * secondMs)
    expect(isTaken(await takeFast(true))).toBe(true)
    // The person has what they waited for.
    expect(isTaken(await takeFast(false))).toBe(true)
  })

  it('goes to others when the person does not come back', async () => {
    await takeAll(ofPeople)
    await elapse(60.5 * secondMs)
    await ofPeople()
    await elapse(1.5 * secondMs)
    expect(isTaken(await ofNobody())).toBe(true)
  })

  it('is sought in the channel that is free soonest', async () => {
    const three = ['-1', '-2', '-3']
    const countOf = (taken: string[], chatId: string) => taken.filter((key) => key === channelKey(chatId)).length
    const first = await takeAll(() => take(false, three))
    expect(first.taken.toSorted()).toEqual(three.map(channelKey))
    const later = await takeDuring(3 * minute, () => take(false, three))
    for (const chatId of three) expect(Math.abs(countOf(later, chatId) - later.length / 3)).toBeLessThanOrEqual(1)
    await elapse(10 * minute)
    const people: Ticket[] = []
    for (let n = 0; n < 9; n++) people.push(await take(true, three))
    const keys = people.map((ticket) => ('key' in ticket ? ticket.key : 'none'))
    expect(three.map((chatId) => countOf(keys, chatId))).toEqual([3, 3, 3])
  })

  it('a channel at rest is left alone, and the others go on', async () => {
    const two = ['-1', '-2']
    await pauseBucket(db, channelKey('-1'), 3 * minute)
    const during = await takeDuring(3 * minute - secondMs, () => take(true, two))
    expect(new Set(during)).toEqual(new Set([channelKey('-2')]))
    expect(during.length).toBeGreaterThanOrEqual(2 * perMinute)
    await elapse(secondMs)
    expect(await take(true, two)).toEqual({ key: channelKey('-1') })
  })

  it('with all channels at rest the time to wait is that of the one that is back first', async () => {
    await pauseBucket(db, channelKey('-1'), 30 * secondMs)
    await pauseBucket(db, channelKey('-2'), 20 * secondMs)
    for (const wanted of [true, false]) expectWait(waitOf(await take(wanted, ['-1', '-2'])), 20 * secondMs)
  })

  it('after a rest goes on at half the rate, later at the full one', async () => {
    await takeAll(ofNobody)
    await pauseBucket(db, channelKey('-1'), 10 * secondMs, 5 * minute)
    expect((await takeDuring(10 * secondMs - moment, ofPeople)).length).toBe(0)
    await elapse(2 * minute) // nothing of before is left in the minute
    expect((await takeAll(ofPeople)).taken.length).toBe(perMinute / 2)
    await elapse(2 * minute)
    const slow = await takeDuring(minute - moment, ofNobody)
    expect(slow.length).toBe(perMinute / 2)
    await elapse(2 * minute)
    expect((await takeAll(ofPeople)).taken.length).toBe(perMinute)
  })

  it('halves the distance’s rate too, not only what fits into a minute', async () => {
    await pauseBucket(db, channelKey('-1'), 0, minute)
    await takeAll(ofNobody)
    expectWait(waitOf(await ofNobody()), (2 * minute) / perMinute)
  })

  // The only test in real time, of which a minute lasts 0.6 s.
  it('in any minute gives no more than the rate, whoever asks: 8 at once, for people and for nobody', async () => {
    const fastSecondMs = 10
    const wantedInAll = 4 * perMinute
    // All posts that were ever on record, by channel and moment: the rows forget them after a minute.
    const posts = new Map<string, { key: string; at: number; count: number }>()
    const count = () => [...posts.values()].reduce((sum, post) => sum + post.count, 0)
    const asker = async (n: number) => {
      while (count() < 2 * wantedInAll) {
        const ticket = await reservePost(db, ['-1', '-2'], { perMinute, wanted: n % 2 === 0, secondMs: fastSecondMs })
        if ('waitMs' in ticket) await sleep(Math.min(ticket.waitMs, fastSecondMs))
        const seen = await db.$queryRaw<
          { key: string; at: number; count: number }[]
        >`SELECT key, (extract(epoch FROM at) * 1000)::float8 AS at, count(*)::int AS count FROM "FloodBucket", unnest(posts) AS at GROUP BY 1, 2`
        for (const post of seen)
          if (post.count > (posts.get(`${post.key} ${post.at}`)?.count ?? 0)) posts.set(`${post.key} ${post.at}`, post)
      }
    }
    await Promise.all(Array.from({ length: 8 }, (_, n) => asker(n)))
    for (const key of ['-1', '-2'].map(channelKey)) {
      const times = [...posts.values()]
        .filter((post) => post.key === key)
        .flatMap((post) => Array.from({ length: post.count }, () => post.at))
        .sort((a, b) => a - b)
      expect(times.length).toBeGreaterThan(perMinute)
      const spans = times.slice(perMinute).map((at, n) => at - (times[n] ?? 0))
      expect(Math.min(...spans)).toBeGreaterThan(60 * fastSecondMs)
    }
  })
})

describe('rest', () => {
  it('is made longer, never shorter', async () => {
    await pauseBucket(db, 'a', 100 * secondMs, 100 * secondMs)
    await pauseBucket(db, 'a', 10 * secondMs)
    await elapse(100 * secondMs - moment)
    expectWait(waitOf(await takeTicket(db, 'a', chatRate, secondMs)), moment)
    await pauseBucket(db, 'a', 50 * secondMs)
    await elapse(50 * secondMs - moment)
    expect(isTaken(await takeTicket(db, 'a', chatRate, secondMs))).toBe(false)
    await elapse(moment)
    expect(isTaken(await takeTicket(db, 'a', chatRate, secondMs))).toBe(true)
  })

  it('leaves a longer time at half the rate as it is', async () => {
    await pauseBucket(db, channelKey('-1'), secondMs, 100 * secondMs)
    await pauseBucket(db, channelKey('-1'), 2 * secondMs, 0)
    await elapse(50 * secondMs)
    expect((await takeAll(() => reservePost(db, ['-1'], { perMinute: 6, wanted: true, secondMs }))).taken.length).toBe(
      3,
    )
  })
})

describe('a flood in bulk', () => {
  const bulk = () => takeTicket(db, bulkKey, bulkRate, secondMs)
  const chat = (id: bigint) => takeTicket(db, chatKey(id), chatRate, secondMs)

  it('of one chat, however often, lets that chat rest and bulk go on', async () => {
    await pauseBulk(db, 1n, 20 * secondMs)
    await pauseBulk(db, 1n, 30 * secondMs)
    expectWait(waitOf(await chat(1n)), 30 * secondMs)
    expect(isTaken(await chat(2n))).toBe(true)
    expect(isTaken(await bulk())).toBe(true)
  })

  it('of a second chat means the bot: all bulk rests', async () => {
    await pauseBulk(db, 1n, 20 * secondMs)
    await pauseBulk(db, 2n, 30 * secondMs)
    expectWait(waitOf(await bulk()), 30 * secondMs)
    expectWait(waitOf(await chat(1n)), 20 * secondMs)
    await elapse(30 * secondMs)
    expect(isTaken(await bulk())).toBe(true)
  })

  it('of a second chat when the rest of the first is over means that chat again', async () => {
    await pauseBulk(db, 1n, 20 * secondMs)
    await elapse(20 * secondMs)
    await pauseBulk(db, 2n, 30 * secondMs)
    expect(isTaken(await bulk())).toBe(true)
  })

  it('goes by the clock of the database, not of the host', async () => {
    await pauseBulk(db, 1n, 20 * secondMs)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 86_400_000 })
    await pauseBulk(db, 2n, 30 * secondMs)
    expect(isTaken(await bulk())).toBe(false)
  })
})

describe('forgetChats', () => {
  it('forgets chats to which nothing went for an hour, and nothing else', async () => {
    await takeTicket(db, chatKey(1n), chatRate, 1_000)
    await takeTicket(db, chatKey(2n), chatRate, 1_000)
    await takeTicket(db, bulkKey, bulkRate, 1_000)
    await reservePost(db, ['-1'], { perMinute: 20, wanted: false, secondMs: 1_000 })
    await pauseBucket(db, chatKey(2n), 2 * 3_600_000)
    await elapse(1_800_000)
    await takeTicket(db, chatKey(3n), chatRate, 1_000)
    await elapse(1_800_000 + 60_000)
    await forgetChats(db)
    const left = async () => (await db.floodBucket.findMany({ select: { key: true } })).map(({ key }) => key).sort()
    expect(await left()).toEqual([bulkKey, channelKey('-1'), chatKey(2n), chatKey(3n)].sort())
    await elapse(3_600_000 + 60_000)
    await forgetChats(db)
    expect(await left()).toEqual([bulkKey, channelKey('-1')].sort())
  })
})
