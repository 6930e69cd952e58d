/**
 * The life of an asset in the hands of a worker. Every write repeats `generation = mine` and the lease's
 * owner: a worker that lost its lease changes nothing any more.
 */
import type { Db } from '../db/database.ts'
import type { Job, Lane } from '../queue/index.ts'

/** An asset this worker holds a lease on. */
export interface ClaimedAsset {
  id: string
  template: string
  name: string
  display: string
  say: string | null
  generation: number
  attempts: number
  /** of the recorded upload, if there was one */
  revision: string | null
  fileId: string | null
  botId: bigint | null
}

/** Where Telegram keeps an uploaded video. */
export interface Post {
  fileId: string
  fileUniqueId: string
  /** the storage channel and message; null when the video went straight to a person */
  chatId: bigint | null
  messageId: number | null
}

/** A job put back, and in which lane it belongs now. */
export type PutBack = Job & { lane: Lane }

/** Takes the asset for `leaseMs`; undefined when the job is old, the asset is gone, done, or somebody has it. */
export async function claim(
  db: Db,
  { assetId, generation }: Job,
  owner: string,
  leaseMs: number,
): Promise<ClaimedAsset | undefined> {
  const [asset] = await db.$queryRaw<ClaimedAsset[]>`
    UPDATE "VideoAsset" SET status = 'GENERATING', "leaseOwner" = ${owner}, "leaseUntil" = now() + ${leaseMs}::float8 * interval '1 millisecond', "updatedAt" = now()
    WHERE id = ${assetId} AND generation = ${generation} AND status IN ('PENDING', 'GENERATING') AND ("leaseUntil" IS NULL OR "leaseUntil" < now())
    RETURNING id, template, name, display, say, generation, attempts, revision, "telegramFileId" AS "fileId", "telegramBotId" AS "botId"`
  return asset
}

/** Holds the asset for longer and tells whether a person waits for it; undefined: it is no longer ours. */
export async function renewLease(
  db: Db,
  asset: ClaimedAsset,
  owner: string,
  leaseMs: number,
): Promise<{ wanted: boolean } | undefined> {
  const [row] = await db.$queryRaw<{ wanted: boolean }[]>`
    UPDATE "VideoAsset" SET "leaseUntil" = now() + ${leaseMs}::float8 * interval '1 millisecond'
    WHERE id = ${asset.id} AND generation = ${asset.generation} AND "leaseOwner" = ${owner}
    RETURNING EXISTS (SELECT 1 FROM "UserRequest" WHERE "assetId" = "VideoAsset".id AND status = 'PENDING') AS wanted`
  return row
}

/** Records the upload. False: the asset is no longer ours and nothing was recorded. */
export async function markAvailable(
  db: Db,
  asset: ClaimedAsset,
  owner: string,
  botId: bigint,
  made: { revision: string; templateRevision: string; bytes?: number },
  post: Post,
): Promise<boolean> {
  const rows = await db.$executeRaw`
    UPDATE "VideoAsset" SET status = 'AVAILABLE', revision = ${made.revision}, "templateRevision" = ${made.templateRevision}, bytes = ${made.bytes ?? null}, "telegramFileId" = ${post.fileId}, "telegramFileUniqueId" = ${post.fileUniqueId},
      "telegramBotId" = ${botId}, "storageChatId" = ${post.chatId}, "storageMessageId" = ${post.messageId},
      "leaseOwner" = NULL, "leaseUntil" = NULL, attempts = 0, "errorClass" = NULL, "errorText" = NULL, "retryAfter" = NULL,
      "availableAt" = now(), "updatedAt" = now()
    WHERE id = ${asset.id} AND generation = ${asset.generation} AND "leaseOwner" = ${owner}`
  return rows === 1
}

/** The upload recorded earlier is still good: nothing was made, nothing needs to be sent to storage. */
export async function markStillAvailable(db: Db, asset: ClaimedAsset, owner: string): Promise<boolean> {
  const rows = await db.$executeRaw`
    UPDATE "VideoAsset" SET status = 'AVAILABLE', "leaseOwner" = NULL, "leaseUntil" = NULL, attempts = 0, "errorClass" = NULL, "errorText" = NULL, "retryAfter" = NULL, "updatedAt" = now()
    WHERE id = ${asset.id} AND generation = ${asset.generation} AND "leaseOwner" = ${owner}`
  return rows === 1
}

