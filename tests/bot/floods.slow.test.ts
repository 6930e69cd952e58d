/** Property 9: a direct answer waits for nothing but a live 429, which it notes for everybody when it meets one. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startBot, type RunningBot } from '../../src/bot/index.ts'
import { text } from '../../src/texts.ts'
import { connectTelegram } from '../../src/telegram/api.ts'
import { bulkKey, chatKey, pauseBucket, pauseBulk } from '../../src/telegram/flood.ts'
import { watchFloods, type LiveFloods } from '../../src/telegram/live-floods.ts'
import { videoUpload } from '../../src/telegram/storage.ts'
import { makeClip } from '../environment/clip.ts'
import { videosOf } from '../queue/processes.ts'
import { ask, botParts, openTestEnvironment, until, type TestEnvironment } from '../environment/test-environment.ts'

let town: TestEnvironment
let people = 8_000
const newPerson = () => people++
const write = (userId: number, text: string) => town.telegram.say({ userId, text, languageCode: 'ru' })
const resting = async (key: string) =>
  ((await town.db.floodBucket.findUnique({ where: { key } }))?.restUntil?.getTime() ?? 0) > Date.now()

beforeAll(async () => {
  // Long enough for all that happens during a flood of some seconds.
  town = await openTestEnvironment({ timeDivisor: 10 })
  const { key, display } = ask('Агата')
  const { video } = await town.api.sendVideo(String(town.channelId), videoUpload(await makeClip(town.folder)))
  await town.db.videoAsset.create({
    data: {
      template: 'tiny',
      name: key,
      display,
      status: 'AVAILABLE',
      telegramFileId: video.file_id,
      telegramBotId: town.botId,
    },
  })
})
beforeEach(async () => {
  await town.telegram.release()
  await town.db.floodBucket.deleteMany()
  await town.telegram.clearCalls()
})
afterAll(() => town.close())

describe('a flood met by direct answers', () => {
  let bot: RunningBot
  beforeEach(async () => {
    bot = await startBot(botParts(town))
  })
  afterEach(() => bot.stop(1_000))

  it('of the bot is noted for everybody, and nothing runs into it again', async () => {
    await town.telegram.fault({
      method: ['sendVideo', 'sendMessage'],
      answer: { kind: 'flood', retryAfter: 30 },
      times: 1,
    })
    for (const first of [newPerson(), newPerson()]) {
      await write(first, 'Агата')
      await until(() => resting(chatKey(BigInt(first))), 'the note of the flood')
    }
    await until(() => resting(bulkKey), 'the rest of all')
    const others = Array.from({ length: 40 }, newPerson)
    await town.telegram.sayAll(
      others.map((userId) => ({ userId, text: userId % 2 === 0 ? 'Агата' : '/start', languageCode: 'ru' })),
    )
    await until(async () => (await town.telegram.pending()).updateIds.length === 0, 'the questions of all')
    const calls = async () =>
      (await town.telegram.calls()).filter(({ method }) => ['sendVideo', 'sendMessage'].includes(method))
    expect(await calls()).toHaveLength(2)
    await until(
      async () => (await calls()).filter(({ status }) => status === 200).length === 42,
      'an answer for everybody',
    )
    expect((await calls()).length).toBe(44)
    expect((await town.telegram.counts()).early).toBe(1) // the second, who met it before it was known to be the bot's
  })

  it('of one chat is waited for in that chat alone, by the note about a video as well', async () => {
    const [slow, quick] = [newPerson(), newPerson()]
    const fault = await town.telegram.fault({
      method: 'sendMessage',
      chatId: slow,
      answer: { kind: 'flood', retryAfter: 10 },
      times: 1,
    })
    await write(slow, 'Клим')
    await until(() => resting(chatKey(BigInt(slow))), 'the note of the flood')
    await write(quick, 'Агата')
    await town.telegram.waitForMessage(quick, ({ video }) => video !== undefined)
    expect(fault.id).toBeGreaterThan(0)
    await town.telegram.waitForMessage(slow, ({ text: words }) => words === text('ru', 'making', { name: 'Клим' }))
    expect((await town.telegram.counts()).early).toBe(0)
  })

  it('that another process met is waited for too', async () => {
    const id = newPerson()
    await pauseBucket(town.db, bulkKey, 3_000)
    const begun = Date.now()
    // The process reads what rests once in a while.
    await new Promise((resolve) => setTimeout(resolve, 2 * town.times.pollMs))
    await write(id, 'Агата')
    await until(async () => (await videosOf(town, id)) === 1, 'the video')
    expect(Date.now() - begun).toBeGreaterThanOrEqual(2_900)
  })
})

describe('watchFloods', () => {
  let floods: LiveFloods
  const connect = () => {
    floods = watchFloods({ db: town.db, times: town.times })
    const api = connectTelegram({ token: town.token, apiRoot: town.server.url, times: town.times })
    api.config.use(floods.transformer)
    return api
  }
  afterEach(() => floods.close())

  it('two who write too fast are no reason for the others to wait', async () => {
    const api = connect()
    const quiet = newPerson()
    await town.telegram.saveUser({ userId: quiet })
    await write(quiet, '/start')
    for (const loud of [newPerson(), newPerson()]) {
      await write(loud, '/start')
      for (let n = 0; n < 5; n++) await api.sendMessage(loud, 'word')
      await town.telegram.fault({
        method: 'sendMessage',
        chatId: loud,
        answer: { kind: 'flood', retryAfter: 20 },
        times: 1,
      })
      await expect(api.sendMessage(loud, 'too much')).rejects.toMatchObject({ kind: 'flood', retryAfterMs: 2_000 })
      expect(floods.restMs(loud)).toBeGreaterThan(0)
    }
    expect(floods.restMs(quiet)).toBe(0)
    await api.sendMessage(quiet, 'word')
    expect(await resting(bulkKey)).toBe(false)
  })

  it('lets those who waited come back one after the other', async () => {
    const api = connect()
    await pauseBucket(town.db, bulkKey, 2_000)
    await until(async () => floods.restMs(1) > 0, 'the look at the database')
    const back: number[] = []
    for (let chat = 1; chat <= 101; chat++)
      await api
        .sendMessage(chat, 'word')
        .catch((error: { retryAfterMs: number }) => back.push(Date.now() + error.retryAfterMs))
    expect(back).toHaveLength(101)
    // 25 a second: a hundred take four of Telegram's seconds, which here are 400 ms.
    expect((back.at(-1) ?? 0) - (back[0] ?? 0)).toBeGreaterThan(300)
    expect(floods.restMs(1)).toBeLessThanOrEqual(2_000)
    expect(await town.telegram.calls({ method: 'sendMessage' })).toEqual([])
  })
})

describe('pauseBulk', () => {
  it('of a loud chat counts for nobody else, until it is refused without being loud', async () => {
    expect(await pauseBulk(town.db, 1n, 60_000, true)).toBe(false)
    expect(await pauseBulk(town.db, 2n, 60_000)).toBe(false)
    expect(await pauseBulk(town.db, 1n, 60_000)).toBe(true)
  })
})
