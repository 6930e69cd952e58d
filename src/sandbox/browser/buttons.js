/** The buttons below a message: pressed, they wait for the bot's answer, which is shown as Telegram shows it. */
import { get, post } from './api.js'
import { fail, write } from './composer.js'
import { make, makeButton, makeLink, page } from './dom.js'
import { botLink } from './links.js'
import { state } from './state.js'

/** @import { InlineKeyboardButton } from 'grammy/types' */

/** A button that nobody answers stops waiting, as in Telegram. */
const patienceMs = 15_000

const toastMs = 3_500

/** Buttons that wait, by the id of their query.
 * @type {Map<string, HTMLButtonElement>} */
const waiting = new Map()

/**
 * @param {number} messageId
 * @param {InlineKeyboardButton[][]} rows
 */
export function buttons(messageId, rows) {
  const node = make('div', 'buttons')
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
  if ('url' in button && /^https?:/i.test(button.url))
    return botLink(button.text, button.url) ?? makeLink(`${button.text} ↗`, button.url)
  const node = makeButton('', button.text)
  if ('callback_data' in button) node.addEventListener('click', () => void press(node, messageId, button.callback_data))
  else if ('switch_inline_query' in button) node.addEventListener('click', () => ask(button.switch_inline_query))
  else if ('switch_inline_query_current_chat' in button)
    node.addEventListener('click', () => ask(button.switch_inline_query_current_chat))
  else if ('copy_text' in button)
    node.addEventListener('click', () => void navigator.clipboard.writeText(button.copy_text.text).catch(fail))
  return node
}

/** @param {string} query typed after the bot's name */
function ask(query) {
  write(`@${state.bot?.username ?? ''} ${query}`)
}

/**
 * @param {HTMLButtonElement} button
 * @param {number} messageId
 * @param {string} data
 */
async function press(button, messageId, data) {
  if (button.getAttribute('aria-busy') === 'true') return
  button.setAttribute('aria-busy', 'true')
  try {
    const order = { botId: state.bot?.id, userId: state.writer, chatId: state.current, messageId, data }
    const { queryId } = /** @type {{ queryId: string }} */ (await post('press', order))
    waiting.set(queryId, button)
    setTimeout(() => answered(queryId), patienceMs)
    await lookForAnswers()
  } catch (error) {
    button.removeAttribute('aria-busy')
    fail(error)
  }
}

/** @param {string} queryId */
function answered(queryId) {
  waiting.get(queryId)?.removeAttribute('aria-busy')
  waiting.delete(queryId)
}

/** Shows what the bot answered to buttons that wait. */
export async function lookForAnswers() {
  for (const id of waiting.keys()) {
    const query = await get(`query?id=${encodeURIComponent(id)}`)
    const { answer } = /** @type {{ answer?: Record<string, unknown> }} */ (query ?? {})
    if (answer === undefined || !waiting.has(id)) continue
    answered(id)
    const words = typeof answer.text === 'string' ? answer.text : ''
    if (words === '') continue
    if (answer.show_alert === true || answer.show_alert === 'true') showAlert(words)
    else showToast(words)
  }
}

/** @param {string} words */
function showAlert(words) {
  page.alertWords.textContent = words
  page.alert.showModal()
}

/** @type {number | undefined} */
let fading

/** @param {string} words shown above the chat for a while */
function showToast(words) {
  page.toast.textContent = words
  page.toast.hidden = false
  clearTimeout(fading)
  fading = setTimeout(() => (page.toast.hidden = true), toastMs)
}
