/**
 * The life of an asset: all statements that change `VideoAsset` stand here. `gen` + says that the step
 * raises the generation, which fences whoever worked under the old one; `clears` says what it sets
 * back: the lease (owner and end), `queuedAt`, `attempts`, the error (class and text) and `retryAfter`.
 * A test compares this drawing with the statements.
 *
 *   from                to          by                  gen  clears                             caused by
 *   -                   PENDING     createAssets             -                                  a name asked for the first time
 *   FAILED AVAILABLE    PENDING     turnIntoWork        +    lease queued attempts retry        the door: asked again, outdated
 *   FAILED              PENDING     reviveFailed        +    lease queued attempts retry        `retry`
 *   PENDING GENERATING  GENERATING  claim                    -                                  a worker
 *   GENERATING          AVAILABLE   markAvailable            lease attempts error retry         the worker: uploaded
 *   GENERATING          AVAILABLE   markStillAvailable       lease attempts error retry         the worker: the old upload is good
 *   GENERATING          PENDING     putBack             +    lease queued                       the worker: to be tried again
 *   GENERATING          FAILED      markFailed               lease                              the worker: three faults
 *   GENERATING          FAILED      giveUpUnlessWanted       lease retry                        the worker: nobody to upload to
 *   GENERATING          PENDING     recoverLapsed       +    lease queued                       the reconciler: the holder died
 *   FAILED AVAILABLE    PENDING     dropFileId          +    queued attempts retry              Telegram refuses the file_id (1)
 *   PENDING             AVAILABLE   cancelUnwanted      +    queued                             `cancel`: its old video is served
 *   PENDING             FAILED      cancelUnwanted      +    queued retry                       `cancel`: somebody asked for it once
 *   PENDING             -           cancelUnwanted           -                                  `cancel`: nobody ever did
 *   any but held        FAILED      fence               +    queued                             `forget`: nobody begins it now
 *   any but held        -           removeAssets             -                                  `forget`
 *   -                   AVAILABLE   addImported              -                                  `import`
 *   any                 AVAILABLE   replaceByImported   +    lease queued attempts error retry  `import`
 *
 * (1) Work that is under way keeps its status and generation.
 *
 * Every write of a worker repeats `generation = mine` and the lease's owner: one
 * that lost its lease changes nothing any more.
 */
