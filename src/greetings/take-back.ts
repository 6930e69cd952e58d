/** Takes back work that was only warmed: nobody waits for it and no worker has begun it. */
import type { Db } from '../db/database.ts'
import type { GreetingsQueue, Job } from '../queue/index.ts'

/**
 * Takes back what is PENDING and nobody waits for: among these keys, or all. An asset that has an old video
 * keeps serving it; one that never had a video is removed. Returns how many were taken back.
 */
export async function takeBack(
  { db, queue }: { db: Db; queue: GreetingsQueue },
  keys?: readonly string[],
): Promise<number> {
  const everything = keys === undefined
  const some = (keys ?? []) as string[]
  let total = 0
  for (;;) {
    const taken = await db.$transaction(
      async (tx) => {
        const seen = await tx.$queryRaw<(Job & { hasVideo: boolean })[]>`
          SELECT id AS "assetId", generation, "telegramFileId" IS NOT NULL AS "hasVideo" FROM "VideoAsset"
          WHERE status = 'PENDING' AND (${everything} OR name = ANY(${some}))
            AND NOT EXISTS (SELECT 1 FROM "UserRequest" WHERE "assetId" = "VideoAsset".id AND status = 'PENDING')
          LIMIT 1000 FOR UPDATE`
        // Whoever subscribed while the lock was waited for shows in this second look, and nobody can do so after it.
        const joined = await tx.$queryRaw<
          { assetId: string }[]
        >`SELECT DISTINCT "assetId" FROM "UserRequest" WHERE "assetId" = ANY(${seen.map(({ assetId }) => assetId)}::text[]) AND status = 'PENDING'`
        const rows = seen.filter(({ assetId }) => !joined.some((one) => one.assetId === assetId))
        const kept = rows.filter(({ hasVideo }) => hasVideo).map(({ assetId }) => assetId)
        const others = rows.filter(({ hasVideo }) => !hasVideo).map(({ assetId }) => assetId)
        await tx.$executeRaw`UPDATE "VideoAsset" SET status = 'AVAILABLE', generation = generation + 1, "queuedAt" = NULL WHERE id = ANY(${kept})`
        // Somebody who asked long ago keeps the row alive; such an asset becomes FAILED, to be asked for again at once.
        await tx.$executeRaw`UPDATE "VideoAsset" SET status = 'FAILED', generation = generation + 1, "queuedAt" = NULL, "errorClass" = 'cancelled', "errorText" = NULL, "retryAfter" = NULL
          WHERE id = ANY(${others}) AND EXISTS (SELECT 1 FROM "UserRequest" WHERE "assetId" = "VideoAsset".id)`
        await tx.$executeRaw`DELETE FROM "VideoAsset" WHERE id = ANY(${others}) AND NOT EXISTS (SELECT 1 FROM "UserRequest" WHERE "assetId" = "VideoAsset".id)`
        return rows
      },
      { timeout: 60_000, maxWait: 15_000 },
    )
    await queue.remove('warm', taken)
    total += taken.length
    if (taken.length === 0) return total
  }
}
