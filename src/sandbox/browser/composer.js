/** Where a person writes: the field, the bot's keyboard and its list of commands. */
import { get, post } from './api.js'
import { make, makeButton, page } from './dom.js'
import { menu } from './menus.js'
import { currentUser, state } from './state.js'
import { texts } from './texts.js'

/** @import { KeyboardButton } from 'grammy/types' */
/** @import { SandboxMessage } from '../contract.ts' */

/** A bot that runs has read a message by then. */
const readMs = 6_000

/** The message that is answered next.
 * @type {number | undefined} */
let replyTo

/**
 * Sends a message as the person of the open chat.
 * @param {string} words
 * @param {{ privately?: boolean }} [options] `privately`: to the bot, even while a group is open
 */
export async function say(words, { privately = false } = {}) {
  const { bot, current, writer } = state
  if (!bot || !currentUser() || words.trim() === '') return
  scrollToEnd()
  const order = { botId: bot.id, userId: writer, text: words, replyTo }
  answerTo(undefined)
  try {
    const [updateId] = /** @type {(number | null)[]} */ (
      await post('updates', current < 0 && !privately ? { ...order, chatId: current } : order)
    )
    remindLater(updateId ?? null)
  } catch (error) {
    fail(error)
  }
}

/** @param {number | null} updateId of something that was sent; null when the bot does not want it */
export function remindLater(updateId) {
  const { bot } = state
  if (bot && updateId !== null) setTimeout(() => void remind(bot.id, updateId), readMs)
}

/**
 * Nobody reads what is written: say so once, below the message.
 * @param {number} botId
 * @param {number} updateId
 */
async function remind(botId, updateId) {
  const { updateIds } = /** @type {{ updateIds: number[] }} */ (await get(`pending?botId=${botId}`))
  for (const note of page.messages.querySelectorAll('.note')) note.remove()
  if (!updateIds.includes(updateId)) return
  page.messages.append(make('li', 'note', texts.unread))
  scrollToEnd()
}

/**
 * Shows what went wrong, below the messages.
 * @param {unknown} error
 */
export function fail(error) {
  page.messages.append(make('li', 'note', error instanceof Error ? error.message : String(error)))
}

function scrollToEnd() {
  page.chat.scrollTop = page.chat.scrollHeight
}

function grow() {
  page.words.style.height = 'auto'
  page.words.style.height = `${Math.min(128, page.words.scrollHeight + 2)}px`
}

/** @param {SandboxMessage | undefined} message that is answered next; undefined: none */
export function answerTo(message) {
  replyTo = message?.message_id
  page.replying.hidden = message === undefined
  page.replyWords.textContent = message?.text || message?.caption || '▶'
  if (message !== undefined) page.words.focus()
}

page.replyCancel.addEventListener('click', () => answerTo(undefined))

/**
 * Puts words into the field as if they had been typed.
 * @param {string} words
 */
export function write(words) {
  page.words.value = words
  page.words.focus()
  page.words.dispatchEvent(new Event('input'))
}

page.words.addEventListener('input', grow)
page.words.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
  event.preventDefault()
  page.composer.requestSubmit()
})
page.composer.addEventListener('submit', (event) => {
  event.preventDefault()
  void say(page.words.value)
  write('')
})

/**
 * The keyboard that the bot sent last, below the messages.
 * @param {SandboxMessage[]} messages oldest first
 */
export function drawKeyboard(messages) {
  const last = messages.filter((message) => message.keyboard).at(-1)
  const rows = /** @type {{ keyboard?: KeyboardButton[][] } | undefined} */ (last?.keyboard)?.keyboard ?? []
  page.keyboard.hidden = rows.length === 0
  page.keyboard.replaceChildren(
    ...rows.map((row) => {
      const line = make('div')
      for (const button of row) {
        const words = typeof button === 'string' ? button : button.text
        const key = makeButton('', words)
        key.addEventListener('click', () => void say(words))
        line.append(key)
      }
      return line
    }),
  )
}

/** The commands as the bot set them for this person's language. */
async function fillCommands() {
  const query = new URLSearchParams({
    botId: String(state.bot?.id ?? ''),
    language: currentUser()?.languageCode ?? '',
  })
  const known = /** @type {{ command: string, description: string }[]} */ (await get(`commands?${query.toString()}`))
  const commands = known.length > 0 ? known : [{ command: 'start', description: texts.start }]
  page.commands.replaceChildren(
    ...commands.map(({ command, description }) => {
      const item = make('li')
      const button = makeButton('')
      button.append(make('b', '', `/${command}`), make('span', '', description))
      button.addEventListener('click', () => {
        commandsMenu.close()
        void say(`/${command}${state.current < 0 ? `@${state.bot?.username ?? ''}` : ''}`)
      })
      item.append(button)
      return item
    }),
  )
}

const commandsMenu = menu(page.menu, page.commands, fillCommands)
