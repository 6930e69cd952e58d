/** What is left of a message without the words around its names, and in which case each name must stand. */
import type { Case } from './declension.ts'
import type { KnownNames } from './known-names.ts'
import { mistypedTopic } from './talk.ts'
import type { WordTopic } from './topic.ts'
import { isAmbiguous, phraseAt, type Role, roleOf } from './vocabulary.ts'
import type { Break, Word } from './words.ts'

/** Words next to each other that may be a name. */
export interface Item {
  words: Word[]
  /** what separates it from the item before */
  before: Break
  /** the cases that the words before it ask for; undefined where nothing does */
  cases: readonly Case[] | undefined
  /** something says that a name follows: “для”, “my son” */
  announced: boolean
  /** “зовут”: the nominative comes first */
  introduced: boolean
  gender: 'm' | 'f' | undefined
  /** the name of who gives: “от бабушки Лены” */
  gives: boolean
  /** what announces it stands apart, or says it of anything: «это развод», “is it safe” */
  loosely: boolean
  /** behind an article, or wished for: “a puppy”, «хочу куклу» */
  thing: boolean
  /** behind “не”: «не Маша, а Даша» */
  denied: boolean
}

/** A message without what was around its names. */
export interface Unwrapped {
  items: Item[]
  topics: Set<WordTopic>
  /** words that only stand in whole sentences */
  prose: number
  /** somebody liked a video: «Маше понравилось» */
  liked: boolean
}

/** What the words so far say about a name that follows. */
interface Expecting {
  governs: readonly Case[] | undefined
  /** what holds again when a preposition had no name behind it: “поздравьте с праздником Машу” */
  before: readonly Case[] | undefined
  introduces: boolean
  kin: Role['kin']
  /** what introduces is said of anything */
  vague: boolean
  gives: boolean
  denied: boolean
  /** whether the word just read announces a name */
  announced: boolean
}

/** In longer texts, words of talk with a slip in them are not looked for. */
const shortText = 10

/** What a child does who has seen a video. */
const reactions = new Set(
  `понравилось понравился понравилась нравится восторге плакала плакал рада рад довольна доволен счастлива счастлив
  смеялась смеялся loved loves liked likes enjoyed adored cried smiled`.split(/\s+/),
)

/** They introduce a name, and anything else. */
const vague = new Set(['это', 'я', 'мы', 'i', "i'm", 'im', 'it', 'is', 'this', 'that', 'are', 'am', 'we', "we're"])

/** Behind them stands a thing, not a name that nobody knows. */
const things = new Set([
  'в',
  'во',
  'in',
  'at',
  'a',
  'an',
  'the',
  'хочу',
  'хочется',
  'подари',
  'подарите',
  'купи',
  'купите',
  'принеси',
])

const denials = new Set(['не', 'not', "isn't", 'isnt', "wasn't", 'wasnt'])

const prepositions = new Set(['с', 'со', 'к', 'ко', 'у', 'о', 'об', 'обо', 'про'])

/** Takes everything off a message that is not part of a name. */
export function unwrap(words: readonly Word[], known: KnownNames): Unwrapped {
  const folded = words.map((word) => word.folded)
  const sentence = words.some((word) => roleOf(word.folded)?.prose === true && !doesShip(word, known))
  const result: Unwrapped = { items: [], topics: new Set(), prose: 0, liked: false }
  const state: Expecting = {
    governs: undefined,
    before: undefined,
    introduces: false,
    kin: undefined,
    vague: false,
    gives: false,
    denied: false,
    announced: false,
  }
  let open: Item | undefined
  let separated: Break = 'none'
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as Word
    separated = stronger(separated, word.before)
    if (reactions.has(word.folded) && separated === 'none' && result.items.at(-1)?.announced === false)
      result.liked = true
    const phrase = phraseAt(folded, at)
    if (phrase) {
      for (let more = 1; more < phrase.length; more++)
        separated = stronger(separated, words[at + more]?.before ?? 'none')
      at += phrase.length - 1
      if (phrase.topic) result.topics.add(phrase.topic)
      forgetPreposition(state)
      open = undefined
      continue
    }
    const role = roleIn(word, words[at - 1], words[at + 1], known, state, {
      sentence,
      short: words.length <= shortText,
    })
    if (role?.wishing === true && result.items.length > 0) break
    if (role) {
      read(role, word, state, result)
      if (role.governs && !prepositions.has(word.folded)) governLate(result.items, role)
      open = undefined
    } else if (open && word.before === 'none') {
      if (open.words.at(-1)?.key !== word.key) open.words.push(word)
    } else {
      open = itemOf(word, words[words[at - 1]?.folded === 'мне' ? at - 2 : at - 1], separated, state)
      result.items.push(open)
      separated = 'none'
      state.announced = false
      state.denied = false
    }
  }
  return result
}

