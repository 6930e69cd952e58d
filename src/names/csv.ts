/** The rows of a CSV file, as it comes; the only user of csv-parse. */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { CsvError, type Options, parse } from 'csv-parse'
import type { Row } from './columns.ts'
import { UnreadableFile } from './decode.ts'

/** characters of a cell, beyond which a quotation mark is missing */
const maxCell = 10_000

/** bytes of a row: bounds what the parser holds of a quoted cell that never ends */
const maxRow = 1_000_000

/** characters from the beginning by which the delimiter is chosen */
const headSize = 64 * 1024

/** Row by row, each with its line. @throws UnreadableFile */
export async function* recordsOf(
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
    throw error instanceof CsvError ? brokenAt(line, error, source) : error
  } finally {
    parser.destroy()
    await text.return(undefined)
  }
}

/** What the parser found wrong, in words of ours. */
function brokenAt(line: number, error: CsvError, source: string): UnreadableFile {
  if (error.code === 'CSV_QUOTE_NOT_CLOSED')
    return unclosed(source, line, 'has a quotation mark that is never closed', error)
  if (error.code === 'CSV_MAX_RECORD_SIZE') {
    const lines: unknown = error.lines
    return typeof lines === 'number' && lines > line
      ? unclosed(source, line, 'has a row that does not end', error)
      : endless(source, line, 'has a row that does not end', error)
  }
  return new UnreadableFile(`${source} cannot be read as CSV near line ${line}: ${error.message}`, { cause: error })
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

/** As `--delimiter` says it. */
export function delimiterFrom(given: string): string {
  if (/^(?:tab|\\t)$/i.test(given)) return '\t'
  if ([...given].length !== 1 || /["\r\n]/.test(given))
    throw new UnreadableFile('--delimiter takes one character, or the word tab.')
  return given
}
