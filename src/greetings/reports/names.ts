/** Names out of the database, for whoever makes a list of them. */
import type { Db } from '../../db/database.ts'
import { keyJoint } from '../../names/set.ts'

/** A name as it is written. */
export interface ListedRow {
  name: string
  say: string | null
}

/**
 * Names that people asked for and had to wait for, most asked first, with how many requests that were. Only
 * requests that were not purged are known, and several names that share a video are left out unless `sets`. `isReady`: there is a video by now. `sinceMs`: of so long at most; `limit`:
 * the first ones only; `among`: of so many videos, the most missed, for whoever would not look up every one.
 */
export async function missedNames(
  db: Db,
  {
    template,
    sinceMs,
    limit,
    among,
    sets = false,
  }: { template?: string; sinceMs?: number; limit?: number; among?: number; sets?: boolean },
): Promise<(ListedRow & { count: number; isReady: boolean })[]> {
  const rows = await db.$queryRaw<(ListedRow & { count: bigint; isReady: boolean })[]>`
    SELECT display AS name, min(say) AS say, sum(missed.count)::bigint AS count,
      bool_or("telegramFileId" IS NOT NULL) AS "isReady" FROM (
      SELECT "assetId", count(*) AS count FROM "UserRequest"
      WHERE NOT hit AND (${sinceMs ?? null}::float8 IS NULL
        OR "createdAt" > now() - ${sinceMs ?? 0}::float8 * interval '1 millisecond')
      GROUP BY 1 ORDER BY 2 DESC LIMIT ${among ?? null}::bigint
    ) AS missed JOIN "VideoAsset" AS asset ON asset.id = missed."assetId"
    WHERE (${template ?? null}::text IS NULL OR template = ${template ?? null}::text)
      AND (${sets} OR position(${keyJoint} IN name) = 0)
    GROUP BY display ORDER BY 3 DESC, 1 LIMIT ${limit ?? null}::bigint`
  return rows.map(({ count, ...row }) => ({ ...row, count: Number(count) }))
}

/** What `namesInState` can list: `available` is what can be sent, even while it is re-rendered. */
export type NameState = 'failed' | 'available' | 'pending'

/** A name in a state. */
export interface StateRow extends ListedRow {
  template: string
  /** why the last attempt did not work, and when it was given up; of failed ones only */
  reason: string | null
  failedAt: Date | null
}

const pageSize = 2_000

/**
 * Names in a state, by template and name, a page at a time; several that share a video only with `sets`. `botId` is the bot that
 * sends; null: it is not known, and any will do.
 */
export async function* namesInState(
  db: Db,
  state: NameState,
  {
    template: only,
    limit = Infinity,
    botId,
    sets = false,
  }: { template?: string; limit?: number; botId: bigint | null; sets?: boolean },
): AsyncGenerator<StateRow[]> {
  let left = limit
  for (let [template, key] = ['', '']; left > 0;) {
    const rows = await db.$queryRaw<(StateRow & { key: string })[]>`
      SELECT template, name AS key, display AS name, say, CASE WHEN status = 'FAILED'
        THEN coalesce("errorClass", 'unknown') || coalesce(': ' || "errorText", '') END AS reason, CASE
        WHEN status = 'FAILED' THEN "updatedAt" END AS "failedAt"
      FROM "VideoAsset"
      WHERE (template, name) > (${template}, ${key}) AND (${only ?? null}::text IS NULL
        OR template = ${only ?? null}::text)
        AND (${sets} OR position(${keyJoint} IN name) = 0)
        AND CASE ${state}::text WHEN 'failed' THEN status = 'FAILED' WHEN 'pending'
          THEN status IN ('PENDING', 'GENERATING')
          ELSE "telegramFileId" IS NOT NULL AND "telegramBotId" = coalesce(${botId}::bigint, "telegramBotId") END
      ORDER BY template, name LIMIT ${Math.min(pageSize, left)}::bigint`
    const last = rows.at(-1)
    if (last === undefined) return
    yield rows.map(({ key: _key, ...row }) => row)
    if (rows.length < pageSize) return
    left -= rows.length
    ;({ template, key } = last)
  }
}
