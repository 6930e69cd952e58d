/** What those who run the bot can do in their chat with it, and nobody else. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startBot, type RunningBot } from '../../src/bot/index.ts'
import { AssetFault } from '../../src/errors.ts'
import { answerWarmRun } from '../../src/greetings/warm-runs.ts'
import { startWorker, type RunningWorker } from '../../src/queue/processors/worker.ts'
import type { SandboxMessage } from '../../src/sandbox/client.ts'
import { text } from '../../src/texts.ts'
import { plannedRenderer, workerParts } from '../environment/worker-parts.ts'
import { botParts, openTestEnvironment, until, type TestEnvironment } from '../environment/test-environment.ts'

const [admin, stranger] = [40_001, 40_002]
let town: TestEnvironment
let worker: RunningWorker
let bot: RunningBot
/** set by a test in which making a video waits, or goes wrong */
let beforeVideo = async (_display: string): Promise<void> => undefined

const startHere = () => startBot(botParts(town, { adminIds: [admin] }))

beforeAll(async () => {
  town = await openTestEnvironment()
  worker = await startWorker(workerParts(town, await plannedRenderer(town, (display) => beforeVideo(display))), 2)
  bot = await startHere()
})
afterAll(async () => {
  await bot.stop(1_000)
  await worker.stop(1_000)
  await town.close()
})

const isFromBot = ({ from }: SandboxMessage) => from?.id === Number(town.botId)
const lastId = async (userId: number) => (await town.telegram.messages(userId)).at(-1)?.message_id ?? 0

/** A person writes; what the bot says next. */
async function answer(userId: number, words: string): Promise<SandboxMessage> {
  const before = await lastId(userId)
  await town.telegram.say({ userId, text: words, languageCode: 'ru' })
  return town.telegram.waitForMessage(
    userId,
    (each) => isFromBot(each) && each.message_id > before && each.text !== undefined,
  )
}

const video = (userId: number, name: string) =>
  town.telegram.waitForMessage(
    userId,
    ({ video: sent, caption }) => sent !== undefined && caption?.includes(name) === true,
  )

/** The menu that this person sees in their chat, where it is not that of everybody. */
const menuOf = async (userId: number) =>
  (await town.api.getMyCommands({ scope: { type: 'chat', chat_id: userId } })).map(({ command }) => command)

describe('commands of admins', () => {
  it('stand in their menu, whatever language they choose, and in nobody else’s', async () => {
    await answer(admin, '/start')
    await until(async () => (await menuOf(admin)).includes('stats'), 'the menu of an admin')
    const question = await answer(admin, '/language')
    await town.telegram.press({ userId: admin, messageId: question.message_id, data: 'l:ru' })
    await town.telegram.waitForMessage(admin, (each) => each.text === text('ru', 'language-chosen'))
    await until(async () => (await menuOf(admin)).includes('stats'), 'the menu of an admin')
    await answer(stranger, '/start')
    expect(await menuOf(stranger)).toEqual([])
    expect((await town.api.getMyCommands()).map(({ command }) => command)).not.toContain('stats')
  })

  it.each(['/stats', '/warm', '/retry', '/preview Маша'])('%s is unknown to others', async (command) => {
    expect((await answer(stranger, command)).text).toBe(text('ru', 'short-help'))
  })

  it('/stats tells how it is going', async () => {
    await answer(stranger, '12345')
    await until(async () => (await town.db.refusalCount.count()) > 0, 'what was refused to be counted')
    const { text: said = '' } = await answer(admin, '/stats')
    const [refusal] = await town.db.refusalCount.findMany()
    expect(said.split('\n')).toEqual([
      expect.stringContaining('За сутки'),
      text('ru', 'stats-nobody-waits'),
      text('ru', 'stats-videos', { available: 0, pending: 0, failed: 0 }),
      text('ru', 'stats-workers', { workers: 1 }),
      '',
      text('ru', 'stats-refused', { count: 1 }),
      text('ru', 'stats-refused-reason', { reason: refusal?.reason ?? '', count: 1 }),
    ])
  })

  it('/preview sends the video as a family gets it, with what is known about it', async () => {
    const told = await answer(admin, '/preview Любаша')
    expect(told.text).toBe(
      `${text('ru', 'preview-new', { name: 'Любаша', template: 'tiny' })}\n` +
        text('ru', 'preview-say', { say: 'Любаша' }),
    )
    expect((await video(admin, 'Любаша')).caption).toBe(text('ru', 'caption', { name: 'Любаша' }))
    expect((await answer(admin, '/preview Любаша')).text).toContain('видео готово')
    expect((await answer(admin, '/preview')).text).toBe(text('ru', 'preview-usage'))
    expect((await answer(admin, '/preview 123')).text).toBe(text('ru', 'rejected-digits'))
  })

  it('/retry tries what failed again, one name or all', async () => {
    beforeVideo = () => Promise.reject(new AssetFault('render', 'it does not work'))
    await answer(admin, '/preview Неудача')
    await town.telegram.waitForMessage(admin, (each) => each.text?.startsWith('К сожалению') === true)
    beforeVideo = async () => undefined
    const failed = await answer(admin, '/preview Неудача')
    expect(failed.text).toContain('/retry Неудача')
    expect((await answer(admin, '/retry Удача')).text).toBe(text('ru', 'retried-none', { name: 'Удача' }))
    expect((await answer(admin, '/retry неудача')).text).toBe(text('ru', 'retried', { count: 1 }))
    await until(async () => (await town.db.videoAsset.count({ where: { status: 'FAILED' } })) === 0, 'another try')
    expect((await answer(admin, '/retry')).text).toBe(text('ru', 'retried', { count: 0 }))
  })
})

