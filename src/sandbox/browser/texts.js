/** What the page itself says, in the reader's language. */

const isRussian = /^(ru|uk|be|kk)/i.test(navigator.language || '')

/** For dates, times and the choice of a new person's language. */
export const locale = isRussian ? 'ru' : 'en'

const english = {
  sandbox: 'sandbox',
  people: 'Who writes to the bot',
  channels: 'Storage channel',
  newPerson: 'New person',
  write: 'Message',
  send: 'Send',
  commands: 'Commands',
  theirName: 'Name',
  theirLanguage: 'Language',
  cancel: 'Cancel',
  create: 'Add',
  close: 'Close',
  play: 'Play',
  offline: 'The sandbox has stopped, waiting…',
  bot: 'bot',
  start: 'Start',
  hello: 'Write to the bot here as you would in Telegram.',
  you: 'you: ',
  edited: 'edited ',
  blockedBot: 'bot blocked',
  nothing: 'Every finished video will appear here.',
  today: 'Today',
  yesterday: 'Yesterday',
  posts: 'posts: ',
  unread: 'The bot has not read the message yet. Is it running?',
  file: 'File',
  noChat: 'has not written yet',
  earlier: 'Earlier messages',
  photo: 'Photo',
  voice: 'Voice message',
  via: 'via',
  youWrote: 'You:',
  settings: 'Person and Telegram',
  blocks: 'Blocks the bot',
  unblock: 'Unblock',
  telegram: 'Telegram',
  telegramWorks: 'works',
  telegramSlow: 'is slow: 5 s a call',
  telegramRefuses: 'refuses: error 500',
  telegramFlood: 'too many requests: 429',
  ok: 'OK',
  attach: 'Attach',
  contact: 'Contact',
  caption: 'Caption',
  phone: 'Phone',
  noPhoto: 'This browser cannot read the picture.',
  noFile: 'The file cannot be read.',
  tooLarge: 'The sandbox takes files of up to 7 MB.',
  noResults: 'Nothing found',
  groups: 'Groups',
  newGroup: 'New group',
  group: 'group',
  family: 'Family',
  father: 'Daniel',
  grandmother: 'Grandma Rose',
  familyLanguage: 'en',
  whoWrites: 'Who writes',
  botIsIn: 'The bot is in the group',
  privacy: 'Group privacy: the bot reads only what is meant for it',
  reply: 'Reply',
  tapName: 'Tap a name, or write any other:',
  preparing: 'The first videos are being made…',
  reader: 'Kate',
  joined: 'joined the group',
  shareWith: 'Who gets the link?',
}

/** @type {typeof english} */
const russian = {
  sandbox: 'песочница',
  people: 'Кто пишет боту',
  channels: 'Канал-хранилище',
  newPerson: 'Новый человек',
  write: 'Сообщение',
  send: 'Отправить',
  commands: 'Команды',
  theirName: 'Имя',
  theirLanguage: 'Язык',
  cancel: 'Отмена',
  create: 'Добавить',
  close: 'Закрыть',
  play: 'Смотреть',
  offline: 'Песочница остановлена, ждём…',
  bot: 'бот',
  start: 'Начать',
  hello: 'Здесь можно написать боту, как в Telegram.',
  you: 'вы: ',
  edited: 'изм. ',
  blockedBot: 'бот заблокирован',
  nothing: 'Здесь появятся все готовые видео.',
  today: 'Сегодня',
  yesterday: 'Вчера',
  posts: 'публикаций: ',
  unread: 'Бот пока не прочитал сообщение. Запущен ли он?',
  file: 'Файл',
  noChat: 'ещё не писал(а)',
  earlier: 'Более ранние сообщения',
  photo: 'Фото',
  voice: 'Голосовое сообщение',
  via: 'через',
  youWrote: 'Вы:',
  settings: 'Человек и Telegram',
  blocks: 'Заблокировать бота',
  unblock: 'Разблокировать',
  telegram: 'Telegram',
  telegramWorks: 'работает',
  telegramSlow: 'тормозит: 5 с на вызов',
  telegramRefuses: 'отказывает: ошибка 500',
  telegramFlood: 'слишком много запросов: 429',
  ok: 'Хорошо',
  attach: 'Прикрепить',
  contact: 'Контакт',
  caption: 'Подпись',
  phone: 'Телефон',
  noPhoto: 'Браузер не может прочитать эту картинку.',
  noFile: 'Файл не читается.',
  tooLarge: 'Песочница принимает файлы до 7 МБ.',
  noResults: 'Ничего не найдено',
  groups: 'Группы',
  newGroup: 'Новая группа',
  group: 'группа',
  family: 'Семья',
  father: 'Дима',
  grandmother: 'Бабушка Вера',
  familyLanguage: 'ru',
  whoWrites: 'Кто пишет',
  botIsIn: 'Бот в группе',
  privacy: 'Режим приватности: бот читает только обращённое к нему',
  reply: 'Ответить',
  tapName: 'Нажмите на имя или напишите любое другое:',
  preparing: 'Готовлю первые видео…',
  reader: 'Оля',
  joined: 'теперь в группе',
  shareWith: 'Кому отправить ссылку?',
}

export const texts = isRussian ? russian : english

/** @type {Record<string, string>} */
const englishActions = {
  typing: 'typing',
  record_video: 'recording a video',
  upload_video: 'sending a video',
  upload_document: 'sending a file',
  upload_photo: 'sending a photo',
  record_voice: 'recording a voice message',
  upload_voice: 'sending a voice message',
}

/** @type {Record<string, string>} */
const russianActions = {
  typing: 'печатает',
  record_video: 'записывает видео',
  upload_video: 'отправляет видео',
  upload_document: 'отправляет файл',
  upload_photo: 'отправляет фото',
  record_voice: 'записывает голос',
  upload_voice: 'отправляет голос',
}

const actions = isRussian ? russianActions : englishActions

/**
 * What the bot is doing, by the name of its chat action.
 * @param {string} action
 */
export function actionText(action) {
  return actions[action] ?? actions.typing ?? ''
}

/**
 * Puts the texts into the page's own markup, where its attributes name them.
 * @param {ParentNode} root
 */
export function translate(root) {
  /** @type {(key: string | undefined) => string} */
  const textOf = (key) => texts[/** @type {keyof typeof texts} */ (key)]
  for (const node of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll('[data-text]')))
    node.textContent = textOf(node.dataset.text)
  for (const node of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll('[data-label]'))) {
    node.title = textOf(node.dataset.label)
    node.setAttribute('aria-label', textOf(node.dataset.label))
  }
}
