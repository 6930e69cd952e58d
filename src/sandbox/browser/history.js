/** The messages of the open chat: the newest first, earlier ones when they are asked for. */
import { get } from './api.js'
import { makeButton } from './dom.js'
import { state } from './state.js'
import { texts } from './texts.js'

/** @import { SandboxMessage } from '../contract.ts' */

/** Messages that are read at a time. */
const portion = 200

/** How many of the open chat are kept, and whether there are earlier ones. */
let most = portion
let hasEarlier = false

/**
 * @param {number} chatId
 * @param {number} [before] the id of a message
 */
async function read(chatId, before) {
  const query = new URLSearchParams({ botId: String(state.bot?.id), chatId: String(chatId) })
  // One more than is shown tells whether there are others.
  query.set('limit', String(portion + 1))
  if (before !== undefined) query.set('before', String(before))
  const messages = /** @type {SandboxMessage[]} */ (await get(`messages?${query.toString()}`))
  return { messages: messages.slice(-portion), isAll: messages.length <= portion }
}

/**
 * The newest messages of a chat take the place of those that were shown.
 * @param {number} chatId
 * @param {() => boolean} isStillOpen no other chat was opened meanwhile
 */
export async function readNewest(chatId, isStillOpen) {
  const { messages, isAll } = await read(chatId)
  if (!isStillOpen()) return false
  most = portion
  hasEarlier = !isAll
  state.shown = new Map(messages.map((message) => [message.message_id, message]))
  return true
}

/** @param {SandboxMessage} message new or edited, of the open chat */
export function keep(message) {
  state.shown.set(message.message_id, message)
  if (state.shown.size <= most) return
  state.shown.delete(Math.min(...state.shown.keys()))
  hasEarlier = true
}

/**
 * The button that brings earlier messages; undefined where all are shown.
 * @param {() => void} draw
 */
export function earlierButton(draw) {
  if (!hasEarlier) return undefined
  const button = makeButton('earlier', texts.earlier)
  button.addEventListener('click', () => {
    button.disabled = true
    void readEarlier().then(draw, () => (button.disabled = false))
  })
  return button
}

async function readEarlier() {
  const chatId = state.current
  const { messages, isAll } = await read(chatId, Math.min(...state.shown.keys()))
  if (chatId !== state.current) return
  most += portion
  hasEarlier = !isAll
  for (const message of messages) if (!state.shown.has(message.message_id)) state.shown.set(message.message_id, message)
}
