/** Makes sure that the server runs. Under the lock of the home. */
import { setTimeout as sleep } from 'node:timers/promises'
import { DatabaseUnreachable } from '../errors.ts'
import { preparePostgres } from '../postgres-binaries.ts'
import { ensureData, removeDrafts, type DatabaseLog } from './data.ts'
import { startGuardian } from './guardian.ts'
import { start } from './pg-ctl.ts'
import { logFile, logTail, type Place, readPassword } from './place.ts'
import { settled } from './state.ts'

/** What a command that may have to start the server brings along. */
export interface StartOptions {
  log?: DatabaseLog | undefined
  /** what has to stay free on the disk of the data; the default of that disk when left out */
  keepFreeBytes?: number | undefined
}

/**
 * Starts the server unless it runs, with its guardian before it. @param mayCreate makes the data when there are none
 */
export async function ensureRunning(
  place: Place,
  mayCreate: boolean,
  options: StartOptions,
): Promise<{ port: number; password: string }> {
  for (let attempt = 1; ; attempt++) {
    const seen = await settled(place)
    if (seen !== undefined) return { port: seen, password: await readPassword(place) }
    // A server that was killed leaves its children behind for a moment, and they hold the shared memory.
    if (attempt > 1) await sleep(200 * attempt)
    await removeDrafts(place)
    const programs = await preparePostgres({ inPlace: place.user === undefined, copies: place.copies })
    await ensureData(place, programs, mayCreate, options.log)
    // Before the server, so that there is no moment in which a kill of this process leaves it to nobody.
    startGuardian(place)
    const { ok, output } = await start(place, programs, options.keepFreeBytes)
    if (!ok && attempt >= 5) {
      throw new DatabaseUnreachable(
        `The embedded database does not start. Look at ${logFile(place)}; \`greetings doctor\` checks the ` +
          `rest.\n${output.trim()}${await logTail(place)}`,
      )
    }
  }
}
