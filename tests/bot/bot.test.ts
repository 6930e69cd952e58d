import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { startBot, type BotParts, type RunningBot } from '../../src/bot/index.ts'
import { text } from '../../src/texts.ts'
import { request } from '../../src/greetings/request.ts'
import { parseName } from '../../src/names/name.ts'
import { startWorker, type RunningWorker } from '../../src/queue/processors/worker.ts'
import { videosOf } from '../queue/processes.ts'
import { plannedRenderer, workerParts } from '../environment/worker-parts.ts'
import {
  ask,
  botParts,
  openTestEnvironment,
  quietLog,
  until,
  type TestEnvironment,
} from '../environment/test-environment.ts'

let town: TestEnvironment
let worker: RunningWorker
let bot: RunningBot
/** set by a test that wants to look around before a video is made */
let beforeVideo = async (): Promise<void> => undefined

/** what the log was warned of */
const warned: string[] = []

const parts = (): BotParts =>
  botParts(town, { log: { ...quietLog, warn: (_fields, message) => void warned.push(message) } })

let people = 5_000
const newPerson = () => people++

/** A person writes; the bot's first answer of which `fits` is true. */
async function answerTo(userId: number, text: string, fits: (text: string) => boolean = () => true): Promise<string> {
  const before = (await town.telegram.messages(userId)).at(-1)?.message_id ?? 0
  await town.telegram.say({ userId, text, languageCode: 'ru' })
  const message = await town.telegram.waitForMessage(
    userId,
    (each) => each.from?.id === Number(town.botId) && each.message_id > before && fits(each.text ?? ''),
  )
  return message.text ?? ''
}

/** Makes a name's video before anybody asks. */
async function warm(name: string): Promise<string> {
  const [answer] = await request(town.door, [ask(name)])
  const assetId = answer !== undefined && 'assetId' in answer ? answer.assetId : ''
  await until(
    async () => (await town.db.videoAsset.findUniqueOrThrow({ where: { id: assetId } })).status === 'AVAILABLE',
    'the video',
  )
  return assetId
}

beforeAll(async () => {
  town = await openTestEnvironment()
  worker = await startWorker(workerParts(town, await plannedRenderer(town, () => beforeVideo())), 2)
  bot = await startBot(parts())
})
afterEach(async () => {
  beforeVideo = async () => undefined
  await town.telegram.release()
})
afterAll(async () => {
  await bot.stop(1_000)
  await worker.stop(1_000)
  await town.close()
})

