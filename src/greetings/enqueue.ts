/**
 * An asset's way into the queue: its job is added, and then the asset says so.
 * What fails in between the reconciler adds again.
 */
import type { Db } from '../db/database.ts'
import type { GreetingsQueue, Job, Lane } from '../queue/index.ts'
import { markQueued } from './assets.ts'

/** Database and queue. */
export interface Queueing {
  db: Db
  queue: GreetingsQueue
}

/**
 * Adds jobs to a lane, not before `delayMs` from now, and marks their assets as queued. Returns how many were marked.
 * @throws when the queue or the database does not answer; what was added stays
 */
export async function enqueue(
  { db, queue }: Queueing,
  lane: Lane,
  jobs: readonly Job[],
  { delayMs }: { delayMs?: number } = {},
): Promise<number> {
  await queue.add(lane, jobs, { delayMs })
  return markQueued(
    db,
    jobs.map(({ assetId }) => assetId),
  )
}

/**
 * The same for a job that somebody waits for, which may be in a lane behind already.
 * `lockMs`: how long a locked row is waited for.
 */
export async function enqueueFor(
  { db, queue }: Queueing,
  job: Job,
  { lockMs }: { lockMs?: number } = {},
): Promise<void> {
  await queue.promote(job)
  await markQueued(db, [job.assetId], lockMs)
}
