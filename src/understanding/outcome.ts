/** What a message can mean, and how each meaning is put. */
import type { Name, NameRejection, NameRules } from '../names/name.ts'
import type { KnownNames } from './known-names.ts'
import type { ReadName } from './reading.ts'
import type { Topic } from './topic.ts'

/** What was understood. */
export type Understood =
  /** sure. `twin` is the known name whose only difference is ё: typed Артем, meant Артём */
  | { kind: 'name'; name: Name; twin?: Name }
  /** to be asked about: 1 to 4, the likeliest first. `typed` is one of them, unless it cannot be a name */
  | { kind: 'unsure'; options: readonly Name[]; typed: Name | undefined }
  /** 2 to 10 distinct names; `more` is how many did not fit */
  | { kind: 'several'; names: readonly Name[]; more: number }
  | { kind: 'talk'; topic: Topic }
  | { kind: 'refused'; reason: NameRejection | 'nonsense' }

/** What a message is understood by. */
export interface UnderstandingContext {
  known: KnownNames
  nameRules: NameRules
  /** of the person, as `ru` or `en-GB` */
  language: string
  /** names that a pending question of this chat offers */
  offered?: readonly Name[]
  /** The person meant a name for certain: a command, a deep link, an inline result. Refusals still hold. */
  certain?: boolean
}

const mostOptions = 4
const mostNames = 10

export const talk = (topic: Topic): Understood => ({ kind: 'talk', topic })
export const refused = (reason: NameRejection | 'nonsense'): Understood => ({ kind: 'refused', reason })

/** A question with at most four buttons, the name as typed among them. */
export function unsure(likely: readonly ReadName[], typed: Name | undefined): Understood {
  const names = new Map(likely.map(({ name }) => [name.key, name]))
  if (typed) names.delete(typed.key)
  const others = [...names.values()]
  const place = likely.findIndex(({ name }) => name.key === typed?.key)
  const options = others.slice(0, typed ? mostOptions - 1 : mostOptions)
  if (typed) options.splice(place === -1 ? options.length : place, 0, typed)
  return { kind: 'unsure', options, typed }
}

/** Names without the repeated ones, in the order in which they first stand. */
export function distinctNames(names: readonly Name[]): Name[] {
  return [...new Map(names.map((name) => [name.key, name])).values()]
}

/** Two names or more, which are distinct. */
export function several(names: readonly Name[]): Understood {
  return { kind: 'several', names: names.slice(0, mostNames), more: Math.max(0, names.length - mostNames) }
}
