/** `export` and `import`: the cache as a file. */
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import { temporaryDatabase } from '../environment/temporary-database.ts'
import { ask, openTestEnvironment, type TestEnvironment } from '../environment/test-environment.ts'
import { jsonOf, runProgram } from '../environment/program.ts'

vi.setConfig({ testTimeout: 300_000 })

let town: TestEnvironment
let other: Database
beforeAll(async () => {
  town = await openTestEnvironment({ home: true })
  other = await temporaryDatabase()
}, 120_000)
afterAll(async () => {
  await other.close()
  await town.close()
})
beforeEach(async () => {
  for (const { db } of [town, other]) {
    await db.$executeRaw`TRUNCATE "VideoAsset", "UserRequest", "SoundReport"`
    await db.installation.update({ where: { id: 1 }, data: { botId: town.botId } })
  }
})

const greetings = (args: string[], options: { env?: Record<string, string>; input?: string } = {}) =>
  runProgram(args, { env: town.env, ...options })
const here = () => ({ ...town.env, DATABASE_URL: other.url })
const day = (n: number) => new Date(Date.UTC(2026, 0, n))

const video = (name: string, more: object = {}) => ({
  template: 'tiny',
  name: ask(name).key,
  display: ask(name).display,
  status: 'AVAILABLE' as const,
  revision: `r ${name}`,
  templateRevision: 't',
  telegramFileId: `file ${name}`,
  telegramFileUniqueId: `unique ${name}`,
  telegramBotId: town.botId,
  storageChatId: -1001234567890n,
  storageMessageId: 7,
  availableAt: day(10),
  ...more,
})
const line = (name: string, more: object = {}) => ({
  template: 'tiny',
  name: ask(name).key,
  display: ask(name).display,
  say: null,
  revision: `r ${name}`,
  templateRevision: 't',
  botId: Number(town.botId),
  fileId: `file ${name}`,
  fileUniqueId: `unique ${name}`,
  storageChatId: -1001234567890,
  storageMessageId: 7,
  availableAt: day(10).toISOString(),
  ...more,
})
const lines = (...videos: object[]) => videos.map((each) => `${JSON.stringify(each)}\n`).join('')
/** As `export` writes them. */
const exported = (...videos: object[]) => `${lines(...videos)}{"videos":${videos.length}}\n`
const counts = (parts: object) => ({
  lines: 0,
  added: 0,
  replaced: 0,
  unchanged: 0,
  kept: 0,
  repeated: 0,
  otherBot: 0,
  ...parts,
})
const fileOf = async (name: string) =>
  (await other.db.videoAsset.findFirstOrThrow({ where: { name: ask(name).key } })).telegramFileId

describe('export', () => {
  it('writes what can be sent, in order, to stdout or a file that only its owner reads', async () => {
    await town.db.videoAsset.createMany({
      data: [
        video('Маша', { say: 'Ма́ша' }),
        video('Анна'),
        { template: 'tiny', name: 'ира', display: 'Ира', status: 'FAILED' },
      ],
    })
    const end = await greetings(['export'])
    expect(end).toEqual({
      code: 0,
      stdout: exported(line('Анна'), line('Маша', { say: 'Ма́ша' })),
      stderr: '2 videos exported.\n',
    })

    const file = join(town.folder, 'cache.jsonl')
    expect(jsonOf(await greetings(['export', '-o', file, '--json']))).toEqual({ output: file, videos: 2 })
    expect(await readFile(file, 'utf8')).toBe(end.stdout)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(await greetings(['export', '-o', file])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('--force') as string,
    })
    expect((await greetings(['export', '-o', file, '--force', '--quiet'])).code).toBe(0)
    expect(await greetings(['export', '-o', '-', '--quiet'])).toEqual({ code: 0, stdout: end.stdout, stderr: '' })
    expect(await greetings(['export', '-o', '/dev/null', '--quiet'])).toMatchObject({ code: 0 })
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true)
    const full = await greetings(['export', '-o', '/dev/full'])
    expect(full, full.stderr).toMatchObject({
      code: 3,
      stdout: '',
      stderr: '/dev/full could not be written (the disk is full). What lay there is as it was.\n',
    })
    expect(await greetings(['export', '--json'])).toMatchObject({ code: 2, stdout: '' })
  })
})

