/** Stored `file_id`s that nobody has looked at for some time. */
import type { Db } from '../../db/database.ts'

/** A `file_id`, and where its post is. */
export interface StoredFile {
  /** of the asset */
  id: string
  fileId: string
  /** the bot's own; another one's is worth nothing to it */
  own: boolean
  chatId: bigint | null
}

/** How many ids are due. */
export async function countDueFiles(db: Db, olderThanMs: number): Promise<number> {
  const [row] = await db.$queryRaw<{ count: bigint }[]>`
    SELECT count(*) AS count FROM "VideoAsset" WHERE "telegramFileId" IS NOT NULL AND ("verifiedAt" IS NULL
      OR "verifiedAt" < now() - ${olderThanMs}::float8 * interval '1 millisecond')`
  return Number(row?.count ?? 0)
}

/**
 * The next ids that were not looked at since `before`, the oldest look first; without those of the assets in `except`.
 */
export async function dueFiles(
  { db, botId }: { db: Db; botId: bigint },
  before: Date,
  except: readonly string[],
  count: number,
): Promise<StoredFile[]> {
  return db.$queryRaw<StoredFile[]>`
    SELECT id, "telegramFileId" AS "fileId", coalesce("telegramBotId" = ${botId}, false) AS own,
      "storageChatId" AS "chatId" FROM "VideoAsset"
    WHERE "telegramFileId" IS NOT NULL AND ("verifiedAt" IS NULL OR "verifiedAt" < ${before})
      AND id <> ALL(${except as string[]}::text[])
    ORDER BY "verifiedAt" NULLS FIRST, id LIMIT ${count}::bigint`
}
