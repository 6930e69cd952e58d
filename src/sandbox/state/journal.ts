/** The journal of a sandbox: one event a line, written before anybody hears of it. */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import type {
  Acquaintance,
  BotRecord,
  FileRecord,
  GroupRecord,
  Membership,
  StoredMessage,
  Update,
  UserRecord,
} from './records.ts'

/** An event: `e` names it. */
export type Event =
  | { e: 'world'; id: string; secret: string }
  | { e: 'token'; token: string; bot: BotRecord }
  | { e: 'token-revoked'; token: string }
  | { e: 'user'; user: UserRecord }
  | { e: 'group'; group: GroupRecord }
  | { e: 'member'; chat: number; bot: number; membership: Membership }
  | { e: 'acquaintance'; bot: number; user: number; state: Acquaintance }
  | { e: 'file'; file: FileRecord }
  | { e: 'message'; chat: string; message: StoredMessage }
  | { e: 'gone'; chat: string; id: number }
  | { e: 'update'; bot: number; update: Update }
  | { e: 'confirmed'; bot: number; before: number }
  | { e: 'setting'; bot: number; name: string; value: unknown }
  | { e: 'ids-forgotten'; bot: number; until: number }

/** Where an event is in the file, bytes. */
export interface Place {
  at: number
  length: number
}

/** Open for the life of a server. `close()` it. */
export class Journal {
  private readonly file: number
  private size = 0

  constructor(path: string) {
    this.file = openSync(path, 'a+')
  }

  close(): void {
    closeSync(this.file)
  }

  /** One `write` each: a kill loses a whole event or none. */
  append(event: Event): Place {
    const line = Buffer.from(`${JSON.stringify(event)}\n`)
    for (let written = 0; written < line.length;) written += writeSync(this.file, line, written)
    const place = { at: this.size, length: line.length }
    this.size += line.length
    return place
  }

  read({ at, length }: Place): Event {
    const line = Buffer.alloc(length)
    readSync(this.file, line, 0, length, at)
    return JSON.parse(line.toString()) as Event
  }

  /** Tells every event from the start. */
  replay(each: (event: Event, place: Place) => void): void {
    const total = fstatSync(this.file).size
    const chunk = Buffer.alloc(1024 * 1024)
    let rest = Buffer.alloc(0)
    let lineStart = 0
    for (let at = 0; at < total;) {
      const read = readSync(this.file, chunk, 0, chunk.length, at)
      if (read === 0) break
      at += read
      let bytes = Buffer.concat([rest, chunk.subarray(0, read)])
      for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10)) {
        const length = end + 1
        each(JSON.parse(bytes.toString('utf8', 0, end)) as Event, { at: lineStart, length })
        lineStart += length
        bytes = bytes.subarray(length)
      }
      rest = Buffer.from(bytes)
    }
    // A line without an end was being written when the server was killed: nobody was told of it.
    if (rest.length > 0) ftruncateSync(this.file, lineStart)
    this.size = lineStart
  }
}
