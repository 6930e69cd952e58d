/** Health and figures over real HTTP, of a bot and a worker of a test environment. */
import { networkInterfaces } from 'node:os'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startBot, type RunningBot } from '../../src/bot/index.ts'
import { AssetFault } from '../../src/errors.ts'
import { liveBots, liveWorkers } from '../../src/greetings/workers.ts'
import { startHealthServer, type HealthServer } from '../../src/http/health.ts'
import { startWorker, type RunningWorker } from '../../src/queue/processors/worker.ts'
import { plannedRenderer, workerParts } from '../environment/worker-parts.ts'
import { botParts, openTestEnvironment, until, type TestEnvironment } from '../environment/test-environment.ts'

const marker = 'Зимолюба'
const markedPerson = 987_654_321

let town: TestEnvironment
let worker: RunningWorker
let bot: RunningBot
let server: HealthServer
let fails = ''
let gate: Promise<void> = Promise.resolve()

beforeAll(async () => {
  town = await openTestEnvironment()
  server = await startHealthServer({ host: '127.0.0.1', port: 0 }, { version: '1.2.3', role: 'up' })
  const renderer = await plannedRenderer(town, async (display) => {
    await gate
    if (display === fails) throw new AssetFault('voice', 'the voice said nothing')
  })
  worker = await startWorker(workerParts(town, renderer), 2)
  bot = await startBot(botParts(town))
})
afterAll(async () => {
  await server.close()
  await bot.stop(1_000)
  await worker.stop(1_000)
  await town.close()
})

const ask = (path: string, init?: RequestInit) => fetch(`${server.url}${path}`, init)
const figures = async () => (await ask('/metrics')).text()
/** The value of one line, such as `greetings_requests_total{outcome="hit"}`; undefined: there is none. */
async function figure(line: string): Promise<number | undefined> {
  const found = (await figures()).split('\n').find((each) => each.startsWith(`${line} `))
  return found === undefined ? undefined : Number(found.slice(line.length + 1))
}
const reaches = (line: string, value: number) => until(async () => (await figure(line)) === value, `${line} ${value}`)

describe('before there is anything to look at', () => {
  it('the process is alive, not ready, and its figures leave the state out', async () => {
    expect((await ask('/healthz')).status).toBe(200)
    const ready = await ask('/readyz')
    expect(ready.status).toBe(503)
    expect(await ready.json()).toEqual({ ready: false, reasons: ['starting'] })
    expect(await figure('greetings_state_up')).toBe(0)
    expect(await figures()).not.toMatch(/^greetings_(videos|workers|queue_jobs|longest)/m)
  })
})

