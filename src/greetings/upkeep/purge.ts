/**
 * Removes old requests, and people of whom no request is left. The statistics stay: a request is
 * counted when it is finished, see `statistics.ts`.
 */
import type { Db } from '../../db/database.ts'
import { removeOld } from '../requests.ts'

// Small enough that nobody waits for a batch.
const batch = 5_000

/** How many requests were finished longer ago than this. */
export async function countOldRequests(db: Db, olderThanMs: number): Promise<number> {
  const [row] = await db.$queryRaw<{ count: bigint }[]>`
    SELECT count(*) AS count FROM "UserRequest"
      WHERE "createdAt" < now() - ${olderThanMs}::float8 * interval '1 millisecond'
      AND "finishedAt" < now() - ${olderThanMs}::float8 * interval '1 millisecond' AND status <> 'PENDING'`
  return Number(row?.count ?? 0)
}

/** Removes them in batches, until none is left or the signal aborts; returns how many went. */
export async function purgeRequests(
  db: Db,
  olderThanMs: number,
  { signal, onProgress }: { signal: AbortSignal; onProgress: (removed: number) => void },
): Promise<number> {
  let total = 0
  while (!signal.aborted) {
    const removed = await removeOld(db, olderThanMs, batch)
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
        AND NOT ("createdAt" < now() - ${olderThanMs}::float8 * interval '1 millisecond'
          AND "finishedAt" < now() - ${olderThanMs}::float8 * interval '1 millisecond' AND status <> 'PENDING'))`
  return Number(row?.count ?? 0)
}

/** Removes those who have no request, in batches, until none is left or the signal aborts; returns how many went. */
export async function purgePeople(db: Db, { signal }: { signal: AbortSignal }): Promise<number> {
  let total = 0
  for (let last = -(2n ** 63n); !signal.aborted;) {
    const page = await db.$queryRaw<
      { id: bigint }[]
    >`SELECT id FROM "User" WHERE id > ${last} ORDER BY id LIMIT ${batch}`
    const ids = page.map(({ id }) => id)
    total += await db.$transaction(
      async (tx) => {
        // Whoever asks in this moment holds their row and is passed over. Those asked
        // before the lock was ours show in the second look.
        const locked = await tx.$queryRaw<{ id: bigint }[]>`
          SELECT id FROM "User" WHERE id = ANY(${ids}::bigint[]) AND NOT EXISTS (SELECT 1 FROM "UserRequest"
            WHERE "userId" = "User".id) FOR UPDATE SKIP LOCKED`
        return tx.$executeRaw`DELETE FROM "User" WHERE id = ANY(${locked.map(({ id }) => id)}::bigint[])
          AND NOT EXISTS (SELECT 1 FROM "UserRequest" WHERE "userId" = "User".id)`
      },
      { timeout: 60_000, maxWait: 15_000 },
    )
    last = ids.at(-1) ?? last
    if (ids.length < batch) break
  }
  return total
}
