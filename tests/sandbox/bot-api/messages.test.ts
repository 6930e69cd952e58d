import { describe, expect, it } from 'vitest'
import { Api } from 'grammy'
import type { MessageEntity } from 'grammy/types'
import {
  sandbox,
  server,
  api,
  botId,
  otherBotId,
  otherToken,
  refusal,
  channel,
  upload,
  useServer,
} from '../test-server.ts'

useServer()

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

  it('takes entities beside a text as Telegram does, and refuses those that do not fit it', async () => {
    await sandbox.say({ userId: 5, text: '/start' })
    const send = (...entities: object[]) => api.sendMessage(5, '🎄 Маша', { entities: entities as MessageEntity[] })
    const link = { type: 'text_link', offset: 3, length: 4, url: 'https://t.me/bot' }
    expect((await send(link, { type: 'bold', offset: 3, length: 0 })).entities).toEqual([link])
    for (const [entity, description] of [
      [{ ...link, length: 5 }, 'entity beginning at UTF-16 offset 3 ends after the end of the text at UTF-16 offset 7'],
      [{ ...link, offset: 1 }, 'entity begins in a middle of a UTF-16 symbol at byte offset 0'],
      [
        { ...link, offset: 0, length: 1 },
        'entity beginning at UTF-16 offset 0 ends in a middle of a UTF-16 symbol at byte offset 0',
      ],
      [{ ...link, url: undefined }, 'can\'t parse MessageEntity: Can\'t find field "url"'],
      [{ ...link, offset: undefined }, 'can\'t parse MessageEntity: Can\'t find field "offset"'],
      [{ ...link, type: 'link' }, "can't parse MessageEntity: Unsupported type specified"],
    ] as const)
      expect((await refusal(send(entity))).description).toBe(`Bad Request: ${description}`)
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
    const many = Array.from({ length: 51 }, (_, n) => ({ ...result, id: String(n) }))
    const refusals: [string, Promise<unknown>][] = [
      ['RESULTS_TOO_MUCH', api.answerInlineQuery(queryId, many)],
      ['RESULT_ID_DUPLICATE', api.answerInlineQuery(queryId, [result, result])],
      ['START_PARAM_INVALID', api.answerInlineQuery(queryId, [], { button: { text: 'Open', start_parameter: 'имя' } })],
      ['message caption is too long', api.answerInlineQuery(queryId, [{ ...result, caption: 'x'.repeat(1_025) }])],
    ]
    for (const [description, call] of refusals)
      expect(await refusal(call)).toMatchObject({ description: `Bad Request: ${description}` })
    await sandbox.registerBot({ token: otherToken, username: 'other_bot' })
    const other = new Api(otherToken, { apiRoot: server.url })
    expect((await refusal(other.answerInlineQuery(queryId, []))).description).toMatch(/query is too old/)
    const theirs = await sandbox.askInline({ userId: 7, query: 'Маша', botId: otherBotId })
    expect((await refusal(other.answerInlineQuery(theirs.queryId, [result]))).code).toBe(400)

    expect(await api.answerInlineQuery(queryId, [result], { cache_time: 300, is_personal: true })).toBe(true)
    expect(await sandbox.queryAnswer(queryId)).toMatchObject({ cache_time: 300 })
    expect((await refusal(api.answerInlineQuery(queryId, [result]))).description).toMatch(/query is too old/)
    const late = await sandbox.askInline({ userId: 7, query: 'Петя', livesMs: 1 })
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect((await refusal(api.answerInlineQuery(late.queryId, []))).description).toMatch(/query is too old/)
    // For a time Telegram answers the same person by itself.
    expect((await sandbox.inline({ userId: 7, query: 'Маша' })).results).toMatchObject([{ id: 'a' }])
    expect((await sandbox.askInline({ userId: 7, query: 'Маша' })).updateId).toBeNull()
    expect((await sandbox.askInline({ userId: 8, query: 'Маша' })).updateId).not.toBeNull()
  })

  it('posts the result that a person chooses, and tells the bot where its owner wants that', async () => {
    const posted = await upload(await channel())
    const group = await sandbox.createChannel({ type: 'supergroup', title: 'Family' })
    const reply_markup = { inline_keyboard: [[{ text: 'More', switch_inline_query: '' }]] }
    const result = { type: 'video' as const, id: 'a', title: 'Маша', video_file_id: posted.video?.file_id ?? '' }
    const { queryId } = await sandbox.askInline({ userId: 7, query: 'Маша' })
    await api.answerInlineQuery(queryId, [{ ...result, caption: 'С Новым годом!', reply_markup }], { cache_time: 0 })
    const { updateId } = await sandbox.chooseInline({ queryId, resultId: 'a', chatId: group })
    expect(await sandbox.messages(group)).toMatchObject([
      { from: { id: 7 }, via_bot: { id: botId }, caption: 'С Новым годом!', video: { mime_type: 'video/mp4' } },
    ])
    expect((await api.getUpdates()).find(({ update_id }) => update_id === updateId)).toMatchObject({
      chosen_inline_result: { result_id: 'a', from: { id: 7 }, query: 'Маша' },
    })
    await sandbox.setSwitches({ inlineFeedback: false })
    expect(await sandbox.chooseInline({ queryId, resultId: 'a' })).toEqual({ updateId: null })

    await sandbox.setSwitches({ inline: false })
    expect(await api.getMe()).toMatchObject({ supports_inline_queries: false, can_join_groups: true })
    await expect(sandbox.askInline({ userId: 7, query: 'Маша' })).rejects.toThrow(/inline mode/)
    await sandbox.say({ userId: 5, text: '/start' })
    expect((await refusal(api.sendMessage(5, 'hi', { reply_markup }))).description).toBe(
      'Bad Request: BUTTON_TYPE_INVALID',
    )
    await expect(sandbox.setSwitches({ inline: 1 as never })).rejects.toThrow(/true or false/)
  })
})
