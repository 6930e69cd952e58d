/** Questions with buttons: asked before anything is made, answered once, by whoever was asked. */
import { randomBytes } from 'node:crypto'
import type { Db } from '../db/database.ts'
import { partsOf } from '../names/set.ts'

/** A question that was asked, or is being asked. */
export interface Question {
  /** 16 characters of `A-Za-z0-9_-`: it travels in the data of the buttons */
  id: string
  /** display forms of the names to choose from */
  names: string[]
  /** the message with the buttons; null: it was not sent, as far as is known */
  messageId: number | null
}

/** Who is asked, and the update that made it necessary. */
export interface Asked {
  userId: bigint
  chatId: bigint
  updateId: number
}

/** What came of a tap on a button. */
export type Choice =
  /** it counts: it is the first, or this very update was seen before */
  | { status: 'chosen'; names: string[] }
  /** another one was pressed first */
  | { status: 'answered'; names: string[]; choice: string }
  | { status: 'not_yours' }
  /** it is not known any more */
  | { status: 'old' }

/** After so long a question is gone, and its buttons say so. */
const questionDays = 1

/** Stores the question of an update; one that is stored already is given as it is. */
export async function storeQuestion(
  db: Db,
  botId: bigint,
  { userId, chatId, updateId }: Asked,
  names: readonly string[],
): Promise<Question> {
  const id = randomBytes(12).toString('base64url')
  const [question] = await db.$queryRaw<Question[]>`
    INSERT INTO "Question" (id, "botId", "userId", "chatId", "updateId", names)
      VALUES (${id}, ${botId}, ${userId}, ${chatId}, ${updateId}, ${names as string[]}::text[])
    ON CONFLICT ("botId", "updateId") DO UPDATE SET id = "Question".id
    RETURNING id, names, "messageId"`
  if (question === undefined) throw new Error('a question was neither stored nor known')
  return question
}

/** The question stands in the chat. */
export async function questionSent(db: Db, id: string, messageId: number): Promise<void> {
  await db.$executeRaw`UPDATE "Question" SET "messageId" = ${messageId} WHERE id = ${id}`
}

/** The names of the question that this person was asked last in this chat and has not answered, of the last hour; none: there is no such question. */
export async function namesOffered(db: Db, botId: bigint, { userId, chatId, updateId }: Asked): Promise<string[]> {
  const [last] = await db.$queryRaw<{ names: string[]; choice: string | null }[]>`
    SELECT names, choice FROM "Question" WHERE "chatId" = ${chatId} AND "userId" = ${userId} AND "botId" = ${botId}
      AND "updateId" <> ${updateId} AND "createdAt" > now() - interval '1 hour' ORDER BY "createdAt" DESC LIMIT 1`
  return last === undefined || last.choice !== null ? [] : last.names
}

/** A person pressed a button. The same update gives the same answer however often it comes. */
export async function choose(
  db: Db,
  botId: bigint,
  id: string,
  { userId, choice, updateId }: { userId: bigint; choice: string; updateId: number },
): Promise<Choice> {
  const [question] = await db.$queryRaw<{ userId: bigint; names: string[]; choice: string; choiceUpdateId: number }[]>`
    UPDATE "Question" SET
      choice = CASE WHEN "userId" = ${userId} THEN coalesce(choice, ${choice}) ELSE choice END,
      "choiceUpdateId" = CASE WHEN "userId" = ${userId} THEN coalesce("choiceUpdateId", ${updateId})
        ELSE "choiceUpdateId" END
    WHERE id = ${id} AND "botId" = ${botId} RETURNING "userId", names, choice, "choiceUpdateId"`
  if (question === undefined) return { status: 'old' }
  if (question.userId !== userId) return { status: 'not_yours' }
  const { names } = question
  if (question.choiceUpdateId === updateId) return { status: 'chosen', names }
  return { status: 'answered', names, choice: question.choice }
}

/** Questions hold names, so none is kept for longer than a day. */
export async function forgetQuestions(db: Pick<Db, '$executeRaw'>): Promise<void> {
  await db.$executeRaw`DELETE FROM "Question" WHERE "createdAt" < now() - ${questionDays}::int * interval '1 day'`
}

/** Questions in which one may choose this name go, or all names of this set, and votes for it. */
export async function forgetNameInQuestions(db: Pick<Db, '$executeRaw'>, key: string): Promise<void> {
  await db.$executeRaw`DELETE FROM "Question" 
    WHERE ${partsOf(key)}::text[] <@ ARRAY(SELECT lower(name) FROM unnest(names) AS name)`
  await db.$executeRaw`DELETE FROM "NameVote" WHERE name = ${key}`
}
