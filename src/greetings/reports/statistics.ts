/**
 * What `status` reports. Nothing here counts a large table: videos and finished requests are counted where
 * they change, by triggers that add rows to `AssetCount` and `RequestCount` in the same transaction, so the
 * sums are exact at every moment. What is pending, what failed and the edge of the last day are read live.
 */
import type { Db, Tx } from '../../db/database.ts'
import type { QueueCounts } from '../../queue/index.ts'

/** Videos by state. Each video is in one of these but for `stale`, which is a part of `available`. */
export interface VideoCounts {
  /** wait to be made */
  pending: number
  /** somebody holds a live lease on them */
  generating: number
  /** of this bot, and not being re-rendered */
  available: number
  /** of another bot: worth nothing to this one until it has taken them over */
  otherBot: number
  failed: number
  /** available, and made from another revision of the template */
  stale: number
}

/** Counts and waiting times. */
export interface Statistics {
  assets: VideoCounts
  /** the same by template: those in use, and those of which there is a video */
  templates: ({ template: string } & VideoCounts)[]
  requests: { pending: number; completed: number; failed: number }
  last24h: {
    requests: number
    hits: number
    hitRate: number | null
    waitSeconds: { p50: number | null; p95: number | null }
  }
  failures: { reason: string; count: number }[]
}

interface AssetSum {
  status: string
  template: string
  templateRevision: string | null
  botId: bigint | null
  count: bigint
}

interface DaySum {
  status: string
  hit: boolean
  waitBucket: number | null
  count: bigint
}

/**
 * Reads the counts. `templateRevisions` are those of the enabled templates, by template id: others are stale.
 * `botId` is the bot whose videos are worth something; null where there was none yet, and then all of them are.
 */
export async function statistics(
  db: Db,
  templateRevisions: ReadonlyMap<string, string>,
  botId: bigint | null,
): Promise<Statistics> {
  const [assets, atWork, finished, pending, day, failures] = await Promise.all([
    db.$queryRaw<AssetSum[]>`SELECT status::text AS status, template, "templateRevision", "telegramBotId" AS "botId",
      sum(count)::bigint AS count FROM "AssetCount" GROUP BY 1, 2, 3, 4`,
    db.$queryRaw<
      { template: string; count: bigint }[]
    >`SELECT template, count(*) AS count FROM "VideoAsset" WHERE status = 'GENERATING' AND "leaseUntil" > now()
      GROUP BY 1`,
    db.$queryRaw<
      { status: string; count: bigint }[]
    >`SELECT status::text AS status, sum(count)::bigint AS count FROM "RequestCount" GROUP BY 1`,
    db.$queryRaw<{ count: bigint }[]>`SELECT count(*) AS count FROM "UserRequest" WHERE status = 'PENDING'`,
    lastDay(db),
    db.$queryRaw<{ reason: string; count: bigint }[]>`
      SELECT coalesce("errorClass", 'unknown') || coalesce(': ' || "errorText", '') AS reason, count(*) AS count
      FROM "VideoAsset" WHERE status = 'FAILED' GROUP BY 1 ORDER BY 2 DESC LIMIT 10`,
  ])
  const request = (status: string) => sumOf(finished.filter((row) => row.status === status))
  const templates = countsByTemplate(assets, atWork, templateRevisions, botId)
  const sum = (of: keyof VideoCounts) => templates.reduce((total, counts) => total + counts[of], 0)
  return {
    assets: {
      pending: sum('pending'),
      generating: sum('generating'),
      available: sum('available'),
      otherBot: sum('otherBot'),
      failed: sum('failed'),
      stale: sum('stale'),
    },
    templates: templates.filter(
      ({ template, pending, generating, available, otherBot, failed }) =>
        templateRevisions.has(template) || pending + generating + available + otherBot + failed > 0,
    ),
    requests: { pending: Number(pending[0]?.count ?? 0), completed: request('COMPLETED'), failed: request('FAILED') },
    last24h: dayOf(day),
    failures: failures.map(({ reason, count }) => ({ reason, count: Number(count) })),
  }
}

function countsByTemplate(
  assets: AssetSum[],
  atWork: { template: string; count: bigint }[],
  templateRevisions: ReadonlyMap<string, string>,
  botId: bigint | null,
): Statistics['templates'] {
  const held = new Map(atWork.map(({ template, count }) => [template, Number(count)]))
  const ids = new Set([...templateRevisions.keys(), ...assets.map(({ template }) => template)])
  return [...ids].map((template) => ({
    template,
    ...countVideos(
      assets.filter((row) => row.template === template),
      held.get(template) ?? 0,
      templateRevisions.get(template),
      botId,
    ),
  }))
}

function dayOf(day: Awaited<ReturnType<typeof lastDay>>): Statistics['last24h'] {
  const requests = sumOf(day)
  const hits = sumOf(day.filter(({ hit }) => hit))
  const waits = day.flatMap(({ waitBucket, count }) =>
    waitBucket === null ? [] : [{ bucket: waitBucket, count: Number(count) }],
  )
  return {
    requests,
    hits,
    hitRate: requests === 0 ? null : Number((hits / requests).toFixed(4)),
    waitSeconds: { p50: percentile(waits, 0.5), p95: percentile(waits, 0.95) },
  }
}

