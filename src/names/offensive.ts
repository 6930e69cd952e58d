/**
 * Words nobody wants to see in a greeting. Matched against whole words, never against a part of one: Ванесса, Хуан
 * and Нахида are names.
 *
 * The swear words come from `bad-words-next`; insults and threats are a list of our own (`harmful.ts`). The package's entries are patterns for running text: `*` at an end stands for
 * "anything", `+` for a repeated letter, `_` for a blank. "Anything" would be a substring match, so here it stands
 * for a grammatical ending, or for a common verbal prefix, and nothing else.
 */
import english from 'bad-words-next/lib/en'
import russian from 'bad-words-next/lib/ru'
import russianInLatin from 'bad-words-next/lib/ru_lat'
import ukrainian from 'bad-words-next/lib/ua'
import { areHarmful, isHarmful } from './harmful.ts'

/** Said here because the package's own types do not resolve in an ES module. */
interface WordList {
  words: string[]
}
const lists = [russian as WordList, ukrainian as WordList, russianInLatin as WordList, english as WordList]

/** Real names that the lists would refuse. Lower case. */
const realNames = new Set([
  'кончита',
  'иби', // Spanish and Hungarian
  'вагинак',
  'ибалы', // Armenian and Azerbaijani
  'нига',
  'нигая', // from the register of Russian names; the word that is meant has two г
  'додик', // a pet form of David
  'semen', // Семен, as Ukrainian passports spell it
  'huy',
  'hui', // Vietnamese and Chinese
  'quim',
  'dick',
  'joi',
  'dike', // Catalan, English, English, Igbo
  'siska',
  'kike',
  'swastik', // Indonesian and Czech, Spanish, Indian
  'dyke',
  'bonner',
  'damne',
  'ebanie', // of children in the United States
])

const endings = {
  cyrillic: [
    '',
    ...'а дь я о е и ы у ю ь й л н к т ка ки ку ой ей ая ое ые ий ый ом ем ам ям ов ец ок ик ть ти ла ло ли на ня ня ный ная ное ник ница ться юк ун'.split(
      ' ',
    ),
  ],
  latin: ['', ...'a e i o u y s es ed er ers in ing a aya ij iy yj ka k'.split(' ')],
}
const prefixes = [
  'на',
  'по',
  'за',
  'до',
  'о',
  'от',
  'у',
  'вы',
  'при',
  'про',
  'раз',
  'рас',
  'об',
  'ни',
  'пере',
  'съ',
  'съе',
]

const singleLetters = /^\p{L}(?:[ -]\p{L})+$/u
const drawnOut = /(\p{L})\1\1/u

/** Letters that are used for one another to slip through. */
const alike = (text: string) => text.replaceAll('ё', 'е').replaceAll('ъ', 'ь')

interface Words {
  /** refused as they are */
  whole: Set<string>
  /** refused behind one of `prefixes` too */
  afterPrefix: Set<string>
}

let known: Words | undefined

/** Built at the first question, because most commands ask none. */
function words(): Words {
  if (known) return known
  known = { whole: new Set(), afterPrefix: new Set() }
  for (const pattern of lists.flatMap((list) => list.words)) {
    const stem = alike(
      pattern
        .replace(/^\*|\*$/g, '')
        .replaceAll('_', ' ')
        .replaceAll('’', "'")
        .toLowerCase(),
    )
    const possible = pattern.endsWith('*') ? (/^[a-z]/.test(stem) ? endings.latin : endings.cyrillic) : ['']
    for (const word of spelledOut(stem).flatMap((spelled) => possible.map((ending) => spelled + ending))) {
      known.whole.add(word)
      if (pattern.startsWith('*')) known.afterPrefix.add(word)
    }
  }
  return known
}

/** Each repeated letter once or twice: `ni+g+er` has four spellings. */
function spelledOut(stem: string): string[] {
  const [start, ...rest] = stem.split(/(?<=\+)/)
  const firsts = start?.endsWith('+')
    ? [start.slice(0, -1), start.slice(0, -1) + start.charAt(start.length - 2)]
    : [start ?? '']
  if (rest.length === 0) return firsts
  return spelledOut(rest.join('')).flatMap((tail) => firsts.map((first) => first + tail))
}

/**
 * Whether a name is offensive, or one of its words.
 * @param key the key form of the name
 */
export function isOffensive(key: string): boolean {
  if (realNames.has(key)) return false
  // "х у й" and "х-у-й": written so only to slip through
  if (singleLetters.test(key)) return isOffensiveWord(key.replace(/[ -]/g, ''))
  return isOffensiveIn(key.split(/[ -]/))
}

/**
 * Whether one of these words is offensive, or two that stand together.
 * @param isName whether a word is a name, whatever the lists say
 */
export function isOffensiveIn(keys: readonly string[], isName: (key: string) => boolean = () => false): boolean {
  return keys.some((key, place) => {
    const next = keys[place + 1]
    if (
      next !== undefined &&
      (words().whole.has(`${alike(key)} ${alike(next)}`) || areHarmful(alike(key), alike(next)))
    )
      return true
    return !isName(key) && isOffensiveWord(key)
  })
}

function isOffensiveWord(key: string): boolean {
  if (realNames.has(key)) return false
  const { whole, afterPrefix } = words()
  const plain = alike(key)
  if (whole.has(plain) || isHarmful(plain)) return true
  for (const prefix of prefixes)
    if (plain.startsWith(prefix) && afterPrefix.has(plain.slice(prefix.length))) return true
  // "суууука"
  return drawnOut.test(plain) && isOffensiveWord(plain.replace(/(\p{L})\1{2,}/gu, '$1'))
}
