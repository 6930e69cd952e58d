/** The messages of a private chat. */
import { fileUrl, post } from './api.js'
import { drawKeyboard, fail, say } from './composer.js'
import { face, length, make, makeButton, makeLink, page, place } from './dom.js'
import { state } from './state.js'
import { locale, texts } from './texts.js'

/** @import { Animation, Document, InlineKeyboardButton, MessageEntity, Video } from 'grammy/types' */
/** @import { SandboxMessage } from '../contract.ts' */

/** @param {{ jump: boolean }} options `jump`: the chat was just opened, so show its end at once */
export function drawMessages({ jump }) {
  const box = page.chat
  const atEnd = jump || box.scrollHeight - box.scrollTop - box.clientHeight < 120
  const sorted = [...state.shown.values()].sort((a, b) => a.message_id - b.message_id)
  const wanted = nodesOf(sorted, jump)
  const before = [...page.messages.children]
  if (before.length !== wanted.length || wanted.some((node, i) => node !== before[i])) place(page.messages, wanted)
  drawEmpty(sorted.length === 0)
  drawKeyboard(sorted)
  if (atEnd) box.scrollTop = box.scrollHeight
}

/**
 * A message that did not change keeps its node: a playing video plays on.
 * @param {SandboxMessage[]} sorted
 * @param {boolean} jump
 */
function nodesOf(sorted, jump) {
  const children = /** @type {HTMLElement[]} */ ([...page.messages.children])
  const old = new Map(children.map((node) => [node.dataset.id, node]))
  /** @type {HTMLElement[]} */
  const wanted = []
  let lastDay
  for (const message of sorted) {
    const today = day(message.date)
    if (today !== lastDay) wanted.push(make('li', 'day', today))
    lastDay = today
    const stamp = stampOf(message)
    const node = old.get(stamp) ?? bubble(message)
    node.dataset.id = stamp
    if (jump) node.style.animation = 'none'
    wanted.push(node)
    const rows = message.reply_markup?.inline_keyboard
    if (rows !== undefined) wanted.push(buttons(message.message_id, rows))
  }
  return wanted
}

/** @param {SandboxMessage} message */
function stampOf({ message_id, edit_date, reply_markup, text, caption }) {
  const looks = JSON.stringify(reply_markup ?? 0) + (text || caption || '')
  return `${state.current} ${message_id} ${edit_date ?? 0} ${looks}`
}

/** @param {number} seconds */
function day(seconds) {
  const date = new Date(seconds * 1000)
  const key = date.toDateString()
  if (key === new Date().toDateString()) return texts.today
  if (key === new Date(Date.now() - 86_400_000).toDateString()) return texts.yesterday
  return date.toLocaleDateString(locale, { day: 'numeric', month: 'long' })
}

/** @param {number} seconds */
function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString(locale, { hour: '2-digit', minute: '2-digit', hour12: false })
}

/** @param {boolean} isEmpty */
function drawEmpty(isEmpty) {
  page.empty.hidden = !isEmpty
  if (!isEmpty) return page.empty.replaceChildren()
  const start = makeButton('primary', texts.start)
  start.addEventListener('click', () => void say('/start'))
  page.empty.replaceChildren(face(make('span'), '', 0, 'bot'), make('p', '', texts.hello), start)
}

/** @param {SandboxMessage} message */
function bubble(message) {
  const mine = message.from?.id === state.current
  const node = make('li', `bubble${mine ? ' mine' : ''}${message.edit_date ? ' edited' : ''}`)
  const quoted = message.reply_to_message
  if (quoted) node.append(make('div', 'quote', quoted.text || quoted.caption || '▶'))
  const film = message.video ?? message.animation
  if (film) node.append(video(film, message.animation !== undefined))
  else if (message.document) node.append(attachment(message.document))
  if (film) node.classList.add('film')
  const words = message.text || message.caption
  if (words) {
    const line = make('div', 'words')
    line.append(...formatted(words, message.entities ?? message.caption_entities ?? []))
    node.append(line)
  } else if (film) node.classList.add('bare')
  node.append(make('span', 'time', (message.edit_date ? texts.edited : '') + clock(message.date)))
  return node
}

/**
 * @param {Video | Animation} film
 * @param {boolean} silent
 */
function video(film, silent) {
  const box = make('div', 'screen')
  const node = make('video')
  node.src = fileUrl(film.file_unique_id)
  node.playsInline = true
  node.preload = film.thumbnail ? 'none' : 'metadata'
  const picture = ('cover' in film ? film.cover?.[0] : undefined) ?? film.thumbnail
  if (picture) node.poster = fileUrl(picture.file_unique_id)
  if (film.width && film.height) node.style.aspectRatio = `${film.width} / ${film.height}`
  box.append(node)
  if (silent) {
    Object.assign(node, { muted: true, loop: true, autoplay: true })
    return box
  }
  // Quiet until somebody presses play, then with the browser's own controls.
  const play = makeButton('play')
  play.setAttribute('aria-label', texts.play)
  play.addEventListener('click', () => void node.play())
  box.append(play, make('span', 'long', length(film.duration || 0)))
  node.addEventListener('play', () => {
    box.classList.add('playing')
    node.controls = true
    for (const other of document.querySelectorAll('video')) if (other !== node && !other.muted) other.pause()
  })
  return box
}

/** @param {Document} file */
function attachment(file) {
  const link = make('a', 'file')
  link.href = fileUrl(file.file_unique_id)
  link.download = file.file_name || 'file'
  const about = make('div')
  const kilobytes = Math.max(1, Math.round((file.file_size ?? 0) / 1024))
  about.append(make('div', '', file.file_name || texts.file), make('small', '', `${kilobytes} KB`))
  link.append(make('span', '', '↓'), about)
  return link
}

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
function formatted(words, entities) {
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
  if (/^https?:/i.test(address)) return makeLink(part, address)
  if (entity.type !== 'bot_command') return make(tags[entity.type] ?? 'span', '', part)
  const link = make('a', '', part)
  link.href = '#'
  link.addEventListener('click', (event) => {
    event.preventDefault()
    void say(part)
  })
  return link
}

/**
 * @param {number} messageId
 * @param {InlineKeyboardButton[][]} rows
 */
function buttons(messageId, rows) {
  const node = make('li', 'buttons')
  for (const row of rows) {
    const line = make('div')
    for (const button of row) line.append(inlineButton(messageId, button))
    node.append(line)
  }
  return node
}

/**
 * @param {number} messageId
 * @param {InlineKeyboardButton} button
 */
function inlineButton(messageId, button) {
  if ('url' in button && /^https?:/i.test(button.url)) return makeLink(`${button.text} ↗`, button.url)
  const node = makeButton('', button.text)
  if ('callback_data' in button) {
    const press = { botId: state.bot?.id, userId: state.current, messageId, data: button.callback_data }
    node.addEventListener('click', () => void post('press', press).catch(fail))
  }
  return node
}
