/** What was measured of a host, and what it means for a run. */
import { hostname } from 'node:os'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { waitingTimes } from '../../src/config.ts'
import type { Database, Db } from '../../src/db/database.ts'
import { emit } from '../../src/events.ts'
import { estimate, type PlannedRun } from '../../src/greetings/estimate.ts'
import { forgetPaces, measurePaces, readPaces, recordPaces, type Pace } from '../../src/greetings/pace.ts'
import { temporaryDatabase } from '../environment/temporary-database.ts'

let database: Database
let db: Db
beforeAll(async () => {
  database = await temporaryDatabase()
  db = database.db
})
afterAll(() => database.close())
beforeEach(() => db.$executeRaw`TRUNCATE "StepPace", "WorkerProcess"`)

const render = (seconds: number, more: Partial<Pace> & { samples?: number } = {}) => ({
  step: 'render' as const,
  template: 't',
  parallel: 2,
  seconds,
  samples: 1,
  ...more,
})

describe('what is kept', () => {
  it('a mean, of which the older samples count less and less', async () => {
    for (const seconds of [4, 6]) await recordPaces(db, [render(seconds)])
    expect(await readPaces(db)).toEqual([{ host: hostname(), template: 't', step: 'render', parallel: 2, seconds: 5 }])
    for (let n = 0; n < 3; n++) await recordPaces(db, [render(1, { samples: 18 })])
    expect((await readPaces(db))[0]?.seconds).toBeCloseTo(1, 1)
    await recordPaces(db, [render(21)])
    expect((await readPaces(db))[0]?.seconds).toBeCloseTo(2, 1)
    await recordPaces(db, [render(7, { samples: 500 })])
    expect((await readPaces(db))[0]?.seconds).toBe(7)
  })

  it('by how many were made at a time, those of other workers of the host included', async () => {
    await db.workerProcess.create({
      data: {
        id: 'other',
        host: hostname(),
        pid: 1,
        concurrency: 2,
        rendering: 2,
        seenAt: new Date(Date.now() + 3_600_000),
      },
    })
    await db.workerProcess.create({
      data: {
        id: 'mine',
        host: hostname(),
        pid: 1,
        concurrency: 2,
        rendering: 2,
        seenAt: new Date(Date.now() + 3_600_000),
      },
    })
    await recordPaces(db, [render(4), { ...render(1), step: 'send', template: '' }], 'mine')
    expect((await readPaces(db)).map(({ step, parallel }) => [step, parallel]).sort()).toEqual([
      ['render', 4],
      ['send', 2],
    ])
  })

  it('what a worker of this process does', async () => {
    const measured = measurePaces(db, waitingTimes(1), { processId: 'w', rendering: () => 3 })
    emit({ what: 'step', step: 'video', template: 'a', seconds: 2 })
    emit({ what: 'step', step: 'video', template: 'a', seconds: 4 })
    emit({ what: 'step', step: 'draw', template: 'a', seconds: 1 })
    emit({ what: 'step', step: 'prepare', template: 'a', seconds: 9 })
    emit({ what: 'sent', seconds: 0.5, parallel: 1 })
    await measured.close()
    emit({ what: 'step', step: 'video', template: 'a', seconds: 100 })
    const at = { host: hostname(), template: 'a' }
    expect((await readPaces(db)).sort((one, other) => one.seconds - other.seconds)).toEqual([
      { ...at, template: '', step: 'send', parallel: 1, seconds: 0.5 },
      { ...at, step: 'render', parallel: 3, seconds: 3 },
      { ...at, step: 'prepare', parallel: 1, seconds: 9 },
    ])
  })

  it('not of a host that made nothing for a season', async () => {
    await recordPaces(db, [render(1), render(2, { template: 'old' })])
    await db.stepPace.updateMany({
      where: { template: 'old' },
      data: { updatedAt: new Date(Date.now() - 101 * 86_400_000) },
    })
    await forgetPaces(db)
    expect((await readPaces(db)).map(({ template }) => template)).toEqual(['t'])
  })
})

