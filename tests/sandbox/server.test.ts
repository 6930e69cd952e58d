import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Api, Bot, GrammyError, HttpError, InputFile } from 'grammy'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { sandboxControl } from '../../src/sandbox/client.ts'
import type { SandboxControl } from '../../src/sandbox/client.ts'
import { startSandboxServer } from '../../src/sandbox/server.ts'
import type { SandboxServer } from '../../src/sandbox/server.ts'
import { makeClips } from './clips.ts'
import type { Clips } from './clips.ts'

const token = '7000000001:AAtesttokentesttokentesttokentestAB'
const otherToken = '7000000002:AAtesttokentesttokentesttokentestCD'
const botId = 7_000_000_001
const otherBotId = 7_000_000_002

let clips: Clips
let folder: string
let server: SandboxServer
let sandbox: SandboxControl
let api: Api

beforeAll(async () => {
  clips = await makeClips()
})

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sandbox-'))
  server = await startSandboxServer({ folder, timeDivisor: 20 })
  sandbox = sandboxControl(server.url)
  await sandbox.registerBot({ token, username: 'greetings_bot', firstName: 'Greetings' })
  api = new Api(token, { apiRoot: server.url })
})

afterEach(async () => {
  await server.close()
  await rm(folder, { recursive: true, force: true })
})

afterAll(async () => {
  await rm(join(clips.video, '..'), { recursive: true, force: true })
})

/** What a call was refused with. */
async function refusal(call: Promise<unknown>): Promise<{ code: number; description: string; parameters?: unknown }> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof GrammyError)) throw new Error('expected a refusal', { cause: error })
  return { code: error.error_code, description: error.description, parameters: error.parameters }
}

