/** Names that are spoken wrongly, as people said: what they wish, who reads it, and whom to offer another video. */
import { randomBytes } from 'node:crypto'
import type { Db } from '../db/database.ts'
import { stressChoices } from '../names/stress.ts'

/** A person’s report. */
export interface SoundReport {
  /** 16 characters of `A-Za-z0-9_-`: it travels in the data of the buttons */
  id: string
  display: string
  /** the vowel that is to be stressed, counted from 0; null: none was chosen */
  stress: number | null
}

/** What came of a tap: a report of this person, somebody else’s video, or one that is not known any more. */
export type Reported = { status: 'reported'; report: SoundReport } | { status: 'not_yours' } | { status: 'old' }

/** So long the offer of another video can be taken. */
const offeredDays = 7

/**
 * Reports that the video of a request sounds wrong. One report per person and name: another one takes the place of one that
 * is closed, and the same update makes no second.
 */
export async function reportSound(
  db: Db,
  requestId: string,
  { userId, updateId, language }: { userId: bigint; updateId: number; language: string },
): Promise<Reported> {
  await db.$executeRaw`
    DELETE FROM "SoundReport" USING "UserRequest" AS request
    WHERE request.id = ${requestId} AND request."userId" = ${userId} AND "SoundReport"."userId" = ${userId}
      AND "SoundReport"."assetId" = request."assetId" AND "closedAt" IS NOT NULL
      AND "SoundReport"."updateId" <> ${updateId}`
  const id = randomBytes(12).toString('base64url')
  const [stored] = await db.$queryRaw<{ id: string }[]>`
    INSERT INTO "SoundReport" (id, "userId", "assetId", "chatId", language, revision, "updateId")
    SELECT ${id}, request."userId", asset.id, request."chatId", ${language},
      CASE WHEN request."finishedAt" < asset."availableAt" THEN '' ELSE asset.revision END, ${updateId}
    FROM "UserRequest" AS request JOIN "VideoAsset" AS asset ON asset.id = request."assetId"
    WHERE request.id = ${requestId} AND request."userId" = ${userId}
    ON CONFLICT ("userId", "assetId") DO UPDATE SET language = EXCLUDED.language RETURNING id`
  if (stored !== undefined) return reportOf(db, stored.id, userId)
  return { status: (await db.userRequest.count({ where: { id: requestId } })) > 0 ? 'not_yours' : 'old' }
}

/** The report with this id, if it is this person’s. */
export async function reportOf(db: Db, id: string, userId: bigint): Promise<Reported> {
  const row = await db.soundReport.findUnique({
    where: { id },
    select: { userId: true, stress: true, asset: { select: { display: true } } },
  })
  if (row === null) return { status: 'old' }
  if (row.userId !== userId) return { status: 'not_yours' }
  return { status: 'reported', report: { id, display: row.asset.display, stress: row.stress } }
}

/** Remembers which vowel is to be stressed; the first choice stays. */
export async function wishStress(db: Db, id: string, stress: number): Promise<void> {
  await db.$executeRaw`UPDATE "SoundReport" SET stress = ${stress} WHERE id = ${id} AND stress IS NULL`
}

// ---- the operator ----------------------------------------------------------------------------------

/** A name that sounds wrong to some. */
export interface ReportedName {
  name: string
  template: string
  /** how the operator’s list wants it spoken now */
  say: string | null
  /** people who said so and heard no other video since */
  count: number
  /** the stress they wish, with an acute accent, the most wished first; those who chose none are left out */
  wanted: { spelling: string; count: number }[]
}

/** Names that people reported and that have had no other video since, the most reported first. */
export async function reportedNames(
  db: Db,
  { template, limit }: { template?: string | undefined; limit?: number | undefined } = {},
): Promise<ReportedName[]> {
  const rows = await db.$queryRaw<(Omit<ReportedName, 'wanted'> & { stresses: number[] | null })[]>`
    SELECT display AS name, template, say, count(*)::int AS count,
      array_agg(stress) FILTER (WHERE stress IS NOT NULL) AS stresses
    FROM "SoundReport" AS report JOIN "VideoAsset" AS asset ON asset.id = report."assetId"
    WHERE "closedAt" IS NULL AND report.revision IS NOT DISTINCT FROM asset.revision
      AND (${template ?? null}::text IS NULL OR template = ${template ?? null}::text)
    GROUP BY asset.id ORDER BY 4 DESC, 1, 2 LIMIT ${limit ?? null}::bigint`
  return rows.map(({ stresses, ...row }) => ({ ...row, wanted: wishesOf(row.name, stresses ?? []) }))
}

function wishesOf(display: string, stresses: readonly number[]): ReportedName['wanted'] {
  return stressChoices(display)
    .map((spelling, index) => ({ spelling, count: stresses.filter((stress) => stress === index).length }))
    .filter(({ count }) => count > 0)
    .sort((one, other) => other.count - one.count)
}

// ---- another video ---------------------------------------------------------------------------------

/** Somebody who is to be offered another video. */
export interface Offer {
  /** of the report */
  id: string
  chatId: bigint
  language: string
  display: string
}

/** Those to offer another video to, as there is one now that this bot can send: the next few, the oldest first. */
export async function nextOffers(db: Db, botId: bigint, most: number): Promise<Offer[]> {
  return db.$queryRaw<Offer[]>`
    SELECT report.id, "chatId", language, display FROM "SoundReport" AS report
      JOIN "VideoAsset" AS asset ON asset.id = report."assetId"
    WHERE "closedAt" IS NULL AND status = 'AVAILABLE' AND "telegramFileId" IS NOT NULL AND "telegramBotId" = ${botId}
      AND report.revision IS DISTINCT FROM asset.revision
    ORDER BY report."createdAt" LIMIT ${most}`
}

/** Closes a report before its offer goes out, so that none goes out twice. False: it was closed, or is gone. */
export async function closeReport(db: Db, id: string): Promise<boolean> {
  const rows = await db.$executeRaw`UPDATE "SoundReport" SET "closedAt" = now() WHERE id = ${id} AND "closedAt" IS NULL`
  return rows > 0
}

/** The offer did not go out and is to be tried again. */
export async function reopenReport(db: Db, id: string): Promise<void> {
  await db.$executeRaw`UPDATE "SoundReport" SET "closedAt" = NULL WHERE id = ${id}`
}

// ---- the end ---------------------------------------------------------------------------------------

/** Removes reports that are closed, once their offer is old, and those that nobody attended to for as long as requests are kept. */
export async function forgetReports(db: Pick<Db, '$executeRaw'>, keptDays: number): Promise<void> {
  await db.$executeRaw`
    DELETE FROM "SoundReport" WHERE "createdAt" < now() - ${keptDays}::int * interval '1 day'
      OR "closedAt" < now() - ${offeredDays}::int * interval '1 day'`
}
