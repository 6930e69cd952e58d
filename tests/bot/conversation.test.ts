/** How the bot talks: what is sure is made, what is unsure costs one tap, and talk is answered in words. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { introduce, setProfile } from '../../src/bot/profile.ts'
import { startBot, type RunningBot } from '../../src/bot/index.ts'
import { startWorker, type RunningWorker } from '../../src/queue/processors/worker.ts'
import type { SandboxMessage } from '../../src/sandbox/client.ts'
import { forgetPerson } from '../../src/greetings/people.ts'
import { forgetShareCodes } from '../../src/greetings/share-codes.ts'
import { deepLinkFor } from '../../src/telegram/deep-link.ts'
import { sharePayload } from '../../src/telegram/share-link.ts'
import { reportedNames } from '../../src/greetings/sound-reports.ts'
import { request } from '../../src/greetings/request.ts'
import { text } from '../../src/texts.ts'
import { plannedRenderer, workerParts } from '../environment/worker-parts.ts'
import { ask, botParts, openTestEnvironment, until, type TestEnvironment } from '../environment/test-environment.ts'

let town: TestEnvironment
let worker: RunningWorker
let bot: RunningBot
/** set by a test that wants to look around before a video is made */
let beforeVideo = async (): Promise<void> => undefined
let people = 30_000
const newPerson = () => people++

beforeAll(async () => {
  town = await openTestEnvironment()
  town.delivery.bot = { id: town.botId, username: 'greetings_test_bot', name: 'С Новым годом', supportsInline: false }
  worker = await startWorker(workerParts(town, await plannedRenderer(town, () => beforeVideo())), 2)
  bot = await startBot(botParts(town))
})
afterAll(async () => {
  await bot.stop(1_000)
  await worker.stop(1_000)
  await town.close()
})

const isFromBot = ({ from }: SandboxMessage) => from?.id === Number(town.botId)

/** A person writes; what the bot says next. */
async function answer(userId: number, words: string, languageCode = 'ru'): Promise<SandboxMessage> {
  const before = (await town.telegram.messages(userId)).at(-1)?.message_id ?? 0
  await town.telegram.say({ userId, text: words, languageCode })
  return town.telegram.waitForMessage(userId, (each) => isFromBot(each) && each.message_id > before)
}

type Button = { text: string; callback_data?: string }
const buttonsOf = (message: SandboxMessage) =>
  ((message.reply_markup as { inline_keyboard?: Button[][] } | undefined)?.inline_keyboard ?? []).flat()

/** A tap on the button with this text; what Telegram shows for a moment. */
async function tap(userId: number, message: SandboxMessage, label: string): Promise<string | undefined> {
  const button = buttonsOf(message).find((each) => each.text === label)
  if (button?.callback_data === undefined)
    throw new Error(`no button “${label}”: ${JSON.stringify(buttonsOf(message))}`)
  const { queryId } = await town.telegram.press({ userId, messageId: message.message_id, data: button.callback_data })
  const shown = await town.telegram.waitFor(() => town.telegram.queryAnswer(queryId), { what: 'the answer to a tap' })
  return shown.text as string | undefined
}

const videosOf = async (userId: number) =>
  (await town.telegram.messages(userId)).filter(({ video }) => video !== undefined).map(({ caption }) => caption)

const video = (userId: number, name: string) =>
  town.telegram.waitForMessage(
    userId,
    ({ video: sent, caption }) => sent !== undefined && caption?.includes(name) === true,
  )

