/** Other chats than a person's own: inline queries, groups, and chats that the bot never joined. */
import { createServer } from 'node:net'
import type { Update } from 'grammy/types'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startBot, type RunningBot } from '../../src/bot/index.ts'
import { namesIn } from '../../src/bot/query-names.ts'
import { openBot } from '../../src/bot/video-result.ts'
import { startWorker, type RunningWorker } from '../../src/queue/processors/worker.ts'
import type { SandboxMessage } from '../../src/sandbox/client.ts'
import { deepLinkFor, readDeepLink } from '../../src/telegram/deep-link.ts'
import { videoUpload } from '../../src/telegram/storage.ts'
import { text } from '../../src/texts.ts'
import { makeClip } from '../environment/clip.ts'
import { plannedRenderer, workerParts } from '../environment/worker-parts.ts'
import { botParts, openTestEnvironment, until, type TestEnvironment } from '../environment/test-environment.ts'

let town: TestEnvironment
let worker: RunningWorker
let bot: RunningBot
let fileId: string
let people = 40_000
const newPerson = () => people++
const username = 'greetings_test_bot'

/** Known to nobody, and somebody's video. */
const secretName = 'Зябликоватёнков'

beforeAll(async () => {
  town = await openTestEnvironment()
  worker = await startWorker(workerParts(town, await plannedRenderer(town)), 2)
  bot = await startBot(botParts(town))
  const { video } = await town.api.sendVideo(town.channelId, videoUpload(await makeClip(town.folder)))
  fileId = video.file_id
  for (const name of ['Маша', 'Марина', 'Марк', 'Даша', 'Артём', 'Emma', secretName]) await put(name)
})
afterAll(async () => {
  await bot.stop(1_000)
  await worker.stop(1_000)
  await town.close()
})

/** A video in the cache. */
async function put(display: string): Promise<string> {
  const { id } = await town.db.videoAsset.create({
    data: {
      template: 'tiny',
      name: display.toLowerCase(),
      display,
      status: 'AVAILABLE',
      telegramFileId: fileId,
      telegramBotId: town.botId,
    },
  })
  return id
}

/** What is offered to somebody who types `@bot query`. */
async function offered(query: string, userId = newPerson()) {
  const answer = await town.telegram.inline({ userId, query, languageCode: 'ru' })
  return { ...answer, titles: answer.results.map(({ title }) => title as string) }
}

