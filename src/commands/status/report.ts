/** What `status` reports. */
import type { Records } from '../../app/store.ts'
import type { Config } from '../../config.ts'
import type { Db } from '../../db/database.ts'
import { currentOutages } from '../../greetings/outages.ts'
import { coverage, type ListedName } from '../../greetings/reports/coverage.ts'
import { statistics, workload } from '../../greetings/reports/statistics.ts'
import { reportedNames } from '../../greetings/sound-reports.ts'
import { understoodCounts } from '../../greetings/understood.ts'
import { liveBots, liveWorkers } from '../../greetings/workers.ts'
import type { GreetingsQueue, QueueCounts } from '../../queue/index.ts'
import type { Place } from './place.ts'

interface QueueReader {
  /** the counts, or why there are none: everything else is worth telling without them */
  read(): Promise<QueueCounts | { away: string }>
  close(): Promise<void>
}

export function createQueueReader({ openQueue }: Records, { redisUrl }: Config): QueueReader {
  let queue: GreetingsQueue | undefined
  return {
    async read() {
      try {
        return await (queue ??= await openQueue()).counts()
      } catch (error) {
        // In PostgreSQL it goes the way of everything else.
        if (redisUrl === undefined) throw error
        return {
          away: error instanceof Error && error.name === 'QueueUnreachable' ? error.message : 'Redis gives no answer.',
        }
      }
    },
    close: async () => queue?.close().catch(() => undefined),
  }
}

const mostReported = 10

interface Looked {
  config: Config
  revisions: ReadonlyMap<string, string>
  place: Place
  listed: AsyncIterable<ListedName[]> | undefined
}

/** Looks at everything. A queue that is away is told, and nothing is missing but its counts. */
export async function reportOf(db: Db, queue: QueueReader, { config: { times }, revisions, place, listed }: Looked) {
  const botId = place.bot?.id ?? null
  const [numbers, read, workers, bots, outages, { repeatedUploads }, understood, reported] = await Promise.all([
    statistics(db, revisions, botId),
    queue.read(),
    liveWorkers(db, times),
    liveBots(db, times),
    currentOutages(db),
    db.installation.findUniqueOrThrow({ where: { id: 1 } }),
    understoodCounts(db),
    reportedNames(db, { limit: mostReported }),
  ])
  return {
    place,
    numbers,
    queue: 'away' in read ? null : workload(read, numbers.assets),
    unreachable: 'away' in read ? [read.away] : [],
    workers,
    bots,
    repeatedUploads,
    understood,
    reported,
    outages,
    coverage: listed === undefined ? undefined : await coverage(db, botId, listed),
  }
}

export type Report = Awaited<ReturnType<typeof reportOf>>
