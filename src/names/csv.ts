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
import { chooseColumns, isBlank, rowsNeeded, type ColumnOptions, type Columns, type Row } from './columns.ts'
import { textOf, UnreadableFile } from './decode.ts'
import { distinctNames, type DistinctNames } from './distinct-names.ts'
import { displayOf, parseName, type Name, type NameRejection, type NameRules, type Script } from './name.ts'
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
export interface CsvOptions extends ColumnOptions, NameRules {
  /** one character, or `tab` */
  delimiter?: string
  /** any label that `TextDecoder` knows */
  encoding?: string
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

/** The column of an input that was taken for its names. */
export interface ListedColumn {
  /** the input as given */
  file: string
  /** counted from 1 */
  column: number
  /** its header; null when there is none */
  header: string | null
  /** where the header stands */
  headerLine: number | null
  /** the first five, as they are displayed */
  names: string[]
}

/** Cells that could not be used. */
export interface Unreadable {
  rows: number
  /** of the first */
  firstLine: number | null
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
  /** what was taken for the names, an entry for each input */
  lists: ListedColumn[]
  /** rows of names whose count, or whose `say`, says something that cannot be used */
  unreadable: { count: Unreadable; say: Unreadable }
  /** why this is hardly a list of names, in a sentence; undefined when it may well be one */
  doubt: string | undefined
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
const shownNames = 5
/** part of the rows that have to be names in a list of names */
const leastNames = 0.1

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
  const list = {
    rows: 0,
    blank: 0,
    rejected: 0,
    duplicates: 0,
    rejectedBy: {} as NameList['rejectedBy'],
    rejects: [] as Reject[],
    lists: [] as ListedColumn[],
    unreadable: { count: none(), say: none() },
  }
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
    const { columns, rows } = await withColumns(
      recordsOf(textOf(bytes, source, options.encoding), source, delimiter),
      options,
      source,
    )
    const header = columns.header?.cells[columns.name]?.trim()
    const listed: ListedColumn = {
      file,
      column: columns.name + 1,
      header: header === undefined ? null : excerpt(header),
      headerLine: columns.header?.line ?? null,
      names: [],
    }
    list.lists.push(listed)
    for await (const { line, cells } of rows) {
      list.rows++
      if (isBlank(cells)) {
        list.blank++
        continue
      }
      const cell = cells[columns.name] ?? ''
      const parsed = isSecondNameBehind(cells, columns)
        ? ({ ok: false, reason: 'several_names' } as const)
        : parseName(cell, options)
      if (!parsed.ok) {
        await refuse(
          file,
          line,
          parsed.reason,
          cell.trim() === '' || parsed.reason === 'several_names' ? cells.join(', ') : cell,
        )
        continue
      }
      const { key, display, script } = parsed.name
      const count = countFrom(cells[columns.count ?? -1])
      const say = sayFrom(cells[columns.say ?? -1])
      if (count === undefined) note(list.unreadable.count, line)
      if (say === undefined) note(list.unreadable.say, line)
      const isNew = names.add(key, {
        line,
        count: count ?? null,
        gender: genderFrom(cells[columns.gender ?? -1]),
        say: say ?? null,
      })
      if (listed.names.length < shownNames && !listed.names.includes(display)) listed.names.push(display)
      if (!isNew) list.duplicates++
      else if (script !== 'Cyrillic' && script !== 'Latin') scripts.set(names.size - 1, script)
    }
  }

  try {
    for (const file of inputs) await readOne(file)
    await report?.keep()
  } finally {
    await report?.close()
  }
  return {
    ...list,
    distinct: names.size,
    total: totalOf(names),
    doubt: doubtAbout(list),
    select: (selecting = {}) => select(names, scripts, selecting),
  }
}

const none = (): Unreadable => ({ rows: 0, firstLine: null })

function note(unreadable: Unreadable, line: number) {
  unreadable.rows++
  unreadable.firstLine ??= line
}

/** A list whose rows are hardly ever names was read in the wrong way, or is none. One that ends with its header is empty, and means it. */
function doubtAbout({
  rows,
  blank,
  rejected,
  lists,
}: Pick<NameList, 'rows' | 'blank' | 'rejected' | 'lists'>): string | undefined {
  const filled = rows - blank
  const taken = filled - rejected
  if (filled === 0 ? lists.every(({ header }) => header !== null) : taken >= filled * leastNames) return undefined
  const where = lists
    .map(
      ({ file, column, header }) =>
        `column ${column}${header === null ? '' : ` (“${header}”)`} of ${file === '-' ? 'standard input' : file}`,
    )
    .join(', ')
  return `${taken === 0 ? 'Nothing' : `Only ${taken} of ${filled} rows`} in ${where} is a name. Is it the right column? --column takes another one, --header-row and --no-header say where the names begin.`
}

