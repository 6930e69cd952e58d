/**
 * What people asked for: who waits, who sends to them, and how it ended. All
 * statements that change `UserRequest` stand here.
 *
 *   PENDING                the door stores it, claimed for its caller when there is a video already
 *   PENDING, claimed       somebody sends: until `claimUntil`, by the database's clock. When that is over, it is anybody's
 *   PENDING, resting       nobody sends before `claimUntil`, and nobody owns the claim: its chat, or Telegram, needs a rest
 *   COMPLETED              the video arrived, or Telegram said so
 *   FAILED                 the person was told that there is no video, or cannot be reached
 *
 * COMPLETED and FAILED are final; such requests are only removed.
 */
import { hostname } from 'node:os'
import { randomUUID } from 'node:crypto'
import type { Times } from '../config.ts'
import { sql, type Db, type Tx } from '../db/database.ts'
import type { Ask } from './ask.ts'
import type { Attempt } from './gate.ts'

/** The person who asks, and the update in which they did. */
export interface Person {
  userId: bigint
  chatId: bigint
  language: string
  updateId: number
  /** without the limits below, for operators */
  unlimited?: boolean
  attempt?: Attempt
}

/** The owner of requests that the door claims for its caller. */
const doorClaims = 'door'

/** The owner of requests that this process claims. */
const me = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`

/** A request this process has claimed. */
export interface ClaimedRequest {
  id: string
  chatId: bigint
  language: string
  noteMessageId: number | null
  /** they wrote е where the name has ё */
  wroteE: boolean
  /** as the request's row names whoever claimed it */
  claimOwner: string
}

const claimedByDoor = (id: string, { chatId, language }: Person, wroteE: boolean): ClaimedRequest => ({
  id,
  wroteE,
  chatId,
  language,
  noteMessageId: null,
  claimOwner: doorClaims,
})

// ---- asking ----------------------------------------------------------------------------------------

/**
 * Stores and claims a person's request for a video that can be sent, in one statement; undefined: there is none.
 * `claimed` null: it was stored before, or `isFull`: more than `most` are on their way to this person.
 */
export async function storeHit(
  db: Db,
  ask: Ask,
  person: Person,
  { botId, times, most }: { botId: bigint; times: Times; most: number },
): Promise<{ assetId: string; fileId: string; claimed: ClaimedRequest | null; isFull: boolean } | undefined> {
  const [row] = await db.$queryRaw<{ assetId: string; fileId: string; requestId: string | null; isFull: boolean }[]>`
    WITH patience AS (SELECT set_config('lock_timeout', ${String(times.lockMs)}, true)), asset AS (
      SELECT id, "telegramFileId" FROM patience, "VideoAsset"
      WHERE template = ${ask.template} AND name = ${ask.key} AND "telegramBotId" = ${botId}
        AND "telegramFileId" IS NOT NULL FOR KEY SHARE OF "VideoAsset"
    ), person AS (
      INSERT INTO "User" (id, language) SELECT ${person.userId}, ${person.language} FROM asset
      ON CONFLICT (id) DO UPDATE SET language = EXCLUDED.language WHERE "User".language IS DISTINCT
        FROM EXCLUDED.language
    ), way AS (
      SELECT count(*) FILTER (WHERE hit) >= ${most}
        AND NOT coalesce(bool_or("assetId" = (SELECT id FROM asset)), false) AS "isFull"
      FROM "UserRequest" WHERE "userId" = ${person.userId} AND status = 'PENDING'
    ), request AS (
      INSERT INTO "UserRequest" ("userId", "assetId", "chatId", language, "botId", "updateId", hit, "wroteE",
        "claimOwner", "claimUntil")
      SELECT ${person.userId}, id, ${person.chatId}, ${person.language}, ${botId}, ${person.updateId}, true,
        ${ask.wroteE === true}, ${doorClaims}, now() + ${times.claimMs}::float8 * interval '1 millisecond'
      FROM asset, way WHERE NOT "isFull" AND NOT EXISTS (SELECT 1 FROM "UserRequest" WHERE "botId" = ${botId}
        AND "updateId" = ${person.updateId} AND "userId" = ${person.userId}) ON CONFLICT DO NOTHING RETURNING id
    )
    SELECT asset.id AS "assetId", "telegramFileId" AS "fileId", (SELECT id FROM request) AS "requestId", "isFull"
      FROM asset, way`
  if (row === undefined) return undefined
  const { requestId, ...found } = row
  return { ...found, claimed: requestId === null ? null : claimedByDoor(requestId, person, ask.wroteE === true) }
}

/** Stores the person and locks their row until the transaction ends. */
export async function storePerson(tx: Tx, { userId, language }: Person, { lockMs }: Times): Promise<void> {
  await tx.$executeRaw`
    WITH patience AS (SELECT set_config('lock_timeout', ${String(lockMs)}, true))
    INSERT INTO "User" (id, language) SELECT ${userId}, ${language} FROM patience
    ON CONFLICT (id) DO UPDATE SET language = EXCLUDED.language WHERE "User".language IS DISTINCT
      FROM EXCLUDED.language`
}

/** What a person waits for, and has caused to be made in the last day; a set counts as often as its requests' weight says. */
export interface PersonLoad {
  /** that were, or are, to be made */
  waiting: number
  /** that there were when they asked */
  onTheirWay: number
  today: number
  /** of those of the last day */
  oldestOfToday: Date | null
  /** they wait for this very asset, in this chat */
  waitsForIt: boolean
}

/** What a person has asked for lately, and whether that is so of an asset. */
export async function loadOf(tx: Tx, { userId, chatId }: Person, assetId = ''): Promise<PersonLoad> {
  const [load] = await tx.$queryRaw<PersonLoad[]>`
    SELECT coalesce(sum(weight) FILTER (WHERE status = 'PENDING' AND NOT hit), 0)::int AS waiting,
           count(*) FILTER (WHERE status = 'PENDING' AND hit)::int AS "onTheirWay",
           coalesce(sum(weight) FILTER (WHERE NOT hit AND "createdAt" > now() - interval '1 day'), 0)::int AS today,
           min("createdAt") FILTER (WHERE NOT hit AND "createdAt" > now() - interval '1 day') AS "oldestOfToday",
           coalesce(bool_or(status = 'PENDING' AND "assetId" = ${assetId} AND "chatId" = ${chatId}), false)
             AS "waitsForIt"
    FROM "UserRequest" WHERE "userId" = ${userId}`
  if (load === undefined) throw new Error('a count has no row')
  return load
}

/** Remembers that a person is told of a limit. False: they were told, and it has not ended. */
export async function noteLimitTold(
  db: Db | Tx,
  userId: bigint,
  limit: 'limitToldUntil' | 'wayToldUntil',
  until: Date,
): Promise<boolean> {
  const sql = `UPDATE "User" SET "${limit}" = $2 WHERE id = $1 AND ("${limit}" IS NULL OR "${limit}" < now())`
  return (await db.$executeRawUnsafe(sql, userId, until)) > 0
}

/** Of those who wait for the asset, how many names of their own go before it at least; null: nobody waits. */
export async function leastBehind(tx: Tx, assetId: string): Promise<number | null> {
  const least = await tx.userRequest.aggregate({ where: { assetId, status: 'PENDING' }, _min: { behind: true } })
  return least._min.behind
}

/**
 * Stores a person's request: for a video that is there, which the caller claims for `claimMs`, or for one to be made. Whom
 * there is room for to wait for one more is told of a limit again. Null: somebody in this chat waits for the asset already.
 */
export async function storeRequest(
  tx: Tx,
  assetId: string,
  person: Person,
  {
    botId,
    claimMs,
    behind = 0,
    weight = 1,
    wroteE = false,
  }: { botId: bigint; claimMs?: number; behind?: number; weight?: number; wroteE?: boolean },
): Promise<{ id: string; claimed: ClaimedRequest | null } | null> {
  const hit = claimMs !== undefined
  const [stored] = await tx.$queryRaw<{ id: string }[]>`
    WITH stored AS (
      INSERT INTO "UserRequest" ("userId", "assetId", "chatId", language, "botId", "updateId", hit, behind, weight,
        "wroteE", "claimOwner", "claimUntil")
      VALUES (${person.userId}, ${assetId}, ${person.chatId}, ${person.language}, ${botId}, ${person.updateId}, ${hit},
        ${behind}, ${weight}, ${wroteE}, ${hit ? doorClaims : null}, CASE WHEN ${hit}
          THEN now() + ${claimMs ?? 0}::float8 * interval '1 millisecond' END)
      ON CONFLICT DO NOTHING RETURNING id, hit
    ), heard AS (
      UPDATE "User" SET "limitToldUntil" = NULL FROM stored WHERE "User".id = ${person.userId}
        AND "limitToldUntil" IS NOT NULL AND NOT stored.hit
    )
    SELECT id FROM stored`
  return stored === undefined ? null : { id: stored.id, claimed: hit ? claimedByDoor(stored.id, person, wroteE) : null }
}

/** A row for each asset that people wait for: of each, how many names of their own go before it at least. */
export const waitedFor = sql`
  SELECT "assetId", min(behind) AS behind FROM "UserRequest" WHERE status = 'PENDING' GROUP BY 1`

// ---- claims ----------------------------------------------------------------------------------------

/** Claims the next `most` requests for an asset whom nobody serves now, the oldest first. */
export async function claimRequests(
  db: Db,
  { claimMs }: Times,
  assetId: string,
  most: number,
): Promise<ClaimedRequest[]> {
  const claimed = await db.$queryRaw<(ClaimedRequest & { createdAt: Date })[]>`
    UPDATE "UserRequest" AS request
      SET "claimOwner" = ${me}, "claimUntil" = now() + ${claimMs}::float8 * interval '1 millisecond'
    FROM (
      SELECT id FROM "UserRequest" WHERE "assetId" = ${assetId} AND status = 'PENDING' AND ("claimUntil" IS NULL
        OR "claimUntil" < now())
      ORDER BY "createdAt" LIMIT ${most} FOR UPDATE SKIP LOCKED
    ) AS next WHERE request.id = next.id
    RETURNING request.id, "chatId", language, "noteMessageId", "wroteE", "claimOwner", request."createdAt"`
  return claimed.sort((one, other) => one.createdAt.getTime() - other.createdAt.getTime())
}

/** A claim is prolonged from now on. False: it ran out, and the request is somebody else's now, or done. */
export async function renewClaim(db: Db, { claimMs }: Times, request: ClaimedRequest): Promise<boolean> {
  const kept = await db.$executeRaw`
    UPDATE "UserRequest" SET "claimUntil" = now() + ${claimMs}::float8 * interval '1 millisecond'
    WHERE id = ${request.id} AND status = 'PENDING' AND "claimOwner" = ${request.claimOwner}`
  return kept > 0
}

/** Holds a claim for `ms` from now: for as long as its chat is to rest. */
export async function extendClaim(db: Db, request: ClaimedRequest, ms: number): Promise<void> {
  await db.$executeRaw`UPDATE "UserRequest" SET "claimUntil" = now() + ${ms}::float8 * interval '1 millisecond'
    WHERE id = ${request.id}`
}

/** Nobody takes the request before `delayMs` from now, unless it is somebody else's already. */
export async function postpone(db: Db, request: ClaimedRequest, delayMs: number): Promise<void> {
  await db.$executeRaw`UPDATE "UserRequest"
    SET "claimOwner" = NULL, "claimUntil" = now() + ${delayMs}::float8 * interval '1 millisecond'
    WHERE id = ${request.id} AND status = 'PENDING' AND "claimOwner" = ${request.claimOwner}`
}

/** The person's chat has another number now. */
export async function moveToChat(db: Db, request: ClaimedRequest, chatId: bigint): Promise<void> {
  await db.userRequest.updateMany({ where: { id: request.id }, data: { chatId } })
}

/**
 * The note that says that a video is being made stands in the chat: what it says, by when the video was promised, and
 * after how long somebody looks at it again. False: the request is answered already.
 */
export async function noteSent(
  db: Db,
  requestId: string,
  { messageId, says, promisedMs, lookMs }: { messageId: number; says: string; promisedMs: number; lookMs: number },
): Promise<boolean> {
  const rows = await db.$executeRaw`
    WITH noted AS (
      UPDATE "UserRequest" SET "noteMessageId" = ${messageId} WHERE id = ${requestId} AND status = 'PENDING'
      RETURNING id
    )
    INSERT INTO "WaitingNote" ("requestId", says, "promisedAt", "dueAt")
      SELECT id, ${says}, now() + ${promisedMs}::float8 * interval '1 millisecond',
        now() + ${lookMs}::float8 * interval '1 millisecond' FROM noted
    ON CONFLICT ("requestId") DO UPDATE SET says = EXCLUDED.says, "dueAt" = EXCLUDED."dueAt"`
  return rows > 0
}

const crowd = 1_000

/** How many wait for an asset and could be served now; of a crowd no more than can be told apart are counted. */
export async function waitingFor(db: Db, assetId: string): Promise<number> {
  const [row] = await db.$queryRaw<{ count: bigint }[]>`
    SELECT count(*) AS count FROM (
      SELECT 1 FROM "UserRequest" WHERE "assetId" = ${assetId} AND status = 'PENDING' AND ("claimUntil" IS NULL
        OR "claimUntil" < now()) LIMIT ${crowd}) AS free`
  return Number(row?.count ?? 0)
}

/**
 * How long until one who waits for the asset may be served: somebody else has
 * claimed them, or they rest. Undefined: nobody waits.
 */
export async function untilSomebodyIsFree(db: Db, assetId: string): Promise<number | undefined> {
  const [row] = await db.$queryRaw<{ waitMs: number | null }[]>`
    SELECT (extract(epoch FROM min(coalesce("claimUntil", now())) - now()) * 1000)::float8 AS "waitMs"
      FROM "UserRequest" WHERE "assetId" = ${assetId} AND status = 'PENDING'`
  return row?.waitMs ?? undefined
}

/** Who asked, and for which name; undefined: there is no such request. */
export async function nameOfRequest(
  db: Db,
  requestId: string,
): Promise<{ userId: bigint; display: string } | undefined> {
  const request = await db.userRequest.findUnique({
    where: { id: requestId },
    select: { userId: true, asset: { select: { display: true } } },
  })
  return request === null ? undefined : { userId: request.userId, display: request.asset.display }
}

/** The note that says that a video is being made; null: there is none. */
export async function noteOf(db: Db, requestId: string): Promise<number | null> {
  const request = await db.userRequest.findUnique({ where: { id: requestId }, select: { noteMessageId: true } })
  return request?.noteMessageId ?? null
}

// ---- the end ---------------------------------------------------------------------------------------

/**
 * The person has their video. Undefined: somebody else has marked it;
 * otherwise how it went, in seconds since they asked.
 */
export async function markCompleted(
  db: Db,
  request: ClaimedRequest,
): Promise<{ hit: boolean; seconds: number } | undefined> {
  const [done] = await db.$queryRaw<{ hit: boolean; seconds: number }[]>`
    UPDATE "UserRequest" SET status = 'COMPLETED', "claimOwner" = NULL, "claimUntil" = NULL, "errorText" = NULL,
      "finishedAt" = now(), "updatedAt" = now() WHERE id = ${request.id} AND status = 'PENDING'
    RETURNING hit, extract(epoch FROM "finishedAt" - "createdAt")::float8 AS seconds`
  return done
}

/** There is no video for the person, who was told so or cannot be reached. False: the request was answered before. */
export async function markUnanswered(db: Db, request: ClaimedRequest, errorText: string): Promise<boolean> {
  const rows = await db.$executeRaw`UPDATE "UserRequest"
      SET status = 'FAILED', "claimOwner" = NULL, "claimUntil" = NULL, "errorText" = ${errorText.slice(0, 200)},
      "finishedAt" = now(), "updatedAt" = now() WHERE id = ${request.id} AND status = 'PENDING'`
  return rows > 0
}

/** Removes the next `most` finished requests for these assets. Returns how many. */
export async function removeFinished(db: Db, assetIds: string[], most: number): Promise<number> {
  return db.$executeRaw`DELETE FROM "UserRequest" WHERE id IN (SELECT id FROM "UserRequest"
    WHERE "assetId" = ANY(${assetIds}::text[]) AND status <> 'PENDING' LIMIT ${most})`
}

/** Removes all requests for these assets. Returns how many. */
export async function removeAllOf(tx: Tx, assetIds: string[]): Promise<number> {
  return tx.$executeRaw`DELETE FROM "UserRequest" WHERE "assetId" = ANY(${assetIds}::text[])`
}

/** Removes all requests of a person, finished or not. */
export async function removeAllOfPerson(tx: Tx, userId: bigint): Promise<void> {
  await tx.$executeRaw`DELETE FROM "UserRequest" WHERE "userId" = ${userId}`
}

/**
 * Removes the next `most` requests that were finished longer ago than this, but for
 * rows that somebody has locked. Returns how many.
 */
export async function removeOld(db: Db, olderThanMs: number, most: number): Promise<number> {
  return db.$executeRaw`
      DELETE FROM "UserRequest" WHERE id IN (
        SELECT id FROM "UserRequest" WHERE "createdAt" < now() - ${olderThanMs}::float8 * interval '1 millisecond'
          AND "finishedAt" < now() - ${olderThanMs}::float8 * interval '1 millisecond' AND status <> 'PENDING'
        ORDER BY "createdAt" LIMIT ${most} FOR UPDATE SKIP LOCKED)`
}
