/** What an operator does to the data: `purge`, `retry`, `names`, `forget`. */
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { claim, markAvailable } from '../../src/greetings/assets.ts'
import { holdUpdate } from '../../src/greetings/held-updates.ts'
import { request } from '../../src/greetings/request.ts'
import { uploadToStorage } from '../../src/telegram/storage.ts'
import { makeClip } from '../environment/clip.ts'
import { ask, openTestEnvironment, person, type TestEnvironment } from '../environment/test-environment.ts'
import { jsonOf, runProgram } from '../environment/program.ts'

vi.setConfig({ testTimeout: 300_000 })

let town: TestEnvironment
beforeAll(async () => {
  town = await openTestEnvironment({ home: true })
  await town.db.installation.update({ where: { id: 1 }, data: { botId: town.botId } })
}, 120_000)
afterAll(() => town.close())
beforeEach(async () => {
  await town.db
    .$executeRaw`TRUNCATE "VideoAsset", "UserRequest", "SoundReport", "RequestCount", "User", "FormerPost", "FormerFile"`
})

const greetings = (args: string[], options: { env?: Record<string, string>; input?: string } = {}) =>
  runProgram(args, { env: town.env, ...options })
type State = 'PENDING' | 'GENERATING' | 'AVAILABLE' | 'FAILED'
const asset = (name: string, status: State, more: object = {}) =>
  town.db.videoAsset.create({
    data: {
      template: 'tiny',
      name: ask(name).key,
      display: ask(name).display,
      status,
      ...(status === 'AVAILABLE' ? { telegramFileId: `file of ${name}`, telegramBotId: town.botId } : {}),
      ...more,
    },
  })

let updates = 1
/** Requests of as many people; made and finished so many days ago. */
async function requests(
  assetId: string,
  status: 'PENDING' | 'COMPLETED' | 'FAILED',
  { days = 0, people = 1, hit = false } = {},
) {
  const at = new Date(Date.now() - days * 86_400_000)
  await town.db.user.createMany({
    data: Array.from({ length: people }, (_, n) => ({ id: BigInt(n + 1) })),
    skipDuplicates: true,
  })
  await town.db.userRequest.createMany({
    data: Array.from({ length: people }, (_, n) => ({
      assetId,
      userId: BigInt(n + 1),
      chatId: BigInt(n + 1),
      language: 'ru',
      botId: town.botId,
      updateId: updates++,
      status,
      hit,
      createdAt: at,
      finishedAt: status === 'PENDING' ? null : at,
    })),
  })
}

describe('purge', () => {
  it('removes old finished requests, in batches, and the statistics stay', async () => {
    const { id } = await asset('Маша', 'AVAILABLE')
    await requests(id, 'COMPLETED', { days: 100, people: 5_200, hit: true })
    await requests(id, 'FAILED', { days: 100 })
    await requests(id, 'COMPLETED', { days: 80, people: 3 })
    await requests(id, 'COMPLETED', { people: 2 })
    await requests((await asset('Петя', 'PENDING')).id, 'PENDING', { days: 100 })
    const before = jsonOf(await greetings(['status', '--json']))
    expect(before.requests).toEqual({ pending: 1, completed: 5_205, failed: 1 })

    expect(await greetings(['purge', '--dry-run', '--json'])).toEqual({
      code: 0,
      stdout: '{"requests":5201,"people":5197,"dryRun":true}\n',
      stderr: '',
    })
    expect(await town.db.userRequest.count()).toBe(5_207)
    expect(await greetings(['purge'])).toEqual({
      code: 0,
      stdout: '5201 finished requests and 5197 people without any other removed. The statistics stay.\n',
      stderr: '',
    })
    expect(await town.db.userRequest.groupBy({ by: ['status'], _count: true, orderBy: { status: 'asc' } })).toEqual([
      { status: 'PENDING', _count: 1 },
      { status: 'COMPLETED', _count: 5 },
    ])
    expect((await town.db.user.findMany({ orderBy: { id: 'asc' } })).map(({ id }) => Number(id))).toEqual([1, 2, 3])
    const after = jsonOf(await greetings(['status', '--json']))
    expect([after.requests, after.last24h]).toEqual([before.requests, before.last24h])

    expect((await greetings(['purge', '--older-than', '30d', '--json'])).stdout).toBe(
      '{"requests":3,"people":1,"dryRun":false}\n',
    )
    expect((await greetings(['purge', '--older-than', '30d', '--json'])).stdout).toBe(
      '{"requests":0,"people":0,"dryRun":false}\n',
    )
  })

  it('leaves the last two days alone: 2', async () => {
    expect(await greetings(['purge', '--older-than', '1h'])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('2d') as string,
    })
  })
})

