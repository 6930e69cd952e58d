/** Makes channels, and changes who may post in them. */
import { randomInt } from 'node:crypto'
import { botUser, chatObject, memberObject, messageObject, personUser } from '../bot-api/objects.ts'
import { switchesOf } from '../bot-api/switches.ts'
import type { BotRecord, GroupRecord, Membership, StoredMessage } from '../state/records.ts'
import { type ControlContext, ControlError } from './context.ts'
import { type Body, integer, botOf, changed, updateId, string, now } from './values.ts'

const fullRights = { can_post_messages: true, can_edit_messages: true, can_delete_messages: true }

const noRights = { can_post_messages: false, can_edit_messages: false, can_delete_messages: false }

export function createChannel(context: ControlContext, body: Body): unknown {
  const { state } = context
  const type = (body.type as 'channel' | 'supergroup' | 'group' | undefined) ?? 'channel'
  const number = randomInt(1_000_000_000, 3_999_999_999)
  const id = body.id === undefined ? (type === 'group' ? -number : -1_000_000_000_000 - number) : integer(body, 'id')
  if (id >= 0) throw new ControlError('a channel has a negative id')
  const username = body.username as string | undefined
  state.saveGroup({
    id,
    type,
    title: (body.title as string | undefined) ?? 'Channel',
    ...(username === undefined ? {} : { username }),
  })
  for (const bot of (body.admins as number[] | undefined) ?? [])
    state.setMembership(id, botOf(context, bot).id, { status: 'administrator', ...fullRights })
  for (const bot of (body.members as number[] | undefined) ?? [])
    state.setMembership(id, botOf(context, bot).id, { status: 'member', ...noRights })
  return changed(context, { id })
}

export function setMember(context: ControlContext, body: Body): unknown {
  const { state, updates } = context
  const bot = botOf(context, body.botId)
  const chatId = integer(body, 'chatId')
  const group = state.groups.get(chatId)
  if (group === undefined) throw new ControlError('no such channel')
  const status = string(body, 'status') as Membership['status']
  const comesIn = isThere(status) && !isThere(state.membership(chatId, bot.id)?.status ?? 'left')
  if (comesIn && group.type !== 'channel' && !switchesOf(state, bot.id).groups)
    throw new ControlError('the bot’s owner does not let it be added to groups')
  const rights = status === 'administrator' ? fullRights : noRights
  const membership: Membership = { status, ...rights }
  for (const right of ['can_post_messages', 'can_edit_messages', 'can_delete_messages'] as const) {
    if (typeof body[right] === 'boolean' && status === 'administrator') membership[right] = body[right]
  }
  const before = state.membership(chatId, bot.id) ?? { status: 'left', ...noRights }
  state.setMembership(chatId, bot.id, membership)
  const by = body.by === undefined ? 777_000 : integer(body, 'by')
  const user = state.users.get(by)
  const content = {
    chat: chatObject(state, chatId),
    from: user === undefined ? { id: by, is_bot: false, first_name: 'Owner' } : personUser(user),
    date: now(),
    old_chat_member: memberObject(botUser(bot), before),
    new_chat_member: memberObject(botUser(bot), membership),
  }
  updateId(context, bot, updates.add(bot.id, { my_chat_member: content }))
  if (comesIn && group.type !== 'channel') tellInGroup(context, bot, group, { from: by, joined: [bot.id] })
  return changed(context, true)
}

const isThere = (status: Membership['status']) => status === 'member' || status === 'administrator'

/** A message that Telegram itself writes into a group. Every bot there sees it. */
function tellInGroup(
  context: ControlContext,
  bot: BotRecord,
  { id }: GroupRecord,
  content: Partial<StoredMessage>,
  more: Record<string, unknown> = {},
): void {
  const { state, updates } = context
  const key = String(id)
  const message: StoredMessage = { message_id: state.nextMessageId(key), date: now(), ...content }
  state.saveMessage(key, message)
  const told = { ...messageObject(state, bot.id, id, message), ...more }
  context.tell({ type: 'message', botId: bot.id, chatId: id, message: told, edited: false })
  updateId(context, bot, updates.add(bot.id, { message: told }))
}

export function migrate(context: ControlContext, body: Body): unknown {
  const { state } = context
  const group = state.groups.get(integer(body, 'chatId'))
  if (group === undefined) throw new ControlError('no such group')
  const id = body.to === undefined ? -1_000_000_000_000 - randomInt(1_000_000_000, 3_999_999_999) : integer(body, 'to')
  const supergroup: GroupRecord = {
    id,
    type: group.type === 'channel' ? 'channel' : 'supergroup',
    title: group.title,
  }
  state.saveGroup(supergroup)
  for (const { bot, membership } of state.membersOf(group.id)) {
    state.setMembership(id, bot.id, membership)
    if (group.type === 'channel' || !isThere(membership.status)) continue
    tellInGroup(context, bot, group, { from: 777_000 }, { migrate_to_chat_id: id })
    tellInGroup(context, bot, supergroup, { from: 777_000 }, { migrate_from_chat_id: group.id })
  }
  state.saveGroup({ ...group, migratedTo: id })
  return changed(context, { id })
}
