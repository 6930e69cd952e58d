/** The storage channel: what was posted, newest first, and a large screen for one video. */
import { fileUrl } from './api.js'
import { face, length, make, makeButton, page, place } from './dom.js'
import { earlierButton } from './history.js'
import { state } from './state.js'
import { showIdle } from './status.js'
import { locale, texts } from './texts.js'

/** @import { Animation, Video } from 'grammy/types' */
/** @import { SandboxMessage } from '../contract.ts' */

export function drawGrid() {
  const posts = [...state.shown.values()].sort((a, b) => b.message_id - a.message_id)
  if (posts.length === 0) {
    const empty = make('div', 'empty')
    empty.append(face(make('span'), '', 0, 'channel'), make('p', '', texts.nothing))
    return page.grid.replaceChildren(empty)
  }
  const tiles = /** @type {NodeListOf<HTMLElement>} */ (page.grid.querySelectorAll('.tile'))
  const old = new Map([...tiles].map((node) => [node.dataset.id, node]))
  const wanted = posts.map((message) => {
    const key = `${state.current} ${message.message_id} ${message.edit_date ?? 0}`
    const node = old.get(key) ?? tile(message)
    node.dataset.id = key
    return node
  })
  const earlier = earlierButton(drawGrid)
  place(page.grid, earlier === undefined ? wanted : [...wanted, earlier])
  showIdle()
}

/** @param {SandboxMessage} message */
function tile(message) {
  const film = message.video ?? message.animation
  const node = makeButton('tile')
  if (!film) {
    node.append(make('p', '', message.text || message.caption || message.document?.file_name || ''))
  } else {
    if (film.thumbnail) {
      const image = make('img')
      Object.assign(image, { src: fileUrl(film.thumbnail.file_unique_id), alt: '', loading: 'lazy' })
      node.append(image)
    }
    node.append(make('span', 'play'), make('span', 'long', length(film.duration || 0)))
    node.addEventListener('click', () => showCinema(message, film))
  }
  node.append(make('span', 'n', `#${message.message_id}`))
  return node
}

/**
 * @param {SandboxMessage} message
 * @param {Video | Animation} film
 */
function showCinema(message, film) {
  const screen = page.cinemaVideo
  screen.src = fileUrl(film.file_unique_id)
  if (film.thumbnail) screen.poster = fileUrl(film.thumbnail.file_unique_id)
  const [width, height] = [film.width || 9, film.height || 16]
  screen.style.aspectRatio = `${width} / ${height}`
  screen.style.width = `min(92vw, ${(82 * width) / height}vh)`
  page.cinemaNote.textContent = [
    `#${message.message_id}`,
    new Date(message.date * 1000).toLocaleString(locale),
    `${film.width}×${film.height}`,
    `${((film.file_size ?? 0) / 1_048_576).toFixed(1)} MB`,
    ...(message.caption ? [message.caption] : []),
  ].join(' · ')
  page.cinema.showModal()
  screen.play().catch(() => {})
}

page.cinemaClose.addEventListener('click', () => page.cinema.close())
page.cinema.addEventListener('click', (event) => {
  if (event.target === page.cinema) page.cinema.close()
})
page.cinema.addEventListener('close', () => {
  page.cinemaVideo.pause()
  page.cinemaVideo.removeAttribute('src')
})
