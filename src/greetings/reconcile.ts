/**
 * Brings the queue back in line with the database, which is the truth: work whose holder died, jobs that
 * were never added or got lost, people who were not served.
 * It never touches a live lease. It also folds the counts that `status` reads.
 */
import type { Times } from '../config.ts'
import type { Db, Tx } from '../db/database.ts'
import type { GreetingsQueue, Lane } from '../queue/index.ts'
import { forgetChats } from '../telegram/flood.ts'
import { forgetOutages } from './outages.ts'
import { markQueued } from './request.ts'
import { foldCounts } from './statistics.ts'

/** What one pass found. */
export interface Reconciled {
  /** leases that had run out */
  recovered: number
  /** jobs added */
  queued: number
  /** finished assets for which somebody still waits */
  undelivered: string[]
}

interface Loose {
  assetId: string
  generation: number
  wanted: boolean
  delayMs: number
}

// One reconciler at a time in a database.
const lockKey = 7_240_118
const batch = 1_000

/**
 * One pass; undefined when another process is at it. In short transactions: people who ask, and workers who claim, wait
 * for whatever these have locked.
 */
export async function reconcile({ db, queue, botId, times }: { db: Db; queue: GreetingsQueue; botId: bigint; times: Times }): Promise<Reconciled | undefined> {
  const recovered = await alone(db, async (tx) => {
    // While the server was down nobody could renew a lease: those who hold one get the time to do so.
    const recovered = await tx.$executeRaw`
      UPDATE "VideoAsset" SET status = 'PENDING', generation = generation + 1, "leaseOwner" = NULL, "leaseUntil" = NULL, "queuedAt" = NULL
      WHERE status = 'GENERATING' AND ("leaseUntil" IS NULL OR "leaseUntil" < now())
        AND pg_postmaster_start_time() < now() - ${times.leaseRenewMs * 2}::float8 * interval '1 millisecond'`
    await noticeLostJobs(tx, queue, times)
    return recovered
  })
  if (recovered === undefined) return undefined
  let queued = 0
  for (;;) {
    const added = await alone(db, async (tx) => {
      const loose = await looseAssets(tx, times)
      for (const lane of ['people', 'warm'] as const) await add(tx, queue, lane, loose.filter(({ wanted }) => wanted === (lane === 'people')))
      return loose.length
    })
    queued += added ?? 0
    if (added === undefined || added < batch) break
  }
  const undelivered = await alone(db, async (tx) => {
    await tx.$executeRaw`DELETE FROM "WorkerProcess" WHERE "seenAt" < now() - ${times.workerGoneMs * 3}::float8 * interval '1 millisecond'`
    await tx.$executeRaw`DELETE FROM "BotProcess" WHERE "seenAt" < now() - ${times.workerGoneMs * 3}::float8 * interval '1 millisecond'`
    await forgetOutages(tx, times)
    await foldCounts(tx)
    await forgetChats(tx)
    return tx.$queryRaw<{ assetId: string }[]>`
      SELECT asset.id AS "assetId" FROM "VideoAsset" AS asset WHERE asset.id IN (
        SELECT "assetId" FROM "UserRequest" WHERE status = 'PENDING' AND ("claimUntil" IS NULL OR "claimUntil" < now()))
      AND (status = 'FAILED' OR ("telegramFileId" IS NOT NULL AND "telegramBotId" = ${botId})) LIMIT 100`
  })
  return { recovered, queued, undelivered: (undelivered ?? []).map(({ assetId }) => assetId) }
}

/** Undefined when another process is reconciling. */
async function alone<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T | undefined> {
  return db.$transaction(
    async (tx) => {
      const [lock] = await tx.$queryRaw<{ mine: boolean }[]>`SELECT pg_try_advisory_xact_lock(${lockKey}) AS mine`
      return lock?.mine === true ? work(tx) : undefined
    },
    { timeout: 60_000, maxWait: 10_000 },
  )
}

/** Assets that wait for a job nobody has added: those people wait for first. */
async function looseAssets(tx: Tx, times: Times): Promise<Loose[]> {
  return tx.$queryRaw<Loose[]>`
    SELECT id AS "assetId", generation, wanted, "delayMs" FROM (
      SELECT id, generation, "createdAt", EXISTS (SELECT 1 FROM "UserRequest" WHERE "assetId" = "VideoAsset".id AND status = 'PENDING') AS wanted,
        greatest(0, extract(epoch FROM coalesce("retryAfter", now()) - now()) * 1000)::float8 AS "delayMs"
      FROM "VideoAsset" WHERE status = 'PENDING' AND "queuedAt" IS NULL AND "updatedAt" < now() - ${times.queueGraceMs}::float8 * interval '1 millisecond'
    ) AS loose ORDER BY wanted DESC, "createdAt" LIMIT ${batch}`
}

async function add(tx: Tx, queue: GreetingsQueue, lane: Lane, jobs: readonly Loose[]): Promise<void> {
  const due = jobs.filter(({ delayMs }) => delayMs === 0)
  await queue.add(lane, due)
  for (const job of jobs.filter(({ delayMs }) => delayMs > 0)) await queue.add(lane, [job], { delayMs: Math.ceil(job.delayMs) })
  await markQueued(tx, jobs.map(({ assetId }) => assetId))
}

/** Fewer jobs than unfinished assets in two passes: the queue was emptied, so everything is added again. */
async function noticeLostJobs(tx: Tx, queue: GreetingsQueue, times: Times): Promise<void> {
  const { waiting, active, delayed } = await queue.counts()
  const [state] = await tx.$queryRaw<{ unfinished: bigint; shortBefore: boolean | null }[]>`
    SELECT (SELECT count(*) FROM "VideoAsset" WHERE status = 'GENERATING' OR (status = 'PENDING' AND "queuedAt" < now() - ${times.queueGraceMs}::float8 * interval '1 millisecond')) AS unfinished,
      (SELECT "queueShortSince" < now() - ${times.reconcileMs * 0.8}::float8 * interval '1 millisecond' FROM "Installation" WHERE id = 1) AS "shortBefore"`
  if (state === undefined) return
  const short = waiting + active + delayed < Number(state.unfinished)
  if (!short) {
    if (state.shortBefore !== null) await tx.$executeRaw`UPDATE "Installation" SET "queueShortSince" = NULL WHERE id = 1`
    return
  }
  if (state.shortBefore === null) await tx.$executeRaw`UPDATE "Installation" SET "queueShortSince" = now() WHERE id = 1`
  if (state.shortBefore !== true) return
  await tx.$executeRaw`UPDATE "VideoAsset" SET "queuedAt" = NULL WHERE status = 'PENDING' AND "queuedAt" IS NOT NULL`
  await tx.$executeRaw`UPDATE "Installation" SET "queueShortSince" = NULL WHERE id = 1`
}
