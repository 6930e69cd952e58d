/**
 * What a person means by a message: a name, several, something else, or nothing that can be made.
 *
 * Pure and quick: it asks neither network nor database, and takes well under a millisecond.
 */
import { isTooLong, type Name, type NameRules, parseName } from '../names/name.ts'
import { isOffensiveIn } from '../names/offensive.ts'
import { onOtherKeyboardIn } from './guessing.ts'
import { isNonsense } from './nonsense.ts'
import { distinctNames, refused, several, talk, unsure, type Understood, type UnderstandingContext } from './outcome.ts'
import { looksLikeSurname, type Reading, readingsOf, typedName } from './reading.ts'
import { isVerb, strange } from './strange.ts'
import { complaintIn, emojiTopic } from './talk.ts'
import { type Item, type Unwrapped, unwrap } from './unwrap.ts'
import { mostWords, type Said, wordsOf } from './words.ts'

export type { Understood, UnderstandingContext } from './outcome.ts'
export type { Topic } from './topic.ts'

/** UTF-16 units of a word, beyond any name with any accents */
const longestWord = 100
/** words of a text that is too long to be looked at, from which on it is a letter and not a name */
const wordsOfLetter = 20

/** Never throws, whatever the text. */
export function understand(text: string, context: UnderstandingContext): Understood {
  const { nameRules } = context
  if (isTooLong(text))
    return text.slice(0, 1000).split(/\s/, wordsOfLetter).length < wordsOfLetter
      ? refused('too_long_input')
      : talk('not_understood')
  const whole = parseName(text, nameRules)
  if (!whole.ok && (whole.reason === 'not_text' || whole.reason === 'blocked')) return refused(whole.reason)

  const said = wordsOf(text, nameRules)
  if (hasOffensive(said, context)) return refused('offensive')
  const chosen = chosenOf(said, context)
  if (chosen) return { kind: 'name', name: chosen }
  if (said.words.every(({ isNumber }) => isNumber)) return withoutWords(said, text, context)
  if (said.words.length > mostWords) return talk('not_understood')
  const endless = said.words.find(({ key }) => key.length > longestWord)
  if (endless) return refused(isNonsense(endless.key.slice(0, longestWord)) ? 'nonsense' : 'too_long')
  return admitted(meaningOf(said, context), context)
}

/** An insult or a threat anywhere in a message is enough, and the operator's list of names wins. */
function hasOffensive({ words }: Said, { nameRules, known }: UnderstandingContext): boolean {
  const isName = (key: string) => nameRules.allowed?.has(key) === true || known.spelled(key).same?.ships === true
  const keys = words.flatMap(({ key }) => (key.includes('-') ? [key, ...key.split('-')] : [key]))
  return isOffensiveIn(keys, isName)
}

/** The offered name that a message repeats or agrees to: «да», «2», «Да, Маша». */
function chosenOf(said: Said, context: UnderstandingContext): Name | undefined {
  const { offered = [], known } = context
  if (offered.length === 0) return undefined
  const { items, topics } = unwrap(said.words, known)
  const keys = said.words.map(({ key }) => key)
  const repeated = offered.find(
    ({ key }) => key === keys.join(' ') || items.some(({ words }) => words.map((word) => word.key).join(' ') === key),
  )
  if (repeated) return repeated
  if (items.length > 0) return undefined
  const [only] = said.words
  if (said.words.length === 1 && only?.isNumber === true) return offered[Number(only.text) - 1]
  const agrees =
    (topics.has('yes') || ['👍', '👌', '✅'].some((sign) => said.emoji.includes(sign))) && !topics.has('no')
  return agrees && offered.length === 1 ? offered[0] : undefined
}

