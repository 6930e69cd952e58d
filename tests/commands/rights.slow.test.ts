/**
 * What a start makes of the bot's rights in its storage channels: each that is of no use is named, and hits need none.
 */
import { readdir } from 'node:fs/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { uploadToStorage } from '../../src/telegram/storage.ts'
import { makeClip } from '../environment/clip.ts'
import { ask, openTestEnvironment, until, type TestEnvironment } from '../environment/test-environment.ts'
import { jsonOf, runProgram, startProgram } from '../environment/program.ts'

let town: TestEnvironment
let good: string
/** What is wrong with a channel, by its id. */
const bad = new Map<string, RegExp>()

beforeAll(async () => {
  town = await openTestEnvironment()
  good = String(town.channelId)
  const { telegram } = town
  const botId = Number(town.botId)
  const add = (id: number, problem: RegExp) => bad.set(String(id), problem)
  const kicked = await telegram.createChannel({ admins: [botId] })
  await telegram.setMember({ chatId: kicked, status: 'kicked' })
  add(kicked, /bot was kicked from the channel chat/)
  add(await telegram.createChannel({ members: [botId] }), /not an administrator who may post/)
  const silent = await telegram.createChannel({ admins: [botId] })
  await telegram.setMember({ chatId: silent, status: 'administrator', can_post_messages: false })
  add(silent, /not an administrator who may post/)
  add(await telegram.createChannel({ type: 'supergroup', admins: [botId] }), /is a supergroup chat, not a channel/)
  add(-1_001_234_567_890, /chat not found/)
})
afterAll(() => town.close())
beforeEach(async () => {
  await town.db.userRequest.deleteMany()
  await town.db.videoAsset.deleteMany()
  await town.db.outage.deleteMany()
  await town.telegram.clearCalls()
})

const env = (...chatIds: string[]) => ({ ...town.env, STORAGE_CHAT_IDS: chatIds.join(',') })
const commands = { warm: ['warm', '-', '--json'] }

/** A video that is there already, as it was uploaded before the channel lost its rights. */
async function available(name: string): Promise<void> {
  const { key, display } = ask(name)
  const post = await uploadToStorage(town.storage, await makeClip(town.folder), {
    signal: new AbortController().signal,
    isWanted: () => false,
  })
  await town.db.videoAsset.create({
    data: {
      template: 'tiny',
      name: key,
      display,
      status: 'AVAILABLE',
      telegramFileId: post.fileId,
      telegramFileUniqueId: post.fileUniqueId,
      telegramBotId: town.botId,
      availableAt: new Date(),
    },
  })
}

/** The findings of `doctor` about channels, in the order of STORAGE_CHAT_IDS. */
async function doctor(...chatIds: string[]) {
  const end = await runProgram(['doctor', '--json'], { env: env(...chatIds) })
  const { healthy, checks } = jsonOf(end) as {
    healthy: boolean
    checks: { name: string; state: string; message: string }[]
  }
  return { code: end.code, healthy, storage: checks.filter(({ name }) => name === 'storage') }
}

