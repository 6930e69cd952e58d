/** What Telegram lets through, for whoever watches: read from what flood control keeps. */
import type { Times } from '../config.ts'
import type { Db } from '../db/database.ts'
import { bulkKey, channelKey, countedPerMinute, windowSeconds } from './flood.ts'

/** A storage channel. Seconds are ours. */
export interface ChannelUse {
  chatId: string
  /** posts in the last minute of Telegram's; null: they are not counted, as there is no limit */
  posts: number | null
  /** Telegram asked for rest, for so long from now */
  restSeconds: number
  /** half the rate for so long from now */
  halvedSeconds: number
  /** when the rest it asked for last was over, or will be; null: it never did */
  restedUntil: Date | null
}

/** What Telegram lets through now. */
export interface Uploads {
  channels: ChannelUse[]
  /** everything in bulk rests for so long from now */
  bulkRestSeconds: number
  /** chats that rest now */
  restingChats: number
}

/**
 * When the places for posts in these channels are free, in seconds from now, the soonest first, and for how long a post
 * takes one. Undefined: there is no limit.
 */
export async function placesForPosts(
  db: Db,
  chatIds: readonly string[],
  { perMinute, secondMs }: { perMinute: number; secondMs: number },
): Promise<{ freeAfter: number[]; takenSeconds: number } | undefined> {
  if (chatIds.length === 0 || perMinute > countedPerMinute) return undefined
  const takenSeconds = (windowSeconds * secondMs) / 1_000
  const rows = await db.$queryRaw<{ rest: number; halved: boolean; ages: number[] }[]>`
    SELECT greatest(0, extract(epoch FROM coalesce("restUntil", now()) - now()))::float8 AS rest,
      coalesce("halvedUntil" > now(), false) AS halved, ARRAY(SELECT extract(epoch FROM now() - at)::float8
        FROM unnest(posts) AS at WHERE at > now() - ${takenSeconds}::float8 * interval '1 second' ORDER BY at) AS ages
    FROM "FloodBucket" WHERE key = ANY(${chatIds.map(channelKey)})`
  // One that was never posted to has no row.
  const channels = chatIds.map((_, n) => rows[n] ?? { rest: 0, halved: false, ages: [] })
  const freeAfter = channels.flatMap(({ rest, halved, ages }) => {
    const most = Math.max(1, Math.round(perMinute / (halved ? 2 : 1)))
    const taken = ages.slice(-most).map((age) => Math.max(rest, takenSeconds - age))
    return [...Array.from({ length: most - taken.length }, () => rest), ...taken]
  })
  return { freeAfter: freeAfter.sort((one, other) => one - other), takenSeconds }
}

/** Looks at every channel that was posted to. */
export async function uploads(db: Db, { telegramSecondMs }: Pick<Times, 'telegramSecondMs'>): Promise<Uploads> {
  const [channels, rests] = await Promise.all([
    db.$queryRaw<(Omit<ChannelUse, 'posts'> & { counted: number; posts: number })[]>`
      SELECT substr(key, 9) AS "chatId", cardinality(posts) AS counted,
        (SELECT count(*) FROM unnest(posts) AS at
          WHERE at > now() - ${60 * telegramSecondMs}::float8 * interval '1 millisecond')::int AS posts,
        greatest(0, extract(epoch FROM coalesce("restUntil", now()) - now()))::float8 AS "restSeconds",
        greatest(0, extract(epoch
          FROM coalesce("halvedUntil", now()) - now()))::float8 AS "halvedSeconds", "restUntil" AS "restedUntil"
      FROM "FloodBucket" WHERE key LIKE 'channel:%' ORDER BY key`,
    db.$queryRaw<{ bulk: boolean; seconds: number; count: number }[]>`
      SELECT key = ${bulkKey} AS bulk, max(extract(epoch
        FROM "restUntil" - now()))::float8 AS seconds, count(*)::int AS count
      FROM "FloodBucket" WHERE "restUntil" > now() AND key NOT LIKE 'channel:%' GROUP BY 1`,
  ])
  return {
    channels: channels.map(({ counted, posts, ...channel }) => ({ ...channel, posts: counted === 0 ? null : posts })),
    bulkRestSeconds: rests.find(({ bulk }) => bulk)?.seconds ?? 0,
    restingChats: rests.find(({ bulk }) => !bulk)?.count ?? 0,
  }
}
