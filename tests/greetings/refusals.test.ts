/** How people were understood, and what they were refused, is counted; what they wrote is not kept. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import { emit } from '../../src/events.ts'
import { countRefusals, refusalsOfDay } from '../../src/greetings/refusals.ts'
import { countUnderstood, understoodCounts } from '../../src/greetings/understood.ts'
import { paceOf } from '../../src/greetings/pace.ts'
import { temporaryDatabase } from '../environment/temporary-database.ts'
import { until } from '../environment/test-environment.ts'

let database: Database
beforeAll(async () => {
  database = await temporaryDatabase()
})
afterAll(() => database.close())

it('counts by reason, adds up over processes, and writes the rest when it is closed', async () => {
  const { db } = database
  const one = countRefusals(db, { leaseRenewMs: 20 })
  const other = countRefusals(db, { leaseRenewMs: 3_600_000 })
  for (let count = 0; count < 5; count++) emit({ what: 'asked', outcome: 'no_name', reason: 'emoji' })
  emit({ what: 'asked', outcome: 'too_many_today' })
  emit({ what: 'asked', outcome: 'hit' })
  await until(async () => (await refusalsOfDay(db)).length === 2, 'the first to write')
  expect(await refusalsOfDay(db)).toEqual([
    { reason: 'emoji', count: 5 },
    { reason: 'too_many_today', count: 1 },
  ])
  await other.close()
  await one.close()
  expect(await refusalsOfDay(db)).toEqual([
    { reason: 'emoji', count: 10 },
    { reason: 'too_many_today', count: 2 },
  ])
  emit({ what: 'asked', outcome: 'no_name', reason: 'emoji' })
  expect((await refusalsOfDay(db))[0]?.count).toBe(10)
})

it('counts how texts were understood, with those that were refused, of the last day and of a month', async () => {
  const { db } = database
  await db.refusalCount.deleteMany()
  const counting = [countUnderstood(db, { leaseRenewMs: 20 }), countRefusals(db, { leaseRenewMs: 20 })]
  for (let count = 0; count < 3; count++) emit({ what: 'understood', outcome: 'name' })
  for (let count = 0; count < 2; count++) emit({ what: 'understood', outcome: 'talk', reason: 'thanks' })
  emit({ what: 'asked', outcome: 'no_name', reason: 'digits' })
  emit({ what: 'asked', outcome: 'too_many_today' })
  await Promise.all(counting.map((each) => each.close()))
  const today = [
    { outcome: 'name', reason: null, count: 3 },
    { outcome: 'talk', reason: 'thanks', count: 2 },
    { outcome: 'refused', reason: 'digits', count: 1 },
  ]
  expect(await understoodCounts(db)).toEqual(today)
  const hours = [31, 3].map((days) => new Date(Date.now() - days * 86_400_000))
  await db.understoodCount.createMany({ data: hours.map((hour) => ({ hour, outcome: 'several', count: 1 })) })
  const again = countUnderstood(db, { leaseRenewMs: 20 })
  emit({ what: 'understood', outcome: 'name' })
  await again.close()
  expect(await understoodCounts(db)).toEqual([{ ...today[0], count: 4 }, ...today.slice(1)])
  expect((await understoodCounts(db, 7 * 86_400_000)).map(({ outcome }) => outcome)).toContain('several')
  expect(await db.understoodCount.count({ where: { outcome: 'several' } })).toBe(1)
})

it('loses nothing while the database is away, and keeps a month', async () => {
  const { db } = database
  await db.refusalCount.deleteMany()
  await db.refusalCount.createMany({
    data: [
      { hour: new Date(Date.now() - 31 * 86_400_000), reason: 'digits', count: 1 },
      { hour: new Date(Date.now() - 29 * 86_400_000), reason: 'digits', count: 1 },
    ],
  })
  let away = true
  let tries = 0
  const refuse = () => {
    tries += 1
    return Promise.reject(new Error('away'))
  }
  const counting = countRefusals(
    new Proxy(db, {
      get: (target, key) => (key === '$executeRaw' && away ? refuse : (Reflect.get(target, key) as unknown)),
    }),
    { leaseRenewMs: 10 },
  )
  emit({ what: 'asked', outcome: 'no_name', reason: 'digits' })
  await until(async () => tries > 2, 'tries in vain')
  away = false
  await until(async () => (await refusalsOfDay(db)).length === 1, 'what was counted before')
  await counting.close()
  expect(await refusalsOfDay(db)).toEqual([{ reason: 'digits', count: 1 }])
  expect(await db.refusalCount.count()).toBe(2)
})

it('the pace is that of the last minutes, and unknown without any', async () => {
  const { db } = database
  expect(await paceOf(db)).toBeNull()
  const made = (name: string, secondsAgo: number) =>
    db.videoAsset.create({
      data: {
        template: 'tiny',
        name,
        display: name,
        status: 'AVAILABLE',
        availableAt: new Date(Date.now() - secondsAgo * 1_000),
      },
    })
  for (let count = 0; count < 5; count++) await made(`a${count}`, 590)
  for (let count = 0; count < 20; count++) await made(`b${count}`, 5 + count * 5)
  // Twenty in the last two minutes; those ten minutes ago do not make them slower.
  expect(await paceOf(db)).toBeCloseTo(10, 0)
})
