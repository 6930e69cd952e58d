/**
 * Flood control, shared by every process of a bot through the database: one row per bucket. `bulk` and `chat:<id>`
 * are leaky buckets (generic cell rate algorithm: the row keeps the moment at which the bucket would be full again).
 * `channel:<id>` remembers its posts of the last minute, because Telegram refuses the 21st whatever the distance
 * between them was. Direct answers to people take no ticket; only bulk does: fan-out and uploads.
 */
import type { Db } from '../db/database.ts'

/** How fast a bucket lets through, in Telegram's time. */
export interface Rate {
  /** tickets a minute */
  perMinute: number
  /** tickets that may be taken at once after a rest */
  burst: number
}

/** Telegram lets a bot send about 30 messages a second in bulk: so many in any second, burst included. */
export const bulkRate: Rate = { perMinute: 1_500, burst: 5 }

/** One chat takes about one message a second, with a short burst. */
export const chatRate: Rate = { perMinute: 60, burst: 5 }

/** A ticket, or how long to wait before asking again. */
export type Ticket = { key: string } | { waitMs: number }

/** A place for a post, or how long to wait before asking again, and how long every channel is at rest. */
export type PostTicket = { key: string } | { waitMs: number; restMs: number }

/** The row of a storage channel, and of a chat. */
export const channelKey = (chatId: string) => `channel:${chatId}`
export const chatKey = (chatId: bigint) => `chat:${chatId}`
export const bulkKey = 'bulk'

/** What Telegram takes in one channel. */
export const telegramRatePerMinute = 20

/** Takes a ticket from a bucket. `secondMs` is the length of one of Telegram's seconds. */
export async function takeTicket(db: Db, key: string, { perMinute, burst }: Rate, secondMs: number): Promise<Ticket> {
  const spacingMs = (60 * secondMs) / perMinute
  const toleranceMs = spacingMs * (burst - 1)
  const taken = await db.$executeRaw`
    INSERT INTO "FloodBucket" AS bucket (key, "nextAt")
      VALUES (${key}, now() + ${spacingMs}::float8 * interval '1 millisecond')
    ON CONFLICT (key) DO UPDATE
      SET "nextAt" = greatest(bucket."nextAt", now()) + ${spacingMs}::float8 * interval '1 millisecond'
    WHERE (bucket."restUntil" IS NULL OR bucket."restUntil" <= now())
      AND bucket."nextAt" <= now() + ${toleranceMs}::float8 * interval '1 millisecond'`
  if (taken > 0) return { key }
  const [bucket] = await db.$queryRaw<{ waitMs: number }[]>`
    SELECT greatest(extract(epoch FROM "nextAt" - now()) * 1000 - ${toleranceMs}::float8, extract(epoch
      FROM coalesce("restUntil", now()) - now()) * 1000)::float8 AS "waitMs"
    FROM "FloodBucket" WHERE key = ${key}`
  return { waitMs: Math.max(5, Math.ceil(bucket?.waitMs ?? secondMs)) }
}

/**
 * In so many seconds a channel takes its posts of a minute: they reach Telegram a little later than
 * their tickets were taken, some later than others.
 */
export const windowSeconds = 61
// Nobody limits to more than this; where it is set, as in the sandbox, posts need not be remembered.
export const countedPerMinute = 600

/**
 * Takes a place for a post in whichever channel is free soonest. Posts that nobody waits for keep their distance;
 * one that a person waits for goes as soon as the channel's minute has room, and no other goes before it.
 */