async function raw(path: string, init?: RequestInit): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${server.url}${path}`, init)
  return { status: response.status, body: await response.json() }
}

async function channel(): Promise<number> {
  return sandbox.createChannel({ title: 'Storage', admins: [botId] })
}

const upload = (chat: number) =>
  api.sendVideo(chat, new InputFile(clips.video, 'greeting.mp4'), {
    width: 720,
    height: 1280,
    duration: 18,
    supports_streaming: true,
    thumbnail: new InputFile(clips.picture, 'poster.jpg'),
  })

describe('tokens and methods', () => {
  it('knows the bot of a token, also of its rotated token', async () => {
    const rotated = '7000000001:BBtesttokentesttokentesttokentestXY'
    await sandbox.registerBot({ token: rotated })
    expect(await new Api(rotated, { apiRoot: server.url }).getMe()).toMatchObject({
      id: botId,
      is_bot: true,
      username: 'greetings_bot',
      first_name: 'Greetings',
      supports_inline_queries: true,
    })
    await sandbox.revokeToken(token)
    expect(await refusal(api.getMe())).toMatchObject({ code: 401, description: 'Unauthorized' })
  })

  it('refuses an unknown token with 401, a malformed one and an unknown method with 404', async () => {
    expect(await raw(`/bot${otherToken}/getMe`)).toEqual({
      status: 401,
      body: { ok: false, error_code: 401, description: 'Unauthorized' },
    })
    expect(await raw('/botnonsense/getMe')).toEqual({
      status: 404,
      body: { ok: false, error_code: 404, description: 'Not Found' },
    })
    expect(await raw(`/bot${token}/sendLove`)).toEqual({
      status: 404,
      body: { ok: false, error_code: 404, description: 'Not Found: method not found' },
    })
  })

  it('takes parameters as JSON, form, query and multipart alike', async () => {
    await sandbox.say({ userId: 5, text: '/start' })
    const form = new FormData()
    form.set('chat_id', '5')
    form.set('text', 'Привет')
    const ways: [string, RequestInit?][] = [
      [`/bot${token}/sendMessage?chat_id=5&text=${encodeURIComponent('Привет')}`],
      [
        `/bot${token}/SENDMESSAGE`,
        {
          method: 'POST',
          body: JSON.stringify({ chat_id: 5, text: 'Привет' }),
          headers: { 'content-type': 'application/json' },
        },
      ],
      [`/bot${token}/sendMessage`, { method: 'POST', body: new URLSearchParams({ chat_id: '5', text: 'Привет' }) }],
      [`/bot${token}/sendMessage`, { method: 'POST', body: form }],
    ]
    for (const [path, init] of ways)
      expect(await raw(path, init)).toMatchObject({
        status: 200,
        body: { ok: true, result: { text: 'Привет', chat: { id: 5, type: 'private' } } },
      })
    expect((await sandbox.messages(5)).map((message) => message.message_id)).toEqual([1, 2, 3, 4, 5])
  })

  it('refuses pages of other sites', async () => {
    const { request } = await import('node:http')
    const status = (headers: Record<string, string>) =>
      new Promise((resolve, reject) => {
        request(`${server.url}/sandbox/world`, { headers }, (response) => resolve(response.resume().statusCode))
          .on('error', reject)
          .end()
      })
    expect(await status({})).toBe(200)
    expect(await status({ host: 'rebound.example:80' })).toBe(403)
    expect(await status({ origin: 'https://evil.example' })).toBe(403)
    expect(await status({ origin: 'null' })).toBe(403)
    expect(await status({ 'sec-fetch-site': 'cross-site' })).toBe(403)
  })
})

describe('chats', () => {
  it('has a private chat only once the person wrote', async () => {
    await sandbox.saveUser({ userId: 5, firstName: 'Оля' })
    expect(await refusal(api.sendMessage(5, 'hi'))).toMatchObject({
      code: 400,
      description: 'Bad Request: chat not found',
    })
    await sandbox.say({ userId: 5, text: '/start' })
    expect(await api.sendMessage(5, 'hi')).toMatchObject({
      message_id: 2,
      from: { id: botId, is_bot: true },
      chat: { id: 5, first_name: 'Оля', type: 'private' },
      text: 'hi',
    })
    expect(await api.getChat(5)).toMatchObject({ id: 5, type: 'private', first_name: 'Оля' })
  })

  it('tells blocked, deactivated and never met apart', async () => {
    for (const userId of [5, 6]) await sandbox.say({ userId, text: '/start' })
    await sandbox.block(5)
    await sandbox.deleteUser(6)
    await sandbox.askInline({ userId: 7, query: '' })
    expect(await refusal(api.sendMessage(5, 'hi'))).toMatchObject({
      code: 403,
      description: 'Forbidden: bot was blocked by the user',
    })
    expect(await refusal(api.sendMessage(6, 'hi'))).toMatchObject({
      code: 403,
      description: 'Forbidden: user is deactivated',
    })
    expect(await refusal(api.sendMessage(7, 'hi'))).toMatchObject({
      code: 403,
      description: "Forbidden: bot can't initiate conversation with a user",
    })
    await sandbox.unblock(5)
    expect(await api.sendMessage(5, 'hi')).toMatchObject({ text: 'hi' })
    const kinds = (await api.getUpdates())
      .map((update) => update.my_chat_member?.new_chat_member.status)
      .filter(Boolean)
    expect(kinds).toEqual(['kicked', 'member'])
  })

  it('lets a bot post to a channel only with the right to', async () => {
    const id = await channel()
    expect(id).toBeLessThan(-1_000_000_000_000)
    expect(await api.sendMessage(id, 'hi')).toMatchObject({
      sender_chat: { id, type: 'channel', title: 'Storage' },
      chat: { id },
    })
    expect((await api.sendMessage(id, 'hi')).from).toBeUndefined()
    expect(await api.getChatMember(id, botId)).toMatchObject({ status: 'administrator', can_post_messages: true })
    expect(await api.getChatAdministrators(id)).toMatchObject([{ user: { id: botId } }])

    await sandbox.setMember({ chatId: id, status: 'administrator', can_post_messages: false })
    expect(await api.getChatMember(id, botId)).toMatchObject({ status: 'administrator', can_post_messages: false })
    expect(await refusal(api.sendMessage(id, 'hi'))).toMatchObject({
      code: 400,
      description: 'Bad Request: need administrator rights in the channel chat',
    })
    await sandbox.setMember({ chatId: id, status: 'member' })
    expect(await refusal(api.sendMessage(id, 'hi'))).toMatchObject({
      code: 400,
      description: 'Bad Request: need administrator rights in the channel chat',
    })
    expect(await refusal(api.getChatMember(id, botId))).toMatchObject({
      code: 400,
      description: 'Bad Request: member list is inaccessible',
    })
    await sandbox.setMember({ chatId: id, status: 'left' })
    expect(await refusal(api.sendMessage(id, 'hi'))).toMatchObject({
      code: 403,
      description: 'Forbidden: bot is not a member of the channel chat',
    })
    await sandbox.setMember({ chatId: id, status: 'kicked' })
    expect(await refusal(api.sendMessage(id, 'hi'))).toMatchObject({
      code: 403,
      description: 'Forbidden: bot was kicked from the channel chat',
    })
    expect(await refusal(api.getChat(id))).toMatchObject({ code: 403 })
    expect(await refusal(api.sendMessage(-1_001_234_567_890, 'hi'))).toMatchObject({
      code: 400,
      description: 'Bad Request: chat not found',
    })
  })

  it('names the new chat of one that was migrated', async () => {
    const id = await sandbox.createChannel({ type: 'group', admins: [botId] })
    const moved = await sandbox.migrate(id)
    expect(await refusal(api.sendMessage(id, 'hi'))).toEqual({
      code: 400,
      description: 'Bad Request: group chat was upgraded to a supergroup chat',
      parameters: { migrate_to_chat_id: moved },
    })
    expect(await api.sendMessage(moved, 'hi')).toMatchObject({ chat: { id: moved, type: 'supergroup' } })
  })
})

describe('files', () => {
  it('takes a video with its thumbnail and sends it again by file_id', async () => {
    const id = await channel()
    await sandbox.say({ userId: 5, text: '/start' })
    const posted = await upload(id)
    expect(posted.video).toMatchObject({
      width: 720,
      height: 1280,
      duration: 18,
      mime_type: 'video/mp4',
      file_name: 'greeting.mp4',
      thumbnail: { width: 64, height: 96 },
    })
    const sent = await api.sendVideo(5, posted.video?.file_id ?? '', { caption: 'С Новым годом!' })
    expect(sent).toMatchObject({
      caption: 'С Новым годом!',
      video: { file_unique_id: posted.video?.file_unique_id, width: 720, thumbnail: {} },
    })
    expect(sent.video?.file_id).not.toBe(posted.video?.file_id)
    expect(await api.sendVideo(5, sent.video?.file_id ?? '')).toMatchObject({ video: { duration: 18 } })
    const again = await upload(id)
    expect(again.video?.file_unique_id).toBe(posted.video?.file_unique_id)
    expect(await sandbox.calls({ method: 'sendVideo' })).toMatchObject([
      { upload: 'multipart', chatId: id, thumbnail: 'taken', status: 200 },
      { upload: 'file_id', chatId: 5, fileUniqueId: posted.video?.file_unique_id },
      { upload: 'file_id' },
      { upload: 'multipart' },
    ])
    expect(await sandbox.counts()).toMatchObject({ uploads: 2, succeeded: { sendVideo: 4 } })
  })

  it('counts a thumbnail only when it comes as a file and is a small JPEG', async () => {
    const id = await channel()
    const posted = await api.sendVideo(id, new InputFile(clips.video, 'a.mp4'), {
      thumbnail: new InputFile(Buffer.from('no picture'), 'a.jpg'),
    })
    expect(posted.video?.thumbnail).toBeUndefined()
    expect(posted.video).toMatchObject({ width: 64, height: 96, duration: 2 })
    const first = await upload(id)
    const form = { chat_id: id, video: first.video?.file_id, thumbnail: first.video?.thumbnail?.file_id }
    await raw(`/bot${token}/sendVideo`, {
      method: 'POST',
      body: JSON.stringify(form),
      headers: { 'content-type': 'application/json' },
    })
    expect((await sandbox.calls({ method: 'sendVideo' })).map((call) => call.thumbnail)).toEqual([
      'ignored',
      'taken',
      undefined,
    ])
  })

  it('sends a cover again by its id', async () => {
    const id = await channel()
    const first = await api.sendVideo(id, new InputFile(clips.video, 'a.mp4'), {
      cover: new InputFile(clips.picture, 'c.jpg'),
    })
    expect(first.video?.cover).toMatchObject([{ width: 64, height: 96 }])
    const second = await api.sendVideo(id, first.video?.file_id ?? '', { cover: first.video?.cover?.[0]?.file_id })
    expect(second.video?.cover?.[0]?.file_unique_id).toBe(first.video?.cover?.[0]?.file_unique_id)
  })

  it('answers an mp4 without sound as animation and anything else as document', async () => {
    const id = await channel()
    const silent = (await api.sendVideo(id, new InputFile(clips.silent, 'a.mp4'))) as object
    expect(silent).not.toHaveProperty('video')
    expect(silent).toMatchObject({ animation: { width: 64, height: 96 }, document: { mime_type: 'video/mp4' } })
    const other = (await api.sendVideo(id, new InputFile(Buffer.from('not a video'), 'a.mp4'))) as object
    expect(other).not.toHaveProperty('video')
    expect(other).toMatchObject({ document: { file_name: 'a.mp4', file_size: 11 } })
    expect(await refusal(api.sendVideo(id, new InputFile(Buffer.alloc(0), 'a.mp4')))).toMatchObject({
      description: 'Bad Request: file must be non-empty',
    })
  })

  it("refuses another bot's file_id, nonsense, pictures and forgotten ids", async () => {
    const id = await channel()
    const posted = await upload(id)
    await sandbox.registerBot({ token: otherToken, username: 'other_bot' })
    await sandbox.setMember({ chatId: id, botId: otherBotId, status: 'administrator' })
    const other = new Api(otherToken, { apiRoot: server.url })
    const wrong = { code: 400, description: 'Bad Request: wrong file identifier/HTTP URL specified' }
    expect(await refusal(other.sendVideo(id, posted.video?.file_id ?? ''))).toMatchObject(wrong)
    expect(await refusal(api.sendVideo(id, 'nonsense'))).toMatchObject(wrong)
    expect(await refusal(api.sendVideo(id, posted.video?.thumbnail?.file_id ?? ''))).toMatchObject({
      code: 400,
      description: "Bad Request: can't use file of type Thumbnail as Video",
    })
    expect(await refusal(api.getFile('nonsense'))).toMatchObject({ description: 'Bad Request: invalid file_id' })
    expect(await refusal(other.getFile(posted.video?.file_id ?? ''))).toMatchObject({
      description: 'Bad Request: wrong file_id or the file is temporarily unavailable',
    })
    // Forwarding gives the other bot an id of its own.
    const forwarded = await other.forwardMessage(id, id, posted.message_id)
    expect(
      await other.sendVideo(id, (forwarded as { video?: { file_id: string } }).video?.file_id ?? ''),
    ).toMatchObject({ video: { file_unique_id: posted.video?.file_unique_id } })

    await sandbox.forgetFileIds(botId)
    expect(await refusal(api.sendVideo(id, posted.video?.file_id ?? ''))).toMatchObject(wrong)
    const healed = (await api.forwardMessage(id, id, posted.message_id)) as {
      video?: { file_id: string }
      message_id: number
    }
    expect(await api.sendVideo(id, healed.video?.file_id ?? '')).toMatchObject({ video: {} })
    await api.deleteMessage(id, healed.message_id)
    expect(await refusal(api.forwardMessage(id, id, healed.message_id))).toMatchObject({
      description: 'Bad Request: message to forward not found',
    })
  })

  it('gives a file back, byte by byte', async () => {
    const posted = await upload(await channel())
    const file = await api.getFile(posted.video?.file_id ?? '')
    expect(file).toMatchObject({
      file_unique_id: posted.video?.file_unique_id,
      file_path: expect.stringMatching(/^videos\//) as unknown,
    })
    const response = await fetch(`${server.url}/file/bot${token}/${file.file_path}`)
    const bytes = Buffer.from(await response.arrayBuffer())
    expect(bytes.length).toBe(posted.video?.file_size)
    expect(bytes.equals(await sandbox.fileContent(posted.video?.file_unique_id ?? ''))).toBe(true)
    const part = await fetch(`${server.url}/sandbox/files/${posted.video?.file_unique_id}`, {
      headers: { range: 'bytes=4-7' },
    })
    expect([part.status, await part.text()]).toEqual([206, 'ftyp'])
  })

  it('refuses a caption of more than 1,024 and a file of more than 50 MB', async () => {
    const id = await channel()
    expect(
      await refusal(api.sendVideo(id, new InputFile(clips.video, 'a.mp4'), { caption: 'я'.repeat(1_025) })),
    ).toMatchObject({ code: 400, description: 'Bad Request: message caption is too long' })
    const large = join(folder, 'large.bin')
    await writeFile(large, Buffer.alloc(50 * 1024 * 1024 + 1))
    expect(await refusal(api.sendVideo(id, new InputFile(large, 'a.mp4')))).toMatchObject({
      code: 413,
      description: 'Request Entity Too Large',
    })
    expect(await sandbox.messages(id)).toEqual([])
  })

  it('copies with another caption and gives only an id', async () => {
    const id = await channel()
    await sandbox.say({ userId: 5, text: '/start' })
    const posted = await upload(id)
    expect(await api.copyMessage(5, id, posted.message_id, { caption: 'для тебя' })).toEqual({ message_id: 2 })
    expect(await sandbox.messages(5)).toMatchObject([
      {},
      { caption: 'для тебя', video: { file_unique_id: posted.video?.file_unique_id } },
    ])
    const kept = await api.sendMessage(id, 'secret', { protect_content: true })
    expect(await refusal(api.forwardMessage(5, id, kept.message_id))).toMatchObject({
      description: "Bad Request: message can't be forwarded",
    })
  })
})

describe('messages', () => {
  it('edits and deletes as Telegram does', async () => {
    await sandbox.say({ userId: 5, text: '/start' })
    const note = await api.sendMessage(5, 'wait', {
      reply_markup: { inline_keyboard: [[{ text: 'No', callback_data: 'no' }]] },
    })
    expect(await api.editMessageText(5, note.message_id, 'done')).toMatchObject({
      text: 'done',
      edit_date: expect.any(Number) as unknown,
    })
    expect((await refusal(api.editMessageText(5, note.message_id, 'done'))).description).toBe(
      'Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message',
    )
    expect(await refusal(api.editMessageText(5, 99, 'done'))).toMatchObject({
      description: 'Bad Request: message to edit not found',
    })
    expect(await refusal(api.editMessageText(5, 1, 'done'))).toMatchObject({
      description: "Bad Request: message can't be edited",
    })
    expect(await refusal(api.editMessageCaption(5, note.message_id, { caption: 'x' }))).toMatchObject({
      description: 'Bad Request: there is no caption in the message to edit',
    })
    expect(await refusal(api.deleteMessage(5, 99))).toMatchObject({
      description: 'Bad Request: message to delete not found',
    })
    expect(await api.deleteMessage(5, note.message_id)).toBe(true)
    expect((await sandbox.messages(5)).map(({ message_id }) => message_id)).toEqual([1])
    expect((await api.sendMessage(5, 'next')).message_id).toBe(3)
  })

  it('refuses empty and long texts, a bad parse mode and raw names under one', async () => {
    await sandbox.say({ userId: 5, text: '/start' })
    expect(await refusal(api.sendMessage(5, ' '))).toMatchObject({ description: 'Bad Request: message text is empty' })
    expect(await refusal(api.sendMessage(5, 'x'.repeat(4_097)))).toMatchObject({
      description: 'Bad Request: message is too long',
    })
    expect((await refusal(api.sendMessage(5, 'Маша <3', { parse_mode: 'HTML' }))).description).toMatch(
      /^Bad Request: can't parse entities: /,
    )
    expect((await refusal(api.sendMessage(5, 'Маша!', { parse_mode: 'MarkdownV2' }))).description).toBe(
      "Bad Request: can't parse entities: Character '!' is reserved and must be escaped with the preceding '\\'",
    )
    expect(await api.sendMessage(5, '<b>Маша</b> &lt;3', { parse_mode: 'HTML' })).toMatchObject({
      text: 'Маша <3',
      entities: [{ type: 'bold', offset: 0, length: 4 }],
    })
    expect(await refusal(api.sendChatAction(5, 'dance' as 'typing'))).toMatchObject({
      description: 'Bad Request: wrong parameter action in request',
    })
  })

  it('brings a pressed button to the bot and takes one answer for it', async () => {
    await sandbox.say({ userId: 5, text: '/start' })
    const note = await api.sendMessage(5, 'which?', {
      reply_markup: { inline_keyboard: [[{ text: 'A', callback_data: 'a' }]] },
    })
    const { queryId } = await sandbox.press({ userId: 5, messageId: note.message_id, data: 'a' })
    expect((await api.getUpdates()).at(-1)).toMatchObject({
      callback_query: { id: queryId, data: 'a', from: { id: 5 }, message: { message_id: note.message_id } },
    })
    expect(await api.answerCallbackQuery(queryId, { text: 'ok' })).toBe(true)
    expect(await sandbox.queryAnswer(queryId)).toMatchObject({ text: 'ok' })
    expect((await refusal(api.answerCallbackQuery('123'))).description).toBe(
      'Bad Request: query is too old and response timeout expired or query ID is invalid',
    )
  })

  it('checks inline results', async () => {
    const posted = await upload(await channel())
    const file = posted.video?.file_id ?? ''
    const { queryId } = await sandbox.askInline({ userId: 7, query: 'Маша' })
    const result = { type: 'video' as const, id: 'a', title: 'Маша', video_file_id: file }
    expect(await refusal(api.answerInlineQuery(queryId, [{ ...result, id: 'x'.repeat(65) }]))).toMatchObject({
      description: 'Bad Request: RESULT_ID_INVALID',
    })
    expect((await refusal(api.answerInlineQuery(queryId, [{ ...result, title: '' }]))).code).toBe(400)
    expect((await refusal(api.answerInlineQuery(queryId, [{ ...result, video_file_id: 'no' }]))).code).toBe(400)
    expect(await api.answerInlineQuery(queryId, [result], { cache_time: 5 })).toBe(true)
    expect(await sandbox.queryAnswer(queryId)).toMatchObject({ cache_time: 5 })
  })
})

describe('updates', () => {
  it('gives updates in order, again until an offset confirms them', async () => {
    const ids = await sandbox.sayAll(
      [1, 2, 3, 4].map((n) => ({
        userId: 10 + n,
        firstName: `N${n}`,
        languageCode: 'ru',
        text: n === 1 ? '/start abc' : `имя ${n}`,
      })),
    )
    const first = await api.getUpdates({ limit: 2 })
    expect(first.map((update) => update.update_id)).toEqual(ids.slice(0, 2))
    expect(first[0]).toMatchObject({
      message: {
        text: '/start abc',
        entities: [{ type: 'bot_command', offset: 0, length: 6 }],
        from: { id: 11, language_code: 'ru', is_bot: false },
      },
    })
    expect((await api.getUpdates({ limit: 2 })).map((update) => update.update_id)).toEqual(ids.slice(0, 2))
    expect((await api.getUpdates({ offset: (ids[1] ?? 0) + 1 })).map((update) => update.update_id)).toEqual(
      ids.slice(2),
    )
    expect((await api.getUpdates({ offset: -1 })).map((update) => update.update_id)).toEqual(ids.slice(3))
    expect((await sandbox.pending()).updateIds).toEqual(ids.slice(3))
  })

  it('tells confirmed updates again when asked to', async () => {
    const id = (await sandbox.say({ userId: 5, text: 'a' })) ?? 0
    await api.getUpdates()
    expect(await api.getUpdates({ offset: id + 1 })).toEqual([])
    expect(await sandbox.resend([id])).toBe(1)
    expect((await api.getUpdates({ offset: id + 1 })).map((update) => update.update_id)).toEqual([id])
    expect(await api.getUpdates({ offset: id + 1 })).toEqual([])
  })

  it('keeps a long poll open until something comes', async () => {
    const poll = api.getUpdates({ timeout: 30 })
    await sandbox.waitForCalls({ method: 'getUpdates' })
    await sandbox.say({ userId: 5, text: 'hello' })
    expect(await poll).toMatchObject([{ message: { text: 'hello' } }])
  })

  it('ends the first of two pollers with 409, and any poll while a webhook is set', async () => {
    const first = refusal(api.getUpdates({ timeout: 30 }))
    await sandbox.waitFor(async () => (await sandbox.pending()).polling)
    const second = api.getUpdates({ timeout: 30 })
    expect(await first).toMatchObject({
      code: 409,
      description: 'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running',
    })
    const id = (await sandbox.say({ userId: 5, text: 'hello' })) ?? 0
    expect(await second).toMatchObject([{ update_id: id }])
    await api.getUpdates({ offset: id + 1 })
    await api.setWebhook('http://127.0.0.1:9/hook')
    expect(await refusal(api.getUpdates())).toMatchObject({
      code: 409,
      description:
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    })
    expect(await api.getWebhookInfo()).toMatchObject({ url: 'http://127.0.0.1:9/hook', pending_update_count: 0 })
    await api.deleteWebhook()
    expect(await api.getUpdates()).toEqual([])
  })

  it('gives only the kinds that are asked for', async () => {
    await api.getUpdates({ allowed_updates: ['callback_query'] })
    expect(await sandbox.say({ userId: 5, text: 'a' })).toBeNull()
    await api.getUpdates({ allowed_updates: [] })
    expect(await sandbox.say({ userId: 5, text: 'b' })).not.toBeNull()
  })

  it('posts to a webhook with its secret, again until it answers 200', async () => {
    const { createServer } = await import('node:http')
    const got: { secret: unknown; text: string | undefined }[] = []
    const statuses = [500, 502]
    const hook = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        got.push({
          secret: request.headers['x-telegram-bot-api-secret-token'],
          text: (JSON.parse(body) as { message?: { text?: string } }).message?.text,
        })
        response
          .writeHead(statuses.shift() ?? 200, { 'content-type': 'application/json' })
          .end(got.length < 4 ? '' : JSON.stringify({ method: 'sendMessage', chat_id: 5, text: 'by reply' }))
      })
    })
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve))
    await api.setWebhook(`http://127.0.0.1:${(hook.address() as { port: number }).port}/`, {
      secret_token: 'se-cret_1',
    })
    await sandbox.sayAll([
      { userId: 5, text: 'one' },
      { userId: 5, text: 'two' },
    ])
    await sandbox.waitForMessage(5, (message) => message.text === 'by reply')
    expect(got.map(({ text }) => text)).toEqual(['one', 'one', 'one', 'two'])
    expect(got.every(({ secret }) => secret === 'se-cret_1')).toBe(true)
    expect((await api.getWebhookInfo()).pending_update_count).toBe(0)
    await new Promise((resolve) => hook.close(resolve))
  })

  it('runs an unmodified grammY bot', async () => {
    const bot = new Bot(token, { client: { apiRoot: server.url } })
    bot.command('start', (ctx) => ctx.reply(`welcome ${ctx.match}`))
    bot.on('message:text', async (ctx) => {
      await ctx.replyWithChatAction('upload_video')
      await ctx.replyWithVideo(new InputFile(clips.video, 'greeting.mp4'), { caption: ctx.message.text })
    })
    const running = bot.start()
    await sandbox.say({ userId: 5, text: '/start deep' })
    await sandbox.say({ userId: 5, text: 'Маша' })
    await sandbox.waitForMessage(5, (message) => message.caption === 'Маша')
    expect((await sandbox.messages(5)).map(({ text, video }) => text ?? video?.mime_type)).toEqual([
      '/start deep',
      'Маша',
      'welcome deep',
      'video/mp4',
    ])
    await bot.stop()
    await running
    expect((await sandbox.pending()).updateIds).toEqual([])
  })
})

