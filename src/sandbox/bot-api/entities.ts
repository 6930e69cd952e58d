/** Entities that a call brings beside its text, checked as Telegram checks them. */
import { badRequest } from '../refusal.ts'

/** Of each type, what it needs besides its place. */
const types: Record<string, readonly string[]> = {
  bold: [],
  italic: [],
  underline: [],
  strikethrough: [],
  spoiler: [],
  blockquote: [],
  expandable_blockquote: [],
  code: [],
  pre: [],
  text_link: ['url'],
  text_mention: ['user'],
  custom_emoji: ['custom_emoji_id'],
}
/** Telegram finds these in the text by itself. */
const found = new Set('mention hashtag cashtag bot_command url email phone_number bank_card_number'.split(' '))

interface Entity {
  type: string
  offset: number
  length: number
}

/**
 * The entities of a text, as far as Telegram keeps them: what ends behind the text, or within a character of two units, is
 * refused; an empty one, or one that Telegram finds by itself, is left out.
 * @throws Refusal 400
 */
export function checkedEntities(text: string, given: unknown): Entity[] {
  if (!Array.isArray(given)) throw badRequest("can't parse entities: expected an Array")
  return given.map((entity) => readEntity(entity)).filter((entity) => isKept(text, entity))
}

function readEntity(given: unknown): Entity {
  const fault = (what: string) => badRequest(`can't parse MessageEntity: ${what}`)
  if (typeof given !== 'object' || given === null) throw fault('expected an Object')
  const entity = given as Record<string, unknown>
  for (const field of ['offset', 'length'] as const)
    if (!Number.isInteger(entity[field])) throw fault(`Can't find field "${field}"`)
  if (typeof entity.type !== 'string') throw fault('Can\'t find field "type"')
  const needed = found.has(entity.type) ? [] : types[entity.type]
  if (needed === undefined) throw fault('Unsupported type specified')
  for (const field of needed) if (entity[field] === undefined) throw fault(`Can't find field "${field}"`)
  return entity as unknown as Entity
}

function isKept(text: string, { type, offset, length }: Entity): boolean {
  if (offset < 0 || length <= 0 || found.has(type)) return false
  const end = offset + length
  const at = (unit: number) => Buffer.byteLength(text.slice(0, unit))
  if (isWithinCharacter(text, offset))
    throw badRequest(`entity begins in a middle of a UTF-16 symbol at byte offset ${at(offset - 1)}`)
  if (end > text.length)
    throw badRequest(
      `entity beginning at UTF-16 offset ${offset} ends after the end of the text at UTF-16 offset ${text.length}`,
    )
  if (isWithinCharacter(text, end))
    throw badRequest(
      `entity beginning at UTF-16 offset ${offset} ends in a middle of a UTF-16 symbol at byte offset ${at(end - 1)}`,
    )
  return true
}

/** The place between two units of one character. */
const isWithinCharacter = (text: string, unit: number) =>
  /^[\uD800-\uDBFF][\uDC00-\uDFFF]$/.test(text.slice(Math.max(0, unit - 1), unit + 1))