describe('the bot', () => {
  it('explains itself on /start and /help, in the language of the person', async () => {
    const id = newPerson()
    expect(await answerTo(id, '/start')).toBe(text('ru', 'welcome'))
    expect(await answerTo(id, '/help')).toBe(text('ru', 'help'))
    const other = newPerson()
    await town.telegram.say({ userId: other, text: '/help', languageCode: 'en' })
    expect((await town.telegram.waitForMessage(other, ({ from }) => from?.id === Number(town.botId))).text).toBe(
      text('en', 'help'),
    )
  })

  it('whoever writes faster than Telegram lets it answer holds up nobody, and is not answered each time', async () => {
    await warm('Маша')
    const [loud, quiet] = [newPerson(), newPerson()]
    const hold = await town.telegram.fault({ method: 'sendMessage', chatId: loud, answer: { kind: 'hold' } })
    await town.telegram.sayAll(Array.from({ length: 60 }, () => ({ userId: loud, text: '???', languageCode: 'ru' })))
    await town.telegram.waitForHeld(hold.id)
    await town.telegram.say({ userId: quiet, text: 'Маша' })
    await town.telegram.waitForMessage(quiet, ({ video }) => video !== undefined)
    await until(async () => (await town.telegram.pending()).updateIds.length === 0, 'all updates')
    await town.telegram.release(hold.id)
    const answers = async () =>
      (await town.telegram.messages(loud)).filter(({ from }) => from?.id === Number(town.botId)).length
    await until(async () => (await answers()) >= 10, 'the line')
    // When the line has gone everything is answered again.
    expect(await answerTo(loud, '/start')).toBe(text('ru', 'welcome'))
    expect(await answers()).toBeLessThan(15)
  })

  it('that somebody blocked it before it could answer is nothing to tell an operator', async () => {
    const id = newPerson()
    const fault = await town.telegram.fault({
      method: 'sendMessage',
      chatId: id,
      answer: { kind: 'refuse', code: 403, description: 'Forbidden: bot was blocked by the user' },
    })
    await town.telegram.say({ userId: id, text: '/help', languageCode: 'ru' })
    await town.telegram.waitForCalls({ method: 'sendMessage', chatId: id })
    await town.telegram.release(fault.id)
    // Answers of a chat come one after the other.
    expect(await answerTo(id, '/help')).toBe(text('ru', 'help'))
    expect(warned).toEqual([])
  })

  it('answers a hit with the video by file_id, at once and with nothing around it', async () => {
    await warm('Маша')
    const id = newPerson()
    await town.telegram.say({ userId: id, text: ' мАША ' })
    const video = await town.telegram.waitForMessage(id, (message) => message.video !== undefined)
    expect(video.caption).toBe(text('ru', 'caption', { name: 'Маша' }))
    const calls = (await town.telegram.calls({ chatId: id })).map(({ method, upload }) => `${method} ${upload}`)
    expect(calls).toEqual(['sendVideo file_id'])
    expect(await town.db.userRequest.findFirst({ where: { userId: BigInt(id) } })).toMatchObject({ hit: true })
  })

  it('on a miss says that it is made, shows it, sends the video and takes the note away', async () => {
    let release = () => {}
    beforeVideo = () => new Promise<void>((resolve) => (release = resolve))
    const id = newPerson()
    expect(await answerTo(id, 'Милана')).toBe(text('ru', 'making', { name: 'Милана' }))
    const [action] = await town.telegram.waitForCalls({ method: 'sendChatAction', chatId: id })
    expect(action?.parameters.action).toBe('record_video')

    // Asking again changes nothing but the answer.
    expect(await answerTo(id, 'милана')).toBe(text('ru', 'still-making', { name: 'Милана' }))
    release()
    await town.telegram.waitForMessage(id, (message) => message.video !== undefined)
    await town.telegram.waitFor(
      async () =>
        !(await town.telegram.messages(id)).some(
          ({ text: words }) => words === text('ru', 'making', { name: 'Милана' }),
        ),
      { what: 'the note going away' },
    )
    expect(await videosOf(town, id)).toBe(1)
    expect(await town.db.userRequest.count({ where: { userId: BigInt(id) } })).toBe(1)
  })

  it.each(['12345', '小明', 'М'])('tells why “%s” is no name', async (words) => {
    const parsed = parseName(words, { extraScripts: [] })
    expect(await answerTo(newPerson(), words)).toBe(parsed.ok ? '' : text('ru', `rejected-${parsed.reason}`))
  })

  it.each(['👶', '!!!', 'https://example.com', '/cancel'])('answers “%s” in words and makes nothing', async (words) => {
    const id = newPerson()
    expect((await answerTo(id, words)).length).toBeGreaterThan(10)
    expect(await town.db.userRequest.count({ where: { userId: BigInt(id) } })).toBe(0)
  })

  it('takes a name as text only: never as a file, an option or a format', async () => {
    const id = newPerson()
    for (const text of [
      '$(touch /tmp/x)',
      '../../etc/passwd',
      '\'; DROP TABLE "User"; --',
      '<b>Маша</b>',
      '%n%s',
      '-i',
      'a\u202Eb',
      '\u0000Маша',
      '🏳️‍🌈'.repeat(1_000),
      'Z̸̡͝a̵l̶g̵o'.repeat(300),
      'ы'.repeat(4_096),
    ]) {
      await answerTo(id, text)
    }
    expect(await answerTo(id, '/start')).toBe(text('ru', 'welcome'))
  })

  it('property 9: a 429 in one chat delays nobody else', async () => {
    await warm('Ника')
    const slow = newPerson()
    const quick = newPerson()
    await town.telegram.fault({ method: 'sendVideo', chatId: slow, answer: { kind: 'flood', retryAfter: 50 } })
    await town.telegram.say({ userId: slow, text: 'Ника' })
    await town.telegram.waitForCalls({ method: 'sendVideo', chatId: slow })
    await town.telegram.say({ userId: quick, text: 'Ника' })
    await town.telegram.waitForMessage(quick, (message) => message.video !== undefined)
    expect(await videosOf(town, slow)).toBe(0)
    await town.telegram.waitForMessage(slow, (message) => message.video !== undefined)
    expect((await town.telegram.counts()).early).toBe(0)
  })

  it('property 8: a person who blocks the bot fails alone', async () => {
    await warm('Олег')
    const id = newPerson()
    const other = newPerson()
    // Heard while the answer is held: the block comes before the video.
    const hold = await town.telegram.fault({ method: 'sendVideo', chatId: id, answer: { kind: 'hold' } })
    await town.telegram.say({ userId: id, text: 'Олег' })
    await town.telegram.waitForHeld(hold.id)
    await town.telegram.block(id)
    await town.telegram.release()
    await until(
      async () => (await town.db.userRequest.findFirst({ where: { userId: BigInt(id) } }))?.status === 'FAILED',
      'the request failing',
    )
    await town.telegram.say({ userId: other, text: 'Олег' })
    await town.telegram.waitForMessage(other, (message) => message.video !== undefined)
  })

  it('property 6: an update that comes again makes no second video', async () => {
    const id = newPerson()
    const updateId = await town.telegram.say({ userId: id, text: 'Полина' })
    await town.telegram.waitForMessage(id, (message) => message.video !== undefined)
    await until(
      async () => (await town.db.userRequest.findFirst({ where: { userId: BigInt(id) } }))?.status === 'COMPLETED',
      'the record of it',
    )
    expect(await town.telegram.resend([updateId ?? 0])).toBe(1)
    // Updates of a chat are answered in order, so whatever the second one causes comes before this.
    await answerTo(id, '/help', (words) => words === text('ru', 'help'))
    expect(await videosOf(town, id)).toBe(1)
    expect(await town.db.userRequest.count({ where: { userId: BigInt(id) } })).toBe(1)
  })

  it('property 11: while Telegram is out of order nothing is lost', async () => {
    const id = newPerson()
    await town.telegram.fault({ method: 'getUpdates', times: 2, answer: { kind: 'html', code: 502 } })
    await town.telegram.fault({ method: 'sendVideo', upload: 'file_id', times: 2, answer: { kind: 'html', code: 502 } })
    await town.telegram.say({ userId: id, text: 'Роман' })
    await town.telegram.waitForMessage(id, (message) => message.video !== undefined)
    expect(await videosOf(town, id)).toBe(1)
  })
})

