import { afterAll, beforeAll, expect, it } from 'vitest'
import { request } from '../../src/greetings/request.ts'
import { startWorker } from '../../src/queue/processors/worker.ts'
import { uploadToStorage } from '../../src/telegram/storage.ts'
import { ask, openTestEnvironment, person, until, type TestEnvironment } from '../environment/test-environment.ts'
import { plannedRenderer, workerParts } from '../environment/worker-parts.ts'

let town: TestEnvironment
beforeAll(async () => {
  // 250 messages in bulk a second, as 25 in life.
  town = await openTestEnvironment({ timeDivisor: 10 })
})
afterAll(() => town.close())

it('property 16: a finished name of one person is delivered in the middle of eight crowds', async () => {
  const { db } = town
  const renderer = await plannedRenderer(town)
  const names = ['Алина', 'Белла', 'Вера', 'Галина', 'Дарина', 'Ева', 'Жанна', 'Зоя']
  const crowd = 40
  const video = await renderer.make(
    renderer.templates[0] as never,
    { key: 'x', display: 'X', say: null },
    { signal: new AbortController().signal, onStep: () => undefined },
  )
  const post = await uploadToStorage(town.storage, video, {
    signal: new AbortController().signal,
    isWanted: () => true,
  })
  await town.telegram.sayAll(
    Array.from({ length: names.length * crowd + 1 }, (_, n) => ({ userId: 1_000 + n, text: '/start' })),
  )
  await db.$executeRaw`INSERT INTO "User" (id) SELECT generate_series(1001, ${1_000 + names.length * crowd}::int)`
  for (const [n, name] of names.entries()) {
    const { key, display } = ask(name)
    const asset = await db.videoAsset.create({
      data: {
        template: 'tiny',
        name: key,
        display,
        status: 'AVAILABLE',
        telegramFileId: post.fileId,
        telegramBotId: town.botId,
      },
    })
    const first = 1_001 + n * crowd
    await db.$executeRaw`
      INSERT INTO "UserRequest" ("userId", "assetId", "chatId", language, "botId", "updateId") SELECT id, ${asset.id}, id, 'ru', ${town.botId}, id FROM generate_series(${first}::int, ${first + crowd - 1}::int) AS id`
  }
  const served = () => db.userRequest.count({ where: { status: 'COMPLETED', userId: { gt: 1_000n } } })
  const worker = await startWorker(workerParts(town, renderer), 2)
  try {
    await until(async () => (await served()) > 0, 'the first delivery', 60_000)
    await request(town.door, [ask('Агриппина')], person(1_000))
    await until(
      async () => (await db.userRequest.count({ where: { status: 'COMPLETED', userId: 1_000n } })) === 1,
      'the delivery',
      60_000,
    )
    // Each crowd is two batches: the first ones are under way, and it comes before the second ones are through.
    expect(await served()).toBeLessThan(260)
  } finally {
    await worker.stop(100)
  }
}, 90_000)
