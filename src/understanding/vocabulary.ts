/**
 * The words that people write around a name, and what each is for. A word in here is never taken for a name, unless
 * a list that ships has it as one.
 */
import type { Case } from './declension.ts'
import { english } from './english.ts'
import type { Language } from './language.ts'
import { russian } from './russian.ts'
import type { WordTopic } from './topic.ts'

/** What a word is for. */
export interface Role {
  /** the cases in which a name stands after it; none for English and for “зовут” */
  governs?: readonly Case[]
  /** a name after it stands in the nominative first of all */
  introduces?: boolean
  kin?: { cases: readonly (Case | 'nom')[]; gender?: 'm' | 'f' }
  topic?: WordTopic
  prose?: boolean
  giver?: boolean
  wishing?: boolean
}

const kinCases = ['nom', 'gen', 'dat', 'acc', 'ins', 'prep'] as const

const adjectiveEndings = new Set(
  `ый ий ой ая яя ое ее ого его ому ему ым им ую юю ей ом ем ые ие ых их ыми ими ейший ейшая ейшую ейшей ейшего
  ейшему`.split(/\s+/),
)

const roles = new Map<string, Role>()
const stems = new Set<string>()
const ambiguous = new Set<string>()
/** first word → the phrases that begin with it, the longest first */
const phrases = new Map<string, { words: string[]; topic: WordTopic | undefined }[]>()

const split = (words: string) => words.split(/\s+/).filter((word) => word !== '')

function give(words: string, role: Role): void {
  for (const word of split(words)) roles.set(word, { ...roles.get(word), ...role })
}

function giveKin(rows: string, gender: 'm' | 'f' | undefined): void {
  for (const row of rows.trim().split('\n')) {
    const forms = split(row)
    for (const [place, word] of forms.entries()) {
      const { cases: former = [], gender: formerGender } = roles.get(word)?.kin ?? {}
      const of = gender ?? formerGender
      const cases = forms.length === 1 ? [] : [...former, kinCases[place] ?? ('nom' as const)]
      roles.set(word, { ...roles.get(word), kin: { cases, ...(of && { gender: of }) } })
    }
  }
}

function learn(language: Language): void {
  give(language.prose, { prose: true })
  give(language.decoration, { prose: false })
  for (const [cases, words] of language.openers) give(words, { governs: cases, prose: false })
  give(language.introductions, { governs: [], introduces: true, prose: false })
  giveKin(language.kin.m, 'm')
  giveKin(language.kin.f, 'f')
  giveKin(language.kin.any, undefined)
  give(language.givers, { giver: true })
  give(language.wishing, { wishing: true })
  for (const [topic, words] of Object.entries(language.talk)) give(words, { topic: topic as WordTopic })
  for (const stem of split(language.adjectives)) stems.add(stem)
  for (const word of split(language.ambiguous)) ambiguous.add(word)
  for (const [topic, list] of Object.entries(language.phrases))
    for (const phrase of list.split('|')) {
      const words = split(phrase)
      const [first = ''] = words
      const known = phrases.get(first) ?? []
      known.push({ words, topic: topic === 'none' ? undefined : (topic as WordTopic) })
      phrases.set(first, known)
    }
}

learn(russian)
learn(english)
for (const list of phrases.values()) list.sort((a, b) => b.words.length - a.words.length)

/** @param word in lower case, е for ё */
export function roleOf(word: string): Role | undefined {
  const role = roles.get(word) ?? roles.get(word.replace(/'(?:s|m|re|ll|d|ve)$/, ''))
  if (role) return role
  const parts = word.split('-')
  if (parts.length > 1 && parts.every((part) => roles.has(part))) return {}
  return isAdjective(word) ? {} : undefined
}

function isAdjective(word: string): boolean {
  for (let at = 2; at < word.length - 1; at++)
    if (stems.has(word.slice(0, at)) && adjectiveEndings.has(word.slice(at))) return true
  return false
}

/** Whether a name that ships is also a word of everyday sentences. */
export const isAmbiguous = (word: string) => ambiguous.has(word)

/** The phrase that begins at a place of a text, if any. */
export function phraseAt(
  words: readonly string[],
  at: number,
): { length: number; topic: WordTopic | undefined } | undefined {
  for (const phrase of phrases.get(words[at] ?? '') ?? [])
    if (phrase.words.every((word, place) => words[at + place] === word))
      return { length: phrase.words.length, topic: phrase.topic }
  return undefined
}

/** All words that talk is made of, for finding typos. */
export const talkWords: ReadonlyMap<string, WordTopic> = new Map(
  [...roles].flatMap(([word, { topic }]) => (topic ? [[word, topic] as const] : [])),
)
