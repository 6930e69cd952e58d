/** `status` with a list, under watch and as a monitor's check. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { reconcile } from '../../src/greetings/reconcile.ts'
import { request } from '../../src/greetings/request.ts'
import { countRepeatedUpload } from '../../src/telegram/storage.ts'
import { ask, openTestEnvironment, person, until, type TestEnvironment } from '../environment/test-environment.ts'
import { jsonOf, runProgram, startProgram } from '../environment/program.ts'

vi.setConfig({ testTimeout: 300_000 })

let town: TestEnvironment
beforeAll(async () => {
  town = await openTestEnvironment({ home: true })
  await town.db.installation.update({ where: { id: 1 }, data: { botId: town.botId } })
}, 120_000)
afterAll(() => town.close())
beforeEach(async () => {
  await town.db
    .$executeRaw`TRUNCATE "VideoAsset", "UserRequest", "SoundReport", "WorkerProcess", "BotProcess", "Outage"`
})

const greetings = (args: string[], options: { env?: Record<string, string>; input?: string } = {}) =>
  runProgram(args, { env: town.env, ...options })
const available = (name: string, botId = town.botId) =>
  town.db.videoAsset.create({
    data: {
      ...assetOf(name),
      status: 'AVAILABLE',
      telegramFileId: `file ${name}`,
      telegramBotId: botId,
      templateRevision: 'today',
    },
  })
const failed = (name: string) =>
  town.db.videoAsset.create({ data: { ...assetOf(name), status: 'FAILED', errorClass: 'voice' } })
const assetOf = (name: string) => ({ template: 'tiny', name: ask(name).key, display: ask(name).display })
const aBot = (id = 'b') =>
  town.db.botProcess.create({
    data: { id, host: id, pid: 1, mode: 'polling', seenAt: new Date(Date.now() + 3_600_000) },
  })
const aWorker = () =>
  town.db.workerProcess.create({
    data: { id: 'w', host: 'here', pid: 1, concurrency: 1, seenAt: new Date(Date.now() + 3_600_000) },
  })

it('the reconciler folds the counts that status reads', async () => {
  for (const name of ['Маша', 'Петя', 'Оля']) await available(name)
  expect(await town.db.assetCount.count()).toBe(3)
  await reconcile({ db: town.db, queue: town.queue, botId: town.botId, times: town.times })
  expect(await town.db.assetCount.findMany()).toMatchObject([{ status: 'AVAILABLE', count: 3 }])
  expect(jsonOf(await greetings(['status', '--json'])).assets).toMatchObject({ available: 3 })
})

it('counts the uploads that were made again because their answer was lost', async () => {
  expect(jsonOf(await greetings(['status', '--json'])).repeatedUploads).toBe(0)
  expect((await greetings(['status'])).stdout).not.toContain('uploads')
  await countRepeatedUpload(town.db)
  await countRepeatedUpload(town.db)
  expect(jsonOf(await greetings(['status', '--json'])).repeatedUploads).toBe(2)
  expect((await greetings(['status'])).stdout).toContain('uploads    2 made again')
})

it('tells where it looks, and who is alive there', async () => {
  await aWorker()
  await aBot('gateway')
  await town.db.botProcess.create({
    data: {
      id: 'quiet',
      host: 'quiet',
      pid: 2,
      mode: 'webhook',
      seenAt: new Date(Date.now() - 0.9 * town.times.workerGoneMs),
    },
  })
  const slowly = { ...town.env, TIME_DIVISOR: '1' }
  const { stdout } = await greetings(['status'], { env: { ...slowly, NO_COLOR: '1' } })
  expect(stdout).toMatch(new RegExp(`^home {7}${town.env.GREETINGS_HOME} · live · bot ${town.botId}\n`))
  expect(stdout).toContain(
    'worker     here, pid 1: 0 of 1 rendering, 0 uploading\nbot        gateway, pid 1: polling\nbot        quiet, pid 2: webhook\n',
  )
  // Each run takes seconds of its own.
  const silent = async () => {
    const seenAt = new Date(Date.now() - 13_000)
    await town.db.botProcess.update({ where: { id: 'quiet' }, data: { seenAt } })
    await town.db.workerProcess.update({ where: { id: 'w' }, data: { rendering: 1, seenAt } })
    await town.db.botProcess.updateMany({
      where: { id: { not: 'quiet' } },
      data: { seenAt: new Date(Date.now() + 30_000) },
    })
  }
  await silent()
  const later = await greetings(['status'], { env: slowly })
  expect(later.stdout).toMatch(
    /worker {5}here, pid 1: silent for 1\d s\nbot {8}gateway, pid 1: polling\nbot {8}quiet, pid 2: silent for 1\d s\n/,
  )
  await silent()
  const { bots, workers } = jsonOf(await greetings(['status', '--json'], { env: slowly }))
  expect(bots).toMatchObject([
    { host: 'gateway', pid: 1, mode: 'polling', seenSeconds: 0 },
    { host: 'quiet', pid: 2, mode: 'webhook' },
  ])
  expect(workers).toMatchObject([{ rendering: 0 }])
})

it('a video whose worker died waits, and a job that was only fetched is not active', async () => {
  await town.db.videoAsset.create({
    data: { ...assetOf('Маша'), status: 'GENERATING', leaseOwner: 'dead', leaseUntil: new Date(Date.now() - 1_000) },
  })
  await town.db.videoAsset.create({
    data: {
      ...assetOf('Петя'),
      status: 'GENERATING',
      leaseOwner: 'alive',
      leaseUntil: new Date(Date.now() + 3_600_000),
    },
  })
  expect(jsonOf(await greetings(['status', '--json'])).assets).toMatchObject({ pending: 1, generating: 1 })
  await request(town.door, ['Оля', 'Ира', 'Аня', 'Вера'].map(ask))
  // Eight places fetch; none of the four is begun.
  const letGo: (() => void)[] = []
  const lane = town.queue.work('warm', 8, () => new Promise((resolve) => letGo.push(resolve)))
  try {
    await until(async () => (await town.queue.counts()).active === 4, 'the jobs to be fetched')
    expect(jsonOf(await greetings(['status', '--json'])).queue).toMatchObject({ waiting: 3, active: 1 })
  } finally {
    for (const done of letGo) done()
    await lane.close()
  }
})

describe('without Redis', () => {
  it('tells what the database knows, and why there is no queue: 3', async () => {
    await available('Маша')
    const env = { ...town.env, REDIS_URL: 'redis://:hunter2@127.0.0.1:9' }
    const sentence = /Redis cannot be reached\. Start it, or correct REDIS_URL/
    const text = await greetings(['status'], { env })
    expect(text.code).toBe(3)
    expect(text.stdout).toMatch(/^videos {5}0 pending · 0 generating · 1 available/m)
    expect(text.stdout).toMatch(new RegExp(`^queue {6}${sentence.source}`, 'm'))
    const json = await greetings(['status', '--json'], { env })
    expect(json.code).toBe(3)
    expect(jsonOf(json)).toMatchObject({
      assets: { available: 1 },
      queue: null,
      unreachable: [expect.stringMatching(sentence)],
    })
    const check = await greetings(['status', '--check'], { env })
    expect([check.code, check.stdout]).toEqual([
      3,
      expect.stringMatching(/^UNKNOWN: Redis cannot be reached\..*no worker is alive/),
    ])
    expect(JSON.stringify([text, json, check])).not.toContain('hunter2')
  })
})

describe('of one name', () => {
  it('tells everything about it, by template', async () => {
    const { id } = await town.db.videoAsset.create({
      data: {
        ...assetOf('Маша'),
        status: 'FAILED',
        generation: 4,
        attempts: 3,
        errorClass: 'voice',
        errorText: 'The voice is silent.',
        retryAfter: new Date(Date.now() + 3_600_000),
        say: 'Ма́ша',
        telegramFileId: 'f',
        telegramBotId: town.botId,
        storageChatId: -100123n,
        storageMessageId: 77,
        revision: 'abc',
        templateRevision: 'old',
        bytes: 5_200_000,
      },
    })
    await town.db.videoAsset.create({
      data: { ...assetOf('Маша'), template: 'other', status: 'AVAILABLE', telegramFileId: 'f', telegramBotId: 999n },
    })
    await town.db.user.createMany({ data: [{ id: 5n }, { id: 6n }], skipDuplicates: true })
    for (const chatId of [5n, 6n])
      await town.db.userRequest.create({
        data: {
          userId: chatId,
          chatId,
          assetId: id,
          language: 'ru',
          botId: town.botId,
          updateId: Number(chatId),
          createdAt: new Date(Date.now() - 120_000),
        },
      })
    const end = await greetings(['status', 'МАША', '--json'])
    expect([end.code, end.stderr]).toEqual([0, ''])
    expect(jsonOf(end)).toMatchObject({
      world: 'live',
      key: 'маша',
      videos: [
        { template: 'other', state: 'available', served: false, otherBot: true, waiting: 0, asked: 0, lastError: null },
        {
          template: 'tiny',
          state: 'failed',
          status: 'FAILED',
          generation: 4,
          attempts: 3,
          lastError: { class: 'voice', text: 'The voice is silent.' },
          served: true,
          stale: true,
          waiting: 2,
          asked: 2,
          bytes: 5_200_000,
          file: null,
          storage: { botId: Number(town.botId), chatId: -100123, messageId: 77 },
        },
      ],
    })
    const { stdout } = await greetings(['status', 'Маша'])
    for (const part of [
      /^Маша · other\n {2}state {6}of another bot\n/m,
      /^Маша · tiny\n {2}state {6}failed, of an older template, an earlier video is sent meanwhile\n/m,
      /error {6}voice: The voice is silent\.\n/,
      /2 people, the first for 2 min\n/,
      /message 77 in channel -100123, bot \d+, 5\.2 MB\n/,
      /generation 4, 3 failed attempts\n/,
    ])
      expect(stdout).toMatch(part)
    expect(stdout).not.toMatch(/chat.?id|\b[56]n?\b people/i)
  })

  it('one that nobody asked for: 0 and a sentence; what is no name, and what is about everything: 2', async () => {
    const none = await greetings(['status', 'Агриппина'])
    expect([none.code, none.stdout]).toEqual([0, expect.stringContaining('“агриппина” is not in this database')])
    expect(await greetings(['status', '77'])).toMatchObject({ code: 2, stdout: '' })
    expect(await greetings(['status', 'Маша', '--check'])).toMatchObject({ code: 2, stdout: '' })
  })

  it('who holds it, and whether it only waits', async () => {
    const asset = (name: string, more: object) => town.db.videoAsset.create({ data: { ...assetOf(name), ...more } })
    const stateOf = async (name: string) =>
      (jsonOf(await greetings(['status', name, '--json'])).videos as { state: string; heldBy: string | null }[])[0]
    await asset('Маша', { status: 'GENERATING', leaseOwner: 'here-1', leaseUntil: new Date(Date.now() + 3_600_000) })
    await asset('Петя', { status: 'GENERATING', leaseOwner: 'dead-1', leaseUntil: new Date(Date.now() - 1_000) })
    await asset('Оля', { retryAfter: new Date(Date.now() + 3_600_000) })
    expect(await stateOf('Маша')).toMatchObject({ state: 'being made', heldBy: 'here-1' })
    expect(await stateOf('Петя')).toMatchObject({ state: 'waiting', heldBy: null })
    expect(await stateOf('Оля')).toMatchObject({ state: 'postponed', heldBy: null })
  })
})

describe('--csv', () => {
  it('tells how much of a list is available, plainly and by its counts', async () => {
    await available('Маша')
    await available('Петя')
    await available('Оля', 999n) // another bot's
    await failed('Ира')
    const end = await greetings(['status', '--json', '--csv', '-'], {
      input: 'name,count\nМАША,600\nПетя,300\nОля,50\nИра,40\nВася,10\nмаша,0\n',
    })
    expect([end.code, end.stderr]).toEqual([0, ''])
    expect(jsonOf(end)).toMatchObject({
      assets: { available: 2, otherBot: 1, failed: 1 },
      coverage: { names: 5, available: 2, otherBot: 1, share: 0.4, weightedShare: 0.9 },
    })
    const text = await greetings(['status', '--csv', '-'], { input: 'Маша\nПетя\n' })
    expect(text.stdout).toContain('list       2 of 2 names available (100.0 %)\n')
    expect(end.stdout).not.toMatch(/маша/i)
  })

  it('without counts there is no weighted share; a list that is missing: 2', async () => {
    const end = await greetings(['status', '--json', '--csv', '-'], { input: 'Маша\n' })
    expect(jsonOf(end).coverage).toEqual({ names: 1, available: 0, otherBot: 0, share: 0, weightedShare: null })
    expect(await greetings(['status', '--csv', 'nowhere.csv'])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('nowhere.csv') as string,
    })
  })
})

describe('--watch', () => {
  it('--json writes one object a line until it is interrupted: 0', async () => {
    const watching = startProgram(['status', '--watch', '--json'], { env: { ...town.env, TIME_DIVISOR: '20' } })
    await watching.waitForText(/(\}\n.*\}\n)/)
    await available('Маша')
    await watching.waitForText(/("available":1)/)
    watching.signal('SIGINT')
    const end = await watching.ended
    expect([end.code, end.stderr]).toEqual([0, ''])
    const reports = end.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { assets: { available: number } })
    expect(reports.length).toBeGreaterThan(2)
    expect([reports.at(0)?.assets.available, reports.at(-1)?.assets.available]).toEqual([0, 1])
  })

  it('is not a check: 2', async () => {
    expect(await greetings(['status', '--watch', '--check'])).toMatchObject({ code: 2, stdout: '' })
  })
})

describe('--check', () => {
  it('says OK, or WARNING with a line for each finding: 1', async () => {
    await aWorker()
    await aBot()
    await available('Маша')
    expect(await greetings(['status', '--check'])).toEqual({
      code: 0,
      stdout: 'OK: 1 videos available, 0 pending, 0 failed\n',
      stderr: '',
    })
    await available('Катя', 999n)
    expect((await greetings(['status', '--check'])).stdout).toBe(
      'OK: 1 videos available, 1 of another bot, 0 pending, 0 failed\n',
    )

    await town.db.workerProcess.deleteMany()
    await town.db.botProcess.deleteMany()
    for (const name of ['Ира', 'Аня', 'Вера', 'Зоя', 'Лиза', 'Нина']) await failed(name)
    await town.db.outage.create({ data: { step: 'voice', reason: 'The voice is silent.', until: new Date() } })
    await request(town.door, [ask('Петя')], person(5))
    await town.db.userRequest.updateMany({ data: { createdAt: new Date(Date.now() - 720_000) } })
    const end = await greetings(['status', '--check'])
    expect([end.code, end.stderr]).toEqual([1, ''])
    expect(end.stdout.split('\n')).toEqual([
      'WARNING: voice is out of order: The voice is silent.; a person has been waiting for 12 min (at most 10 min); 6 videos failed (at most 5); no worker is alive (at least 1); no bot is alive (at least 1)',
      'voice is out of order: The voice is silent.',
      'a person has been waiting for 12 min (at most 10 min)',
      '6 videos failed (at most 5)',
      'no worker is alive (at least 1)',
      'no bot is alive (at least 1)',
      '',
    ])
  })

  it('names bots that fetch updates at the same time, and a token of another bot', async () => {
    await aWorker()
    await aBot('one')
    await aBot('two')
    const rivals = await greetings(['status', '--check'])
    expect([rivals.code, rivals.stdout]).toEqual([
      1,
      expect.stringContaining(
        'WARNING: 2 bots fetch updates, and Telegram serves one: one, pid 1 and two, pid 1; stop all but one\n',
      ),
    ])
    await town.db.botProcess.delete({ where: { id: 'two' } })
    const token = `5${town.token}`
    const stranger = await greetings(['status', '--check'], { env: { ...town.env, TELEGRAM_BOT_TOKEN: token } })
    expect([stranger.code, stranger.stdout]).toEqual([
      1,
      expect.stringMatching(
        new RegExp(
          `^WARNING: This database belongs to the bot ${town.botId}, and the token is of another, 5${town.botId}\\..*greetings verify --new-bot`,
        ),
      ),
    ])
    expect(stranger.stdout).not.toContain(token)
  })

  it('with limits it looks at those alone', async () => {
    await failed('Ира')
    await request(town.door, [ask('Петя')])
    expect(
      (
        await greetings([
          'status',
          '--check',
          '--max-failed',
          '1',
          '--max-pending',
          '1',
          '--min-hit-rate',
          '0.9',
          '--min-workers',
          '0',
          '--max-oldest',
          '1h',
        ])
      ).code,
    ).toBe(0)
    const end = await greetings(['status', '--check', '--json', '--max-failed', '0', '--max-pending', '0'])
    expect(end.code).toBe(1)
    expect(jsonOf(end)).toMatchObject({
      healthy: false,
      findings: ['1 video failed (at most 0)', '1 video waits to be made (at most 0)'],
      assets: { failed: 1 },
    })
    await town.db.userRequest.deleteMany()
    await request(town.door, [ask('Вера')], person(6))
    const rate = await greetings(['status', '--check', '--min-hit-rate', '0.9'])
    expect([rate.code, rate.stdout]).toEqual([
      1,
      'WARNING: the hit rate of the last 24 hours is 0 (at least 0.9)\nthe hit rate of the last 24 hours is 0 (at least 0.9)\n',
    ])
  })

  it('a database that is away: 3, and a first line for the monitor', async () => {
    const end = await greetings(['status', '--check'], {
      env: { ...town.env, DATABASE_URL: 'postgresql://operator:hunter2@127.0.0.1:9/x' },
    })
    expect(end).toMatchObject({ code: 3, stderr: '' })
    expect(end.stdout).toMatch(/^UNKNOWN: The database 127\.0\.0\.1:9\/x cannot be reached.*\n$/)
    expect(end.stdout).not.toContain('hunter2')
  })

  it.each([[['--max-failed', '5']], [['--check', '--min-hit-rate', '2']], [['--check', '--max-failed', '-1']]])(
    '%j: 2',
    async (args) => {
      expect(await greetings(['status', ...args])).toMatchObject({ code: 2, stdout: '' })
    },
  )
})
