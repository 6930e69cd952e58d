/** `db start|stop|url`: the embedded server by hand. */
import { configOfProcess } from '../config.ts'
import { serverUrl, startServer, stopServer } from '../db/embedded.ts'
import { openLog } from '../log.ts'
import { exitCode, UsageFault } from '../terminal/exit.ts'
import { openFolder } from '../app/folders.ts'

export async function db(
  verb: 'start' | 'stop' | 'url',
  options: { sandbox?: boolean; logLevel?: string },
): Promise<number> {
  const config = configOfProcess()
  if (config.databaseUrl !== undefined)
    throw new UsageFault('DATABASE_URL is set, so no embedded server is used. Unset it to work with the embedded one.')
  const log = openLog(options.logLevel ?? config.logLevel)
  const home = await openFolder(config, verb === 'start')
  if (verb === 'start') {
    await startServer(home, { log, keepFreeBytes: config.keepFreeBytes })
    process.stdout.write('The embedded PostgreSQL is running. `greetings db stop` ends it.\n')
    return exitCode.done
  }
  if (verb === 'stop') {
    const result = await stopServer(home)
    if (result.outcome === 'in use')
      throw new UsageFault(
        `The server is in use by: ${result.members.join(', ')}. It stops by itself when the last of them ends.`,
      )
    process.stdout.write(
      result.outcome === 'stopped'
        ? 'The embedded PostgreSQL has stopped.\n'
        : 'The embedded PostgreSQL was not running.\n',
    )
    return exitCode.done
  }
  const url = await serverUrl(home, options.sandbox === true ? 'greetings_sandbox' : 'greetings')
  if (url === undefined) throw new UsageFault('The embedded PostgreSQL is not running. `greetings db start` starts it.')
  process.stdout.write(`${url}\n`)
  return exitCode.done
}
