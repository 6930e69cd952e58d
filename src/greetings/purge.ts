/** Removes old requests. The statistics stay: a request is counted when it is finished, see `statistics.ts`. */
import type { Db } from '../db/database.ts'

// Small enough that nobody waits for a batch.
const batch = 5_000

/** How many requests were finished longer ago than this. */
export async function countOldRequests(db: Db, olderThanMs: number): Promise<number> {
  const [row] = await db.$queryRaw<{ count: bigint }[]>`
    SELECT count(*) AS count FROM "UserRequest" WHERE "createdAt" < now() - ${olderThanMs}::float8 * interval '1 millisecond' AND "finishedAt" < now() - ${olderThanMs}::float8 * interval '1 millisecond' AND status <> 'PENDING'`
  return Number(row?.count ?? 0)
}

/** Removes them in batches, until none is left or the signal aborts; returns how many went. */
export async function purgeRequests(db: Db, olderThanMs: number, { signal, onProgress }: { signal: AbortSignal; onProgress: (removed: number) => void }): Promise<number> {
  let total = 0
  while (!signal.aborted) {
    const removed = await db.$executeRaw`
      DELETE FROM "UserRequest" WHERE id IN (
        SELECT id FROM "UserRequest" WHERE "createdAt" < now() - ${olderThanMs}::float8 * interval '1 millisecond' AND "finishedAt" < now() - ${olderThanMs}::float8 * interval '1 millisecond' AND status <> 'PENDING'
        ORDER BY "createdAt" LIMIT ${batch} FOR UPDATE SKIP LOCKED)`
    total += removed
    onProgress(total)
    if (removed < batch) break
  }
  return total
}
