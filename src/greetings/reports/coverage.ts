/** How much of a list of names is in the cache already. */
import type { Db } from '../../db/database.ts'

/** Coverage of a list. Shares are 0 to 1. */
export interface Coverage {
  /** distinct names of the list */
  names: number
  /** of these, can be sent at once */
  available: number
  /** of these, have a video that another bot alone can send */
  otherBot: number
  /** null: the list is empty */
  share: number | null
  /** the same by the list's count column; null: it has none */
  weightedShare: number | null
}

/** A name of the list. */
export interface ListedName {
  /** undefined: no template serves the name */
  template: string | undefined
  key: string
  count: number | null
}

/** Looks the list up. What `botId` (null: any bot) serves now counts, also while it is re-rendered. */
export async function coverage(
  db: Db,
  botId: bigint | null,
  batches: AsyncIterable<readonly ListedName[]>,
): Promise<Coverage> {
  let [names, available, otherBot, weight, availableWeight] = [0, 0, 0, 0, 0]
  let weighted = false
  for await (const batch of batches) {
    const found = await videos(db, botId, batch)
    for (const { template, key, count } of batch) {
      const own = found.get(`${template}\n${key}`)
      names++
      weighted ||= count !== null
      weight += count ?? 0
      if (own === false) otherBot++
      if (own !== true) continue
      available++
      availableWeight += count ?? 0
    }
  }
  return {
    names,
    available,
    otherBot,
    share: names === 0 ? null : rounded(available / names),
    weightedShare: !weighted || weight === 0 ? null : rounded(availableWeight / weight),
  }
}

const rounded = (share: number) => Number(share.toFixed(4))

/** Which of them have a video, and whether it is of this bot. */
async function videos(db: Db, botId: bigint | null, batch: readonly ListedName[]): Promise<Map<string, boolean>> {
  const known = batch.filter(({ template }) => template !== undefined)
  const rows = await db.$queryRaw<{ template: string; name: string; own: boolean }[]>`
    SELECT template, name, coalesce("telegramBotId" = coalesce(${botId}::bigint, "telegramBotId"), false) AS own
    FROM "VideoAsset" JOIN unnest(${known.map(({ template }) => template ?? '')}::text[],
      ${known.map(({ key }) => key)}::text[]) AS listed(t, n) ON template = listed.t AND name = listed.n
    WHERE "telegramFileId" IS NOT NULL`
  return new Map(rows.map(({ template, name, own }) => [`${template}\n${name}`, own]))
}
