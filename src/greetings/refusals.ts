/**
 * Which texts of people were not served, by reason. Counted as it is told, and written down every
 * few seconds: a flood of nonsense costs one row.
 */
import type { Times } from '../config.ts'
import type { Db } from '../db/database.ts'
import { listen } from '../events.ts'

const keptDays = 30

/** How often a reason was given. */
export interface Refusals {
  reason: string
  count: number
}

/**
 * Counts what this process refuses until it is closed; what was counted is
 * written down then at the latest. Never throws.
 */
export function countRefusals(db: Db, { leaseRenewMs }: Pick<Times, 'leaseRenewMs'>): { close(): Promise<void> } {
  let counts = new Map<string, number>()
  const count = (reason: string, times = 1) => void counts.set(reason, (counts.get(reason) ?? 0) + times)
  const ignore = listen((event) => {
    if (event.what !== 'asked') return
    if (event.outcome === 'no_name') count(event.reason)
    else if (event.outcome === 'too_many_waiting' || event.outcome === 'too_many_today') count(event.outcome)
  })
  async function write(): Promise<void> {
    if (counts.size === 0) return
    const taken = counts
    counts = new Map()
    try {
      await add(db, taken)
    } catch {
      // The database is away: they are told with the next.
      for (const [reason, times] of taken) count(reason, times)
    }
  }
  let underWay: Promise<void> | undefined
  const timer = setInterval(() => {
    underWay ??= write().finally(() => (underWay = undefined))
  }, leaseRenewMs)
  return {
    async close() {
      clearInterval(timer)
      ignore()
      await underWay
      await write()
    },
  }
}

/**
 * In one statement, so that what is told again was not told before; in one order, so
 * that two processes never wait for each other.
 */

async function add(db: Db, counts: ReadonlyMap<string, number>): Promise<void> {
  await db.$executeRaw`
    WITH aged AS (
      DELETE FROM "RefusalCount" WHERE (hour, reason) IN (SELECT hour, reason FROM "RefusalCount"
        WHERE hour < now() - ${keptDays}::int * interval '1 day' FOR UPDATE SKIP LOCKED)
    )
    INSERT INTO "RefusalCount" AS known (hour, reason, count)
    SELECT date_trunc('hour', now(), 'UTC'), reason, count
      FROM unnest(${[...counts.keys()]}::text[], ${[...counts.values()]}::int[]) AS given (reason, count)
      ORDER BY reason
    ON CONFLICT (hour, reason) DO UPDATE SET count = known.count + EXCLUDED.count`
}

/** Of the last 24 hours, to the hour; the most frequent first. */
export async function refusalsOfDay(db: Db): Promise<Refusals[]> {
  const rows = await db.$queryRaw<{ reason: string; count: bigint }[]>`
    SELECT reason, sum(count)::bigint AS count FROM "RefusalCount" WHERE hour > now() - interval '24 hours' GROUP BY 1
      ORDER BY 2 DESC, 1`
  return rows.map(({ reason, count }) => ({ reason, count: Number(count) }))
}
