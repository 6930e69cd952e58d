/** What people ask: they press buttons, type inline queries and pick a result. */
import { randomBytes } from 'node:crypto'
import { personUser, messageObject } from '../bot-api/objects.ts'
import type { Say } from '../contract.ts'
import { type ControlContext, ControlError } from './context.ts'
import { saveUser } from './people.ts'
import { type Body, botOf, integer, string, updateId } from './values.ts'

export function press(context: ControlContext, body: Body): unknown {
  const { state, updates, queries } = context
  const bot = botOf(context, body.botId)
  const userId = integer(body, 'userId')
  const user = state.users.get(userId)
  const message = state.message(state.chatKey(bot.id, userId), integer(body, 'messageId'))
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
    message: messageObject(state, bot.id, userId, message),
    chat_instance: String(userId),
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
  const id = newQueryId()
  remember(queries.inline, id, { botId: bot.id, userId, until: Date.now() + 30_000 })
  const from = personUser(state.users.get(userId) ?? { id: userId, first_name: '' })
  const content = { id, from, query: typeof body.query === 'string' ? body.query : '', offset: '', chat_type: 'sender' }
  return { queryId: id, updateId: updateId(context, bot, updates.add(bot.id, { inline_query: content })) }
}

export function chooseInline(context: ControlContext, body: Body): unknown {
  const { state, updates, queries } = context
  const query = queries.inline.get(string(body, 'queryId'))
  const resultId = string(body, 'resultId')
  if (query?.results?.some((result) => result.id === resultId) !== true) throw new ControlError('no such result')
  const bot = botOf(context, query.botId)
  const from = personUser(state.users.get(query.userId) ?? { id: query.userId, first_name: '' })
  return {
    updateId: updateId(
      context,
      bot,
      updates.add(bot.id, { chosen_inline_result: { result_id: resultId, from, query: '' } }),
    ),
  }
}

function newQueryId(): string {
  return String(randomBytes(8).readBigUInt64BE() >> 1n)
}

function remember<T>(map: Map<string, T>, id: string, value: T): void {
  map.set(id, value)
  for (const oldest of map.keys()) {
    if (map.size <= 10_000) break
    map.delete(oldest)
  }
}
