/**
 * Updates that could not be handled in time, kept as they came until they can. One chat's are handled in their order:
 * the first of each is taken, by one process at a time, and those behind it wait.
 */
import type { Update } from 'grammy/types'
import type { Db, Tx } from '../db/database.ts'
import type { Name } from '../names/name.ts'

/** An update that is kept. */
export interface HeldUpdate {
  updateId: number
  /** the update as JSON */
  body: string
  /** how often it was tried from here, this time included */
  tries: number
  /** it was kept as long as it may be */
  isOver: boolean
}

/** Nobody fills the table alone: what a chat sends beyond this is dropped. */
const mostOfOneChat = 100

/** Keeps an update; one that is kept already stays as it is. It is not tried for `delayMs`. */
export async function holdUpdate(
  db: Db,
  botId: bigint,
  update: { updateId: number; chatId: bigint; body: string },
  delayMs: number,
): Promise<void> {
  await db.$executeRaw`
    INSERT INTO "HeldUpdate" ("botId", "updateId", "chatId", body, "nextTry")
    SELECT ${botId}, ${update.updateId}, ${update.chatId}, ${update.body},
      now() + ${delayMs}::float8 * interval '1 millisecond'
    WHERE (SELECT count(*) FROM "HeldUpdate" WHERE "botId" = ${botId}
      AND "chatId" = ${update.chatId}) < ${mostOfOneChat} ON CONFLICT DO NOTHING`
}

/** Those of the chats of which an update is kept. */
export async function chatsHeld(db: Db, botId: bigint, chatIds: readonly bigint[]): Promise<bigint[]> {
  const rows = await db.$queryRaw<
    { chatId: bigint }[]
  >`SELECT DISTINCT "chatId" FROM "HeldUpdate" WHERE "botId" = ${botId}
    AND "chatId" = ANY(${chatIds as bigint[]}::bigint[])`
  return rows.map(({ chatId }) => chatId)
}

/** Takes what is due, the first of each chat only. Nobody else takes it for `leaseMs`. */
export async function takeHeld(
  db: Db,
  botId: bigint,
  { most, leaseMs, heldMs }: { most: number; leaseMs: number; heldMs: number },
): Promise<HeldUpdate[]> {
  return db.$queryRaw<HeldUpdate[]>`
    UPDATE "HeldUpdate" AS held SET tries = tries + 1, "nextTry" = now() + ${leaseMs}::float8 * interval '1 millisecond'
    FROM (
      SELECT "updateId" FROM "HeldUpdate" AS due
      WHERE "botId" = ${botId} AND "nextTry" <= now()
        AND NOT EXISTS (SELECT 1 FROM "HeldUpdate" AS earlier WHERE earlier."botId" = ${botId}
          AND earlier."chatId" = due."chatId" AND earlier."updateId" < due."updateId")
      ORDER BY "nextTry" LIMIT ${most} FOR UPDATE SKIP LOCKED
    ) AS next WHERE held."botId" = ${botId} AND held."updateId" = next."updateId"
    RETURNING held."updateId", body, tries, "heldAt" < now() - ${heldMs}::float8 * interval '1 millisecond' AS "isOver"`
}

/** It still cannot be handled. Does nothing when somebody else has taken it since. */
export async function postponeHeld(
  db: Db,
  botId: bigint,
  { updateId, tries }: Pick<HeldUpdate, 'updateId' | 'tries'>,
  delayMs: number,
): Promise<void> {
  await db.$executeRaw`UPDATE "HeldUpdate" SET "nextTry" = now() + ${delayMs}::float8 * interval '1 millisecond'
    WHERE "botId" = ${botId} AND "updateId" = ${updateId} AND tries = ${tries}`
}

/** It is handled. */
export async function dropHeld(db: Db, botId: bigint, updateId: number): Promise<void> {
  await db.$executeRaw`DELETE FROM "HeldUpdate" WHERE "botId" = ${botId} AND "updateId" = ${updateId}`
}

/** How many are kept, and since when. */
export async function countHeld(db: Db, botId: bigint): Promise<{ held: number; oldestSeconds: number }> {
  const [row] = await db.$queryRaw<{ held: number; oldestSeconds: number | null }[]>`
    SELECT count(*)::int AS held, extract(epoch FROM now() - min("heldAt"))::int AS "oldestSeconds" FROM "HeldUpdate"
      WHERE "botId" = ${botId}`
  return { held: row?.held ?? 0, oldestSeconds: row?.oldestSeconds ?? 0 }
}

/** A person who asks for a name in an update that is held. */
export interface HeldQuestion {
  botId: bigint
  updateId: number
  chatId: bigint
  languageCode: string | undefined
  display: string
}

const page = 1_000

/**
 * Those who ask for the name with this key.
 * @param namesIn the names that a text may stand for
 */
export async function heldQuestions(
  db: Db,
  key: string,
  namesIn: (text: string) => readonly Name[],
): Promise<HeldQuestion[]> {
  const found: HeldQuestion[] = []
  let last = { botId: 0n, updateId: -1 }
  for (;;) {
    const rows = await db.$queryRaw<{ botId: bigint; updateId: number; chatId: bigint; body: string }[]>`
      SELECT "botId", "updateId", "chatId", body FROM "HeldUpdate"
        WHERE ("botId", "updateId") > (${last.botId}, ${last.updateId}) ORDER BY "botId", "updateId" LIMIT ${page}`
    for (const { body, ...row } of rows) {
      const update = JSON.parse(body) as Update
      const message = update.message ?? update.edited_message
      const name = namesIn(message?.text ?? message?.caption ?? '').find((one) => one.key === key)
      if (name !== undefined) found.push({ ...row, languageCode: message?.from?.language_code, display: name.display })
    }
    const end = rows.at(-1)
    if (end === undefined || rows.length < page) return found
    last = end
  }
}

/** They hold names, so none is kept for longer, also when no bot runs that would handle it. */
export async function endHeld(db: Pick<Db | Tx, '$executeRaw'>, heldMs: number): Promise<void> {
  await db.$executeRaw`DELETE FROM "HeldUpdate" WHERE "heldAt" < now() - ${heldMs}::float8 * interval '1 millisecond'`
}
