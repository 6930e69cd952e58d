/** What people say to the bot instead of a name. */
import { complaints, questions } from './patterns.ts'
import { misspellings, whatWasDrawnOut } from './misspellings.ts'
import type { Topic, WordTopic } from './topic.ts'
import { soundOf } from './transliteration.ts'
import { talkWords } from './vocabulary.ts'

/** Complaints go before a name that occurs in them, questions after it. */
const compiled = {
  complaints: complaints.map(expression),
  questions: questions.map(expression),
}

function expression([topic, alternatives]: (typeof complaints)[number]): readonly [Topic, RegExp] {
  return [topic, new RegExp(alternatives.trim().replace(/\s+/g, '|').replaceAll('_', ' '))]
}

/**
 * What somebody complains about, or wants done beside a video.
 * @param text in lower case, е for ё, one blank between words and at both ends
 */
export const complaintIn = (text: string): Topic | undefined => firstIn(compiled.complaints, text)

/** What somebody asks. @param text as above */
export const questionIn = (text: string): Topic | undefined => firstIn(compiled.questions, text)

function firstIn(patterns: readonly (readonly [Topic, RegExp])[], text: string): Topic | undefined {
  return patterns.find(([, pattern]) => pattern.test(text))?.[0]
}

const beforeQuestions = new Set(['а', 'и', 'ну', 'but', 'so', 'and'])
const questionWords = new Set(
  `как что чё че чо почему отчего когда сколько где куда откуда зачем кто какой какая какие какое чей how what why when
  where who which whose can could does do did is are will would should`.split(/\s+/),
)

/** Whether a text begins as a question. @param words in lower case, е for ё */
export function asksSomething([first = '', second = '']: readonly string[]): boolean {
  return questionWords.has(beforeQuestions.has(first) ? second : first)
}

/** Of several things that were said at once, the one to answer. */
const byWeight: readonly WordTopic[] = ['no', 'thanks', 'praise', 'wishes', 'bye', 'help', 'yes', 'greeting']

/** The topic to answer, of those that a text's words are about. */
export const weightiest = (topics: ReadonlySet<WordTopic>): Topic | undefined =>
  byWeight.find((topic) => topics.has(topic))

/** Shorter words have too many neighbours; English ones are near too many names. */
const shortestMistyped = { cyrillic: 5, latin: 7 }

const laughter = new RegExp(
  `^(?:${String.raw`
    а?(?:ха){2,}х? (?:ах){2,}а? (?:ах)+аха* хе(?:хе)+ хи(?:хи)+ (?:ha){2,}h? (?:he){2,} l+o+l+
    азаза+ ыыы+ wo+w+ ва+у+ у+ра+ ого+`
    .trim()
    .replace(/\s+/g, '|')})$`,
)

/** What a word is about that is written with a slip, or drawn out: «превет», «спасибооо». @param word е for ё */
export function mistypedTopic(word: string): WordTopic | undefined {
  if (laughter.test(word)) return 'praise'
  for (const candidate of whatWasDrawnOut(word)) {
    const topic = candidate.length > 2 ? talkWords.get(candidate) : undefined
    if (topic) return topic
  }
  if (word.length < (/^[a-z]/.test(word) ? shortestMistyped.latin : shortestMistyped.cyrillic)) return undefined
  let found: WordTopic | undefined
  misspellings(word, (candidate) => {
    if (candidate.length >= shortestMistyped.cyrillic) found ??= talkWords.get(candidate)
  })
  return found
}

/** Shorter words sound like too many others. */
const shortestInLatin = 5
let sounding: Map<string, WordTopic> | undefined

/** `spasibo`, `privet`: what a Russian word in Latin letters is about. @param words in lower case */
export function talkInLatin(words: readonly string[]): WordTopic | undefined {
  sounding ??= new Map(
    [...talkWords]
      .filter(([word]) => /^[а-я]/.test(word) && word.length >= shortestInLatin)
      .map(([word, topic]) => [soundOf(word), topic]),
  )
  for (const word of words) {
    const topic = /^[a-z]+$/.test(word) && word.length >= shortestInLatin ? sounding.get(soundOf(word)) : undefined
    if (topic) return topic
  }
  return undefined
}

const emojiTopics: readonly [WordTopic, RegExp][] = [
  ['greeting', /👋/u],
  ['thanks', /🙏|🤝/u],
  ['no', /👎|❌|🚫|⛔/u],
  ['yes', /👌|✅|✔|☑/u],
  ['wishes', /🎄|🎅|🎆|🎇|🥂|🍾|☃|⛄|🎁/u],
]

/** What somebody means who sends nothing but pictographs. */
export function emojiTopic(emoji: readonly string[]): Topic {
  const all = emoji.join('')
  return emojiTopics.find(([, pattern]) => pattern.test(all))?.[0] ?? 'praise'
}
