/**
 * What earlier videos of a name left behind: posts in the storage channels and files of hosts. A trigger of the
 * database writes both down when a video is replaced or removed, so they are known until they are gone.
 */
import type { Db } from '../db/database.ts'

/** A post in a storage channel. */
export interface StoredPost {
  chatId: bigint
  messageId: number
}

/** The names' posts that no video stands for any more. */
export async function formerPosts(db: Db, keys: readonly string[]): Promise<StoredPost[]> {
  return db.$queryRaw<
    StoredPost[]
  >`SELECT "chatId", "messageId" FROM "FormerPost" WHERE name = ANY(${keys as string[]}::text[]) ORDER BY "chatId", "messageId"`
}

/**
 * Writes down a post that no video will stand for: the work on it was taken away
 * after the upload, or it is a copy that stayed.
 */
export async function rememberPost(
  db: Db,
  key: string,
  { chatId, messageId }: { chatId: bigint | null; messageId: number | null },
): Promise<void> {
  if (chatId === null || messageId === null) return
  await db.$executeRaw`INSERT INTO "FormerPost" ("chatId", "messageId", name) VALUES (${chatId}, ${messageId}, ${key})
    ON CONFLICT DO NOTHING`
}

/** These posts are gone. */
export async function postsAreGone(db: Db, posts: readonly StoredPost[]): Promise<void> {
  await db.$executeRaw`DELETE
    FROM "FormerPost" USING unnest(${posts.map(({ chatId }) => chatId)}::bigint[],
    ${posts.map(({ messageId }) => messageId)}::int[]) AS gone (chat, message) WHERE "chatId" = chat
    AND "messageId" = message`
}

/** Revisions of the names' files that no video stands for any more. */
export async function formerRevisions(db: Db, keys: readonly string[]): Promise<string[]> {
  const rows = await db.$queryRaw<{ revision: string }[]>`
    SELECT revision FROM "FormerFile" WHERE name = ANY(${keys as string[]}::text[])`
  return rows.map(({ revision }) => revision)
}

/** Leaves the files to the workers: from now on nothing tells whose they were. */
export async function forgetFiles(db: Db, keys: readonly string[]): Promise<void> {
  await db.$executeRaw`UPDATE "FormerFile" SET name = NULL, "createdAt" = now()
    WHERE name = ANY(${keys as string[]}::text[])`
}

/** Files of forgotten names, which no host should have from before then. */
export async function forgottenFiles(db: Db): Promise<{ revision: string; before: Date }[]> {
  return db.$queryRaw<
    { revision: string; before: Date }[]
  >`SELECT revision, "createdAt" AS before FROM "FormerFile" WHERE name IS NULL`
}

/** After so long every host that works has seen them. */
export async function purgeForgottenFiles(db: Db, olderThanMs: number): Promise<void> {
  await db.$executeRaw`DELETE FROM "FormerFile" WHERE name IS NULL
    AND "createdAt" < now() - ${olderThanMs}::float8 * interval '1 millisecond'`
}