describe('a running process', () => {
  beforeAll(() => server.watch({ db: town.db, queue: town.queue, workers: async () => 1, bots: async () => 2 }))

  it('is ready', async () => {
    const ready = await ask('/readyz')
    expect([ready.status, await ready.json()]).toEqual([200, { ready: true, reasons: [] }])
  })

  it('is known to be alive, and how the bot takes updates', async () => {
    expect(await liveBots(town.db, town.times)).toMatchObject([{ pid: process.pid, mode: 'polling' }])
    expect(await liveWorkers(town.db, town.times)).toMatchObject([{ pid: process.pid, concurrency: 2 }])
  })

  it('tells what runs', async () => {
    expect(await figure(`greetings_build_info{version="1.2.3",role="up",node="${process.version}"}`)).toBe(1)
    expect((await ask('/metrics')).headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  })

  it('counts one name from the first question to the last delivery', async () => {
    let open = () => {}
    gate = new Promise((resolve) => (open = resolve))
    await town.telegram.say({ userId: markedPerson, text: `/greet ${marker}`, languageCode: 'ru' })
    await reaches('greetings_requests_total{outcome="started"}', 1)
    await town.telegram.say({ userId: markedPerson + 1, text: `/greet ${marker}`, languageCode: 'ru' })
    await reaches('greetings_requests_total{outcome="joined"}', 1)
    await town.telegram.say({ userId: markedPerson + 1, text: `/greet ${marker}`, languageCode: 'ru' })
    await reaches('greetings_requests_total{outcome="again"}', 1)
    expect(await figure('greetings_requests_pending')).toBe(2)
    open()
    await reaches('greetings_wait_seconds_count{hit="false"}', 2)
    await reaches('greetings_render_seconds_count', 1)
    await reaches('greetings_upload_seconds_count', 1)
    await town.telegram.say({ userId: markedPerson + 2, text: `/greet ${marker}`, languageCode: 'ru' })
    await reaches('greetings_requests_total{outcome="hit"}', 1)
    await reaches('greetings_wait_seconds_count{hit="true"}', 1)
    await reaches('greetings_deliveries_total{outcome="sent"}', 3)
    expect(await figure('greetings_videos{state="available"}')).toBe(1)
    expect([await figure('greetings_videos{state="other_bot"}'), await figure('greetings_bots')]).toEqual([0, 2])
    expect(await figure('greetings_requests_pending')).toBe(0)
    expect(await figure('greetings_state_up')).toBe(1)
    await town.telegram.say({ userId: markedPerson, text: '12345', languageCode: 'ru' })
    await reaches('greetings_requests_total{outcome="no_name"}', 1)
    await reaches('greetings_understood_total{outcome="name"}', 4)
    await reaches('greetings_understood_total{outcome="refused",reason="digits"}', 1)
  })

  it('counts a name that cannot be made, by its cause', async () => {
    fails = 'Снежана'
    await town.telegram.say({ userId: markedPerson + 3, text: fails, languageCode: 'ru' })
    await reaches('greetings_faults_total{cause="voice",final="true"}', 1)
    expect(await figure('greetings_faults_total{cause="voice",final="false"}')).toBe(2)
    await reaches('greetings_deliveries_total{outcome="gave_up"}', 1)
  })

  it('counts floods by method, and tells of an outage while there is one', async () => {
    await town.telegram.fault({ method: 'sendVideo', answer: { kind: 'flood', retryAfter: 1 } })
    await town.telegram.say({ userId: markedPerson + 4, text: `/greet ${marker}`, languageCode: 'ru' })
    await reaches('greetings_telegram_floods_total{method="sendVideo"}', 1)
    await town.db.outage.create({ data: { step: 'voice', reason: 'silent', until: new Date() } })
    expect(await figure('greetings_outage{step="voice"}')).toBe(1)
    await town.db.outage.deleteMany()
    expect(await figure('greetings_outage{step="voice"}')).toBeUndefined()
  })

  it('names no child, no person, no channel and no secret', async () => {
    const text = await figures()
    for (const secret of [
      marker,
      marker.toLowerCase(),
      'Снежана',
      String(markedPerson),
      String(town.channelId),
      town.token,
      town.database.url,
    ])
      expect(text).not.toContain(secret)
    // All values of labels are words of ours, bounds, or versions.
    const values = [...text.matchAll(/="([^"]*)"/g)].map(([, value]) => value ?? '')
    expect(values.filter((value) => !/^([a-z_]+|[A-Za-z]+|\+Inf|[\d.]+|v?\d+\.\d+\.\d+)$/.test(value))).toEqual([])
  })

  it('computes the figures once for all who ask at a time', async () => {
    let read = 0
    let go = () => {}
    const held = new Promise<void>((resolve) => (go = resolve))
    const workers = async () => {
      read += 1
      await held
      return 1
    }
    server.watch({ db: town.db, queue: town.queue, workers, bots: async () => 2 })
    const answers = Promise.all(Array.from({ length: 200 }, () => figures()))
    await until(async () => read > 0, 'the first reading')
    for (let count = 0; count < 20; count++) await ask('/healthz')
    expect(read).toBe(1)
    go()
    for (const text of await answers) expect(text).toMatch(/^greetings_workers 1$/m)
    // Those that came when it was over, if there were any.
    expect(read).toBeLessThanOrEqual(20)
    const ready = await Promise.all(Array.from({ length: 100 }, () => ask('/readyz')))
    expect(new Set(ready.map(({ status }) => status))).toEqual(new Set([200]))
  })

  it('takes nothing but questions', async () => {
    for (const method of ['POST', 'PUT', 'DELETE']) expect((await ask('/metrics', { method })).status).toBe(405)
    expect((await ask('/')).status).toBe(404)
    const head = await ask('/healthz', { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
  })

  it('is reached from this machine only', async () => {
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((each) => each !== undefined && !each.internal && each.family === 'IPv4')
    if (outside === undefined) return
    await expect(fetch(`http://${outside.address}:${new URL(server.url).port}/healthz`)).rejects.toThrow()
  })

  it('is not ready without a database, and while it stops', async () => {
    server.watch({
      db: { $queryRaw: () => Promise.reject(new Error('away')) } as never,
      queue: town.queue,
      workers: async () => 1,
      bots: async () => 2,
    })
    const away = await ask('/readyz')
    expect([away.status, await away.json()]).toEqual([503, { ready: false, reasons: ['the database does not answer'] }])
    expect(await figure('greetings_state_up')).toBe(0)
    expect(await figure('greetings_workers')).toBeUndefined()
    server.stopping()
    const stopping = await ask('/readyz')
    expect([stopping.status, await stopping.json()]).toEqual([503, { ready: false, reasons: ['stopping'] }])
    expect((await ask('/healthz')).status).toBe(200)
  })
})