describe('inline queries', () => {
  it('offer the name first, in any case, ё being е, and then known names that begin so', async () => {
    const { titles, results, cache_time, is_personal, button } = await offered('маша')
    expect(titles).toEqual(['Маша'])
    expect({ cache_time, is_personal, button }).toEqual({ cache_time: 60, is_personal: true, button: undefined })
    expect(results[0]).toMatchObject({
      type: 'video',
      caption: expect.stringContaining(text('ru', 'caption', { name: 'Маша' })) as unknown,
      reply_markup: { inline_keyboard: [[{ url: `https://t.me/${username}?start=${openBot}` }]] },
    })
    const beginnings = (await offered('мар')).titles
    expect(beginnings.toSorted()).toEqual(['Марина', 'Марк'])
    expect((await offered('АРТЕМ')).titles[0]).toBe('Артём')
    expect((await offered('для Маши')).titles[0]).toBe('Маша')
    expect((await offered('')).titles).toEqual(['Артём', 'Марк', 'Emma'])
  })

  it('a miss is not kept, and its button opens the bot with that name', async () => {
    const { titles, cache_time, button } = await offered('Джалантахчан')
    expect([titles, cache_time]).toEqual([[], 0])
    expect(button?.text).toBe(text('ru', 'inline-miss', { name: 'Джалантахчан' }))
    expect(readDeepLink(button?.start_parameter ?? '')).toBe('Джалантахчан')
    const tooLong = await offered('Константиновладиславопольский')
    expect(tooLong.button).toEqual({ text: text('ru', 'inline-start'), start_parameter: openBot })
    expect((await offered('жопа')).button).toEqual({ text: text('ru', 'inline-start'), start_parameter: openBot })
  })

  it('a name that merely has a video is offered to whoever types all of it, and to nobody else', async () => {
    const folded = secretName.toLowerCase()
    for (const query of [folded, folded.replace('ё', 'е'), secretName.toUpperCase()])
      expect((await offered(query)).titles, query).toEqual([secretName])
    const beginnings = [...folded].slice(0, -1).map((_, end) => folded.slice(0, end + 1))
    const slips = [...folded].flatMap((_, at) => [
      folded.slice(0, at) + folded.slice(at + 1),
      `${folded.slice(0, at)}щ${folded.slice(at + 1)}`,
    ])
    const isMarker = (query: string) => query.replaceAll('ё', 'е') === folded.replaceAll('ё', 'е')
    const rules = botParts(town)
    for (const query of ['', ...beginnings, ...slips].filter((each) => !isMarker(each))) {
      const { exact, others } = namesIn(query, 'ru', rules)
      expect(
        [...exact, ...others].filter(({ key }) => isMarker(key)),
        query,
      ).toEqual([])
    }
    for (const query of [beginnings.at(-1) ?? '', slips[0] ?? ''])
      expect(JSON.stringify((await offered(query)).results), query).not.toContain(secretName)
  })

  it('what is chosen is a hit, and nothing of it is stored with the person', async () => {
    const userId = newPerson()
    const hits = async () => {
      const { _sum } = await town.db.requestCount.aggregate({ _sum: { count: true }, where: { hit: true } })
      return _sum.count ?? 0
    }
    const before = await hits()
    const { queryId, results } = await offered('Даша', userId)
    await town.telegram.chooseInline({ queryId, resultId: results[0]?.id ?? '' })
    await until(async () => (await hits()) === before + 1, 'the hit to be counted')
    expect(await town.db.user.count({ where: { id: BigInt(userId) } })).toBe(0)
    expect(await town.db.heldUpdate.count()).toBe(0)
    // Their own chat shows it, too: that is no question.
    await town.telegram.say({ userId, text: '/start', languageCode: 'ru' })
    await town.telegram.waitForMessage(userId, isFromBot)
    const again = await offered('Даша', userId)
    await town.telegram.chooseInline({ queryId: again.queryId, resultId: results[0]?.id ?? '', chatId: userId })
    await town.telegram.say({ userId, text: 'спасибо', languageCode: 'ru' })
    const said = await town.telegram.waitForMessage(userId, (each) => each.text === text('ru', 'talk-thanks'))
    expect((await town.telegram.messages(userId)).filter(isFromBot)).toHaveLength(2)
    expect(said.message_id).toBe(5)
  })

  it('are answered while an update of the same person waits, and when a file is lost', async () => {
    const hold = await town.telegram.fault({ method: 'sendMessage', answer: { kind: 'hold' } })
    const userId = newPerson()
    await town.telegram.say({ userId, text: 'привет', languageCode: 'ru' })
    await town.telegram.waitForHeld(hold.id)
    expect((await offered('Маша', userId)).titles).toEqual(['Маша'])
    await town.telegram.release(hold.id)

    await town.telegram.fault({
      method: 'answerInlineQuery',
      answer: { kind: 'refuse', code: 400, description: 'Bad Request: wrong file identifier/HTTP URL specified' },
    })
    expect(await offered('Маша')).toMatchObject({
      titles: [],
      cache_time: 0,
      button: { start_parameter: deepLinkFor('Маша') },
    })
  })
})

const isFromBot = ({ from }: SandboxMessage) => from?.id === Number(town.botId)

/** A group, and a person there. */
async function group(isMember = true) {
  const [chatId, userId] = [await town.telegram.createChannel({ type: 'supergroup', title: 'Family' }), newPerson()]
  await town.telegram.saveUser({ userId, languageCode: 'ru' })
  if (isMember) await town.telegram.setMember({ chatId, status: 'member', by: userId })
  return {
    chatId,
    userId,
    say: (words: string, more: { replyTo?: number; userId?: number } = {}) =>
      town.telegram.say({ userId, chatId, text: words, languageCode: 'ru', ...more }),
    hears: (words: string) => town.telegram.waitForMessage(chatId, (each) => each.text === words),
    sees: (name: string) =>
      town.telegram.waitForMessage(chatId, (each) => each.video !== undefined && each.caption?.includes(name) === true),
    ofBot: async () => (await town.telegram.messages(chatId)).filter(isFromBot),
  }
}

