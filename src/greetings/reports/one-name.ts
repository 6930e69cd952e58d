/** Everything that is known about one name. */
import type { Db } from '../../db/database.ts'

/** One of its videos: there may be one of each template. Times in seconds count from now. */
export interface NamedVideo {
  id: string
  template: string
  display: string
  say: string | null
  status: 'PENDING' | 'GENERATING' | 'AVAILABLE' | 'FAILED'
  generation: number
  /** the worker that holds it, and for how much longer; null: nobody does */
  leaseOwner: string | null
  leaseSeconds: number | null
  queuedAt: Date | null
  /** of the video there is */
  revision: string | null
  templateRevision: string | null
  fileId: string | null
  botId: bigint | null
  storageChatId: bigint | null
  storageMessageId: number | null
  bytes: number | null
  /** of the last error; stays until a video is made */
  attempts: number
  errorClass: string | null
  errorText: string | null
  retryAfter: Date | null
  createdAt: Date
  updatedAt: Date
  availableAt: Date | null
  verifiedAt: Date | null
  /** people who wait for it, and how long the first of them has */
  waiting: number
  waitingSeconds: number | null
  /** questions for it that were not purged, and when the last one came */
  asked: number
  askedAt: Date | null
}

/** Those of the keys that have a video, or are to have one. */
export async function thatExist(db: Db, keys: readonly string[]): Promise<string[]> {
  const rows = await db.$queryRaw<{ name: string }[]>`
    SELECT DISTINCT name FROM (SELECT DISTINCT template AS id FROM "AssetCount") AS known JOIN "VideoAsset" AS asset
      ON asset.template = known.id AND asset.name = ANY(${keys as string[]}::text[])`
  return rows.map(({ name }) => name)
}

/** The name's videos, by template. Names are indexed within their template, so it is looked for in each. */
export async function videosOf(db: Db, key: string): Promise<NamedVideo[]> {
  return db.$queryRaw<NamedVideo[]>`
    SELECT asset.id, template, display, say, asset.status::text AS status, generation,
      CASE WHEN "leaseUntil" > now() THEN "leaseOwner" END AS "leaseOwner", CASE WHEN "leaseUntil" > now()
        THEN extract(epoch FROM "leaseUntil" - now())::float8 END AS "leaseSeconds", "queuedAt",
      revision, "templateRevision", "telegramFileId" AS "fileId", "telegramBotId" AS "botId", "storageChatId",
        "storageMessageId", bytes,
      attempts, "errorClass", asset."errorText", "retryAfter", asset."createdAt", asset."updatedAt", "availableAt",
        "verifiedAt",
      requests.waiting, requests."waitingSeconds", requests.asked, requests."askedAt"
    FROM (SELECT DISTINCT template AS id FROM "AssetCount") AS known JOIN "VideoAsset" AS asset
      ON asset.template = known.id AND asset.name = ${key}
    CROSS JOIN LATERAL (
      SELECT count(*) FILTER (WHERE status = 'PENDING')::int AS waiting, extract(epoch FROM now() - min("createdAt")
        FILTER (WHERE status = 'PENDING'))::float8 AS "waitingSeconds",
        count(*)::int AS asked, max("createdAt") AS "askedAt"
      FROM "UserRequest" WHERE "assetId" = asset.id
    ) AS requests
    ORDER BY template`
}
