/** Makes work again of what was given up. */
import type { Db } from '../db/database.ts'
import type { GreetingsQueue, Job } from '../queue/index.ts'
import { markQueued } from './request.ts'

const batch = 1_000

/** Queues FAILED assets again, those of these keys or all; the cool-down counts no more. Returns how many. */
export async function retryFailed(
  { db, queue }: { db: Db; queue: GreetingsQueue },
  keys?: readonly string[],
): Promise<number> {
  const everything = keys === undefined
  const some = (keys ?? []) as string[]
  let total = 0
  for (;;) {
    const jobs = await db.$queryRaw<Job[]>`
      UPDATE "VideoAsset" SET status = 'PENDING', generation = generation + 1, attempts = 0, "queuedAt" = NULL, "retryAfter" = NULL, "leaseOwner" = NULL, "leaseUntil" = NULL, "updatedAt" = now()
      WHERE id IN (SELECT id FROM "VideoAsset" WHERE status = 'FAILED' AND (${everything} OR name = ANY(${some}::text[])) LIMIT ${batch} FOR UPDATE)
      RETURNING id AS "assetId", generation`
    await queue.add('warm', jobs)
    await markQueued(
      db,
      jobs.map(({ assetId }) => assetId),
    )
    total += jobs.length
    if (jobs.length < batch) return total
  }
}
