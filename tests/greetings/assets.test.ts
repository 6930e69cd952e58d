/** Property 2: whoever no longer holds an asset changes nothing of it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Database, Db } from '../../src/db/database.ts'
import {
  claim,
  giveUpUnlessWanted,
  markAvailable,
  markFailed,
  markStillAvailable,
  putBack,
  renewLease,
  uploadedRevisions,
  type ClaimedAsset,
} from '../../src/greetings/assets.ts'
import { temporaryDatabase } from '../environment/temporary-database.ts'

let database: Database
let db: Db
beforeAll(async () => {
  database = await temporaryDatabase()
  db = database.db
})
afterAll(() => database.close())
beforeEach(() => db.$executeRaw`TRUNCATE "VideoAsset", "UserRequest", "SoundReport", "User"`)

const longAgo = new Date('2020-01-01')
const [past, future] = [() => new Date(Date.now() - 60_000), () => new Date(Date.now() + 60_000)]
let names = 0
const create = (fields: Partial<Parameters<Db['videoAsset']['create']>[0]['data']> = {}) =>
  db.videoAsset.create({
    data: {
      template: 'tiny',
      name: `name ${names++}`,
      display: 'Маша',
      generation: 5,
      updatedAt: longAgo,
      queuedAt: longAgo,
      ...fields,
    },
  })
const rowOf = (id: string) => db.videoAsset.findUniqueOrThrow({ where: { id } })

/** Held by `worker`, with traces of all that happened before. */
const used = {
  status: 'GENERATING',
  leaseOwner: 'worker',
  attempts: 1,
  errorClass: 'render',
  errorText: 'it was dark',
  retryAfter: longAgo,
  telegramFileId: 'old',
  telegramFileUniqueId: 'old unique',
  telegramBotId: 1n,
  storageChatId: -1n,
  storageMessageId: 1,
  revision: 'old revision',
  templateRevision: 'old template',
} as const

async function held(): Promise<ClaimedAsset> {
  const { id, name, generation } = await create({ ...used, leaseUntil: future() })
  return {
    id,
    name,
    generation,
    template: 'tiny',
    display: 'Маша',
    say: null,
    attempts: 1,
    revision: 'old revision',
    fileId: 'old',
    botId: 1n,
  }
}

async function waitsFor(assetId: string, userId: number, status: 'PENDING' | 'COMPLETED' = 'PENDING'): Promise<void> {
  await db.user.upsert({ where: { id: userId }, create: { id: userId }, update: {} })
  await db.userRequest.create({
    data: { userId, assetId, chatId: userId, language: 'ru', botId: 1, updateId: userId, status },
  })
}

/** Seconds from now, by the database's clock. */
async function secondsLeft(id: string, column: 'leaseUntil' | 'retryAfter'): Promise<number> {
  const [row] = await db.$queryRawUnsafe<{ seconds: number }[]>(
    `SELECT extract(epoch FROM "${column}" - now())::float8 AS seconds FROM "VideoAsset" WHERE id = $1`,
    id,
  )
  return row?.seconds ?? NaN
}

