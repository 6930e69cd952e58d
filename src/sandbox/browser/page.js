/** The page's program: one chat is open, and what happens in the sandbox is shown as it happens. */
import { post } from './api.js'
import './attach.js'
import { lookForAnswers } from './buttons.js'
import { drawGrid } from './channel.js'
import { answerTo } from './composer.js'
import { face, page } from './dom.js'
import { createGroup } from './groups.js'
import { keep, readNewest } from './history.js'
import { lookForResults } from './inline.js'
import { opensChatsWith } from './links.js'
import { drawList } from './list.js'
import { drawMessages, refreshChips } from './messages.js'
import { showMood, showWriter } from './settings.js'
import { channels, groups, isBlocked, isGroup, people, readWorld, state } from './state.js'
import { showAction, showIdle } from './status.js'
import { locale, texts, translate } from './texts.js'

/** @import { SandboxEvent, SandboxMessage } from '../contract.ts' */

document.documentElement.lang = locale
translate(document)
page.words.placeholder = texts.write
page.words.setAttribute('aria-label', texts.write)

async function refreshWorld() {
  await readWorld()
  drawList((id) => void open(id))
  drawBlocked()
  refreshChips()
}

/** Who blocked the bot writes nothing until they allow it again. */
function drawBlocked() {
  page.blockedNote.hidden = state.current < 0 || !isBlocked()
}

opensChatsWith(open)
page.unblock.addEventListener('click', () => {
  void post('block', { botId: state.bot?.id, userId: state.writer, blocked: false })
})

/** @param {number} id of a person or a channel */
async function open(id) {
  state.current = id
  if (id > 0) state.writer = id
  localStorage.setItem('chat', String(id))
  state.unread.delete(id)
  drawList((other) => void open(other))
  drawBlocked()
  await drawChat()
  if (id > 0 && matchMedia('(min-width: 821px)').matches) page.words.focus()
}

let drawing = 0

/** Draws the open chat, unless another one is opened while its messages are read. */
async function drawChat() {
  const turn = ++drawing
  const { bot, current } = state
  const isChannel = current < 0 && !isGroup()
  const chat = [...people(), ...groups(), ...channels()].find((one) => one.id === current)
  page.chat.hidden = isChannel
  page.composer.hidden = isChannel || !bot
  page.grid.hidden = !isChannel
  page.keyboard.hidden = true
  page.clip.hidden = current < 0
  face(page.face, chat?.title ?? '', current, chat?.kind ?? 'bot')
  page.title.textContent = (current < 0 ? chat?.title : bot?.firstName) ?? 'Greetings'
  answerTo(undefined)
  showWriter()
  showIdle()
  if (!bot || !chat) return
  if (!(await readNewest(current, () => turn === drawing))) return
  if (isChannel) drawGrid()
  else drawMessages({ jump: true })
}

// A new person

page.newPerson.addEventListener('click', () => {
  page.personName.value = ''
  page.personLanguage.value = locale
  page.person.showModal()
})
page.personCancel.addEventListener('click', () => page.person.close('cancel'))
page.person.addEventListener('close', () => void addPerson())

async function addPerson() {
  const firstName = page.personName.value.trim()
  if (page.person.returnValue !== 'ok' || firstName === '') return
  const userId = 1_000_000 + Math.floor(Math.random() * 900_000_000)
  await post('users', { userId, firstName, languageCode: page.personLanguage.value })
  await refreshWorld()
  await open(userId)
}

page.newGroup.addEventListener('click', () => void newGroup())

async function newGroup() {
  const id = await createGroup()
  await refreshWorld()
  await open(id)
}

page.writer.addEventListener('change', () => {
  state.writer = Number(page.writer.value)
  showWriter()
  drawBlocked()
  drawMessages({ jump: false })
  void showMood()
})

// What happens while we look

/** @type {number | undefined} */
let refreshing

function refreshSoon() {
  clearTimeout(refreshing)
  refreshing = setTimeout(() => void refreshWorld().catch(() => {}), 120)
}

/** @typedef {Extract<SandboxEvent, { type: 'message' | 'deleted' | 'action' | 'fault' | 'world' }>} ShownEvent */

/** @param {ShownEvent} event */
function happened(event) {
  const { bot, current } = state
  if (event.type === 'fault') return void showMood()
  if (event.type === 'world') {
    void lookForAnswers().catch(() => {})
    void lookForResults().catch(() => {})
    return refreshSoon()
  }
  if (bot && event.botId !== bot.id && event.chatId > 0) return
  if (event.chatId !== current) return event.type === 'message' ? happenedElsewhere(event) : undefined
  switch (event.type) {
    case 'action':
      return showAction(event.action)
    case 'deleted':
      state.shown.delete(event.messageId)
      break
    case 'message':
      show(messageOf(event))
  }
  if (current >= 0 || isGroup()) return drawMessages({ jump: false })
  drawGrid()
  refreshSoon()
}

/** @typedef {Extract<SandboxEvent, { type: 'message' }>} MessageTold */

/** @param {MessageTold} event */
function messageOf(event) {
  return /** @type {SandboxMessage} */ (/** @type {unknown} */ (event.message))
}

/** @param {MessageTold} event of a chat that is not open */
function happenedElsewhere(event) {
  const { chatId, edited } = event
  if (!edited && messageOf(event).from?.is_bot) state.unread.set(chatId, (state.unread.get(chatId) ?? 0) + 1)
  refreshSoon()
}

/** @param {SandboxMessage} message new or edited, of the open chat */
function show(message) {
  keep(message)
  if (message.from?.is_bot) showIdle()
}

/** Whoever reads another language than all others here gets a person who speaks it, while nobody has written. */
async function meetReader() {
  const { users, chats } = state.world
  const someoneWrote = chats.some(({ type, messages }) => type === 'private' && messages > 0)
  if (someoneWrote || users.length === 0 || users.some(({ languageCode }) => languageCode === locale)) return
  const userId = locale === 'ru' ? 1_000_001 : 1_000_004
  await post('users', { userId, firstName: texts.reader, languageCode: locale })
  state.current = userId
  await refreshWorld()
}

const events = new EventSource('/sandbox/events?types=message,deleted,action,fault,world')
let wasOpen = false
events.addEventListener('open', () => {
  page.offline.hidden = true
  if (wasOpen) void refreshWorld().then(drawChat)
  wasOpen = true
})
events.addEventListener('error', () => {
  page.offline.hidden = false
})
events.addEventListener('message', (event) => {
  /** @type {unknown} */
  const told = JSON.parse(String(event.data))
  happened(/** @type {ShownEvent} */ (told))
})

await refreshWorld()
await meetReader()
await drawChat()
await showMood()
document.body.dataset.ready = 'true'