type Button = { text: string; callback_data?: string }
const buttonsOf = (message: SandboxMessage) =>
  ((message.reply_markup as { inline_keyboard?: Button[][] } | undefined)?.inline_keyboard ?? []).flat()

/** A tap on the first button, or the second; what Telegram shows for a moment. */
async function tap(userId: number, message: SandboxMessage, place: number): Promise<unknown> {
  const data = buttonsOf(message)[place]?.callback_data ?? ''
  const { queryId } = await town.telegram.press({ userId, messageId: message.message_id, data })
  return (await town.telegram.waitFor(() => town.telegram.queryAnswer(queryId))).text
}

/** A person sends a file; what the bot says next. */
async function answerTo(
  userId: number,
  content: string | Buffer,
  caption: string,
  words: string,
): Promise<SandboxMessage> {
  const before = await lastId(userId)
  await town.telegram.sendDocument({ userId, fileName: 'names.csv', content, caption, languageCode: 'ru' })
  return town.telegram.waitForMessage(
    userId,
    (each) => isFromBot(each) && each.message_id > before && each.text?.startsWith(words) === true,
  )
}

/** What stands there once it says this. */
const becomes = (userId: number, { message_id }: SandboxMessage, words: string) =>
  town.telegram.waitForMessage(
    userId,
    (each) => each.message_id === message_id && each.text?.startsWith(words) === true,
  )