describe('retry', () => {
  const states = async () =>
    Object.fromEntries((await town.db.videoAsset.findMany()).map(({ name, status }) => [name, status]))
  beforeEach(async () => {
    const cooling = { retryAfter: new Date(Date.now() + 3_600_000), attempts: 3, errorClass: 'voice' }
    for (const name of ['Маша', 'Петя', 'Оля', 'Ира']) await asset(name, 'FAILED', cooling)
    await asset('Вера', 'AVAILABLE')
    await asset('Зоя', 'GENERATING', { leaseOwner: 'w', leaseUntil: new Date(Date.now() + 60_000) })
  })

  it('queues failed names again: by name, by list, all; a second time there is nothing to do', async () => {
    const waiting = async () => (await town.queue.counts()).waiting
    const before = await waiting()
    expect(await greetings(['retry', 'МАША', 'Вера', '--json'])).toEqual({
      code: 0,
      stdout: '{"retried":1}\n',
      stderr: '',
    })
    expect(await town.db.videoAsset.findFirst({ where: { name: 'маша' } })).toMatchObject({
      status: 'PENDING',
      generation: 2,
      attempts: 0,
      retryAfter: null,
      queuedAt: expect.any(Date) as Date,
    })
    expect(await greetings(['retry', '-', '--json'], { input: 'name\nпетя\nМаша\nВася\n' })).toEqual({
      code: 0,
      stdout: '{"retried":1}\n',
      stderr: '',
    })
    expect((await greetings(['retry', '--all'])).stdout).toMatch(/^2 failed names queued again\. A running worker/)
    expect(await states()).toEqual({
      маша: 'PENDING',
      петя: 'PENDING',
      оля: 'PENDING',
      ира: 'PENDING',
      вера: 'AVAILABLE',
      зоя: 'GENERATING',
    })
    expect(await waiting()).toBe(before + 4)
    expect((await greetings(['retry', '--all'])).stdout).toBe('0 failed names queued again.\n')
  })

  it.each([[[]], [['Маша', '--all']], [['<b>7</b>']], [['nowhere.csv']]])(
    '%j: 2, and nothing is changed',
    async (args) => {
      const end = await greetings(['retry', ...args])
      expect(end).toMatchObject({ code: 2, stdout: '' })
      expect((await states()).маша).toBe('FAILED')
    },
  )
})

