/** What people do: they write, block, and are saved. */
import { commandEntities } from '../bot-api/formatting.ts'
import { chatObject, botUser, messageObject, personUser } from '../bot-api/objects.ts'
import type { Say, SandboxUser } from '../contract.ts'
import type { BotRecord, StoredMessage } from '../state/records.ts'
import { type ControlContext, ControlError } from './context.ts'
import { sayInGroup } from './groups.ts'
import { botOf, integer, type Body, now, updateId, changed } from './values.ts'

export function saveUser(context: ControlContext, body: Partial<Say> & { userId: number }): SandboxUser {
  const before = context.state.users.get(body.userId)
  const user = {
    id: body.userId,
    first_name: body.firstName ?? before?.first_name ?? `User ${body.userId}`,
    last_name: body.lastName ?? before?.last_name,
    username: body.username ?? before?.username,
    language_code: body.languageCode ?? before?.language_code,
  }
  if (user.id < 0) throw new ControlError('a person has a positive id')
  const { deleted, ...rest } = before ?? { deleted: undefined }
  if (JSON.stringify(rest) !== JSON.stringify(JSON.parse(JSON.stringify(user)))) {
    context.state.saveUser(
      JSON.parse(JSON.stringify(deleted === undefined ? user : { ...user, deleted })) as typeof user,
    )
    context.tell({ type: 'world' })
  }
  return { id: user.id, firstName: user.first_name, deleted: deleted ?? false }
}

export function deleteUser(context: ControlContext, body: Body): unknown {
  const user = context.state.users.get(integer(body, 'userId'))
  if (user === undefined) throw new ControlError('no such user')
  context.state.saveUser({ ...user, deleted: true })
  return changed(context, true)
}

/** A person writes to a bot, or in a group. Starts the chat, and unblocks a blocked bot as a person has to before writing. */
export function say(context: ControlContext, one: Say): number | null {
  const bot = botOf(context, one.botId)
  const userId = integer(one as unknown as Body, 'userId')
  if (typeof one.text !== 'string' || one.text === '') throw new ControlError('text must be a text')
  saveUser(context, { ...one, userId })
  if (one.chatId !== undefined && one.chatId !== userId) return sayInGroup(context, bot, one)
  const entities = commandEntities(one.text)
  return writeToBot(context, bot, userId, {
    text: one.text,
    ...(one.replyTo === undefined ? {} : { reply_to: one.replyTo }),
    ...(entities === undefined ? {} : { entities }),
  })
}

/** Puts a person's message into their private chat and tells the bot. Gives the id of the update. */
export function writeToBot(
  context: ControlContext,
  bot: BotRecord,
  userId: number,
  content: Partial<StoredMessage>,
): number | null {
  const { state, updates } = context
  meet(context, bot, userId)
  const key = state.chatKey(bot.id, userId)
  const message: StoredMessage = { message_id: state.nextMessageId(key), date: now(), from: userId, ...content }
  state.saveMessage(key, message)
  const told = messageObject(state, bot.id, userId, message)
  context.tell({ type: 'message', botId: bot.id, chatId: userId, message: told, edited: false })
  return updateId(context, bot, updates.add(bot.id, { message: told }))
}

/** Whoever writes has started the chat, and unblocked the bot before. */
function meet(context: ControlContext, bot: BotRecord, userId: number): void {
  const { state } = context
  if (state.acquaintance(bot.id, userId) === 'blocked') setBlocked(context, bot, userId, false)
  if (state.acquaintance(bot.id, userId) === 'started') return
  state.setAcquaintance(bot.id, userId, 'started')
  context.tell({ type: 'world' })
}

export function block(context: ControlContext, body: Body): unknown {
  const bot = botOf(context, body.botId)
  const userId = integer(body, 'userId')
  if (context.state.acquaintance(bot.id, userId) === undefined)
    throw new ControlError('that person never wrote to the bot')
  setBlocked(context, bot, userId, body.blocked !== false)
  return changed(context, true)
}

function setBlocked(context: ControlContext, bot: BotRecord, userId: number, blocked: boolean): void {
  const { state, updates } = context
  state.setAcquaintance(bot.id, userId, blocked ? 'blocked' : 'started')
  const user = state.users.get(userId)
  const gone = { user: botUser(bot), status: 'kicked', until_date: 0 }
  const there = { user: botUser(bot), status: 'member' }
  const [before, after] = blocked ? [there, gone] : [gone, there]
  const content = {
    chat: chatObject(state, userId),
    from: user === undefined ? { id: userId, is_bot: false, first_name: '' } : personUser(user),
    date: now(),
    old_chat_member: before,
    new_chat_member: after,
  }
  updateId(context, bot, updates.add(bot.id, { my_chat_member: content }))
}
