/** Methods that send messages without a file: texts, forwarded ones, copies, and what the bot is doing. */
import { badRequest } from '../refusal.ts'
import type { StoredMessage } from '../state/records.ts'
import { readableChat, writableChat, type Chat } from './chat-access.ts'
import type { Call } from './context.ts'
import { captioned, existingMessage, formatted, post } from './new-message.ts'
import { messageObject, prune } from './objects.ts'
import { number, raw, text } from './values.ts'

export function sendMessage(call: Call): unknown {
  const chat = writableChat(call)
  const { text: words, entities } = formatted(call.parameters, 'text')
  const message = post(call, chat, { text: words, ...(entities === undefined ? {} : { entities }) })
  return messageObject(call.state, call.bot.id, chat.id, message)
}

// Forwarding and copying
function source(call: Call, what: string): { chat: Chat; message: StoredMessage } {
  const chat = readableChat(call, 'from_chat_id')
  return { chat, message: existingMessage(call, chat, number(call.parameters, 'message_id'), what) }
}

export function forwardMessage(call: Call): unknown {
  const target = writableChat(call)
  const { chat, message } = source(call, 'message to forward')
  if (message.protect) throw badRequest("message can't be forwarded")
  const { text: words, caption, entities, media, date } = message
  const origin: StoredMessage['origin'] =
    message.origin ??
    (message.from === undefined
      ? { type: 'channel', chat: chat.id, message_id: message.message_id, date }
      : { type: 'user', user: message.from, date })
  const forwarded = post(call, target, prune({ text: words, caption, entities, media, origin }))
  return messageObject(call.state, call.bot.id, target.id, forwarded)
}

export function copyMessage(call: Call): unknown {
  const target = writableChat(call)
  const { message } = source(call, 'message to copy')
  if (message.protect) throw badRequest("message can't be copied")
  const { text: words, caption, entities, media } = message
  const recaptioned =
    raw(call.parameters, 'caption') === undefined || media === undefined
      ? { caption, entities }
      : captioned(call.parameters)
  const copy = post(call, target, prune({ text: words, media, ...recaptioned }))
  return { message_id: copy.message_id }
}

const actions = [
  'cancel',
  'typing',
  'record_video',
  'upload_video',
  'record_audio',
  'upload_audio',
  'record_voice',
  'upload_voice',
  'upload_photo',
  'upload_document',
  'choose_sticker',
  'pick_up_location',
  'find_location',
  'record_video_note',
  'upload_video_note',
]

export function sendChatAction(call: Call): unknown {
  const action = text(call.parameters, 'action')
  if (!actions.includes(action)) throw badRequest('wrong parameter action in request')
  const chat = writableChat(call)
  call.tell({ type: 'action', botId: call.bot.id, chatId: chat.id, action })
  return true
}