describe('what is sure', () => {
  it.each([
    ['Маша!', 'Маша'],
    ['❤️ маша', 'Маша'],
    ['Поздравьте, пожалуйста, Петю', 'Петя'],
    ['Для моей дочки Маши', 'Маша'],
    ['Happy New Year to Emily please', 'Emily'],
  ])('%s is made at once', async (words, name) => {
    const id = newPerson()
    await town.telegram.say({ userId: id, text: words, languageCode: 'ru' })
    await video(id, name)
    expect(await town.db.question.count({ where: { userId: BigInt(id) } })).toBe(0)
  })

  it('Артем gets the video of Артём, and its own once it has one', async () => {
    const id = newPerson()
    await town.telegram.say({ userId: id, text: 'Артем', languageCode: 'ru' })
    const sent = await video(id, 'Артём')
    expect(await town.db.videoAsset.count({ where: { name: 'артем' } })).toBe(0)
    const exactly = text('ru', 'button-exact-spelling', { name: 'Артем' })
    const [{ id: requestId } = { id: '' }] = await town.db.userRequest.findMany({ where: { userId: BigInt(id) } })
    const other = newPerson()
    await answer(other, '/help')
    await tap(id, sent, exactly)
    await video(id, 'Артем')
    expect((await town.telegram.messages(id)).some(({ message_id }) => message_id === sent.message_id)).toBe(true)
    expect(await town.db.userRequest.count({ where: { userId: BigInt(id), id: { not: requestId } } })).toBe(1)
    // Now it has one of its own, and there is nothing to choose.
    await town.telegram.say({ userId: other, text: 'Артем', languageCode: 'ru' })
    expect(buttonsOf(await video(other, 'Артем')).map((each) => each.text)).not.toContain(exactly)
  })
})

describe('/start', () => {
  beforeAll(async () => {
    await town.db.userRequest.deleteMany()
    await town.db.videoAsset.deleteMany()
  })

  const firstOf = async (languageCode: string) => {
    const id = newPerson()
    return { id, first: await answer(id, '/start', languageCode) }
  }

  it('without a video offers three names to tap, and stays when one is', async () => {
    const { id, first } = await firstOf('en')
    expect(first.text).toBe(text('en', 'welcome'))
    expect(buttonsOf(first).map((each) => each.text)).toEqual(['Liam', 'Emma', 'Noah'])
    await tap(id, first, 'Noah')
    await video(id, 'Noah')
    expect((await town.telegram.messages(id)).some(({ message_id }) => message_id === first.message_id)).toBe(true)
    expect(await town.db.question.count({ where: { userId: BigInt(id) } })).toBe(0)
  })

  it('shows a video that is there, with names to tap: those whose videos are there first', async () => {
    for (const name of ['Мария', 'София', 'Марк', 'Ева', 'Анна']) {
      const id = newPerson()
      await town.telegram.say({ userId: id, text: name, languageCode: 'ru' })
      await video(id, name)
    }
    const { id, first } = await firstOf('ru')
    expect(first.caption).toBe(text('ru', 'welcome'))
    expect(first.video).toBeDefined()
    expect(buttonsOf(first).map((each) => each.text)).toEqual(['Анна', 'Мария', 'Ева'])
    await tap(id, first, 'Анна')
    await video(id, 'Анна')
    expect(await videosOf(id)).toHaveLength(2)
  })

  it('does without the video that Telegram refuses', async () => {
    const fault = await town.telegram.fault({
      method: 'sendVideo',
      times: 1,
      answer: { kind: 'refuse', code: 400, description: 'Bad Request: wrong file identifier/HTTP URL specified' },
    })
    const { first } = await firstOf('ru')
    expect([first.text, first.video]).toEqual([text('ru', 'welcome'), undefined])
    await town.telegram.release(fault.id)
  })
})

describe('a name that comes with something else', () => {
  it('is asked about: under a file, or of a contact', async () => {
    const id = newPerson()
    await answer(id, '/help')
    const next = () =>
      town.telegram.waitForMessage(
        id,
        (each) => isFromBot(each) && buttonsOf(each).length > 0 && each.text !== undefined,
      )
    await town.telegram.sendDocument({
      userId: id,
      fileName: 'card.pdf',
      content: Buffer.from('x'),
      caption: 'Поздравьте Петю',
    })
    const first = await next()
    expect(first.text).toBe(text('ru', 'question-unsure', { name: 'Петя' }))
    expect(buttonsOf(first)[0]?.text).toBe('Петя')
    await tap(id, first, 'Петя')
    await video(id, 'Петя')
    await town.telegram.shareContact({ userId: id, contact: { phoneNumber: '1', firstName: 'Зухрамандия' } })
    const second = await next()
    expect(second.text).toBe(text('ru', 'question-unsure', { name: 'Зухрамандия' }))
  })

  it('a file without a word is answered with one line', async () => {
    const id = newPerson()
    await answer(id, '/help')
    await town.telegram.sendDocument({ userId: id, fileName: 'a.ogg', content: Buffer.from('x'), kind: 'voice' })
    await town.telegram.waitForMessage(id, (each) => each.text === text('ru', 'not-text'))
  })
})

