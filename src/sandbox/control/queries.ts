/** What people ask: they press buttons, type inline queries and pick a result. */
import type { InlineQuery } from '../bot-api/context.ts'
import { messageOfResult, type InlineResult } from '../bot-api/inline-results.ts'
import { personUser, messageObject } from '../bot-api/objects.ts'
import { answerFromCache } from '../bot-api/queries.ts'
import { switchesOf } from '../bot-api/switches.ts'
import type { Say } from '../contract.ts'
import type { BotRecord, StoredMessage } from '../state/records.ts'
import { type ControlContext, ControlError } from './context.ts'
import { writeInGroup } from './groups.ts'
import { newQueryId, remember } from './open-queries.ts'
import { saveUser } from './people.ts'
import { type Body, botOf, integer, now, string, updateId } from './values.ts'

export function press(context: ControlContext, body: Body): unknown {
  const { state, updates, queries } = context
  const bot = botOf(context, body.botId)
  const userId = integer(body, 'userId')
  const user = state.users.get(userId)
  const chatId = body.chatId === undefined ? userId : integer(body, 'chatId')
  const message = state.message(state.chatKey(bot.id, chatId), integer(body, 'messageId'))
  if (user === undefined || message === undefined) throw new ControlError('no such person or message')
  const data = string(body, 'data')
  const buttons = (
    (message.reply_markup as { inline_keyboard?: { callback_data?: string }[][] } | undefined)?.inline_keyboard ?? []
  ).flat()
  if (!buttons.some((button) => button.callback_data === data))
    throw new ControlError('that message has no such button')
  const id = newQueryId()
  remember(queries.callbacks, id, { botId: bot.id })
  const content = {
    id,
    from: personUser(user),
    // Of what was sent through the bot it knows no chat.
    ...(message.via_bot === undefined && message.guest_caller === undefined
      ? { message: messageObject(state, bot.id, chatId, message) }
      : { inline_message_id: `${chatId}_${message.message_id}` }),
    chat_instance: String(chatId),
    data,
  }
  return { queryId: id, updateId: updateId(context, bot, updates.add(bot.id, { callback_query: content })) }
}

export function askInline(context: ControlContext, body: Body): unknown {
  const { state, updates, queries } = context
  const bot = botOf(context, body.botId)
  const userId = integer(body, 'userId')
  saveUser(context, { ...(body as Partial<Say>), userId })
  if (state.acquaintance(bot.id, userId) === undefined) state.setAcquaintance(bot.id, userId, 'known')
  if (!switchesOf(state, bot.id).inline) throw new ControlError('the bot’s owner has not switched inline mode on')
  const id = newQueryId()
  const words = typeof body.query === 'string' ? body.query : ''
  const livesMs = body.livesMs === undefined ? 30_000 : integer(body, 'livesMs')
  const query: InlineQuery = { botId: bot.id, userId, query: words, until: Date.now() + livesMs }
  remember(queries.inline, id, query)
  if (answerFromCache(context, query)) return { queryId: id, updateId: null }
  const from = personUser(state.users.get(userId) ?? { id: userId, first_name: '' })
  const content = { id, from, query: words, offset: '', chat_type: 'sender' }
  return { queryId: id, updateId: updateId(context, bot, updates.add(bot.id, { inline_query: content })) }
}

export function chooseInline(context: ControlContext, body: Body): unknown {
  const { state, updates, queries } = context
  const query = queries.inline.get(string(body, 'queryId'))
  const resultId = string(body, 'resultId')
  const result = query?.results?.find(({ id }) => id === resultId)
  if (query === undefined || result === undefined) throw new ControlError('no such result')
  const bot = botOf(context, query.botId)
  const from = personUser(state.users.get(query.userId) ?? { id: query.userId, first_name: '' })
  // Posted before the bot hears of it.
  const messageId =
    body.chatId === undefined ? undefined : postResult(context, bot, query.userId, integer(body, 'chatId'), result)
  const chosen = switchesOf(state, bot.id).inlineFeedback
    ? updates.add(bot.id, { chosen_inline_result: { result_id: resultId, from, query: query.query } })
    : undefined
  return { updateId: updateId(context, bot, chosen), ...(messageId === undefined ? {} : { messageId }) }
}

/** The person’s own message, sent through the bot. */
function postResult(
  context: ControlContext,
  bot: BotRecord,
  userId: number,
  chatId: number,
  result: InlineResult,
): number {
  const content = { ...messageOfResult({ state: context.state, bot }, result), via_bot: bot.id }
  if (chatId !== userId) return writeInGroup(context, bot, { userId, chatId }, content).messageId
  const { state, updates } = context
  const key = state.chatKey(bot.id, userId)
  const message: StoredMessage = { message_id: state.nextMessageId(key), date: now(), from: userId, ...content }
  state.saveMessage(key, message)
  const told = messageObject(state, bot.id, userId, message)
  context.tell({ type: 'message', botId: bot.id, chatId: userId, message: told, edited: false })
  if (state.acquaintance(bot.id, userId) === 'started') updateId(context, bot, updates.add(bot.id, { message: told }))
  return message.message_id
}