describe('names', () => {
  it('--missed: those people had to wait for, most asked first, ready for warm', async () => {
    const masha = await asset('Маша', 'AVAILABLE', { say: 'Ма́ша, "да"' })
    const petya = await asset('Петя', 'PENDING')
    const olya = await asset('Оля', 'AVAILABLE')
    await requests(petya.id, 'PENDING', { people: 3 })
    await requests(masha.id, 'COMPLETED', { people: 2, days: 20 })
    await requests(masha.id, 'COMPLETED', { people: 5, hit: true })
    await requests(olya.id, 'COMPLETED', { people: 9, hit: true })
    const end = await greetings(['names', '--missed'])
    expect(end).toEqual({ code: 0, stdout: 'name,count,say\nПетя,3,\nМаша,2,"Ма́ша, ""да"""\n', stderr: '' })
    expect((await greetings(['names', '--missed', '--since', '10d'])).stdout).toBe('name,count,say\nПетя,3,\n')
    expect((await greetings(['names', '--missed', '--limit', '1'])).stdout).toBe('name,count,say\nПетя,3,\n')
    const plan = await greetings(['warm', '-', '--dry-run', '--json'], { input: end.stdout })
    expect(jsonOf(plan)).toMatchObject({ rows: 2, rejected: 0, cached: 1, joined: 1 })
  })

  it('--failed, --available, --pending', async () => {
    await asset('Маша', 'AVAILABLE')
    await asset('Петя', 'PENDING')
    await asset('Оля', 'FAILED', {
      say: 'О, ля',
      errorClass: 'voice',
      errorText: 'The voice said “=1+1, or so”.',
      updatedAt: new Date('2026-11-28T03:04:05.000Z'),
    })
    await asset('Ира', 'GENERATING', { telegramFileId: 'x', telegramBotId: town.botId })
    await asset('Вера', 'AVAILABLE', { telegramBotId: 5n })
    const list = async (which: string) => (await greetings(['names', which])).stdout.split('\n').slice(1, -1)
    const reason = 'voice: The voice said “=1+1, or so”.'
    expect((await greetings(['names', '--failed'])).stdout).toBe(
      `name,say,template,reason,failedAt\nОля,"О, ля",tiny,"${reason}",2026-11-28T03:04:05.000Z\n`,
    )
    expect(jsonOf(await greetings(['names', '--failed', '--json']))).toEqual({
      names: [{ name: 'Оля', say: 'О, ля', template: 'tiny', reason, failedAt: '2026-11-28T03:04:05.000Z' }],
    })
    expect(jsonOf(await greetings(['names', '--missed', '--json']))).toEqual({ names: [] })
    expect(await list('--available')).toEqual(['Ира,', 'Маша,'])
    await town.db.videoAsset.create({
      data: { template: 'tiny', name: 'маша & оля', display: 'Маша и Оля', status: 'FAILED' },
    })
    expect(await list('--failed')).toHaveLength(1)
    expect((await greetings(['names', '--failed', '--together'])).stdout).toContain('Маша и Оля')
    expect((await greetings(['retry', 'Оля и Маша'])).stdout).toMatch(/^1 failed name queued again/)
    const twoNames = await greetings(['retry', 'Петя и Маша'])
    expect(twoNames).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('--together') as string })
    expect((await greetings(['retry', 'Петя и Маша', '--together'])).stdout).toMatch(/^0 failed names/)
    await town.db.videoAsset.deleteMany({ where: { name: 'маша & оля' } })
    expect(await list('--pending')).toEqual(['Ира,', 'Петя,'])
  })

  it('without saying which, or without a home: 2', async () => {
    expect(await greetings(['names'])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('--missed') as string,
    })
    const nowhere = join(town.folder, 'nowhere')
    expect(await greetings(['names', '--missed'], { env: { ...town.env, GREETINGS_HOME: nowhere } })).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(nowhere) as string,
    })
  })
})

