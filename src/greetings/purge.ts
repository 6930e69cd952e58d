/** Removes old requests, and people of whom no request is left. The statistics stay: a request is counted when it is finished, see `statistics.ts`. */
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

/** How many people would have no request left. */
export async function countPeopleBefore(db: Db, olderThanMs: number): Promise<number> {
  const [row] = await db.$queryRaw<{ count: bigint }[]>`
    SELECT count(*) AS count FROM "User" WHERE NOT EXISTS (
      SELECT 1 FROM "UserRequest" WHERE "userId" = "User".id
        AND NOT ("createdAt" < now() - ${olderThanMs}::float8 * interval '1 millisecond' AND "finishedAt" < now() - ${olderThanMs}::float8 * interval '1 millisecond' AND status <> 'PENDING'))`
  return Number(row?.count ?? 0)
}

/** Removes those who have no request, in batches, until none is left or the signal aborts; returns how many went. */
export async function purgePeople(db: Db, { signal }: { signal: AbortSignal }): Promise<number> {
  let total = 0
  for (let last: bigint | undefined; !signal.aborted; ) {
    const after = last ?? -(2n ** 63n)
    const { seen, removed } = await db.$transaction(async (tx) => {
      // Whoever asks in this moment holds their row and is passed over. Those asked before the lock was ours show in the second look.
      const locked = await tx.$queryRaw<{ id: bigint }[]>`
        SELECT id FROM "User" WHERE id > ${after} AND NOT EXISTS (SELECT 1 FROM "UserRequest" WHERE "userId" = "User".id) ORDER BY id LIMIT ${batch} FOR UPDATE SKIP LOCKED`
      const ids = locked.map(({ id }) => id)
      const removed = await tx.$executeRaw`DELETE FROM "User" WHERE id = ANY(${ids}::bigint[]) AND NOT EXISTS (SELECT 1 FROM "UserRequest" WHERE "userId" = "User".id)`
      return { seen: ids, removed }
    })
    total += removed
    last = seen.at(-1)
    if (seen.length < batch) break
  }
  return total
}
