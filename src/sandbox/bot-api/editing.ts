/** Methods that edit and delete messages. */
import { badRequest } from '../refusal.ts'
import type { StoredMessage } from '../state/records.ts'
import { readableChat, type Chat } from './chat-access.ts'
import type { Call } from './context.ts'
import { existingMessage, keyboard, announce, formatted } from './new-message.ts'
import { messageObject, prune } from './objects.ts'
import { number, structure } from './values.ts'

function edit(call: Call, change: (message: StoredMessage) => Partial<StoredMessage>): unknown {
  const chat = readableChat(call)
  const message = existingMessage(call, chat, number(call.parameters, 'message_id'), 'message to edit')
  const membership = chat.id < 0 ? call.state.membership(chat.id, call.bot.id) : undefined
  if (message.by !== call.bot.id && !membership?.can_edit_messages) throw badRequest("message can't be edited")
  if (message.origin !== undefined) throw badRequest("message can't be edited")
  const { inline } = keyboard(call)
  const edited = prune({ ...message, ...change(message), reply_markup: inline })
  if (sameContent(message, edited)) {
    throw badRequest(
      'message is not modified: specified new message content and reply markup are exactly the same as a ' +
        'current content and reply markup of the message',
    )
  }
  edited.edit_date = Math.floor(Date.now() / 1_000)
  call.state.saveMessage(chat.key, edited)
  call.record.messageId = message.message_id
  announce(call, chat, edited, true)
  return messageObject(call.state, call.bot.id, chat.id, edited)
}

function sameContent(before: StoredMessage, after: StoredMessage): boolean {
  const content = ({ text: words, caption, entities, reply_markup }: StoredMessage) =>
    JSON.stringify([words, caption, entities, reply_markup])
  return content(before) === content(after)
}

export function editMessageText(call: Call): unknown {
  const { text: words, entities } = formatted(call.parameters, 'text')
  return edit(call, (message) => {
    if (message.text === undefined) throw badRequest('there is no text in the message to edit')
    return { text: words, entities }
  })
}

export function editMessageCaption(call: Call): unknown {
  const { text: words, entities } = formatted(call.parameters, 'caption')
  return edit(call, (message) => {
    if (message.media === undefined) throw badRequest('there is no caption in the message to edit')
    return { caption: words === '' ? undefined : words, entities: words === '' ? undefined : entities }
  })
}

export function editMessageReplyMarkup(call: Call): unknown {
  return edit(call, () => ({}))
}

export function deleteMessage(call: Call): unknown {
  const chat = readableChat(call)
  deleteOne(call, chat, existingMessage(call, chat, number(call.parameters, 'message_id'), 'message to delete'))
  return true
}

export function deleteMessages(call: Call): unknown {
  const chat = readableChat(call)
  const ids = structure(call.parameters, 'message_ids')
  if (!Array.isArray(ids)) throw badRequest('message identifiers are not specified')
  if (ids.length > 100) throw badRequest('too many message identifiers specified')
  for (const id of ids as number[]) {
    const message = call.state.message(chat.key, Number(id))
    if (message !== undefined) deleteOne(call, chat, message)
  }
  return true
}

function deleteOne(call: Call, chat: Chat, message: StoredMessage): void {
  const old = Date.now() / 1_000 - message.date > 48 * 3_600
  const membership = chat.id < 0 ? call.state.membership(chat.id, call.bot.id) : undefined
  const own = message.by === call.bot.id && (chat.id > 0 || membership?.status === 'administrator')
  if (!((own && !old) || membership?.can_delete_messages || (chat.id > 0 && !old)))
    throw badRequest("message can't be deleted")
  call.state.deleteMessage(chat.key, message.message_id)
  call.record.messageId = message.message_id
  call.tell({ type: 'deleted', botId: call.bot.id, chatId: chat.id, messageId: message.message_id })
}
