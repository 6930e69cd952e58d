import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startWorker, type RunningWorker } from '../../src/queue/processors/worker.ts'
import { queueModes } from '../environment/redis.ts'
import { ask, openTestEnvironment, until, type TestEnvironment } from '../environment/test-environment.ts'
import { plannedRenderer, workerParts } from '../environment/worker-parts.ts'

const first = 10_000
const people = 1_000
const processes = 3

describe.each(queueModes)('a storm, queue on %s', (queueMode) => {
  let town: TestEnvironment
  let worker: RunningWorker | undefined
  const crowds: ChildProcess[] = []

  beforeAll(async () => {
    town = await openTestEnvironment({ queueMode })
    await town.telegram.sayAll(Array.from({ length: people }, (_, n) => ({ userId: first + n, text: '/start' })))
  })
  afterAll(async () => {
    for (const crowd of crowds) crowd.kill('SIGKILL')
    await worker?.stop(0)
    await town.close()
  })

  it('properties 1, 2 and 3: 1,000 people, one cold name, three processes: one asset, one job, one render, one upload, 1,000 videos', async () => {
    const { queueId } = await town.db.installation.findUniqueOrThrow({ where: { id: 1 } })
    const started = Array.from({ length: processes }, async (_, n) => {
      const order = {
        home: town.env.GREETINGS_HOME,
        databaseUrl: town.database.url,
        redisUrl: town.redis?.url,
        queueId,
        botId: String(town.botId),
        ask: ask('Снежана'),
      }
      const share = {
        from: first + Math.ceil((people * n) / processes),
        to: first + Math.ceil((people * (n + 1)) / processes),
      }
      const crowd = spawn(
        process.execPath,
        [join(import.meta.dirname, 'many-people.js'), JSON.stringify({ ...order, ...share })],
        { stdio: ['pipe', 'pipe', 'inherit'] },
      )
      crowds.push(crowd)
      const lines = createInterface(crowd.stdout)[Symbol.asyncIterator]()
      expect((await lines.next()).value).toBe('ready')
      return { crowd, lines }
    })
    const ready = await Promise.all(started)
    for (const { crowd } of ready) crowd.stdin.write('go\n')
    const answers = await Promise.all(
      ready.map(async ({ crowd, lines }) => {
        const { value } = (await lines.next()) as { value?: string }
        await once(crowd, 'exit')
        return JSON.parse(value ?? '[]') as string[]
      }),
    )
    expect(answers.flat().filter((status) => status === 'waiting').length).toBe(people)
    expect(await town.db.videoAsset.count()).toBe(1)
    expect(await town.db.userRequest.count({ where: { status: 'PENDING' } })).toBe(people)
    expect(await town.queue.counts()).toMatchObject({ waiting: 1, active: 0, delayed: 0 })

    const renderer = await plannedRenderer(town)
    worker = await startWorker(workerParts(town, renderer), 2)
    await until(
      async () => (await town.db.userRequest.count({ where: { status: 'COMPLETED' } })) === people,
      'all deliveries',
      180_000,
    )
    expect(renderer.made).toEqual(['Снежана'])
    const counts = await town.telegram.counts()
    expect(counts.uploads).toBe(1)
    expect(counts.succeeded.sendVideo).toBe(people + 1)
    const chats = (await town.telegram.calls({ method: 'sendVideo', upload: 'file_id', limit: 5_000 })).map(
      ({ chatId }) => chatId,
    )
    expect(new Set(chats).size).toBe(people)
    expect(await town.queue.counts()).toMatchObject({ waiting: 0, active: 0, delayed: 0, failed: 0 })
  })
})
