import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { reconcile } from '../../src/greetings/reconcile.ts'
import { personLimits } from '../../src/greetings/answer.ts'
import { request } from '../../src/greetings/request.ts'
import { openTestEnvironment, person, until, type TestEnvironment } from '../environment/test-environment.ts'

let town: TestEnvironment
beforeAll(async () => {
  town = await openTestEnvironment()
  // Videos there are: n1 … n200.
  await town.db.$executeRaw`
    INSERT INTO "VideoAsset" (id, template, name, display, status, "telegramFileId", "telegramBotId") SELECT 'n' || n, 'tiny', 'n' || n, 'N', 'AVAILABLE', 'file', ${town.botId} FROM generate_series(1, 200) AS n`
  await town.db.$executeRaw`INSERT INTO "User" (id) SELECT generate_series(1, 300)`
})
afterAll(() => town.close())
beforeEach(async () => {
  await town.db.userRequest.deleteMany()
})

let updateId = 1_000_000
/** Somebody asked so long ago and was not served; `claim`: seconds from now until their claim ends. */
async function waits(
  userId: number,
  asset: string,
  { ageSeconds, claim = -1 }: { ageSeconds: number; claim?: number },
) {
  await town.db.userRequest.create({
    data: {
      userId: BigInt(userId),
      chatId: BigInt(userId),
      assetId: asset,
      language: 'ru',
      botId: town.botId,
      updateId: updateId++,
      hit: true,
      createdAt: new Date(Date.now() - ageSeconds * 1_000),
      claimOwner: 'dead',
      claimUntil: new Date(Date.now() + claim * 1_000),
    },
  })
}
const undelivered = async () => {
  const found = await until(
    () => reconcile({ db: town.db, queue: town.queue, botId: town.botId, times: town.times }),
    'a pass',
  )
  return found.undelivered
}

it('property 16: the backlog of one chat hides nobody’s lost delivery', async () => {
  for (let n = 1; n <= 150; n++) await waits(5, `n${n}`, { ageSeconds: 1_000 - n })
  await waits(6, 'n160', { ageSeconds: 20 })
  await waits(7, 'n161', { ageSeconds: 30 })
  const found = await undelivered()
  // The first of each chat, the oldest first, and then a few more of the one.
  expect(found.slice(0, 3)).toEqual(['n1', 'n161', 'n160'])
  expect(found).toEqual(['n1', 'n161', 'n160', 'n2', 'n3', 'n4', 'n5'])
})

it('the oldest come first when there are more than fit into a pass', async () => {
  for (let n = 1; n <= 120; n++) await waits(n, `n${n}`, { ageSeconds: n })
  const found = await undelivered()
  expect(found.length).toBe(100)
  expect(found.slice(0, 3)).toEqual(['n120', 'n119', 'n118'])
})

it('who was put off, or is being served, is passed over; so is a video of another bot', async () => {
  await waits(1, 'n1', { ageSeconds: 50, claim: 60 })
  await waits(2, 'n2', { ageSeconds: 40 })
  await waits(3, 'n3', { ageSeconds: 60 })
  await town.db.videoAsset.update({ where: { id: 'n3' }, data: { telegramBotId: 1n } })
  try {
    expect(await undelivered()).toEqual(['n2'])
  } finally {
    await town.db.videoAsset.update({ where: { id: 'n3' }, data: { telegramBotId: town.botId } })
  }
})

it('property 15: so many videos may be on their way to one person, and then they are asked to wait', async () => {
  const asks = (n: number, id: number, unlimited = false) =>
    request(town.door, [{ template: 'tiny', key: `n${n}`, display: 'N' }], { ...person(id), unlimited })
  for (let n = 1; n <= personLimits.onTheirWay; n++) expect(await asks(n, 8)).toMatchObject([{ status: 'available' }])
  expect(await asks(50, 8)).toEqual([
    { status: 'refused', reason: 'too_many_waiting', most: 20, retryAt: null, told: false },
  ])
  expect(await town.db.userRequest.count()).toBe(personLimits.onTheirWay)
  expect(await asks(50, 9)).toMatchObject([{ status: 'available' }])
  expect(await asks(51, 8, true)).toMatchObject([{ status: 'available' }])
  await town.db.userRequest.updateMany({
    where: { userId: 8n, assetId: { in: ['n1', 'n2'] } },
    data: { status: 'COMPLETED' },
  })
  expect(await asks(50, 8)).toMatchObject([{ status: 'available' }])
  // What was redelivered is known, however full it is.
  const first = person(10)
  expect(await request(town.door, [{ template: 'tiny', key: 'n1', display: 'N' }], first)).toMatchObject([
    { status: 'available' },
  ])
  for (let n = 2; n <= personLimits.onTheirWay; n++) await asks(n, 10)
  expect(await request(town.door, [{ template: 'tiny', key: 'n1', display: 'N' }], first)).toMatchObject([
    { status: 'repeated' },
  ])
})
