/** What all new messages have in common: their reply, keyboard, text or caption. */
import { badRequest } from '../refusal.ts'
import type { StoredMessage } from '../state/records.ts'
import type { Chat } from './chat-access.ts'
import type { Call } from './context.ts'
import { checkedEntities } from './entities.ts'
import { type FormattedText, parseText } from './formatting.ts'
import { messageObject } from './objects.ts'
import type { Parameters } from './parameters.ts'
import { switchesOf } from './switches.ts'
import { flag, structure, number, text } from './values.ts'

/** Adds what every new message has and stores it. Tells whoever watches. */
export function post(call: Call, chat: Chat, content: Partial<StoredMessage>): StoredMessage {
  const reply = replyTarget(call, chat)
  const { inline, other } = keyboard(call)
  call.limits.check(call.record)
  const message: StoredMessage = {
    message_id: call.state.nextMessageId(chat.key),
    date: Math.floor(Date.now() / 1_000),
    by: call.bot.id,
    ...(chat.id > 0 || call.state.groups.get(chat.id)?.type !== 'channel' ? { from: call.bot.id } : {}),
    ...content,
    ...(reply === undefined ? {} : { reply_to: reply }),
    ...(inline === undefined ? {} : { reply_markup: inline }),
    ...(other === undefined ? {} : { keyboard: other }),
    ...(flag(call.parameters, 'protect_content') ? { protect: true } : {}),
  }
  call.state.saveMessage(chat.key, message)
  call.record.messageId = message.message_id
  call.record.fileUniqueId ??= message.media?.unique
  announce(call, chat, message, false)
  return message
}

export function announce(call: Call, chat: Chat, message: StoredMessage, edited: boolean): void {
  call.tell({
    type: 'message',
    botId: call.bot.id,
    chatId: chat.id,
    message: messageObject(call.state, call.bot.id, chat.id, message),
    edited,
  })
}

function replyTarget(call: Call, chat: Chat): number | undefined {
  const wanted = structure(call.parameters, 'reply_parameters') as
    { message_id?: number; allow_sending_without_reply?: boolean } | undefined
  const id = wanted?.message_id ?? number(call.parameters, 'reply_to_message_id')
  if (id === 0) return undefined
  if (call.state.message(chat.key, id) !== undefined) return id
  if (wanted?.allow_sending_without_reply || flag(call.parameters, 'allow_sending_without_reply')) return undefined
  throw badRequest('message to be replied not found')
}

export function keyboard({ state, bot, parameters }: Pick<Call, 'state' | 'bot' | 'parameters'>): {
  inline?: unknown
  other?: unknown
} {
  const markup = structure(parameters, 'reply_markup')
  if (markup === undefined) return {}
  if (typeof markup !== 'object' || Array.isArray(markup)) throw badRequest('object expected as reply markup')
  const rows = (markup as { inline_keyboard?: unknown }).inline_keyboard
  if (rows === undefined) return { other: markup }
  if (!Array.isArray(rows) || !rows.every(Array.isArray))
    throw badRequest('field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays')
  const buttons = (rows as Record<string, unknown>[][]).flat()
  for (const button of buttons) {
    if (typeof button !== 'object' || button === null)
      throw badRequest("can't parse inline keyboard button: InlineKeyboardButton must be an Object")
    if (typeof button.text !== 'string' || button.text === '')
      throw badRequest('Text buttons are unallowed in the inline keyboard')
    if (!Object.keys(button).some((key) => key !== 'text'))
      throw badRequest('Text buttons are unallowed in the inline keyboard')
    const data = button.callback_data
    if (data !== undefined && (typeof data !== 'string' || data === '' || Buffer.byteLength(data) > 64))
      throw badRequest('BUTTON_DATA_INVALID')
    const needsInline = Object.keys(button).some((key) => key.startsWith('switch_inline_query'))
    if (needsInline && !switchesOf(state, bot.id).inline) throw badRequest('BUTTON_TYPE_INVALID')
  }
  return buttons.length === 0 ? {} : { inline: markup }
}

export function formatted(parameters: Parameters, name: 'text' | 'caption'): FormattedText {
  const given = structure(parameters, name === 'text' ? 'entities' : 'caption_entities')
  const parseMode = text(parameters, 'parse_mode')
  const parsed = parseText(text(parameters, name), parseMode)
  const entities = parseMode === '' && given !== undefined ? checkedEntities(parsed.text, given) : parsed.entities
  const trimmed = parsed.text.trimEnd()
  const most = name === 'text' ? 4_096 : 1_024
  if ([...trimmed].length > most)
    throw badRequest(name === 'text' ? 'message is too long' : 'message caption is too long')
  if (name === 'text' && trimmed.trim() === '') throw badRequest('message text is empty')
  return { text: trimmed, entities: entities !== undefined && entities.length > 0 ? entities : undefined }
}

export function captioned(parameters: Parameters): Partial<StoredMessage> {
  const caption = formatted(parameters, 'caption')
  return caption.text === ''
    ? {}
    : { caption: caption.text, ...(caption.entities === undefined ? {} : { entities: caption.entities }) }
}

export function existingMessage(call: Call, chat: Chat, id: number, what: string): StoredMessage {
  const message = id > 0 ? call.state.message(chat.key, id) : undefined
  if (message === undefined) throw badRequest(`${what} not found`)
  return message
}
