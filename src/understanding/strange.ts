/** A message in which no known name is: talk, or a name that nobody knows. */
import { parseName } from '../names/name.ts'
import { guesses, onOtherKeyboardIn } from './guessing.ts'
import { isNonsense } from './nonsense.ts'
import { distinctNames, refused, several, talk, unsure, type Understood, type UnderstandingContext } from './outcome.ts'
import { typedName } from './reading.ts'
import { asksSomething, questionIn, talkInLatin, weightiest } from './talk.ts'
import { onOtherKeyboard } from './transliteration.ts'
import type { Item, Unwrapped } from './unwrap.ts'
import { roleOf } from './vocabulary.ts'
import type { Said, Word } from './words.ts'

/** No known name is in the message: it is talk, or a name that nobody knows. */
export function strange(
  said: Said,
  unwrapped: Unwrapped,
  items: readonly Item[],
  context: UnderstandingContext,
): Understood {
  const topic =
    questionIn(said.plain) ??
    talkInLatin(said.words.map(({ key }) => key)) ??
    (items.length === 0 ? weightiest(unwrapped.topics) : undefined)
  if (topic) return talk(topic)
  const [mistyped] = said.bare.includes(' ') ? [] : onOtherKeyboardIn(said.bare, context.known)
  if (mistyped) return unsure([{ name: mistyped.name }], typedName(said.words, context.nameRules))
  const [item] = items
  if (said.words.length >= 3 && new Set(said.words.map(({ key }) => key)).size === 1) return refused('nonsense')
  if (items.length > 1) return severalStrange(items, unwrapped, said, context)
  if (item) return strangeName(item, said, unwrapped, context)
  const [only] = said.words
  if (said.words.length === 1 && only && [...only.key].length === 1) return refused('too_short')
  return talkOnOtherKeyboard(said) ?? talk(unwrapped.prose > 0 ? 'not_understood' : 'help')
}

/** One item is left, which is no known name. */
function strangeName(item: Item, said: Said, { prose }: Unwrapped, context: UnderstandingContext): Understood {
  const { known, nameRules, language } = context
  const isLoose = !item.announced || item.loosely
  const asks = isLoose && (said.asks || asksSomething(said.words.map(({ folded }) => folded)))
  const inSentence = isLoose && prose > 0
  const isAll = item.words.length === said.words.length
  const typed = typedName(item.words, nameRules)
  if (item.thing && !item.words.some(({ text }) => /^\p{Lu}/u.test(text))) return talk('not_understood')
  const isSpoilt = digitInside.test(said.bare)
  if (item.words.length <= 2 && (isAll || !(asks || inSentence)) && !isSpoilt) {
    const likely = guesses(item, known, nameRules, language).map((name) => ({ name }))
    if (likely.length > 0) return unsure(likely, typed)
  }
  const talkMeant = talkOnOtherKeyboard(said)
  if (talkMeant) return talkMeant
  if (isSpoilt) return refused('digits')
  if (starInside.test(said.tidy)) return refused('characters')
  if (asks || inSentence || item.words.length > 2 || item.words.some(isVerb)) return talk('not_understood')
  if (item.words.every(({ key }) => isNonsense(key))) return refused('nonsense')
  if (typed) return unsure([], typed)
  const parsed = parseName(item.words.map(({ text }) => text).join(' '), nameRules)
  return refused(parsed.ok ? 'characters' : parsed.reason)
}

/** Written so to hide a word. */
const starInside = /\p{L}[*#$@]+\p{L}/u
/** «м4ша» */
const digitInside = /\p{L}\p{N}+\p{L}/u

/** Words that are no names, and ask for something: «переделайте», «появится». */
const verb =
  /(?:[аеиоуыэюя]йте|ьте|тесь|ться|тся|лся|лась|лись|[жчш]ись|.{2}ите|ешь|ишь|аете|яете|уете|.{2}[аеиуя]ть)$/u
/** «случайно», «редкое»: words that say how, and of what kind */
const quality = /.{2}(?:[ьчшстквд]но|нно|[^л]ое|[нк]ие)$/u
export const isVerb = ({ folded }: Word) => folded.length >= 5 && (verb.test(folded) || quality.test(folded))

/** «Зайнаб, Джабраил»: several names that nobody knows, or a sentence. */
function severalStrange(
  items: readonly Item[],
  unwrapped: Unwrapped,
  said: Said,
  { nameRules, known, language }: UnderstandingContext,
): Understood {
  const isList = items.every((item, place) => item.words.length === 1 && (place === 0 || item.before === 'list'))
  if (!isList || unwrapped.prose > 0 || said.asks || items.some((item) => item.words.some(isVerb)))
    return talk('not_understood')
  const names = items.flatMap(
    (item) => guesses(item, known, nameRules, language)[0] ?? typedName(item.words, nameRules) ?? [],
  )
  const distinct = distinctNames(names)
  if (distinct.some(({ key }) => isNonsense(key))) return refused('nonsense')
  if (distinct.length < 2) return distinct[0] ? unsure([], distinct[0]) : talk('not_understood')
  return several(distinct)
}

/** `ghbdtn` is привет. */
function talkOnOtherKeyboard({ bare }: Said): Understood | undefined {
  const topic = roleOf(onOtherKeyboard(bare) ?? '')?.topic
  return topic && talk(topic)
}
