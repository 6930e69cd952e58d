/** The page's program: fetches the page again every few seconds and takes over what changed. A text, because it runs in the browser. */
export const script = String.raw`
const everyMs = 4000
const offline = document.getElementById('offline')

async function refresh() {
  if (document.hidden) return
  try {
    const response = await fetch('/', { headers: { accept: 'text/html' } })
    const fresh = new DOMParser().parseFromString(await response.text(), 'text/html')
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
