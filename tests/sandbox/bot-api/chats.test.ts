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

  it('tells a bot in a group what concerns it, and all of it without group privacy', async () => {
    const group = await sandbox.createChannel({ type: 'supergroup', title: 'Family' })
    await sandbox.saveUser({ userId: 5, firstName: 'Оля' })
    await sandbox.setMember({ chatId: group, status: 'member', by: 5 })
    expect(await api.getUpdates()).toMatchObject([
      { my_chat_member: { from: { id: 5 }, chat: { id: group }, new_chat_member: { status: 'member' } } },
      { message: { new_chat_members: [{ id: botId }] } },
    ])
    const note = await api.sendMessage(group, 'hi')
    const write = (text: string, replyTo?: number) =>
      sandbox.say({ userId: 5, chatId: group, text, ...(replyTo === undefined ? {} : { replyTo }) })
    const seen = ['/greet Маша', '/greet@greetings_bot Маша', '@Greetings_bot Маша', 'ну, @greetings_bot']
    for (const text of seen) expect(await write(text), text).not.toBeNull()
    expect(await write('Маша', note.message_id)).not.toBeNull()
    const unseen = ['Маша', '/greet@other_bot Маша', 'me@greetings_bot', '@greetings_bots Маша']
    for (const text of unseen) expect(await write(text), text).toBeNull()
    expect(await api.getChatMember(group, 5)).toMatchObject({ status: 'member', user: { id: 5 } })
    await sandbox.setSwitches({ groupPrivacy: false })
    expect((await api.getMe()).can_read_all_group_messages).toBe(true)
    expect(await write('Маша')).not.toBeNull()

    await sandbox.setMember({ chatId: group, status: 'kicked' })
    await sandbox.setSwitches({ groups: false })
    expect((await api.getMe()).can_join_groups).toBe(false)
    await expect(sandbox.setMember({ chatId: group, status: 'member' })).rejects.toThrow(/added to groups/)
  })

  it('makes a bot the guest of a group that mentions it, once and only where that is switched on', async () => {
    await api.getUpdates({ allowed_updates: ['guest_message'] })
    const group = await sandbox.createChannel({ type: 'supergroup', title: 'Family' })
    await sandbox.say({ userId: 5, chatId: group, text: '@greetings_bot Маша' })
    const message = (await api.getUpdates()).at(-1)?.guest_message
    expect(message).toMatchObject({ chat: { id: group }, from: { id: 5 }, text: '@greetings_bot Маша' })
    const id = message?.guest_query_id ?? ''
    const result = {
      type: 'article' as const,
      id: 'a',
      title: 'Маша',
      input_message_content: { message_text: 'С Новым годом!' },
    }
    expect((await refusal(api.answerGuestQuery('1', result))).description).toMatch(/query is too old/)
    expect(await api.answerGuestQuery(id, result)).toMatchObject({ inline_message_id: expect.any(String) as unknown })
    expect((await refusal(api.answerGuestQuery(id, result))).description).toMatch(/query is too old/)
    expect((await sandbox.messages(group)).at(-1)).toMatchObject({
      text: 'С Новым годом!',
      from: { id: botId },
      guest_bot_caller_user: { id: 5 },
      reply_to_message: { text: '@greetings_bot Маша' },
    })
    expect(await refusal(api.sendMessage(group, 'hi'))).toMatchObject({ code: 400 })

    await sandbox.setSwitches({ guests: false })
    expect((await api.getMe()).supports_guest_queries).toBe(false)
    expect(await sandbox.say({ userId: 5, chatId: group, text: '@greetings_bot Маша' })).toBeNull()
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
