/** What a person sends beside words: a photo, a voice message, a file, a contact. */
import { post } from './api.js'
import { fail, remindLater } from './composer.js'
import { page } from './dom.js'
import { menu } from './menus.js'
import { state } from './state.js'
import { texts } from './texts.js'

/** @typedef {'photo' | 'voice' | 'document' | 'contact'} Kind */

/** As large as Telegram's clients make photos. */
const photoPixels = 1_280

/** What the sandbox takes in one request, with a quarter more for its spelling. */
const largest = 7_000_000

/** @type {Kind} */
let kind = 'photo'

/** @type {Record<Kind, { title: string, accept: string }>} */
const kinds = {
  photo: { title: texts.photo, accept: 'image/*' },
  voice: { title: texts.voice, accept: 'audio/*' },
  document: { title: texts.file, accept: '' },
  contact: { title: texts.contact, accept: '' },
}

/**
 * @param {Kind} chosen
 * @param {FileList} [files] that were pasted or dropped
 */
function ask(chosen, files) {
  kind = chosen
  page.attachForm.reset()
  page.attachTitle.textContent = kinds[kind].title
  page.attachFile.accept = kinds[kind].accept
  page.attachFile.required = kind !== 'contact'
  page.attachFileField.hidden = kind === 'contact'
  page.attachCaptionField.hidden = kind === 'contact'
  page.attachContact.hidden = kind !== 'contact'
  page.contactName.required = kind === 'contact'
  if (files !== undefined) page.attachFile.files = files
  void showPreview()
  page.attach.showModal()
}

/** The photo that was chosen, as it will be sent. */
async function showPreview() {
  page.attachPreview.hidden = true
  const file = page.attachFile.files?.[0]
  if (kind !== 'photo' || file === undefined) return
  page.attachPreview.src = await jpegOf(file).then(addressOf, () => '')
  page.attachPreview.hidden = page.attachPreview.src === ''
}

/**
 * A photo as Telegram's clients send it.
 * @param {Blob} file
 * @returns {Promise<Blob>}
 */
async function jpegOf(file) {
  const bitmap = await createImageBitmap(file)
  const scale = Math.min(1, photoPixels / Math.max(bitmap.width, bitmap.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.round(bitmap.width * scale))
  canvas.height = Math.max(1, Math.round(bitmap.height * scale))
  const context = canvas.getContext('2d')
  if (context === null) throw new Error(texts.noPhoto)
  context.fillStyle = '#fff'
  context.fillRect(0, 0, canvas.width, canvas.height)
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error(texts.noPhoto))), 'image/jpeg', 0.87),
  )
}

/**
 * A `data:` address.
 * @param {Blob} blob
 * @returns {Promise<string>}
 */
function addressOf(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.addEventListener('load', () => resolve(typeof reader.result === 'string' ? reader.result : ''))
    reader.addEventListener('error', () => reject(new Error(texts.noFile)))
    reader.readAsDataURL(blob)
  })
}

async function send() {
  const from = { botId: state.bot?.id, userId: state.writer }
  if (kind === 'contact') {
    const contact = { firstName: page.contactName.value.trim(), phoneNumber: page.contactPhone.value.trim() || '+0' }
    return remindLater(/** @type {number | null} */ (await post('contacts', { ...from, contact })))
  }
  const file = page.attachFile.files?.[0]
  if (file === undefined) return
  const content = kind === 'photo' ? await jpegOf(file) : file
  if (content.size > largest) throw new Error(texts.tooLarge)
  const address = await addressOf(content)
  const caption = page.attachCaption.value.trim()
  const order = {
    ...from,
    kind,
    fileName: file.name.replace(/[/\\\0]/g, '_') || 'file',
    mimeType: file.type.split(';')[0] || undefined,
    content: address.slice(address.indexOf(',') + 1),
    caption: caption || undefined,
  }
  remindLater(/** @type {number | null} */ (await post('documents', order)))
}

const choices = menu(page.clip, page.clipMenu)
for (const button of /** @type {NodeListOf<HTMLElement>} */ (page.clipMenu.querySelectorAll('[data-kind]'))) {
  button.addEventListener('click', () => {
    choices.close()
    ask(/** @type {Kind} */ (button.dataset.kind))
  })
}
page.attachFile.addEventListener('change', () => void showPreview())
page.attachCancel.addEventListener('click', () => page.attach.close('cancel'))
page.attach.addEventListener('close', () => {
  if (page.attach.returnValue === 'ok') void send().catch(fail)
  page.attach.returnValue = ''
})

/** @param {DataTransfer | null} brought */
function take(brought) {
  const file = brought?.files[0]
  if (file === undefined || state.current < 0) return false
  const chosen = file.type.startsWith('image/') ? 'photo' : file.type.startsWith('audio/') ? 'voice' : 'document'
  ask(chosen, brought?.files)
  return true
}

page.words.addEventListener('paste', (event) => {
  if (take(event.clipboardData)) event.preventDefault()
})
page.phone.addEventListener('dragover', (event) => event.preventDefault())
page.phone.addEventListener('drop', (event) => {
  event.preventDefault()
  take(event.dataTransfer)
})
