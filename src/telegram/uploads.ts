/** What Telegram lets through, for whoever watches: read from what flood control keeps. */
import type { Times } from '../config.ts'
import type { Db } from '../db/database.ts'
import { bulkKey } from './flood.ts'

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
