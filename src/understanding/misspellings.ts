/** Words that differ from another by one slip of the finger. */

const rows: Record<'cyrillic' | 'latin', readonly string[]> = {
  cyrillic: ['йцукенгшщзхъ', 'фывапролджэ', 'ячсмитьбю'],
  latin: ['qwertyuiop', 'asdfghjkl', 'zxcvbnm'],
}

const alphabets = {
  russian: [...'абвгдеёжзийклмнопрстуфхцчшщъыьэюя'],
  /** and its neighbours */
  cyrillic: [...'абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґўәңғүұқөһ'],
  latin: [...'abcdefghijklmnopqrstuvwxyz'],
}

/** Hardly any name is longer, and the longer a word, the more there is to try. */
const longest = 16
/** With two letters, everything is near everything. */
const shortest = 3

/** letter → the letters beside it on the keyboard */
const beside = new Map<string, string>()
for (const keyboard of Object.values(rows))
  for (const [line, row] of keyboard.entries())
    for (const [place, letter] of [...row].entries()) {
      const others = [keyboard[line - 1], row, keyboard[line + 1]].map((near) =>
        near?.slice(Math.max(0, place - 1), place + 2),
      )
      beside.set(letter, others.join('').replace(letter, ''))
    }

/**
 * Calls `take` with every word that is one letter away: one missing, one too many, one wrong, two exchanged. `cost`
 * is lower the likelier the slip: 1 for a doubled letter or a neighbouring key, 2 for the rest.
 *
 * A thousand candidates at most, each a lookup in a Map: that is faster than comparing with 50,000 names, and needs
 * no index.
 */
export function misspellings(word: string, take: (candidate: string, cost: number) => void): void {
  if (word.length < shortest || word.length > longest) return
  const alphabet = alphabets[/^[a-z]/.test(word) ? 'latin' : /^[а-яё]*$/.test(word) ? 'russian' : 'cyrillic']
  for (let at = 0; at <= word.length; at++) {
    const before = word.slice(0, at)
    const letter = word.charAt(at)
    const after = word.slice(at + 1)
    if (letter !== '') {
      take(before + after, letter === word.charAt(at - 1) || letter === after.charAt(0) ? 1 : 2)
      if (after !== '') take(before + after.charAt(0) + letter + after.slice(1), 2)
      const neighbours = beside.get(letter) ?? ''
      for (const other of alphabet)
        if (other !== letter) take(before + other + after, neighbours.includes(other) ? 1 : 2)
    }
    for (const more of alphabet)
      take(before + more + letter + after, more === letter || more === word.charAt(at - 1) ? 1 : 2)
  }
}

/** «Машааа», «Аннна»: each run of a letter once or twice; at most four runs, or it is no name. */
export function whatWasDrawnOut(word: string): string[] {
  const parts = word.match(/(\p{L})\1*|[^\p{L}]/gu) ?? []
  const runs = parts.filter((part) => part.length > 1).length
  if (runs === 0 || runs > 4 || parts.length > longest) return []
  let words = ['']
  for (const part of parts) {
    const letter = part.charAt(0)
    words = words.flatMap((start) => (part.length > 1 ? [start + letter, start + letter + letter] : [start + letter]))
  }
  return words.filter((candidate) => candidate !== word)
}