import type { Db, Tx } from '../db/database.ts'
import { placeInQueue, type Job, type Lane } from '../queue/lanes.ts'
import { askKey, inOrder, type Ask } from './ask.ts'
import { removeAllOf } from './requests.ts'

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
    UPDATE "VideoAsset" SET status = 'GENERATING', "leaseOwner" = ${owner},
      "leaseUntil" = now() + ${leaseMs}::float8 * interval '1 millisecond', "renderedAt" = NULL, "updatedAt" = now()
    WHERE id = ${assetId} AND generation = ${generation} AND status IN ('PENDING', 'GENERATING')
      AND ("leaseUntil" IS NULL OR "leaseUntil" < now())
    RETURNING id, template, name, display, say, generation, attempts, revision, "telegramFileId" AS "fileId",
      "telegramBotId" AS "botId"`
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

/** The video is made and waits for its upload: whoever waits for it is told so. */
export async function markRendered(db: Db, asset: ClaimedAsset, owner: string): Promise<void> {
  await db.$executeRaw`UPDATE "VideoAsset" SET "renderedAt" = now()
    WHERE id = ${asset.id} AND generation = ${asset.generation} AND "leaseOwner" = ${owner}`
}

/** What an uploaded video was made from, and its size, bytes. */
export interface MadeVideo {
  revision: string
  templateRevision: string
  bytes?: number
}

/** Records the upload. False: the asset is no longer ours and nothing was recorded. */
export async function markAvailable(
  db: Db,
  asset: ClaimedAsset,
  owner: string,
  botId: bigint,
  made: MadeVideo,
  post: Post,
): Promise<boolean> {
  const rows = await db.$executeRaw`
    UPDATE "VideoAsset" SET status = 'AVAILABLE', revision = ${made.revision},
      "templateRevision" = ${made.templateRevision}, bytes = ${made.bytes ?? null}, "telegramFileId" = ${post.fileId},
      "telegramFileUniqueId" = ${post.fileUniqueId},
      "telegramBotId" = ${botId}, "storageChatId" = ${post.chatId}, "storageMessageId" = ${post.messageId},
      "leaseOwner" = NULL, "leaseUntil" = NULL, attempts = 0, "errorClass" = NULL, "errorText" = NULL,
        "retryAfter" = NULL,
      "availableAt" = now(), "updatedAt" = now()
    WHERE id = ${asset.id} AND generation = ${asset.generation} AND "leaseOwner" = ${owner}`
  return rows === 1
}

/** The upload recorded earlier is still good: nothing was made, nothing needs to be sent to storage. */
export async function markStillAvailable(db: Db, asset: ClaimedAsset, owner: string): Promise<boolean> {
  const rows = await db.$executeRaw`
    UPDATE "VideoAsset" SET status = 'AVAILABLE', "leaseOwner" = NULL, "leaseUntil" = NULL, attempts = 0,
      "errorClass" = NULL, "errorText" = NULL, "retryAfter" = NULL, "updatedAt" = now()
    WHERE id = ${asset.id} AND generation = ${asset.generation} AND "leaseOwner" = ${owner}`
  return rows === 1
}

/** A finished asset: how its people are answered. */
export interface Finished {
  id: string
  display: string
  /** null: there is no video that this bot can send, and it is given up */
  fileId: string | null
  /** until it may be asked for again, milliseconds */
  coolMs: number
}

/** The asset, if it is finished; undefined: it is gone, or still work. */
export async function findFinished(db: Db, assetId: string, botId: bigint): Promise<Finished | undefined> {
  const [asset] = await db.$queryRaw<(Finished & { status: string })[]>`
    SELECT id, status::text AS status, display, CASE WHEN "telegramBotId" = ${botId} THEN "telegramFileId" END AS "fileId",
      greatest(0, extract(epoch FROM coalesce("retryAfter", now()) - now()) * 1000)::float8 AS "coolMs"
    FROM "VideoAsset" WHERE id = ${assetId}`
  return asset === undefined || (asset.fileId === null && asset.status !== 'FAILED') ? undefined : asset
}

/** Where the asset's video is stored, as far as it is; undefined: there is no such asset. */
export async function findStored(
  db: Db,
  assetId: string,
): Promise<{ name: string; fileId: string | null; chatId: bigint | null; messageId: number | null } | undefined> {
  const asset = await db.videoAsset.findUnique({ where: { id: assetId } })
  if (asset === null) return undefined
  const { name, telegramFileId, storageChatId, storageMessageId } = asset
  return { name, fileId: telegramFileId, chatId: storageChatId, messageId: storageMessageId }
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
  const [row] = await db.$queryRaw<{ generation: number; behind: number | null }[]>`
    UPDATE "VideoAsset" SET status = 'PENDING', generation = generation + 1,
      attempts = attempts + ${usesAttempt ? 1 : 0}, "leaseOwner" = NULL, "leaseUntil" = NULL,
      "queuedAt" = NULL, "retryAfter" = CASE WHEN ${delayMs}::float8 > 0
        THEN now() + ${delayMs}::float8 * interval '1 millisecond' END,
      "errorClass" = ${reason?.errorClass ?? null}, "errorText" = ${reason?.errorText.slice(0, 500) ?? null},
        "updatedAt" = now()
    WHERE id = ${asset.id} AND generation = ${asset.generation} AND "leaseOwner" = ${owner}
    RETURNING generation,
      (SELECT min(behind) FROM "UserRequest" WHERE "assetId" = "VideoAsset".id AND status = 'PENDING') AS behind`
  return row === undefined ? undefined : { assetId: asset.id, ...placeInQueue(row.behind), generation: row.generation }
}

/** The job of an asset that no worker began is not in the queue any more: the reconciler adds it again. */
export async function markUnqueued(db: Db, job: Job): Promise<void> {
  await db.$executeRaw`UPDATE "VideoAsset" SET "queuedAt" = NULL WHERE id = ${job.assetId}
    AND generation = ${job.generation} AND status = 'PENDING' AND "leaseOwner" IS NULL`
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
      "retryAfter" = now() + ${coolDownMs}::float8 * interval '1 millisecond', "errorClass" = ${reason.errorClass},
        "errorText" = ${reason.errorText.slice(0, 500)}, "updatedAt" = now()
    WHERE id = ${asset.id} AND generation = ${asset.generation} AND "leaseOwner" = ${owner}`
  return rows === 1
}

