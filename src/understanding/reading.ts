/** Which names the words of an item can be. */
import { type Name, type NameRules, parseName } from '../names/name.ts'
import { isSurnameLike, surnameInNominative } from './declension.ts'
import type { KnownName, KnownNames } from './known-names.ts'
import type { Item } from './unwrap.ts'
import type { Word } from './words.ts'

/** What an item was read as. */
export interface Reading {
  /** the likeliest first; none when no known name is in it */
  names: ReadName[]
  /** whether there is no doubt about the first */
  sure: boolean
  /** as it was typed, where that can be a name */
  typed: Name | undefined
}

/** A name, and the one that is meant if its е is a ё. */
export interface ReadName {
  name: Name
  twin?: Name
}

/** One given name that a word may stand for. */
interface Given {
  known: KnownName
  /** in another case than the nominative */
  declined: boolean
  /** as typed, its е meaning a ё */
  key: string
}

/** A word's given names, the likeliest first. */
interface GivenNames {
  given: Given[]
  sure: boolean
}

/** The name that a person typed, if it can be one. */
export function typedName(words: readonly Word[], rules: NameRules): Name | undefined {
  const parsed = parseName(words.map(({ text }) => text).join(' '), rules)
  return parsed.ok ? parsed.name : undefined
}

/**
 * Reads an item, which may be several names with nothing between them: «Маша Петя».
 *
 * @returns a reading for each name
 */
export function readingsOf(item: Item, known: KnownNames, rules: NameRules): Reading[] {
  const whole = wholeName(item, known, rules)
  if (whole) return [whole]
  return partsOf(item, known).map((part) => readingOf(part, known, rules))
}

/** Several words that are known together: an operator's «Анна Мария». */
function wholeName({ words }: Item, known: KnownNames, rules: NameRules): Reading | undefined {
  if (words.length === 1) return undefined
  const typed = typedName(words, rules)
  const { same, yo } = typed ? known.spelled(typed.key) : {}
  const found = yo && same?.ships !== true ? yo : same
  if (!typed || !found) return undefined
  return { names: [found === yo ? { name: typed, twin: yo.name } : { name: typed }], sure: true, typed }
}

/** A new name begins with each given name, unless the two are one: «Анна Мария», `Emily Grace`. */
function partsOf(item: Item, known: KnownNames): Item[] {
  const parts: Item[] = []
  let hasGiven = false
  for (const word of item.words) {
    const part = parts.at(-1)
    const given = givenNames(word, item, known).given
    const begins = hasGiven && given.length > 0 && part !== undefined && !belongsTogether(part.words, word, item, known)
    if (part === undefined || begins) {
      parts.push({ ...item, words: [word], before: part ? 'list' : item.before })
      hasGiven = given.length > 0
    } else {
      part.words.push(word)
      hasGiven ||= given.length > 0
    }
  }
  return parts
}

const latin = /^[a-z]/

/** First parts of double names. */
const doubled = /^(?:анн[аыеуо]й?|мари[яиюе]й?|ев[аыеуо]й?|жан|абдул|мухаммад)$/u

function belongsTogether(words: readonly Word[], next: Word, item: Item, known: KnownNames): boolean {
  if (latin.test(next.folded) || isSurnameLike(next.folded)) return true
  const [first] = words
  if (!first || !doubled.test(first.folded)) return false
  const genders = [first, next].map((word) => givenNames(word, item, known).given[0]?.known.gender)
  return genders[0] === genders[1]
}

function readingOf(item: Item, known: KnownNames, rules: NameRules): Reading {
  const typed = item.words.length <= 4 ? typedName(item.words, rules) : undefined
  const gender = patronymicGender(item.words) ?? item.gender
  const givens = item.words.map((word) => givenNames(word, { ...item, gender }, known))
  const at = givens.findIndex(({ given }) => given.length > 0)
  const found = givens[at]
  if (!found) return { names: [], sure: false, typed }
  const names = found.given.flatMap((given) => fullName(item.words, at, given, rules) ?? [])
  if (item.words.length === 1) return { names, sure: found.sure, typed }

  const others = item.words.filter((_, place) => place !== at)
  const isClear = others.every((word) => canBeSurname(word, item, known) && !isDoubtful(word, found))
  if (item.words.length <= 4 && isClear) {
    if (names.length > 0) return { names, sure: found.sure, typed }
  }
  const alone = found.given.flatMap((given) => fullName([item.words[at] as Word], 0, given, rules) ?? [])
  return { names: alone, sure: false, typed: item.words.length === 2 ? typed : alone[0]?.name }
}

