/** Codes that stand for a name in a link to the bot, where the name is too long for one. Made only when such a link is. */
import { randomBytes } from 'node:crypto'
import type { Db } from '../db/database.ts'

/** So long a code leads to its name; one that is shared again, longer. */
const codeDays = 90

/** The code of a name that `userId` shares, null: nobody in particular. The same person gets the same code again. */
export async function shareCode(db: Db, display: string, userId: bigint | null): Promise<string> {
  const [known] = await db.$queryRaw<{ code: string }[]>`
    UPDATE "ShareCode" SET "createdAt" = now() WHERE display = ${display} AND "userId" IS NOT DISTINCT FROM ${userId}
    RETURNING code`
  if (known !== undefined) return known.code
  const code = randomBytes(12).toString('base64url')
  await db.$executeRaw`INSERT INTO "ShareCode" (code, display, "userId") VALUES (${code}, ${display}, ${userId})`
  return code
}

/** The name of a code; undefined: it is over, or was never made. */
export async function nameOfShareCode(db: Db, code: string): Promise<string | undefined> {
  const [row] = await db.$queryRaw<{ display: string }[]>`
    SELECT display FROM "ShareCode" WHERE code = ${code} AND "createdAt" > now() - ${codeDays}::int * interval '1 day'`
  return row?.display
}

/** Codes that are over go. */
export async function forgetShareCodes(db: Pick<Db, '$executeRaw'>): Promise<void> {
  await db.$executeRaw`DELETE FROM "ShareCode" WHERE "createdAt" < now() - ${codeDays}::int * interval '1 day'`
}

/** The codes of a name go. */
export async function forgetNameInShareCodes(db: Pick<Db, '$executeRaw'>, key: string): Promise<void> {
  await db.$executeRaw`DELETE FROM "ShareCode" WHERE lower(display) = ${key}`
}