describe('how the bot presents itself', () => {
  it('an operator’s own name and descriptions stay until they are to be set; then nothing is left to do', async () => {
    const { api } = town.delivery
    await api.setMyDescription('Ours', { language_code: 'ru' })
    await introduce(api, town.times)
    const russian = { language_code: 'ru' as const }
    expect((await api.getMyDescription(russian)).description).toBe('Ours')
    expect((await api.getMyShortDescription(russian)).short_description).toBe(text('ru', 'bot-short-description'))
    expect(await setProfile(api)).toBeGreaterThan(1)
    expect((await api.getMyDescription(russian)).description).toBe(text('ru', 'bot-description'))
    expect((await api.getMyName({ language_code: 'uk' })).name).toBe(text('ru', 'bot-name'))
    expect((await api.getMyName()).name).toBe(text('en', 'bot-name'))
    expect(await setProfile(api)).toBe(0)
  })
})

describe('what is unsure', () => {
  it('Latin letters of a Russian speaker are asked about in Russian, known names without a “yes”', async () => {
    const question = await answer(newPerson(), 'masha', 'ru')
    expect(question.text).toBe(text('ru', 'question-which'))
    expect(buttonsOf(question)[0]?.text).toBe('Маша')
    const both = await answer(newPerson(), 'Поздравьте Александра')
    const other = text('ru', 'button-other-name')
    expect(buttonsOf(both).map((each) => each.text)).toEqual(['Александр', 'Александра', other])
  })

  it('is asked about, and one tap makes it; nothing is stored before', async () => {
    const id = newPerson()
    const question = await answer(id, 'Джалантахчандрачапала')
    expect(question.text).toBe(text('ru', 'question-unsure', { name: 'Джалантахчандрачапала' }))
    expect(await town.db.videoAsset.count({ where: { name: 'джалантахчандрачапала' } })).toBe(0)
    const yes = text('ru', 'button-yes-name', { name: 'Джалантахчандрачапала' })
    let release = () => {}
    beforeVideo = () => new Promise<void>((resolve) => (release = resolve))
    // The question is still there, as Telegram does not let it be changed yet.
    const hold = await town.telegram.fault({ method: 'editMessageText', chatId: id, answer: { kind: 'hold' } })
    expect(await tap(id, question, yes)).toBe(text('ru', 'toast-chosen', { name: 'Джалантахчандрачапала' }))
    // A second tap says so and makes nothing.
    expect(await tap(id, question, yes)).toBe(text('ru', 'toast-already', { name: 'Джалантахчандрачапала' }))
    await town.telegram.release(hold.id)
    // The question becomes the note.
    const note = text('ru', 'making', { name: 'Джалантахчандрачапала' })
    expect((await town.telegram.waitForMessage(id, (each) => each.text === note)).message_id).toBe(question.message_id)
    release()
    beforeVideo = async () => undefined
    await video(id, 'Джалантахчандрачапала')
    await until(
      async () => !(await town.telegram.messages(id)).some(({ message_id }) => message_id === question.message_id),
      'the question to go',
    )
    expect(await videosOf(id)).toHaveLength(1)
  })

  it('«да» takes the only name that was offered, and a name of the question is that name', async () => {
    const id = newPerson()
    await answer(id, 'Зухрамандия')
    await town.telegram.say({ userId: id, text: 'да', languageCode: 'ru' })
    await video(id, 'Зухрамандия')
  })

  it('another name is asked for, and the tapped message says so', async () => {
    const id = newPerson()
    const question = await answer(id, 'Александар')
    expect(buttonsOf(question)[0]?.text).toBe('Александр')
    await tap(id, question, text('ru', 'button-other-name'))
    await town.telegram.waitForMessage(id, (each) => each.text === text('ru', 'other-name'))
    expect(await videosOf(id)).toEqual([])
  })

  it('only the person who was asked may answer, and an old button says so kindly', async () => {
    const [id, other] = [newPerson(), newPerson()]
    const question = await answer(id, 'Поздравьте Александра')
    expect(
      buttonsOf(question)
        .slice(0, 2)
        .map((each) => each.text.replace(/[«»]|Да, /g, '')),
    ).toEqual(['Александр', 'Александра'])
    await answer(other, 'Привет')
    const theirs = await answer(other, 'Александар')
    const data = buttonsOf(question)[0]?.callback_data ?? ''
    const press = async (callback: string) => {
      const { queryId } = await town.telegram.press({ userId: other, messageId: theirs.message_id, data: callback })
      return (await town.telegram.waitFor(() => town.telegram.queryAnswer(queryId))).text
    }
    await town.db.question.updateMany({ where: { userId: BigInt(other) }, data: { userId: BigInt(id) } })
    expect(await press(buttonsOf(theirs)[0]?.callback_data ?? '')).toBe(text('ru', 'toast-not-yours'))
    expect(data).toMatch(/^q:/)
    await town.db.question.deleteMany()
    expect(await press(buttonsOf(theirs)[0]?.callback_data ?? '')).toBe(text('ru', 'toast-old'))
  })

  it('a tap that is told again makes nothing twice', async () => {
    const id = newPerson()
    const question = await answer(id, 'Быстрозавра')
    const data = buttonsOf(question)[0]?.callback_data ?? ''
    const { updateId } = await town.telegram.press({ userId: id, messageId: question.message_id, data })
    await video(id, 'Быстрозавра')
    await town.telegram.resend([updateId ?? 0])
    await answer(id, 'спасибо')
    expect(await town.db.userRequest.count({ where: { userId: BigInt(id) } })).toBe(1)
    expect(await videosOf(id)).toHaveLength(1)
  })

  it('a name that three people confirmed is known, and no sooner', async () => {
    const confirm = async () => {
      const id = newPerson()
      const question = await answer(id, 'Кукумандра')
      await tap(id, question, buttonsOf(question)[0]?.text ?? '')
      await video(id, 'Кукумандра')
    }
    const listed = async () => (await town.db.videoAsset.findFirstOrThrow({ where: { name: 'кукумандра' } })).listedAt
    await confirm()
    await confirm()
    expect(await listed()).toBeNull()
    await confirm()
    await until(async () => (await listed()) !== null, 'the name to be known')
    expect(await town.db.nameVote.count({ where: { name: 'кукумандра' } })).toBe(0)
  })
})

