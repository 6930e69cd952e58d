/** Several names in one video. */
import { askFromName } from '../greetings/ask.ts'
import { parseName, type Name } from '../names/name.ts'
import { isSet, partsOfDisplay, setOf } from '../names/set.ts'
import type { KnownNames } from '../understanding/known-names.ts'
import { understand } from '../understanding/understand.ts'
import type { GreetingDeps, Wanted } from './greet.ts'

type Deps = Pick<GreetingDeps, 'nameRules' | 'templateFor'> & { known: KnownNames }

/** The names as one, and how that is displayed; undefined: no video can hold all of them. */
export function together(deps: Deps, names: readonly Name[]): { wanted: Wanted; display: string } | undefined {
  const set = setOf(names, deps.nameRules)
  if (!set.ok || !isSet(set.name.key)) return undefined
  const asked = askFromName(set.name, deps)
  if (!asked.ok) return undefined
  // Its parts with their ё where only that is missing.
  const meant = setOf(
    names.map((name) => {
      const { same, yo } = deps.known.spelled(name.key)
      return same?.ships === true ? name : (yo?.name ?? name)
    }),
    deps.nameRules,
  )
  const twin = meant.ok && meant.name.key !== set.name.key ? meant.name : undefined
  return { wanted: { name: set.name, twin }, display: asked.ask.display }
}

/** What the bot wrote into a link for several names in one video; undefined: it is something else. */
export function togetherInLink(deps: Deps, written: string, language: string): Wanted | undefined {
  const names: Name[] = []
  for (const part of partsOfDisplay(written) ?? []) {
    const parsed = parseName(part, deps.nameRules)
    const understood = understand(part, { ...deps, language, certain: true })
    if (!parsed.ok || understood.kind !== 'name') return undefined
    names.push(parsed.name)
  }
  const found = together(deps, names)
  return found?.display === written ? found.wanted : undefined
}
