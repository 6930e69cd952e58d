/**
 * The page's program. A text, because it runs in the browser: no backticks and no interpolation within.
 * Whatever people or the bot wrote becomes text nodes, never markup.
 */
export const script = String.raw`
const russian = /^(ru|uk|be|kk)/i.test(navigator.language || '')
const texts = russian ? {
  sandbox: 'песочница', people: 'Кто пишет боту', channels: 'Канал-хранилище', newPerson: 'Новый человек', write: 'Сообщение', send: 'Отправить', commands: 'Команды',
  theirName: 'Имя', theirLanguage: 'Язык', cancel: 'Отмена', create: 'Добавить', close: 'Закрыть', play: 'Смотреть', offline: 'Песочница остановлена, ждём…',
  bot: 'бот', start: 'Начать', hello: 'Здесь можно написать боту, как в Telegram.', you: 'вы: ', edited: 'изм. ', blockedBot: 'бот заблокирован', nothing: 'Здесь появятся все готовые видео.',
  today: 'Сегодня', yesterday: 'Вчера', posts: 'публикаций: ', unread: 'Бот пока не прочитал сообщение. Запущен ли он?', file: 'Файл', noChat: 'ещё не писал(а)',
  typing: 'печатает', record_video: 'записывает видео', upload_video: 'отправляет видео', upload_document: 'отправляет файл', upload_photo: 'отправляет фото', record_voice: 'записывает голос', upload_voice: 'отправляет голос',
} : {
  sandbox: 'sandbox', people: 'Who writes to the bot', channels: 'Storage channel', newPerson: 'New person', write: 'Message', send: 'Send', commands: 'Commands',
  theirName: 'Name', theirLanguage: 'Language', cancel: 'Cancel', create: 'Add', close: 'Close', play: 'Play', offline: 'The sandbox has stopped, waiting…',
  bot: 'bot', start: 'Start', hello: 'Write to the bot here as you would in Telegram.', you: 'you: ', edited: 'edited ', blockedBot: 'bot blocked', nothing: 'Every finished video will appear here.',
  today: 'Today', yesterday: 'Yesterday', posts: 'posts: ', unread: 'The bot has not read the message yet. Is it running?', file: 'File', noChat: 'has not written yet',
  typing: 'typing', record_video: 'recording a video', upload_video: 'sending a video', upload_document: 'sending a file', upload_photo: 'sending a photo', record_voice: 'recording a voice message', upload_voice: 'sending a voice message',
}
const locale = russian ? 'ru' : 'en'
document.documentElement.lang = locale

const find = (id) => document.getElementById(id)
for (const node of document.querySelectorAll('[data-text]')) node.textContent = texts[node.dataset.text]
for (const node of document.querySelectorAll('[data-label]')) { node.title = texts[node.dataset.label]; node.setAttribute('aria-label', texts[node.dataset.label]) }
find('words').placeholder = texts.write
find('words').setAttribute('aria-label', texts.write)

let world = { bots: [], users: [], chats: [] }
let bot
let current = Number(localStorage.getItem('chat')) || 0
let shown = new Map()
const unread = new Map()
const newest = 200

function make(tag, className, text) {
  const node = document.createElement(tag)
  if (className) node.className = className
  if (text !== undefined) node.textContent = text
  return node
}

async function get(path) {
  const response = await fetch('/sandbox/' + path)
  if (!response.ok) throw new Error(await response.text())
  return response.json()
}

async function post(path, body) {
  const response = await fetch('/sandbox/' + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  if (!response.ok) throw new Error(await response.text())
  return response.json()
}

const fileUrl = (unique) => '/sandbox/files/' + encodeURIComponent(unique)
const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString(locale, { hour: '2-digit', minute: '2-digit', hour12: false })
const length = (seconds) => Math.floor(seconds / 60) + ':' + String(seconds % 60).padStart(2, '0')

function face(node, name, id, kind) {
  node.className = 'face ' + (kind || 'c' + (Math.abs(id) % 5))
  node.textContent = kind === 'bot' ? '' : kind === 'channel' ? '▦' : (name.trim()[0] || '?').toUpperCase()
  return node
}

// The list of people and channels

function row(chat) {
  const item = make('li')
  const button = make('button', 'row')
  button.type = 'button'
  if (chat.id === current) button.setAttribute('aria-current', 'true')
  const who = make('span', 'who')
  who.append(make('b', '', chat.title), make('small', '', chat.about))
  button.append(face(make('span'), chat.title, chat.id, chat.kind), who)
  const count = unread.get(chat.id)
  if (count) button.append(make('span', 'badge', String(count)))
  button.addEventListener('click', () => open(chat.id))
  item.append(button)
  return item
}

function people() {
  return world.users.filter((user) => !user.deleted).map((user) => {
    const chat = world.chats.find((one) => one.id === user.id)
    return { id: user.id, title: user.firstName, about: chat === undefined ? texts.noChat : chat.blocked ? texts.blockedBot : [user.lastName, user.languageCode].filter(Boolean).join(' · ') }
  }).slice(-200)
}

function channels() {
  return world.chats.filter((chat) => chat.id < 0).map((chat) => ({ id: chat.id, title: chat.title, about: texts.posts + chat.messages, kind: 'channel' }))
}

function drawList() {
  find('people').replaceChildren(...people().map(row))
  find('channels').replaceChildren(...channels().map(row))
}

async function refreshWorld() {
  world = await get('world')
  bot = world.bots[0]
  const known = [...people(), ...channels()]
  if (!known.some((chat) => chat.id === current)) current = known[0] ? known[0].id : 0
  drawList()
}

// One chat

async function open(id) {
  current = id
  localStorage.setItem('chat', String(id))
  unread.delete(id)
  drawList()
  await drawChat()
  if (id > 0 && matchMedia('(min-width: 821px)').matches) find('words').focus()
}

let drawing = 0
async function drawChat() {
  const turn = ++drawing
  const isChannel = current < 0
  const chat = [...people(), ...channels()].find((one) => one.id === current)
  find('chat').hidden = isChannel
  find('composer').hidden = isChannel || !bot
  find('grid').hidden = !isChannel
  find('keyboard').hidden = true
  face(find('face'), chat ? chat.title : '', current, isChannel ? 'channel' : 'bot')
  find('title').textContent = isChannel ? chat.title : bot ? bot.firstName : 'Greetings'
  find('as').replaceChildren()
  if (!isChannel && chat) find('as').append(texts.you, make('b', '', chat.title))
  idle()
  if (!bot || !chat) return
  const messages = await get('messages?' + new URLSearchParams({ botId: bot.id, chatId: current, limit: newest }))
  if (turn !== drawing) return
  shown = new Map(messages.map((message) => [message.message_id, message]))
  isChannel ? drawGrid() : drawMessages(true)
}

function idle() {
  clearTimeout(idle.timer)
  const status = find('status')
  status.className = ''
  const chat = channels().find((one) => one.id === current)
  status.textContent = chat ? chat.about : texts.bot
}

function act(action) {
  const status = find('status')
  status.textContent = texts[action] || texts.typing
  status.className = 'busy'
  clearTimeout(idle.timer)
  idle.timer = setTimeout(idle, 5500)
}

function day(seconds) {
  const date = new Date(seconds * 1000)
  const key = date.toDateString()
  if (key === new Date().toDateString()) return texts.today
  if (key === new Date(Date.now() - 86400000).toDateString()) return texts.yesterday
  return date.toLocaleDateString(locale, { day: 'numeric', month: 'long' })
}

function drawMessages(jump) {
  const box = find('chat')
  const atEnd = jump || box.scrollHeight - box.scrollTop - box.clientHeight < 120
  const list = find('messages')
  const old = new Map([...list.children].filter((node) => node.dataset.id).map((node) => [node.dataset.id, node]))
  const wanted = []
  let lastDay
  const sorted = [...shown.values()].sort((a, b) => a.message_id - b.message_id)
  for (const message of sorted) {
    const today = day(message.date)
    if (today !== lastDay) wanted.push(make('li', 'day', today))
    lastDay = today
    // A message that did not change keeps its node: a playing video plays on.
    const stamp = current + ' ' + message.message_id + ' ' + (message.edit_date || 0) + ' ' + JSON.stringify(message.reply_markup || 0) + (message.text || message.caption || '')
    const kept = old.get(stamp)
    const nodes = kept ? [kept] : [bubble(message)]
    nodes[0].dataset.id = stamp
    if (jump) nodes[0].style.animation = 'none'
    wanted.push(...nodes)
    if (message.reply_markup && message.reply_markup.inline_keyboard) wanted.push(buttons(message))
  }
  const before = [...list.children]
  if (before.length !== wanted.length || wanted.some((node, i) => node !== before[i])) place(list, wanted)
  drawEmpty(sorted.length === 0)
  drawKeyboard(sorted)
  if (atEnd) box.scrollTop = box.scrollHeight
}

// Moving a node would stop its video: what stays is not touched.
function place(list, wanted) {
  const keep = new Set(wanted)
  for (const node of [...list.children]) if (!keep.has(node)) node.remove()
  wanted.forEach((node, i) => {
    if (list.children[i] !== node) list.insertBefore(node, list.children[i] || null)
  })
}

function drawEmpty(isEmpty) {
  const empty = find('empty')
  empty.hidden = !isEmpty
  if (!isEmpty) return empty.replaceChildren()
  const start = make('button', 'primary', texts.start)
  start.type = 'button'
  start.addEventListener('click', () => say('/start'))
  empty.replaceChildren(face(make('span'), '', 0, 'bot'), make('p', '', texts.hello), start)
}

function bubble(message) {
  const mine = message.from && message.from.id === current
  const node = make('li', 'bubble' + (mine ? ' mine' : '') + (message.edit_date ? ' edited' : ''))
  if (message.reply_to_message) node.append(make('div', 'quote', message.reply_to_message.text || message.reply_to_message.caption || '▶'))
  const film = message.video || message.animation
  if (film) node.append(video(film, Boolean(message.animation)))
  else if (message.document) node.append(attachment(message.document))
  if (film) node.classList.add('film')
  const words = message.text || message.caption
  if (words) {
    const place = make('div', 'words')
    place.append(...formatted(words, message.entities || message.caption_entities || []))
    node.append(place)
  } else if (film) node.classList.add('bare')
  node.append(make('span', 'time', (message.edit_date ? texts.edited : '') + clock(message.date)))
  return node
}

function video(film, silent) {
  const box = make('div', 'screen')
  const node = make('video')
  node.src = fileUrl(film.file_unique_id)
  node.playsInline = true
  node.preload = film.thumbnail ? 'none' : 'metadata'
  if (film.cover && film.cover[0]) node.poster = fileUrl(film.cover[0].file_unique_id)
  else if (film.thumbnail) node.poster = fileUrl(film.thumbnail.file_unique_id)
  if (film.width && film.height) node.style.aspectRatio = film.width + ' / ' + film.height
  box.append(node)
  if (silent) {
    Object.assign(node, { muted: true, loop: true, autoplay: true })
    return box
  }
  // Quiet until somebody presses play, then with the browser's own controls.
  const play = make('button', 'play')
  play.type = 'button'
  play.setAttribute('aria-label', texts.play)
  play.addEventListener('click', () => node.play())
  box.append(play, make('span', 'long', length(film.duration || 0)))
  node.addEventListener('play', () => {
    box.classList.add('playing')
    node.controls = true
    for (const other of document.querySelectorAll('video')) if (other !== node && !other.muted) other.pause()
  })
  return box
}

function attachment(file) {
  const link = make('a', 'file')
  link.href = fileUrl(file.file_unique_id)
  link.download = file.file_name || 'file'
  const about = make('div')
  about.append(make('div', '', file.file_name || texts.file), make('small', '', Math.max(1, Math.round((file.file_size || 0) / 1024)) + ' KB'))
  link.append(make('span', '', '↓'), about)
  return link
}

const tags = { bold: 'b', italic: 'i', underline: 'u', strikethrough: 's', code: 'code', pre: 'pre', blockquote: 'blockquote' }

function formatted(words, entities) {
  const nodes = []
  let at = 0
  for (const entity of [...entities].sort((a, b) => a.offset - b.offset)) {
    if (entity.offset < at) continue
    const part = words.slice(entity.offset, entity.offset + entity.length)
    nodes.push(words.slice(at, entity.offset))
    at = entity.offset + entity.length
    const address = entity.type === 'text_link' ? entity.url : entity.type === 'url' ? part : ''
    if (/^https?:/i.test(address)) {
      const link = make('a', '', part)
      Object.assign(link, { href: address, target: '_blank', rel: 'noopener noreferrer' })
      nodes.push(link)
    } else if (entity.type === 'bot_command') {
      const link = make('a', '', part)
      link.href = '#'
      link.addEventListener('click', (event) => { event.preventDefault(); say(part) })
      nodes.push(link)
    } else nodes.push(make(tags[entity.type] || 'span', '', part))
  }
  nodes.push(words.slice(at))
  return nodes
}

function buttons(message) {
  const node = make('li', 'buttons')
  for (const line of message.reply_markup.inline_keyboard) {
    const place = make('div')
    for (const button of line) place.append(inlineButton(message, button))
    node.append(place)
  }
  return node
}

function inlineButton(message, button) {
  if (button.url && /^https?:/i.test(button.url)) {
    const link = make('a', '', button.text + ' ↗')
    Object.assign(link, { href: button.url, target: '_blank', rel: 'noopener noreferrer' })
    return link
  }
  const node = make('button', '', button.text)
  node.type = 'button'
  if (button.callback_data) node.addEventListener('click', () => post('press', { botId: bot.id, userId: current, messageId: message.message_id, data: button.callback_data }).catch(fail))
  return node
}

function drawKeyboard(messages) {
  const last = messages.filter((message) => message.keyboard).at(-1)
  const rows = (last && last.keyboard.keyboard) || []
  const place = find('keyboard')
  place.hidden = rows.length === 0
  place.replaceChildren(...rows.map((line) => {
    const node = make('div')
    for (const button of line) {
      const words = typeof button === 'string' ? button : button.text
      const key = make('button', '', words)
      key.type = 'button'
      key.addEventListener('click', () => say(words))
      node.append(key)
    }
    return node
  }))
}

// The channel: what was posted, newest first

function drawGrid() {
  const grid = find('grid')
  const posts = [...shown.values()].sort((a, b) => b.message_id - a.message_id)
  if (posts.length === 0) {
    const empty = make('div', 'empty')
    empty.append(face(make('span'), '', 0, 'channel'), make('p', '', texts.nothing))
    return grid.replaceChildren(empty)
  }
  const old = new Map([...grid.querySelectorAll('.tile')].map((node) => [node.dataset.id, node]))
  place(grid, posts.map((message) => {
    const key = current + ' ' + message.message_id + ' ' + (message.edit_date || 0)
    const node = old.get(key) || tile(message)
    node.dataset.id = key
    return node
  }))
  idle()
}

function tile(message) {
  const film = message.video || message.animation
  const node = make('button', 'tile')
  node.type = 'button'
  if (!film) {
    node.append(make('p', '', message.text || message.caption || (message.document && message.document.file_name) || ''))
  } else {
    if (film.thumbnail) {
      const image = make('img')
      Object.assign(image, { src: fileUrl(film.thumbnail.file_unique_id), alt: '', loading: 'lazy' })
      node.append(image)
    }
    node.append(make('span', 'play'), make('span', 'long', length(film.duration || 0)))
    node.addEventListener('click', () => cinema(message, film))
  }
  node.append(make('span', 'n', '#' + message.message_id))
  return node
}

function cinema(message, film) {
  const screen = find('cinema-video')
  screen.src = fileUrl(film.file_unique_id)
  if (film.thumbnail) screen.poster = fileUrl(film.thumbnail.file_unique_id)
  find('cinema-note').textContent = '#' + message.message_id + ' · ' + new Date(message.date * 1000).toLocaleString(locale) + ' · ' + film.width + '×' + film.height + ' · ' + ((film.file_size || 0) / 1048576).toFixed(1) + ' MB' + (message.caption ? ' · ' + message.caption : '')
  find('cinema').showModal()
  screen.play().catch(() => {})
}
find('cinema-close').addEventListener('click', () => find('cinema').close())
find('cinema').addEventListener('click', (event) => { if (event.target === find('cinema')) find('cinema').close() })
find('cinema').addEventListener('close', () => { find('cinema-video').pause(); find('cinema-video').removeAttribute('src') })

// Writing

async function say(words) {
  const user = world.users.find((one) => one.id === current)
  if (!bot || !user || words.trim() === '') return
  find('chat').scrollTop = find('chat').scrollHeight
  try {
    const [updateId] = await post('updates', { botId: bot.id, userId: current, text: words })
    setTimeout(() => remind(updateId), 6000)
  } catch (error) {
    fail(error)
  }
}

// Nobody reads what is written: say so once, below the message.
async function remind(updateId) {
  const { updateIds } = await get('pending?botId=' + bot.id)
  for (const note of find('messages').querySelectorAll('.note')) note.remove()
  if (!updateIds.includes(updateId) || current < 0) return
  find('messages').append(make('li', 'note', texts.unread))
  find('chat').scrollTop = find('chat').scrollHeight
}

function fail(error) {
  find('messages').append(make('li', 'note', String(error.message || error)))
}

const words = find('words')
const grow = () => { words.style.height = 'auto'; words.style.height = Math.min(128, words.scrollHeight + 2) + 'px' }
words.addEventListener('input', grow)
words.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) { event.preventDefault(); find('composer').requestSubmit() }
})
find('composer').addEventListener('submit', (event) => {
  event.preventDefault()
  say(words.value)
  words.value = ''
  grow()
})

find('menu').addEventListener('click', async () => {
  const list = find('commands')
  if (!list.hidden) return (list.hidden = true)
  const user = world.users.find((one) => one.id === current)
  const known = await get('commands?' + new URLSearchParams({ botId: bot.id, language: (user && user.languageCode) || '' }))
  const commands = known.length > 0 ? known : [{ command: 'start', description: texts.start }]
  list.replaceChildren(...commands.map(({ command, description }) => {
    const item = make('li')
    const button = make('button')
    button.type = 'button'
    button.append(make('b', '', '/' + command), make('span', '', description))
    button.addEventListener('click', () => { list.hidden = true; say('/' + command) })
    item.append(button)
    return item
  }))
  list.hidden = false
})
document.addEventListener('click', (event) => { if (!find('composer').contains(event.target)) find('commands').hidden = true })

find('new-person').addEventListener('click', () => {
  find('person-name').value = ''
  find('person-language').value = locale
  find('person').showModal()
})
find('person-cancel').addEventListener('click', () => find('person').close('cancel'))
find('person').addEventListener('close', async () => {
  const name = find('person-name').value.trim()
  if (find('person').returnValue !== 'ok' || name === '') return
  const userId = 1000000 + Math.floor(Math.random() * 900000000)
  await post('users', { userId, firstName: name, languageCode: find('person-language').value })
  await refreshWorld()
  await open(userId)
})

// What happens while we look

let refreshing
const soon = () => { clearTimeout(refreshing); refreshing = setTimeout(() => refreshWorld().catch(() => {}), 120) }

function happened(event) {
  if (event.type === 'world') return soon()
  if (event.botId !== undefined && bot && event.botId !== bot.id && event.chatId > 0) return
  if (event.type === 'action' && event.chatId === current) return act(event.action)
  if (event.type === 'message' && event.chatId !== current) {
    if (!event.edited && event.message.from && event.message.from.is_bot) unread.set(event.chatId, (unread.get(event.chatId) || 0) + 1)
    return soon()
  }
  if (event.chatId !== current) return
  if (event.type === 'deleted') shown.delete(event.messageId)
  if (event.type === 'message') {
    shown.set(event.message.message_id, event.message)
    while (shown.size > newest) shown.delete(Math.min(...shown.keys()))
    if (event.message.from && event.message.from.is_bot) idle()
  }
  current < 0 ? (drawGrid(), soon()) : drawMessages(false)
}

const events = new EventSource('/sandbox/events?types=message,deleted,action,world')
let wasOpen = false
events.addEventListener('open', async () => {
  find('offline').hidden = true
  if (wasOpen) await refreshWorld()
  if (wasOpen) await drawChat()
  wasOpen = true
})
events.addEventListener('error', () => { find('offline').hidden = false })
events.addEventListener('message', (event) => happened(JSON.parse(event.data)))

await refreshWorld()
await drawChat()
document.body.dataset.ready = 'true'
`
