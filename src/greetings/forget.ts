/** Removes what is known of a name. */
import type { Db } from '../db/database.ts'
import type { GreetingsQueue } from '../queue/index.ts'

/** An asset that is to go. */
export interface KnownAsset {
  id: string
  template: string
  name: string
  display: string
  say: string | null
  generation: number
  /** of the recorded video */
  revision: string | null
  chatId: bigint | null
  messageId: number | null
  /** a worker has it now */
  held: boolean
  /** people who wait for it */
  waiting: number
}

/** The name's assets, of every template. */
export async function assetsOf(db: Db, key: string): Promise<KnownAsset[]> {
  return db.$queryRaw<KnownAsset[]>`
    SELECT id, template, name, display, say, generation, revision, "storageChatId" AS "chatId", "storageMessageId" AS "messageId", coalesce("leaseUntil" > now(), false) AS held,
      (SELECT count(*) FROM "UserRequest" WHERE "assetId" = "VideoAsset".id AND status = 'PENDING')::int AS waiting
    FROM "VideoAsset" WHERE name = ${key} ORDER BY template`
}

/**
 * Gives up what people wait for, so that they can be told: no worker begins it any more, and who asks now hears to try
 * again in a minute. False: a worker has taken one of them in the meantime.
 */
export async function giveUpWaited(db: Db, assets: readonly KnownAsset[]): Promise<boolean> {
  const ids = assets.filter(({ waiting }) => waiting > 0).map(({ id }) => id)
  const given = await db.$executeRaw`
    UPDATE "VideoAsset" SET status = CASE WHEN status = 'AVAILABLE' THEN status ELSE 'FAILED' END, generation = generation + 1, "queuedAt" = NULL, "errorClass" = 'forgotten', "errorText" = NULL, "retryAfter" = now() + interval '1 minute', "updatedAt" = now()
    WHERE id = ANY(${ids}::text[]) AND ("leaseUntil" IS NULL OR "leaseUntil" < now())`
  return given === ids.length
}

/** What went. */
export interface Forgotten {
  requests: number
  /** of these, people who still waited */
  waiting: number
}

/**
 * Removes the assets, their requests and their jobs, all or none; undefined when a worker has taken one of them
 * in the meantime. The statistics stay.
 */
export async function forgetAssets({ db, queue }: { db: Db; queue: GreetingsQueue }, assets: readonly KnownAsset[]): Promise<Forgotten | undefined> {
  const ids = assets.map(({ id }) => id)
  const gone = await db.$transaction(async (tx): Promise<Forgotten | undefined> => {
    // Whoever asks in this moment waits for the lock, and then finds no asset and makes a new one.
    const locked = await tx.$queryRaw<{ held: boolean }[]>`SELECT coalesce("leaseUntil" > now(), false) AS held FROM "VideoAsset" WHERE id = ANY(${ids}::text[]) FOR UPDATE`
    if (locked.some(({ held }) => held)) return undefined
    const [waiting] = await tx.$queryRaw<{ count: bigint }[]>`SELECT count(*) AS count FROM "UserRequest" WHERE "assetId" = ANY(${ids}::text[]) AND status = 'PENDING'`
    const requests = await tx.$executeRaw`DELETE FROM "UserRequest" WHERE "assetId" = ANY(${ids}::text[])`
    await tx.$executeRaw`DELETE FROM "VideoAsset" WHERE id = ANY(${ids}::text[])`
    return { requests, waiting: Number(waiting?.count ?? 0) }
  })
  if (gone !== undefined) for (const lane of ['people', 'warm'] as const) await queue.remove(lane, assets.map(({ id, generation }) => ({ assetId: id, generation })))
  return gone
}
