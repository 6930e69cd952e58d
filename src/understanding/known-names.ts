/**
 * The names a person may be shown: the lists that ship, the operator's, and what several people confirmed. Never
 * simply what somebody typed.
 *
 * All of it is in memory, and every lookup takes microseconds with 200,000 names.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { namesFolder } from '../installation.ts'
import { readNames } from '../names/lists.ts'
import type { Name } from '../names/name.ts'
import { withoutYo } from '../names/yo.ts'
import { type Case, declined, nominativesOf } from './declension.ts'
import { misspellings, whatWasDrawnOut } from './misspellings.ts'
import { soundOf } from './transliteration.ts'

/** A name that may be suggested. */
export interface KnownName {
  name: Name
  gender?: 'm' | 'f'
  /** how many children have it, as far as anybody knows; 0 where nobody does */
  count: number
  /** It is in a list that ships with the program, so it is a name before it is anything else. */
  ships?: boolean
}

/** A known name in one of its cases. */
export interface InCase {
  known: KnownName
  case: Case
}

/** Known names that are written like a key. */
export interface Spelled {
  /** letter by letter */
  same?: KnownName
  /** the only difference is a ё that was written е */
  yo?: KnownName
}

/** Names that are less frequent are known, but no typo leads to them. */
const mostSearched = 50_000
/** After this share of new names, it is counted again which are the most frequent, and all are put in order again. */
const fewNew = 0.1
/** For beginnings of up to three letters, this many of the most frequent names are at hand. */
const mostAtHand = 50
const shortBeginning = 3

interface Listed {
  known: KnownName
  /** the key, ё written е */
  folded: string
}

/** The known names, to be looked up in all the ways in which people write them. */
export class KnownNames {
  private readonly byKey = new Map<string, KnownName>()
  /** the key with е → the names with ё */
  private readonly withYo = new Map<string, KnownName>()
  private readonly bySound = new Map<string, KnownName[]>()
  private readonly forms = new Map<string, InCase[]>()
  /** beginning → its most frequent names */
  private readonly atHand = new Map<string, KnownName[]>()
  /** in the order of their spelling */
  private listed: Listed[] = []
  /** those that came since, likewise */
  private fresh: Listed[] = []
  /** how frequent a name must be for a typo to lead to it */
  private leastCount = 0

  /** @param cases how names that ship are declined: rows of a form without ё, a case, and a key */
  constructor(names: Iterable<KnownName> = [], cases: Iterable<readonly [string, Case, string]> = []) {
    this.add(names)
    for (const [form, inCase, key] of cases) {
      const known = this.byKey.get(key)
      if (known) append(this.forms, form, { known, case: inCase })
    }
  }

  get size(): number {
    return this.byKey.size
  }

  /** Adds names while the program runs. One that is known already keeps its place and gets the higher count. */
  add(names: Iterable<KnownName>): void {
    const added: Listed[] = []
    for (const known of names) {
      const { key, script } = known.name
      const former = this.byKey.get(key)
      const entry = former ?? { ...known }
      const folded = withoutYo(key)
      if (former) {
        former.count = Math.max(former.count, known.count)
        former.gender ??= known.gender
        former.ships ||= known.ships
      } else {
        this.byKey.set(key, entry)
        added.push({ known: entry, folded })
        if (folded !== key) this.withYo.set(folded, entry)
        if (script === 'Cyrillic' && this.size <= mostSearched) append(this.bySound, soundOf(key), entry)
      }
      this.putAtHand(folded, entry)
    }
    this.fresh = merged(this.fresh, added.sort(bySpelling))
    if (this.fresh.length <= this.size * fewNew) return
    this.listed = merged(this.listed, this.fresh)
    this.fresh = []
    this.leastCount = leastCountOf(this.listed)
  }

  private putAtHand(folded: string, known: KnownName): void {
    for (let length = 0; length <= Math.min(shortBeginning, folded.length); length++) {
      const beginning = folded.slice(0, length)
      const best = this.atHand.get(beginning)
      if (best) insert(best, known, mostAtHand)
      else this.atHand.set(beginning, [known])
    }
  }

  /** The names that are written so. */
  spelled(key: string): Spelled {
    const same = this.byKey.get(key)
    const yo = key.includes('ё') ? undefined : this.withYo.get(key)
    return { ...(same && { same }), ...(yo && { yo }) }
  }

  /** The names that have this form in one of their cases. The nominative is none of them. */
  inCases(form: string): readonly InCase[] {
    const folded = withoutYo(form)
    const found = this.forms.get(folded) ?? []
    // What does not ship is in no table: it is led back by its ending.
    const others = nominativesOf(folded).flatMap(({ nominative, case: inCase, gender }) => {
      const { same, yo } = this.spelled(nominative)
      const known = yo ?? same
      if (!known || known.ships || (gender && known.gender && gender !== known.gender)) return []
      return declined(known.name.key) ? [{ known, case: inCase }] : []
    })
    return others.length === 0 ? found : [...found, ...others]
  }

  /** Names that begin so, the most frequent first. ё and е are one letter here. */
  startingWith(prefix: string, most: number): Name[] {
    const start = withoutYo(prefix.trim().toLowerCase().normalize('NFC'))
    if (start.length <= shortBeginning && most <= mostAtHand)
      return (this.atHand.get(start) ?? []).slice(0, most).map(({ name }) => name)
    const best: KnownName[] = []
    for (const listed of [this.listed, this.fresh])
      for (let at = firstAt(listed, start); listed[at]?.folded.startsWith(start) === true; at++)
        insert(best, (listed[at] as Listed).known, most)
    return best.map(({ name }) => name)
  }