describe('a claim', () => {
  it('takes what waits, and nothing else', async () => {
    const [asset, other] = [await create({ retryAfter: longAgo }), await create()]
    expect(await claim(db, { assetId: asset.id, generation: 5 }, 'me', 40_000)).toEqual({
      id: asset.id,
      template: 'tiny',
      name: asset.name,
      display: 'Маша',
      say: null,
      generation: 5,
      attempts: 0,
      revision: null,
      fileId: null,
      botId: null,
    })
    const row = await rowOf(asset.id)
    expect(row).toEqual({
      ...asset,
      status: 'GENERATING',
      leaseOwner: 'me',
      leaseUntil: row.leaseUntil,
      updatedAt: row.updatedAt,
    })
    expect(row.updatedAt.getTime()).toBeGreaterThan(longAgo.getTime())
    expect(Math.abs((await secondsLeft(asset.id, 'leaseUntil')) - 40)).toBeLessThan(5)
    expect(await rowOf(other.id)).toEqual(other)
  })

  it.each([
    ['of an old generation', { status: 'PENDING' }, 4],
    ['of a generation to come', { status: 'PENDING' }, 6],
    [
      'of an old generation that another worker left',
      { status: 'GENERATING', leaseOwner: 'dead', leaseUntil: past() },
      4,
    ],
    ['of what is made', { status: 'AVAILABLE' }, 5],
    ['of what was given up', { status: 'FAILED' }, 5],
    ['of what somebody holds', { status: 'GENERATING', leaseOwner: 'other', leaseUntil: future() }, 5],
  ] as const)('%s gets nothing, though nobody else wants it', async (_what, fields, generation) => {
    const asset = await create(fields)
    expect(await claim(db, { assetId: asset.id, generation }, 'me', 40_000)).toBeUndefined()
    expect(await rowOf(asset.id)).toEqual(asset)
  })

  it.each([
    ['a lease that ran out', past()],
    ['no lease', null],
  ])('of what is being made under %s is good', async (_what, leaseUntil) => {
    const asset = await create({ status: 'GENERATING', leaseOwner: 'dead', leaseUntil })
    expect(await claim(db, { assetId: asset.id, generation: 5 }, 'me', 40_000)).toMatchObject({ id: asset.id })
  })
})

const reason = { errorClass: 'voice', errorText: 'no voice' }
const post = { fileId: 'new', fileUniqueId: 'new unique', chatId: -2n, messageId: 2 }
const writes: Record<string, (asset: ClaimedAsset, owner: string) => Promise<unknown>> = {
  renewLease: (asset, owner) => renewLease(db, asset, owner, 600_000),
  markAvailable: (asset, owner) =>
    markAvailable(db, asset, owner, 2n, { revision: 'new revision', templateRevision: 'new template' }, post),
  markStillAvailable: (asset, owner) => markStillAvailable(db, asset, owner),
  putBack: (asset, owner) => putBack(db, asset, owner, { delayMs: 0, usesAttempt: false, reason: null }),
  markFailed: (asset, owner) => markFailed(db, asset, owner, reason, 1_000),
  giveUpUnlessWanted: (asset, owner) => giveUpUnlessWanted(db, asset, owner, reason),
}

describe.each(Object.entries(writes))('%s', (_name, write) => {
  it.each([
    ['of another owner', 'other', 0],
    ['of an old generation', 'worker', -1],
    ['of a generation to come', 'worker', 1],
  ])('%s changes nothing', async (_what, owner, ahead) => {
    const asset = await held()
    const before = await rowOf(asset.id)
    expect(await write({ ...asset, generation: asset.generation + ahead }, owner)).toBeOneOf([false, undefined])
    expect(await rowOf(asset.id)).toEqual(before)
  })

  it('of the owner changes this asset alone', async () => {
    const [asset, other] = [await held(), await held()]
    const [before, otherBefore] = [await rowOf(asset.id), await rowOf(other.id)]
    expect(await write(asset, 'worker')).toBeTruthy()
    expect(await rowOf(asset.id)).not.toEqual(before)
    expect(await rowOf(other.id)).toEqual(otherBefore)
  })
})

