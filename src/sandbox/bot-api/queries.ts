/** Methods that answer pressed buttons, inline queries, and people who mention the bot where it is no member. */
import { badRequest } from '../refusal.ts'
import type { StoredMessage } from '../state/records.ts'
import type { Call, InlineQuery } from './context.ts'
import { checkInlineResult, messageOfResult, type InlineResult } from './inline-results.ts'
import { announce } from './new-message.ts'
import { switchesOf } from './switches.ts'
import { flag, number, raw, structure, text } from './values.ts'

const tooOld = () => badRequest('query is too old and response timeout expired or query ID is invalid')

export function answerCallbackQuery({ queries, bot, parameters, tell }: Call): unknown {
  const query = queries.callbacks.get(text(parameters, 'callback_query_id'))
  if (query === undefined || query.botId !== bot.id) throw tooOld()
  if ([...text(parameters, 'text')].length > 200) throw badRequest('MESSAGE_TOO_LONG')
  query.answer = parameters.values
  tell({ type: 'world' })
  return true
}

/** Seconds for which Telegram gives an answer again where the bot says nothing of it. */
const usualCacheTime = 300

export function answerInlineQuery(call: Call): unknown {
  const { state, queries, bot, parameters, tell } = call
  const results = checkedResults(call)
  if (Buffer.byteLength(text(parameters, 'next_offset')) > 64) throw badRequest('NEXT_OFFSET_INVALID')
  checkButton(structure(parameters, 'button'))
  const query = queries.inline.get(text(parameters, 'inline_query_id'))
  if (query === undefined || query.botId !== bot.id || query.answer !== undefined || Date.now() > query.until)
    throw tooOld()
  if (!switchesOf(state, bot.id).inline) throw tooOld()
  query.answer = { ...parameters.values, results }
  query.results = results
  keep(call, query, results)
  tell({ type: 'world' })
  return true
}

function checkedResults(call: Call): InlineResult[] {
  const results = structure(call.parameters, 'results')
  if (!Array.isArray(results)) throw badRequest('expected an Array of inline query results')
  if (results.length > 50) throw badRequest('RESULTS_TOO_MUCH')
  const seen = new Set<string>()
  for (const result of results as unknown[]) {
    checkInlineResult(call, result)
    if (seen.has(result.id)) throw badRequest('RESULT_ID_DUPLICATE')
    seen.add(result.id)
  }
  return results as InlineResult[]
}

function checkButton(button: unknown): void {
  if (button === undefined) return
  const { text: label, start_parameter: start, web_app: app } = button as Record<string, unknown>
  if (typeof label !== 'string' || label === '')
    throw badRequest('can\'t parse inline query results button: Can\'t find field "text"')
  if (app !== undefined) return
  if (typeof start !== 'string' || !/^[A-Za-z0-9_-]{1,64}$/.test(start)) throw badRequest('START_PARAM_INVALID')
}

/** Whoever asks the same for some time gets the same, without the bot. */
function keep({ queries, parameters, timeDivisor }: Call, query: InlineQuery, results: InlineResult[]): void {
  const seconds = raw(parameters, 'cache_time') === undefined ? usualCacheTime : number(parameters, 'cache_time')
  if (seconds <= 0) return
  const until = Date.now() + (seconds * 1_000) / timeDivisor
  queries.cached.set(cacheKey(query, flag(parameters, 'is_personal')), { until, answer: query.answer ?? {}, results })
}

const cacheKey = ({ botId, userId, query }: InlineQuery, personal: boolean) =>
  `${botId}/${personal ? userId : ''}/${query}`

/** Answers a query as it was answered before, if that still counts. */
export function answerFromCache({ queries }: Pick<Call, 'queries'>, query: InlineQuery): boolean {
  const cached = queries.cached.get(cacheKey(query, true)) ?? queries.cached.get(cacheKey(query, false))
  if (cached === undefined || cached.until < Date.now()) return false
  query.answer = cached.answer
  query.results = cached.results
  return true
}

/** The answer is posted at once, as a message of the bot's in a chat that it does not see. */
export function answerGuestQuery(call: Call): unknown {
  const { state, queries, bot, parameters, tell } = call
  const result = structure(parameters, 'result')
  checkInlineResult(call, result)
  const query = queries.guests.get(text(parameters, 'guest_query_id'))
  if (query === undefined || query.botId !== bot.id || query.answer !== undefined || Date.now() > query.until)
    throw tooOld()
  if (!switchesOf(state, bot.id).guests) throw tooOld()
  query.answer = parameters.values
  const chat = { id: query.chatId, key: String(query.chatId) }
  const message: StoredMessage = {
    message_id: state.nextMessageId(chat.key),
    date: Math.floor(Date.now() / 1_000),
    by: bot.id,
    from: bot.id,
    reply_to: query.messageId,
    guest_caller: query.userId,
    ...messageOfResult(call, result),
  }
  state.saveMessage(chat.key, message)
  call.record.messageId = message.message_id
  announce(call, chat, message, false)
  tell({ type: 'world' })
  return { inline_message_id: `${chat.id}_${message.message_id}` }
}
