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
  return new NameTable()
}

class NameTable implements DistinctNames {
  size = 0
  private readonly texts = textStore()
  private readonly scratch = Buffer.alloc(chunkSize)
  private readonly genders: string[] = []
  // 0 in these is "none"; other values are one more than what they stand for.
  private slots = new Uint32Array(1 << 12) // hash table of ids, at most half full
  private keys = new Uint32Array(1 << 11)
  private lines = new Uint32Array(1 << 11)
  private genderOf = new Uint8Array(1 << 11)
  private says: Uint32Array<ArrayBuffer> | undefined
  private counts: Float64Array<ArrayBuffer> | undefined // -1: none

  add(key: string, details: RowDetails): boolean {
    const length = this.scratch.write(key)
    let slot = hashOf(this.scratch, 0, length) & (this.slots.length - 1)
    for (let found = at(this.slots, slot); found !== 0; found = at(this.slots, slot)) {
      const id = found - 1
      if (this.texts.holds(at(this.keys, id), this.scratch, length)) {
        this.merge(id, details)
        return false
      }
      slot = (slot + 1) & (this.slots.length - 1)
    }
    const id = this.size
    this.slots[slot] = id + 1
    this.keys[id] = this.texts.add(this.scratch, length)
    this.lines[id] = details.line
    this.size++
    if (this.size === this.keys.length) this.grow()
    this.merge(id, details)
    return true
  }

  get(id: number): DistinctName {
    const say = this.says ? at(this.says, id) : 0
    return {
      key: this.texts.read(at(this.keys, id)),
      line: at(this.lines, id),
      count: this.count(id),
      gender: this.genders[at(this.genderOf, id) - 1] ?? null,
      say: say === 0 ? null : this.texts.read(say - 1),
    }
  }

  count(id: number): number | null {
    return this.counts && at(this.counts, id) >= 0 ? at(this.counts, id) : null
  }

  private grow(): void {
    const capacity = this.keys.length * 2
    this.keys = extended(this.keys, new Uint32Array(capacity))
    this.lines = extended(this.lines, new Uint32Array(capacity))
    this.genderOf = extended(this.genderOf, new Uint8Array(capacity))
    this.says &&= extended(this.says, new Uint32Array(capacity))
    this.counts &&= extended(this.counts, new Float64Array(capacity).fill(-1))
    this.slots = new Uint32Array(capacity * 2)
    for (let id = 0; id < this.size; id++) {
      let slot = this.texts.hash(at(this.keys, id)) & (this.slots.length - 1)
      while (at(this.slots, slot) !== 0) slot = (slot + 1) & (this.slots.length - 1)
      this.slots[slot] = id + 1
    }
  }

  private merge(id: number, { count, gender, say }: RowDetails): void {
    if (count !== null) {
      this.counts ??= new Float64Array(this.keys.length).fill(-1)
      this.counts[id] = Math.max(0, at(this.counts, id)) + count
    }
    if (say !== null) {
      this.says ??= new Uint32Array(this.keys.length)
      if (at(this.says, id) === 0) this.says[id] = 1 + this.texts.add(this.scratch, this.scratch.write(say))
    }
    if (gender !== null && at(this.genderOf, id) === 0) {
      const known = this.genders.indexOf(gender)
      if (known >= 0) this.genderOf[id] = known + 1
      else if (this.genders.length < 255) this.genderOf[id] = this.genders.push(gender)
    }
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
