/** `names`: names out of the database, as a list ready for `warm`. */
import { once } from 'node:events'
import { configOfProcess } from '../config.ts'
import { missedNames, namesInState, type ListedRow } from '../greetings/name-lists.ts'
import { openLog } from '../log.ts'
import { safeCell } from '../names/rejects.ts'
import { exitCode, UsageFault } from './exit.ts'
import { openStore } from './world.ts'

export interface NamesOptions {
  missed?: boolean
  failed?: boolean
  available?: boolean
  pending?: boolean
  template?: string
  limit?: number
  /** milliseconds */
  since?: number
  sandbox?: boolean
  logLevel?: string
}

export async function names(options: NamesOptions): Promise<number> {
  const wanted = (['missed', 'failed', 'available', 'pending'] as const).filter((each) => options[each] === true)
  const [which] = wanted
  if (which === undefined || wanted.length > 1) throw new UsageFault('Say which names, one of --missed, --failed, --available and --pending.')
  if (options.since !== undefined && which !== 'missed') throw new UsageFault('--since goes with --missed.')
  const config = configOfProcess()
  const log = openLog(options.logLevel ?? config.logLevel)
  const store = await openStore({ config, log, sandbox: options.sandbox === true, role: 'names', create: false })
  try {
    const { template, limit } = options
    if (which === 'missed') {
      await write('name,count,say\n')
      const missed = await missedNames(store.db, { template, limit, sinceMs: options.since })
      await write(missed.map(({ name, count, say }) => `${safeCell(name)},${count},${safeCell(say ?? '')}\n`).join(''))
    } else {
      await write('name,say\n')
      for await (const page of namesInState(store.db, which, { template, limit })) await write(page.map(asLine).join(''))
    }
    return exitCode.done
  } finally {
    await store.close()
  }
}

const asLine = ({ name, say }: ListedRow) => `${safeCell(name)},${safeCell(say ?? '')}\n`

async function write(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain')
}
