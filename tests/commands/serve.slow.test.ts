/** What runs until it is stopped, and the sandbox as a world of its own: on the embedded server, from nothing. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { serverFolders } from '../../src/db/embedded/place.ts'
import { serverUrl } from '../../src/db/embedded/state.ts'
import { stopServer } from '../../src/db/embedded/by-hand.ts'
import { sandboxControl, type SampleName } from '../../src/sandbox/client.ts'
import { startSandboxServer, type SandboxServer } from '../../src/sandbox/server.ts'
import { until } from '../environment/test-environment.ts'
import { jsonOf, runProgram, startProgram } from '../environment/program.ts'

let folder: string
let home: string
let env: Record<string, string>
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'greetings-serve-'))
  home = join(folder, 'home')
  env = {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    GREETINGS_HOME: home,
    TEMPLATES: 'tiny',
    TEMPLATES_FOLDER: join(import.meta.dirname, '..', 'fixtures', 'templates'),
    TIME_DIVISOR: '50',
    STOP_SECONDS: '2',
  }
})
afterEach(async () => {
  const isHome = await readFile(join(home, 'id')).then(
    () => true,
    () => false,
  )
  if (isHome) {
    // The last member leaves the server when its process ends, which may be a moment ago.
    await until(async () => (await stopServer(home)).outcome !== 'in use', 'the end of the embedded server', 30_000)
    for (const each of await serverFolders(home)) await rm(each, { recursive: true, force: true })
  }
  // The sandbox server goes by itself a moment after its last command, and may write meanwhile.
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 })
})

describe('demo', () => {
  it('starts from nothing, answers a person, and ends with 0 on SIGTERM', async () => {
    const demo = startProgram(['demo', '--no-open'], { env })
    const page = await demo.waitForText(/The chat page: (\S+)\n/)
    await demo.waitForText(/demo is running/)
    // The names that the page offers are in the cache before anybody asks.
    const sandbox = sandboxControl(page.replace(/\/$/, ''))
    const offered = async () => {
      const world = (await (await fetch(`${page}sandbox/world`)).json()) as { bots: { samples: SampleName[] }[] }
      return world.bots[0]?.samples.filter(({ ready }) => ready) ?? []
    }
    await until(async () => (await offered()).length >= 3, 'names to tap', 60_000)
    const [sample] = await offered()
    await sandbox.say({ userId: 5, text: sample?.name ?? '' })
    await sandbox.waitForMessage(5, ({ video }) => video !== undefined)
    expect(await sandbox.calls({ chatId: 5, method: 'sendMessage' })).toEqual([])
    demo.signal('SIGTERM')
    const end = await demo.ended
    expect(end.code, end.stderr).toBe(0)
    expect(end.stdout).toMatch(/^The chat page: http:\/\/127\.0\.0\.1:\d+\/\n$/)
    // It left the embedded server, which has ended with its last member.
    const url = await runProgram(['db', 'url'], { env })
    expect(url).toMatchObject({ code: 2, stdout: '' })
    expect(url.stderr).toContain('greetings db start')
  })
})

it('leaves no server behind when it is killed: database and sandbox end by themselves within a minute', async () => {
  const up = startProgram(['up', '--sandbox'], { env })
  const page = await up.waitForText(/The chat page: (\S+)\n/)
  await up.waitForText(/up is running/)
  expect(await serverUrl(home, 'greetings')).toBeDefined()
  up.signal('SIGKILL')
  await up.ended
  await until(async () => (await serverUrl(home, 'greetings')) === undefined, 'the end of the embedded server', 60_000)
  await expect(fetch(page)).rejects.toThrow('fetch failed')
})

describe('the sandbox is a world of its own', () => {
  let live: SandboxServer
  afterEach(() => live.close())

  it('pending sandbox requests are never sent by a live up', async () => {
    // What stands for Telegram here is a second server, so that every call to it is seen.
    live = await startSandboxServer({ folder: join(folder, 'telegram'), timeDivisor: 50 })
    const telegram = sandboxControl(live.url)
    const bot = await telegram.registerBot({ username: 'live_bot' })
    const channel = await telegram.createChannel({ title: 'storage', admins: [bot.id] })
    const liveEnv = {
      ...env,
      TELEGRAM_BOT_TOKEN: bot.token,
      TELEGRAM_API_ROOT: live.url,
      STORAGE_CHAT_IDS: String(channel),
    }

    // A bot alone: the person's request stays pending, as nobody renders.
    const sandboxBot = startProgram(['bot', '--sandbox'], { env: liveEnv })
    const sandbox = sandboxControl(await sandboxBot.waitForText(/The chat page: (\S+?)\/\n/))
    await sandbox.say({ userId: 4242, text: 'Маша' })
    await sandbox.waitForMessage(4242, (message) => message.from?.is_bot === true)
    const warmed = await runProgram(['warm', '-', '--sandbox', '--no-wait', '--json'], {
      env: liveEnv,
      input: 'Петя\n',
    })
    expect(warmed.code, warmed.stderr).toBe(0)
    sandboxBot.signal('SIGTERM')
    expect((await sandboxBot.ended).code).toBe(0)

    const up = startProgram(['up'], { env: liveEnv })
    await up.waitForText(/up is running/)
    // A live name goes all the way, so whatever else was queued had its turn.
    const end = await runProgram(['warm', '-', '--no-work', '--json'], { env: liveEnv, input: 'Оля\n' })
    expect(jsonOf(end)).toMatchObject({ names: 1, enqueued: 1, available: 1 })
    const status = jsonOf(await runProgram(['status', '--json'], { env: liveEnv }))
    expect(status).toMatchObject({ assets: { available: 1, pending: 0 }, requests: { pending: 0 } })
    up.signal('SIGTERM')
    expect((await up.ended).code).toBe(0)
    expect(await telegram.calls({ chatId: 4242 })).toEqual([])
    expect((await telegram.counts()).uploads).toBe(1)
    const inSandbox = jsonOf(await runProgram(['status', '--sandbox', '--json'], { env: liveEnv }))
    expect(inSandbox).toMatchObject({ assets: { available: 0, pending: 2 }, requests: { pending: 1 } })
  })
})

describe('db', () => {
  it('starts, tells its address, stops', async () => {
    const start = await runProgram(['db', 'start'], { env })
    expect(start).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^The embedded PostgreSQL is running\.[^\n]*\n$/) as string,
    })
    // The first start says that it makes the database; nothing worse may be said.
    expect(start.stderr).not.toMatch(/"level":"(warn|error)"/)
    const url = await runProgram(['db', 'url'], { env })
    expect(url.code, url.stderr).toBe(0)
    expect(url.stdout).toMatch(/^postgres(ql)?:\/\/[^\n]+\/greetings\n$/)
    expect(await runProgram(['db', 'stop'], { env })).toMatchObject({
      code: 0,
      stdout: 'The embedded PostgreSQL has stopped.\n',
    })
    expect(await runProgram(['db', 'stop'], { env })).toMatchObject({
      code: 0,
      stdout: 'The embedded PostgreSQL was not running.\n',
    })
    const own = await runProgram(['db', 'start'], { env: { ...env, DATABASE_URL: 'postgresql://127.0.0.1:9/x' } })
    expect(own).toMatchObject({ code: 2, stdout: '' })
    expect(own.stderr).toContain('DATABASE_URL')
  })
})