it('a bot that has stopped looks at nothing any more', async () => {
  await bot.stop(1_000)
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  try {
    bot = await startBot(parts())
    expect(vi.getTimerCount()).toBeGreaterThan(0)
    await bot.stop(1_000)
    expect(vi.getTimerCount()).toBe(0)
  } finally {
    vi.useRealTimers()
  }
  bot = await startBot(parts())
})

describe('a bot with a webhook', () => {
  const secret = 'a-secret-of-the-webhook'
  let port = 0
  let update = 900_000_000

  async function tell(
    body: unknown,
    headers: Record<string, string> = { 'x-telegram-bot-api-secret-token': secret },
  ): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${port}/`, {
      method: 'POST',
      headers,
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
    return response.status
  }
  const from = (id: number) => ({ id, is_bot: false, first_name: 'Somebody', language_code: 'ru' })
  const message = (id: number, content: object) => ({
    message_id: 1,
    date: 1,
    chat: { id, type: 'private', first_name: 'Somebody' },
    from: from(id),
    ...content,
  })
  const command = (text: string) => ({ text, entities: [{ type: 'bot_command', offset: 0, length: text.length }] })
  const lastWord = (id: number, text: string) => town.telegram.waitForMessage(id, (each) => each.text === text)

  beforeAll(async () => {
    await bot.stop(1_000)
    const log = { ...quietLog, info: (fields: object) => void ('port' in fields && (port = Number(fields.port))) }
    bot = await startBot({ ...parts(), webhook: { url: 'http://127.0.0.1:9/unused', secret, port: 0 }, log })
  })

  async function known(): Promise<number> {
    const id = newPerson()
    // The update goes to the address that nobody listens at; the person is known from then on.
    await town.telegram.say({ userId: id, text: '/start' })
    return id
  }

  it('tells Telegram its address, its secret and what it wants to hear', async () => {
    const [call] = await town.telegram.calls({ method: 'setWebhook' })
    expect(call?.parameters).toMatchObject({ url: 'http://127.0.0.1:9/unused', secret_token: secret })
    expect(port).toBeGreaterThan(0)
  })

  it('hears nobody without the secret', async () => {
    const id = await known()
    const body = { update_id: update++, message: message(id, command('/start')) }
    expect(await tell(body, {})).toBe(401)
    expect(await tell(body, { 'x-telegram-bot-api-secret-token': 'guessed' })).toBe(401)
    expect(await tell('no json')).toBe(400)
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404)
    expect(await tell({ ...body, message: message(id, command('/help')) })).toBe(200)
    await lastWord(id, text('ru', 'help'))
    expect((await town.telegram.calls({ chatId: id })).length).toBe(1)
  })

  it.each([
    { what: 'a photo', content: { photo: [{ file_id: 'x', file_unique_id: 'x', width: 1, height: 1 }] } },
    {
      what: 'a sticker',
      content: {
        sticker: {
          file_id: 'x',
          file_unique_id: 'x',
          type: 'regular',
          width: 1,
          height: 1,
          is_animated: false,
          is_video: false,
        },
      },
    },
    { what: 'a voice message', content: { voice: { file_id: 'x', file_unique_id: 'x', duration: 1 } } },
    { what: 'a place', content: { location: { latitude: 0, longitude: 0 } } },
    { what: 'an empty message', content: {} },
  ])('answers $what with what it understands', async ({ content }) => {
    const id = await known()
    expect(await tell({ update_id: update++, message: message(id, content) })).toBe(200)
    await lastWord(id, text('ru', 'not-text'))
  })

  it('confirms an update whose answer takes long after a second, as nothing repeats the answer', async () => {
    const id = await known()
    const hold = await town.telegram.fault({ method: 'sendMessage', chatId: id, answer: { kind: 'hold' } })
    const told = tell({ update_id: update++, message: message(id, command('/help')) })
    await town.telegram.waitForHeld(hold.id)
    const within = (ms: number) =>
      Promise.race([told, new Promise((resolve) => setTimeout(resolve, ms, 'not confirmed'))])
    expect(await within(300)).toBe('not confirmed')
    expect(await within(1_300)).toBe(200)
    await town.telegram.release(hold.id)
    await lastWord(id, text('ru', 'help'))
  })

  it('takes an edited message as a new wish', async () => {
    await warm('Севастьян')
    const id = await known()
    expect(
      await tell({ update_id: update++, edited_message: { ...message(id, { text: 'Севастьян' }), edit_date: 2 } }),
    ).toBe(200)
    await town.telegram.waitForMessage(id, (each) => each.video !== undefined)
  })

  it('outlives what Telegram would never send', async () => {
    const id = await known()
    const odd = [
      {},
      { update_id: update++ },
      { update_id: update++, message: null },
      { update_id: 'x', message: {} },
      { update_id: update++, my_chat_member: {} },
      { update_id: update++, message: { chat: { id } } },
      [],
      null,
      'text',
      7,
    ]
    for (const each of odd) await tell(each)
    await tell({ update_id: update++, message: message(id, { text: 'я'.repeat(450_000) }) })
    await tell({ update_id: update++, message: message(id, { text: 'я'.repeat(1_000_000) }) }).catch(() => undefined)
    expect(await tell({ update_id: update++, message: message(id, command('/help')) })).toBe(200)
    await lastWord(id, text('ru', 'help'))
  })

  it('property 6: an update told twice at the same time makes one request', async () => {
    const id = await known()
    const body = { update_id: update++, message: message(id, { text: 'Тихон' }) }
    expect(await Promise.all([tell(body), tell(body), tell(body)])).toEqual([200, 200, 200])
    await town.telegram.waitForMessage(id, (each) => each.video !== undefined)
    expect(await tell(body)).toBe(200)
    expect(await town.db.userRequest.count({ where: { userId: BigInt(id) } })).toBe(1)
    expect(await videosOf(town, id)).toBe(1)
  })
})
