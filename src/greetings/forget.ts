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
}

/** The name's assets, of every template. */
export async function assetsOf(db: Db, key: string): Promise<KnownAsset[]> {
  return db.$queryRaw<KnownAsset[]>`
    SELECT id, template, name, display, say, generation, revision, "storageChatId" AS "chatId", "storageMessageId" AS "messageId", coalesce("leaseUntil" > now(), false) AS held
    FROM "VideoAsset" WHERE name = ${key} ORDER BY template`
}

/** What went. */
export interface Forgotten {
  requests: number
  /** of these, people who were waiting */
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
