/** What those who run the bot can do in their chat with it, and nobody else. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startBot, type RunningBot } from '../../src/bot/index.ts'
import { AssetFault } from '../../src/errors.ts'
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
