/** Names that sound wrong: one report per person and name, what the operator reads, and whom to offer another video. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { Database, Db } from '../../src/db/database.ts'
import { forgetPerson } from '../../src/greetings/people.ts'
import {
  closeReport,
  forgetReports,
  nextOffers,
  reopenReport,
  reportedNames,
  reportOf,
  reportSound,
  wishStress,
} from '../../src/greetings/sound-reports.ts'
import { stressChoices } from '../../src/names/stress.ts'
import { temporaryDatabase } from '../environment/temporary-database.ts'

const botId = 7n
let database: Database
let db: Db
let updates = 1
beforeAll(async () => {
  database = await temporaryDatabase()
  db = database.db
})
afterAll(() => database.close())
beforeEach(async () => {
  await db.userRequest.deleteMany()
  await db.videoAsset.deleteMany()
})

const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000)
const asset = (display: string) =>
  db.videoAsset.create({
    data: {
      template: 'tiny',
      name: display.toLowerCase(),
      display,
      status: 'AVAILABLE',
      revision: 'first',
      telegramFileId: 'f',
      telegramBotId: botId,
      availableAt: minutesAgo(30),
    },
  })

/** A person got the video so long ago. */
async function received(userId: bigint, assetId: string, minutes = 10): Promise<string> {
  await db.user.upsert({ where: { id: userId }, create: { id: userId }, update: {} })
  const finishedAt = minutesAgo(minutes)
  const data = { userId, assetId, chatId: userId, language: 'ru', botId, updateId: updates++, finishedAt }
  return (await db.userRequest.create({ data: { ...data, status: 'COMPLETED' } })).id
}

/** They say that it sounds wrong. */
async function report(userId: bigint, requestId: string, updateId = updates++): Promise<string> {
  const reported = await reportSound(db, requestId, { userId, updateId, language: 'ru' })
  if (reported.status !== 'reported') throw new Error(reported.status)
  return reported.report.id
}

it('one report per person and name, whoever taps how often; strangers make none', async () => {
  const { id } = await asset('Маша')
  const [first, second] = [await received(1n, id), await received(1n, id)]
  const one = await report(1n, first, 50)
  expect(await report(1n, first, 50)).toBe(one)
  expect(await report(1n, second)).toBe(one)
  const stranger = { userId: 2n, updateId: 51, language: 'ru' }
  expect(await reportSound(db, first, stranger)).toEqual({ status: 'not_yours' })
  expect(await reportSound(db, 'gone', stranger)).toEqual({ status: 'old' })
  expect(await reportOf(db, one, 2n)).toEqual({ status: 'not_yours' })
  expect(await reportOf(db, 'gone', 1n)).toEqual({ status: 'old' })
  expect(await db.soundReport.count()).toBe(1)
})

it('the operator reads names with counts and the wished stress, the most reported first', async () => {
  const [masha, petya] = [await asset('Маша'), await asset('Петя')]
  await report(9n, await received(9n, petya.id))
  for (const [userId, stress] of [
    [1n, 1],
    [2n, 1],
    [3n, 0],
    [4n, undefined],
  ] as const) {
    const id = await report(userId, await received(userId, masha.id))
    if (stress !== undefined) await wishStress(db, id, stress)
    // The first choice stays.
    if (stress !== undefined) await wishStress(db, id, 0)
  }
  const [before, after] = stressChoices('Маша')
  expect([before, after]).toEqual(['Ма\u0301ша', 'Маша\u0301'])
  const wanted = [
    { spelling: after, count: 2 },
    { spelling: before, count: 1 },
  ]
  expect(await reportedNames(db)).toEqual([
    { name: 'Маша', template: 'tiny', say: null, count: 4, wanted },
    { name: 'Петя', template: 'tiny', say: null, count: 1, wanted: [] },
  ])
  expect(await reportedNames(db, { limit: 1 })).toHaveLength(1)
  expect(await reportedNames(db, { template: 'other' })).toEqual([])
})

it('another video is offered once, also for a report of an older one; a new report is possible then', async () => {
  const { id } = await asset('Маша')
  const request = await received(1n, id)
  const first = await report(1n, request, 60)
  expect(await nextOffers(db, botId, 5)).toEqual([])
  await db.videoAsset.update({ where: { id }, data: { revision: 'second', availableAt: new Date() } })
  expect(await reportedNames(db)).toEqual([])
  const offer = { id: first, chatId: 1n, language: 'ru', display: 'Маша' }
  expect(await nextOffers(db, botId, 5)).toEqual([offer])
  expect(await nextOffers(db, 8n, 5)).toEqual([])
  expect(await closeReport(db, first)).toBe(true)
  expect(await closeReport(db, first)).toBe(false)
  expect(await nextOffers(db, botId, 5)).toEqual([])
  await reopenReport(db, first)
  expect(await nextOffers(db, botId, 5)).toEqual([offer])
  await closeReport(db, first)
  // The same update again is no new report; another tap on the old video is, and the newer one is offered.
  expect(await report(1n, request, 60)).toBe(first)
  expect(await nextOffers(db, botId, 5)).toEqual([])
  const again = await report(1n, request, 61)
  expect(again).not.toBe(first)
  expect((await nextOffers(db, botId, 5)).map((each) => each.id)).toEqual([again])
  expect(await db.soundReport.count()).toBe(1)
})

it('reports go with the person, with the name, and when they are old', async () => {
  const [masha, petya] = [await asset('Маша'), await asset('Петя')]
  const [one, two, three] = [
    await report(1n, await received(1n, masha.id)),
    await report(2n, await received(2n, petya.id)),
    await report(3n, await received(3n, petya.id)),
  ]
  await forgetPerson(db, 1n, 'chat:1')
  expect((await db.soundReport.findMany()).map(({ id }) => id)).not.toContain(one)
  await db.soundReport.update({ where: { id: two }, data: { createdAt: minutesAgo(91 * 1_440) } })
  await db.soundReport.update({ where: { id: three }, data: { closedAt: minutesAgo(6 * 1_440) } })
  await forgetReports(db, 90)
  expect((await db.soundReport.findMany()).map(({ id }) => id)).toEqual([three])
  await db.soundReport.update({ where: { id: three }, data: { closedAt: minutesAgo(8 * 1_440) } })
  await forgetReports(db, 90)
  expect(await db.soundReport.count()).toBe(0)
  await report(3n, await received(3n, petya.id))
  await db.userRequest.deleteMany()
  await db.videoAsset.delete({ where: { id: petya.id } })
  expect(await db.soundReport.count()).toBe(0)
})

it('a stress is chosen among the vowels of a Cyrillic name, where there are some to choose from', () => {
  expect(stressChoices('Ян')).toEqual([])
  expect(stressChoices('Emma')).toEqual([])
  expect(stressChoices('Анна-Мария')).toHaveLength(5)
  expect(stressChoices('Маша и Петя')).toHaveLength(4)
  expect(stressChoices('Ёлка')[0]).toBe('Ё\u0301лка')
  expect(stressChoices('Абвгдеёжз'.repeat(4))).toEqual([])
})