/**
 * Gives the asset up, through no fault of its own, when nobody waits for it: whoever asks next makes it work again.
 * False: somebody waits after all, or it was no longer ours.
 */
export async function giveUpUnlessWanted(db: Db, asset: ClaimedAsset, owner: string, reason: Reason): Promise<boolean> {
  return db.$transaction(async (tx) => {
    // Whoever subscribes holds the row until their request is stored, and
    // after this finds what they must turn into work.
    const [mine] = await tx.$queryRaw<
      object[]
    >`SELECT 1 FROM "VideoAsset" WHERE id = ${asset.id} AND generation = ${asset.generation} AND "leaseOwner" = ${owner}
      FOR UPDATE`
    if (mine === undefined) return false
    const rows = await tx.$executeRaw`
      UPDATE "VideoAsset" SET status = 'FAILED', "leaseOwner" = NULL, "leaseUntil" = NULL, "retryAfter" = NULL,
        "errorClass" = ${reason.errorClass}, "errorText" = ${reason.errorText}, "updatedAt" = now()
      WHERE id = ${asset.id} AND NOT EXISTS (SELECT 1 FROM "UserRequest" WHERE "assetId" = "VideoAsset".id
        AND status = 'PENDING')`
    return rows === 1
  })
}

/**
 * Of these revisions, those of videos whose upload is recorded, now or until another took their place. Not
 * of those in work: their upload may be repeated.
 */
export async function uploadedRevisions(db: Db, revisions: string[]): Promise<Set<string>> {
  const rows = await db.$queryRaw<{ revision: string }[]>`
    SELECT revision FROM "VideoAsset" WHERE revision = ANY(${revisions}::text[]) AND "telegramFileId" IS NOT NULL
      AND status = 'AVAILABLE'
    UNION SELECT revision FROM "FormerFile" WHERE revision = ANY(${revisions}::text[])`
  return new Set(rows.map(({ revision }) => revision))
}

// ---- the door --------------------------------------------------------------------------------------

/** An asset as the door sees it. */
export interface AssetRow {
  id: string
  template: string
  name: string
  status: 'PENDING' | 'GENERATING' | 'AVAILABLE' | 'FAILED'
  generation: number
  fileId: string | null
  botId: bigint | null
  /** how the video was to be spoken */
  say: string | null
  /** content hash of the video there is */
  revision: string | null
  queuedAt: Date | null
  coolsUntil: Date | null
  cooling: boolean
  /** it may be suggested to anybody */
  listed: boolean
}

const assetColumns = `id, template, name, status::text AS status, generation, "telegramFileId" AS "fileId", "telegramBotId" AS "botId", say, revision,
  "queuedAt", "retryAfter" AS "coolsUntil", coalesce("retryAfter" > now(), false) AS cooling,
  "listedAt" IS NOT NULL AS listed`

/** Assets by what they were asked for as. */
export const byAsk = (rows: AssetRow[]) =>
  new Map(rows.map((row) => [askKey({ template: row.template, key: row.name }), row]))

/** The assets of these names, as far as there are any. */
export async function findAssets(db: Db | Tx, asks: readonly Ask[]): Promise<AssetRow[]> {
  if (asks.length === 0) return []
  const sql = `SELECT ${assetColumns} FROM "VideoAsset" JOIN unnest($1::text[], $2::text[]) AS ask(t, n)
    ON template = ask.t AND name = ask.n`
  return db.$queryRawUnsafe<AssetRow[]>(
    sql,
    asks.map(({ template }) => template),
    asks.map(({ key }) => key),
  )
}

/**
 * Creates the assets that do not exist; returns only those this call created. `listed`: they may be suggested to anybody,
 * unless they are sets.
 */
export async function createAssets(
  tx: Tx,
  asks: readonly Ask[],
  { listed = false }: { listed?: boolean } = {},
): Promise<AssetRow[]> {
  if (asks.length === 0) return []
  const sql = `INSERT INTO "VideoAsset" (template, name, display, say, "listedAt")
    SELECT asks.*, CASE WHEN $5 AND name NOT LIKE '% & %' THEN now() END
      FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS asks (template, name)
      ON CONFLICT (template, name) DO NOTHING RETURNING ${assetColumns}`
  const sorted = inOrder(asks)
  return tx.$queryRawUnsafe<AssetRow[]>(
    sql,
    sorted.map(({ template }) => template),
    sorted.map(({ key }) => key),
    sorted.map(({ display }) => display),
    sorted.map(({ say }) => say ?? null),
    listed,
  )
}

