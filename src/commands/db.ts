/** `db start|stop|url`: the embedded server by hand. */
import { configOfProcess, type Config } from '../config.ts'
import { exitCode, UsageFault } from '../terminal/exit.ts'
import { openFolder } from '../app/folders.ts'

export async function db(
  verb: 'start' | 'stop' | 'url',
  options: { sandbox: boolean; logLevel?: string },
): Promise<number> {
  const config = configOfProcess()
  if (config.databaseUrl !== undefined)
    throw new UsageFault('DATABASE_URL is set, so no embedded server is used. Unset it to work with the embedded one.')
  const home = await openFolder(config, verb === 'start')
  if (verb === 'start') await start(home, config, options.logLevel ?? config.logLevel)
  else if (verb === 'stop') await stop(home)
  else await printUrl(home, options.sandbox ? 'greetings_sandbox' : 'greetings')
  return exitCode.done
}

// Scripts ask for the address often: it loads no client of the database, and no log.

async function start(home: string, config: Config, logLevel: string): Promise<void> {
  const { startServer } = await import('../db/embedded/by-hand.ts')
  const { openLog } = await import('../log.ts')
  await startServer(home, { log: openLog(logLevel), keepFreeBytes: config.keepFreeBytes })
  process.stdout.write('The embedded PostgreSQL is running. `greetings db stop` ends it.\n')
}

async function stop(home: string): Promise<void> {
  const { stopServer } = await import('../db/embedded/by-hand.ts')
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
}

async function printUrl(home: string, database: string): Promise<void> {
  const { serverUrl } = await import('../db/embedded/state.ts')
  const url = await serverUrl(home, database)
  if (url === undefined) throw new UsageFault('The embedded PostgreSQL is not running. `greetings db start` starts it.')
  process.stdout.write(`${url}\n`)
}
