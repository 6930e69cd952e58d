/**
 * Brings the queue back in line with the database, which is the truth: work whose holder died, jobs that
 * were never added or got lost, people who were not served.
 * It never touches a live lease. It also folds the counts that `status` reads.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Times } from '../config.ts'
import type { Db } from '../db/database.ts'
import type { GreetingsQueue } from '../queue/index.ts'
import { lanes, placeInQueue, type Job, type Lane } from '../queue/lanes.ts'
import { markQueuedUnlessLocked, recoverLapsed } from './assets.ts'
import { forgetImported } from './upkeep/export.ts'
import { endHeld } from './held-updates.ts'
import { forgetVotes } from './known.ts'
import { forgetOutages } from './outages.ts'
import { forgetPaces } from './pace.ts'
import { keptDays } from './people.ts'
import { forgetQuestions } from './questions.ts'
import { foldCounts } from './reports/statistics.ts'
import { forgetShareCodes } from './share-codes.ts'
import { removeOld, waitedFor } from './requests.ts'
import { forgetReports } from './sound-reports.ts'
import { forgetWarmRuns } from './warm-runs.ts'

/** What is brought into line. */
interface Parts {
  db: Db
  queue: GreetingsQueue
  botId: bigint
  times: Times
}

/** What one pass found. */
export interface Reconciled {
  /** leases that had run out */
  recovered: number
  /** jobs added */
  queued: number
  /** finished assets for which somebody still waits */
  undelivered: string[]
  /** where the next pass goes on looking for lost jobs */
  next: Place
  /** why the queue could not be brought into line; the rest was done */
  queueFault?: unknown
}

/** A place in the line of queued assets, oldest first. */
interface Place {
  queuedAt: Date
  id: string
}

interface Waiting extends Job {
  /** whoever waits for it decides */
  lane: Lane
  delayMs: number
}

const beginning: Place = { queuedAt: new Date(0), id: '' }
// Jobs added in one go, and jobs looked for in one pass: of people and of all.
const batch = 1_000
const lookedFor = 5_000
const undeliveredAtOnce = 100
// Of one chat: what Telegram takes from a bot in a few seconds. More would wait in a delivery's place.
const undeliveredOfChat = 5
const triesAtLocked = 5

/**
 * One pass; undefined when another process is at it. Every statement stands alone and none waits for a row that
 * somebody has locked: people who ask and workers who claim wait for nothing here, also when this process freezes.
 */
export async function reconcile(parts: Parts, from: Place = beginning): Promise<Reconciled | undefined> {
  const { db, botId, times } = parts
  const turn = await takeTurn(db, times)
  if (turn === undefined) return undefined
  try {
    const recovered = await recover(db, times)
    const undelivered = await undeliveredAssets(db, botId)
    await db.$executeRaw`DELETE FROM "WorkerProcess"
      WHERE "seenAt" < now() - ${times.workerGoneMs * 3}::float8 * interval '1 millisecond'`
    await db.$executeRaw`DELETE FROM "BotProcess"
      WHERE "seenAt" < now() - ${times.workerGoneMs * 3}::float8 * interval '1 millisecond'`
    await forgetPaces(db)
    await forgetOutages(db, times)
    await foldCounts(db)
    await forgetQuestions(db)
    await removeOld(db, keptDays * 86_400_000, batch)
    await forgetVotes(db)
    await forgetShareCodes(db)
    await forgetReports(db, keptDays)
    await forgetWarmRuns(db)
    await forgetImported(db)
    // A bot that runs ends them itself, and says so.
    await endHeld(db, times.heldMs + times.outageMs)
    return { recovered, undelivered, ...(await addMissingJobs(parts, turn, from)) }
  } finally {
    await turn.end()
  }
}

// ---- one at a time ---------------------------------------------------------------------------------

interface Turn {
  /** False: it took too long, and another process may have begun. */
  goesOn(): Promise<boolean>
  end(): Promise<void>
}