describe('sharing', () => {
  it('a video has a button that opens the bot with its name', async () => {
    const id = newPerson()
    await town.telegram.say({ userId: id, text: 'Маша', languageCode: 'ru' })
    const [share] = buttonsOf(await video(id, 'Маша')) as { url?: string }[]
    const link = new URL(new URL(share?.url ?? '').searchParams.get('url') ?? '')
    const other = newPerson()
    await town.telegram.say({ userId: other, text: `/start ${link.searchParams.get('start')}`, languageCode: 'ru' })
    await video(other, 'Маша')
  })

  it('a name too long for a link has a code, which is forgotten with the person', async () => {
    const name = 'Константинопольская Александрина'
    const share = async (id: number, words: string) => {
      await town.telegram.say({ userId: id, text: words, languageCode: 'ru' })
      const [button] = buttonsOf(await video(id, name)) as { url?: string }[]
      return new URL(new URL(button?.url ?? '').searchParams.get('url') ?? '').searchParams.get('start') ?? ''
    }
    const [id, other] = [newPerson(), newPerson()]
    const code = await share(id, `/greet ${name}`)
    expect(code).toMatch(/^s[\w-]{16}$/)
    expect(await sharePayload(town.db, { display: name, chatId: BigInt(id) }, town.delivery.bot)).toBe(code)
    expect(await share(other, `/start ${code}`)).not.toBe(code)
    await town.db.shareCode.updateMany({
      where: { userId: BigInt(other) },
      data: { createdAt: new Date(Date.now() - 91 * 86_400_000) },
    })
    expect(await town.db.shareCode.count()).toBe(2)
    await forgetShareCodes(town.db)
    await forgetPerson(town.db, BigInt(id), `chat:${id}`)
    expect(await town.db.shareCode.count()).toBe(0)
    for (const payload of [code, `s${'x'.repeat(16)}`, 'sss']) {
      const welcomed = await answer(newPerson(), `/start ${payload}`)
      expect(welcomed.text ?? welcomed.caption, payload).toMatch(/^Здравствуйте/)
    }
  })

  it('the caption names the bot with a link, so that a forwarded video brings the next family', async () => {
    const id = newPerson()
    await town.telegram.say({ userId: id, text: 'Маша', languageCode: 'en' })
    const { caption = '', caption_entities } = await video(id, 'Маша')
    const bot = 'С Новым годом'
    expect(caption).toBe(`${text('ru', 'caption', { name: 'Маша' })}\n\n${bot}`)
    const url = 'https://t.me/greetings_test_bot'
    expect(caption_entities).toEqual([{ type: 'text_link', offset: caption.indexOf(bot), length: bot.length, url }])
  })

  it('neither buttons nor a link that Telegram refuses keep the video away', async () => {
    const refused = async (...descriptions: string[]) => {
      const id = newPerson()
      for (const description of descriptions)
        await town.telegram.fault({
          method: 'sendVideo',
          chatId: id,
          answer: { kind: 'refuse', code: 400, description },
        })
      await town.telegram.say({ userId: id, text: 'Маша', languageCode: 'ru' })
      const message = await video(id, 'Маша')
      return { buttons: buttonsOf(message).length, links: message.caption_entities?.length ?? 0 }
    }
    const [url, entity] = ['Bad Request: BUTTON_URL_INVALID', 'Bad Request: entity begins in a middle of a symbol']
    expect(await refused(url)).toEqual({ buttons: 0, links: 1 })
    expect(await refused(entity)).toEqual({ buttons: 3, links: 0 })
    expect(await refused(url, url)).toEqual({ buttons: 0, links: 0 })
  })
})