describe('groups', () => {
  it('are told how it works, answered when they address the bot, and otherwise left in peace', async () => {
    const family = await group()
    const welcome = await family.hears(text('ru', 'group-welcome'))
    await town.telegram.setSwitches({ groupPrivacy: false })
    await family.say('Петя')
    await family.say('/unknown')
    await family.say('/greet@another_bot Петя')
    await town.telegram.setSwitches({ groupPrivacy: true })
    await family.say('/greet Маша')
    await family.sees('Маша')
    await family.say(`/greet@${username} Даша`)
    await family.sees('Даша')
    await family.say(`@${username}, для Артёма`)
    await family.sees('Артём')
    await family.say('Emma', { replyTo: welcome.message_id })
    await family.sees('Emma')
    await family.say(`@${username}`)
    await family.hears(text('ru', 'group-usage'))
    expect(await family.ofBot()).toHaveLength(6)
    expect(await town.db.userRequest.count({ where: { userId: BigInt(family.userId) } })).toBe(4)
  })

  it('a question there is answered by whoever was asked', async () => {
    const family = await group()
    await family.say(`@${username} Александар`)
    const question = await family.hears(text('ru', 'question-which'))
    const [[{ callback_data: data = '' } = {}] = []] =
      (question.reply_markup as { inline_keyboard?: { callback_data?: string }[][] }).inline_keyboard ?? []
    const stranger = newPerson()
    await family.say('привет', { userId: stranger })
    const tap = async (userId: number) => {
      const { queryId } = await town.telegram.press({
        userId,
        chatId: family.chatId,
        messageId: question.message_id,
        data,
      })
      return (await town.telegram.waitFor(() => town.telegram.queryAnswer(queryId))).text
    }
    expect(await tap(stranger)).toBe(text('ru', 'toast-not-yours'))
    expect(await tap(family.userId)).toBe(text('ru', 'toast-chosen', { name: 'Александр' }))
    await family.sees('Александр')
  })

  it('a bot that is thrown out gives up what is asked there, and a group that moves keeps its video', async () => {
    const [thrownOut, moving] = [await group(), await group()]
    await thrownOut.hears(text('ru', 'group-welcome'))
    await moving.hears(text('ru', 'group-welcome'))
    const hold = await town.telegram.fault({ method: 'sendVideo', answer: { kind: 'hold' } })
    await thrownOut.say('/greet Маша')
    await moving.say('/greet Маша')
    await town.telegram.waitForHeld(hold.id, 2)
    await town.telegram.setMember({ chatId: thrownOut.chatId, status: 'kicked', by: thrownOut.userId })
    const moved = await town.telegram.migrate(moving.chatId)
    await town.telegram.release(hold.id)
    await town.telegram.waitForMessage(moved, ({ video }) => video !== undefined)
    const statusOf = async ({ userId }: { userId: number }) =>
      (await town.db.userRequest.findFirst({ where: { userId: BigInt(userId) } }))?.status
    await until(async () => (await statusOf(thrownOut)) === 'FAILED', 'the request to be given up')
    await until(async () => (await statusOf(moving)) === 'COMPLETED', 'the video to be delivered')
  })
})

describe('chats that the bot never joined', () => {
  it('get the video, or one line with a button that opens the bot', async () => {
    const family = await group(false)
    await family.say(`@${username} маша`)
    expect(await family.sees('Маша')).toMatchObject({ guest_bot_caller_user: { id: family.userId } })
    await family.say(`@${username} Джалантахчан`)
    const miss = await family.hears(text('ru', 'guest-miss', { name: 'Джалантахчан' }))
    expect(JSON.stringify(miss.reply_markup)).toContain(`?start=${deepLinkFor('Джалантахчан')}`)
    await family.say(`@${username}`)
    await family.hears(text('ru', 'guest-usage', { bot: username }))
    await town.telegram.fault({
      method: 'answerGuestQuery',
      answer: { kind: 'refuse', code: 400, description: 'Bad Request: wrong file identifier/HTTP URL specified' },
    })
    await family.say(`@${username} Даша`)
    await family.hears(text('ru', 'guest-miss', { name: 'Даша' }))
    expect(await town.db.user.count({ where: { id: BigInt(family.userId) } })).toBe(0)
  })
})

describe('a webhook', () => {
  it('brings all of it; channels and business chats are not answered', async () => {
    await bot.stop(1_000)
    const { url, port } = await freePort()
    bot = await startBot(botParts(town, { webhook: { url, secret: 'secret', port } }))
    expect((await offered('Маша')).titles).toEqual(['Маша'])
    const family = await group(false)
    await family.say(`@${username} Маша`)
    await family.sees('Маша')
    await town.telegram.setMember({ chatId: family.chatId, status: 'member', by: family.userId })
    await family.hears(text('ru', 'group-welcome'))

    await town.telegram.clearCalls()
    const chat = { id: -1_001_234_567_890, type: 'channel' as const, title: 'C' }
    const message = { message_id: 1, date: 1, text: 'Маша' }
    const from = { id: 5, is_bot: false, first_name: 'A' }
    const others: Partial<Update>[] = [
      { channel_post: { ...message, chat, sender_chat: chat } },
      { business_message: { ...message, chat: { id: 5, type: 'private', first_name: 'A' }, from } },
      { inline_query: { id: '1', from, query: 'x'.repeat(5_000), offset: '' } },
      { guest_message: { ...message, chat: { ...chat, type: 'group' }, from } },
    ]
    for (const [index, update] of others.entries()) {
      const answer = await fetch(`http://127.0.0.1:${port}/`, {
        method: 'POST',
        headers: { 'x-telegram-bot-api-secret-token': 'secret' },
        body: JSON.stringify({ update_id: index + 1, ...update }),
      })
      expect(answer.status).toBe(200)
    }
    expect((await offered('Марк')).titles).toEqual(['Марк'])
    expect((await town.telegram.calls()).map(({ method }) => method)).not.toContain('sendMessage')
  })
})

async function freePort(): Promise<{ url: string; port: number }> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return { url: `http://127.0.0.1:${port}/`, port }
}