/** From now on these names may be suggested to anybody. */
export async function markListed(db: Db, assetIds: readonly string[]): Promise<void> {
  if (assetIds.length === 0) return
  await db.$executeRaw`UPDATE "VideoAsset" SET "listedAt" = now() WHERE id = ANY(${assetIds as string[]}::text[])
    AND "listedAt" IS NULL`
}

/** From now on this name may be suggested to anybody. */
export async function markNameListed(db: Db, key: string): Promise<void> {
  await db.$executeRaw`UPDATE "VideoAsset" SET "listedAt" = now() WHERE name = ${key} AND "listedAt" IS NULL`
}

/** How these videos are to be spoken from now on. */
export async function setSpelling(
  db: Db,
  spellings: readonly { assetId: string; say: string | null }[],
): Promise<void> {
  await db.$executeRaw`UPDATE "VideoAsset" SET say = wanted.say
    FROM unnest(${spellings.map(({ assetId }) => assetId)}::text[],
    ${spellings.map(({ say }) => say)}::text[]) AS wanted(asset, say) WHERE id = wanted.asset`
}

/** FAILED and AVAILABLE assets become PENDING under a new generation, unless somebody else did it first. */
export async function turnIntoWork(db: Db | Tx, assets: readonly AssetRow[]): Promise<AssetRow[]> {
  if (assets.length === 0) return []
  const sql = `UPDATE "VideoAsset"
    SET status = 'PENDING', generation = "VideoAsset".generation + 1, attempts = 0, "queuedAt" = NULL,
    "retryAfter" = NULL,
      "leaseOwner" = NULL, "leaseUntil" = NULL, "updatedAt" = now()
    FROM unnest($1::text[], $2::int[]) AS wanted(asset, seen)
    WHERE id = wanted.asset AND "VideoAsset".generation = wanted.seen AND status IN ('FAILED', 'AVAILABLE')
      RETURNING ${assetColumns}`
  return db.$queryRawUnsafe<AssetRow[]>(
    sql,
    assets.map(({ id }) => id),
    assets.map(({ generation }) => generation),
  )
}

/**
 * Which of two spellings of a name is served: the one asked for if it has a video, else the likelier one, which has a video,
 * or is being made, or will be.
 */
export async function preferredSpelling(
  { db, botId }: { db: Db; botId: bigint },
  asked: Ask,
  likelier: Ask,
): Promise<Ask> {
  const [asset] = await findAssets(db, [asked])
  return asset !== undefined && isHit(asset, botId) ? asked : { ...likelier, wroteE: true }
}

/**
 * Locks the name's row until the transaction ends: for whoever changes it alone, or together with others. Neither lock is
 * in the way of a hit, which locks the asset's row before the person's.
 */
export async function lockAsset(tx: Tx, ask: Ask, exclusive: boolean): Promise<AssetRow | undefined> {
  const sql = `SELECT ${assetColumns} FROM "VideoAsset" WHERE template = $1
    AND name = $2 ${exclusive ? 'FOR NO KEY UPDATE' : 'FOR SHARE'}`
  const [row] = await tx.$queryRawUnsafe<AssetRow[]>(sql, ask.template, ask.key)
  return row
}

/**
 * What an asset is to the bot that sends: it can be sent; work on it is under way; it was given up; or only another bot
 * can send it. `botId` null: no bot is known yet, so that no video is another's.
 */
export function classify(asset: AssetRow, botId: bigint | null): 'hit' | 'underWay' | 'failed' | 'otherBot' {
  if (asset.fileId !== null && (botId === null || asset.botId === botId)) return 'hit'
  if (asset.status === 'FAILED') return 'failed'
  return asset.status === 'AVAILABLE' ? 'otherBot' : 'underWay'
}

/** Whether the bot can send it now. */
export function isHit(asset: AssetRow, botId: bigint | null): asset is AssetRow & { fileId: string } {
  return classify(asset, botId) === 'hit'
}

