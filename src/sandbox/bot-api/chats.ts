/** Methods about chats and who is in them. */
import { badRequest } from '../refusal.ts'
import type { Membership } from '../state/records.ts'
import { readableChat, type Chat } from './chat-access.ts'
import type { Call } from './context.ts'
import { botUser, chatObject, userObject, memberObject } from './objects.ts'
import { number } from './values.ts'

export function getChat(call: Call): unknown {
  const chat = readableChat(call)
  const object = chatObject(call.state, chat.id)
  return {
    ...object,
    accent_color_id: 0,
    max_reaction_count: 11,
    accepted_gift_types: {
      unlimited_gifts: true,
      limited_gifts: true,
      unique_gifts: true,
      premium_subscription: true,
      gifts_from_channels: true,
    },
  }
}

/** Of whoever never was in the chat. */
const notThere: Membership = {
  status: 'left',
  can_post_messages: false,
  can_edit_messages: false,
  can_delete_messages: false,
}

export function getChatMember(call: Call): unknown {
  const chat = readableChat(call)
  const userId = number(call.parameters, 'user_id')
  if (chat.id > 0) {
    if (userId !== chat.id && userId !== call.bot.id) throw badRequest('member not found')
    return { user: userObject(call.state, userId), status: 'member' }
  }
  inspectMembers(call, chat)
  if (!call.state.bots.has(userId) && !call.state.users.has(userId)) throw badRequest('invalid user_id specified')
  return memberObject(userObject(call.state, userId), call.state.membership(chat.id, userId) ?? notThere)
}

export function getChatAdministrators(call: Call): unknown {
  const chat = readableChat(call)
  if (chat.id > 0) throw badRequest('there are no administrators in the private chat')
  inspectMembers(call, chat)
  return call.state
    .membersOf(chat.id)
    .filter(({ membership }) => membership.status === 'administrator')
    .map(({ bot, membership }) => memberObject(botUser(bot), membership))
}

// In a channel only its administrators see who is there.
function inspectMembers(call: Call, chat: Chat): void {
  const isChannel = call.state.groups.get(chat.id)?.type === 'channel'
  if (isChannel && call.state.membership(chat.id, call.bot.id)?.status !== 'administrator')
    throw badRequest('member list is inaccessible')
}
