/** What can be changed about the person who writes, and how Telegram behaves meanwhile. */
import { get, post } from './api.js'
import { fail } from './composer.js'
import { make, page } from './dom.js'
import { menu } from './menus.js'
import { currentUser, isBlocked, isGroup, people, state } from './state.js'
import { texts } from './texts.js'

/** @import { BotSwitches, FaultPlan, FaultState } from '../contract.ts' */

/** What a bot sends. Its updates come as ever, so that it hears what people write meanwhile. */
const sending = [
  'sendMessage',
  'sendVideo',
  'sendDocument',
  'sendChatAction',
  'editMessageText',
  'editMessageCaption',
  'editMessageMedia',
  'editMessageReplyMarkup',
  'deleteMessage',
  'answerCallbackQuery',
  'answerInlineQuery',
  'answerGuestQuery',
]

/** @type {Record<string, FaultPlan['answer']>} */
const moods = {
  slow: { kind: 'slow', seconds: 5 },
  refuses: { kind: 'refuse', code: 500, description: 'Internal Server Error' },
  flood: { kind: 'flood', retryAfter: 30 },
}

/** Shows how things stand now. */
async function fill() {
  const faults = /** @type {FaultState[]} */ (await get('faults'))
  const running = faults.filter(({ over }) => !over).map(({ answer }) => answer.kind)
  const mood = Object.entries(moods).find(([, { kind }]) => running.includes(kind))
  page.telegram.value = mood?.[0] ?? 'works'
  const user = currentUser()
  page.personSettings.hidden = user === undefined
  page.groupSettings.hidden = !isGroup()
  if (isGroup()) await fillGroup()
  page.blocked.checked = isBlocked()
  showLanguage(user?.languageCode ?? '')
}

async function fillGroup() {
  page.writer.replaceChildren(...people().map(({ id, title }) => new Option(title, String(id))))
  page.writer.value = String(state.writer)
  const all = /** @type {(BotSwitches & { botId: number })[]} */ (await get('switches'))
  page.privacy.checked = all.find(({ botId }) => botId === state.bot?.id)?.groupPrivacy ?? true
  page.botIsIn.checked = state.world.chats.some(
    ({ id, members }) => id === state.current && members?.includes(state.bot?.id ?? 0),
  )
}

/** Who writes, and in a group who it is for now. */
export function showWriter() {
  page.asWho.replaceChildren()
  const user = currentUser()
  if (user !== undefined) page.asWho.append(texts.you, make('b', '', user.firstName))
}

/** @param {string} code of a language, perhaps none that the list has */
function showLanguage(code) {
  const known = [...page.language.options].some((option) => option.value === code)
  if (!known) page.language.add(new Option(code || '–', code))
  page.language.value = code
}

/** @param {string} mood */
async function behave(mood) {
  const faults = /** @type {FaultState[]} */ (await get('faults'))
  const ours = new Set(Object.values(moods).map(({ kind }) => kind))
  for (const { id, over, answer } of faults) if (!over && ours.has(answer.kind)) await post('faults/release', { id })
  const answer = moods[mood]
  if (answer !== undefined) await post('faults', { answer, method: sending, times: 0 })
  await showMood()
}

/** A line in the header while Telegram does not do as it should. */
export async function showMood() {
  await fill()
  const mood = page.telegram.value
  page.mood.hidden = mood === 'works'
  page.mood.textContent = mood === 'works' ? '' : `Telegram ${page.telegram.selectedOptions[0]?.textContent ?? ''}`
}

menu(page.as, page.settings, fill)
page.telegram.addEventListener('change', () => void behave(page.telegram.value).catch(fail))
page.language.addEventListener('change', () => {
  void post('users', { userId: state.writer, languageCode: page.language.value }).catch(fail)
})
page.blocked.addEventListener('change', () => {
  const { bot, writer } = state
  void post('block', { botId: bot?.id, userId: writer, blocked: page.blocked.checked }).catch((error) => {
    page.blocked.checked = false
    fail(error)
  })
})
page.botIsIn.addEventListener('change', () => {
  const { bot, current, writer } = state
  const status = page.botIsIn.checked ? 'member' : 'left'
  void post('members', { chatId: current, botId: bot?.id, status, by: writer }).catch(fail)
})
page.privacy.addEventListener('change', () => {
  void post('switches', { botId: state.bot?.id, groupPrivacy: page.privacy.checked }).catch(fail)
})
