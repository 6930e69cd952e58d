/**
 * Which videos somebody may mean who writes to the bot from another chat: what they typed, exactly, and names that are
 * known. A name that merely has a video is nobody's guess.
 */
import { askFromName, askKey, type Ask, type AskRules } from '../greetings/ask.ts'
import { mostVideos } from '../greetings/videos.ts'
import { parseName, parseNames, type Name } from '../names/name.ts'
import type { KnownNames } from '../understanding/known-names.ts'
import { languageOfScript } from '../texts.ts'
import { understand, type Understood } from '../understanding/understand.ts'

/** What a query asks for. */
export interface QueryNames {
  /** the name that was typed, as far as it is one */
  typed: Name | undefined
  /** its spellings, ё and е being one letter: the likeliest first */
  exact: Ask[]
  /** known names that were perhaps meant, or begin so: the likeliest first */
  others: Ask[]
}

interface Rules extends AskRules {
  known: KnownNames
}

/** Longer than any name that fits, with the words around it. */
const longestQuery = 256

/** Takes a query apart. Pure, and quick enough for every letter that somebody types. */
export function namesIn(query: string, language: string, rules: Rules): QueryNames {
  const { known, nameRules } = rules
  const words = query.trim()
  if (words.length > longestQuery) return nothing
  const beginning = () => known.startingWith(words, mostVideos)
  if (words === '') {
    const isTheirs = ({ display }: Name) => Number(languageOfScript(display) === language)
    const popular = beginning().sort((one, other) => isTheirs(other) - isTheirs(one))
    return { ...nothing, others: asksFor(popular, rules) }
  }
  const understood = understand(words, { known, nameRules, language })
  if (understood.kind === 'refused' && ['offensive', 'blocked'].includes(understood.reason)) return nothing
  if (understood.kind === 'several') return { ...nothing, others: asksFor(understood.names, rules) }
  const whole = parseNames([words], nameRules)
  const { typed, likely, options } = meantBy(understood)
  return {
    typed,
    exact: asksFor([...likely, ...[...likely, ...whole].flatMap((name) => [name, ...spellings(name, rules)])], rules),
    others: asksFor([...options, ...beginning()], rules),
  }
}

const nothing: QueryNames = { typed: undefined, exact: [], others: [] }

function meantBy(understood: Understood): { typed: Name | undefined; likely: Name[]; options: readonly Name[] } {
  if (understood.kind === 'name') {
    const { name, twin } = understood
    return { typed: name, likely: twin === undefined ? [name] : [name, twin], options: [] }
  }
  // What it is near to is known.
  if (understood.kind === 'unsure') {
    const { typed, options } = understood
    return { typed, likely: typed === undefined ? [] : [typed], options: options.filter((name) => name !== typed) }
  }
  return { typed: undefined, likely: [], options: [] }
}

/** More letters е than that has no name. */
const mostLetters = 8

/** The name with each е as ё, and without any ё. */
function spellings({ key }: Name, { nameRules }: Rules): Name[] {
  const places = [...key.matchAll(/е/g)].slice(0, mostLetters).map(({ index }) => index)
  const others = places.map((at) => `${key.slice(0, at)}ё${key.slice(at + 1)}`)
  if (key.includes('ё')) others.push(key.replaceAll('ё', 'е'))
  return parseNames(others, nameRules)
}

/** Names that may be made here, each once. */
function asksFor(names: readonly Name[], rules: Rules): Ask[] {
  const asks = new Map<string, Ask>()
  for (const { display } of names) {
    const parsed = parseName(display, rules.nameRules)
    const asked = parsed.ok ? askFromName(parsed.name, rules) : undefined
    if (asked?.ok === true && !asks.has(askKey(asked.ask))) asks.set(askKey(asked.ask), asked.ask)
  }
  return [...asks.values()]
}
