/** Takes back work that was only warmed: nobody waits for it and no worker has begun it. */
import { serializable, type Db } from '../db/database.ts'
import type { GreetingsQueue, Job } from '../queue/index.ts'

/**
 * Takes back what is PENDING and nobody waits for: among these keys, or all. An asset that has an old video
 * keeps serving it; one that never had a video is removed. Returns how many were taken back.
 */
export async function takeBack({ db, queue }: { db: Db; queue: GreetingsQueue }, keys?: readonly string[]): Promise<number> {
  const everything = keys === undefined
  const some = (keys ?? []) as string[]
  let total = 0
  for (;;) {
    // Serializable: somebody who subscribes in this moment must not lose the asset under their request.
    const taken = await serializable(db, async (tx) => {
      const rows = await tx.$queryRaw<(Job & { hasVideo: boolean })[]>`
        SELECT id AS "assetId", generation, "telegramFileId" IS NOT NULL AS "hasVideo" FROM "VideoAsset"
        WHERE status = 'PENDING' AND (${everything} OR name = ANY(${some}))
          AND NOT EXISTS (SELECT 1 FROM "UserRequest" WHERE "assetId" = "VideoAsset".id AND status = 'PENDING')
        LIMIT 1000 FOR UPDATE`
      const kept = rows.filter(({ hasVideo }) => hasVideo).map(({ assetId }) => assetId)
      const others = rows.filter(({ hasVideo }) => !hasVideo).map(({ assetId }) => assetId)
      await tx.$executeRaw`UPDATE "VideoAsset" SET status = 'AVAILABLE', generation = generation + 1, "queuedAt" = NULL WHERE id = ANY(${kept})`
      // Somebody who asked long ago keeps the row alive; such an asset becomes FAILED, to be asked for again at once.
      await tx.$executeRaw`UPDATE "VideoAsset" SET status = 'FAILED', generation = generation + 1, "queuedAt" = NULL, "errorClass" = 'cancelled', "errorText" = NULL, "retryAfter" = NULL
        WHERE id = ANY(${others}) AND EXISTS (SELECT 1 FROM "UserRequest" WHERE "assetId" = "VideoAsset".id)`
      await tx.$executeRaw`DELETE FROM "VideoAsset" WHERE id = ANY(${others}) AND NOT EXISTS (SELECT 1 FROM "UserRequest" WHERE "assetId" = "VideoAsset".id)`
      return rows
    })
    await queue.remove('warm', taken)
    total += taken.length
    if (taken.length < 1_000) return total
  }
}