export async function reservePost(
  db: Db,
  chatIds: readonly string[],
  { perMinute, wanted, secondMs }: { perMinute: number; wanted: boolean; secondMs: number },
): Promise<PostTicket> {
  const keys = chatIds.map(channelKey)
  const spacingMs = (60 * secondMs) / perMinute
  const windowMs = windowSeconds * secondMs
  const counted = perMinute <= countedPerMinute
  const [taken] = await db.$queryRaw<{ key: string }[]>`
    UPDATE "FloodBucket" AS bucket SET
      "nextAt" = greatest(bucket."nextAt",
        now() - ${spacingMs}::float8 * interval '1 millisecond') + ${spacingMs}::float8 * (CASE
        WHEN bucket."halvedUntil" > now() THEN 2 ELSE 1 END) * interval '1 millisecond',
      posts = CASE WHEN ${counted} THEN ARRAY(SELECT at FROM unnest(bucket.posts) AS at
        WHERE at > now() - ${windowMs}::float8 * interval '1 millisecond') || now() ELSE '{}' END,
      "peopleUntil" = CASE WHEN ${wanted} THEN NULL ELSE bucket."peopleUntil" END
    WHERE bucket.key = (
      SELECT key FROM "FloodBucket"
      WHERE key = ANY(${keys}) AND ("restUntil" IS NULL OR "restUntil" <= now())
        AND (${wanted} OR ("nextAt" <= now() AND coalesce("peopleUntil" <= now(), true)))
        AND (SELECT count(*) FROM unnest(posts) AS at
          WHERE at > now() - ${windowMs}::float8 * interval '1 millisecond') < ${perMinute}::float8 / (CASE
          WHEN "halvedUntil" > now() THEN 2 ELSE 1 END)
      ORDER BY "nextAt" LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING bucket.key`
  if (taken !== undefined) return taken
  const missing =
    await db.$executeRaw`INSERT INTO "FloodBucket" (key) SELECT * FROM unnest(${keys}::text[]) ON CONFLICT DO NOTHING`
  if (missing > 0) return reservePost(db, chatIds, { perMinute, wanted, secondMs })
  // A person asks again within a second: until then the others stand back.
  if (wanted) {
    await db.$executeRaw`
      UPDATE "FloodBucket" SET "peopleUntil" = now() + ${1.5 * secondMs}::float8 * interval '1 millisecond'
      WHERE key IN (SELECT key FROM "FloodBucket" WHERE key = ANY(${keys}) ORDER BY key FOR UPDATE)`
  }
  const [soonest] = await db.$queryRaw<{ waitMs: number; restMs: number }[]>`
    SELECT greatest(0, min(extract(epoch
      FROM coalesce("restUntil", now()) - now())) * 1000)::float8 AS "restMs", min(greatest(
      extract(epoch FROM coalesce("restUntil", now()) - now()) * 1000,
      CASE WHEN ${wanted} THEN 0 ELSE extract(epoch
        FROM greatest("nextAt", coalesce("peopleUntil", now())) - now()) * 1000 END,
      CASE WHEN (SELECT count(*) FROM unnest(posts) AS at
        WHERE at > now() - ${windowMs}::float8 * interval '1 millisecond') < ${perMinute}::float8 / (CASE
        WHEN "halvedUntil" > now() THEN 2 ELSE 1 END) THEN 0
        ELSE extract(epoch FROM (SELECT min(at) FROM unnest(posts) AS at
          WHERE at > now() - ${windowMs}::float8 * interval '1 millisecond') - now()) * 1000 + ${windowMs}::float8 END
    ))::float8 AS "waitMs"
    FROM "FloodBucket" WHERE key = ANY(${keys})`
  return { waitMs: Math.max(5, Math.ceil(soonest?.waitMs ?? secondMs)), restMs: Math.ceil(soonest?.restMs ?? 0) }
}

/** Telegram asked for rest. A channel goes on at half its rate for `halvedMs` after it. */
export async function pauseBucket(db: Db, key: string, restMs: number, halvedMs = 0): Promise<void> {
  await db.$executeRaw`
    INSERT INTO "FloodBucket" (key, "restUntil", "halvedUntil")
    VALUES (${key}, now() + ${restMs}::float8 * interval '1 millisecond',
      now() + ${restMs + halvedMs}::float8 * interval '1 millisecond')
    ON CONFLICT (key) DO UPDATE
      SET "restUntil" = greatest("FloodBucket"."restUntil", EXCLUDED."restUntil"),
      "halvedUntil" = greatest("FloodBucket"."halvedUntil", EXCLUDED."halvedUntil")`
}

/**
 * Telegram refused a message to a person and does not say whether it means the chat or the bot. The chat rests; when
 * another chat is at rest already, it is the bot, and everybody rests: true. `isLoud`: so much was sent to the chat
 * that it is the chat for certain; two who write too fast are no reason for the others to wait.
 */
export async function pauseBulk(db: Db, chatId: bigint, restMs: number, isLoud = false): Promise<boolean> {
  const key = chatKey(chatId)
  await pauseBucket(db, key, restMs)
  await db.$executeRaw`UPDATE "FloodBucket" SET loud = ${isLoud} WHERE key = ${key} AND loud <> ${isLoud}`
  if (isLoud) return false
  const [another] = await db.$queryRaw<
    { key: string }[]
  >`SELECT key FROM "FloodBucket" WHERE key LIKE 'chat:%' AND key <> ${key} AND NOT loud AND "restUntil" > now()
    LIMIT 1`
  if (another !== undefined) await pauseBucket(db, bulkKey, restMs)
  return another !== undefined
}

/** What rests now, and for how long: chats, and all bulk. */
export async function restingNow(db: Db): Promise<{ key: string; restMs: number }[]> {
  return db.$queryRaw<{ key: string; restMs: number }[]>`
    SELECT key, (extract(epoch FROM "restUntil" - now()) * 1000)::float8 AS "restMs" FROM "FloodBucket"
      WHERE "restUntil" > now() AND (key = ${bulkKey} OR key LIKE 'chat:%')`
}

/** Forgets chats to which nothing went lately. */
export async function forgetChats(db: Pick<Db, '$executeRaw'>): Promise<void> {
  await db.$executeRaw`DELETE FROM "FloodBucket" WHERE key LIKE 'chat:%' AND "nextAt" < now() - interval '1 hour'
    AND ("restUntil" IS NULL OR "restUntil" < now())`
}
