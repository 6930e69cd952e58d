/** How texts of people were understood, by outcome and reason: never the text. */
import type { Times } from '../config.ts'
import type { Db } from '../db/database.ts'
import type { DomainEvent } from '../events.ts'
import { countByHour, keptHourDays } from './hourly-counts.ts'

/** How often something was understood so. */
export interface Understood {
  /** `name`, `unsure`, `several` and `talk`; `refused`; `confirmed` with a tap, which is no text */
  outcome: string
  /** the topic of talk, or why it was refused; null: of no other */
  reason: string | null
  count: number
}

/** How an event counts: outcome and reason. Undefined: nothing was understood in it, or not. */
export function understoodIn(event: DomainEvent): { outcome: string; reason?: string } | undefined {
  if (event.what === 'understood') return event
  return event.what === 'asked' && event.outcome === 'no_name'
    ? { outcome: 'refused', reason: event.reason }
    : undefined
}

/** Counts what this process understands until it is closed. What it refuses is counted elsewhere. */
export function countUnderstood(db: Db, times: Pick<Times, 'leaseRenewMs'>): { close(): Promise<void> } {
  return countByHour(
    times,
    (event) => (event.what === 'understood' ? `${event.outcome} ${event.reason ?? ''}` : undefined),
    (counts) => add(db, counts),
  )
}

/** In one statement and in one order, as refusals are. */
async function add(db: Db, counts: ReadonlyMap<string, number>): Promise<void> {
  const rows = [...counts].map(([kind, count]) => ({ words: kind.split(' '), count }))
  await db.$executeRaw`
    WITH aged AS (
      DELETE FROM "UnderstoodCount" WHERE (hour, outcome, reason) IN (SELECT hour, outcome, reason
        FROM "UnderstoodCount" WHERE hour < now() - ${keptHourDays}::int * interval '1 day' FOR UPDATE SKIP LOCKED)
    )
    INSERT INTO "UnderstoodCount" AS known (hour, outcome, reason, count)
    SELECT date_trunc('hour', now(), 'UTC'), outcome, reason, count
      FROM unnest(${rows.map(({ words }) => words[0] ?? '')}::text[], ${rows.map(({ words }) => words[1] ?? '')}::text[],
        ${rows.map(({ count }) => count)}::int[]) AS given (outcome, reason, count)
      ORDER BY outcome, reason
    ON CONFLICT (hour, outcome, reason) DO UPDATE SET count = known.count + EXCLUDED.count`
}

/** Names that could not be served for other reasons than what was written. */
const limits = ['too_many_waiting', 'too_many_today']
const dayMs = 86_400_000

/** How texts of the last `sinceMs` were understood or refused, to the hour; the most frequent first. */
export async function understoodCounts(db: Db, sinceMs = dayMs): Promise<Understood[]> {
  const rows = await db.$queryRaw<{ outcome: string; reason: string; count: bigint }[]>`
    SELECT outcome, reason, sum(count)::bigint AS count FROM (
      SELECT hour, outcome, reason, count FROM "UnderstoodCount"
      UNION ALL
      SELECT hour, 'refused', reason, count FROM "RefusalCount" WHERE reason <> ALL(${limits}::text[])
    ) AS counted WHERE hour > now() - ${sinceMs}::float8 * interval '1 millisecond'
    GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2`
  return rows.map(({ outcome, reason, count }) => ({
    outcome,
    reason: reason === '' ? null : reason,
    count: Number(count),
  }))
}
