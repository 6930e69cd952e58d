/** `verify`: stored ids are checked, mended, and taken over by another bot. */
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { startWorker } from '../../src/queue/processors/worker.ts'
import { connectTelegram } from '../../src/telegram/api.ts'
import { uploadToStorage } from '../../src/telegram/storage.ts'
import { makeClip } from '../environment/clip.ts'
import { plannedRenderer, workerParts } from '../environment/worker-parts.ts'
import { ask, openTestEnvironment, until, type TestEnvironment } from '../environment/test-environment.ts'
import { jsonOf, runProgram, startProgram } from '../environment/program.ts'

vi.setConfig({ testTimeout: 300_000 })

let town: TestEnvironment
const never = new AbortController().signal
beforeAll(async () => {
  town = await openTestEnvironment({ home: true })
}, 120_000)
afterAll(() => town.close())
beforeEach(async () => {
  await town.db.$executeRaw`TRUNCATE "VideoAsset", "UserRequest", "SoundReport", "FloodBucket"`
  await town.db.installation.update({ where: { id: 1 }, data: { botId: town.botId } })
  await town.telegram.clearCalls()
})
afterEach(() => town.telegram.release())

const verify = (args: string[] = [], env = town.env) => runProgram(['verify', ...args], { env })
const found = (parts: object) => ({ checked: 0, alive: 0, dead: 0, unknown: 0, repaired: 0, requeued: 0, ...parts })
const calls = async (method: string) => (await town.telegram.calls({ method })).length
const stored = (name: string) => town.db.videoAsset.findFirstOrThrow({ where: { name: ask(name).key } })

async function uploaded(name: string, more: object = {}) {
  const post = await uploadToStorage(town.storage, await makeClip(town.folder), {
    signal: never,
    isWanted: () => false,
  })
  const { key, display } = ask(name)
  return town.db.videoAsset.create({
    data: {
      template: 'tiny',
      name: key,
      display,
      status: 'AVAILABLE',
      revision: 'r',
      templateRevision: 't',
      telegramFileId: post.fileId,
      telegramFileUniqueId: post.fileUniqueId,
      telegramBotId: town.botId,
      storageChatId: post.chatId,
      storageMessageId: post.messageId,
      ...more,
    },
  })
}

it('looks at every id and posts nothing; a limited run goes on with those not looked at for longest', async () => {
  for (const name of ['Маша', 'Петя', 'Оля']) await uploaded(name)
  await town.telegram.clearCalls()
  const first = await verify(['--json', '--limit', '2'])
  expect([first.code, first.stderr]).toEqual([0, ''])
  expect(jsonOf(first)).toEqual(found({ checked: 2, alive: 2 }))
  expect(jsonOf(await verify(['--json', '--older-than', '1h']))).toEqual(found({ checked: 1, alive: 1 }))
  expect(await calls('getFile')).toBe(3)
  expect(await verify()).toMatchObject({ code: 0, stdout: '3 videos checked: 3 alive.\n' })
  expect((await calls('sendVideo')) + (await calls('forwardMessage'))).toBe(0)
  expect(first.stdout).not.toMatch(/маша/i)
})

it('dead ids: 1; --repair takes a fresh one from the stored post, else queues the video', async () => {
  const before = await uploaded('Маша')
  await uploaded('Петя')
  await uploaded('Оля', { storageMessageId: null })
  await town.telegram.forgetFileIds()
  const alive = await uploaded('Ира')
  const dead = await verify(['--json'])
  expect(dead.code).toBe(1)
  expect(jsonOf(dead)).toEqual(found({ checked: 4, alive: 1, dead: 3 }))
  expect((await stored('Маша')).telegramFileId).toBe(before.telegramFileId)

  const repaired = await verify(['--json', '--repair'])
  expect(repaired.code, repaired.stderr).toBe(0)
  expect(jsonOf(repaired)).toEqual(found({ checked: 4, alive: 1, repaired: 2, requeued: 1 }))
  await town.telegram.saveUser({ userId: 5, firstName: 'Анна' })
  await town.telegram.say({ userId: 5, text: '/start' })
  for (const name of ['Маша', 'Петя', 'Ира']) await town.api.sendVideo(5, (await stored(name)).telegramFileId ?? '')
  expect((await stored('Ира')).telegramFileId).toBe(alive.telegramFileId)
  // The copies in the channel are removed again.
  expect([await calls('forwardMessage'), await calls('deleteMessage')]).toEqual([2, 2])
  expect(await stored('Оля')).toMatchObject({ status: 'PENDING', generation: 2, telegramFileId: null })
  expect(jsonOf(await verify(['--json', '--repair']))).toEqual(found({ checked: 3, alive: 3 }))
})

