/** Results of inline and guest queries: which ones Telegram takes, and the message that one becomes. */
import { badRequest } from '../refusal.ts'
import type { FileRecord, StoredMessage } from '../state/records.ts'
import type { Call } from './context.ts'
import { storedMedia } from './files.ts'
import { captioned, formatted, keyboard } from './new-message.ts'
import { plainParameters } from './parameters.ts'

/** A result as a bot gave it. */
export type InlineResult = Record<string, unknown>

type Giver = Pick<Call, 'state' | 'bot'>

/** @throws Refusal for what Telegram would not take */
export function checkInlineResult(giver: Giver, result: unknown): asserts result is InlineResult & { id: string } {
  if (typeof result !== 'object' || result === null || Array.isArray(result))
    throw badRequest("can't parse inline query result: Inline query result must be an object")
  const { id, type, title } = result as InlineResult
  if (typeof type !== 'string') throw badRequest('can\'t parse inline query result: Can\'t find field "type"')
  if (typeof id !== 'string' || id === '' || Buffer.byteLength(id) > 64) throw badRequest('RESULT_ID_INVALID')
  if (type === 'article' || type === 'video') {
    if (typeof title !== 'string' || title === '')
      throw badRequest('can\'t parse inline query result: Can\'t find field "title"')
    messageOfResult(giver, result as InlineResult)
  }
}

/** What is posted when the result is chosen. @throws Refusal */
export function messageOfResult({ state, bot }: Giver, result: InlineResult): Partial<StoredMessage> {
  const { inline } = keyboard({ state, bot, parameters: plainParameters(result) })
  const markup = inline === undefined ? {} : { reply_markup: inline }
  const content = result.input_message_content as Record<string, unknown> | undefined
  if (content !== undefined) {
    if (typeof content !== 'object' || content === null || typeof content.message_text !== 'string')
      throw badRequest('can\'t parse inline query result: Can\'t find field "message_text"')
    const { text, entities } = formatted(plainParameters({ ...content, text: content.message_text }), 'text')
    return { text, ...(entities === undefined ? {} : { entities }), ...markup }
  }
  if (result.type !== 'video')
    throw badRequest('can\'t parse inline query result: Can\'t find field "input_message_content"')
  const { video_file_id: fileId } = result
  const reference = typeof fileId === 'string' ? state.openFileId(fileId, bot.id) : undefined
  if (reference === undefined) throw badRequest('wrong file identifier/HTTP URL specified')
  if (reference.kind !== 'video')
    throw badRequest(`can't use file of type ${reference.kind.replace(/^./, (first) => first.toUpperCase())} as Video`)
  const media = storedMedia(state.files.get(reference.unique) as FileRecord)
  return { media, ...captioned(plainParameters(result)), ...markup }
}
