import { describe, expect, it } from 'vitest'
import { sandbox, api, refusal, channel, upload, useServer } from '../test-server.ts'

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
