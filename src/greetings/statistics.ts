/**
 * What `status` reports. Nothing here counts a large table: videos and finished requests are counted where
 * they change, by triggers that add rows to `AssetCount` and `RequestCount` in the same transaction, so the
 * sums are exact at every moment. What is pending, what failed and the edge of the last day are read live.
 */
import type { Db, Tx } from '../db/database.ts'

/** Counts and waiting times. */
export interface Statistics {
  assets: { pending: number; generating: number; available: number; failed: number; stale: number }
  requests: { pending: number; completed: number; failed: number }
  last24h: { requests: number; hits: number; hitRate: number | null; waitSeconds: { p50: number | null; p95: number | null } }
  failures: { reason: string; count: number }[]
}

interface AssetSum {
  status: string
  template: string
  templateRevision: string | null
  count: bigint
}

interface DaySum {
  status: string
  hit: boolean
  waitBucket: number | null
  count: bigint
}

/** Reads the counts; `templateRevisions` are those of the enabled templates, by template id: others are stale. */
export async function statistics(db: Db, templateRevisions: ReadonlyMap<string, string>): Promise<Statistics> {
  const [assets, finished, pending, day, failures] = await Promise.all([
    db.$queryRaw<AssetSum[]>`SELECT status::text AS status, template, "templateRevision", sum(count)::bigint AS count FROM "AssetCount" GROUP BY 1, 2, 3`,
    db.$queryRaw<{ status: string; count: bigint }[]>`SELECT status::text AS status, sum(count)::bigint AS count FROM "RequestCount" GROUP BY 1`,
    db.$queryRaw<{ count: bigint }[]>`SELECT count(*) AS count FROM "UserRequest" WHERE status = 'PENDING'`,
    lastDay(db),
    db.$queryRaw<{ reason: string; count: bigint }[]>`
      SELECT coalesce("errorClass", 'unknown') || coalesce(': ' || "errorText", '') AS reason, count(*) AS count
      FROM "VideoAsset" WHERE status = 'FAILED' GROUP BY 1 ORDER BY 2 DESC LIMIT 10`,
  ])
  const asset = (status: string) => sumOf(assets.filter((row) => row.status === status))
  const request = (status: string) => sumOf(finished.filter((row) => row.status === status))
  const isStale = ({ status, template, templateRevision }: AssetSum) =>
    status === 'AVAILABLE' && templateRevision !== null && templateRevisions.has(template) && templateRevisions.get(template) !== templateRevision
  const asked = sumOf(day)
  const hits = sumOf(day.filter(({ hit }) => hit))
  const waits = day.flatMap(({ waitBucket, count }) => (waitBucket === null ? [] : [{ bucket: waitBucket, count: Number(count) }]))
  return {
    assets: { pending: asset('PENDING'), generating: asset('GENERATING'), available: asset('AVAILABLE'), failed: asset('FAILED'), stale: sumOf(assets.filter(isStale)) },
    requests: { pending: Number(pending[0]?.count ?? 0), completed: request('COMPLETED'), failed: request('FAILED') },
    last24h: { requests: asked, hits, hitRate: asked === 0 ? null : Number((hits / asked).toFixed(4)), waitSeconds: { p50: percentile(waits, 0.5), p95: percentile(waits, 0.95) } },
    failures: failures.map(({ reason, count }) => ({ reason, count: Number(count) })),
  }
}

const sumOf = (rows: { count: bigint }[]) => rows.reduce((sum, { count }) => sum + Number(count), 0)

/** Requests made in the last 24 hours: whole hours from the counts, the hour in which the day began from its rows. */
async function lastDay(db: Db): Promise<DaySum[]> {
  return db.$queryRaw<DaySum[]>`
    SELECT status::text AS status, hit, "waitBucket", sum(count)::bigint AS count FROM (
      SELECT status, hit, "waitBucket", count FROM "RequestCount"
      WHERE hour >= date_trunc('hour', now() - interval '1 day', 'UTC') + interval '1 hour'
      UNION ALL
      SELECT status, hit, CASE WHEN status = 'COMPLETED' THEN "waitBucket"("finishedAt" - "createdAt") END, 1 FROM "UserRequest"
      WHERE "createdAt" > now() - interval '1 day' AND "createdAt" < date_trunc('hour', now() - interval '1 day', 'UTC') + interval '1 hour' AND status <> 'PENDING'
      UNION ALL
      SELECT status, hit, NULL, 1 FROM "UserRequest" WHERE status = 'PENDING' AND "createdAt" > now() - interval '1 day'
    ) AS requests GROUP BY 1, 2, 3`
}

/** How long the person who has waited longest has been waiting, in seconds; null when nobody waits. */
export async function longestWaitSeconds(db: Db): Promise<number | null> {
  const [row] = await db.$queryRaw<{ seconds: number | null }[]>`SELECT extract(epoch FROM now() - min("createdAt"))::float8 AS seconds FROM "UserRequest" WHERE status = 'PENDING'`
  return row?.seconds ?? null
}

/**
 * The waiting time in seconds below which a share of the deliveries lies, by classes of a quarter of a
 * doubling each (`waitBucket` in the migration): the error is below a fifth. Null: there were none.
 */
export function percentile(waits: readonly { bucket: number; count: number }[], share: number): number | null {
  const sorted = waits.toSorted((one, other) => one.bucket - other.bucket)
  let left = share * sorted.reduce((sum, { count }) => sum + count, 0)
  for (const { bucket, count } of sorted) {
    if (count >= left && count > 0) return Number((0.01 * 2 ** ((bucket + left / count) / 4)).toFixed(2))
    left -= count
  }
  return null
}

// So many rows are folded in one go; more are left for the next.
const foldAtOnce = 100_000

/**
 * Makes one row of those that agree, and days of hours older than two days. The sums stay what they are, also
 * while others add rows or fold.
 */
export async function foldCounts(db: Db | Tx): Promise<void> {
  await db.$executeRaw`
    WITH alike AS (
      SELECT id, count(*) OVER (PARTITION BY status, template, "templateRevision") AS rows FROM (SELECT * FROM "AssetCount" ORDER BY id LIMIT ${foldAtOnce}) AS first
    ), taken AS (
      DELETE FROM "AssetCount" USING alike WHERE "AssetCount".id = alike.id AND rows > 1 RETURNING status, template, "templateRevision", count
    )
    INSERT INTO "AssetCount" (status, template, "templateRevision", count)
    SELECT status, template, "templateRevision", sum(count) FROM taken GROUP BY 1, 2, 3 HAVING sum(count) <> 0`
  await db.$executeRaw`
    WITH aged AS (
      SELECT id, status, hit, CASE WHEN old THEN date_trunc('day', hour, 'UTC') ELSE hour END AS since, CASE WHEN NOT old THEN "waitBucket" END AS bucket
      FROM (SELECT *, hour < now() - interval '2 days' AS old FROM "RequestCount" ORDER BY id LIMIT ${foldAtOnce}) AS first
    ), alike AS (
      SELECT *, count(*) OVER (PARTITION BY since, status, hit, bucket) AS rows FROM aged
    ), taken AS (
      DELETE FROM "RequestCount" USING alike WHERE "RequestCount".id = alike.id AND rows > 1
      RETURNING alike.since, alike.status, alike.hit, alike.bucket, "RequestCount".count
    )
    INSERT INTO "RequestCount" (hour, status, hit, "waitBucket", count) SELECT since, status, hit, bucket, sum(count) FROM taken GROUP BY 1, 2, 3, 4`
}
