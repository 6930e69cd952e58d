/**
 * Lists of names: every row of every input is read, judged and counted before the first name is handed out, so a
 * fault in the last row leaves nothing half done. One pass is enough, because what is kept of a distinct name is
 * exact and small; standard input therefore needs no copy on disk.
 */
import { createReadStream } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { CsvError, parse, type Options } from 'csv-parse'
import { textOf, UnreadableFile } from './decode.ts'
import { distinctNames, type DistinctNames } from './distinct-names.ts'
import { displayOf, parseName, type Name, type NameRejection, type Script } from './name.ts'
import { excerpt, writeRejects, type Reject } from './rejects.ts'

export { UnreadableFile } from './decode.ts'
export type { Reject } from './rejects.ts'

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

/** How lists are to be read. */
export interface CsvOptions {
  /** a header's text or a 1-based number */
  column?: string
  /** one character, or `tab` */
  delimiter?: string
  /** any label that `TextDecoder` knows */
  encoding?: string
  /** scripts that can be drawn and spoken besides Cyrillic and Latin, see `parseName` */
  extraScripts?: readonly string[]
  /** a file for the report on rejected rows */
  rejects?: string
  /** what `-` reads; the process's own when left out */
  stdin?: AsyncIterable<Uint8Array>
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

/** Lists that were read to their ends. `rows` = `blank` + `rejected` + `duplicates` + `distinct`. */
export interface NameList {
  /** without headers */
  rows: number
  blank: number
  rejected: number
  /** rows whose name an earlier row has */
  duplicates: number
  distinct: number
  /** sum of the count column; null when no row had a count */
  total: number | null
  /** how many rows were rejected for each reason */
  rejectedBy: Partial<Record<NameRejection, number>>
  /** the first 100 */
  rejects: Reject[]
  /**
   * In file order, or by `coverage`.
   * @throws UnreadableFile when coverage is asked of a list without counts
   */
  select(selecting?: Selecting): Selection
}

/** characters of a cell, beyond which a quotation mark is missing */
const maxCell = 10_000
/** bytes of a row: bounds what the parser holds of a quoted cell that never ends */
const maxRow = 1_000_000
/** characters from the beginning by which the delimiter is chosen */
const headSize = 64 * 1024
const keptRejects = 100
const beginsCyrillic = /^[\u0400-\u052F]/
const maxSay = 200

const nameHeaders = new Set(['name', 'names', 'first_name', 'firstname', 'first name', 'given_name', 'given name', 'forename', 'имя', 'имена', 'ім\'я'])
const countHeaders = new Set(['count', 'количество', 'число', 'freq', 'frequency', 'peoplescount'])
const genderHeaders = new Set(['gender', 'пол'])
const sayHeaders = new Set(['say'])

/**
 * Reads lists to their ends.
 *
 * @param inputs paths; `-` is standard input
 * @throws UnreadableFile at the first input that is missing, no list, or broken
 */
export async function readNames(inputs: readonly string[], options: CsvOptions = {}): Promise<NameList> {
  const delimiter = options.delimiter === undefined ? undefined : delimiterFrom(options.delimiter)
  if (options.rejects !== undefined) await refuseOverwriting(options.rejects, inputs)
  const names = distinctNames()
  const scripts = new Map<number, Script>() // ids of names in extra scripts; the others' scripts show in their first letters
  const list = { rows: 0, blank: 0, rejected: 0, duplicates: 0, rejectedBy: {} as NameList['rejectedBy'], rejects: [] as Reject[] }
  const report = options.rejects === undefined ? undefined : await writeRejects(options.rejects, inputs.length > 1)

  async function refuse(file: string, line: number, reason: NameRejection, text: string) {
    const reject = { file, line, reason, text: excerpt(text) }
    list.rejected++
    list.rejectedBy[reason] = (list.rejectedBy[reason] ?? 0) + 1
    if (list.rejects.length < keptRejects) list.rejects.push(reject)
    await report?.write(reject)
  }

  async function readOne(file: string) {
    const source = file === '-' ? 'Standard input' : file
    const bytes = file === '-' ? (options.stdin ?? process.stdin) : await openFile(file)
    let columns: Columns | undefined
    for await (const { line, cells } of recordsOf(textOf(bytes, source, options.encoding), source, delimiter)) {
      const isBlank = cells.every((cell) => cell.trim() === '')
      if (!columns && !isBlank) {
        columns = chooseColumns(cells, options.column, source)
        if (columns.isHeader) continue
      }
      list.rows++
      if (isBlank || !columns) {
        list.blank++
        continue
      }
      const cell = cells[columns.name] ?? ''
      const parsed = isSecondNameBehind(cells, columns) ? ({ ok: false, reason: 'several_names' } as const) : parseName(cell, options)
      if (!parsed.ok) {
        await refuse(file, line, parsed.reason, cell.trim() === '' || parsed.reason === 'several_names' ? cells.join(', ') : cell)
        continue
      }
      const { key, script } = parsed.name
      const isNew = names.add(key, {
        line,
        count: countFrom(cells[columns.count ?? -1]),
        gender: genderFrom(cells[columns.gender ?? -1]),
        say: sayFrom(cells[columns.say ?? -1]),
      })
      if (!isNew) list.duplicates++
      else if (script !== 'Cyrillic' && script !== 'Latin') scripts.set(names.size - 1, script)
    }
    if (!columns) throw new UnreadableFile(`${source} is empty: it needs a name in each row.`)
  }

  try {
    for (const file of inputs) await readOne(file)
  } finally {
    await report?.close()
  }
  return { ...list, distinct: names.size, total: totalOf(names), select: (selecting = {}) => select(names, scripts, selecting) }
}

interface Columns {
  isHeader: boolean
  name: number
  count: number | undefined
  gender: number | undefined
  say: number | undefined
  /** how many cells the first row has */
  width: number
}

/** Decides what the columns are by the first row that is not blank. */
function chooseColumns(first: readonly string[], wanted: string | undefined, source: string): Columns {
  const headers = first.map(headerForm)
  const find = (names: ReadonlySet<string>) => {
    const place = headers.findIndex((header) => names.has(header))
    return place < 0 ? undefined : place
  }
  const byName = find(nameHeaders)
  const byText = wanted === undefined ? -1 : headers.indexOf(headerForm(wanted))
  const byNumber = wanted !== undefined && /^\d+$/.test(wanted.trim()) ? Number(wanted) - 1 : -1
  if (wanted !== undefined && byText < 0) {
    if (byNumber < 0) throw new UnreadableFile(`${source} has no column “${excerpt(wanted)}”: its first row is ${excerpt(first.join(', '))}.`)
    if (byNumber >= first.length) throw new UnreadableFile(`${source} has no column ${byNumber + 1}: its first row has ${first.length}.`)
  }
  const isHeader = byName !== undefined || byText >= 0
  const name = byText >= 0 ? byText : byNumber >= 0 ? byNumber : (byName ?? 0)
  if (!isHeader) return { isHeader, name, count: undefined, gender: undefined, say: undefined, width: first.length }
  return { isHeader, name, count: find(countHeaders), gender: find(genderHeaders), say: find(sayHeaders), width: first.length }
}

function headerForm(cell: string): string {
  return cell.normalize('NFC').trim().toLowerCase().replace(/[’ʼ‘`´]/g, '\'')
}

/** "Маша, Петя" in a list of one column: the comma is the writer's, not the file's. */
function isSecondNameBehind(cells: readonly string[], columns: Columns): boolean {
  if (columns.width !== 1 || cells.length === 1) return false
  const second = cells[1] ?? ''
  return /^\s+\p{L}/u.test(second) && parseName(second).ok
}

/** A whole or decimal number, perhaps with blanks between thousands; anything else counts for nothing. */
function countFrom(cell: string | undefined): number | null {
  const digits = cell?.replace(/[\s\u00A0\u202F_']/g, '') ?? ''
  if (/^\d{1,3}(?:,\d{3})+$/.test(digits)) return Number(digits.replaceAll(',', ''))
  return /^\d{1,15}(?:[.,]\d{1,15})?$/.test(digits) ? Number(digits.replace(',', '.')) : null
}

function genderFrom(cell: string | undefined): string | null {
  return excerpt(cell?.trim() ?? '').slice(0, 20) || null
}

/** Plain text for the voice: no control characters, no damaged ones, not longer than any name takes to say. */
function sayFrom(cell: string | undefined): string | null {
  if (!cell) return null
  const text = cell.normalize('NFC').replace(/[\p{Cc}\p{Cs}\p{Default_Ignorable_Code_Point}\s]+/gu, ' ').trim()
  return text === '' || text.length > maxSay || text.includes('\uFFFD') ? null : text
}

interface Row {
  /** where it begins */
  line: number
  cells: string[]
}

async function* recordsOf(text: AsyncGenerator<string>, source: string, given: string | undefined): AsyncGenerator<Row> {
  let head = ''
  for (let next = await text.next(); !next.done; next = await text.next()) {
    head += next.value
    if (head.length >= headSize) break
  }
  const delimiter = given ?? delimiterOf(head)
  let line = 1
  const options: Options<Row, string[]> = {
    delimiter,
    record_delimiter: '\n',
    relax_quotes: true, // a stray quotation mark spoils its row, not the file
    relax_column_count: true,
    skip_empty_lines: false,
    max_record_size: maxRow,
    // Here and not where the rows arrive, because an error overtakes rows on their way, and it must know its line.
    on_record: (cells: string[]): Row => {
      const row = { line, cells }
      line++
      for (const cell of cells) {
        if (cell.length > maxCell) throw unclosed(source, row.line, `has a cell of more than ${maxCell.toLocaleString('en')} characters`)
        if (!cell.includes('\n')) continue
        // What the parser makes of a cell whose quotation mark met another one in a later row.
        if (cell.startsWith('"')) throw unclosed(source, row.line, 'has a quotation mark without its partner')
        for (let at = cell.indexOf('\n'); at >= 0; at = cell.indexOf('\n', at + 1)) line++
      }
      return row
    },
  }
  const parser = parse(options as unknown as Options) // its types know no rows that `on_record` makes
  async function* all() {
    yield head
    yield* text
  }
  const feeding = pipeline(Readable.from(all()), parser)
  feeding.catch(() => {}) // the loop below throws the same error
  try {
    yield* parser as AsyncIterable<Row>
    await feeding
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    if (error.code === 'CSV_QUOTE_NOT_CLOSED') throw unclosed(source, line, 'has a quotation mark that is never closed', error)
    if (error.code === 'CSV_MAX_RECORD_SIZE') throw unclosed(source, line, 'has a row that does not end', error)
    throw new UnreadableFile(`${source} cannot be read as CSV near line ${line}: ${error.message}`, { cause: error })
  } finally {
    parser.destroy()
    await text.return(undefined)
  }
}

function unclosed(source: string, line: number, what: string, cause?: Error): UnreadableFile {
  return new UnreadableFile(`${source} ${what} (line ${line}): remove the stray quotation mark, or double it inside a quoted cell.`, { cause })
}

/**
 * The delimiter that the first rows have in common. When two fit equally well, it is the rarer one: semicolons come
 * with decimal commas, not the other way round.
 */
export function delimiterOf(head: string): string {
  const rows = rowsOutsideQuotes(head).slice(0, 50)
  let best = { delimiter: ',', score: 0 }
  for (const delimiter of ['\t', ';', ',']) {
    const counts = rows.map((row) => row.split(delimiter).length - 1)
    const usual = mostFrequent(counts.filter((count) => count > 0))
    const score = counts.filter((count) => count === usual).length / rows.length
    if (usual > 0 && score > best.score) best = { delimiter, score }
  }
  return best.delimiter
}

/** Rows that are not blank, without what stands in quotation marks. */
function rowsOutsideQuotes(head: string): string[] {
  const bare = head.replace(/(^|[,;\t\n])"(?:[^"]|"")*(?:"|$)/g, '$1')
  const rows = bare.split('\n')
  if (head.length >= headSize) rows.pop() // it may be cut
  return rows.filter((row) => row.trim() !== '')
}

function mostFrequent(numbers: readonly number[]): number {
  const times = new Map<number, number>()
  for (const number of numbers) times.set(number, (times.get(number) ?? 0) + 1)
  return [...times].sort((a, b) => b[1] - a[1] || b[0] - a[0])[0]?.[0] ?? 0
}

function delimiterFrom(given: string): string {
  if (/^(?:tab|\\t)$/i.test(given)) return '\t'
  if ([...given].length !== 1 || /["\r\n]/.test(given)) throw new UnreadableFile('--delimiter takes one character, or the word tab.')
  return given
}

async function openFile(path: string): Promise<AsyncIterable<Uint8Array>> {
  try {
    if ((await stat(path)).isDirectory()) throw new UnreadableFile(`${path} is a folder: name a file of names in it.`)
  } catch (error) {
    throw cannotRead(path, error)
  }
  return bytesOf(path)
}

async function* bytesOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: 16 * 1024 }) as AsyncIterable<Uint8Array>
  } catch (error) {
    throw cannotRead(path, error)
  }
}

function cannotRead(path: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return new UnreadableFile(`There is no file ${path}: check its name and the folder you are in.`, { cause: error })
  if (code === 'EACCES' || code === 'EPERM') return new UnreadableFile(`${path} may not be read: give this user the right to read it.`, { cause: error })
  if (typeof code === 'string') return new UnreadableFile(`${path} cannot be read (${code}): check the file and the disk.`, { cause: error })
  return error
}

/** The report must not replace a list. */
async function refuseOverwriting(report: string, inputs: readonly string[]) {
  const real = await realpath(report).catch(() => undefined)
  for (const input of real === undefined ? [] : inputs) {
    if ((await realpath(input).catch(() => undefined)) === real) throw new UnreadableFile(`--rejects names ${report}, which is the list itself: name another file.`)
  }
}

function totalOf(names: DistinctNames): number | null {
  let total: number | null = null
  for (let id = 0; id < names.size; id++) {
    const count = names.count(id)
    if (count !== null) total = (total ?? 0) + count
  }
  return total
}

function select(names: DistinctNames, scripts: ReadonlyMap<number, Script>, { limit, coverage }: Selecting): Selection {
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
        for (let place = begin; place < Math.min(begin + batchSize, size); place++) batch.push(rowOf(names, scripts, idAt(place)))
        yield batch
      }
    },
  }
}

/** Ids, most frequent first, in file order where counts are equal. */
function fewestCovering(names: DistinctNames, share: number, total: number | null): Uint32Array {
  if (total === null || total === 0) throw new UnreadableFile('--coverage needs to know how frequent the names are: add a column “count” to the list.')
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
  return { ...details, name: { key, display: displayOf(key, script), script } }
}
