/** Some of the names of a list: the first ones, or the most frequent. */
import { UnreadableFile } from './decode.ts'
import type { DistinctNames } from './distinct-names.ts'
import type { Name } from './name.ts'
import type { Script } from './scripts.ts'
import { nameOfKey } from './set.ts'

/** A distinct name of a list, with what its rows say together. */
export interface NameRow {
  /** where it stands first, counted from 1 */
  line: number
  name: Name
  /** sum over its rows; null when none has a count */
  count: number | null
  gender: string | null
  /** how the voice should say it: the first that is not empty */
  say: string | null
}

/** What of a list is asked for. */
export interface Selecting {
  /** at most this many */
  limit?: number
  /** 0 to 1: the fewest names that make up this share of all children, by the count column, most frequent first */
  coverage?: number
}

/** Some of a list's names. */
export interface Selection {
  size: number
  /** part of all children that have one of these names, 0 to 1; null when the list has no counts */
  share: number | null
  /** The names, in batches of at most `size` (500). May be called again. */
  batches(size?: number): AsyncGenerator<NameRow[]>
}

const beginsCyrillic = /^[\u0400-\u052F]/

/** Sum of the counts of all names; null when none has one. */
export function totalOf(names: DistinctNames): number | null {
  let total: number | null = null
  for (let id = 0; id < names.size; id++) {
    const count = names.count(id)
    if (count !== null) total = (total ?? 0) + count
  }
  return total
}

/** @throws UnreadableFile when coverage is asked of a list without counts */
export function select(
  names: DistinctNames,
  scripts: ReadonlyMap<number, Script>,
  { limit, coverage }: Selecting,
): Selection {
  const total = totalOf(names)
  const all = coverage === undefined ? undefined : fewestCovering(names, coverage, total)
  const size = Math.min(all?.length ?? names.size, limit ?? Infinity)
  const idAt = (place: number) => all?.[place] ?? place
  let covered = 0
  for (let place = 0; place < size; place++) covered += names.count(idAt(place)) ?? 0
  return {
    size,
    share: total === null || total === 0 ? null : covered / total,
    async *batches(batchSize = 500) {
      for (let begin = 0; begin < size; begin += batchSize) {
        const batch: NameRow[] = []
        for (let place = begin; place < Math.min(begin + batchSize, size); place++)
          batch.push(rowOf(names, scripts, idAt(place)))
        yield batch
      }
    },
  }
}

/** Ids, most frequent first, in file order where counts are equal. */
function fewestCovering(names: DistinctNames, share: number, total: number | null): Uint32Array {
  if (total === null || total === 0)
    throw new UnreadableFile('--coverage needs to know how frequent the names are: add a column “count” to the list.')
  const ids = Uint32Array.from({ length: names.size }, (_, id) => id)
  ids.sort((a, b) => (names.count(b) ?? 0) - (names.count(a) ?? 0) || a - b)
  let covered = 0
  let chosen = 0
  // A share is a decimal fraction that binary numbers only come close to.
  while (chosen < ids.length && covered < share * total - total * 1e-12) covered += names.count(ids[chosen++] ?? 0) ?? 0
  return ids.subarray(0, chosen)
}

function rowOf(names: DistinctNames, scripts: ReadonlyMap<number, Script>, id: number): NameRow {
  const { key, ...details } = names.get(id)
  const script = scripts.get(id) ?? (beginsCyrillic.test(key) ? 'Cyrillic' : 'Latin')
  return { ...details, name: nameOfKey(key, script) }
}