/** FAILED, or made for another bot: somebody must turn it into work before a job can run. */
export function needsWork(asset: AssetRow, botId: bigint): boolean {
  return ['failed', 'otherBot'].includes(classify(asset, botId))
}

/**
 * Remembers that the assets' jobs were handed to the queue. `lockMs`: how
 * long it waits for locked rows. Returns how many.
 */
export async function markQueued(db: Db | Tx, assetIds: readonly string[], lockMs?: number): Promise<number> {
  if (assetIds.length === 0) return 0
  return db.$executeRaw`
    WITH patience AS (SELECT set_config('lock_timeout', coalesce(${lockMs?.toString() ?? null},
      current_setting('lock_timeout')), true))
    UPDATE "VideoAsset" SET "queuedAt" = now() FROM patience WHERE id = ANY(${assetIds as string[]})
      AND status = 'PENDING'`
}

// ---- commands --------------------------------------------------------------------------------------

/** The next `batch` FAILED assets, of these keys or any, become work again; the cool-down counts no more. */
export async function reviveFailed(db: Db, keys: readonly string[] | undefined, batch: number): Promise<Job[]> {
  const everything = keys === undefined
  const some = (keys ?? []) as string[]
  return db.$queryRaw<Job[]>`
      UPDATE "VideoAsset" SET status = 'PENDING', generation = generation + 1, attempts = 0, "queuedAt" = NULL,
        "retryAfter" = NULL, "leaseOwner" = NULL, "leaseUntil" = NULL, "updatedAt" = now()
      WHERE id IN (SELECT id FROM "VideoAsset" WHERE status = 'FAILED' AND (${everything}
        OR name = ANY(${some}::text[])) LIMIT ${batch} FOR UPDATE)
      RETURNING id AS "assetId", generation`
}

/**
 * Takes back the next thousand PENDING assets that nobody waits for, of these keys or any. One that has a video keeps
 * serving it; one that never had any is removed.
 */
export async function cancelUnwanted(db: Db, keys: readonly string[] | undefined): Promise<Job[]> {
  const everything = keys === undefined
  const some = (keys ?? []) as string[]
  return db.$transaction(
    async (tx) => {
      const seen = await tx.$queryRaw<(Job & { hasVideo: boolean })[]>`
          SELECT id AS "assetId", generation, "telegramFileId" IS NOT NULL AS "hasVideo" FROM "VideoAsset"
          WHERE status = 'PENDING' AND (${everything} OR name = ANY(${some}))
            AND NOT EXISTS (SELECT 1 FROM "UserRequest" WHERE "assetId" = "VideoAsset".id AND status = 'PENDING')
          LIMIT 1000 FOR UPDATE`
      // Whoever subscribed while the lock was waited for shows in this second look, and nobody can do so after it.
      const joined = await tx.$queryRaw<{ assetId: string }[]>`SELECT DISTINCT "assetId" FROM "UserRequest"
        WHERE "assetId" = ANY(${seen.map(({ assetId }) => assetId)}::text[]) AND status = 'PENDING'`
      const rows = seen.filter(({ assetId }) => !joined.some((one) => one.assetId === assetId))
      const kept = rows.filter(({ hasVideo }) => hasVideo).map(({ assetId }) => assetId)
      const others = rows.filter(({ hasVideo }) => !hasVideo).map(({ assetId }) => assetId)
      await tx.$executeRaw`UPDATE "VideoAsset" SET status = 'AVAILABLE', generation = generation + 1, "queuedAt" = NULL
        WHERE id = ANY(${kept})`
      // Somebody who asked long ago keeps the row alive; such an asset becomes FAILED, to be asked for again at once.
      await tx.$executeRaw`UPDATE "VideoAsset"
        SET status = 'FAILED', generation = generation + 1, "queuedAt" = NULL, "errorClass" = 'cancelled',
        "errorText" = NULL, "retryAfter" = NULL
          WHERE id = ANY(${others}) AND EXISTS (SELECT 1 FROM "UserRequest" WHERE "assetId" = "VideoAsset".id)`
      await tx.$executeRaw`DELETE FROM "VideoAsset" WHERE id = ANY(${others}) AND NOT EXISTS (SELECT 1
        FROM "UserRequest" WHERE "assetId" = "VideoAsset".id)`
      return rows
    },
    { timeout: 60_000, maxWait: 15_000 },
  )
}

