/** Lists that admins sent to be warmed: read, offered, and made when they say so, by whichever bot process is free. */
import { randomBytes } from 'node:crypto'
import type { Db } from '../db/database.ts'

/** `reading`: nobody told the admin what it holds; `offered`: they were asked; `running`: it is being made. */
export type WarmState = 'reading' | 'offered' | 'running' | 'done' | 'declined'

/** A list. */
export interface WarmRun {
  /** 16 characters of `A-Za-z0-9_-`: it travels in the data of the buttons */
  id: string
  chatId: bigint
  fileId: string
  language: string
  /** the message with the plan, later with the progress; null: not sent, as far as is known */
  messageId: number | null
  state: WarmState
  /** names that had a video when it began, and names that had failed; null: it has not begun */
  cached: number | null
  failedBefore: number | null
}

/** Who sent a list, and how. */
export interface SentList {
  userId: bigint
  chatId: bigint
  updateId: number
  fileId: string
  language: string
}

/** An offered list is forgotten after so long, any other after so many. */
const offeredDays = 1
const keptDays = 14

/** Stores a list; the same update stores it once. */
export async function storeWarmRun(
  db: Db,
  botId: bigint,
  { userId, chatId, updateId, fileId, language }: SentList,
): Promise<void> {
  const id = randomBytes(12).toString('base64url')
  await db.$executeRaw`
    INSERT INTO "WarmRun" (id, "botId", "userId", "chatId", "updateId", "fileId", language)
      VALUES (${id}, ${botId}, ${userId}, ${chatId}, ${updateId}, ${fileId}, ${language})
    ON CONFLICT ("botId", "updateId") DO NOTHING`
}

/** What came of a tap on a button of the plan: the state in which the list is now. */
export type WarmChoice = WarmState | 'not_yours' | 'old'

/** An admin pressed a button. The first tap counts; every other gives what it led to. */
export async function answerWarmRun(
  db: Db,
  botId: bigint,
  id: string,
  { userId, really }: { userId: bigint; really: boolean },
): Promise<WarmChoice> {
  const [run] = await db.$queryRaw<{ userId: bigint; state: WarmState }[]>`
    UPDATE "WarmRun" SET state = CASE WHEN "userId" = ${userId} AND state = 'offered'
      THEN ${really ? 'running' : 'declined'} ELSE state END
    WHERE id = ${id} AND "botId" = ${botId} RETURNING "userId", state`
  if (run === undefined) return 'old'
  return run.userId === userId ? run.state : 'not_yours'
}

/** A list that is to be read or made and that nobody works on, for so long as `holdWarmRun` says again. */
export async function takeWarmRun(db: Db, botId: bigint, owner: string, leaseMs: number): Promise<WarmRun | undefined> {
  const [run] = await db.$queryRaw<WarmRun[]>`
    UPDATE "WarmRun" SET "leaseOwner" = ${owner}, "leaseUntil" = now() + ${leaseMs}::float8 * interval '1 millisecond'
    WHERE id = (SELECT id FROM "WarmRun" WHERE "botId" = ${botId} AND state IN ('reading', 'running')
      AND coalesce("leaseUntil" < now(), true) ORDER BY "createdAt" LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id, "chatId", "fileId", language, "messageId", state, cached, "failedBefore"`
  return run
}

/** Goes on working on it. False: it is somebody else's now, or gone. */
export async function holdWarmRun(db: Db, id: string, owner: string, leaseMs: number): Promise<boolean> {
  const held = await db.$executeRaw`
    UPDATE "WarmRun" SET "leaseUntil" = now() + ${leaseMs}::float8 * interval '1 millisecond'
    WHERE id = ${id} AND "leaseOwner" = ${owner}`
  return held === 1
}

/** Writes down how far it is. */
export async function saveWarmRun(
  db: Db,
  id: string,
  change: Partial<Pick<WarmRun, 'messageId' | 'state' | 'cached' | 'failedBefore'>>,
): Promise<void> {
  await db.warmRun.updateMany({ where: { id }, data: change })
}

/** Leaves lists to others, all that this process works on or one of them. */
export async function leaveWarmRuns(db: Db, owner: string, id?: string): Promise<void> {
  await db.$executeRaw`UPDATE "WarmRun" SET "leaseOwner" = NULL, "leaseUntil" = NULL
    WHERE "leaseOwner" = ${owner} AND (${id ?? null}::text IS NULL OR id = ${id ?? null}::text)`
}

/** Lists that nobody answered go after a day, others after some weeks. */
export async function forgetWarmRuns(db: Pick<Db, '$executeRaw'>): Promise<void> {
  await db.$executeRaw`DELETE FROM "WarmRun"
    WHERE "createdAt" < now() - CASE state WHEN 'offered' THEN ${offeredDays}::int
      ELSE ${keptDays}::int END * interval '1 day'`
}
