/**
 * One name: what a person typed, made canonical, or the reason why it is not taken.
 *
 * Everything here and in `scripts.ts` runs in time proportional to the input, which is cut off at 1,000 characters:
 * every regular expression either is one character class or cannot match one text in two ways.
 */
import { articles, hyphenatedParticles, innerCapitals, leadingParticles, trailingParticles } from './capitals.ts'
import { isOffensive } from './offensive.ts'
import { inOneScript, type Script } from './scripts.ts'

/** A name in canonical form. `display` is a function of `key`, and parsing it gives the same name again. */
export interface Name {
  /** for lookup and dedup: case-folded, NFC, blanks, apostrophes and hyphens unified */
  key: string
  /** drawn and spoken */
  display: string
  script: Script
}

/** Why something is not taken as a name. */
export type NameRejection =
  | 'empty' // nothing, or only blanks and invisible characters
  | 'too_long_input' // more than 1,000 characters: not looked at
  | 'not_text' // control characters, broken encoding, text that changes direction
  | 'several_names' // "Маша и Петя"
  | 'digits'
  | 'emoji'
  | 'characters' // anything else that is no letter, blank, hyphen or apostrophe
  | 'misplaced' // a hyphen or an apostrophe where none can stand
  | 'marks' // too many accents on one letter
  | 'mixed_scripts' // Cyrillic and Latin letters in one name
  | 'unsupported_script'
  | 'too_short'
  | 'too_long'
  | 'too_many_words'
  | 'offensive'
  | 'blocked' // the operator's own list has it

/** A name, or why it is none. */
export type ParsedName = { ok: true; name: Name } | { ok: false; reason: NameRejection }

/** What depends on the installation. */
export interface NameRules {
  /** Unicode names of scripts (`Georgian`, `Greek`) that can be drawn and spoken besides Cyrillic and Latin */
  extraScripts?: readonly string[]
  /** keys that are names, whatever the lists of offensive words say */
  allowed?: ReadonlySet<string>
  /** keys that are refused */
  blocked?: ReadonlySet<string>
  /** any word will do: nobody is greeted with it */
  anyWord?: boolean
}

/** Limits, in Unicode code points, graphemes and words. */
export const maxInput = 1000
const minGraphemes = 2
export const maxGraphemes = 40
export const maxWords = 4