/** A lease as workers hold on assets: one that is frozen or killed keeps the others away for no longer. */
async function takeTurn(db: Db, { leaseMs }: Times): Promise<Turn | undefined> {
  const me = randomUUID()
  const goesOn = async () => {
    const rows = await db.$executeRaw`
      UPDATE "Installation"
        SET reconciler = ${me}, "reconcilerUntil" = now() + ${leaseMs}::float8 * interval '1 millisecond'
      WHERE id = 1 AND (reconciler = ${me} OR "reconcilerUntil" IS NULL OR "reconcilerUntil" < now())`
    return rows === 1
  }
  if (!(await goesOn())) return undefined
  return {
    goesOn,
    end: async () =>
      void (await db.$executeRaw`UPDATE "Installation" SET reconciler = NULL, "reconcilerUntil" = NULL WHERE id = 1
        AND reconciler = ${me}`.catch(() => undefined)),
  }
}

// ---- what the database tells -----------------------------------------------------------------------

/** Assets whose holder died become work again. */
async function recover(db: Db, times: Times): Promise<number> {
  let recovered = 0
  // Whoever subscribes has the row locked for a moment. One that is locked for longer is left to the next pass.
  for (let tries = 1; ; tries++) {
    // While the server was down nobody could renew a lease: those who hold one get the time to do so.
    recovered += await recoverLapsed(db, times.leaseRenewMs * 2)
    const [left] = await db.$queryRaw<
      object[]
    >`SELECT 1 FROM "VideoAsset" WHERE status = 'GENERATING' AND ("leaseUntil" IS NULL OR "leaseUntil" < now()) LIMIT 1`
    if (left === undefined || tries === triesAtLocked) return recovered
    await sleep(Math.random() * 20)
  }
}

/**
 * Finished assets for which somebody waits whom nobody serves now: the first of every
 * chat before the second of any, the oldest first.
 */
async function undeliveredAssets(db: Db, botId: bigint): Promise<string[]> {
  const rows = await db.$queryRaw<{ assetId: string }[]>`
    SELECT "assetId" FROM (
      SELECT request."assetId", request."createdAt", row_number() OVER (PARTITION BY request."chatId"
        ORDER BY request."createdAt") AS place
      FROM "UserRequest" AS request JOIN "VideoAsset" AS asset ON asset.id = request."assetId"
      WHERE request.status = 'PENDING' AND (request."claimUntil" IS NULL OR request."claimUntil" < now())
        AND (asset.status = 'FAILED' OR (asset."telegramFileId" IS NOT NULL AND asset."telegramBotId" = ${botId}))
    ) AS waiting WHERE place <= ${undeliveredOfChat}
    GROUP BY "assetId" ORDER BY min(place), min("createdAt") LIMIT ${undeliveredAtOnce}`
  return rows.map(({ assetId }) => assetId)
}

// ---- the queue -------------------------------------------------------------------------------------

/** Jobs that were never added, and those that the queue has lost: what people wait for first, the oldest first. */
async function addMissingJobs(
  { db, queue, times }: Parts,
  turn: Turn,
  from: Place,
): Promise<Pick<Reconciled, 'queued' | 'next' | 'queueFault'>> {
  let queued = 0
  let next = from
  try {
    for (;;) {
      const unqueued = await unqueuedAssets(db, times)
      const marked = await add(db, queue, unqueued)
      queued += unqueued.length
      if (marked < batch || !(await turn.goesOn())) break
    }
    // One that ended between the two looks seems lost. Adding it again does no harm: nobody can claim that generation.
    const wanted = await queuedAssets(db, times, beginning, true)
    for (const lane of lanes) {
      const place = lanes.indexOf(lane) + 1
      const lost = await missingFrom(
        queue,
        lanes.slice(0, place),
        wanted.filter((job) => job.lane === lane),
      )
      await addInBatches(lost)
      // Of these some stood in a lane behind when their person asked, and the queue did not answer then.
      for (const behind of lanes.slice(place)) {
        const notThere = new Set(await queue.missing(behind, lost))
        await queue.remove(
          behind,
          lost.filter((job) => !notThere.has(job)),
        )
      }
    }

    const looked = await queuedAssets(db, times, from, false)
    const last = looked.at(-1)
    next = last === undefined || looked.length < lookedFor ? beginning : { queuedAt: last.queuedAt, id: last.assetId }
    await addInBatches(await missingFrom(queue, lanes, looked))
    return { queued, next }
  } catch (queueFault) {
    return { queued, next, queueFault }
  }

  async function addInBatches(jobs: readonly Waiting[]) {
    for (let i = 0; i < jobs.length && (await turn.goesOn()); i += batch) {
      const some = jobs.slice(i, i + batch)
      await add(db, queue, some)
      queued += some.length
    }
  }
}

