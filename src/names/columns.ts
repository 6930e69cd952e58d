/** What the columns of a list are, decided by its first rows. */
import { UnreadableFile } from './decode.ts'
import { excerpt } from './rejects.ts'

/** How the columns are to be found; what is left out is found out. */
export interface ColumnOptions {
  /** a header's text or a 1-based number */
  column?: string
  /** the line the header begins in, counted from 1 */
  headerRow?: number
  /** false: there is no header, whatever the first row looks like */
  header?: boolean
}

/** A row of a list. */
export interface Row {
  /** where it begins */
  line: number
  cells: string[]
}

/** Where in a row to look; places are counted from 0. */
export interface Columns {
  name: number
  count: number | undefined
  gender: number | undefined
  say: number | undefined
  /** how many cells the header has, or the first row without one */
  width: number
  /** undefined: there is none */
  header: Row | undefined
  /** of the first rows, how many are above the names: the header, and what stands before it */
  skip: number
}

/** The first rows, among which a header's text is looked for. */
const firstRows = 20

const nameHeaders = new Set([
  'name',
  'names',
  'first_name',
  'firstname',
  'first name',
  'given_name',
  'given name',
  'forename',
  'имя',
  'имена',
  "ім'я",
])
const countHeaders = new Set(['count', 'количество', 'число', 'freq', 'frequency', 'peoplescount'])
const genderHeaders = new Set(['gender', 'пол'])
const sayHeaders = new Set(['say'])

/**
 * @param rows the first of the list, as many as `rowsNeeded` says where there are so many
 * @returns undefined when none of the rows holds anything
 * @throws UnreadableFile when there is no such column or no such header
 */
export function chooseColumns(
  rows: readonly Row[],
  { column, headerRow, header }: ColumnOptions,
  source: string,
): Columns | undefined {
  const filled = rows.filter(({ cells }) => !isBlank(cells))
  const [first] = filled
  if (first === undefined) return undefined
  const width = Math.max(...filled.map(({ cells }) => cells.length))
  const given =
    headerRow === undefined ? (header === false ? undefined : knownHeader(first)) : rowAt(rows, headerRow, source)
  if (column === undefined)
    return columnsOf(given, rows, given?.cells.map(headerForm).findIndex((cell) => nameHeaders.has(cell)) ?? -1, first)

  const text = headerForm(column)
  const inGiven = given?.cells.map(headerForm).indexOf(text) ?? -1
  if (inGiven >= 0) return columnsOf(given, rows, inGiven, first)
  // A number is a place before it is the text of a header nobody recognised: counts are numbers too.
  const place = /^\d{1,6}$/.test(text) ? Number(text) - 1 : -1
  if (place >= 0 && place < width) return columnsOf(given, rows, place, first)
  const found =
    headerRow === undefined && header !== false
      ? filled.find(({ cells }) => cells.map(headerForm).includes(text))
      : undefined
  if (found !== undefined) return columnsOf(found, rows, found.cells.map(headerForm).indexOf(text), first)
  if (place >= 0)
    throw new UnreadableFile(`${source} has no column ${place + 1}: its first row has ${first.cells.length}.`)
  if (header === false)
    throw new UnreadableFile(
      `${source} has no column “${excerpt(column)}” where --no-header says that there is no header: give --column a number.`,
    )
  const where = headerRow === undefined ? `in its first ${firstRows} rows; the first is` : 'in its header:'
  throw new UnreadableFile(
    `${source} has no column “${excerpt(column)}” ${where} ${excerpt((given ?? first).cells.join(', '))}.`,
  )
}

/** How many rows `chooseColumns` wants to see. */
export const rowsNeeded = ({ headerRow }: ColumnOptions) => Math.max(firstRows, headerRow ?? 0)

export const isBlank = (cells: readonly string[]) => cells.every((cell) => cell.trim() === '')

/**
 * The row, when it is a header: one of its cells is a known one. Where that is not the name's, another column has to be
 * left whose cell may be the name's header: a list may begin with Paul, who is “Пол”.
 */
function knownHeader(row: Row): Row | undefined {
  const cells = row.cells.map(headerForm)
  if (cells.some((cell) => nameHeaders.has(cell))) return row
  const other = cells.findIndex((cell) => !isOptional(cell))
  return cells.some(isOptional) && /\p{L}/u.test(cells[other] ?? '') ? row : undefined
}

function rowAt(rows: readonly Row[], line: number, source: string): Row {
  const row = rows.find((one) => one.line === line)
  if (row === undefined || isBlank(row.cells))
    throw new UnreadableFile(
      `${source} has no header in line ${line}, as --header-row says: ${row === undefined ? 'no row begins there' : 'the row is blank'}.`,
    )
  return row
}

function columnsOf(header: Row | undefined, rows: readonly Row[], name: number, first: Row): Columns {
  if (header === undefined)
    return {
      name: Math.max(0, name),
      count: undefined,
      gender: undefined,
      say: undefined,
      width: first.cells.length,
      header,
      skip: 0,
    }
  const cells = header.cells.map(headerForm)
  // The first column that is none of the optional ones.
  const taken =
    name >= 0
      ? name
      : Math.max(
          0,
          cells.findIndex((cell) => !isOptional(cell)),
        )
  const find = (names: ReadonlySet<string>) => {
    const place = cells.findIndex((cell, at) => at !== taken && names.has(cell))
    return place < 0 ? undefined : place
  }
  return {
    name: taken,
    count: find(countHeaders),
    gender: find(genderHeaders),
    say: find(sayHeaders),
    width: cells.length,
    header,
    skip: rows.indexOf(header) + 1,
  }
}

const isOptional = (cell: string) => countHeaders.has(cell) || genderHeaders.has(cell) || sayHeaders.has(cell)

function headerForm(cell: string): string {
  return cell
    .normalize('NFC')
    .trim()
    .toLowerCase()
    .replace(/[’ʼ‘`´]/g, "'")
}
