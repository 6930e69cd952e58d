/** Texts of messages with what is bold, linked or a command in them. */
import { say } from './composer.js'
import { make, makeLink } from './dom.js'
import { botLink } from './links.js'

/** @import { MessageEntity } from 'grammy/types' */

/** @type {Record<string, keyof HTMLElementTagNameMap>} */
const tags = {
  bold: 'b',
  italic: 'i',
  underline: 'u',
  strikethrough: 's',
  code: 'code',
  pre: 'pre',
  blockquote: 'blockquote',
}

/**
 * @param {string} words
 * @param {MessageEntity[]} entities
 */
export function formatted(words, entities) {
  /** @type {(string | Node)[]} */
  const nodes = []
  let at = 0
  for (const entity of [...entities].sort((a, b) => a.offset - b.offset)) {
    if (entity.offset < at) continue
    nodes.push(words.slice(at, entity.offset))
    at = entity.offset + entity.length
    nodes.push(entityNode(entity, words.slice(entity.offset, at)))
  }
  nodes.push(words.slice(at))
  return nodes
}

/**
 * @param {MessageEntity} entity
 * @param {string} part the words it is about
 */
function entityNode(entity, part) {
  const address = entity.type === 'text_link' ? entity.url : entity.type === 'url' ? part : ''
  if (/^https?:/i.test(address)) return botLink(part, address) ?? makeLink(part, address)
  if (entity.type !== 'bot_command') return make(tags[entity.type] ?? 'span', '', part)
  const link = make('a', '', part)
  link.href = '#'
  link.addEventListener('click', (event) => {
    event.preventDefault()
    void say(part)
  })
  return link
}
