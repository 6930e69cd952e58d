/** The page's program: fetches the page again every few seconds and takes over what changed. A text, because it runs in the browser. */
export const script = String.raw`
const everyMs = 4000
const offline = document.getElementById('offline')

// Moments come in UTC and are shown as they are where the viewer is.
const shapes = { clock: { timeStyle: 'medium' }, time: { timeStyle: 'short' }, day: { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' } }
function localize(root) {
  for (const each of root.querySelectorAll('[data-moment]')) {
    each.textContent = new Intl.DateTimeFormat('en-GB', shapes[each.dataset.as]).format(new Date(each.dataset.moment))
  }
}

const cinema = document.getElementById('cinema')
const screen = cinema.querySelector('video')
const problem = cinema.querySelector('p')
screen.addEventListener('error', () => {
  problem.hidden = !screen.hasAttribute('src')
  screen.hidden = !problem.hidden
})
document.addEventListener('click', (event) => {
  const link = event.target.closest?.('a.play')
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return
  event.preventDefault()
  problem.hidden = true
  screen.hidden = false
  screen.src = link.href
  cinema.showModal()
  screen.play().catch(() => {})
})
cinema.addEventListener('click', (event) => event.target === cinema && cinema.close())
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
    const parts = new Map([...fresh.querySelectorAll('[data-part]')].map((part) => [part.dataset.part, part]))
    const away = !response.ok
    document.body.classList.toggle('away', away)
    offline.hidden = !away
    offline.textContent = away ? (fresh.querySelector('.verdict')?.textContent ?? 'The dashboard does not answer.') + ' Looking again…' : ''
    if (away) return
    const before = [...document.querySelectorAll('[data-part]')]
    if (before.length !== parts.size) return document.querySelector('main').replaceWith(fresh.querySelector('main'))
    for (const part of before) {
      const next = parts.get(part.dataset.part)
      // What somebody is at stays until they leave it.
      if (next && next.innerHTML !== part.innerHTML && !part.contains(document.activeElement)) part.replaceChildren(...next.childNodes)
    }
  } catch {
    document.body.classList.add('away')
    offline.hidden = false
    offline.textContent = 'The dashboard does not answer. Looking again…'
  }
}

setInterval(refresh, everyMs)
document.addEventListener('visibilitychange', refresh)
document.documentElement.dataset.ready = ''
`
