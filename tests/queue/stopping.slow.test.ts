import { readdir } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import pg from 'pg'
import { request } from '../../src/greetings/request.ts'
import { queueModes } from '../environment/redis.ts'
import { ask, openTestEnvironment, person, until, type TestEnvironment } from '../environment/test-environment.ts'
import { createServices, nobodyLeft, processesOf, videosOf } from './processes.ts'

describe.each(queueModes)('a worker process, queue on %s', (queueMode) => {
  let town: TestEnvironment
  const services = createServices(() => town)

  beforeAll(async () => {
    town = await openTestEnvironment({ queueMode })
  })
  afterEach(() => services.endAll())
  afterAll(() => town.close())

  async function asks(name: string, id: number): Promise<string> {
    await town.telegram.say({ userId: id, text: '/start' })
    const [answer] = await request(town.door, [ask(name)], person(id))
    if (answer?.status !== 'waiting') throw new Error(`asked, but ${String(answer?.status)}`)
    return answer.assetId
  }

  it.each(['SIGTERM', 'SIGHUP'] as const)(
    'property 13: on %s it returns what it cannot finish, leaves no process behind and ends with 0',
    async (signal) => {
      const hold = await town.telegram.fault({ method: 'sendVideo', upload: 'multipart', answer: { kind: 'hold' } })
      const worker = await services.start('worker', { STOP_SECONDS: '1' })
      const id = signal === 'SIGTERM' ? 10 : 11
      const assetId = await asks(signal === 'SIGTERM' ? 'Агата' : 'Агнесса', id)
      await town.telegram.waitForHeld(hold.id, 1, { timeoutMs: 60_000 })
      worker.signal(signal)
      expect(await worker.ended).toBe(0)
      expect(await town.db.videoAsset.findUniqueOrThrow({ where: { id: assetId } })).toMatchObject({
        status: 'PENDING',
        attempts: 0,
        leaseOwner: null,
        retryAfter: null,
      })
      // Those that an earlier test killed are still on record.
      expect(await town.db.workerProcess.count({ where: { pid: worker.pid } })).toBe(0)
      await nobodyLeft(town)
      await town.telegram.release()
      await services.start('worker')
      await until(async () => (await videosOf(town, id)) === 1, 'the video', 60_000)
    },
  )

  it('property 13: a second signal ends it at once', async () => {
    const hold = await town.telegram.fault({ method: 'sendVideo', upload: 'multipart', answer: { kind: 'hold' } })
    const worker = await services.start('worker', { STOP_SECONDS: '600' })
    const assetId = await asks('Белла', 20)
    await town.telegram.waitForHeld(hold.id, 1, { timeoutMs: 60_000 })
    worker.signal('SIGINT')
    await worker.wrote('stopping')
    const askedAt = Date.now()
    worker.signal('SIGINT')
    expect(await worker.ended).toBe(0)
    expect(Date.now() - askedAt).toBeLessThan(10_000)
    expect(await town.db.videoAsset.findUniqueOrThrow({ where: { id: assetId } })).toMatchObject({
      status: 'PENDING',
      attempts: 0,
      leaseOwner: null,
    })
  })

  it('a terminal that closes, and so sends SIGHUP twice, does not hurry it', async () => {
    const hold = await town.telegram.fault({ method: 'sendVideo', upload: 'multipart', answer: { kind: 'hold' } })
    const worker = await services.start('worker', { STOP_SECONDS: '60' })
    const assetId = await asks('Бажена', 21)
    await town.telegram.waitForHeld(hold.id, 1, { timeoutMs: 60_000 })
    worker.signal('SIGHUP')
    await worker.wrote('stopping')
    worker.signal('SIGHUP')
    await town.telegram.release()
    expect(await worker.ended).toBe(0)
    expect(await town.db.videoAsset.findUniqueOrThrow({ where: { id: assetId } })).toMatchObject({
      status: 'AVAILABLE',
    })
  })

  // Process lists are read from /proc.
  it.runIf(process.platform === 'linux')(
    'property 14: a name, a chat and the token appear nowhere but where they belong',
    async () => {
      const name = 'Мирослав'
      const chat = 7_717_717_717
      const secret = town.token.slice(town.token.indexOf(':') + 1)
      const marks = [
        name,
        name.toLowerCase(),
        name.toUpperCase(),
        encodeURIComponent(name),
        encodeURIComponent(name.toLowerCase()),
        JSON.stringify(Buffer.from(name).toString('hex')).slice(1, -1),
        String(chat),
        secret,
      ]

      // A failed upload first, so that errors are logged, stored and queued as well.
      await town.telegram.fault({
        method: 'sendVideo',
        upload: 'multipart',
        answer: { kind: 'refuse', code: 500, description: 'Internal Server Error' },
      })
      await town.telegram.fault({ method: 'sendVideo', chatId: chat, answer: { kind: 'drop-before' } })
      const seen: string[] = []
      const worker = await services.start('up')
      let over = false
      const watching = (async () => {
        while (!over) {
          for (const { commandLine } of await processesOf(town)) seen.push(commandLine)
          seen.push(...(await queueContent(town)))
          await new Promise((resolve) => setTimeout(resolve, 30))
        }
      })()
      await town.telegram.say({ userId: chat, text: name })
      await until(async () => (await videosOf(town, chat)) >= 1, 'the video', 60_000)
      await town.telegram.say({ userId: chat, text: `${name} ${name} ${name} ${name} ${name} ${name} ${name}` })
      await until(
        async () => (await town.db.userRequest.findFirst({ where: { userId: chat } }))?.status === 'COMPLETED',
        'the record of it',
        60_000,
      )
      over = true
      await watching
      worker.signal('SIGTERM')
      expect(await worker.ended).toBe(0)

      expect(seen.some((line) => line.includes('greetings.js'))).toBe(true)
      const files = (await readdir(String(town.env.GREETINGS_HOME), { recursive: true })).map(String)
      expect(files.some((file) => file.endsWith('.mp4'))).toBe(true)
      const captions = (await town.telegram.calls({ method: 'sendVideo', chatId: town.channelId })).map(
        ({ parameters }) => JSON.stringify(parameters),
      )
      expect(captions.length).toBeGreaterThan(0)
      const places = {
        log: worker.output().split('\n'),
        'processes and queue': seen,
        files,
        'the storage channel': captions,
      }
      for (const [place, lines] of Object.entries(places)) {
        for (const mark of marks)
          expect(
            lines.filter((line) => line.includes(mark)),
            `${mark} in ${place}`,
          ).toEqual([])
      }
    },
  )
})

/** Everything the queue holds, as text. */
async function queueContent(town: TestEnvironment): Promise<string[]> {
  if (town.redis !== undefined) {
    const { Redis } = await import('ioredis')
    const redis = new Redis(town.redis.url)
    try {
      const lines: string[] = []
      for (const key of await redis.keys('*')) lines.push(key, (await redis.dumpBuffer(key))?.toString('utf8') ?? '')
      return lines
    } finally {
      redis.disconnect()
    }
  }
  const client = new pg.Client(town.database.url)
  await client.connect()
  try {
    const { rows } = await client.query<{ name: string }>(
      "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE tablename LIKE '%bull%' OR schemaname LIKE '%bull%'",
    )
    const lines: string[] = []
    for (const { name } of rows)
      lines.push(
        ...(await client.query<{ line: string }>(`SELECT t::text AS line FROM ${name} AS t`)).rows.map(
          ({ line }) => line,
        ),
      )
    return lines
  } finally {
    await client.end()
  }
}
