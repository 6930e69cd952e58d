/** What came of many assets at a time, for whoever waits for a list. */
import type { Db } from '../../db/database.ts'

const idsPerQuery = 20_000

/** Those of the assets that are finished, or gone: of these the status is null. */
export async function finishedOf(
  db: Db,
  ids: string[],
): Promise<{ id: string; status: 'AVAILABLE' | 'FAILED' | null; bytes: number | null }[]> {
  const found: Awaited<ReturnType<typeof finishedOf>> = []
  for (let at = 0; at < ids.length; at += idsPerQuery) {
    const some = ids.slice(at, at + idsPerQuery)
    found.push(
      ...(await db.$queryRaw<typeof found>`
      SELECT wanted.id, asset.status::text AS status, asset.bytes FROM unnest(${some}::text[]) AS wanted(id) LEFT
        JOIN "VideoAsset" AS asset ON asset.id = wanted.id
      WHERE asset.id IS NULL OR asset.status IN ('AVAILABLE', 'FAILED')`),
    )
  }
  return found
}

/** Which of the assets failed, and why, in the order of their names. */
export async function failuresOf(
  db: Db,
  ids: readonly string[],
): Promise<{ name: string; template: string; reason: string }[]> {
  return db.$queryRaw`
    SELECT display AS name, template, coalesce("errorClass", 'unknown') || coalesce(': ' || "errorText", '') AS reason
    FROM "VideoAsset" WHERE id = ANY(${ids as string[]}::text[]) AND status = 'FAILED' ORDER BY display`
}

/** How many videos are to be made now, by template; what waits for its next try is left out. */
export async function unfinishedByTemplate(db: Db): Promise<Map<string, number>> {
  const rows = await db.$queryRaw<{ template: string; count: bigint }[]>`
    SELECT template, count(*) AS count FROM "VideoAsset" WHERE status IN ('PENDING', 'GENERATING')
      AND coalesce("retryAfter" < now(), true) GROUP BY 1`
  return new Map(rows.map(({ template, count }) => [template, Number(count)]))
}
