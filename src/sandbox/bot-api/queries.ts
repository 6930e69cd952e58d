/** Methods that answer pressed buttons and inline queries. */
import { badRequest } from '../refusal.ts'
import type { SandboxState } from '../state/state.ts'
import type { Call } from './context.ts'
import { structure, text } from './values.ts'

export function answerCallbackQuery({ queries, bot, parameters, tell }: Call): unknown {
  const query = queries.callbacks.get(text(parameters, 'callback_query_id'))
  if (query === undefined || query.botId !== bot.id)
    throw badRequest('query is too old and response timeout expired or query ID is invalid')
  if ([...text(parameters, 'text')].length > 200) throw badRequest('MESSAGE_TOO_LONG')
  query.answer = parameters.values
  tell({ type: 'world' })
  return true
}

export function answerInlineQuery({ state, queries, bot, parameters, tell }: Call): unknown {
  const query = queries.inline.get(text(parameters, 'inline_query_id'))
  const results = structure(parameters, 'results')
  if (!Array.isArray(results)) throw badRequest('expected an Array of inline query results')
  if (results.length > 50) throw badRequest('RESULTS_TOO_MUCH')
  const seen = new Set<string>()
  for (const result of results as Record<string, unknown>[]) checkInlineResult(state, bot.id, result, seen)
  const button = structure(parameters, 'button') as { text?: unknown; start_parameter?: unknown } | undefined
  if (button !== undefined) {
    if (typeof button.text !== 'string')
      throw badRequest('can\'t parse inline query results button: Can\'t find field "text"')
    if (typeof button.start_parameter === 'string' && !/^[A-Za-z0-9_-]{1,64}$/.test(button.start_parameter))
      throw badRequest('START_PARAM_INVALID')
  }
  if (query === undefined || query.botId !== bot.id || Date.now() > query.until)
    throw badRequest('query is too old and response timeout expired or query ID is invalid')
  query.answer = parameters.values
  query.results = results as Record<string, unknown>[]
  tell({ type: 'world' })
  return true
}

function checkInlineResult(
  state: SandboxState,
  botId: number,
  result: Record<string, unknown>,
  seen: Set<string>,
): void {
  if (typeof result !== 'object' || result === null)
    throw badRequest("can't parse inline query result: Inline query result must be an object")
  const { id, type } = result
  if (typeof id !== 'string' || id === '' || Buffer.byteLength(id) > 64) throw badRequest('RESULT_ID_INVALID')
  if (seen.has(id)) throw badRequest('RESULT_ID_DUPLICATE')
  seen.add(id)
  if (typeof type !== 'string') throw badRequest('can\'t parse inline query result: Can\'t find field "type"')
  if (type === 'article' && (typeof result.title !== 'string' || typeof result.input_message_content !== 'object'))
    throw badRequest('can\'t parse inline query result: Can\'t find field "title"')
  if (type !== 'video') return
  if (typeof result.title !== 'string' || result.title === '')
    throw badRequest('can\'t parse inline query result: Can\'t find field "title"')
  const reference = typeof result.video_file_id === 'string' ? state.openFileId(result.video_file_id, botId) : undefined
  if (reference === undefined || reference.kind !== 'video')
    throw badRequest('wrong file identifier/HTTP URL specified')
}
