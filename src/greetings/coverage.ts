/** How much of a list of names is in the cache already. */
import type { Db } from '../db/database.ts'

/** Coverage of a list. Shares are 0 to 1. */
export interface Coverage {
  /** distinct names of the list */
  names: number
  /** of these, can be sent at once */
  available: number
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

/** Looks the list up. Whatever is served now counts, also while it is made anew. */
export async function coverage(db: Db, batches: AsyncIterable<readonly ListedName[]>): Promise<Coverage> {
  let [names, available, weight, availableWeight] = [0, 0, 0, 0]
  let weighted = false
  for await (const batch of batches) {
    const found = await served(db, batch)
    for (const { template, key, count } of batch) {
      const isThere = template !== undefined && found.has(`${template}\n${key}`)
      names++
      weighted ||= count !== null
      weight += count ?? 0
      if (!isThere) continue
      available++
      availableWeight += count ?? 0
    }
  }
  return { names, available, share: names === 0 ? null : rounded(available / names), weightedShare: !weighted || weight === 0 ? null : rounded(availableWeight / weight) }
}

const rounded = (share: number) => Number(share.toFixed(4))

async function served(db: Db, batch: readonly ListedName[]): Promise<Set<string>> {
  const known = batch.filter(({ template }) => template !== undefined)
  const rows = await db.$queryRaw<{ template: string; name: string }[]>`
    SELECT template, name FROM "VideoAsset" JOIN unnest(${known.map(({ template }) => template ?? '')}::text[], ${known.map(({ key }) => key)}::text[]) AS listed(t, n) ON template = listed.t AND name = listed.n
    WHERE "telegramFileId" IS NOT NULL AND "telegramBotId" = (SELECT "botId" FROM "Installation" WHERE id = 1)`
  return new Set(rows.map(({ template, name }) => `${template}\n${name}`))
}