describe('what is written', () => {
  /** The row as it should be: what is not named stays. */
  async function expectChanged(
    before: Awaited<ReturnType<typeof rowOf>>,
    changes: Partial<Awaited<ReturnType<typeof rowOf>>>,
  ): Promise<void> {
    const row = await rowOf(before.id)
    expect(row).toEqual({ ...before, ...changes, updatedAt: row.updatedAt })
    expect(row.updatedAt.getTime()).toBeGreaterThan(longAgo.getTime())
  }
  const free = { leaseOwner: null, leaseUntil: null }
  const faultless = { attempts: 0, errorClass: null, errorText: null, retryAfter: null }

  it('by a renewal: a longer lease; it tells whether somebody waits for this very asset', async () => {
    const [asset, other] = [await held(), await held()]
    await waitsFor(other.id, 1)
    await waitsFor(asset.id, 2, 'COMPLETED')
    expect(await renewLease(db, asset, 'worker', 600_000)).toEqual({ wanted: false })
    expect(await secondsLeft(asset.id, 'leaseUntil')).toBeGreaterThan(500)
    await waitsFor(asset.id, 3)
    expect(await renewLease(db, asset, 'worker', 600_000)).toEqual({ wanted: true })
  })

  it('of an upload: where it is and of what; no fault is left', async () => {
    const asset = await held()
    const before = await rowOf(asset.id)
    expect(
      await markAvailable(
        db,
        asset,
        'worker',
        2n,
        { revision: 'new revision', templateRevision: 'new template' },
        post,
      ),
    ).toBe(true)
    const { availableAt } = await rowOf(asset.id)
    expect(Date.now() - (availableAt?.getTime() ?? 0)).toBeLessThan(60_000)
    await expectChanged(before, {
      ...free,
      ...faultless,
      status: 'AVAILABLE',
      availableAt,
      revision: 'new revision',
      templateRevision: 'new template',
      telegramFileId: 'new',
      telegramFileUniqueId: 'new unique',
      telegramBotId: 2n,
      storageChatId: -2n,
      storageMessageId: 2,
    })
  })

  it('of an upload that is still good: it, and no fault', async () => {
    const asset = await held()
    const before = await rowOf(asset.id)
    expect(await markStillAvailable(db, asset, 'worker')).toBe(true)
    await expectChanged(before, { ...free, ...faultless, status: 'AVAILABLE' })
  })

  it('when it is put back: free, under the next generation, for whoever waits', async () => {
    const [asset, later, other] = [await held(), await held(), await held()]
    await waitsFor(other.id, 1)
    await waitsFor(asset.id, 2, 'COMPLETED')
    const [before, laterBefore] = [await rowOf(asset.id), await rowOf(later.id)]
    expect(await putBack(db, asset, 'worker', { delayMs: 0, usesAttempt: false, reason: null })).toEqual({
      assetId: asset.id,
      behind: 0,
      generation: 6,
      lane: 'warm',
    })
    await expectChanged(before, {
      ...free,
      status: 'PENDING',
      generation: 6,
      queuedAt: null,
      retryAfter: null,
      errorClass: null,
      errorText: null,
    })

    await waitsFor(later.id, 3)
    expect(await putBack(db, later, 'worker', { delayMs: 30_000, usesAttempt: true, reason })).toEqual({
      assetId: later.id,
      behind: 0,
      generation: 6,
      lane: 'people',
    })
    const { retryAfter } = await rowOf(later.id)
    await expectChanged(laterBefore, {
      ...free,
      ...reason,
      status: 'PENDING',
      generation: 6,
      queuedAt: null,
      attempts: 2,
      retryAfter,
    })
    expect(Math.abs((await secondsLeft(later.id, 'retryAfter')) - 30)).toBeLessThan(5)
  })

  it('when it is given up: free, with the reason, and when to ask again', async () => {
    const asset = await held()
    const before = await rowOf(asset.id)
    expect(await markFailed(db, asset, 'worker', { ...reason, errorText: 'x'.repeat(600) }, 30_000)).toBe(true)
    const { retryAfter } = await rowOf(asset.id)
    await expectChanged(before, {
      ...free,
      status: 'FAILED',
      attempts: 2,
      errorClass: 'voice',
      errorText: 'x'.repeat(500),
      retryAfter,
    })
    expect(Math.abs((await secondsLeft(asset.id, 'retryAfter')) - 30)).toBeLessThan(5)
  })
})

it('of kept files those count as uploaded whose upload is recorded', async () => {
  await create({ revision: 'uploaded', telegramFileId: 'x', status: 'AVAILABLE' })
  await create({ revision: 'made', telegramFileId: null })
  // Its upload is about to be repeated, from the file.
  await create({ revision: 'queued', telegramFileId: 'x', status: 'PENDING' })
  await create({ revision: 'another', telegramFileId: 'x', status: 'AVAILABLE' })
  expect(await uploadedRevisions(db, ['uploaded', 'made', 'queued', 'unknown'])).toEqual(new Set(['uploaded']))
})
