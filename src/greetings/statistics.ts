/** What `status` reports, read from the database. */
import type { Db } from '../db/database.ts'

/** Counts and waiting times. */
export interface Statistics {
  assets: { pending: number; generating: number; available: number; failed: number; stale: number }
  requests: { pending: number; completed: number; failed: number }
  last24h: { requests: number; hits: number; hitRate: number | null; waitSeconds: { p50: number | null; p95: number | null } }
  failures: { reason: string; count: number }[]
}

/** Reads the counts; `templateRevisions` are those of the enabled templates, by template id: others are stale. */
export async function statistics(db: Db, templateRevisions: ReadonlyMap<string, string>): Promise<Statistics> {
  const ids = [...templateRevisions.keys()]
  const revisions = [...templateRevisions.values()]
  const [assets, requests, day, failures] = await Promise.all([
    db.$queryRaw<{ status: string; count: bigint; stale: bigint }[]>`
      SELECT status::text AS status, count(*) AS count,
        count(*) FILTER (WHERE EXISTS (SELECT 1 FROM unnest(${ids}::text[], ${revisions}::text[]) AS known(id, revision) WHERE known.id = template AND known.revision <> "templateRevision")) AS stale
      FROM "VideoAsset" GROUP BY status`,
    db.$queryRaw<{ status: string; count: bigint }[]>`SELECT status::text AS status, count(*) AS count FROM "UserRequest" GROUP BY status`,
    db.$queryRaw<{ requests: bigint; hits: bigint; p50: number | null; p95: number | null }[]>`
      SELECT count(*) AS requests, count(*) FILTER (WHERE hit) AS hits,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM "finishedAt" - "createdAt")) FILTER (WHERE status = 'COMPLETED')::float8 AS p50,
        percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM "finishedAt" - "createdAt")) FILTER (WHERE status = 'COMPLETED')::float8 AS p95
      FROM "UserRequest" WHERE "createdAt" > now() - interval '1 day'`,
    db.$queryRaw<{ reason: string; count: bigint }[]>`
      SELECT coalesce("errorClass", 'unknown') || coalesce(': ' || "errorText", '') AS reason, count(*) AS count
      FROM "VideoAsset" WHERE status = 'FAILED' GROUP BY 1 ORDER BY 2 DESC LIMIT 10`,
  ])
  const asset = (status: string) => Number(assets.find((row) => row.status === status)?.count ?? 0)
  const request = (status: string) => Number(requests.find((row) => row.status === status)?.count ?? 0)
  const rounded = (seconds: number | null | undefined) => (seconds === null || seconds === undefined ? null : Number(seconds.toFixed(2)))
  const asked = Number(day[0]?.requests ?? 0)
  const hits = Number(day[0]?.hits ?? 0)
  return {
    assets: { pending: asset('PENDING'), generating: asset('GENERATING'), available: asset('AVAILABLE'), failed: asset('FAILED'), stale: Number(assets.find(({ status }) => status === 'AVAILABLE')?.stale ?? 0) },
    requests: { pending: request('PENDING'), completed: request('COMPLETED'), failed: request('FAILED') },
    last24h: { requests: asked, hits, hitRate: asked === 0 ? null : Number((hits / asked).toFixed(4)), waitSeconds: { p50: rounded(day[0]?.p50), p95: rounded(day[0]?.p95) } },
    failures: failures.map(({ reason, count }) => ({ reason, count: Number(count) })),
  }
}
