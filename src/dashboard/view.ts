/** What the page shows, read in one go. It only reads. */
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import type { Times } from '../config.ts'
import type { Db } from '../db/database.ts'
import { findings, usualLimits } from '../greetings/health.ts'
import { currentOutages, type OutageRow } from '../greetings/outages.ts'
import { ownBot } from '../greetings/own-bot.ts'
import { liveBots, liveWorkers, rivalPollers, type LiveBot, type LiveWorker } from '../greetings/processes.ts'
import { longestWaitSeconds, percentile, statistics, workload, type Statistics } from '../greetings/statistics.ts'
import type { GreetingsQueue, QueueCounts } from '../queue/index.ts'

/** What is looked at. */
export interface Looked {
  db: Db
  queue: GreetingsQueue
  rendersFolder: string
  /** revision of each enabled template, by its id */
  templateRevisions: ReadonlyMap<string, string>
  /** of the live bot, before the database knows one; undefined: there is none, or it is the sandbox */
  token?: string | undefined
  times: Times
}

/** One hour of the last day, the first 23 h ago. */
export interface Hour {
  hoursAgo: number
  asked: number
  hits: number
  /** seconds; null: nobody was served */
  p50: number | null
  p95: number | null
}

/** A video that is being made. */
export interface InWork {
  template: string
  display: string
  seconds: number
  waiting: number
}

/** A video that was made lately. */
export interface Made {
  template: string
  display: string
  secondsAgo: number
  /** its picture is on this host */
  revision: string | undefined
}

/** A video that could not be made. */
export interface Failed {
  template: string
  display: string
  errorClass: string
  errorText: string
  secondsAgo: number
}

/** All of it, at one moment. */
export interface View {
  at: Date
  numbers: Statistics
  hours: Hour[]
  inWork: InWork[]
  made: Made[]
  failed: Failed[]
  outages: OutageRow[]
  workers: LiveWorker[]
  bots: LiveBot[]
  queue: QueueCounts
  longestWaitSeconds: number | null
  /** what a monitor would say; empty: all is well */
  findings: string[]
}

const most = { inWork: 12, made: 18, failed: 12 }
const revisionForm = /^[0-9a-f]{8,128}$/

/** Reads everything. @throws what the database or the queue throws */
export async function look({ db, queue, rendersFolder, templateRevisions, token, times }: Looked): Promise<View> {
  const bot = await ownBot(db, token)
  const [numbers, hours, inWork, made, failed, outages, workers, bots, fetched, waited] = await Promise.all([
    statistics(db, templateRevisions, bot?.id ?? null),
    lastHours(db),
    db.$queryRaw<InWork[]>`
      SELECT template, display, greatest(0, extract(epoch FROM now() - "updatedAt"))::float8 AS seconds,
        (SELECT count(*) FROM "UserRequest" WHERE "assetId" = "VideoAsset".id AND status = 'PENDING')::int AS waiting
      FROM "VideoAsset" WHERE status = 'GENERATING' AND "leaseUntil" > now() ORDER BY "updatedAt" LIMIT ${most.inWork}`,
    latest(db),
    db.$queryRaw<Failed[]>`
      SELECT template, display, coalesce("errorClass", 'unknown') AS "errorClass", coalesce("errorText", '') AS "errorText", extract(epoch FROM now() - "updatedAt")::float8 AS "secondsAgo"
      FROM "VideoAsset" WHERE status = 'FAILED' ORDER BY "queuedAt" DESC NULLS LAST LIMIT ${most.failed}`,
    currentOutages(db),
    liveWorkers(db, times),
    liveBots(db, times),
    queue.counts(),
    longestWaitSeconds(db),
  ])
  const { assets, last24h } = numbers
  const jobs = workload(fetched, assets)
  return {
    at: new Date(),
    numbers,
    hours,
    inWork,
    made: await Promise.all(made.map(async ({ revision, ...rest }) => ({ ...rest, revision: (await hasPoster(rendersFolder, revision)) ? (revision ?? undefined) : undefined }))),
    failed: failed.sort((one, other) => one.secondsAgo - other.secondsAgo),
    outages,
    workers,
    bots,
    queue: jobs,
    longestWaitSeconds: waited,
    findings: findings({ personWaitSeconds: waited, jobWaitSeconds: jobs.oldestWaitingSeconds, failed: assets.failed, pending: assets.pending, hitRate: last24h.hitRate, workers: workers.length, bots: bots.length, rivals: rivalPollers(bots), outages }, usualLimits),
  }
}

/** Finished requests of the last 24 hours, by the hour in which they were made. */
async function lastHours(db: Db): Promise<Hour[]> {
  const rows = await db.$queryRaw<{ hoursAgo: number; hit: boolean; bucket: number | null; count: bigint }[]>`
    SELECT (extract(epoch FROM date_trunc('hour', now(), 'UTC') - hour) / 3600)::int AS "hoursAgo", hit, "waitBucket" AS bucket, sum(count)::bigint AS count
    FROM "RequestCount" WHERE hour > now() - interval '24 hours' GROUP BY 1, 2, 3`
  return Array.from({ length: 24 }, (_, n) => {
    const hoursAgo = 23 - n
    const here = rows.filter((row) => row.hoursAgo === hoursAgo)
    const sum = (some: typeof here) => some.reduce((total, { count }) => total + Number(count), 0)
    const waits = here.flatMap(({ bucket, count }) => (bucket === null ? [] : [{ bucket, count: Number(count) }]))
    return { hoursAgo, asked: sum(here), hits: sum(here.filter(({ hit }) => hit)), p50: percentile(waits, 0.5), p95: percentile(waits, 0.95) }
  })
}

/** By when they were queued, for which there is an index; those of the last moments are put in order here. */
async function latest(db: Db) {
  const rows = await db.$queryRaw<{ template: string; display: string; revision: string | null; secondsAgo: number }[]>`
    SELECT template, display, revision, extract(epoch FROM now() - "availableAt")::float8 AS "secondsAgo" FROM (
      SELECT * FROM "VideoAsset" WHERE status = 'AVAILABLE' AND "queuedAt" IS NOT NULL ORDER BY "queuedAt" DESC LIMIT ${most.made * 4}
    ) AS recent WHERE "availableAt" IS NOT NULL ORDER BY "availableAt" DESC LIMIT ${most.made}`
  return rows
}

/** The file of a poster; undefined: that is no revision. */
export function posterFile(rendersFolder: string, revision: string): string | undefined {
  return revisionForm.test(revision) ? join(rendersFolder, `${revision}.jpg`) : undefined
}

async function hasPoster(rendersFolder: string, revision: string | null): Promise<boolean> {
  const file = revision === null ? undefined : posterFile(rendersFolder, revision)
  return file !== undefined && (await access(file).then(() => true, () => false))
}
