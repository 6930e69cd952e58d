/** `cancel`: takes back queued warm work that nobody waits for. */
import { configOfProcess } from '../config.ts'
import { takeBack } from '../greetings/upkeep/cancel.ts'
import { openLog } from '../log.ts'
import { exitCode } from '../terminal/exit.ts'
import { givenNames, type GivenNamesOptions } from '../terminal/name-arguments.ts'
import { openStore } from '../app/store.ts'

export async function cancel(given: string[], options: GivenNamesOptions): Promise<number> {
  const config = configOfProcess()
  const log = openLog(options.logLevel ?? config.logLevel)
  const names = await givenNames(given, options, config, { anyWord: true })
  const store = await openStore({ config, log, sandbox: options.sandbox, role: 'cancel', create: false })
  try {
    let cancelled = 0
    for await (const keys of names(store.db)) cancelled += await takeBack(store, keys)
    process.stdout.write(
      options.json
        ? `${JSON.stringify({ cancelled })}\n`
        : `${cancelled} queued ${cancelled === 1 ? 'name' : 'names'} taken back. What is being rendered goes on.\n`,
    )
    return exitCode.done
  } finally {
    await store.close()
  }
}