/** Drawn with signs: `:)`, `<3`. */
const smile = /[:;=][-']?[)D\]*]|<3|^\){2,}$/

/** Nothing but numbers, signs and pictographs. */
function withoutWords(said: Said, text: string, context: UnderstandingContext): Understood {
  if (smile.test(text)) return talk('praise')
  if (said.words.length > 0) return refused('digits')
  if (said.emoji.length > 0) return talk(emojiTopic(said.emoji))
  if (said.asks || text.trimStart().startsWith('/')) return talk('help')
  const [first] = onOtherKeyboardIn(said.bare, context.known)
  if (first) return { kind: 'unsure', options: [first.name], typed: undefined }
  return text.trim() === '' ? refused('empty') : talk('not_understood')
}

function meaningOf(said: Said, context: UnderstandingContext): Understood {
  const { known, nameRules } = context
  const exact = exactly(said, context)
  if (exact) return exact
  const complaint = context.certain === true ? undefined : complaintIn(said.plain)
  if (complaint) return talk(complaint)

  const unwrapped = unwrap(said.words, known)
  if (unwrapped.liked && context.certain !== true) return talk('praise')
  if (thanksFrom(unwrapped) && context.certain !== true) return talk('thanks')
  const items = withoutGivers(unwrapped.items)
  if (items.length > 0 && items.every(({ denied }) => denied) && context.certain !== true) return talk('wrong_name')
  // Whether a name may be made is asked once, at the end: a refused one must not become a slip for another.
  const readings = items.map((item) => ({ item, readings: readingsOf(item, known, { ...nameRules, anyWord: true }) }))
  const withNames = readings.filter(({ readings: found }) => found.some(({ names }) => names.length > 0))
  if (withNames.length > 0) return namesIn(readings, unwrapped.prose, context)
  if (context.certain === true) return certainly(said, items, nameRules)
  return strange(said, unwrapped, items, context)
}

/** “Thank you from Emily”: nobody is greeted. */
const thanksFrom = ({ items, topics }: Unwrapped) =>
  topics.has('thanks') && items.length > 0 && items.every(({ gives }) => gives)

/** The whole message is a name of a list that ships. */
function exactly(said: Said, { known, nameRules }: UnderstandingContext): Understood | undefined {
  if (said.words.some(({ before }) => before !== 'none')) return undefined
  const typed = typedName(said.words, nameRules)
  if (!typed) return undefined
  const { same, yo } = known.spelled(typed.key)
  if (same?.ships === true) return { kind: 'name', name: typed }
  return yo?.ships === true ? { kind: 'name', name: typed, twin: yo.name } : undefined
}

/** Who gives the present is not greeted, and neither is who is denied: «не Маша, а Даша». */
function withoutGivers(items: readonly Item[]): Item[] {
  const greeted = items.filter(({ gives, denied }) => !gives && !denied)
  return greeted.length > 0 ? greeted : [...items]
}

interface ItemRead {
  item: Item
  readings: Reading[]
}

/** At least one known name is among the items. */
function namesIn(read: readonly ItemRead[], prose: number, context: UnderstandingContext): Understood {
  const joined = joinSurnames(read, context)
  const all = joined.flatMap(({ item, readings }) => readings.map((reading) => ({ item, reading })))
  const found = all.filter(({ reading }) => reading.names.length > 0)
  const strangers = all.filter(({ reading }) => reading.names.length === 0)
  const alternatives = found.length > 1 && found.slice(1).every(({ item }) => item.before === 'or')
  if (alternatives && strangers.length === 0)
    return unsure(
      found.flatMap(({ reading }) => reading.names.slice(0, 2)),
      found[0]?.reading.typed,
    )

  const plausible =
    prose === 0 && strangers.length <= found.length ? all.filter(({ item, reading }) => isListed(item, reading)) : found
  const names = plausible.flatMap(({ reading }) => reading.names[0]?.name ?? reading.typed ?? [])
  const distinct = distinctNames(names)
  if (distinct.length > 1) return several(distinct)

  const [only] = found
  if (!only) return talk('not_understood')
  const { names: options, sure, typed } = only.reading
  const [first] = options
  if (first && sure && strangers.length === 0) return { kind: 'name', ...first }
  return unsure(options, strangers.length > 0 ? first?.name : typed)
}

/** Whether an item is one of several names: known, or a single strange word among them. */
function isListed(item: Item, { names, typed }: Reading): boolean {
  if (names.length > 0) return true
  return (
    item.before === 'list' &&
    typed !== undefined &&
    (item.words.length === 1 || (item.words.length === 2 && item.words.every(looksLikeSurname))) &&
    !item.words.some((word) => isNonsense(word.key) || isVerb(word))
  )
}

/** «Маша, Иванова»: a surname that something separates from its name. */
function joinSurnames(read: readonly ItemRead[], { known, nameRules }: UnderstandingContext): ItemRead[] {
  const [first, second, ...more] = read
  if (!first || !second || more.length > 0) return [...read]
  const isStrange = ({ readings }: ItemRead) => readings.every(({ names }) => names.length === 0)
  const stranger = isStrange(first) ? first : second
  if (
    isStrange(first) === isStrange(second) ||
    !stranger.item.words.every(looksLikeSurname) ||
    (second.item.announced && !second.item.introduced)
  )
    return [...read]
  const words = [...first.item.words, ...second.item.words]
  const item: Item = { ...(isStrange(first) ? second.item : first.item), words }
  const readings = readingsOf(item, known, nameRules)
  return readings.length === 1 && readings[0]?.sure === true ? [{ item, readings }] : [...read]
}

/** Somebody meant a name for certain, and it is none that is known. */
function certainly(said: Said, items: readonly Item[], rules: NameRules): Understood {
  const words = items.length > 0 ? items.flatMap((item) => item.words) : said.words
  const parsed = parseName(words.map(({ text }) => text).join(' '), rules)
  if (!parsed.ok) return parsed.reason === 'too_many_words' ? talk('not_understood') : refused(parsed.reason)
  return words.every(({ key }) => isNonsense(key)) ? refused('nonsense') : { kind: 'name', name: parsed.name }
}

/** Nothing leaves that the operator or the list of words refuses, however it was arrived at. */
function admitted(understood: Understood, { nameRules }: UnderstandingContext): Understood {
  const refusalOf = (name: Name) => {
    const parsed = parseName(name.display, nameRules)
    return parsed.ok ? undefined : parsed.reason
  }
  if (understood.kind === 'name') {
    const reason = refusalOf(understood.name)
    return reason ? refused(reason) : understood
  }
  if (understood.kind === 'unsure') {
    const options = understood.options.filter((name) => refusalOf(name) === undefined)
    const typed = understood.typed && refusalOf(understood.typed) === undefined ? understood.typed : undefined
    const [first] = understood.options
    if (options.length === 0) return refused((first && refusalOf(first)) ?? 'characters')
    return { kind: 'unsure', options, typed }
  }
  if (understood.kind === 'several') {
    const names = understood.names.filter((name) => refusalOf(name) === undefined)
    const [first] = names
    if (names.length > 1) return { ...understood, names }
    return first ? { kind: 'name', name: first } : refused('offensive')
  }
  return understood
}
