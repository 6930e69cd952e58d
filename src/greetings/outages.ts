/** What is out of order for a reason outside the assets: shown by `status` and `doctor`, waited for by workers. */
import type { Db } from '../db/database.ts'
import type { Outage } from './faults.ts'

/** A step that does not work now. */
export interface OutageRow {
  step: string
  reason: string
  since: Date
  until: Date
}

/** Notes the outage, or that it goes on. */
export async function noteOutage(db: Db, { step, message }: Outage, pauseMs: number): Promise<void> {
  const reason = message.slice(0, 300)
  await db.$executeRaw`
    INSERT INTO "Outage" (step, reason, until) VALUES (${step}, ${reason}, now() + ${pauseMs}::float8 * interval '1 millisecond')
    ON CONFLICT (step) DO UPDATE SET reason = EXCLUDED.reason, until = greatest("Outage".until, EXCLUDED.until)`
}

/** The step works. */
export async function clearOutage(db: Db, steps: readonly string[]): Promise<void> {
  await db.outage.deleteMany({ where: { step: { in: [...steps] } } })
}

/** Outages that were noted and not cleared. */
export async function currentOutages(db: Db): Promise<OutageRow[]> {
  return db.outage.findMany({ orderBy: { since: 'asc' } })
}