describe('forget', () => {
  const posts = async () => (await town.telegram.messages(town.channelId)).length
  /** An asset with a post in the channel, a kept file and requests of three people. */
  async function known(name: string) {
    const post = await uploadToStorage(town.storage, await makeClip(town.folder), {
      signal: new AbortController().signal,
      isWanted: () => false,
    })
    const made = await asset(name, 'AVAILABLE', {
      telegramFileId: post.fileId,
      storageChatId: post.chatId,
      storageMessageId: post.messageId,
      revision: 'abc123',
    })
    await requests(made.id, 'COMPLETED', { people: 2 })
    await mkdir(renders(), { recursive: true })
    for (const file of ['abc123.mp4', 'abc123.jpg', 'other.mp4']) await writeFile(join(renders(), file), 'x')
    return { ...made, messageId: post.messageId }
  }
  const renders = () => join(town.folder, 'home', 'renders')

  it('removes videos of all templates, kept files and requests, and says what stays at Telegram', async () => {
    const { messageId } = await known('Маша')
    await asset('Маша', 'FAILED', { template: 'another' })
    const waiting = await asset('Маша', 'PENDING', { template: 'third' })
    await requests(waiting.id, 'PENDING')
    await asset('Петя', 'AVAILABLE')
    const before = await posts()
    const end = await greetings(['forget', ' мАША ', '--json'])
    expect(end.code, end.stderr).toBe(0)
    expect(jsonOf(end)).toEqual({
      videos: 3,
      requests: 3,
      waiting: 1,
      told: 1,
      held: 0,
      files: 1,
      posts: [{ chatId: String(town.channelId), messageId, deleted: false }],
    })
    expect((await town.db.videoAsset.findMany()).map(({ name }) => name)).toEqual(['петя'])
    expect(await town.db.userRequest.count()).toBe(0)
    expect((await readdir(renders())).filter((file) => !file.startsWith('tmp-'))).toEqual(['other.mp4'])
    expect(await posts()).toBe(before)
    expect(jsonOf(await greetings(['status', '--json'])).requests).toMatchObject({ completed: 2 })
    // The post is known until it is gone.
    expect(jsonOf(await greetings(['forget', 'Маша', '--delete-post', '--json']))).toEqual({
      videos: 0,
      requests: 0,
      waiting: 0,
      told: 0,
      held: 0,
      files: 0,
      posts: [{ chatId: String(town.channelId), messageId, deleted: true }],
    })
    expect(await posts()).toBe(before - 1)
    expect(await greetings(['forget', 'Маша'])).toMatchObject({ code: 0, stdout: 'Nothing is known of this name.\n' })
  })

  it('--delete-post deletes post and files of every earlier video too, and what Telegram keeps is known to the next run', async () => {
    const before = await posts()
    const first = await known('Маша')
    for (const revision of ['def456', 'fed789']) {
      const post = await uploadToStorage(town.storage, await makeClip(town.folder), {
        signal: new AbortController().signal,
        isWanted: () => false,
      })
      await town.db.$executeRaw`UPDATE "VideoAsset" SET status = 'PENDING', generation = generation + 1`
      const asset = await claim(
        town.db,
        { assetId: first.id, generation: (await town.db.videoAsset.findFirstOrThrow()).generation },
        'w',
        60_000,
      )
      if (asset === undefined) throw new Error('not claimed')
      expect(await markAvailable(town.db, asset, 'w', town.botId, { revision, templateRevision: 't' }, post)).toBe(true)
      for (const file of [`${revision}.mp4`, `${revision}.jpg`]) await writeFile(join(renders(), file), 'x')
    }
    const told = await greetings(['forget', 'Маша'])
    expect(told.stdout).toContain('3 kept files on this host')
    expect(told.stdout).toContain(
      'Still at Telegram: 3 posts (2 of earlier videos). The name is remembered until they are gone:',
    )
    expect(told.stdout).toContain(`  message ${first.messageId} in the storage channel ${town.channelId}\n`)
    expect(told.stdout).toContain('--delete-post')
    expect((await readdir(renders())).filter((file) => !file.startsWith('tmp-'))).toEqual(['other.mp4'])
    expect(await town.db.formerFile.count({ where: { name: { not: null } } })).toBe(0)

    await town.telegram.fault({
      method: 'deleteMessage',
      answer: { kind: 'refuse', code: 400, description: "Bad Request: message can't be deleted" },
    })
    const refused = await greetings(['forget', 'Маша', '--delete-post'])
    expect(refused.code).toBe(1)
    expect(refused.stdout).toMatch(/2 posts in the storage channel\.\nStill at Telegram: 1 post\. [^]*run this again/)
    expect(await posts()).toBe(before + 1)
    const end = await greetings(['forget', 'Маша', '--delete-post'])
    expect(end).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('1 post in the storage channel (1 of earlier videos).') as string,
    })
    expect(await posts()).toBe(before)
    expect((await greetings(['forget', 'Маша'])).stdout).toBe('Nothing is known of this name.\n')
  })

  it('--delete-post deletes the post; where Telegram refuses, it says so: 1', async () => {
    await known('Маша')
    const before = await posts()
    const end = await greetings(['forget', 'Маша', '--delete-post'])
    expect(end.code, end.stderr).toBe(0)
    expect(end.stdout).toMatch(
      /^Forgotten: 1 video, 2 requests, 1 kept file on this host, 1 post in the storage channel\.$/m,
    )
    expect(await posts()).toBe(before - 1)

    const { messageId } = await known('Петя')
    await town.telegram.fault({
      method: 'deleteMessage',
      answer: { kind: 'refuse', code: 400, description: "Bad Request: message can't be deleted" },
    })
    const refused = await greetings(['forget', 'Петя', '--delete-post'])
    expect(refused.code).toBe(1)
    expect(refused.stdout).toContain(
      `Still at Telegram: 1 post. The name is remembered until it is gone:\n  message ${messageId} in the storage channel ${town.channelId}\n`,
    )
    expect(await town.db.videoAsset.count()).toBe(0)
  })

  it('an outage while posts are deleted: 3, and nothing is removed', async () => {
    await known('Маша')
    await town.telegram.fault({ method: 'deleteMessage', answer: { kind: 'html', code: 502 } })
    expect(await greetings(['forget', 'Маша', '--delete-post'])).toMatchObject({ code: 3, stdout: '' })
    expect(await town.db.videoAsset.count()).toBe(1)
  })

  it('people who wait are told, and the note about it goes; without a bot they are not', async () => {
    const chat = async () => (await town.telegram.messages(21)).map(({ text }) => text ?? '')
    await town.telegram.say({ userId: 21, text: '/start' })
    const note = await town.api.sendMessage(21, 'being made')
    await request(town.door, [ask('Маша')], person(21))
    await town.db.userRequest.updateMany({ data: { noteMessageId: note.message_id } })
    expect(jsonOf(await greetings(['forget', 'Маша', '--json']))).toMatchObject({
      videos: 1,
      requests: 1,
      waiting: 1,
      told: 1,
    })
    expect(await chat()).toEqual([
      '/start',
      expect.stringMatching(/«Маша» сейчас не получилось.*через минуту/) as string,
    ])
    expect([await town.db.videoAsset.count(), await town.db.userRequest.count()]).toEqual([0, 0])
    expect(jsonOf(await greetings(['status', '--json'])).requests).toEqual({ pending: 0, completed: 0, failed: 1 })

    await request(town.door, [ask('Маша')], person(21))
    const { TELEGRAM_BOT_TOKEN: _token, ...env } = town.env
    const mute = await greetings(['forget', 'Маша'], { env })
    expect(mute.code, mute.stderr).toBe(0)
    expect(mute.stdout).toContain('1 request (1 of people who were waiting, and were not told)')
    expect(await chat()).toHaveLength(2)
  })

  it('a question that is held, as its row was locked, goes too, and whoever asked is told', async () => {
    await town.telegram.say({ userId: 23, text: '/start' })
    const hold = (updateId: number, text: string) =>
      holdUpdate(
        town.db,
        town.botId,
        {
          updateId,
          chatId: 23n,
          body: JSON.stringify({
            update_id: updateId,
            message: { text, chat: { id: 23 }, from: { id: 23, language_code: 'ru' } },
          }),
        },
        60_000,
      )
    await hold(1, 'мАША')
    await hold(2, 'Петя')
    expect(jsonOf(await greetings(['forget', 'Маша', '--json']))).toMatchObject({ videos: 0, requests: 0, held: 1 })
    expect((await town.telegram.messages(23)).at(-1)?.text).toMatch(/«Маша» сейчас не получилось/)
    expect((await town.db.heldUpdate.findMany()).map(({ updateId }) => updateId)).toEqual([2])
    expect((await greetings(['forget', 'Петя'])).stdout).toContain('1 question that was held')
    await hold(3, 'Оля')
    await town.db.heldUpdate.updateMany({ data: { heldAt: new Date(Date.now() - 86_400_000) } })
    await greetings(['purge', '--dry-run'])
    expect(await town.db.heldUpdate.count()).toBe(1)
    await greetings(['purge'])
    expect(await town.db.heldUpdate.count()).toBe(0)
  })

  it('Telegram is away: 3, nothing is removed, and another run goes on', async () => {
    await town.telegram.say({ userId: 21, text: '/start' })
    await request(town.door, [ask('Маша')], person(21))
    const fault = await town.telegram.fault({ method: 'sendMessage', times: 0, answer: { kind: 'html', code: 502 } })
    expect(await greetings(['forget', 'Маша'])).toMatchObject({ code: 3, stdout: '' })
    expect([await town.db.videoAsset.count(), await town.db.userRequest.count()]).toEqual([1, 1])
    await town.telegram.release(fault.id)
    await town.db.userRequest.updateMany({ data: { claimUntil: null } })
    expect(jsonOf(await greetings(['forget', 'Маша', '--json']))).toMatchObject({ requests: 1, told: 1 })
  })

  it('a name that a worker holds is left alone: 2', async () => {
    await asset('Маша', 'GENERATING', { leaseOwner: 'w', leaseUntil: new Date(Date.now() + 60_000) })
    expect(await greetings(['forget', 'Маша'])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('worker') as string,
    })
    expect(await town.db.videoAsset.count()).toBe(1)
  })
})
