/** The report on rows that were not taken: CSV that is safe to open in a spreadsheet. */
import { UnreadableFile } from './decode.ts'
import { describeRejection } from './explanations.ts'
import type { NameRejection } from './name.ts'
import { replacing } from '../replacing.ts'

/** A row that holds no name. */
export interface Reject {
  /** the input it is in, as given: a path, or `-` */
  file: string
  /** where the row begins, counted from 1 */
  line: number
  reason: NameRejection
  /** what the row says, at most 80 characters of it */
  text: string
}

/** Where the rejected rows go while a list is read. */
export interface RejectsReport {
  write(reject: Reject): Promise<void>
  /** Every list was read: the report takes the place of an earlier one. */
  keep(): Promise<void>
  /** Call it once, whatever happened. What was not kept is gone, and an earlier report is as it was. */
  close(): Promise<void>
}

const bufferedCharacters = 64 * 1024

/**
 * Begins a report. It holds what people wrote, so only its owner may read it. With the byte order mark
 * spreadsheets recognise its encoding.
 *
 * @param withFile whether a column says which input a row is from
 * @throws UnreadableFile when the file cannot be written
 */
export async function writeRejects(path: string, withFile: boolean): Promise<RejectsReport> {
  const file = await replacing(path).catch(unwritable)
  let pending = `\uFEFFline,reason,text${withFile ? ',file' : ''},code\n`
  const flush = async () => {
    const text = pending
    pending = ''
    await file.handle.appendFile(text).catch(unwritable)
  }
  function unwritable(error: unknown): never {
    throw new UnreadableFile(
      `${path} cannot be written (${String((error as NodeJS.ErrnoException).code)}): name another file with --rejects.`,
      { cause: error },
    )
  }
  return {
    async write(reject) {
      const cells = [
        String(reject.line),
        describeRejection(reject.reason),
        reject.text,
        ...(withFile ? [reject.file] : []),
        reject.reason,
      ]
      pending += `${cells.map(safeCell).join(',')}\n`
      if (pending.length > bufferedCharacters) await flush()
    },
    async keep() {
      await flush()
      await file.keep().catch(unwritable)
    },
    close: () => file.close(),
  }
}

/**
 * A cell that a spreadsheet shows and does not run: one that begins as a formula does gets an apostrophe before it.
 * Line breaks and control characters become blanks.
 */
export function safeCell(text: string): string {
  const plain = text.replace(/[\p{Cc}\p{Cs}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu, ' ')
  const inert = /^\s*[=+\-@＝＋－＠]/.test(plain) ? `'${plain}` : plain
  return /[",;\t]|^\s|\s$/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert
}

/** At most 80 characters, a surrogate pair never cut in two. */
export function excerpt(text: string): string {
  return [...text.slice(0, 160)].slice(0, 80).join('')
}
