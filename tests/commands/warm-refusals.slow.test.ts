/**
 * What `warm` does not begin with: bad files, missing settings, services that do not answer. Nothing may be changed.
 */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { openTestEnvironment, type TestEnvironment } from '../environment/test-environment.ts'
import { runProgram } from '../environment/program.ts'

vi.setConfig({ testTimeout: 300_000 })

let town: TestEnvironment
let folder: string
let file: string
let home: string
beforeAll(async () => {
  town = await openTestEnvironment({ channels: 0 })
  folder = await mkdtemp(join(tmpdir(), 'greetings-refusals-'))
  home = join(folder, 'home')
  file = join(folder, 'names.csv')
  await writeFile(file, 'Маша\n')
}, 120_000)
afterAll(async () => {
  await town.close()
  await rm(folder, { recursive: true, force: true })
})

/** The environment of the town without what it names, in a folder without a home. */
function env(changes: Record<string, string | undefined> = {}): Record<string, string> {
  const wanted = Object.entries({ ...town.env, HOME: folder, GREETINGS_HOME: home, ...changes })
  return Object.fromEntries(wanted.filter((entry): entry is [string, string] => entry[1] !== undefined))
}
const isHome = async () => (await readdir(folder)).includes('home')
const queued = () => town.db.videoAsset.count()

describe('a file that cannot be read', () => {
  const files: [string, string | Uint8Array, RegExp][] = [
    ['empty', '', /is empty/],
    [
      'a picture',
      Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52),
      /is a PNG|picture|image/i,
    ],
    ['with a quotation mark that is never closed', 'Маша\nПетя\n"Оля\nИра\n', /quotation mark.*line 3/],
    ['with a huge cell in its last row', `Маша\nПетя\n${'а'.repeat(10_001)}\n`, /more than 10,000 characters.*line 3/],
  ]
  it.each(files)('%s: one sentence, 2, nothing queued, no home', async (what, content, sentence) => {
    const bad = join(folder, `bad-${what.length}.csv`)
    await writeFile(bad, content)
    // A good file before it changes nothing.
    const end = await runProgram(['warm', file, bad, '--json'], { env: env() })
    expect(end, end.stderr).toMatchObject({ code: 2, stdout: '' })
    expect(end.stderr).toMatch(sentence)
    expect(end.stderr.trimEnd()).not.toContain('\n')
    expect([await isHome(), await queued()]).toEqual([false, 0])
  })

  it('missing, or a folder', async () => {
    const missing = await runProgram(['warm', join(folder, 'nope.csv')], { env: env() })
    expect(missing).toMatchObject({ code: 2, stdout: '' })
    expect(missing.stderr).toBe(
      `There is no file ${join(folder, 'nope.csv')}: check its name and the folder you are in.\n`,
    )
    const isFolder = await runProgram(['warm', '.'], { env: env(), cwd: folder })
    expect(isFolder).toMatchObject({ code: 2, stdout: '' })
    expect(isFolder.stderr).toMatch(/is a folder[^\n]*\n$/)
    expect(await isHome()).toBe(false)
  })
})

describe('a list that was read by the wrong column', () => {
  it('1, a sentence, nothing queued, no home; the plan shows what was taken', async () => {
    const wrong = join(folder, 'wrong.csv')
    await writeFile(wrong, `id,child\nАня,1\n${'12,Маша\n'.repeat(30)}`)
    const end = await runProgram(['warm', wrong, '--json'], { env: env() })
    expect(end, end.stderr).toMatchObject({ code: 1 })
    expect(JSON.parse(end.stdout)).toMatchObject({
      names: 0,
      rejected: 30,
      lists: [{ file: wrong, column: 1, header: null, names: ['Id', 'Аня'] }],
    })
    expect(end.stderr).toMatch(
      /^Only 2 of 32 rows in column 1 of .*wrong\.csv is a name\. Is it the right column\?.*--column[^\n]*\n$/,
    )
    const plan = await runProgram(['warm', wrong, '--dry-run'], { env: env() })
    expect(plan).toMatchObject({ code: 1, stdout: expect.stringContaining('column 1, no header: Id, Аня') as string })
    expect([await isHome(), await queued()]).toEqual([false, 0])
    expect((await runProgram(['warm', wrong, '--dry-run', '--column', 'child'], { env: env() })).stdout).toContain(
      'column 2, “child” in line 1: Маша',
    )
  })
})