describe('/warm', () => {
  it('shows what a list holds, makes it after a tap, and tells how it gets on in one message', async () => {
    await answer(admin, '/preview Любаша')
    const plan = await answerTo(admin, 'имя\nЛюбаша\nКлавдюша\nКлавдюша\nМаня5\nГлафирка\n', '/warm', '📋')
    expect(plan.text?.split('\n').slice(0, 8)).toEqual([
      text('ru', 'warm-list', { count: 3 }),
      text('ru', 'warm-new', { count: 2 }),
      text('ru', 'warm-cached', { count: 1 }),
      text('ru', 'warm-repeated', { count: 1 }),
      '',
      text('ru', 'warm-refused', { count: 1 }),
      text('ru', 'stats-refused-reason', { reason: 'digits', count: 1 }),
      text('ru', 'warm-refused-rows', { rows: '5' }),
    ])
    expect(buttonsOf(plan).map((each) => each.text)).toEqual([
      text('ru', 'button-warm-yes', { count: 2 }),
      text('ru', 'button-warm-no'),
    ])
    expect(await town.db.videoAsset.count({ where: { name: 'клавдюша' } })).toBe(0)

    let release = () => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    beforeVideo = (display) => (display === 'Глафирка' ? held : Promise.resolve())
    const data = buttonsOf(plan)[0]?.callback_data ?? ''
    const { queryId, updateId } = await town.telegram.press({ userId: admin, messageId: plan.message_id, data })
    const shown = await town.telegram.waitFor(() => town.telegram.queryAnswer(queryId))
    expect(shown.text).toBe(text('ru', 'toast-warm-running'))
    await becomes(admin, plan, text('ru', 'warm-progress', { done: 2, count: 3, percent: 66 }))
    // Telegram tells of the tap once more.
    expect(await town.telegram.resend([updateId ?? 0])).toBe(1)

    // Another process goes on where this one stopped.
    await bot.stop(1_000)
    bot = await startHere()
    release()
    const done = await becomes(admin, plan, text('ru', 'warm-done', { count: 3, made: 2, cached: 1 }))
    expect(buttonsOf(done)).toEqual([])
    expect(await town.db.userRequest.count({ where: { asset: { name: 'глафирка' } } })).toBe(0)
    beforeVideo = async () => undefined
  })

  it('makes nothing when the admin says no, and a second tap changes nothing', async () => {
    const plan = await answerTo(admin, 'Аграфенушка\n', '/warm', '📋')
    const [, id = ''] = buttonsOf(plan)[1]?.callback_data?.split(':') ?? []
    const answered = (userId: number, really: boolean) =>
      answerWarmRun(town.db, town.botId, id, { userId: BigInt(userId), really })
    expect(await answered(stranger, true)).toBe('not_yours')
    await tap(admin, plan, 1)
    await becomes(admin, plan, text('ru', 'warm-declined'))
    expect(await answered(admin, true)).toBe('declined')
    expect(await answerWarmRun(town.db, town.botId, 'no-such-list', { userId: 1n, really: true })).toBe('old')
    expect(await town.db.videoAsset.count({ where: { name: 'аграфенушка' } })).toBe(0)
  })

  it('takes a file in answer to which /warm is written', async () => {
    await town.telegram.sendDocument({ userId: admin, fileName: 'a.csv', content: 'Фёклуша\n', caption: 'Фёклуша 5' })
    const file = await town.telegram.waitForMessage(admin, ({ caption }) => caption === 'Фёклуша 5')
    await town.telegram.say({ userId: admin, text: '/warm', replyTo: file.message_id, languageCode: 'ru' })
    await town.telegram.waitForMessage(
      admin,
      (each) =>
        each.message_id > file.message_id && each.text?.startsWith(text('ru', 'warm-list', { count: 1 })) === true,
    )
  })

  it.each([
    ['a picture', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a]), text('ru', 'warm-unreadable')],
    ['bytes of no encoding', Buffer.from([0xff, 0x00, 0xd8, 0x01, 0x81, 0x8d]), text('ru', 'warm-unreadable')],
    ['no names', 'a1\nb2\nc3\n', text('ru', 'warm-doubtful', { column: 1 })],
    ['too large a file', Buffer.alloc(5_000_001, 'а\n'), text('ru', 'warm-too-large', { megabytes: 5, count: 50_000 })],
  ])('says what is wrong with %s', async (_what, content, words) => {
    expect((await answerTo(admin, content, '/warm', words)).text).toBe(words)
  })

  it('asks for a file, and takes none from others', async () => {
    expect((await answer(admin, '/warm')).text).toBe(text('ru', 'warm-usage', { megabytes: 5, count: 50_000 }))
    expect((await answerTo(stranger, 'Маша\n', '/warm', '')).text).not.toContain('📋')
    expect(await town.db.warmRun.count({ where: { userId: BigInt(stranger) } })).toBe(0)
  })

  it('nothing of it is kept of an admin who wants to be forgotten', async () => {
    const question = await answer(admin, '/forgetme')
    await tap(admin, question, 0)
    await until(async () => (await town.db.warmRun.count()) === 0, 'the lists to go')
  })
})