describe('channels in none of which the bot may post', () => {
  it.each(Object.entries({ warm: commands.warm, verify: ['verify'] }))(
    '%s: 2, each channel with what is wrong there and a remedy, nothing is made',
    async (_verb, args) => {
      const end = await runProgram(args, { env: env(...bad.keys()), input: 'Маша\n', longestMs: 30_000 })
      expect(end, end.stderr).toMatchObject({ code: 2, stdout: '' })
      const lines = end.stderr.trimEnd().split('\n')
      expect(lines[0]).toContain('@greetings_test_bot')
      for (const [id, problem] of bad) expect(lines.find((line) => line.includes(id))).toMatch(problem)
      expect(lines.at(-1)).toMatch(/administrator with the right to post messages.*STORAGE_CHAT_IDS/)
      expect(await readdir(town.folder)).not.toContain('home')
      expect(await town.db.videoAsset.count()).toBe(0)
    },
  )

  it.each(['bot', 'up'] as const)('%s starts, sends what is there, and names the outage', async (verb) => {
    await available('Маша')
    const program = startProgram([verb], { env: env(...bad.keys()) })
    await program.waitForText(new RegExp(`${verb} is running`))
    await town.telegram.say({ userId: 501, text: 'Маша', languageCode: 'ru' })
    await until(
      async () => (await town.telegram.messages(501)).some(({ video }) => video !== undefined),
      'the video that is there',
    )
    await until(
      async () =>
        (await town.db.outage.findMany()).some(
          ({ step, reason }) => step === 'storage' && reason.includes('greetings doctor'),
        ),
      'the outage',
    )
    expect((await runProgram(['status'], { env: env(...bad.keys()) })).stdout).toMatch(/No storage channel takes posts/)
    program.signal('SIGTERM')
    expect(await program.ended).toMatchObject({ code: 0 })
    const posts = (await town.telegram.calls({ method: 'sendVideo' }))
      .map(({ chatId }) => String(chatId))
      .filter((id) => bad.has(id))
    expect(posts).toEqual([])
  })

  it('up makes what is asked for as soon as rights come back, without a restart, and nobody is told otherwise', async () => {
    const channel = await town.telegram.createChannel({ members: [Number(town.botId)] })
    const program = startProgram(['up'], { env: env(String(channel)) })
    await program.waitForText(/up is running/)
    await town.telegram.say({ userId: 502, text: 'Оля', languageCode: 'ru' })
    await until(
      async () => (await town.db.videoAsset.count({ where: { errorClass: 'storage', attempts: 0 } })) === 1,
      'the video that waits for a channel',
    )
    await town.telegram.setMember({ chatId: channel, status: 'administrator', can_post_messages: true })
    await program.waitForText(/may post in a storage channel again/)
    await until(async () => (await town.telegram.messages(502)).some(({ video }) => video !== undefined), 'the video')
    await until(async () => (await town.db.outage.count()) === 0, 'the end of the outage')
    expect((await town.telegram.messages(502)).filter(({ text }) => text?.includes('не получилось'))).toEqual([])
    expect((await town.telegram.messages(channel)).filter(({ video }) => video !== undefined)).toHaveLength(1)
    program.signal('SIGTERM')
    expect(await program.ended).toMatchObject({ code: 0 })
  })

  it('doctor: a failure for each, with the remedy', async () => {
    const { code, healthy, storage } = await doctor(...bad.keys())
    expect([code, healthy, storage.length]).toEqual([1, false, bad.size])
    for (const [n, [id, problem]] of [...bad].entries()) {
      expect(storage[n]).toMatchObject({ state: 'failure' })
      expect(storage[n]?.message).toContain(id)
      expect(storage[n]?.message).toMatch(problem)
      expect(storage[n]?.message).toContain('STORAGE_CHAT_IDS')
    }
  })
})

describe('one channel in which the bot may post is enough', () => {
  const chatIds = () => [...bad.keys()].flatMap((id, n) => (n === 1 ? [good, id] : [id]))
  /** The bad ones by their places, for no id gets into a log. */
  function expectNamed(stderr: string): void {
    const told = stderr
      .split('\n')
      .filter((line) => line.includes('left out'))
      .map((line) => {
        const [, level = '', fields = ''] = / (ERROR): .*?(\{.*\})$/.exec(line) ?? []
        return JSON.parse(
          level === '' ? line : JSON.stringify({ level: level.toLowerCase(), ...(JSON.parse(fields) as object) }),
        ) as { level: string; channel: number; problem: string }
      })
    expect(told.map(({ channel }) => channel)).toEqual([1, 3, 4, 5, 6])
    for (const [n, problem] of [...bad.values()].entries()) expect(told[n]?.problem).toMatch(problem)
    for (const { level } of told) expect(level).toBe('error')
    for (const id of [good, ...bad.keys()]) expect(stderr).not.toContain(id)
  }

  it.each(['bot', 'worker', 'up'] as const)('%s starts and names the others', async (verb) => {
    const program = startProgram([verb], { env: env(...chatIds()) })
    await program.waitForText(new RegExp(`${verb} is running`))
    program.signal('SIGTERM')
    const end = await program.ended
    expect(end.code, end.stderr).toBe(0)
    expectNamed(end.stderr)
  })

  it('warm fills the cache through it and names the others, and nothing is posted elsewhere', async () => {
    const end = await runProgram(commands.warm, { env: env(...chatIds()), input: 'Маша\nПетя\nОля\n' })
    expect(end.code, end.stderr).toBe(0)
    expect(jsonOf(end)).toMatchObject({ names: 3, available: 3 })
    expectNamed(end.stderr)
    expect(new Set((await town.telegram.calls({ method: 'sendVideo' })).map(({ chatId }) => String(chatId)))).toEqual(
      new Set([good]),
    )
  })

  it('doctor: a warning for each of the others', async () => {
    const { code, healthy, storage } = await doctor(...chatIds())
    expect([code, healthy]).toEqual([0, true])
    expect(storage.map(({ state }) => state)).toEqual(['warning', 'pass', 'warning', 'warning', 'warning', 'warning'])
    for (const [n, id] of chatIds().entries()) expect(storage[n]?.message).toContain(id)
  })

  it('a channel that was left out is used as soon as its rights come back', async () => {
    const [, member = ''] = [...bad.keys()]
    const program = startProgram(['worker'], { env: env(member, good) })
    await program.waitForText(/worker is running/)
    await town.telegram.setMember({ chatId: Number(member), status: 'administrator', can_post_messages: true })
    await program.waitForText(/may post in a storage channel again/)
    program.signal('SIGTERM')
    const end = await program.ended
    expect(end.code, end.stderr).toBe(0)
    expect((await doctor(member)).storage).toMatchObject([{ state: 'pass' }])
  })
})