it('what was queued again uploads the kept file, without a render', async () => {
  const renderer = await plannedRenderer(town)
  const [template] = renderer.templates
  if (template === undefined) throw new Error('no template')
  await renderer.make(template, { key: 'маша', display: 'Маша', say: null }, { signal: never })
  await uploaded('Маша', { storageMessageId: null })
  await town.telegram.forgetFileIds()
  expect(jsonOf(await verify(['--json', '--repair']))).toEqual(found({ checked: 1, requeued: 1 }))
  const worker = await startWorker(workerParts(town, renderer), 1)
  try {
    await until(async () => (await stored('Маша')).status === 'AVAILABLE', 'the new upload')
  } finally {
    await worker.stop(1_000)
  }
  expect(renderer.made).toEqual(['Маша'])
  expect(jsonOf(await verify(['--json']))).toEqual(found({ checked: 1, alive: 1 }))
})

it('a new token of the same bot changes nothing; another bot takes over all with --new-bot', async () => {
  for (const name of ['Маша', 'Петя']) await uploaded(name)
  const rotated = await town.telegram.registerBot({ token: `${town.botId}:${'rotated_'.repeat(5)}` })
  expect(jsonOf(await verify(['--json'], { ...town.env, TELEGRAM_BOT_TOKEN: rotated.token }))).toEqual(
    found({ checked: 2, alive: 2 }),
  )

  const other = await town.telegram.registerBot({ username: 'another_bot' })
  await town.telegram.setMember({
    chatId: town.channelId,
    botId: other.id,
    status: 'administrator',
    can_post_messages: true,
  })
  const env = { ...town.env, TELEGRAM_BOT_TOKEN: other.token }
  expect(await verify([], env)).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('--new-bot') as string,
  })
  const taken = await verify(['--json', '--new-bot'], env)
  expect(taken.code, taken.stderr).toBe(0)
  expect(jsonOf(taken)).toEqual(found({ checked: 2, repaired: 2 }))
  expect((await stored('Маша')).telegramBotId).toBe(BigInt(other.id))
  await town.telegram.say({ userId: 6, text: '/start', botId: other.id })
  await connectTelegram({ token: other.token, apiRoot: town.server.url, times: town.times }).sendVideo(
    6,
    (await stored('Маша')).telegramFileId ?? '',
  )
  expect(jsonOf(await verify(['--json'], env))).toEqual(found({ checked: 2, alive: 2 }))
  expect(await calls('sendVideo')).toBe(2 + 1) // the two uploads and the one just now
})

it('waits as long as Telegram asks, also for the channel', async () => {
  await uploaded('Маша')
  await town.telegram.forgetFileIds()
  await town.telegram.fault({ method: 'getFile', answer: { kind: 'flood', retryAfter: 20 } })
  await town.telegram.fault({ method: 'forwardMessage', answer: { kind: 'flood', retryAfter: 20 } })
  expect(jsonOf(await verify(['--json', '--repair']))).toEqual(found({ checked: 1, repaired: 1 }))
  expect((await town.telegram.counts()).early).toBe(0)
  expect([await calls('getFile'), await calls('forwardMessage')]).toEqual([2, 2])
})

it('a rest that is too long to sit through, or an outage: 3, and nothing is taken for dead', async () => {
  await uploaded('Маша')
  await town.telegram.fault({ method: 'getFile', answer: { kind: 'flood', retryAfter: 3_000 } })
  expect(await verify(['--repair'])).toMatchObject({
    code: 3,
    stdout: '',
    stderr: expect.stringContaining('continues where it stopped') as string,
  })
  await town.telegram.release()
  await town.db.videoAsset.createMany({
    data: Array.from({ length: 9 }, (_, n) => ({
      template: 'tiny',
      name: `имя ${n}`,
      display: 'Имя',
      status: 'AVAILABLE' as const,
      telegramFileId: 'x',
      telegramBotId: town.botId,
    })),
  })
  await town.telegram.fault({ method: 'getFile', times: 9, answer: { kind: 'html', code: 502 } })
  expect(await verify(['--repair'])).toMatchObject({ code: 3, stdout: '' })
  expect(await town.db.videoAsset.count({ where: { status: 'AVAILABLE' } })).toBe(10)
})

it('an interrupted run says how far it came, and the next one goes on', async () => {
  const { telegramFileId } = await uploaded('Маша')
  await town.db.videoAsset.createMany({
    data: Array.from({ length: 79 }, (_, n) => ({
      template: 'tiny',
      name: `имя ${n}`,
      display: 'Имя',
      status: 'AVAILABLE' as const,
      telegramFileId,
      telegramBotId: town.botId,
    })),
  })
  const running = startProgram(['verify', '--json', '--rate', '1'], { env: town.env })
  await town.telegram.waitForCalls({ method: 'getFile' }, 10)
  running.signal('SIGINT')
  const end = await running.ended
  expect(end.code).toBe(130)
  const checked = Number(jsonOf(end).checked)
  expect(checked).toBeGreaterThan(8)
  expect(checked).toBeLessThan(80)
  expect(jsonOf(await verify(['--json', '--older-than', '1h', '--rate', '1000']))).toEqual(
    found({ checked: 80 - checked, alive: 80 - checked }),
  )
})

it('without a home: 2, and the folder it looked for', async () => {
  const nowhere = join(town.folder, 'nowhere')
  expect(await verify([], { ...town.env, GREETINGS_HOME: nowhere })).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining(nowhere) as string,
  })
})
