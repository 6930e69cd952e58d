/** `names`: names out of the database, as a list ready for `warm`. */
import { configOfProcess } from '../config.ts'
import { missedNames, namesInState, type ListedRow, type StateRow } from '../greetings/reports/names.ts'
import { ownBot } from '../greetings/own-bot.ts'
import { openLog } from '../log.ts'
import { safeCell } from '../names/rejects.ts'
import { exitCode, UsageFault } from '../terminal/exit.ts'
import { writeOut } from '../terminal/output-file.ts'
import { reportedNames, type ReportedName } from '../greetings/sound-reports.ts'
import { openRecords } from '../app/store.ts'

export interface NamesOptions {
  missed: boolean
  failed: boolean
  available: boolean
  pending: boolean
  reported: boolean
  template?: string
  limit?: number
  /** milliseconds */
  since?: number
  /** also several names that share a video */
  together: boolean
  sandbox: boolean
  json: boolean
  logLevel?: string
}

export async function names(options: NamesOptions): Promise<number> {
  const wanted = (['missed', 'failed', 'available', 'pending', 'reported'] as const).filter((each) => options[each])
  const [which] = wanted
  if (which === undefined || wanted.length > 1)
    throw new UsageFault('Say which names, one of --missed, --failed, --available, --pending and --reported.')
  if (options.since !== undefined && which !== 'missed') throw new UsageFault('--since goes with --missed.')
  const config = configOfProcess()
  const log = openLog(options.logLevel ?? config.logLevel)
  const records = await openRecords({ config, log, sandbox: options.sandbox, role: 'names', create: false })
  try {
    const { template, limit, together: sets } = options
    const bot = await ownBot(records.db, options.sandbox ? undefined : config.token)
    const pages =
      which === 'missed'
        ? onePage(await missedNames(records.db, { template, limit, sinceMs: options.since, sets }))
        : which === 'reported'
          ? onePage(await reportedNames(records.db, { template, limit }))
          : namesInState(records.db, which, { template, limit, botId: bot?.id ?? null, sets })
    await (options.json ? writeJson(pages) : writeCsv(columnsOf[which], pages))
    return exitCode.done
  } finally {
    await records.close()
  }
}

type Row = Partial<StateRow> & ListedRow & { count?: number; wanted?: ReportedName['wanted'] }

const columnsOf = {
  missed: ['name', 'count', 'say'],
  reported: ['name', 'count', 'say', 'wanted'],
  failed: ['name', 'say', 'template', 'reason', 'failedAt'],
  available: ['name', 'say'],
  pending: ['name', 'say'],
} as const

async function* onePage(rows: Row[]): AsyncGenerator<Row[]> {
  yield rows
}

async function writeCsv(columns: readonly string[], pages: AsyncIterable<Row[]>): Promise<void> {
  await writeOut(`${columns.join(',')}\n`)
  for await (const page of pages)
    await writeOut(
      page.map((row) => `${columns.map((column) => cellOf(row[column as keyof Row])).join(',')}\n`).join(''),
    )
}

function cellOf(value: Row[keyof Row]): string {
  if (value === null || value === undefined) return ''
  if (Array.isArray(value)) return safeCell(value.map(({ spelling, count }) => `${spelling} ${count}`).join('; '))
  return value instanceof Date ? value.toISOString() : typeof value === 'number' ? String(value) : safeCell(value)
}

/** One object, however many names there are. */
async function writeJson(pages: AsyncIterable<Row[]>): Promise<void> {
  let before = '{"names":['
  for await (const page of pages) {
    if (page.length === 0) continue
    await writeOut(before + page.map((row) => JSON.stringify(row)).join(','))
    before = ','
  }
  await writeOut(before === ',' ? ']}\n' : `${before}]}\n`)
}
