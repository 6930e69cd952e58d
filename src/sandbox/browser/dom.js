/** The page's own elements, and how others are made. Whatever people or the bot wrote becomes text, never markup. */

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
function element(id, kind) {
  const found = document.getElementById(id)
  if (found instanceof kind) return found
  throw new Error(`page.html has no ${kind.name} #${id}`)
}

/** What page.html holds, by id. */
export const page = {
  people: element('people', HTMLUListElement),
  groups: element('groups', HTMLUListElement),
  newGroup: element('new-group', HTMLButtonElement),
  channels: element('channels', HTMLUListElement),
  phone: element('phone', HTMLElement),
  newPerson: element('new-person', HTMLButtonElement),
  face: element('face', HTMLElement),
  title: element('title', HTMLElement),
  status: element('status', HTMLElement),
  as: element('as', HTMLButtonElement),
  asWho: element('as-who', HTMLElement),
  mood: element('mood', HTMLElement),
  settings: element('settings', HTMLElement),
  personSettings: element('person-settings', HTMLElement),
  language: element('language', HTMLSelectElement),
  groupSettings: element('group-settings', HTMLElement),
  writer: element('writer', HTMLSelectElement),
  botIsIn: element('bot-is-in', HTMLInputElement),
  privacy: element('privacy', HTMLInputElement),
  blocked: element('blocked', HTMLInputElement),
  telegram: element('telegram', HTMLSelectElement),
  chat: element('chat', HTMLElement),
  earlier: element('earlier', HTMLElement),
  messages: element('messages', HTMLOListElement),
  empty: element('empty', HTMLElement),
  grid: element('grid', HTMLElement),
  keyboard: element('keyboard', HTMLElement),
  composer: element('composer', HTMLFormElement),
  menu: element('menu', HTMLButtonElement),
  words: element('words', HTMLTextAreaElement),
  commands: element('commands', HTMLUListElement),
  results: element('results', HTMLUListElement),
  replying: element('replying', HTMLElement),
  replyWords: element('reply-words', HTMLElement),
  replyCancel: element('reply-cancel', HTMLButtonElement),
  clip: element('clip', HTMLButtonElement),
  clipMenu: element('clip-menu', HTMLUListElement),
  attach: element('attach', HTMLDialogElement),
  attachForm: element('attach-form', HTMLFormElement),
  attachTitle: element('attach-title', HTMLElement),
  attachPreview: element('attach-preview', HTMLImageElement),
  attachFileField: element('attach-file-field', HTMLElement),
  attachFile: element('attach-file', HTMLInputElement),
  attachCaptionField: element('attach-caption-field', HTMLElement),
  attachCaption: element('attach-caption', HTMLInputElement),
  attachContact: element('attach-contact', HTMLElement),
  attachCancel: element('attach-cancel', HTMLButtonElement),
  contactName: element('contact-name', HTMLInputElement),
  contactPhone: element('contact-phone', HTMLInputElement),
  blockedNote: element('blocked-note', HTMLElement),
  unblock: element('unblock', HTMLButtonElement),
  toast: element('toast', HTMLElement),
  alert: element('alert', HTMLDialogElement),
  alertWords: element('alert-words', HTMLElement),
  share: element('share', HTMLDialogElement),
  shareWords: element('share-words', HTMLElement),
  shareList: element('share-list', HTMLUListElement),
  offline: element('offline', HTMLElement),
  person: element('person', HTMLDialogElement),
  personName: element('person-name', HTMLInputElement),
  personLanguage: element('person-language', HTMLSelectElement),
  personCancel: element('person-cancel', HTMLButtonElement),
  cinema: element('cinema', HTMLDialogElement),
  cinemaClose: element('cinema-close', HTMLButtonElement),
  cinemaVideo: element('cinema-video', HTMLVideoElement),
  cinemaNote: element('cinema-note', HTMLElement),
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} [className]
 * @param {string} [text]
 */
export function make(tag, className, text) {
  const node = document.createElement(tag)
  if (className) node.className = className
  if (text !== undefined) node.textContent = text
  return node
}

/**
 * @param {string} className
 * @param {string} [text]
 */
export function makeButton(className, text) {
  const button = make('button', className, text)
  button.type = 'button'
  return button
}

/**
 * A link that opens elsewhere and tells nothing of this page.
 * @param {string} text
 * @param {string} address
 */
export function makeLink(text, address) {
  return Object.assign(make('a', '', text), { href: address, target: '_blank', rel: 'noopener noreferrer' })
}

/**
 * Turns an element into the round picture of a chat.
 * @template {HTMLElement} T
 * @param {T} node
 * @param {string} name
 * @param {number} id
 * @param {'bot' | 'channel' | 'group'} [kind] a person when left out
 */
export function face(node, name, id, kind) {
  node.className = `face ${kind ?? `c${Math.abs(id) % 5}`}`
  node.textContent =
    kind === 'bot' ? '' : kind === 'channel' ? '▦' : kind === 'group' ? '⌂' : (name.trim()[0] ?? '?').toUpperCase()
  return node
}

/**
 * Makes `wanted` the children of `list`. Moving a node would stop its video: what stays is not touched.
 * @param {HTMLElement} list
 * @param {HTMLElement[]} wanted
 */
export function place(list, wanted) {
  const keep = new Set(/** @type {Element[]} */ (wanted))
  for (const node of [...list.children]) if (!keep.has(node)) node.remove()
  for (const [i, node] of wanted.entries()) {
    if (list.children[i] !== node) list.insertBefore(node, list.children[i] ?? null)
  }
}

/**
 * `1:05`
 * @param {number} seconds
 */
export function length(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