/**
 * From here on no worker begins one of these, and who asks for what cannot be sent hears to try again in a minute.
 * False: a worker has one of them, and nothing was changed.
 */
export async function fence(db: Db, assets: readonly { id: string }[]): Promise<boolean> {
  const ids = assets.map(({ id }) => id)
  return db.$transaction(async (tx) => {
    const locked = await tx.$queryRaw<
      { held: boolean }[]
    >`SELECT coalesce("leaseUntil" > now(), false) AS held FROM "VideoAsset" WHERE id = ANY(${ids}::text[]) ORDER BY id
      FOR UPDATE`
    if (locked.some(({ held }) => held)) return false
    await tx.$executeRaw`
      UPDATE "VideoAsset" SET status = 'FAILED', generation = generation + 1, "queuedAt" = NULL,
        "errorClass" = 'forgotten', "errorText" = NULL, "retryAfter" = now() + interval '1 minute', "updatedAt" = now()
      WHERE id = ANY(${ids}::text[])`
    return true
  })
}

/**
 * Removes assets with their requests; undefined, and nothing is removed, when a worker has one of them. Returns how
 * many requests went, and how many of these still waited.
 */
export async function removeAssets(db: Db, ids: string[]): Promise<{ requests: number; waiting: number } | undefined> {
  return db.$transaction(
    async (tx) => {
      // Whoever asks in this moment waits for the lock, and then finds no asset and makes a new one.
      const locked = await tx.$queryRaw<
        { held: boolean }[]
      >`SELECT coalesce("leaseUntil" > now(), false) AS held FROM "VideoAsset" WHERE id = ANY(${ids}::text[])
        ORDER BY id FOR UPDATE`
      if (locked.some(({ held }) => held)) return undefined
      const [waiting] = await tx.$queryRaw<
        { count: bigint }[]
      >`SELECT count(*) AS count FROM "UserRequest" WHERE "assetId" = ANY(${ids}::text[]) AND status = 'PENDING'`
      const requests = await removeAllOf(tx, ids)
      await tx.$executeRaw`DELETE FROM "VideoAsset" WHERE id = ANY(${ids}::text[])`
      return { requests, waiting: Number(waiting?.count ?? 0) }
    },
    { timeout: 60_000, maxWait: 15_000 },
  )
}

// ---- the reconciler --------------------------------------------------------------------------------

/**
 * Assets whose holder has died become work again; a row that somebody has locked is passed over.
 * While the server was down nobody could renew a lease, so none is taken for lapsed until
 * `renewedWithinMs` after its start. Returns how many.
 */
export async function recoverLapsed(db: Db, renewedWithinMs: number): Promise<number> {
  return db.$executeRaw`
    UPDATE "VideoAsset" SET status = 'PENDING', generation = generation + 1, "leaseOwner" = NULL, "leaseUntil" = NULL,
      "queuedAt" = NULL
    WHERE id IN (
      SELECT id FROM "VideoAsset" WHERE status = 'GENERATING' AND ("leaseUntil" IS NULL OR "leaseUntil" < now())
      AND pg_postmaster_start_time() < now() - ${renewedWithinMs}::float8 * interval '1 millisecond'
      FOR NO KEY UPDATE SKIP LOCKED)`
}

/**
 * Remembers that the assets' jobs were handed to the queue, but for rows that somebody has locked. Returns how many.
 */
export async function markQueuedUnlessLocked(db: Db, assetIds: readonly string[]): Promise<number> {
  return db.$executeRaw`
    UPDATE "VideoAsset" SET "queuedAt" = now()
    WHERE id IN (SELECT id FROM "VideoAsset" WHERE id = ANY(${assetIds as string[]}::text[]) AND status = 'PENDING'
      FOR NO KEY UPDATE SKIP LOCKED)`
}

// ---- the file_id -----------------------------------------------------------------------------------

/**
 * Another `file_id` of the same video takes the place of one that Telegram
 * refuses. False: somebody has replaced it before.
 */
