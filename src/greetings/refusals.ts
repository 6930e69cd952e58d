/** Which texts of people were not served, by reason. */
import type { Times } from '../config.ts'
import type { Db } from '../db/database.ts'
import { countByHour, keptHourDays } from './hourly-counts.ts'

/** How often a reason was given. */
export interface Refusals {
  reason: string
  count: number
}

/** Counts what this process refuses until it is closed. */
export function countRefusals(db: Db, times: Pick<Times, 'leaseRenewMs'>): { close(): Promise<void> } {
  return countByHour(
    times,
    (event) => {
      if (event.what !== 'asked') return undefined
      if (event.outcome === 'no_name') return event.reason
      return event.outcome === 'too_many_waiting' || event.outcome === 'too_many_today' ? event.outcome : undefined
    },
    (counts) => add(db, counts),
  )
}

/**
 * In one statement, so that what is told again was not told before; in one order, so
 * that two processes never wait for each other.
 */
async function add(db: Db, counts: ReadonlyMap<string, number>): Promise<void> {
  await db.$executeRaw`
    WITH aged AS (
      DELETE FROM "RefusalCount" WHERE (hour, reason) IN (SELECT hour, reason FROM "RefusalCount"
        WHERE hour < now() - ${keptHourDays}::int * interval '1 day' FOR UPDATE SKIP LOCKED)
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
