import { describe, expect, it } from 'vitest'
import { botId, sandbox, api, refusal, channel, useServer } from '../test-server.ts'

useServer()

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
