/** Videos that can be sent now, for whoever wants to see some of many: inline queries, and people in other chats. */
import type { Db } from '../db/database.ts'
import { askKey, type Ask } from './ask.ts'

/** A video of this bot. */
export interface Video {
  assetId: string
  display: string
  fileId: string
}

/** More than Telegram shows of one inline query are never asked for. */
export const mostVideos = 50

/** The videos there are for the first of these asks, in their order: one statement, by the index on (template, name). */
export async function findVideos(db: Db, botId: bigint, asks: readonly Ask[]): Promise<Video[]> {
  const some = asks.slice(0, mostVideos)
  if (some.length === 0) return []
  const templates = [...new Set(some.map(({ template }) => template))]
  const rows = await db.$queryRaw<(Video & { template: string; key: string })[]>`
    SELECT id AS "assetId", template, name AS key, display, "telegramFileId" AS "fileId" FROM "VideoAsset"
    WHERE template = ANY(${templates}::text[]) AND name = ANY(${some.map(({ key }) => key)}::text[])
      AND "telegramBotId" = ${botId} AND "telegramFileId" IS NOT NULL`
  const found = new Map(rows.map((row) => [askKey(row), row]))
  return some.flatMap((ask) => {
    const row = found.get(askKey(ask))
    return row === undefined ? [] : [{ assetId: row.assetId, display: row.display, fileId: row.fileId }]
  })
}

/** Somebody sent a video that was offered in another chat: a hit of the statistics, with nobody's name or id. */
export async function countChosen(db: Db): Promise<void> {
  await db.$executeRaw`
    INSERT INTO "RequestCount" (hour, status, hit, "waitBucket", count)
      VALUES (date_trunc('hour', now(), 'UTC'), 'COMPLETED', true, "waitBucket"(interval '0'), 1)`
}