describe('the estimate', () => {
  const pace = (seconds: number, more: Partial<Pace> = {}): Pace => ({
    host: 'here',
    template: 't',
    step: 'render',
    parallel: 2,
    seconds,
    ...more,
  })
  const here = { host: 'here', places: 2, processors: 2 }
  const run = (more: Partial<PlannedRun> = {}): PlannedRun => ({
    videos: new Map([['t', 30]]),
    hosts: [here],
    host: 'here',
    unprepared: [],
    channels: undefined,
    ...more,
  })
  const start = pace(3, { step: 'start', template: '', parallel: 1 })
  const send = pace(0.5, { step: 'send', template: '', parallel: 1 })

  it('divides by what runs in parallel, and adds the start and the last upload', () => {
    expect(estimate([pace(4), start, send], run())).toEqual({
      render: 60,
      upload: 30 / 16,
      prepare: 0,
      total: 3 + 60 + 0.5,
    })
    expect(estimate([pace(4), start], run({ host: 'nowhere else' })).total).toBe(63)
    expect(
      estimate([pace(4), pace(8, { host: 'there' })], run({ hosts: [here, { ...here, host: 'there' }] })).render,
    ).toBeCloseTo(30 / (0.5 + 0.25))
    // A host of which nothing is known is taken to be like the others.
    expect(estimate([pace(4)], run({ hosts: [here, { ...here, host: 'there' }] })).render).toBeCloseTo(30)
  })

  it('is bound by the channels, each of which takes its posts at a distance', () => {
    const slow = (count: number) => estimate([pace(4)], run({ channels: { count, postSeconds: 3 } }))
    expect(slow(1)).toMatchObject({ render: 60, upload: 87, total: 4 + 87 })
    // Rendering is the slower one now.
    expect(slow(2)).toMatchObject({ render: 60, upload: 42, total: 60 })
  })

  it('is bound by the line where uploads are slow', () => {
    // Eight at a time take 80 s each: one in ten seconds.
    expect(estimate([pace(4), pace(80, { step: 'send', template: '', parallel: 8 })], run()).upload).toBe(300)
  })

  it('goes by what was measured nearest to what will run, and gives no host more than its processors', () => {
    const both = [pace(2, { parallel: 1 }), pace(3, { parallel: 2 })]
    expect(estimate(both, run()).render).toBe(45)
    expect(estimate(both, run({ hosts: [{ ...here, places: 1 }] })).render).toBe(60)
    expect(estimate(both, run({ hosts: [{ ...here, places: 8 }] })).render).toBe(45)
    expect(estimate(both, run({ hosts: [{ ...here, places: 8, processors: 8 }] })).render).toBe(11.25)
  })

  it('weighs templates by how many videos each has', () => {
    expect(
      estimate(
        [pace(4), pace(8, { template: 'u' })],
        run({
          videos: new Map([
            ['t', 20],
            ['u', 10],
          ]),
        }),
      ).render,
    ).toBeCloseTo(80)
  })

  it('adds the preparation of a new clip, by what it took before', () => {
    const prepare = pace(12, { step: 'prepare', parallel: 1 })
    expect(estimate([pace(4), prepare], run({ unprepared: ['t'] }))).toMatchObject({ prepare: 12, total: 72 })
    expect(
      estimate([pace(4), pace(20, { step: 'prepare', template: 'other', parallel: 1 })], run({ unprepared: ['t'] })),
    ).toMatchObject({ prepare: 20, total: 80 })
    expect(estimate([pace(4)], run({ unprepared: ['t'] }))).toMatchObject({ render: 60, prepare: null, total: null })
  })

  it('is unknown until something was measured, and when nobody works', () => {
    expect(estimate([], run({ channels: { count: 1, postSeconds: 3 } }))).toEqual({
      render: null,
      upload: 87,
      prepare: 0,
      total: null,
    })
    expect(
      estimate(
        [pace(4)],
        run({
          videos: new Map([
            ['t', 3],
            ['new', 1],
          ]),
        }),
      ),
    ).toMatchObject({ render: null, total: null })
    expect(estimate([pace(4)], run({ hosts: [] }))).toMatchObject({ render: null, total: null })
    expect(estimate([], run({ videos: new Map() }))).toEqual({ render: 0, upload: 0, prepare: 0, total: 0 })
  })
})
