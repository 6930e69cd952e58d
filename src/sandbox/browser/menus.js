/** What opens above the chat and goes again: by Escape, a click elsewhere, or its own button. */

/** @typedef {{ close: () => void }} Menu */

/** @type {Set<() => void>} */
const open = new Set()

/**
 * Lets a button open a panel. Arrows move between what can be pressed in it.
 * @param {HTMLElement} button
 * @param {HTMLElement} panel
 * @param {() => unknown} [fill] puts the newest content in before it is shown
 * @returns {Menu}
 */
export function menu(button, panel, fill) {
  button.setAttribute('aria-haspopup', 'true')
  button.setAttribute('aria-expanded', 'false')
  button.setAttribute('aria-controls', panel.id)
  const close = () => {
    if (panel.hidden) return
    const hadFocus = panel.contains(document.activeElement)
    panel.hidden = true
    button.setAttribute('aria-expanded', 'false')
    open.delete(close)
    if (hadFocus) button.focus()
  }
  const show = async () => {
    for (const other of open) other()
    await fill?.()
    panel.hidden = false
    button.setAttribute('aria-expanded', 'true')
    open.add(close)
    pressable(panel)[0]?.focus()
  }
  button.addEventListener('click', () => void (panel.hidden ? show() : close()))
  panel.addEventListener('keydown', (event) => move(panel, event))
  document.addEventListener('pointerdown', (event) => {
    const target = /** @type {Node} */ (event.target)
    if (!panel.contains(target) && !button.contains(target)) close()
  })
  return { close }
}

document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || open.size === 0) return
  event.preventDefault()
  for (const close of open) close()
})

/** @param {HTMLElement} panel */
function pressable(panel) {
  return [.../** @type {NodeListOf<HTMLElement>} */ (panel.querySelectorAll('button, select, input'))]
}

/**
 * @param {HTMLElement} panel
 * @param {KeyboardEvent} event
 */
function move(panel, event) {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
  // In a list of choices the arrows choose.
  if (step === 0 || event.target instanceof HTMLSelectElement) return
  event.preventDefault()
  const all = pressable(panel)
  const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement))
  all[(at + step + all.length) % all.length]?.focus()
}