describe('settings that are missing or wrong', () => {
  it('a file of own names that cannot be used: 2, the variable and the line', async () => {
    await writeFile(join(folder, 'own.txt'), 'Маша\nX1\n')
    const end = await runProgram(['warm', file], { env: env({ BLOCKED_NAMES: join(folder, 'own.txt') }) })
    expect(end).toMatchObject({ code: 2, stdout: '' })
    expect(end.stderr).toContain(`BLOCKED_NAMES: line 2 of ${join(folder, 'own.txt')} is not a name.`)
    await writeFile(join(folder, 'own.txt'), 'Маша\n')
    const refused = await runProgram(['retry', 'Маша'], { env: env({ BLOCKED_NAMES: join(folder, 'own.txt') }) })
    expect(refused).toMatchObject({ code: 2 })
    expect(refused.stderr).toContain('BLOCKED_NAMES')
  })

  it('no token and no --sandbox: 2, both ways out', async () => {
    const end = await runProgram(['warm', file], { env: env({ TELEGRAM_BOT_TOKEN: undefined }) })
    expect(end).toMatchObject({ code: 2, stdout: '' })
    expect(end.stderr).toContain('TELEGRAM_BOT_TOKEN')
    expect(end.stderr).toContain('--sandbox')
    expect(await isHome()).toBe(false)
  })

  it('no storage channel: 2, and how to make one; one in which the bot may not post: 2, which and why', async () => {
    const none = await runProgram(['warm', file], { env: env({ STORAGE_CHAT_IDS: undefined }) })
    expect(none).toMatchObject({ code: 2, stdout: '' })
    expect(none.stderr).toMatch(/create a private channel.*administrator.*STORAGE_CHAT_IDS/)
    const foreign = await town.telegram.createChannel({ title: 'foreign', admins: [] })
    const refused = await runProgram(['warm', file], { env: env({ STORAGE_CHAT_IDS: String(foreign) }) })
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(refused.stderr).toContain(String(foreign))
    expect(refused.stderr).toContain('administrator')
    // Not even with --new-bot was the database handed over.
    const foreigner = await runProgram(['warm', file, '--new-bot'], { env: env({ STORAGE_CHAT_IDS: undefined }) })
    expect(foreigner.code).toBe(2)
    expect([
      await isHome(),
      await queued(),
      (await town.db.installation.findUniqueOrThrow({ where: { id: 1 } })).botId,
    ]).toEqual([false, 0, null])
  })

  it('a token that Telegram refuses: 2, and where to get one; the token is not told', async () => {
    const token = '424242:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
    const end = await runProgram(['warm', file], { env: env({ TELEGRAM_BOT_TOKEN: token, STORAGE_CHAT_IDS: '-1' }) })
    expect(end).toMatchObject({ code: 2, stdout: '' })
    expect(end.stderr).toContain('@BotFather')
    expect(end.stderr).not.toContain(token)
  })

  it('a template that is not there: 2, its name', async () => {
    const end = await runProgram(['warm', file, '--template', 'nowhere'], { env: env() })
    expect(end).toMatchObject({ code: 2, stdout: '' })
    expect(end.stderr).toContain('nowhere')
  })

  it('a home that cannot be: 2, the folder', async () => {
    await writeFile(join(folder, 'occupied'), '')
    const channel = await town.telegram.createChannel({ title: 'storage', admins: [Number(town.botId)] })
    const end = await runProgram(['warm', file], {
      env: env({ STORAGE_CHAT_IDS: String(channel), GREETINGS_HOME: join(folder, 'occupied', 'home') }),
    })
    expect(end).toMatchObject({ code: 2, stdout: '' })
    expect(end.stderr).toContain(join(folder, 'occupied', 'home'))
  })
})

describe('services that do not answer', () => {
  // Nothing listens on the discard port of the loopback interface.
  const services: [string, Record<string, string>, RegExp][] = [
    ['Telegram', { TELEGRAM_API_ROOT: 'http://127.0.0.1:9' }, /Telegram cannot be reached.*TELEGRAM_API_ROOT/],
    [
      'the database',
      { DATABASE_URL: 'postgresql://operator:hunter2hunter2@127.0.0.1:9/greetings' },
      /database 127\.0\.0\.1:9\/greetings cannot be reached.*DATABASE_URL/s,
    ],
    ['Redis', { REDIS_URL: 'redis://:hunter2hunter2@127.0.0.1:9' }, /Redis cannot be reached.*REDIS_URL/],
  ]
  it.each(services)('%s: 3, with the remedy and without a secret', async (_service, broken, sentence) => {
    const channel = await town.telegram.createChannel({ title: 'storage', admins: [Number(town.botId)] })
    const end = await runProgram(['warm', file, '--json'], {
      env: env({ STORAGE_CHAT_IDS: String(channel), ...broken }),
    })
    expect(end, end.stderr).toMatchObject({ code: 3, stdout: '' })
    expect(end.stderr).toMatch(sentence)
    expect(end.stderr).not.toContain('hunter2')
    expect(end.stderr).not.toContain(town.token)
    expect(await queued()).toBe(0)
  })
})