/** Looks at the first rows of a list, and hands out those that follow its header. @throws UnreadableFile when there is nothing in it */
async function withColumns(
  records: AsyncGenerator<Row>,
  options: ColumnOptions,
  source: string,
): Promise<{ columns: Columns; rows: AsyncGenerator<Row> }> {
  const head: Row[] = []
  let moreBlank = 0
  let columns: Columns | undefined
  try {
    const needed = rowsNeeded(options)
    for (let next = await records.next(); !next.done; next = await records.next()) {
      const row = next.value
      // Nothing can be decided by blank rows, however many there are at the beginning.
      if (head.length >= needed && isBlank(row.cells)) moreBlank++
      else head.push(row)
      if (head.length >= needed && head.some(({ cells }) => !isBlank(cells))) break
    }
    columns = chooseColumns(head, options, source)
    if (columns === undefined) throw new UnreadableFile(`${source} is empty: it needs a name in each row.`)
  } catch (error) {
    await records.return(undefined)
    throw error
  }
  const { skip } = columns
  async function* rows() {
    for (; moreBlank > 0; moreBlank--) yield { line: 0, cells: [] }
    yield* head.filter(({ cells }, place) => place >= skip || isBlank(cells))
    yield* records
  }
  return { columns, rows: rows() }
}

/** "Маша, Петя" in a list of one column: the comma is the writer's, not the file's. */
function isSecondNameBehind(cells: readonly string[], columns: Columns): boolean {
  if (columns.width !== 1 || cells.length === 1) return false
  const second = cells[1] ?? ''
  return /^\s+\p{L}/u.test(second) && parseName(second).ok
}

/** A whole or decimal number, perhaps with blanks between thousands; null for none; undefined for what is no number. */
function countFrom(cell: string | undefined): number | null | undefined {
  const digits = cell?.replace(/[\s\u00A0\u202F_']/g, '') ?? ''
  if (digits === '') return null
  if (/^\d{1,3}(?:,\d{3})+$/.test(digits)) return Number(digits.replaceAll(',', ''))
  return /^\d{1,15}(?:[.,]\d{1,15})?$/.test(digits) ? Number(digits.replace(',', '.')) : undefined
}

function genderFrom(cell: string | undefined): string | null {
  return excerpt(cell?.trim() ?? '').slice(0, 20) || null
}

/** Plain text for the voice; null for none; undefined for what is damaged or longer than any name takes to say. */
function sayFrom(cell: string | undefined): string | null | undefined {
  if (!cell) return null
  const text = cell
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Cs}\p{Default_Ignorable_Code_Point}\s]+/gu, ' ')
    .trim()
  if (text === '') return null
  return text.length > maxSay || text.includes('\uFFFD') ? undefined : text
}

async function* recordsOf(
  text: AsyncGenerator<string>,
  source: string,
  given: string | undefined,
): AsyncGenerator<Row> {
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
        if (cell.length > maxCell) {
          const what = `has a cell of more than ${maxCell.toLocaleString('en')} characters`
          throw cell.includes('\n') ? unclosed(source, row.line, what) : endless(source, row.line, what)
        }
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
    if (error.code === 'CSV_QUOTE_NOT_CLOSED')
      throw unclosed(source, line, 'has a quotation mark that is never closed', error)
    if (error.code === 'CSV_MAX_RECORD_SIZE') {
      const lines: unknown = error.lines
      throw typeof lines === 'number' && lines > line
        ? unclosed(source, line, 'has a row that does not end', error)
        : endless(source, line, 'has a row that does not end', error)
    }
    throw new UnreadableFile(`${source} cannot be read as CSV near line ${line}: ${error.message}`, { cause: error })
  } finally {
    parser.destroy()
    await text.return(undefined)
  }
}

/** No quotation mark is to blame where no line end lies inside. */
function endless(source: string, line: number, what: string, cause?: Error): UnreadableFile {
  return new UnreadableFile(
    `${source} ${what} (line ${line}): that is no list of names, or its columns are separated by something else (--delimiter).`,
    { cause },
  )
}

function unclosed(source: string, line: number, what: string, cause?: Error): UnreadableFile {
  return new UnreadableFile(
    `${source} ${what} (line ${line}): remove the stray quotation mark, or double it inside a quoted cell.`,
    { cause },
  )
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
  if ([...given].length !== 1 || /["\r\n]/.test(given))
    throw new UnreadableFile('--delimiter takes one character, or the word tab.')
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
  if (code === 'ENOENT')
    return new UnreadableFile(`There is no file ${path}: check its name and the folder you are in.`, { cause: error })
  if (code === 'EACCES' || code === 'EPERM')
    return new UnreadableFile(`${path} may not be read: give this user the right to read it.`, { cause: error })
  if (typeof code === 'string')
    return new UnreadableFile(`${path} cannot be read (${code}): check the file and the disk.`, { cause: error })
  return error
}

/** The report must not replace a list. */
async function refuseOverwriting(report: string, inputs: readonly string[]) {
  const real = await realpath(report).catch(() => undefined)
  for (const input of real === undefined ? [] : inputs) {
    if ((await realpath(input).catch(() => undefined)) === real)
      throw new UnreadableFile(`--rejects names ${report}, which is the list itself: name another file.`)
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
  return { ...details, name: { key, display: displayOf(key, script), script } }
}
