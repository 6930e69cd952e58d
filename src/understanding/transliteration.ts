/** Russian names in Latin letters, and words typed on the wrong keyboard. */

const letters: Record<string, string> = {
  a: 'а',
  b: 'б',
  c: 'к',
  d: 'д',
  e: 'е',
  f: 'ф',
  g: 'г',
  h: 'х',
  i: 'и',
  j: 'и',
  k: 'к',
  l: 'л',
  m: 'м',
  n: 'н',
  o: 'о',
  p: 'п',
  q: 'к',
  r: 'р',
  s: 'с',
  t: 'т',
  u: 'у',
  v: 'в',
  w: 'в',
  x: 'кс',
  y: 'и',
  z: 'з',
}

/** Two letters and more for one sound, longest first. */
const groups: readonly [RegExp, string][] = [
  [/shch|sch/g, 'ш'],
  [/sh/g, 'ш'],
  [/ch/g, 'ч'],
  [/zh/g, 'ж'],
  [/kh/g, 'х'],
  [/ts/g, 'ц'],
  [/ph/g, 'ф'],
]

/**
 * A rough idea of how a name sounds, the same for `Yulia`, `Julija` and Юлия: what the many ways of writing Russian
 * in Latin letters disagree about is left out.
 */
export function soundOf(key: string): string {
  let text = key
  for (const [group, letter] of groups) text = text.replace(group, letter)
  return text
    .replace(/[a-z]/g, (letter) => letters[letter] ?? letter)
    .replace(/['ьъ]/g, '')
    .replaceAll('щ', 'ш')
    .replace(/[ёэ]/g, 'е')
    .replace(/[йыі]/g, 'и')
    .replace(/иа|ия/g, 'я')
    .replace(/ио|ие/g, 'е')
    .replace(/иу|ию/g, 'ю')
    .replace(/(\p{L})\1+/gu, '$1')
}

const latinKeys = "`qwertyuiop[]asdfghjkl;'zxcvbnm,."
const russianKeys = 'ёйцукенгшщзхъфывапролджэячсмитьбю'
const shiftedKeys: Record<string, string> = { '~': 'ё', '{': 'х', '}': 'ъ', ':': 'ж', '"': 'э', '<': 'б', '>': 'ю' }

const toRussian = new Map([...latinKeys].map((key, place) => [key, russianKeys.charAt(place)]))
for (const [key, letter] of Object.entries(shiftedKeys)) toRussian.set(key, letter)
const toLatin = new Map([...russianKeys].map((key, place) => [key, latinKeys.charAt(place)]))

/** The same keys on the other keyboard: `Vfif` is маша, `Дшфь` is liam. Undefined where a key has no letter. */
export function onOtherKeyboard(text: string): string | undefined {
  const lower = text.toLowerCase()
  const keys = /[a-z]/.test(lower) || !/[а-яё]/.test(lower) ? toRussian : toLatin
  let other = ''
  for (const key of lower) {
    const letter = key === ' ' ? ' ' : keys.get(key)
    if (letter === undefined) return undefined
    other += letter
  }
  return other
}
