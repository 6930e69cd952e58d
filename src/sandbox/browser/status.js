/** The line below the chat's title: who it is, or what the bot is doing now. */
import { page } from './dom.js'
import { channels, groups, state } from './state.js'
import { actionText, texts } from './texts.js'

/** A chat action is over after this, as in Telegram. */
const actionMs = 5_500

/** @type {number | undefined} */
let timer

/** The bot does nothing, or has done it. */
export function showIdle() {
  clearTimeout(timer)
  page.status.className = ''
  page.status.textContent = [...groups(), ...channels()].find((chat) => chat.id === state.current)?.about ?? texts.bot
}

/** @param {string} action as `sendChatAction` names it */
export function showAction(action) {
  page.status.textContent = actionText(action)
  page.status.className = 'busy'
  clearTimeout(timer)
  timer = setTimeout(showIdle, actionMs)
}
