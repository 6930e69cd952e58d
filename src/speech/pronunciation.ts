/** Spellings with which the bundled voice stresses a name where people do. Only for names it gets wrong otherwise. */

const russian: Record<string, string> = {
  амир: 'а-мир',
  дамир: 'да-мир',
}

/** The name as the bundled voice should read it. Compared as a whole name, whatever its case. */
export function respelled(display: string, language: string): string {
  const table = language.startsWith('ru') ? russian : {}
  const key = display.toLowerCase()
  return Object.hasOwn(table, key) ? (table[key] ?? display) : display
}
