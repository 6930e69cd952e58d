/** What a message holds beside words: films, pictures, voices, files, contacts. */
import { fileUrl } from './api.js'
import { face, length, make, makeButton } from './dom.js'
import { texts } from './texts.js'

/** @import { Animation, Contact, Document, PhotoSize, Video, Voice } from 'grammy/types' */
/** @import { SandboxMessage } from '../contract.ts' */

/**
 * The part of a bubble above its words; undefined for a message of words alone.
 * @param {SandboxMessage} message
 * @returns {{ node: HTMLElement, kind: 'film' | 'picture' | 'other' } | undefined}
 */
export function media(message) {
  const film = message.video ?? message.animation
  if (film) return { node: screen(film, message.animation !== undefined), kind: 'film' }
  const photo = message.photo?.at(-1)
  if (photo) return { node: picture(photo), kind: 'picture' }
  if (message.voice) return { node: voice(message.voice), kind: 'other' }
  if (message.document) return { node: attachment(message.document), kind: 'other' }
  if (message.contact) return { node: contact(message.contact), kind: 'other' }
  return undefined
}

/**
 * @param {Video | Animation} film
 * @param {boolean} silent
 */
function screen(film, silent) {
  const box = make('div', 'screen')
  const node = make('video')
  node.src = fileUrl(film.file_unique_id)
  node.playsInline = true
  node.preload = film.thumbnail ? 'none' : 'metadata'
  const poster = ('cover' in film ? film.cover?.[0] : undefined) ?? film.thumbnail
  if (poster) node.poster = fileUrl(poster.file_unique_id)
  if (film.width && film.height) node.style.aspectRatio = `${film.width} / ${film.height}`
  box.append(node)
  if (silent) {
    Object.assign(node, { muted: true, loop: true, autoplay: true })
    return box
  }
  // Quiet until somebody presses play, then with the browser's own controls.
  const play = makeButton('play')
  play.setAttribute('aria-label', texts.play)
  play.addEventListener('click', () => void node.play())
  box.append(play, make('span', 'long', length(film.duration || 0)))
  node.addEventListener('play', () => {
    box.classList.add('playing')
    node.controls = true
    for (const other of document.querySelectorAll('video')) if (other !== node && !other.muted) other.pause()
  })
  return box
}

/** @param {PhotoSize} photo */
function picture(photo) {
  const image = make('img')
  Object.assign(image, { src: fileUrl(photo.file_unique_id), alt: texts.photo, loading: 'lazy' })
  if (photo.width && photo.height) image.style.aspectRatio = `${photo.width} / ${photo.height}`
  return image
}

/** @param {Voice} spoken */
function voice(spoken) {
  const box = make('div', 'voice')
  const player = make('audio')
  Object.assign(player, { src: fileUrl(spoken.file_unique_id), controls: true, preload: 'none' })
  player.setAttribute('aria-label', texts.voice)
  box.append(player)
  return box
}

/** @param {Document} file */
function attachment(file) {
  const link = make('a', 'file')
  link.href = fileUrl(file.file_unique_id)
  link.download = file.file_name || 'file'
  const about = make('div')
  const kilobytes = Math.max(1, Math.round((file.file_size ?? 0) / 1024))
  about.append(make('div', '', file.file_name || texts.file), make('small', '', `${kilobytes} KB`))
  link.append(make('span', '', '↓'), about)
  return link
}

/** @param {Contact} person */
function contact({ first_name, last_name, phone_number }) {
  const box = make('div', 'file')
  const about = make('div')
  const name = [first_name, last_name].filter(Boolean).join(' ')
  about.append(make('div', '', name), make('small', '', phone_number))
  box.append(face(make('span'), name, phone_number.length), about)
  return box
}