/**
 * The counts of one template; of those that are GENERATING somebody holds `held`, and the others wait like any other.
 */
function countVideos(
  rows: AssetSum[],
  held: number,
  templateRevision: string | undefined,
  botId: bigint | null,
): VideoCounts {
  const of = (status: string) => rows.filter((row) => row.status === status)
  const begun = sumOf(of('GENERATING'))
  const generating = Math.min(begun, held)
  const isOwn = (row: AssetSum) => botId === null || row.botId === botId
  const isStale = (row: AssetSum) =>
    templateRevision !== undefined && row.templateRevision !== null && row.templateRevision !== templateRevision
  const available = of('AVAILABLE')
  return {
    pending: sumOf(of('PENDING')) + begun - generating,
    generating,
    available: sumOf(available.filter(isOwn)),
    otherBot: sumOf(available.filter((row) => !isOwn(row))),
    failed: sumOf(of('FAILED')),
    stale: sumOf(available.filter((row) => isOwn(row) && isStale(row))),
  }
}

/**
 * The queue as people mean it. Workers fetch more jobs than they can begin: a job is active when somebody holds a
 * lease on its video, of which there are `generating`, and waits until then.
 */
export function workload(queue: QueueCounts, { generating }: Pick<VideoCounts, 'generating'>): QueueCounts {
  const active = Math.min(queue.active, generating)
  return { ...queue, active, waiting: queue.waiting + queue.active - active }
}

const sumOf = (rows: { count: bigint }[]) => rows.reduce((sum, { count }) => sum + Number(count), 0)

/** Requests made in the last 24 hours: whole hours from the counts, the hour in which the day began from its rows. */
async function lastDay(db: Db): Promise<DaySum[]> {
  return db.$queryRaw<DaySum[]>`
    SELECT status::text AS status, hit, "waitBucket", sum(count)::bigint AS count FROM (
      SELECT status, hit, "waitBucket", count FROM "RequestCount"
      WHERE hour >= date_trunc('hour', now() - interval '1 day', 'UTC') + interval '1 hour'
      UNION ALL
      SELECT status, hit, CASE WHEN status = 'COMPLETED' THEN "waitBucket"("finishedAt" - "createdAt") END, 1
        FROM "UserRequest"
      WHERE "createdAt" > now() - interval '1 day'
        AND "createdAt" < date_trunc('hour', now() - interval '1 day', 'UTC') + interval '1 hour'
        AND status <> 'PENDING'
      UNION ALL
      SELECT status, hit, NULL, 1 FROM "UserRequest" WHERE status = 'PENDING' AND "createdAt" > now() - interval '1 day'
    ) AS requests GROUP BY 1, 2, 3`
}

/** How long the person who has waited longest has been waiting, in seconds; null when nobody waits. */
export async function longestWaitSeconds(db: Db): Promise<number | null> {
  const [row] = await db.$queryRaw<
    { seconds: number | null }[]
  >`SELECT extract(epoch FROM now() - min("createdAt"))::float8 AS seconds FROM "UserRequest" WHERE status = 'PENDING'`
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
 * while others add rows or fold: rows that another has in hand are left to it.
 */
export async function foldCounts(db: Db | Tx): Promise<void> {
  await db.$executeRaw`
    WITH alike AS (
      SELECT id, count(*) OVER (PARTITION BY status, template, "templateRevision", "telegramBotId") AS rows
        FROM (SELECT * FROM "AssetCount" ORDER BY id LIMIT ${foldAtOnce} FOR UPDATE SKIP LOCKED) AS first
    ), taken AS (
      DELETE FROM "AssetCount" USING alike WHERE "AssetCount".id = alike.id AND rows > 1
        RETURNING status, template, "templateRevision", "telegramBotId", count
    )
    INSERT INTO "AssetCount" (status, template, "templateRevision", "telegramBotId", count)
    SELECT status, template, "templateRevision", "telegramBotId", sum(count) FROM taken
      GROUP BY 1, 2, 3, 4 HAVING sum(count) <> 0`
  await db.$executeRaw`
    WITH aged AS (
      SELECT id, status, hit, CASE WHEN old THEN date_trunc('day', hour, 'UTC') ELSE hour END AS since, CASE
        WHEN NOT old THEN "waitBucket" END AS bucket
      FROM (SELECT *, hour < now() - interval '2 days' AS old FROM "RequestCount" ORDER BY id LIMIT ${foldAtOnce}
        FOR UPDATE SKIP LOCKED) AS first
    ), alike AS (
      SELECT *, count(*) OVER (PARTITION BY since, status, hit, bucket) AS rows FROM aged
    ), taken AS (
      DELETE FROM "RequestCount" USING alike WHERE "RequestCount".id = alike.id AND rows > 1
      RETURNING alike.since, alike.status, alike.hit, alike.bucket, "RequestCount".count
    )
    INSERT INTO "RequestCount" (hour, status, hit, "waitBucket", count) SELECT since, status, hit, bucket, sum(count)
      FROM taken GROUP BY 1, 2, 3, 4`
}
