/** Markup in which everything that is put in becomes text, unless it is markup made here. */

/** Markup that is safe to send. */
export class Html {
  constructor(readonly text: string) {}
}

type Part = Html | string | number | undefined | readonly Part[]

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function textOf(part: Part): string {
  if (part instanceof Html) return part.text
  if (typeof part === 'object') return part.map(textOf).join('')
  return part === undefined ? '' : String(part).replace(/[&<>"']/g, (character) => entities[character] ?? '')
}

/** A template of markup: `` html`<b>${name}</b>` `` escapes the name. Attributes must be in quotes. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  return new Html(strings.reduce((text, literal, n) => text + textOf(parts[n - 1]) + literal))
}
