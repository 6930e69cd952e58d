/** `purge`: removes old requests, and people of whom none is left, and keeps the statistics. */
import { configOfProcess } from '../config.ts'
import { purgeForgottenFiles } from '../greetings/former.ts'
import { endHeld } from '../greetings/held-updates.ts'
import { countOldRequests, countPeopleBefore, purgePeople, purgeRequests } from '../greetings/upkeep/purge.ts'
import { openLog } from '../log.ts'
import { exitCode, UsageFault } from '../terminal/exit.ts'
import { openCount } from '../terminal/progress.ts'
import { listenForStop } from '../terminal/signals.ts'
import { openStore } from '../app/store.ts'

export interface PurgeOptions {
  /** milliseconds; 90 days when left out */
  olderThan?: number
  dryRun: boolean
  sandbox: boolean
  json: boolean
  quiet: boolean
  logLevel?: string
}

const dayMs = 86_400_000
// The last day is read from the requests themselves, for `status` and for the limits a person has.
const youngestMs = 2 * dayMs

export async function purge({
  olderThan = 90 * dayMs,
  dryRun,
  sandbox,
  json,
  quiet,
  logLevel,
}: PurgeOptions): Promise<number> {
  if (olderThan < youngestMs)
    throw new UsageFault('--older-than must be at least 2d: requests of the last day are still needed.')
  const config = configOfProcess()
  const log = openLog(logLevel ?? config.logLevel)
  const stop = listenForStop()
  const store = await openStore({ config, log, sandbox, role: 'purge', create: false })
  const view = openCount({ quiet, label: 'removed' })
  try {
    const requests = dryRun
      ? await countOldRequests(store.db, olderThan)
      : await purgeRequests(store.db, olderThan, { signal: stop.asked, onProgress: (removed) => view.show(removed) })
    const people = dryRun
      ? await countPeopleBefore(store.db, olderThan)
      : await purgePeople(store.db, { signal: stop.asked })
    if (!dryRun) {
      await endHeld(store.db, config.times.heldMs)
      await purgeForgottenFiles(store.db, olderThan)
    }
    view.close()
    if (json) process.stdout.write(`${JSON.stringify({ requests, people, dryRun })}\n`)
    else
      process.stdout.write(
        `${requests} finished ${requests === 1 ? 'request' : 'requests'} and ` +
          `${people} ${people === 1 ? 'person' : 'people'} without any other ` +
          (dryRun ? 'would be removed' : 'removed. The statistics stay') +
          '.\n',
      )
    return stop.code ?? exitCode.done
  } finally {
    view.close()
    await store.close()
    stop.close()
  }
}
