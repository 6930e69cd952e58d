/** `cancel`: takes back queued warm work that nobody waits for. */
import { configOfProcess } from '../config.ts'
import { takeBack } from '../greetings/take-back.ts'
import { openLog } from '../log.ts'
import { readNames } from '../names/csv.ts'
import { exitCode, UsageFault } from './exit.ts'
import { openStore } from './world.ts'

export interface CancelOptions {
  all?: boolean
  sandbox?: boolean
  json?: boolean
  column?: string
  delimiter?: string
  encoding?: string
  logLevel?: string
}

export async function cancel(files: string[], options: CancelOptions): Promise<number> {
  if ((files.length === 0) === (options.all !== true)) throw new UsageFault('Name the files whose names are taken back, or say --all.')
  const config = configOfProcess()
  const log = openLog(options.logLevel ?? config.logLevel)
  const list = options.all === true ? undefined : await readNames(files, options)
  const store = await openStore({ config, log, sandbox: options.sandbox === true, role: 'cancel', create: false })
  try {
    let cancelled = 0
    if (list === undefined) cancelled = await takeBack(store)
    else for await (const names of list.select().batches(1_000)) cancelled += await takeBack(store, names.map(({ name }) => name.key))
    process.stdout.write(options.json === true ? `${JSON.stringify({ cancelled })}\n` : `${cancelled} queued ${cancelled === 1 ? 'name' : 'names'} taken back. What is being rendered goes on.\n`)
    return exitCode.done
  } finally {
    await store.close()
  }
}
