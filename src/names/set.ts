/**
 * Several names in one greeting: “Маша и Петя”. Such a set is a name like any other, but for its key, which no single name
 * can have: the keys of its parts, sorted and joined.
 */
import { isOffensiveIn } from './offensive.ts'
import {
  countGraphemes,
  displayOf,
  maxGraphemes,
  parseName,
  unify,
  type Name,
  type NameRules,
  type ParsedName,
} from './name.ts'
import type { Script } from './scripts.ts'

/** joins the keys of the parts */
export const keyJoint = ' & '
const mostParts = 3

/** What stands before the last part, by the language in which the set is spoken. */
const conjunctions: Record<string, string> = { ru: 'и', en: 'and', uk: 'і', be: 'і', de: 'und', fr: 'et' }
const anyConjunction = '(?:и|й|і|та|and|und|et)'
const between = new RegExp(` ?[,;&+\n] ?(?:${anyConjunction} )?| ${anyConjunction} `, 'iu')
const ofDisplay = new RegExp(`, | (?=${anyConjunction} )`, 'u')
const beginsWithConjunction = new RegExp(`^${anyConjunction} `, 'u')
const conjunction = new RegExp(`^${anyConjunction}$`, 'u')
const lineEnds = new RegExp(`(?<=,) | (?=${anyConjunction} )`, 'u')

/** Whether a key is that of a set. */
export const isSet = (key: string): boolean => key.includes(keyJoint)

/** The keys of a set's parts; of a single name its own. */
export const partsOf = (key: string): string[] => key.split(keyJoint)

/**
 * Two or three names as one. Repeated ones count once, so what is left may be a single name. Whatever may not be asked for
 * alone may not be asked for as a part.
 */
export function setOf(names: readonly Name[], rules: NameRules = {}): ParsedName {
  const distinct = new Map(names.map((name) => [name.key, name]))
  const [first, ...others] = distinct.values()
  if (first === undefined) return { ok: false, reason: 'empty' }
  const { script } = first
  if (others.some((other) => other.script !== script)) return { ok: false, reason: 'mixed_scripts' }
  if (distinct.size > mostParts) return { ok: false, reason: 'several_names' }
  const keys = [...distinct.keys()].sort()
  if (keys.reduce((sum, key) => sum + countGraphemes(key), 0) > maxGraphemes) return { ok: false, reason: 'too_long' }
  if (rules.anyWord !== true && isOffensiveTogether(keys)) return { ok: false, reason: 'offensive' }
  return { ok: true, name: nameOfKey(keys.join(keyJoint), script) }
}

/** What a person typed, where several names are taken for a set of them. @throws as `parseName` does */
export function parseNameOrSet(raw: string, rules: NameRules = {}): ParsedName {
  const whole = parseName(raw, rules)
  if (whole.ok || whole.reason !== 'several_names') return whole
  const names: Name[] = []
  for (const part of unify(raw).split(between)) {
    const parsed = parseName(part, rules)
    if (!parsed.ok) return parsed.reason === 'empty' ? whole : parsed
    names.push(parsed.name)
  }
  return setOf(names, rules)
}

/** The name that has this key, which `parseName` or `setOf` made. */
export function nameOfKey(key: string, script: Script): Name {
  const name = { key, display: displayOf(key, script), script }
  return isSet(key) ? { ...name, display: displayIn(name) } : name
}

/** The display form in the language of a template; without one in that of the name's letters. */
export function displayIn({ key, display, script }: Name, language?: string): string {
  if (!isSet(key)) return display
  const parts = partsOf(key).map((part) => displayOf(part, script))
  return joined(parts, conjunctionOf(language, script))
}

/** The displays of a set's parts, in their order; undefined: it is the display of a single name. */
export function partsOfDisplay(display: string): string[] | undefined {
  const parts = display.split(ofDisplay)
  return parts.length === 1 ? undefined : parts.map((part) => part.replace(beginsWithConjunction, ''))
}

/** A display in pieces that may stand in lines of their own: «Маша,» «Катя» «и Петя»; undefined: it is that of a single name. */
export function linesOfDisplay(display: string): string[] | undefined {
  const parts = display.split(lineEnds)
  return parts.length === 1 ? undefined : parts
}

/** Whether a word of a display joins its parts: no word of a single name's is one, as those have capitals. */
export const isConjunction = (word: string): boolean => conjunction.test(word)

/** How the parts are spoken, as one text. */
export function spokenTogether(parts: readonly string[], language: string): string {
  return joined(parts, conjunctionOf(language, /\p{Script=Cyrillic}/u.test(parts[0] ?? '') ? 'Cyrillic' : 'Latin'))
}

function conjunctionOf(language: string | undefined, script: Script): string {
  return conjunctions[language?.slice(0, 2) ?? ''] ?? (script === 'Cyrillic' ? 'и' : 'and')
}

function joined(parts: readonly string[], conjunction: string): string {
  return `${parts.slice(0, -1).join(', ')} ${conjunction} ${parts.at(-1) ?? ''}`
}

/** «Иди» and «Лесом»: words that are a threat only side by side, in whatever order. */
function isOffensiveTogether(keys: readonly string[]): boolean {
  return keys.some((one) =>
    keys.some(
      (other) =>
        one !== other && isOffensiveIn([...one.split(' ').slice(-1), ...other.split(' ').slice(0, 1)], () => true),
    ),
  )
}
