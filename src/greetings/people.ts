/** What is kept of a person, and how it goes. Statements on their requests stand in `requests.ts`. */
import type { Db } from '../db/database.ts'
import { removeAllOfPerson } from './requests.ts'

/** So long a request that is done is kept at most; people are told so. */
export const keptDays = 90

/** The language a person chose; null: none. */
export async function chosenLanguage(db: Db, userId: bigint): Promise<string | null> {
  const person = await db.user.findUnique({ where: { id: userId }, select: { chosenLanguage: true } })
  return person?.chosenLanguage ?? null
}

/** The language to write to a person in who did not write just now: what they chose, else what they were answered in last; null: neither is known. */
export async function lastLanguage(db: Db, userId: bigint): Promise<string | null> {
  const person = await db.user.findUnique({ where: { id: userId }, select: { chosenLanguage: true, language: true } })
  return person?.chosenLanguage ?? person?.language ?? null
}

/** Remembers the language a person chose. */
export async function chooseLanguage(db: Db, userId: bigint, language: string): Promise<void> {
  await db.$executeRaw`
    INSERT INTO "User" (id, "chosenLanguage") VALUES (${userId}, ${language})
    ON CONFLICT (id) DO UPDATE SET "chosenLanguage" = EXCLUDED."chosenLanguage"`
}

/**
 * Removes all that is kept of a person, in one transaction: requests, questions, votes, reports, share codes, updates of
 * theirs that were held, how often they were written to, and themselves. What they wait for is not sent any more. Videos of names stay: they
 * belong to nobody.
 * @param floodKey the flood bucket of their own chat
 */
export async function forgetPerson(db: Db, userId: bigint, floodKey: string): Promise<void> {
  await db.$transaction(async (tx) => {
    // Whoever asks in this moment waits, and begins as a new person.
    await tx.$executeRaw`SELECT 1 FROM "User" WHERE id = ${userId} FOR UPDATE`
    await removeAllOfPerson(tx, userId)
    await tx.$executeRaw`DELETE FROM "Question" WHERE "userId" = ${userId}`
    await tx.$executeRaw`DELETE FROM "NameVote" WHERE "userId" = ${userId}`
    await tx.$executeRaw`DELETE FROM "SoundReport" WHERE "userId" = ${userId}`
    await tx.$executeRaw`DELETE FROM "ShareCode" WHERE "userId" = ${userId}`
    // Also of groups, where a chat is not one person's.
    await tx.$executeRaw`DELETE FROM "HeldUpdate"
      WHERE "chatId" = ${userId} OR position('"from":{"id":' || ${String(userId)} || ',' in body) > 0`
    await tx.$executeRaw`DELETE FROM "WarmRun" WHERE "userId" = ${userId}`
    await tx.$executeRaw`DELETE FROM "FloodBucket" WHERE key = ${floodKey}`
    await tx.$executeRaw`DELETE FROM "User" WHERE id = ${userId}`
  })
}
