/**
 * Lists of names: every row of every input is read, judged and counted before the first name is handed out, so a
 * fault in the last row leaves nothing half done. One pass is enough, because what is kept of a distinct name is
 * exact and small; standard input therefore needs no copy on disk.
 */
import { countFrom, genderFrom, sayFrom } from './cells.ts'
import { chooseColumns, type ColumnOptions, type Columns, isBlank, type Row, rowsNeeded } from './columns.ts'
import { delimiterFrom, recordsOf } from './csv.ts'
import { textOf, UnreadableFile } from './decode.ts'
import { distinctNames, type DistinctNames } from './distinct-names.ts'
import { openFile, refuseOverwriting } from './input.ts'
import { type Name, type NameRejection, type NameRules, type ParsedName, parseName } from './name.ts'
import { excerpt, type Reject, writeRejects } from './rejects.ts'
import type { Script } from './scripts.ts'
import { select, type Selecting, type Selection, totalOf } from './selection.ts'
import { parseNameOrSet } from './set.ts'

/** How lists are to be read. */
export interface CsvOptions extends ColumnOptions, NameRules {
  /** one character, or `tab` */
  delimiter?: string
  /** any label that `TextDecoder` knows */
  encoding?: string
  /** a row with several names is one video for all of them */
  together?: boolean
  /** a file for the report on rejected rows */
  rejects?: string
  /** what `-` reads; the process's own when left out */
  stdin?: AsyncIterable<Uint8Array>
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

const keptRejects = 100

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
  const scripts = new Map<number, Script>()
  const list = nothingRead()
  const report = options.rejects === undefined ? undefined : await writeRejects(options.rejects, inputs.length > 1)
  const reading: Reading = { options, names, scripts, list, report }
  try {
    for (const file of inputs) await readOne(reading, file, delimiter)
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

/** Lists that are being read. */
interface Reading {
  options: CsvOptions
  names: DistinctNames
  /** ids of names in extra scripts; the others' scripts show in their first letters */
  scripts: Map<number, Script>
  /** what was read so far */
  list: ReturnType<typeof nothingRead>
  report: Awaited<ReturnType<typeof writeRejects>> | undefined
}

function nothingRead() {
  return {
    rows: 0,
    blank: 0,
    rejected: 0,
    duplicates: 0,
    rejectedBy: {} as NameList['rejectedBy'],
    rejects: [] as Reject[],
    lists: [] as ListedColumn[],
    unreadable: { count: none(), say: none() },
  }
}

async function readOne(reading: Reading, file: string, delimiter: string | undefined): Promise<void> {
  const { options, list } = reading
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
  for await (const row of rows) {
    list.rows++
    if (isBlank(row.cells)) {
      list.blank++
      continue
    }
    const cell = row.cells[columns.name] ?? ''
    const parsed = nameOf(row.cells, columns, options)
    if (parsed.ok) take(reading, listed, columns, row, parsed.name)
    else {
      const shown = cell.trim() === '' || parsed.reason === 'several_names' ? row.cells.join(', ') : cell
      await refuse(reading, file, row.line, parsed.reason, shown)
    }
  }
}

function take({ names, scripts, list }: Reading, listed: ListedColumn, columns: Columns, row: Row, name: Name): void {
  const { line, cells } = row
  const { key, display, script } = name
  const count = countFrom(cells[columns.count ?? -1])
  const say = sayFrom(cells[columns.say ?? -1])
  if (count === undefined) note(list.unreadable.count, line)
  if (say === undefined) note(list.unreadable.say, line)
  const gender = genderFrom(cells[columns.gender ?? -1])
  const isNew = names.add(key, { line, count: count ?? null, gender, say: say ?? null })
  if (listed.names.length < shownNames && !listed.names.includes(display)) listed.names.push(display)
  if (!isNew) list.duplicates++
  else if (script !== 'Cyrillic' && script !== 'Latin') scripts.set(names.size - 1, script)
}

async function refuse({ list, report }: Reading, file: string, line: number, reason: NameRejection, text: string) {
  const reject = { file, line, reason, text: excerpt(text) }
  list.rejected++
  list.rejectedBy[reason] = (list.rejectedBy[reason] ?? 0) + 1
  if (list.rejects.length < keptRejects) list.rejects.push(reject)
  await report?.write(reject)
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

function nameOf(cells: string[], columns: Columns, options: CsvOptions): ParsedName {
  const cell = cells[columns.name] ?? ''
  const isCut = isSecondNameBehind(cells, columns)
  if (options.together === true) return parseNameOrSet(isCut ? cells.join(',') : cell, options)
  return isCut ? { ok: false, reason: 'several_names' } : parseName(cell, options)
}

/** "Маша, Петя" in a list of one column: the comma is the writer's, not the file's. */
function isSecondNameBehind(cells: readonly string[], columns: Columns): boolean {
  if (columns.width !== 1 || cells.length === 1) return false
  const second = cells[1] ?? ''
  return /^\s+\p{L}/u.test(second) && parseName(second).ok
}
