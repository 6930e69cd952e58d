/** `status`, `cancel`, `render` and `doctor` in a test environment. */
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { request } from '../../src/greetings/request.ts'
import { ask, openTestEnvironment, person, type TestEnvironment } from '../environment/test-environment.ts'
import { jsonOf, runProgram } from '../environment/program.ts'

// A command needs a second or two; a busy machine, many.
vi.setConfig({ testTimeout: 300_000 })

let town: TestEnvironment
beforeAll(async () => {
  town = await openTestEnvironment({ home: true })
}, 120_000)
afterAll(() => town.close())
beforeEach(async () => {
  await town.db.userRequest.deleteMany()
  await town.queue.remove(
    'warm',
    (await town.db.videoAsset.findMany()).map(({ id: assetId, generation }) => ({ assetId, generation })),
  )
  await town.db.videoAsset.deleteMany()
})

const greetings = (args: string[], env = town.env) => runProgram(args, { env })
const keys = async () => (await town.db.videoAsset.findMany({ orderBy: { name: 'asc' } })).map(({ name }) => name)

describe('status', () => {
  it('--json has the shape of the contract', async () => {
    await town.db.videoAsset.create({
      data: { template: 'tiny', name: 'ира', display: 'Ира', status: 'FAILED', errorClass: 'voice' },
    })
    await request(town.door, [ask('Маша'), ask('Петя')])
    const end = await greetings(['status', '--json'])
    expect([end.code, end.stderr]).toEqual([0, ''])
    const report = jsonOf(end)
    const count = expect.any(Number) as number
    expect(report).toEqual({
      home: town.env.GREETINGS_HOME,
      world: 'live',
      bot: { id: Number(town.botId), username: null },
      assets: { pending: 2, generating: 0, available: 0, otherBot: 0, failed: 1, stale: 0 },
      templates: [{ template: 'tiny', pending: 2, generating: 0, available: 0, otherBot: 0, failed: 1, stale: 0 }],
      requests: { pending: 0, completed: 0, failed: 0 },
      last24h: { requests: 0, hits: 0, hitRate: null, waitSeconds: { p50: null, p95: null } },
      queue: { waiting: 2, active: 0, delayed: 0, failed: 0, oldestWaitingSeconds: count },
      unreachable: [],
      workers: [],
      bots: [],
      failures: [{ reason: expect.any(String) as string, count: 1 }],
      repeatedUploads: 0,
      understood: [],
      reported: [],
      outages: [],
    })
    expect(end.stdout).not.toMatch(/маша|Маша/)
  })

  it('without a home: 2, the folder it looked for, and none is made', async () => {
    const folder = join(town.folder, 'nowhere')
    const end = await greetings(['status'], { ...town.env, GREETINGS_HOME: folder })
    expect(end).toMatchObject({ code: 2, stdout: '' })
    expect(end.stderr).toContain(folder)
    await expect(stat(folder)).rejects.toThrow('ENOENT')
  })
})

describe('cancel', () => {
  it('takes back the names of a list, names, then everything, but nothing somebody waits for', async () => {
    await request(town.door, ['Маша', 'Петя', 'Оля', 'Ира'].map(ask))
    await request(town.door, [ask('Оля')], person(77))
    const list = join(town.folder, 'back.csv')
    await writeFile(list, 'name\nмаша\nОля\nВася\n')
    const some = await greetings(['cancel', list, '--json'])
    expect([some.code, some.stderr, some.stdout]).toEqual([0, '', '{"cancelled":1}\n'])
    expect(await keys()).toEqual(['ира', 'оля', 'петя'])
    expect((await greetings(['cancel', 'ПЕТЯ', 'Оля'])).stdout).toBe(
      '1 queued name taken back. What is being rendered goes on.\n',
    )
    expect(await keys()).toEqual(['ира', 'оля'])
    const all = await greetings(['cancel', '--all'])
    expect([all.code, all.stdout]).toEqual([0, '1 queued name taken back. What is being rendered goes on.\n'])
    expect(await keys()).toEqual(['оля'])
    expect(await town.queue.counts()).toMatchObject({ waiting: 1 })
  })

  it('needs a list or --all, not both and not neither', async () => {
    for (const args of [[], ['x.csv', '--all']])
      expect(await greetings(['cancel', ...args])).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringContaining('--all') as string,
      })
  })
})

