/** What is out of order for a reason outside the assets: shown by `status` and `doctor`, waited for by workers. */
import type { Times } from '../config.ts'
import type { Db } from '../db/database.ts'
import type { Outage } from '../errors.ts'

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
    INSERT INTO "Outage" (step, reason, until)
      VALUES (${step}, ${reason}, now() + ${pauseMs}::float8 * interval '1 millisecond')
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

/**
 * Takes away outages that nobody met any more for some minutes after their next try was due: whoever noted them is
 * gone, or there was nothing to do. A refused token stays: everybody it concerned has ended.
 */
export async function forgetOutages(db: Pick<Db, '$executeRaw'>, { outageMs }: Times): Promise<void> {
  await db.$executeRaw`DELETE FROM "Outage" WHERE step <> 'token'
    AND until < now() - ${20 * outageMs}::float8 * interval '1 millisecond'`
}