/** Of the jobs, those that none of these lanes holds. */
async function missingFrom<J extends Job>(
  queue: GreetingsQueue,
  some: readonly Lane[],
  jobs: readonly J[],
): Promise<readonly J[]> {
  let missing = jobs
  for (const lane of some) missing = await queue.missing(lane, missing)
  return missing
}

/** Assets that wait for a job nobody has added: those people wait for first. */
async function unqueuedAssets(db: Db, times: Times): Promise<Waiting[]> {
  const rows = await db.$queryRaw<Row[]>`
    WITH waiting AS (${waitedFor})
    SELECT id AS "assetId", generation, behind,
      greatest(0, extract(epoch FROM coalesce("retryAfter", now()) - now()) * 1000)::float8 AS "delayMs"
      FROM "VideoAsset" LEFT JOIN waiting ON waiting."assetId" = id
      WHERE status = 'PENDING' AND "queuedAt" IS NULL
        AND "updatedAt" < now() - ${times.queueGraceMs}::float8 * interval '1 millisecond'
      ORDER BY behind NULLS LAST, "createdAt" LIMIT ${batch}`
  return rows.map(placed)
}

/** Assets whose job should be in the queue, after a place in their line; `wantedOnly`: those somebody waits for. */
async function queuedAssets(
  db: Db,
  times: Times,
  { queuedAt, id }: Place,
  wantedOnly: boolean,
): Promise<(Waiting & { queuedAt: Date })[]> {
  const rows = await db.$queryRaw<(Row & { queuedAt: Date })[]>`
    WITH waiting AS (${waitedFor})
    SELECT id AS "assetId", generation, "queuedAt", behind,
      greatest(0, extract(epoch FROM coalesce("retryAfter", now()) - now()) * 1000)::float8 AS "delayMs"
      FROM "VideoAsset" LEFT JOIN waiting ON waiting."assetId" = id
      WHERE status = 'PENDING' AND "queuedAt" < now() - ${times.queueGraceMs}::float8 * interval '1 millisecond'
        AND ("queuedAt", id) > (${queuedAt}, ${id}) AND (behind IS NOT NULL OR NOT ${wantedOnly})
      ORDER BY "queuedAt", id LIMIT ${lookedFor}`
  return rows.map(placed)
}

/** A job's row; `behind` null: nobody waits for it. */
type Row = Omit<Waiting, 'lane' | 'behind'> & { behind: number | null }

const placed = <R extends Row>(row: R) => ({ ...row, ...placeInQueue(row.behind) })

/** How many were marked as queued. */
async function add(db: Db, queue: GreetingsQueue, jobs: readonly Waiting[]): Promise<number> {
  for (const lane of lanes) {
    const ofLane = jobs.filter((job) => job.lane === lane)
    await queue.add(
      lane,
      ofLane.filter(({ delayMs }) => delayMs === 0),
    )
    for (const job of ofLane.filter(({ delayMs }) => delayMs > 0))
      await queue.add(lane, [job], { delayMs: Math.ceil(job.delayMs) })
  }
  // What somebody has locked stays as it is: if it is still to be made then, the
  // next pass adds it again, which changes nothing.
  return markQueuedUnlessLocked(
    db,
    jobs.map(({ assetId }) => assetId),
  )
}