describe('render', () => {
  it('makes a file without Telegram and a database, and overwrites it only when told to', async () => {
    const {
      TELEGRAM_BOT_TOKEN: _token,
      TELEGRAM_API_ROOT: _root,
      DATABASE_URL: _url,
      STORAGE_CHAT_IDS: _ids,
      ...env
    } = town.env
    const output = join(town.folder, 'masha.mp4')
    const made = await greetings(['render', 'мАША', '-o', output, '--json', '--quiet'], env)
    expect(made.code, made.stderr).toBe(0)
    expect(made.stderr).toBe('')
    expect(jsonOf(made)).toMatchObject({
      output,
      template: 'tiny',
      display: 'Маша',
      width: 64,
      height: 64,
      durationSeconds: 4,
    })
    expect((await readFile(output)).subarray(4, 8).toString()).toBe('ftyp')

    const again = await greetings(['render', 'Маша', '-o', output], env)
    expect(again).toMatchObject({ code: 2, stdout: '' })
    expect(again.stderr).toContain('--force')
    await writeFile(output, 'old')
    expect((await greetings(['render', 'Маша', '-o', output, '--force'], env)).code).toBe(0)
    expect((await stat(output)).size).toBeGreaterThan(1_000)
    const piped = await greetings(['render', 'Маша', '-o', '-'], env)
    expect([piped.code, piped.stdout.slice(4, 8), piped.stderr]).toEqual([
      0,
      'ftyp',
      expect.stringMatching(/^rendering…\nstdout: “Маша”, 4\.0 s/) as string,
    ])
    expect(await greetings(['render', 'Маша', '-o', '-', '--json'], env)).toMatchObject({ code: 2, stdout: '' })
  })

  it.each([
    ['a folder that is not there', 'Маша', 'nowhere/masha.mp4', /nowhere does not exist/],
    ['a folder for a file', 'Маша', '.', /is a folder/],
    ['a name that is none', '<b>7</b>', 'seven.mp4', /name/i],
  ])('%s: 2', async (_what, name, output, sentence) => {
    const end = await greetings(['render', name, '-o', join(town.folder, output)])
    expect(end).toMatchObject({ code: 2, stdout: '' })
    expect(end.stderr).toMatch(sentence)
  })
})

describe('doctor', () => {
  it('finds a town healthy', async () => {
    const end = await greetings(['doctor', '--json'])
    expect(end.code, end.stdout).toBe(0)
    const { healthy, checks } = jsonOf(end) as { healthy: boolean; checks: { name: string; state: string }[] }
    expect(healthy).toBe(true)
    expect(checks.filter(({ state }) => state === 'failure')).toEqual([])
    expect(checks.map(({ name }) => name)).toEqual([
      'command',
      'home',
      'disk',
      'ffmpeg',
      'templates',
      'names',
      'recordings',
      'voice',
      'database',
      'queue',
      'outages',
      'processes',
      'cache',
      'token',
      'storage',
    ])
    expect(end.stdout).not.toContain(town.token)
  })

  it('is not content with another bot’s token, or another bot’s videos', async () => {
    const bot = await town.telegram.registerBot({ username: 'stranger_bot' })
    await town.db.installation.update({ where: { id: 1 }, data: { botId: town.botId } })
    await town.db.videoAsset.create({
      data: {
        template: 'tiny',
        name: 'ира',
        display: 'Ира',
        status: 'AVAILABLE',
        telegramFileId: 'f',
        telegramBotId: 999n,
      },
    })
    const end = await greetings(['doctor'], { ...town.env, TELEGRAM_BOT_TOKEN: bot.token })
    expect(end.code).toBe(1)
    expect(end.stdout).toMatch(
      new RegExp(
        `^✗ token +This database belongs to the bot ${town.botId}, and the token is of another, @stranger_bot \\(${bot.id}\\).*greetings verify --new-bot`,
        'm',
      ),
    )
    expect(end.stdout).toMatch(/^! cache +1 of 1 video belongs to another bot.*greetings verify --repair/m)
  })

  it('tells what is missing, each with its remedy: 1', async () => {
    const { TELEGRAM_BOT_TOKEN: _token, ...env } = town.env
    const end = await greetings(['doctor'], { ...env, DATABASE_URL: 'postgresql://operator:hunter2@127.0.0.1:9/x' })
    expect(end.code).toBe(1)
    expect(end.stdout).toMatch(/^✗ token .*@BotFather.*--sandbox/m)
    expect(end.stdout).toMatch(/^✗ database .*cannot be reached.*DATABASE_URL/m)
    expect(end.stdout).toMatch(/^2 things need attention\.$/m)
    expect(end.stdout + end.stderr).not.toContain('hunter2')
  })
})
