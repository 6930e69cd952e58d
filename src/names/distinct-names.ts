/**
 * The distinct names of a list, in file order, in little memory: a million names take about 40 MB. JavaScript's own
 * Map of strings would take four times that. Keys are compared in full, so no name is ever lost to a hash collision.
 */

/** bytes of texts kept together; a text never crosses from one chunk to the next */
const chunkSize = 1 << 18

/** Texts one after the other as UTF-8, each behind its length in two bytes. */
function textStore() {
  const chunks: Buffer[] = []
  let free = chunkSize
  return {
    /** @returns where the text is */
    add(bytes: Buffer, length: number): number {
      if (free + 2 + length > chunkSize) {
        chunks.push(Buffer.allocUnsafe(chunkSize))
        free = 0
      }
      const chunk = chunks[chunks.length - 1] as Buffer
      const at = (chunks.length - 1) * chunkSize + free
      chunk.writeUInt16LE(length, free)
      bytes.copy(chunk, free + 2, 0, length)
      free += 2 + length
      return at
    },
    read(at: number): string {
      const chunk = chunks[Math.floor(at / chunkSize)] as Buffer
      const start = (at % chunkSize) + 2
      return chunk.toString('utf8', start, start + chunk.readUInt16LE(start - 2))
    },
    hash(at: number): number {
      const chunk = chunks[Math.floor(at / chunkSize)] as Buffer
      const start = (at % chunkSize) + 2
      return hashOf(chunk, start, chunk.readUInt16LE(start - 2))
    },
    holds(at: number, bytes: Buffer, length: number): boolean {
      const chunk = chunks[Math.floor(at / chunkSize)] as Buffer
      const start = (at % chunkSize) + 2
      if (chunk.readUInt16LE(start - 2) !== length) return false
      for (let i = 0; i < length; i++) if (chunk[start + i] !== bytes[i]) return false
      return true
    },
  }
}

/** What one row says beside the name. */
export interface RowDetails {
  line: number
  count: number | null
  gender: string | null
  say: string | null
}

/** What all rows of one name say together: counts added, the first `say` and gender, the line of the first row. */
export type DistinctName = RowDetails & { key: string }

/** Names by number: 0 is the first in file order. */
export interface DistinctNames {
  /** @returns whether the key was new */
  add(key: string, details: RowDetails): boolean
  get(id: number): DistinctName
  /** sum of the counts of that name's rows, null when none had one */
  count(id: number): number | null
  readonly size: number
}

export function distinctNames(): DistinctNames {
  const texts = textStore()
  const scratch = Buffer.alloc(chunkSize)
  const genders: string[] = []
  let size = 0
  // 0 in these is "none"; other values are one more than what they stand for.
  let slots = new Uint32Array(1 << 12) // hash table of ids, at most half full
  let keys = new Uint32Array(1 << 11)
  let lines = new Uint32Array(1 << 11)
  let genderOf = new Uint8Array(1 << 11)
  let says: Uint32Array | undefined
  let counts: Float64Array | undefined // -1: none

  function grow() {
    const capacity = keys.length * 2
    keys = extended(keys, new Uint32Array(capacity))
    lines = extended(lines, new Uint32Array(capacity))
    genderOf = extended(genderOf, new Uint8Array(capacity))
    says &&= extended(says, new Uint32Array(capacity))
    counts &&= extended(counts, new Float64Array(capacity).fill(-1))
    slots = new Uint32Array(capacity * 2)
    for (let id = 0; id < size; id++) {
      let slot = texts.hash(at(keys, id)) & (slots.length - 1)
      while (at(slots, slot) !== 0) slot = (slot + 1) & (slots.length - 1)
      slots[slot] = id + 1
    }
  }

  function merge(id: number, { count, gender, say }: RowDetails) {
    if (count !== null) {
      counts ??= new Float64Array(keys.length).fill(-1)
      counts[id] = Math.max(0, at(counts, id)) + count
    }
    if (say !== null) {
      says ??= new Uint32Array(keys.length)
      if (at(says, id) === 0) says[id] = 1 + texts.add(scratch, scratch.write(say))
    }
    if (gender !== null && at(genderOf, id) === 0) {
      const known = genders.indexOf(gender)
      if (known >= 0) genderOf[id] = known + 1
      else if (genders.length < 255) genderOf[id] = genders.push(gender)
    }
  }

  const countOf = (id: number) => (counts && at(counts, id) >= 0 ? at(counts, id) : null)

  return {
    get size() {
      return size
    },
    add(key, details) {
      const length = scratch.write(key)
      let slot = hashOf(scratch, 0, length) & (slots.length - 1)
      for (let found = at(slots, slot); found !== 0; slot = (slot + 1) & (slots.length - 1), found = at(slots, slot)) {
        const id = found - 1
        if (texts.holds(at(keys, id), scratch, length)) {
          merge(id, details)
          return false
        }
      }
      const id = size
      slots[slot] = id + 1
      keys[id] = texts.add(scratch, length)
      lines[id] = details.line
      size++
      if (size === keys.length) grow()
      merge(id, details)
      return true
    },
    get(id) {
      const say = says ? at(says, id) : 0
      return {
        key: texts.read(at(keys, id)),
        line: at(lines, id),
        count: countOf(id),
        gender: genders[at(genderOf, id) - 1] ?? null,
        say: say === 0 ? null : texts.read(say - 1),
      }
    },
    count: countOf,
  }
}

function at(numbers: Uint32Array | Uint8Array | Float64Array, place: number): number {
  return numbers[place] ?? 0
}

function extended<T extends Uint32Array | Uint8Array | Float64Array>(from: T, to: T): T {
  to.set(from)
  return to
}

/** FNV-1a with a last mix, because only the low bits choose a slot. */
function hashOf(bytes: Buffer, start: number, length: number): number {
  let hash = 0x811c9dc5
  for (let i = start; i < start + length; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (hash ^ (hash >>> 13)) >>> 0
}