describe('under a video', () => {
  const press = async (userId: number, messageId: number, data: string) => {
    const { queryId, updateId } = await town.telegram.press({ userId, messageId, data })
    const shown = await town.telegram.waitFor(() => town.telegram.queryAnswer(queryId))
    return { updateId: updateId ?? 0, toast: shown.text as string | undefined }
  }
  const dataOf = (message: SandboxMessage, label: string) =>
    buttonsOf(message).find((each) => each.text === label)?.callback_data ?? ''
  const texts = async (userId: number) => (await town.telegram.messages(userId)).map((each) => each.text)
  const soundsWrong = text('ru', 'button-sounds-wrong')

  it('another name is asked for in a new message, by whoever got the video', async () => {
    const [id, other] = [newPerson(), newPerson()]
    await town.telegram.say({ userId: id, text: 'Маша', languageCode: 'ru' })
    const sent = await video(id, 'Маша')
    const data = dataOf(sent, text('ru', 'button-another'))
    expect(Buffer.byteLength(data)).toBeLessThanOrEqual(64)
    const { updateId } = await press(id, sent.message_id, data)
    await town.telegram.waitForMessage(id, (each) => each.text === text('ru', 'other-name'))
    await town.telegram.resend([updateId])
    // A yes takes no name that was offered before.
    expect((await answer(id, 'да')).text).toBe(text('ru', 'talk-yes'))
    expect((await texts(id)).filter((each) => each === text('ru', 'other-name'))).toHaveLength(1)
    expect(await videosOf(id)).toHaveLength(1)
    await town.telegram.say({ userId: other, text: 'Маша', languageCode: 'ru' })
    const theirs = await video(other, 'Маша')
    const toasts = () =>
      Promise.all(
        [text('ru', 'button-another'), soundsWrong].map(
          async (label) => (await press(other, theirs.message_id, dataOf(theirs, label))).toast,
        ),
      )
    await town.db.userRequest.updateMany({ where: { userId: BigInt(other) }, data: { userId: BigInt(id) } })
    expect(await toasts()).toEqual([text('ru', 'toast-not-yours'), text('ru', 'toast-not-yours')])
    await town.db.userRequest.deleteMany({ where: { userId: BigInt(id) } })
    expect(await toasts()).toEqual([text('ru', 'toast-old'), text('ru', 'toast-old')])
  })

  it('a wrong sound is reported with the stress that is wished, and the new video offered once', async () => {
    const [id, blocked] = [newPerson(), newPerson()]
    for (const userId of [id, blocked]) {
      await town.telegram.say({ userId, text: 'Лилия', languageCode: 'ru' })
      const sent = await video(userId, 'Лилия')
      const { updateId } = await press(userId, sent.message_id, dataOf(sent, soundsWrong))
      const words = text('ru', 'sounds-wrong-question', { name: 'Лилия' })
      const question = await town.telegram.waitForMessage(userId, (each) => each.text === words)
      const choices = ['Ли\u0301лия', 'Лили\u0301я', 'Лилия\u0301', text('ru', 'button-not-stress')]
      expect(buttonsOf(question).map((each) => each.text)).toEqual(choices)
      await town.telegram.resend([updateId])
      await press(userId, question.message_id, dataOf(question, 'Ли\u0301лия'))
      await until(async () => (await texts(userId)).includes(text('ru', 'sounds-wrong-thanks')), 'the thanks')
      // Again: the answer is repeated, and no second report made.
      await press(userId, sent.message_id, dataOf(sent, soundsWrong))
      await until(async () => (await texts(userId)).length >= 4, 'the thanks again')
      expect((await texts(userId)).filter((each) => each === words)).toEqual([])
    }
    const wanted = [{ spelling: 'Ли\u0301лия', count: 2 }]
    expect(await reportedNames(town.db)).toContainEqual({
      name: 'Лилия',
      template: 'tiny',
      say: null,
      count: 2,
      wanted,
    })

    // The operator lists it with another spelling; meanwhile one of them blocks the bot.
    await town.telegram.block(blocked)
    await request(town.door, [{ ...ask('Лилия'), say: 'Ли-лия' }], undefined, {
      revisionNow: async ({ key, say }) => `revision of ${key} as ${say}`,
    })
    const offer = text('ru', 'new-video', { name: 'Лилия' })
    const offered = await town.telegram.waitForMessage(id, (each) => each.text === offer)
    await press(id, offered.message_id, dataOf(offered, text('ru', 'button-new-video')))
    await until(async () => (await videosOf(id)).length === 2, 'the new video')
    await until(async () => (await town.db.soundReport.count({ where: { closedAt: null } })) === 0, 'all to be closed')
    expect(await reportedNames(town.db)).toEqual([])
    // The offer went with the video, and none came after it.
    await until(async () => !(await texts(id)).includes(offer), 'the offer to go')
  })
})

