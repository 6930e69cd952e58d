/**
 * Flood control, shared by every process of a bot through the database. A bucket is one row; taking a ticket
 * is one UPDATE (generic cell rate algorithm: the row keeps the moment at which the bucket would be full
 * again). Direct answers to people take no ticket; only bulk does: fan-out and uploads.
 */
import type { Db } from '../db/database.ts'

/** How fast a bucket lets through. */
export interface Rate {
  /** tickets a minute */
  perMinute: number
  /** tickets that may be taken at once after a rest */
  burst: number
}

/** Telegram lets a bot send about 30 messages a second in bulk. */
export const bulkRate: Rate = { perMinute: 1_800, burst: 30 }

/** A ticket from one of the buckets, or how long to wait before asking again. */
export type Ticket = { key: string } | { waitMs: number }

/** Takes a ticket from whichever of the buckets is free soonest. */
export async function takeTicket(db: Db, keys: readonly string[], { perMinute, burst }: Rate): Promise<Ticket> {
  const spacingMs = 60_000 / perMinute
  const toleranceMs = spacingMs * (burst - 1)
  const all = keys as string[]
  const taken = await db.$queryRaw<{ key: string }[]>`
    UPDATE "FloodBucket" AS bucket
    SET "nextAt" = greatest(bucket."nextAt", now()) + ${spacingMs}::float8 * (CASE WHEN bucket."halvedUntil" > now() THEN 2 ELSE 1 END) * interval '1 millisecond'
    WHERE bucket.key = (
      SELECT key FROM "FloodBucket"
      WHERE key = ANY(${all}) AND ("restUntil" IS NULL OR "restUntil" <= now()) AND "nextAt" <= now() + ${toleranceMs}::float8 * interval '1 millisecond'
      ORDER BY "nextAt" LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING bucket.key`
  if (taken[0] !== undefined) return { key: taken[0].key }
  const missing = await db.$executeRaw`INSERT INTO "FloodBucket" (key) SELECT * FROM unnest(${all}::text[]) ON CONFLICT DO NOTHING`
  if (missing > 0) return takeTicket(db, keys, { perMinute, burst })
  const [soonest] = await db.$queryRaw<{ waitMs: number }[]>`
    SELECT min(greatest(extract(epoch FROM "nextAt" - now()) * 1000 - ${toleranceMs}::float8, extract(epoch FROM coalesce("restUntil", now()) - now()) * 1000))::float8 AS "waitMs"
    FROM "FloodBucket" WHERE key = ANY(${all})`
  return { waitMs: Math.max(5, Math.ceil(soonest?.waitMs ?? 1_000)) }
}

/** Telegram asked for rest. A channel goes on at half its rate for ten minutes after it. */
export async function rest(db: Db, key: string, restMs: number, halvedMs = 600_000): Promise<void> {
  await db.$executeRaw`
    INSERT INTO "FloodBucket" (key, "restUntil", "halvedUntil")
    VALUES (${key}, now() + ${restMs}::float8 * interval '1 millisecond', now() + ${restMs + halvedMs}::float8 * interval '1 millisecond')
    ON CONFLICT (key) DO UPDATE SET "restUntil" = greatest("FloodBucket"."restUntil", EXCLUDED."restUntil"), "halvedUntil" = EXCLUDED."halvedUntil"`
}