export async function replaceFileId(
  db: Db,
  assetId: string,
  dead: string,
  { fileId, botId }: { fileId: string; botId: bigint },
): Promise<boolean> {
  const { count } = await db.videoAsset.updateMany({
    where: { id: assetId, telegramFileId: dead },
    data: { telegramFileId: fileId, telegramBotId: botId },
  })
  return count > 0
}

/**
 * A `file_id` that is worth nothing goes, and the video becomes work again. Returns the job,
 * unless one is under way or somebody was faster.
 */
export async function dropFileId(db: Db, assetId: string, dead: string): Promise<Job | undefined> {
  const [work] = await db.$queryRaw<{ generation: number; status: string }[]>`
    UPDATE "VideoAsset" SET "telegramFileId" = NULL, "telegramFileUniqueId" = NULL, "updatedAt" = now(),
      status = CASE WHEN status IN ('AVAILABLE', 'FAILED') THEN 'PENDING'::"AssetStatus" ELSE status END,
      generation = CASE WHEN status IN ('AVAILABLE', 'FAILED') THEN generation + 1 ELSE generation END,
      "queuedAt" = NULL, attempts = 0, "retryAfter" = NULL
    WHERE id = ${assetId} AND "telegramFileId" = ${dead} RETURNING generation, status::text AS status`
  return work?.status === 'PENDING' ? { assetId, generation: work.generation } : undefined
}

/** Telegram was asked whether it still knows the video's `file_id`, and answered. */
export async function markVerified(db: Db, assetId: string): Promise<void> {
  await db.$executeRaw`UPDATE "VideoAsset" SET "verifiedAt" = now() WHERE id = ${assetId}`
}

// ---- the import ------------------------------------------------------------------------------------

/** Videos of the table `imported` whose names are not known yet. Returns how many. */
export async function addImported(tx: Tx): Promise<number> {
  return tx.$executeRaw`
    INSERT INTO "VideoAsset" (template, name, display, say, status, revision, "templateRevision", "telegramFileId",
      "telegramFileUniqueId", "telegramBotId", "storageChatId", "storageMessageId", "availableAt")
    SELECT template, name, display, say, 'AVAILABLE', revision, "templateRevision", "fileId", "fileUniqueId", "botId",
      "storageChatId", "storageMessageId", coalesce("availableAt", now()) FROM imported
    ON CONFLICT (template, name) DO NOTHING`
}

/**
 * Videos of the table `imported` take the place of what their names have. The generation fences whoever works on it.
 * People who wait get the video from the reconciler. `hadVideo`, of each name: it had another one.
 */
export async function replaceByImported(
  tx: Tx,
  { overwrite, botId }: { overwrite: boolean; botId: bigint | null },
): Promise<{ hadVideo: boolean }[]> {
  return tx.$queryRaw<{ hadVideo: boolean }[]>`
    WITH old AS (
      SELECT id, "telegramFileId" IS NOT NULL AS "hadVideo", imported.* FROM "VideoAsset" AS asset
        JOIN imported USING (template, name),
        LATERAL (SELECT coalesce(${botId}::bigint, imported."botId") AS own) AS installation
      WHERE ("telegramFileId", "telegramBotId") IS DISTINCT FROM ("fileId", imported."botId") AND CASE
        WHEN ${overwrite} THEN true
        WHEN "telegramFileId" IS NULL THEN imported."botId" = own OR asset.status = 'FAILED'
        WHEN "telegramBotId" <> imported."botId" THEN imported."botId" = own
        ELSE coalesce(asset."availableAt", asset."createdAt") < imported."availableAt" END
      FOR UPDATE OF asset
    )
    UPDATE "VideoAsset" AS asset
      SET status = 'AVAILABLE', generation = asset.generation + 1, "leaseOwner" = NULL, "leaseUntil" = NULL,
      "queuedAt" = NULL,
      display = old.display, say = old.say, revision = old.revision, "templateRevision" = old."templateRevision",
        "telegramFileId" = old."fileId", "telegramFileUniqueId" = old."fileUniqueId",
      "telegramBotId" = old."botId", "storageChatId" = old."storageChatId", "storageMessageId" = old."storageMessageId",
        "availableAt" = coalesce(old."availableAt", now()), bytes = NULL,
      attempts = 0, "errorClass" = NULL, "errorText" = NULL, "retryAfter" = NULL, "updatedAt" = now()
    FROM old WHERE asset.id = old.id RETURNING old."hadVideo"`
}
