/** The messages of a private chat or a group. */
import { buttons } from './buttons.js'
import { answerTo, drawKeyboard, say } from './composer.js'
import { face, make, makeButton, page, place } from './dom.js'
import { earlierButton } from './history.js'
import { media } from './media.js'
import { samples, state } from './state.js'
import { locale, texts } from './texts.js'
import { formatted } from './words.js'

/** @import { SandboxMessage } from '../contract.ts' */

/** @param {{ jump: boolean }} options `jump`: the chat was just opened, so show its end at once */
export function drawMessages({ jump }) {
  const box = page.chat
  const atEnd = jump || box.scrollHeight - box.scrollTop - box.clientHeight < 120
  const sorted = [...state.shown.values()].sort((a, b) => a.message_id - b.message_id)
  place(page.messages, nodesOf(sorted, jump))
  drawEarlier()
  drawEmpty(sorted.length === 0)
  drawKeyboard(sorted)
  if (atEnd) box.scrollTop = box.scrollHeight
}

/** What is being read stays where it is while earlier messages come above it. */
function drawEarlier() {
  const box = page.chat
  const button = earlierButton(() => {
    const below = box.scrollHeight - box.scrollTop
    drawMessages({ jump: false })
    box.scrollTop = box.scrollHeight - below
  })
  page.earlier.replaceChildren(...(button === undefined ? [] : [button]))
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
  let lastDay = ''
  for (const message of sorted) {
    const today = day(message.date)
    if (today !== lastDay) wanted.push(old.get(today) ?? line(today, today))
    lastDay = today
    const id = `${state.current} ${message.message_id}`
    const service = serviceWords(message)
    if (service !== undefined) {
      wanted.push(old.get(id) ?? line(id, service))
      continue
    }
    const node = old.get(id) ?? make('li', jump ? 'entry' : 'entry new')
    node.dataset.id = id
    fillEntry(node, message)
    wanted.push(node)
  }
  return wanted
}

/**
 * Something that nobody wrote, in the middle.
 * @param {string} id
 * @param {string} words
 */
function line(id, words) {
  const node = make('li', 'day', words)
  node.dataset.id = id
  return node
}

/**
 * What Telegram itself writes into a group; undefined: it is a person's message or a bot's.
 * @param {SandboxMessage} message
 */
function serviceWords({ new_chat_members: joined }) {
  return joined && `${joined.map(({ first_name }) => first_name).join(', ')} ${texts.joined}`
}

/**
 * Puts a message and its buttons into its place, each only where it differs from what is there.
 * @param {HTMLElement} node
 * @param {SandboxMessage} message
 */
function fillEntry(node, message) {
  node.classList.toggle('mine', isMine(message))
  const { video, edit_date = 0, reply_markup, text = '', caption = '' } = message
  // New buttons count as an edit too, but let a film play on.
  const looks = [video?.file_unique_id ?? edit_date, isMine(message), text || caption].join(' ')
  if (node.dataset.looks !== looks) {
    node.dataset.looks = looks
    node.querySelector('.bubble')?.remove()
    node.querySelector('.reply')?.remove()
    node.prepend(bubble(message), replyButton(message))
  }
  const rows = reply_markup?.inline_keyboard
  const keys = JSON.stringify(rows ?? [])
  if ((node.dataset.keys ?? '[]') === keys) return
  node.dataset.keys = keys
  node.querySelector('.buttons')?.remove()
  if (rows !== undefined) node.append(buttons(message.message_id, rows))
}

/** @param {SandboxMessage} message */
function isMine({ from }) {
  return from?.id === state.writer
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
  const looks = JSON.stringify([state.current, samples()])
  // Whoever is about to press a button keeps it.
  if (isEmpty && page.empty.dataset.looks === looks) return
  page.empty.dataset.looks = isEmpty ? looks : ''
  if (!isEmpty) return page.empty.replaceChildren()
  const start = makeButton('primary', texts.start)
  start.addEventListener('click', () => void say('/start'))
  page.empty.replaceChildren(face(make('span'), '', 0, 'bot'), make('p', '', texts.hello), start, ...chips())
}

/** Names to tap, with those whose videos are still being made. */
function chips() {
  const offered = samples()
  if (offered.length === 0) return []
  const row = make('div', 'chips')
  for (const { name, ready } of offered) {
    const chip = makeButton('chip', name)
    chip.disabled = !ready
    chip.setAttribute('aria-busy', String(!ready))
    chip.addEventListener('click', () => void say(name))
    row.append(chip)
  }
  return [make('p', '', offered.every(({ ready }) => ready) ? texts.tapName : texts.preparing), row]
}

/** Draws the names to tap again, while nobody has written. */
export function refreshChips() {
  if (!page.empty.hidden) drawEmpty(true)
}

/** @param {SandboxMessage} message */
function bubble(message) {
  const mine = isMine(message)
  const node = make('div', `bubble${mine ? ' mine' : ''}${message.edit_date ? ' edited' : ''}`)
  node.append(sender(message))
  const quoted = message.reply_to_message
  if (quoted) node.append(make('div', 'quote', quoted.text || quoted.caption || '▶'))
  const held = media(message)
  if (held) node.append(held.node)
  if (held && held.kind !== 'other') node.classList.add(held.kind)
  const words = message.text || message.caption
  if (words) {
    const line = make('div', 'words')
    line.append(...formatted(words, message.entities ?? message.caption_entities ?? []))
    node.append(line)
  } else if (held && held.kind !== 'other') node.classList.add('bare')
  node.append(make('span', 'time', (message.edit_date ? texts.edited : '') + clock(message.date)))
  return node
}

/** @param {SandboxMessage} message */
function replyButton(message) {
  const button = makeButton('reply', '↩')
  button.title = texts.reply
  button.setAttribute('aria-label', texts.reply)
  button.addEventListener('click', () => answerTo(message))
  return button
}

/**
 * Who wrote: seen in a group, heard everywhere.
 * @param {SandboxMessage} message
 */
function sender(message) {
  const isSeen = state.current < 0 && !isMine(message)
  const name = message.from?.first_name ?? message.sender_chat?.title ?? ''
  const via = message.via_bot ? ` ${texts.via} @${message.via_bot.username ?? ''}` : ''
  const node = make('span', isSeen || via ? 'sender' : 'heard', `${isMine(message) ? texts.youWrote : name}${via}`)
  if (isSeen) node.classList.add(`c${Math.abs(message.from?.id ?? 0) % 5}`)
  return node
}