describe('several names', () => {
  it('one tap makes a video for each', async () => {
    const id = newPerson()
    const question = await answer(id, 'Маша, Петя')
    await tap(id, question, text('ru', 'button-each', { count: 2 }))
    await Promise.all([video(id, 'Маша'), video(id, 'Петя')])
    expect(await town.db.userRequest.count({ where: { userId: BigInt(id) } })).toBe(2)
  })

  it('one tap makes one video for all, whose link makes it again; told twice it makes nothing more', async () => {
    const id = newPerson()
    const question = await answer(id, 'Петя и Маша')
    const label = text('ru', 'button-together', { names: 'Маша и Петя' })
    const data = buttonsOf(question).find((each) => each.text === label)?.callback_data ?? ''
    const { updateId, queryId } = await town.telegram.press({ userId: id, messageId: question.message_id, data })
    const sent = await video(id, 'Маша и Петя')
    expect(sent.caption).toContain(text('ru', 'caption-together', { names: 'Маша и Петя' }))
    expect((await town.telegram.queryAnswer(queryId))?.text).toBe(text('ru', 'toast-chosen', { name: 'Маша и Петя' }))
    await town.telegram.resend([updateId ?? 0])
    await answer(id, 'спасибо')
    expect(await videosOf(id)).toHaveLength(1)
    expect(await town.db.videoAsset.count({ where: { name: 'маша & петя' } })).toBe(1)
    expect(await town.db.nameVote.count({ where: { userId: BigInt(id) } })).toBe(0)

    const other = newPerson()
    await town.telegram.say({ userId: other, text: `/start ${deepLinkFor('Маша и Петя')}`, languageCode: 'en' })
    await video(other, 'Маша и Петя')
    expect(await town.db.question.count({ where: { userId: BigInt(other) } })).toBe(0)
  })

  it('a ё that was typed as е is one in the set', async () => {
    const id = newPerson()
    const question = await answer(id, 'Артем и Маша')
    await tap(id, question, text('ru', 'button-together', { names: 'Артем и Маша' }))
    await video(id, 'Артём и Маша')
  })

  it.each(['Маша, Петя, Катя, Ваня', 'Маша и Emily'])('%s: what no video can hold is not offered', async (words) => {
    const together = text('ru', 'button-together', { names: '' }).trim()
    expect(buttonsOf(await answer(newPerson(), words)).filter((each) => each.text.includes(together))).toEqual([])
  })

  it.each(['Петя и Маша', 'Маша и жопа'])(
    'a link that the bot did not write makes nothing at once: %s',
    async (words) => {
      const id = newPerson()
      await answer(id, `/start ${deepLinkFor(words)}`)
      expect(await town.db.userRequest.count({ where: { userId: BigInt(id) } })).toBe(0)
    },
  )
})

