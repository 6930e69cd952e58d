/** What a word that is no known name may have been meant to be. */
import { type Name, type NameRules, parseName } from '../names/name.ts'
import type { KnownName, KnownNames } from './known-names.ts'
import { onOtherKeyboard } from './transliteration.ts'
import type { Item } from './unwrap.ts'

/** Known names that are offered at most. */
const mostGuesses = 3

const isLatin = /^[a-z]/

/**
 * Known names that an unknown item was probably meant to be, the likeliest first: typed on the wrong keyboard, in
 * Latin letters, or with a slip.
 */
export function guesses(item: Item, known: KnownNames, rules: NameRules, language: string): Name[] {
  const [first, ...rest] = item.words
  if (!first) return []
  const near = known.near(first.key, mostGuesses)
  const latin = isLatin.test(first.key) ? known.writtenInLatin(first.key, mostGuesses) : []
  const found = [
    ...onOtherKeyboardIn(first.text, known),
    ...(item.cases ? known.nearForms(first.folded, item.cases, mostGuesses) : []),
    ...(language.startsWith('en') ? [...near, ...latin] : [...latin, ...near]),
  ]
  const names = [...new Set(found)].slice(0, mostGuesses)
  return names.flatMap(({ name }) => {
    const parsed = parseName([name.key, ...rest.map(({ key }) => key)].join(' '), rules)
    return parsed.ok ? [parsed.name] : []
  })
}

/** The known name, in any case, that comes out when the same keys are pressed on the other keyboard. */
export function onOtherKeyboardIn(text: string, known: KnownNames): KnownName[] {
  const other = onOtherKeyboard(text)
  if (other === undefined) return []
  const { same, yo } = known.spelled(other)
  const found = yo ?? same
  if (found) return [found]
  return [...new Set(known.inCases(other).map((form) => form.known))].slice(0, mostGuesses)
}