describe('import', () => {
  it('may be run again, and goes through many pages', async () => {
    await town.db.$executeRaw`
      INSERT INTO "VideoAsset" (template, name, display, status, "telegramFileId", "telegramBotId", "availableAt")
      SELECT 'tiny', 'имя ' || n, 'Имя', 'AVAILABLE', 'file' || n, ${town.botId}, now() FROM generate_series(1, 4501) AS n`
    const input = (await greetings(['export', '--quiet'])).stdout
    expect(jsonOf(await greetings(['import', '-', '--json'], { env: here(), input }))).toEqual(
      counts({ lines: 4_501, added: 4_501 }),
    )
    expect(jsonOf(await greetings(['import', '-', '--json'], { env: here(), input }))).toEqual(
      counts({ lines: 4_501, unchanged: 4_501 }),
    )
    expect((await greetings(['export', '--quiet'], { env: here() })).stdout).toBe(input)
  })

  it('a younger video stays, an older one gives way, unfinished work too; --overwrite replaces all', async () => {
    await other.db.videoAsset.createMany({
      data: [
        video('Маша', { telegramFileId: 'younger', availableAt: day(11) }),
        video('Петя', { telegramFileId: 'older', availableAt: day(9) }),
        video('Оля', { telegramFileId: 'another bot', telegramBotId: 5n, availableAt: day(11) }),
        {
          template: 'tiny',
          name: 'ира',
          display: 'Ира',
          status: 'GENERATING',
          generation: 3,
          leaseOwner: 'w',
          leaseUntil: day(300),
        },
        { template: 'tiny', name: 'вера', display: 'Вера', status: 'FAILED', errorClass: 'voice' },
      ],
    })
    const input = exported(
      line('Маша'),
      line('Петя'),
      line('Оля'),
      line('Ира', { fileId: 'first' }),
      line('Вера'),
      line('Зоя'),
      line('Ира'),
    )
    const end = await greetings(['import', '-', '--json'], { env: here(), input })
    expect(jsonOf(end)).toEqual(counts({ lines: 7, added: 3, replaced: 2, kept: 1, repeated: 1 }))
    expect([
      await fileOf('Маша'),
      await fileOf('Петя'),
      await fileOf('Оля'),
      await fileOf('Ира'),
      await fileOf('Вера'),
    ]).toEqual(['younger', 'file Петя', 'file Оля', 'file Ира', 'file Вера'])
    // Whoever was at work on it has lost it.
    expect(await other.db.videoAsset.findFirst({ where: { name: 'ира' } })).toMatchObject({
      status: 'AVAILABLE',
      generation: 4,
      leaseOwner: null,
    })
    expect(jsonOf(await greetings(['import', '-', '--json', '--overwrite'], { env: here(), input }))).toEqual(
      counts({ lines: 7, replaced: 1, unchanged: 5, repeated: 1 }),
    )
    expect(await fileOf('Маша')).toBe('file Маша')
  })

  it('another bot’s videos fill gaps only', async () => {
    await other.db.videoAsset.createMany({
      data: [video('Маша'), { template: 'tiny', name: 'ира', display: 'Ира', status: 'PENDING' }],
    })
    const of5 = { botId: 5, fileId: 'of 5', availableAt: day(20).toISOString() }
    expect(
      jsonOf(
        await greetings(['import', '-', '--json'], {
          env: here(),
          input: exported(line('Маша', of5), line('Ира', of5), line('Зоя', of5)),
        }),
      ),
    ).toEqual(counts({ lines: 3, added: 1, kept: 2, otherBot: 3 }))
    expect(await fileOf('Маша')).toBe('file Маша')
  })

  it('says which videos are another bot’s, also where no bot was at work yet', async () => {
    const input = exported(line('Маша', { botId: 5 }), line('Петя'), line('Оля', { botId: 5 }))
    for (const botId of [town.botId, null]) {
      await other.db.$executeRaw`TRUNCATE "VideoAsset", "UserRequest", "SoundReport"`
      await other.db.installation.update({ where: { id: 1 }, data: { botId } })
      const end = await greetings(['import', '-'], { env: here(), input })
      expect(end.code, end.stderr).toBe(0)
      expect(end.stdout).toMatch(
        new RegExp(
          `^3 videos read: 3 added\\.\n2 of 3 belong to another bot: .*${town.botId}.* cannot send them\\..*greetings verify --repair`,
        ),
      )
      expect(jsonOf(await greetings(['status', '--json'], { env: here() }))).toMatchObject({
        assets: { available: 1, otherBot: 2 },
        bot: { id: Number(town.botId) },
      })
    }
    // Without a token nobody knows which bot will send them.
    await other.db.$executeRaw`TRUNCATE "VideoAsset", "UserRequest", "SoundReport"`
    const { TELEGRAM_BOT_TOKEN: _token, ...env }: Record<string, string> = here()
    expect((await greetings(['import', '-'], { env, input })).stdout).toBe('3 videos read: 3 added.\n')
    expect(jsonOf(await greetings(['status', '--json'], { env }))).toMatchObject({
      assets: { available: 3, otherBot: 0 },
      bot: null,
    })
  })

  it.each([
    ['no JSON', () => `${lines(line('Маша'))}{"template":"tiny"`, /Line 2 is not JSON/],
    [
      'a field that is missing',
      () => lines(line('Маша'), line('Петя', { fileId: undefined })),
      /Line 2 cannot be used: “fileId”/,
    ],
    [
      'a name that is no key',
      () => lines(line('Маша', { name: 'Маша' })),
      /Line 1 cannot be used: “name” is not in its key form/,
    ],
    ['another kind of line', () => `${lines(line('Маша'))}\n[]\n`, /Line 3 cannot be used/],
    ['an empty file', () => '', /The file is empty/],
    [
      'a file that was cut off between two lines',
      () => lines(line('Маша'), line('Петя')),
      /ends after line 2 without the count.*--partial/,
    ],
    [
      'a file of which a line is missing',
      () => exported(line('Маша'), line('Петя')).replace(/\n.*Петя.*\n/, '\n'),
      /Line 2 says that 2 videos precede it, but there are 1/,
    ],
    [
      'a message no channel can have',
      () => exported(line('Маша'), line('Петя', { storageMessageId: 2 ** 31 })),
      /Line 2 cannot be used: “storageMessageId” is above 2147483647/,
    ],
    [
      'a message that is none',
      () => exported(line('Маша', { storageMessageId: 0 })),
      /Line 1 cannot be used: “storageMessageId” is below 1/,
    ],
    ['a bot that is none', () => exported(line('Маша', { botId: -1 })), /Line 1 cannot be used: “botId” is below 1/],
    [
      'the year 0',
      () => exported(line('Маша', { availableAt: '0000-01-01T00:00:00.000Z' })),
      /Line 1 cannot be used: “availableAt” is not of the years/,
    ],
    [
      'a chat beyond any',
      () => exported(line('Маша', { storageChatId: 1e300 })),
      /Line 1 cannot be used: “storageChatId”/,
    ],
    [
      'a broken letter',
      () => exported(line('Маша', { say: '\ud800' })),
      /Line 1 cannot be used: “say” holds a broken character/,
    ],
    ['a file without lines', () => `${lines(line('Маша'))}${'x'.repeat(30_000)}`, /Line 2 is longer/],
  ])('%s: 2, and nothing is half done', async (_what, input, sentence) => {
    const end = await greetings(['import', '-'], { env: here(), input: input() })
    expect(end).toMatchObject({ code: 2, stdout: '' })
    expect(end.stderr).toMatch(sentence)
    expect(end.stderr).toContain('Nothing was imported')
    expect(end.stderr).not.toMatch(/маша|петя/i)
    expect(await other.db.videoAsset.count()).toBe(0)
  })

  it('--partial takes what there is; exports one after the other are one file', async () => {
    expect(
      jsonOf(await greetings(['import', '-', '--json', '--partial'], { env: here(), input: lines(line('Маша')) })),
    ).toEqual(counts({ lines: 1, added: 1 }))
    expect(jsonOf(await greetings(['import', '-', '--json', '--partial'], { env: here(), input: '' }))).toEqual(
      counts({}),
    )
    const two = exported(line('Маша'), line('Петя')) + exported() + exported(line('Оля'))
    expect(jsonOf(await greetings(['import', '-', '--json'], { env: here(), input: two }))).toEqual(
      counts({ lines: 3, added: 2, unchanged: 1 }),
    )
  })

  it('a bad line behind thousands of good ones: nothing is half done either', async () => {
    const good = Array.from({ length: 4_200 }, (_, n) => line('Маша', { name: `имя ${n}` }))
    const end = await greetings(['import', '-'], { env: here(), input: `${lines(...good)}bad\n` })
    expect(end).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('Line 4201 ') as string })
    expect(await other.db.videoAsset.count()).toBe(0)
  })

  it('a file that is not there: 2', async () => {
    expect(await greetings(['import', 'nowhere.jsonl'])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('nowhere.jsonl') as string,
    })
  })
})
