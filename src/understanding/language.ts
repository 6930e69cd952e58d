/** What is to be said about the words of a language. */
import type { Case } from './declension.ts'
import type { WordTopic } from './topic.ts'

/** The words of a language. All of them are in lower case, е for ё, with blanks between them. */
export interface Language {
  /** words that announce a name, by the cases it stands in after them */
  openers: readonly (readonly [cases: readonly Case[], words: string])[]
  /** after these, a name stands as it is in a passport */
  introductions: string
  /** whose child it is, by gender: rows of nominative, genitive, dative, accusative, instrumental, prepositional */
  kin: Record<'m' | 'f' | 'any', string>
  /** words that go with a name and say nothing */
  decoration: string
  /** stems of adjectives that do; in Russian, with any ending */
  adjectives: string
  /** words of whole sentences: where one stands, a strange word is not a name */
  prose: string
  /** what stands behind them gives the present: “от мамы” */
  givers: string
  /** what stands behind them is a wish, to the end */
  wishing: string
  /** words that are talk when nothing else is said */
  talk: Record<WordTopic, string>
  /** several words that belong together, separated by bars */
  phrases: Record<WordTopic | 'none', string>
  /** names that ship and are words too: inside a sentence they are words, unless something announces a name */
  ambiguous: string
}
