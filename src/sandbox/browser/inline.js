/** `@bot Маша` in the field: what the bot offers for it stands above, and one tap posts it as the person's message. */
import { get, post } from './api.js'
import { fail, say, write } from './composer.js'
import { make, makeButton, page } from './dom.js'
import { state } from './state.js'
import { texts } from './texts.js'

/** @typedef {{ id: string, type: string, title?: string, description?: string }} Result */
/** @typedef {{ results?: Result[], answer?: { button?: unknown } }} Answer */

/** A person who goes on typing is not asked for. */
const pauseMs = 250

/** The query whose answer is waited for or shown. */
let queryId = ''

/** What was asked last. */
let asked = ''

/** @type {number | undefined} */
let pausing

/** What is typed after the bot's name; undefined: this is no inline query. */
function typedQuery() {
  const name = `@${state.bot?.username ?? ''} `.toLowerCase()
  const words = page.words.value
  return name !== '@ ' && words.toLowerCase().startsWith(name) ? words.slice(name.length) : undefined
}

function typed() {
  clearTimeout(pausing)
  const query = typedQuery()
  if (query === undefined) return hide()
  if (query !== asked || page.results.hidden) pausing = setTimeout(() => void ask(query).catch(hide), pauseMs)
}

function hide() {
  queryId = ''
  asked = ''
  page.results.hidden = true
}

/** @param {string} query */
async function ask(query) {
  asked = query
  const answer = await post('inline', { botId: state.bot?.id, userId: state.writer, query })
  queryId = /** @type {{ queryId: string }} */ (answer).queryId
  await lookForResults()
}

/** Shows what the bot offers, once it has answered. */
export async function lookForResults() {
  const id = queryId
  if (id === '') return
  const { results, answer } = /** @type {Answer} */ ((await get(`query?id=${encodeURIComponent(id)}`)) ?? {})
  if (id !== queryId || answer === undefined) return
  /** @type {unknown} */
  const given = typeof answer.button === 'string' ? JSON.parse(answer.button) : answer.button
  const button = /** @type {{ text: string, start_parameter?: string } | undefined} */ (given)
  const lines = (results ?? []).map((result) => line(result, id))
  if (button !== undefined) lines.push(buttonLine(button))
  if (lines.length === 0) lines.push(make('li', 'nothing', texts.noResults))
  page.results.replaceChildren(...lines)
  page.results.hidden = false
}

/**
 * @param {Result} result
 * @param {string} id of the query
 */
function line(result, id) {
  const button = makeButton('')
  button.append(make('b', '', result.title || texts.play), make('span', '', result.description ?? ''))
  button.addEventListener('click', () => {
    hide()
    write('')
    void post('choose', { queryId: id, resultId: result.id, chatId: state.current }).catch(fail)
  })
  const item = make('li', result.type)
  item.append(button)
  return item
}

/** @param {{ text: string, start_parameter?: string }} button opens the bot itself */
function buttonLine({ text, start_parameter }) {
  const button = makeButton('more', text)
  button.addEventListener('click', () => {
    hide()
    write('')
    void say(`/start ${start_parameter ?? ''}`.trim(), { privately: true })
  })
  const item = make('li')
  item.append(button)
  return item
}

page.words.addEventListener('input', typed)
page.words.addEventListener('keydown', (event) => {
  if (page.results.hidden) return
  if (event.key === 'Escape') hide()
  else if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
    event.preventDefault()
    const all = page.results.querySelectorAll('button')
    all[event.key === 'ArrowUp' ? all.length - 1 : 0]?.focus()
  }
})
page.results.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') {
    hide()
    return page.words.focus()
  }
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
  if (step === 0) return
  event.preventDefault()
  const all = [...page.results.querySelectorAll('button')]
  const next = all[all.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement)) + step]
  if (next) next.focus()
  else page.words.focus()
})
