/** A message, taken apart into its words. */
import { parseName, type NameRules, unify } from '../names/name.ts'
import { withoutYo } from '../names/yo.ts'

/** What stands between a word and the one before it: nothing but a blank, something that separates names, an “or”. */
export type Break = 'none' | 'list' | 'or'

/** A word or a number of a message. */
export interface Word {
  /** as it was typed */
  text: string
  /** as the key of a name would be */
  key: string
  /** the key, ё written е */
  folded: string
  before: Break
  /** without letters */
  isNumber: boolean
}

/** A message in words. */
export interface Said {
  words: Word[]
  /** pictographs, in their order */
  emoji: string[]
  /** all words in lower case, е for ё, one blank between them and at both ends; the beginning of a long text */
  plain: string
  /** whether it ends as a question */
  asks: boolean
  /** the whole text, without what nobody sees */
  tidy: string
  /** the text without decoration at its ends, for the other keyboard, where a comma is a letter */
  bare: string
}

/** More words than this are no request for a name. */
export const mostWords = 40
/** UTF-16 units in which a complaint or a question shows itself. */
const plainLength = 300

const separators = /[,;&+/|\\·•\n.!?…:]/
const tokens = new RegExp(
  [
    String.raw`(?<word>[\p{L}\p{M}]+(?:['-][\p{L}\p{M}]+)*)`,
    String.raw`(?<number>\p{N}+)`,
    String.raw`(?<emoji>\p{Extended_Pictographic}|\p{Regional_Indicator}{2})`,
    String.raw`(?<mark>[,;&+/|\\·•\n.!?…:(])`,
  ].join('|'),
  'gu',
)
const links = /(?:https?:\/\/|t\.me\/|www\.|@|\/)[\w./?=&%#@-]+/gi
const dashes = /(?<=\s)[-‐‑‒–—―−]+(?=\s)/g

/** Words that join two names or more. */
const conjunctions = new Set(['и', 'й', 'і', 'та', 'ещё', 'плюс', 'and', 'n', 'und', 'et'])
const alternatives = new Set(['или', 'либо', 'or', 'або'])

/** «Имя-Маша» is no double name. */
const label = /(?<![\p{L}'-])(имя|name)\s?[-‐‑‒–—―−](?=\p{L})/giu

/** «Маша (5 лет)»: other brackets hold another form of the name. */
const age = /\((?=\s*\d)/g

/** Takes a message apart. Its length must have been looked at. */
export function wordsOf(text: string, rules: NameRules): Said {
  const tidy = together(unify(text.replace(links, ' ').replace(dashes, ' , ').replace(age, ', ').replace(label, '$1 ')))
  const said: Said = {
    words: [],
    plain: '',
    emoji: [],
    tidy,
    asks: /\?[\s\p{P}\p{S}]*$/u.test(tidy),
    bare: bareOf(tidy),
  }
  let before: Break = 'none'
  for (const { groups } of tidy.matchAll(tokens)) {
    const { word, number, emoji, mark } = groups as Record<string, string | undefined>
    if (emoji !== undefined) {
      said.emoji.push(emoji)
      if (said.words.length > 0 && before === 'none') before = 'list'
    } else if (mark !== undefined) {
      if (mark === '(') before = 'or'
      else if (separators.test(mark) && before === 'none') before = 'list'
    } else {
      const typed = word ?? number ?? ''
      const lower = typed.toLowerCase()
      if (said.words.length > 0 && conjunctions.has(lower)) before = before === 'none' ? 'list' : before
      else if (said.words.length > 0 && alternatives.has(lower)) before = 'or'
      else {
        said.words.push(wordOf(typed, before, number !== undefined, rules))
        before = 'none'
        if (said.words.length > mostWords) break
      }
    }
  }
  said.plain = ` ${said.words.map(({ folded }) => folded).join(' ')} `.slice(0, plainLength)
  return said
}

function wordOf(text: string, before: Break, isNumber: boolean, { extraScripts }: NameRules): Word {
  const parsed = isNumber ? undefined : parseName(text, { ...(extraScripts && { extraScripts }), anyWord: true })
  const key = parsed?.ok ? parsed.name.key : text.toLowerCase()
  return { text, key, folded: withoutYo(key), before, isNumber }
}

const lettersApart = /^\p{L}(?:[\s.*-]{1,3}\p{L}){2,}$/u

/** «М А Ш А» is one word. */
const together = (text: string) => (lettersApart.test(text) ? text.replace(/[^\p{L}]/gu, '') : text)

function bareOf(tidy: string): string {
  return tidy.replace(/[!?…"«»“”„()*_\p{Extended_Pictographic}\s]+/gu, ' ').trim()
}
