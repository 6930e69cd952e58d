/** `retry`: queues what was given up again. */
import { configOfProcess } from '../config.ts'
import { retryFailed } from '../greetings/upkeep/retry.ts'
import { openLog } from '../log.ts'
import { exitCode } from '../terminal/exit.ts'
import { givenNames, type GivenNamesOptions } from '../terminal/name-arguments.ts'
import { openStore } from '../app/store.ts'

export async function retry(given: string[], options: GivenNamesOptions): Promise<number> {
  const config = configOfProcess()
  const log = openLog(options.logLevel ?? config.logLevel)
  const names = await givenNames(given, options, config)
  const store = await openStore({ config, log, sandbox: options.sandbox, role: 'retry', create: false })
  try {
    let retried = 0
    for await (const keys of names(store.db)) retried += await retryFailed(store, keys)
    if (options.json) process.stdout.write(`${JSON.stringify({ retried })}\n`)
    else
      process.stdout.write(
        `${retried} failed ${retried === 1 ? 'name' : 'names'} queued again.` +
          (retried > 0 ? ' A running worker makes them: greetings worker, or up.' : '') +
          '\n',
      )
    return exitCode.done
  } finally {
    await store.close()
  }
}
