/** Removes what is known of a name. */
import type { Db } from '../../db/database.ts'
import { isSet } from '../../names/set.ts'
import type { GreetingsQueue } from '../../queue/index.ts'
import { lanes } from '../../queue/lanes.ts'
import { removeAssets } from '../assets.ts'
import { removeFinished } from '../requests.ts'

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

/** The assets of these names, of every template. */
export async function assetsOf(db: Db, keys: readonly string[]): Promise<KnownAsset[]> {
  return db.$queryRaw<KnownAsset[]>`
    SELECT id, template, name, display, say, generation, revision, "storageChatId" AS "chatId",
      "storageMessageId" AS "messageId", coalesce("leaseUntil" > now(), false) AS held,
      (SELECT count(*) FROM "UserRequest" WHERE "assetId" = "VideoAsset".id AND status = 'PENDING')::int AS waiting
    FROM "VideoAsset" WHERE name = ANY(${keys as string[]}::text[]) ORDER BY template, name`
}

/** Keys of what is drawn and spoken together with this name, there or left behind. Nothing holds a set. */
export async function setsWith(db: Db, key: string): Promise<string[]> {
  if (isSet(key)) return []
  const rows = await db.$queryRaw<{ name: string }[]>`
    SELECT name FROM "VideoAsset" WHERE name LIKE '% & %' AND string_to_array(name, ' & ') @> ARRAY[${key}::text]
    UNION SELECT name FROM "FormerPost" WHERE ${key} = ANY(string_to_array(name, ' & '))
    UNION SELECT name FROM "FormerFile" WHERE ${key} = ANY(string_to_array(name, ' & ')) ORDER BY 1`
  return rows.map(({ name }) => name).filter((name) => name !== key)
}

/** What went. */
export interface Forgotten {
  requests: number
  /** of these, people who still waited */
  waiting: number
}

const batch = 5_000

/**
 * Removes the assets, their requests and their jobs; undefined when a worker has taken one of them in the meantime:
 * then only finished requests are gone. The statistics stay.
 */
export async function forgetAssets(
  { db, queue }: { db: Db; queue: GreetingsQueue },
  assets: readonly KnownAsset[],
): Promise<Forgotten | undefined> {
  const ids = assets.map(({ id }) => id)
  let requests = 0
  // A popular name has a hundred thousand of them, and whoever asks waits for the last step only.
  for (let removed = batch; removed === batch; requests += removed) removed = await removeFinished(db, ids, batch)
  const gone = await removeAssets(db, ids)
  if (gone !== undefined)
    for (const lane of lanes)
      await queue.remove(
        lane,
        assets.map(({ id, generation }) => ({ assetId: id, generation })),
      )
  return gone && { requests: requests + gone.requests, waiting: gone.waiting }
}