/** The given names a word stands for, in the case its item asks for. */
function givenNames(word: Word, item: Item, known: KnownNames): GivenNames {
  const nominative = nominativeOf(word, known)
  const inCases = known
    .inCases(word.folded)
    .filter(({ known: name }) => name.name.key !== word.key && name !== nominative?.known)
  const fits = (name: KnownName) => !item.gender || !name.gender || item.gender === name.gender
  const some = (names: KnownName[]) => {
    const fitting = names.filter(fits)
    return (fitting.length > 0 ? fitting : names).map((name) => ({ known: name, declined: true, key: name.name.key }))
  }
  const contradicted = nominative ? !fits(nominative.known) : item.gender !== undefined
  const cases =
    item.cases ??
    (item.introduced
      ? (['gen', 'ins'] as const)
      : contradicted
        ? (['gen', 'acc', 'dat'] as const)
        : nominative
          ? []
          : (['dat'] as const))
  const declined = some(distinct(inCases.filter((form) => cases.includes(form.case)).map((form) => form.known)))
  const isMeant =
    item.gender !== undefined && nominative?.known.gender === item.gender && !declined.some((form) => fits(form.known))
  if (nominative && (item.introduced || isMeant)) return { given: [nominative], sure: true }
  if (declined.length > 0) {
    const misfit = nominative && item.gender && !fits(nominative.known) && declined.some((form) => fits(form.known))
    const given = nominative && !misfit ? [...declined, nominative] : declined
    return { given, sure: given.length === 1 }
  }
  if (nominative) return { given: [nominative], sure: true }
  return { given: some(distinct(inCases.map((form) => form.known))), sure: false }
}

/** The name that is spelled like a word, also as its possessive (`Emily's`) and double (`Анна-Мария`). */
function nominativeOf({ key }: Word, known: KnownNames): Given | undefined {
  for (const form of /'s$/.test(key) ? [key, key.slice(0, -2)] : [key]) {
    const { same, yo } = known.spelled(form)
    const found = yo && same?.ships !== true ? yo : same
    if (found) return { known: found, declined: false, key: form }
  }
  const [first, ...rest] = key.split('-').map((part) => known.spelled(part).same)
  if (!first || rest.length === 0 || rest.includes(undefined)) return undefined
  return { known: { ...first, name: { ...first.name, key } }, declined: false, key }
}

/** The name that the words are when the one at a place is that given name. */
function fullName(words: readonly Word[], at: number, given: Given, rules: NameRules): ReadName | undefined {
  const { known, declined } = given
  const nameWith = (first: string) => {
    const parsed = parseName(
      words
        .map(({ key }, place) => {
          if (place === at) return first
          return declined ? surnameInNominative(key, known.gender ?? genderOfSurname(key)) : key
        })
        .join(' '),
      rules,
    )
    // Beside words of another alphabet, a name may be taken for look-alikes.
    return parsed.ok && parsed.name.key.split(' ')[at] === first ? parsed.name : undefined
  }
  const name = nameWith(given.key)
  if (!name) return undefined
  const twin = given.key === known.name.key ? undefined : nameWith(known.name.key)
  return twin ? { name, twin } : { name }
}

/** «Иванова», `Kowalski`: by its ending, or in Latin letters by its capital. */
export function looksLikeSurname({ folded, text }: Word): boolean {
  return isSurnameLike(folded) || (latin.test(folded) && /^\p{Lu}\p{Ll}/u.test(text))
}

/** Whose surname it is that stands beside a declined Саша. */
const genderOfSurname = (key: string) => (/(?:ой|ову|еву|ину|скую|цкую)$/u.test(key) ? 'f' : 'm')

/** «Марка Аврелия»: a surname that is probably declined, and nobody knows how. */
function isDoubtful({ key }: Word, { given }: GivenNames): boolean {
  const [first] = given
  if (first?.declined !== true) return false
  const isKnownWay = surnameInNominative(key, first.known.gender ?? genderOfSurname(key)) !== key
  return !isKnownWay && /(?:[аяуюы]|(?<!швил)и|ом|ем|ой|ей)$/u.test(key)
}

/** A patronymic in any case tells whose it is. */
function patronymicGender(words: readonly Word[]): 'm' | 'f' | undefined {
  if (words.some(({ folded }) => /(?:ович|евич|ьич)(?:а|у|ем|е)?$/u.test(folded))) return 'm'
  return words.some(({ folded }) => /(?:овн|евн|ичн)(?:а|ы|е|у|ой)$/u.test(folded)) ? 'f' : undefined
}

/** «Иванова», «Petrovich»: what may stand beside a given name as part of it. */
function canBeSurname(word: Word, item: Item, known: KnownNames): boolean {
  const { folded, text } = word
  if (isSurnameLike(folded)) return true
  if (folded.length < 2) return false
  if (nominativeOf(word, known)) return true
  // `emily watson`; beside a name with a capital, and before a name, it is a word: `i meant Emily`, “Fat Emily”
  const isBefore = item.words[0] === word
  if (latin.test(folded) && isBefore) return false
  const isLowerCased = item.words.length === 2 && item.words.every((other) => other.text === other.text.toLowerCase())
  const isShouted = item.words.every((other) => other.text === other.text.toUpperCase())
  const capitals = item.words.every((other) => /^\p{Lu}/u.test(other.text))
  if (capitals && !isShouted) return /^\p{Lu}[\p{Ll}'-]/u.test(text)
  return (isLowerCased || (isShouted && item.words.length === 2)) && latin.test(folded)
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)]
}