/** U+FFFD, lone surrogates, bidirectional overrides and isolates, and control characters that are no blanks. */
const notText = /[\p{Cs}\uFFFD\u202A-\u202E\u2066-\u2069]|(?!\p{White_Space})\p{Cc}/u
/** Zero-width characters, direction marks, soft hyphens, variation selectors. */
const invisible = /\p{Default_Ignorable_Code_Point}/gu
const blanks = /\p{White_Space}+/gu
const lineBreak = /[\n\v\f\r\u0085\u2028\u2029]/
const apostrophes = /['’‘‛ʼʻʽʹ`´′＇]/g
const hyphens = / ?[-‐‑‒–—―−－﹣] ?/g

const severalNames = /[\p{L}\p{M}'] ?[,;&+/|\\·•،、\n] ?\p{L}| (?:и|й|і|та|или|або|and|or|und|et) /iu
const emoji = /\p{Extended_Pictographic}|\p{Regional_Indicator}/u
/** Words of letters, each with at most three marks and at most one apostrophe after it, joined by a blank or a hyphen. */
const shape = /^(?:\p{L}[\p{Mn}\p{Mc}]{0,3}'?)+(?:[ -](?:\p{L}[\p{Mn}\p{Mc}]{0,3}'?)+)*$/u
const permittedCharacters = /^[\p{L}\p{Mn}\p{Mc}' -]+$/u
/** With letters among them: Japanese and Thai have some that are no signs, and do not decompose. */
const letterLike = /[ªº\u2100-\u214F]|\p{Lm}/gu
const tooManyMarks = /\p{M}{4}/u

/** A Cyrillic vowel with marks; one of them may be the stress. */
const markedVowel = /[АаЕеИиОоУуЫыЭэЮюЯяІіЇїЁёЄєѢѣӘәӨөҮүҰұ]\p{M}+/gu

const dottedInside = /([^ -])i\u0307/gu
const dotlessFirst = /(^|[ '-])ı/gu
/** Texts in which each character is a grapheme. */
const oneGraphemeEach = /^[\u0020-\u02FF\u0400-\u0481\u048A-\u052F\u1E00-\u1EFF]*$/

/** Scripts that have capitals. Georgian's are for whole words only. */
const scriptsWithCapitals = new Set<Script>(['Cyrillic', 'Latin', 'Greek', 'Armenian'])

const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' })

/**
 * Takes what a person typed, or a cell of a list, for one name.
 *
 * @throws RangeError or SyntaxError when an extra script's name is none that Unicode knows
 */
export function parseName(raw: string, rules: NameRules = {}): ParsedName {
  if (isTooLong(raw)) return no('too_long_input')
  if (notText.test(raw)) return no('not_text')

  const tidy = unify(raw)
  if (tidy === '') return no('empty')
  const misfit = whatDoesNotFit(tidy)
  if (misfit) return no(misfit)

  if (hasLetterLikeSign(tidy)) return no('characters')
  // Ligatures and full-width letters become the letters they stand for.
  const compatible = tidy.normalize('NFKC')
  const written = inOneScript(shape.test(compatible) ? compatible : '', rules.extraScripts ?? [])
  if ('reason' in written) return no(written.reason)

  const { script } = written
  const key = foldCase(script === 'Cyrillic' ? withoutStress(written.text) : written.text)
  const length = countGraphemes(key)
  if (length < minGraphemes) return no('too_short')
  if (length > maxGraphemes) return no('too_long')
  if (key.split(' ').length > maxWords) return no('too_many_words')
  if (rules.anyWord !== true) {
    if (rules.blocked?.has(key) === true) return no('blocked')
    if (rules.allowed?.has(key) !== true && isOffensive(key)) return no('offensive')
  }
  return { ok: true, name: { key, display: displayOf(key, script), script } }
}

/** Those of the texts that are names. */
export function parseNames(texts: readonly string[], rules: NameRules): Name[] {
  return texts.flatMap((text) => {
    const parsed = parseName(text, rules)
    return parsed.ok ? [parsed.name] : []
  })
}

/** The display form of a key that `parseName` made. */
export function displayOf(key: string, script: Script): string {
  if (!scriptsWithCapitals.has(script)) return key
  if (!key.includes(' ') && !key.includes('-')) return capitalised(key, script).normalize('NFC')
  const parts = key.split(/([ -])/) // parts at even places, what joins them at odd ones
  const last = parts.length - 1
  return parts
    .map((part, place) => {
      if (place % 2 === 1) return part
      if (place > 0 && trailingParticles.has(part)) return part
      if (place > 0 && place < last && leadingParticles.has(part)) return part
      if (place > 0 && parts[place + 1] === '-' && hyphenatedParticles.has(part)) return part
      if (place > 0 && place < last && articles.has(part) && /^(?:de|де)$/.test(parts[place - 2] ?? '')) return part
      return capitalised(part, script)
    })
    .join('')
    .normalize('NFC')
}

function no(reason: NameRejection): ParsedName {
  return { ok: false, reason }
}

/** Whether a text is too long to be looked at. */
export function isTooLong(raw: string): boolean {
  if (raw.length <= maxInput) return false
  if (raw.length > 2 * maxInput) return true
  let codePoints = 0
  for (const _ of raw) codePoints++
  return codePoints > maxInput
}

/** No invisible characters, one kind of blank, apostrophe and hyphen. A line break inside stays one. */
export function unify(raw: string): string {
  return raw
    .replace(invisible, '')
    .normalize('NFC') // after the invisible ones have gone: they keep a letter and its mark apart
    .replace(blanks, (run) => (lineBreak.test(run) ? '\n' : ' '))
    .trim()
    .replace(apostrophes, "'")
    .replace(hyphens, '-')
}

function whatDoesNotFit(text: string): NameRejection | undefined {
  if (severalNames.test(text)) return 'several_names'
  if (shape.test(text)) return undefined
  if (emoji.test(text)) return 'emoji'
  if (/\p{N}/u.test(text)) return 'digits'
  if (!permittedCharacters.test(text)) return 'characters'
  return tooManyMarks.test(text) ? 'marks' : 'misplaced'
}

/** º, ª, ʰ, ℓ: signs made of letters, which Unicode counts as such and decomposes into them. */
function hasLetterLikeSign(text: string): boolean {
  return text.match(letterLike)?.some((sign) => sign.normalize('NFKC') !== sign) ?? false
}

/** The stress mark guides a reader; it is no part of the name. */
function withoutStress(text: string): string {
  return text.replace(markedVowel, (vowel) => vowel.replaceAll('\u0301', '')).normalize('NFC')
}

/**
 * Unicode's full case folding, where it makes a difference in names: ß is ss, a final sigma is a sigma. The Turkish İ
 * is an i with a dot of its own, which is kept only where a capital will show it, and ı only where none will hide it.
 */
function foldCase(text: string): string {
  return text
    .toLowerCase()
    .replaceAll('ß', 'ss')
    .replaceAll('ς', 'σ')
    .replace(dottedInside, '$1i')
    .replace(dotlessFirst, '$1i')
    .normalize('NFC')
}

/** How many letters a text has, as people count them. */
export function countGraphemes(text: string): number {
  if (oneGraphemeEach.test(text)) return text.length
  let count = 0
  for (const _ of graphemes.segment(text)) count++
  return count
}

function capitalised(part: string, script: Script): string {
  if (script === 'Greek') part = part.replace(/σ$/, 'ς')
  if (script !== 'Latin') return upperFirst(part)
  const inner = innerCapitals.get(part)
  if (inner) return inner
  if (/^mc\p{L}{3}/u.test(part)) return `Mc${upperFirst(part.slice(2))}`
  if (/^\p{L}'\p{L}/u.test(part)) return `${part.charAt(0).toUpperCase()}'${capitalised(part.slice(2), script)}`
  return upperFirst(part)
}

function upperFirst(word: string): string {
  const first = String.fromCodePoint(word.codePointAt(0) ?? 0)
  return first.toUpperCase() + word.slice(first.length)
}
