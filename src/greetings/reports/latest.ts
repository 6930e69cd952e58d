/** The latest videos: in work, made and failed; and single ones to be looked at. */
import type { Db } from '../../db/database.ts'

/** A video that is being made. */
export interface InWork {
  template: string
  display: string
  seconds: number
  waiting: number
}

/** A video that could not be made. */
export interface Failed {
  template: string
  display: string
  errorClass: string
  errorText: string
  secondsAgo: number
}

/** The `most` videos that have been in work for longest. */
export async function nowInWork(db: Db, most: number): Promise<InWork[]> {
  return db.$queryRaw<InWork[]>`
    SELECT template, display, greatest(0, extract(epoch FROM now() - "updatedAt"))::float8 AS seconds,
      (SELECT count(*) FROM "UserRequest" WHERE "assetId" = "VideoAsset".id AND status = 'PENDING')::int AS waiting
    FROM "VideoAsset" WHERE status = 'GENERATING' AND "leaseUntil" > now() ORDER BY "updatedAt" LIMIT ${most}`
}

/** The videos that failed last, newest failure first. */
export async function latestFailed(db: Db, most: number): Promise<Failed[]> {
  const failed = await db.$queryRaw<Failed[]>`
    SELECT template, display, coalesce("errorClass", 'unknown') AS "errorClass", coalesce("errorText",
      '') AS "errorText",
      extract(epoch FROM now() - "updatedAt")::float8 AS "secondsAgo"
    FROM "VideoAsset" WHERE status = 'FAILED' ORDER BY "queuedAt" DESC NULLS LAST LIMIT ${most}`
  return failed.sort((one, other) => one.secondsAgo - other.secondsAgo)
}

/** The videos that were made last, newest first; `sendable`: this bot can send it. */
export async function latestMade(
  db: Db,
  botId: bigint | null,
  most: number,
): Promise<
  { id: string; template: string; display: string; revision: string | null; sendable: boolean; secondsAgo: number }[]
> {
  return db.$queryRaw`
    SELECT id, template, display, revision,
      "telegramFileId" IS NOT NULL AND coalesce("telegramBotId" = ${botId}::bigint, false) AS sendable,
      extract(epoch FROM now() - "availableAt")::float8 AS "secondsAgo"
    FROM "VideoAsset" WHERE status = 'AVAILABLE' AND "availableAt" IS NOT NULL ORDER BY "availableAt" DESC
      LIMIT ${most}`
}

/** Names that begin so. Those that come next in each template are looked at, and no others, however many there are. */
export async function namesThatBegin(db: Db, start: string, most: number): Promise<string[]> {
  const rows = await db.$queryRaw<{ display: string }[]>`
    SELECT DISTINCT display FROM (SELECT DISTINCT template AS id FROM "AssetCount") AS known CROSS JOIN LATERAL (
      SELECT name, display FROM "VideoAsset" WHERE template = known.id AND name > ${start} ORDER BY name LIMIT 50
    ) AS next WHERE starts_with(name, ${start}) ORDER BY 1 LIMIT ${most}`
  return rows.map(({ display }) => display)
}

/** What a video's file can be found by: its revision, and an id that the installation's bot may ask Telegram for. */
export async function sourcesOf(
  db: Db,
  id: string,
): Promise<{ revision: string | null; fileId: string | null } | undefined> {
  const [row] = await db.$queryRaw<{ revision: string | null; fileId: string | null }[]>`
    SELECT revision, CASE WHEN "telegramBotId" = (SELECT "botId" FROM "Installation" WHERE id = 1)
      THEN "telegramFileId" END AS "fileId" FROM "VideoAsset" WHERE id = ${id}`
  return row
}
