/** Links to Telegram stay on this page: what they would do there, they do here. */
import { say } from './composer.js'
import { make, makeButton, page } from './dom.js'
import { people, state } from './state.js'

/** @type {(id: number) => Promise<void>} */
let openChat = async () => {}

/** @param {(id: number) => Promise<void>} open opens the chat of a person */
export function opensChatsWith(open) {
  openChat = open
}

/**
 * A link that opens this bot, perhaps with a name, or that shares something; undefined for every other one.
 * @param {string} label
 * @param {string} address
 */
export function botLink(label, address) {
  const act = actionOf(address)
  if (act === undefined) return undefined
  const button = makeButton('link', label)
  button.addEventListener('click', act)
  return button
}

/**
 * @param {string} address
 * @returns {(() => void) | undefined}
 */
function actionOf(address) {
  const payload = payloadOf(address)
  if (payload !== undefined) return () => void say(`/start ${payload}`.trim())
  const url = telegramUrl(address)
  if (url?.pathname !== '/share/url') return undefined
  return () => chooseReceiver(url.searchParams.get('text') ?? '', url.searchParams.get('url') ?? '')
}

/**
 * What `start` says in a link to this bot, empty when it says nothing; undefined for other links.
 * @param {string} address
 */
function payloadOf(address) {
  const url = telegramUrl(address)
  const isOurs = url?.pathname.slice(1).toLowerCase() === state.bot?.username.toLowerCase()
  return isOurs ? (url?.searchParams.get('start') ?? '') : undefined
}

/** @param {string} address */
function telegramUrl(address) {
  const url = URL.canParse(address) ? new URL(address) : undefined
  return url !== undefined && /^(t|telegram)\.me$/i.test(url.hostname) ? url : undefined
}

/**
 * Who is sent the link? They open it at once: their chat is shown, and the bot is started with what the link says.
 * @param {string} words
 * @param {string} address
 */
function chooseReceiver(words, address) {
  page.shareWords.textContent = [words, address].filter(Boolean).join('\n')
  page.shareList.replaceChildren(
    ...people().map(({ id, title }) => {
      const item = make('li')
      const button = makeButton('', title)
      button.addEventListener('click', () => {
        page.share.close()
        const payload = payloadOf(address)
        void openChat(id).then(() => (payload === undefined ? undefined : say(`/start ${payload}`.trim())))
      })
      item.append(button)
      return item
    }),
  )
  page.share.showModal()
}