describe('talk', () => {
  it.each([
    ['Привет', 'talk-greeting'],
    ['спс', 'talk-thanks'],
    ['сколько ждать?', 'talk-how-long'],
    ['не то имя', 'talk-wrong-name'],
  ] as const)('%s is answered in words', async (words, key) => {
    const id = newPerson()
    expect((await answer(id, words)).text).toBe(text('ru', key))
    expect(await town.db.userRequest.count({ where: { userId: BigInt(id) } })).toBe(0)
  })

  it('an unknown command gets the short help', async () => {
    const id = newPerson()
    expect((await answer(id, '/unknown')).text).toBe(text('ru', 'short-help'))
  })

  it.each(['жопа', 'убей себя'])('%s is refused kindly', async (words) => {
    expect((await answer(newPerson(), words)).text).toBe(text('ru', 'rejected-offensive'))
  })
})

describe('commands', () => {
  it('/greet takes any name, sure', async () => {
    const id = newPerson()
    expect((await answer(id, '/greet')).text).toBe(text('ru', 'greet-usage'))
    await town.telegram.say({ userId: id, text: '/greet Мырзахмедина', languageCode: 'ru' })
    await video(id, 'Мырзахмедина')
  })

  it('/language is kept per person, whatever they write in', async () => {
    const id = newPerson()
    const question = await answer(id, '/language')
    await tap(id, question, 'English')
    await town.telegram.waitForMessage(id, (each) => each.text === text('en', 'language-chosen'))
    expect((await answer(id, 'Привет')).text).toBe(text('en', 'talk-greeting'))
    expect((await town.db.user.findUniqueOrThrow({ where: { id: BigInt(id) } })).chosenLanguage).toBe('en')
  })

  it('without a choice the script in which they write decides, then their Telegram', async () => {
    expect((await answer(newPerson(), 'Привет', 'en')).text).toBe(text('ru', 'talk-greeting'))
    expect((await answer(newPerson(), 'hello', 'ru')).text).toBe(text('en', 'talk-greeting'))
    expect((await answer(newPerson(), '/help', 'kk')).text).toBe(text('ru', 'help'))
    expect((await answer(newPerson(), '/help', 'fr')).text).toBe(text('en', 'help'))
  })

  it('/forgetme removes all that is known of the person', async () => {
    const id = newPerson()
    await town.telegram.say({ userId: id, text: 'Маша', languageCode: 'ru' })
    const sent = await video(id, 'Маша')
    await tap(id, sent, text('ru', 'button-sounds-wrong'))
    await until(() => town.db.soundReport.findFirst({ where: { userId: BigInt(id) } }), 'the report')
    const question = await answer(id, 'Ваксемантий')
    await tap(id, question, buttonsOf(question)[0]?.text ?? '')
    await video(id, 'Ваксемантий')
    const really = await answer(id, '/forgetme')
    await tap(id, really, text('ru', 'button-forget-yes'))
    await town.telegram.waitForMessage(id, (each) => each.text === text('ru', 'forget-done'))
    expect(await rowsWith(id)).toEqual([])
  })
})

/** Tables in which the number occurs anywhere. */
async function rowsWith(id: number): Promise<string[]> {
  const tables = await town.db.$queryRaw<{ name: string }[]>`
    SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`
  const found: string[] = []
  for (const { name } of tables) {
    const rows = await town.db.$queryRawUnsafe<object[]>(
      `SELECT 1 FROM "${name}" AS row WHERE row::text ~ $1 LIMIT 1`,
      `(^|[^0-9])${id}([^0-9]|$)`,
    )
    if (rows.length > 0) found.push(name)
  }
  return found
}
