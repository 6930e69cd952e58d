/** Which chats a call may name, read and write in. */
import { badRequest, Refusal, forbidden } from '../refusal.ts'
import type { GroupRecord, Membership } from '../state/records.ts'
import type { Call } from './context.ts'
import { text } from './values.ts'

export interface Chat {
  id: number
  key: string
}

/** The chat a parameter means, if the call may name it at all. */
function namedChat(call: Call, name: string): Chat & { group: GroupRecord | undefined } {
  const value = text(call.parameters, name)
  if (value === '') throw badRequest(name === 'chat_id' ? 'chat_id is empty' : 'chat identifier is empty')
  const byName = value.startsWith('@')
    ? [...call.state.groups.values()].find((group) => group.username?.toLowerCase() === value.slice(1).toLowerCase())
    : undefined
  if (!value.startsWith('@') && !/^-?\d{1,19}$/.test(value)) throw badRequest('chat not found')
  const id = byName?.id ?? Number(value)
  const group = id < 0 ? call.state.groups.get(id) : undefined
  const known =
    id < 0
      ? group !== undefined && call.state.membership(id, call.bot.id) !== undefined
      : call.state.acquaintance(call.bot.id, id) !== undefined
  if (value.startsWith('@') && byName === undefined) throw badRequest('chat not found')
  if (!known) throw badRequest('chat not found')
  return { id, key: call.state.chatKey(call.bot.id, id), group }
}

export function readableChat(call: Call, name = 'chat_id'): Chat {
  const { id, key, group } = namedChat(call, name)
  if (group === undefined) return { id, key }
  if (group.migratedTo !== undefined)
    throw new Refusal(400, 'Bad Request: group chat was upgraded to a supergroup chat', {
      migrate_to_chat_id: group.migratedTo,
    })
  const { status } = call.state.membership(id, call.bot.id) as Membership
  const kind = group.type === 'group' ? 'group' : `${group.type}`
  if (status === 'kicked') throw forbidden(`bot was kicked from the ${kind} chat`)
  if (status === 'left') throw forbidden(`bot is not a member of the ${kind} chat`)
  return { id, key }
}

export function writableChat(call: Call): Chat {
  const chat = readableChat(call)
  if (chat.id > 0) {
    if (call.state.users.get(chat.id)?.deleted) throw forbidden('user is deactivated')
    const state = call.state.acquaintance(call.bot.id, chat.id)
    if (state === 'known') throw forbidden("bot can't initiate conversation with a user")
    if (state === 'blocked') throw forbidden('bot was blocked by the user')
    return chat
  }
  const membership = call.state.membership(chat.id, call.bot.id) as Membership
  const isChannel = call.state.groups.get(chat.id)?.type === 'channel'
  if (isChannel && !(membership.status === 'administrator' && membership.can_post_messages))
    throw badRequest('need administrator rights in the channel chat')
  return chat
}