  /** Names that somebody who mistyped one letter may have meant, the likeliest first. */
  near(key: string, most: number): KnownName[] {
    const found = new Map<KnownName, number>()
    const take = (candidate: string, cost: number) => {
      const known = this.byKey.get(candidate)
      if (known) keepCheapest(found, known, cost)
      const yo = this.withYo.get(candidate)
      if (yo) keepCheapest(found, yo, cost)
    }
    for (const candidate of whatWasDrawnOut(key)) take(candidate, 0)
    misspellings(key, take)
    for (const known of found.keys()) if (known.name.key === key || known.count < this.leastCount) found.delete(known)
    return mostLikely(found, most)
  }

  /** Forms in a case that somebody who mistyped one letter may have meant, the likeliest first. */
  nearForms(form: string, cases: readonly Case[], most: number): KnownName[] {
    const found = new Map<KnownName, number>()
    misspellings(withoutYo(form), (candidate, cost) => {
      for (const { known, case: inCase } of this.forms.get(candidate) ?? [])
        if (cases.includes(inCase)) keepCheapest(found, known, cost)
    })
    return mostLikely(found, most)
  }

  /** Russian names that somebody wrote in Latin letters, the most frequent first. */
  writtenInLatin(key: string, most: number): KnownName[] {
    const best: KnownName[] = []
    for (const known of this.bySound.get(soundOf(key)) ?? []) insert(best, known, most)
    return best
  }
}

/**
 * The names that ship, with their cases, and those of further lists.
 *
 * @param files lists of the operator, read like every list
 * @throws UnreadableFile at the first that is missing or broken
 */
export async function loadShippedNames(files: readonly string[] = []): Promise<KnownNames> {
  const shipped = ['ru.csv', 'en.csv', 'rare.csv'].map((file) => join(namesFolder, file))
  const known = new KnownNames(await namesOf(shipped, true), await shippedCases())
  if (files.length > 0) known.add(await namesOf(files, false))
  return known
}

async function namesOf(files: readonly string[], ships: boolean): Promise<KnownName[]> {
  const names: KnownName[] = []
  for (const file of files) {
    const list = await readNames([file])
    for await (const batch of list.select().batches())
      for (const { name, gender, count } of batch) {
        const sex = genderOf(gender)
        names.push({ name, count: count ?? 0, ships, ...(sex && { gender: sex }) })
      }
  }
  return names
}

function genderOf(cell: string | null): 'm' | 'f' | undefined {
  const first = cell?.charAt(0).toLowerCase() || '?'
  if ('mм'.includes(first)) return 'm'
  return 'fwжд'.includes(first) ? 'f' : undefined
}

async function shippedCases(): Promise<(readonly [string, Case, string])[]> {
  const table = await readFile(join(namesFolder, 'cases-ru.csv'), 'utf8')
  return table
    .trim()
    .split('\n')
    .slice(1)
    .map((row) => row.split(',') as [string, Case, string])
    .map(([form, inCase, name]) => [form, inCase, name.toLowerCase()] as const)
}

function append<T>(map: Map<string, T[]>, key: string, value: T): void {
  const values = map.get(key)
  if (values) values.push(value)
  else map.set(key, [value])
}

const bySpelling = (a: Listed, b: Listed) => (a.folded < b.folded ? -1 : a.folded > b.folded ? 1 : 0)

/** Two sorted lists as one. */
function merged(some: readonly Listed[], others: readonly Listed[]): Listed[] {
  const all: Listed[] = []
  let next = 0
  for (const listed of some) {
    for (let other = others[next]; other && bySpelling(other, listed) < 0; other = others[++next]) all.push(other)
    all.push(listed)
  }
  for (; next < others.length; next++) all.push(others[next] as Listed)
  return all
}

/** The first place whose spelling is not before `start`. */
function firstAt(listed: readonly Listed[], start: string): number {
  let low = 0
  let high = listed.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((listed[middle] as Listed).folded < start) low = middle + 1
    else high = middle
  }
  return low
}

/** Keeps the `most` most frequent, in order. */
function insert(best: KnownName[], known: KnownName, most: number): void {
  if (best.length === most && (best[most - 1]?.count ?? 0) >= known.count) return
  const former = best.indexOf(known)
  if (former >= 0) best.splice(former, 1)
  let place = best.length
  while (place > 0 && (best[place - 1] as KnownName).count < known.count) place--
  best.splice(place, 0, known)
  if (best.length > most) best.pop()
}

function keepCheapest(found: Map<KnownName, number>, known: KnownName, cost: number): void {
  if (cost < (found.get(known) ?? Infinity)) found.set(known, cost)
}

function mostLikely(found: ReadonlyMap<KnownName, number>, most: number): KnownName[] {
  return [...found]
    .sort(([a, cost], [b, otherCost]) => cost - otherCost || b.count - a.count)
    .slice(0, most)
    .map(([known]) => known)
}

function leastCountOf(listed: readonly Listed[]): number {
  if (listed.length <= mostSearched) return 0
  const counts = new Float64Array(listed.length)
  for (let at = 0; at < listed.length; at++) counts[at] = (listed[at] as Listed).known.count
  counts.sort()
  return counts[counts.length - mostSearched] ?? 0
}
