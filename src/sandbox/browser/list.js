/** The list of people and channels. */
import { face, make, makeButton, page } from './dom.js'
import { channels, groups, people, state } from './state.js'

/** @import { Chat } from './state.js' */

/** @param {(id: number) => void} open what a click on a chat does */
export function drawList(open) {
  page.people.replaceChildren(...people().map((chat) => row(chat, open)))
  page.groups.replaceChildren(...groups().map((chat) => row(chat, open)))
  page.channels.replaceChildren(...channels().map((chat) => row(chat, open)))
}

/**
 * @param {Chat} chat
 * @param {(id: number) => void} open
 */
function row(chat, open) {
  const item = make('li')
  const button = makeButton('row')
  if (chat.id === state.current) button.setAttribute('aria-current', 'true')
  const who = make('span', 'who')
  who.append(make('b', '', chat.title), make('small', '', chat.about))
  button.append(face(make('span'), chat.title, chat.id, chat.kind), who)
  const count = state.unread.get(chat.id)
  if (count) button.append(make('span', 'badge', String(count)))
  button.addEventListener('click', () => open(chat.id))
  item.append(button)
  return item
}
