/** Fetches the page again every few seconds and takes over what changed. */

const everyMs = 4_000
const noAnswer = 'The dashboard does not answer.'

/**
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} kind
 * @returns {T}
 */
function element(root, selector, kind) {
  const found = root.querySelector(selector)
  if (found instanceof kind) return found
  throw new Error(`the page has no ${selector}`)
}

const offline = element(document, '#offline', HTMLElement)
const cinema = element(document, '#cinema', HTMLDialogElement)
const screen = element(cinema, 'video', HTMLVideoElement)
const problem = element(cinema, 'p', HTMLElement)

/**
 * Moments come in UTC and are shown as they are where the viewer is.
 * @type {Record<string, Intl.DateTimeFormatOptions>}
 */
const shapes = {
  clock: { timeStyle: 'medium' },
  time: { timeStyle: 'short' },
  day: { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' },
}

/** @param {ParentNode} root */
function localize(root) {
  for (const each of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll('[data-moment]'))) {
    const shape = shapes[each.dataset.as ?? '']
    each.textContent = new Intl.DateTimeFormat('en-GB', shape).format(new Date(each.dataset.moment ?? ''))
  }
}

screen.addEventListener('error', () => {
  problem.hidden = !screen.hasAttribute('src')
  screen.hidden = !problem.hidden
})
document.addEventListener('click', (event) => {
  const link = event.target instanceof Element ? event.target.closest('a.play') : null
  if (!(link instanceof HTMLAnchorElement) || event.ctrlKey || event.metaKey || event.shiftKey) return
  event.preventDefault()
  problem.hidden = true
  screen.hidden = false
  screen.src = link.href
  cinema.showModal()
  screen.play().catch(() => {})
})
cinema.addEventListener('click', (event) => {
  if (event.target === cinema) cinema.close()
})
cinema.addEventListener('close', () => {
  screen.pause()
  screen.removeAttribute('src')
  screen.load()
})
localize(document)

async function refresh() {
  if (document.hidden) return
  try {
    const response = await fetch(location.href, { headers: { accept: 'text/html' } })
    const fresh = new DOMParser().parseFromString(await response.text(), 'text/html')
    localize(fresh)
    if (!response.ok) return showAway(fresh.querySelector('.verdict')?.textContent ?? noAnswer)
    document.body.classList.remove('away')
    offline.hidden = true
    offline.textContent = ''
    takeOver(fresh)
  } catch {
    showAway(noAnswer)
  }
}

/** @param {string} why */
function showAway(why) {
  document.body.classList.add('away')
  offline.hidden = false
  offline.textContent = `${why} Looking again…`
}

/** @param {Document} fresh the page as it is now */
function takeOver(fresh) {
  const before = partsOf(document)
  const parts = new Map(partsOf(fresh).map((part) => [part.dataset.part, part]))
  if (before.length !== parts.size)
    return element(document, 'main', HTMLElement).replaceWith(element(fresh, 'main', HTMLElement))
  for (const part of before) {
    const next = parts.get(part.dataset.part)
    // What somebody is at stays until they leave it.
    if (next && next.innerHTML !== part.innerHTML && !part.contains(document.activeElement))
      part.replaceChildren(...next.childNodes)
  }
}

/** @param {ParentNode} root */
function partsOf(root) {
  return [.../** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll('[data-part]'))]
}

setInterval(() => void refresh(), everyMs)
document.addEventListener('visibilitychange', () => void refresh())
document.documentElement.dataset.ready = ''