function doesShip({ key }: Word, known: KnownNames): boolean {
  const { same, yo } = known.spelled(key)
  return same?.ships === true || yo?.ships === true
}

/** What a word is for; undefined when it may be part of a name. */
function roleIn(
  word: Word,
  previous: Word | undefined,
  next: Word | undefined,
  known: KnownNames,
  state: Expecting,
  { sentence, short }: { sentence: boolean; short: boolean },
): Role | undefined {
  if (word.isNumber || [...word.key].length < 2) return roleOf(word.folded) ?? {}
  const { same, yo } = known.spelled(word.key)
  const ships = doesShip(word, known)
  const isWord = (sentence || previous?.isNumber === true) && !state.announced
  if (ships && !(isWord && isAmbiguous(word.folded))) return undefined
  if (ships) return { prose: true }
  const role = roleOf(word.folded)
  const forms = known.inCases(word.folded)
  // «жене» is a wife, unless no name follows
  const isForm = role?.kin && !next && forms.some((form) => form.case === 'dat')
  if (role && !isForm) return role
  if (forms.length > 0)
    return isWord && forms.every((form) => isAmbiguous(form.known.name.key)) ? { prose: true } : undefined
  if (same ?? yo) return undefined
  const topic = short ? mistypedTopic(word.folded) : undefined
  return topic && known.near(word.key, 1).length === 0 ? { topic } : undefined
}

function read(role: Role, word: Word, state: Expecting, result: Unwrapped): void {
  if (role.topic) result.topics.add(role.topic)
  if (role.prose === true) result.prose++
  if (role.giver) state.gives = true
  state.denied = denials.has(word.folded) || (state.denied && isPlain(role))
  if (role.governs) {
    if (prepositions.has(word.folded)) state.before = state.governs
    else state.before = role.governs
    state.governs = role.governs
    state.introduces = role.introduces === true
    state.vague = vague.has(word.folded)
    state.kin = undefined
    state.gives = false
  } else if (role.topic !== undefined || role.prose === true || word.isNumber) forgetPreposition(state)
  if (role.kin) state.kin = role.kin
  state.announced = role.governs !== undefined || role.kin !== undefined || (state.announced && isPlain(role))
}

const isPlain = (role: Role) => role.topic === undefined && role.prose !== true

function forgetPreposition(state: Expecting): void {
  state.governs = state.before
  state.announced = false
}

/** «Машу поздравьте»: the verb may stand behind the name. */
function governLate(items: readonly Item[], { governs = [] }: Role): void {
  for (const item of items)
    if (!item.announced && !item.cases && governs.length > 0) {
      item.cases = governs
      item.announced = true
    }
}

function itemOf(word: Word, previous: Word | undefined, before: Break, state: Expecting): Item {
  const kin = state.kin?.cases.filter((inCase) => inCase !== 'nom') ?? []
  const governed = state.governs ?? []
  const both = governed.filter((inCase) => kin.includes(inCase))
  const cases = both.length > 0 ? both : governed.length > 0 ? governed : kin
  return {
    words: [word],
    before,
    cases: cases.length > 0 ? cases : undefined,
    announced: state.announced || state.governs !== undefined || state.kin !== undefined,
    introduced: state.introduces,
    gender: state.kin?.gender,
    gives: state.gives,
    loosely: state.vague || (!state.announced && governed.length === 0),
    thing: previous !== undefined && before === 'none' && things.has(previous.folded),
    denied: state.denied,
  }
}

function stronger(a: Break, b: Break): Break {
  if (a === 'or' || b === 'or') return 'or'
  return a === 'list' || b === 'list' ? 'list' : 'none'
}
