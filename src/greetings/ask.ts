/**
 * What is asked of the door, and the one way there: text → name → template → ask.
 * The bot, `warm`, `status` and `render` take it.
 */
import { parseName, type Name, type NameRejection, type NameRules } from '../names/name.ts'
import { displayIn, parseNameOrSet } from '../names/set.ts'

/** A name asked for. */
export interface Ask {
  template: string
  key: string
  display: string
  /** how the operator's list wants it spoken */
  say?: string | null
  /** the person wrote е where this name has ё */
  wroteE?: boolean
}

/** Tells asks and assets apart. */
export const askKey = ({ template, key }: { template: string; key: string }) => `${template}\n${key}`

/** The same asks in the one order in which rows are created and locked. */
export const inOrder = (asks: readonly Ask[]) => [...asks].sort((one, other) => (askKey(one) < askKey(other) ? -1 : 1))

/** What an ask needs of a template. */
interface Spoken {
  id: string
  speech?: readonly { language: string }[]
}

/** How names become asks here. */
export interface AskRules<T extends Spoken = Spoken> {
  /** what is a name here */
  nameRules: NameRules
  /** the template that serves the name's script and has all its letters, if any does */
  templateFor(name: Name): T | undefined
}

/** An ask with its template, or why there is none. */
export type AskResult<T> =
  | { ok: true; ask: Ask; template: T }
  | { ok: false; reason: NameRejection }
  | { ok: false; reason: 'no_template'; name: Name }

/** What somebody wrote, as an ask; `together`: several names are one ask. */
export function askFromText<T extends Spoken>(
  text: string,
  rules: AskRules<T>,
  { together = false } = {},
): AskResult<T> {
  const parsed = together ? parseNameOrSet(text, rules.nameRules) : parseName(text, rules.nameRules)
  return parsed.ok ? askFromName(parsed.name, rules) : parsed
}

/** A name that is known to be one, as an ask; `say`: how its list wants it spoken. */
export function askFromName<T extends Spoken>(
  name: Name,
  { templateFor }: Pick<AskRules<T>, 'templateFor'>,
  say?: string | null,
): Exclude<AskResult<T>, { reason: NameRejection }> {
  const template = templateFor(name)
  if (template === undefined) return { ok: false, reason: 'no_template', name }
  const display = displayIn(name, template.speech?.[0]?.language)
  return { ok: true, ask: { template: template.id, key: name.key, display, say }, template }
}