/** Why work is put back or given up, without names, ids and secrets. */
export interface Reason {
  errorClass: string
  errorText: string
}

/**
 * Gives the asset back under a new generation, to be taken not before `delayMs` from now.
 * Undefined: it was no longer ours.
 */
export async function putBack(
  db: Db,
  asset: ClaimedAsset,
  owner: string,
  options: { delayMs: number; usesAttempt: boolean; reason: Reason | null },
): Promise<PutBack | undefined> {
  const { delayMs, usesAttempt, reason } = options
  const [row] = await db.$queryRaw<{ generation: number; wanted: boolean }[]>`
    UPDATE "VideoAsset" SET status = 'PENDING', generation = generation + 1, attempts = attempts + ${usesAttempt ? 1 : 0}, "leaseOwner" = NULL, "leaseUntil" = NULL,
      "queuedAt" = NULL, "retryAfter" = CASE WHEN ${delayMs}::float8 > 0 THEN now() + ${delayMs}::float8 * interval '1 millisecond' END,
      "errorClass" = ${reason?.errorClass ?? null}, "errorText" = ${reason?.errorText.slice(0, 500) ?? null}, "updatedAt" = now()
    WHERE id = ${asset.id} AND generation = ${asset.generation} AND "leaseOwner" = ${owner}
    RETURNING generation, EXISTS (SELECT 1 FROM "UserRequest" WHERE "assetId" = "VideoAsset".id AND status = 'PENDING') AS wanted`
  return row === undefined
    ? undefined
    : { assetId: asset.id, generation: row.generation, lane: row.wanted ? 'people' : 'warm' }
}

/** Gives the asset up until somebody asks again after `coolDownMs`. False: it was no longer ours. */
export async function markFailed(
  db: Db,
  asset: ClaimedAsset,
  owner: string,
  reason: Reason,
  coolDownMs: number,
): Promise<boolean> {
  const rows = await db.$executeRaw`
    UPDATE "VideoAsset" SET status = 'FAILED', attempts = attempts + 1, "leaseOwner" = NULL, "leaseUntil" = NULL,
      "retryAfter" = now() + ${coolDownMs}::float8 * interval '1 millisecond', "errorClass" = ${reason.errorClass}, "errorText" = ${reason.errorText.slice(0, 500)}, "updatedAt" = now()
    WHERE id = ${asset.id} AND generation = ${asset.generation} AND "leaseOwner" = ${owner}`
  return rows === 1
}

/**
 * Gives the asset up, through no fault of its own, when nobody waits for it: whoever asks next makes it work again. False:
 * somebody waits after all, or it was no longer ours.
 */
export async function giveUpUnlessWanted(db: Db, asset: ClaimedAsset, owner: string, reason: Reason): Promise<boolean> {
  return db.$transaction(async (tx) => {
    // Whoever subscribes holds the row until their request is stored, and after this finds what they must turn into work.
    const [mine] = await tx.$queryRaw<
      object[]
    >`SELECT 1 FROM "VideoAsset" WHERE id = ${asset.id} AND generation = ${asset.generation} AND "leaseOwner" = ${owner} FOR UPDATE`
    if (mine === undefined) return false
    const rows = await tx.$executeRaw`
      UPDATE "VideoAsset" SET status = 'FAILED', "leaseOwner" = NULL, "leaseUntil" = NULL, "retryAfter" = NULL, "errorClass" = ${reason.errorClass}, "errorText" = ${reason.errorText}, "updatedAt" = now()
      WHERE id = ${asset.id} AND NOT EXISTS (SELECT 1 FROM "UserRequest" WHERE "assetId" = "VideoAsset".id AND status = 'PENDING')`
    return rows === 1
  })
}

/** Of these revisions, those of videos whose upload is recorded, now or until another took their place. Not of those in work: their upload may be repeated. */
export async function uploadedRevisions(db: Db, revisions: string[]): Promise<Set<string>> {
  const rows = await db.$queryRaw<{ revision: string }[]>`
    SELECT revision FROM "VideoAsset" WHERE revision = ANY(${revisions}::text[]) AND "telegramFileId" IS NOT NULL AND status = 'AVAILABLE'
    UNION SELECT revision FROM "FormerFile" WHERE revision = ANY(${revisions}::text[])`
  return new Set(rows.map(({ revision }) => revision))
}