it('refuses an upload that is not what it says it is', async () => {
  const answer = await raw(`/bot${token}/sendVideo`, {
    method: 'POST',
    body: '--other\r\nnothing',
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
  })
  expect(answer).toMatchObject({ status: 400, body: { ok: false } })
})

it('forgets an upload whose sender hung up in the middle', async () => {
  const { port } = new URL(server.url)
  const head = [
    `POST /bot${token}/sendVideo HTTP/1.1`,
    'host: 127.0.0.1',
    'content-type: multipart/form-data; boundary=b',
    'content-length: 100000',
    '',
    '',
  ]
  const part = [
    '--b',
    'content-disposition: form-data; name="video"; filename="greeting.mp4"',
    'content-type: video/mp4',
    '',
    'the beginning',
  ]
  const socket = connect(Number(port), '127.0.0.1')
  await once(socket, 'connect')
  socket.write([...head, ...part].join('\r\n'))
  const arriving = async () => (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.part'))
  await expect.poll(arriving).toHaveLength(1)
  socket.destroy()
  await expect.poll(arriving).toHaveLength(0)
  expect((await sandbox.calls({})).length).toBe(0)
})

describe('planned faults', () => {
  beforeEach(async () => {
    for (const userId of [5, 6]) await sandbox.say({ userId, text: '/start' })
  })

  it('floods until the announced seconds, divided, are over', async () => {
    await sandbox.fault({ method: 'sendMessage', answer: { kind: 'flood', retryAfter: 14 } })
    expect(await refusal(api.sendMessage(5, 'a'))).toEqual({
      code: 429,
      description: 'Too Many Requests: retry after 14',
      parameters: { retry_after: 14 },
    })
    expect((await refusal(api.sendMessage(6, 'a'))).code).toBe(429)
    await new Promise((resolve) => setTimeout(resolve, 14_000 / 20 + 5))
    expect(await api.sendMessage(5, 'a')).toMatchObject({ text: 'a' })
    expect((await sandbox.calls({ method: 'sendMessage' })).map(({ early }) => early)).toEqual([false, true, false])
  })

  it('refuses in any wording, only the calls that are meant, after those to be skipped', async () => {
    await sandbox.fault({
      method: 'sendMessage',
      chatId: 5,
      skip: 1,
      times: 2,
      answer: { kind: 'refuse', code: 403, description: 'Forbidden: bot was blocked by the user' },
    })
    const outcomes: unknown[] = []
    for (const chat of [6, 5, 5, 6, 5, 5])
      outcomes.push(
        await api.sendMessage(chat, 'a').then(
          () => 'sent',
          (error: GrammyError) => error.error_code,
        ),
      )
    expect(outcomes).toEqual(['sent', 'sent', 403, 'sent', 403, 'sent'])
    await sandbox.fault({ answer: { kind: 'refuse', code: 500, description: 'Internal Server Error' } })
    expect(await refusal(api.getMe())).toMatchObject({ code: 500 })
  })

  it('answers with HTML, or breaks the connection before or after it took the message', async () => {
    await sandbox.fault({ answer: { kind: 'html', code: 502 } })
    await expect(api.sendMessage(5, 'html')).rejects.toBeInstanceOf(HttpError)
    await sandbox.fault({ answer: { kind: 'drop-before' } })
    await expect(api.sendMessage(5, 'before')).rejects.toBeInstanceOf(HttpError)
    await sandbox.fault({ answer: { kind: 'drop-after' } })
    await expect(api.sendMessage(5, 'after')).rejects.toBeInstanceOf(HttpError)
    expect((await sandbox.messages(5)).map(({ text }) => text)).toEqual(['/start', 'after'])
  })

  it('can stay silent, with and without taking the message', async () => {
    for (const kind of ['silence', 'silence-after'] as const) {
      const stopped = new AbortController()
      await sandbox.fault({ method: 'sendMessage', answer: { kind } })
      const call = api.sendMessage(5, kind, {}, stopped.signal as never).then(
        () => 'answered',
        () => 'gave up',
      )
      await sandbox.waitFor(async () =>
        (await sandbox.faults()).some((fault) => fault.answer.kind === kind && fault.hits === 1),
      )
      if (kind === 'silence-after') await sandbox.waitForMessage(5, (message) => message.text === kind)
      stopped.abort()
      expect(await call).toBe('gave up')
    }
    expect((await sandbox.messages(5)).map(({ text }) => text)).toEqual(['/start', 'silence-after'])
  })

  it('tells whose answer nobody heard', async () => {
    const { id } = await sandbox.fault({ method: 'sendMessage', answer: { kind: 'hold-after' } })
    const stopped = new AbortController()
    const call = api.sendMessage(5, 'taken', {}, stopped.signal as never).catch(() => undefined)
    await sandbox.waitForHeld(id, 1)
    stopped.abort()
    await call
    await sandbox.waitFor(async () => (await sandbox.faults()).some((fault) => fault.id === id && fault.holding === 0))
    await sandbox.release()
    await api.sendMessage(5, 'heard')
    expect(
      (await sandbox.calls({ method: 'sendMessage' })).map(({ status, messageId }) => [
        status,
        messageId !== undefined,
      ]),
    ).toEqual([
      [undefined, true],
      [200, true],
    ])
  })

  it('holds calls until they are released, one or all', async () => {
    const { id } = await sandbox.fault({ method: 'sendMessage', answer: { kind: 'hold' } })
    const done: string[] = []
    const calls = ['a', 'b', 'c'].map((text) => api.sendMessage(5, text).then(() => done.push(text)))
    await sandbox.waitForHeld(id, 3)
    expect((await sandbox.messages(5)).length).toBe(1)
    await sandbox.releaseOne(id)
    await sandbox.waitFor(async () => (await sandbox.messages(5)).length === 2)
    expect((await sandbox.faults())[0]).toMatchObject({ holding: 2, hits: 3, over: false })
    await sandbox.release(id)
    await Promise.all(calls)
    expect(done.length).toBe(3)
  })

  it('keeps limits when they are switched on', async () => {
    const id = await channel()
    await sandbox.limit({ channelPerMinute: 2, sameSizeSeconds: 10 })
    await api.sendMessage(id, 'a')
    await api.sendMessage(id, 'b')
    expect(await refusal(api.sendMessage(id, 'c'))).toMatchObject({
      code: 429,
      parameters: { retry_after: expect.any(Number) as unknown },
    })
    await sandbox.limit({ sameSizeSeconds: 100 })
    const second = await channel()
    await upload(second)
    expect(await refusal(upload(second))).toMatchObject({ code: 429, parameters: { retry_after: 60 } })
    // Its second is not divided: under load three calls need more than a twentieth of one.
    const unhurried = await startSandboxServer({ folder: join(folder, 'unhurried') })
    const control = sandboxControl(unhurried.url)
    await control.registerBot({ token })
    await control.say({ userId: 5, text: '/start' })
    await control.limit({ overallPerSecond: 2 })
    const other = new Api(token, { apiRoot: unhurried.url })
    const sent = await Promise.all(
      [1, 2, 3].map((n) =>
        other.sendMessage(5, `${n}`).then(
          () => 200,
          (error: GrammyError) => error.error_code,
        ),
      ),
    )
    await unhurried.close()
    expect(sent.sort()).toEqual([200, 200, 429])
  })
})
