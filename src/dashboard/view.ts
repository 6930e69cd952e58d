/** What the page shows, read in one go. It only reads. */
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import type { Times } from '../config.ts'
import type { Db } from '../db/database.ts'
import { findings, stateOf, usualLimits } from '../greetings/reports/health.ts'
import { currentOutages, type OutageRow } from '../greetings/outages.ts'
import { ownBot } from '../greetings/own-bot.ts'
import { liveBots, liveWorkers, type LiveBot, type LiveWorker } from '../greetings/workers.ts'
import {
  latestFailed,
  latestMade,
  namesThatBegin,
  nowInWork,
  sourcesOf,
  type Failed,
  type InWork,
} from '../greetings/reports/latest.ts'
import { missedNames } from '../greetings/reports/names.ts'
import { videosOf, type NamedVideo } from '../greetings/reports/one-name.ts'
import { refusalsOfDay, type Refusals } from '../greetings/refusals.ts'
import { reportedNames, type ReportedName } from '../greetings/sound-reports.ts'
import { understoodCounts, type Understood } from '../greetings/understood.ts'
import { paceOf } from '../greetings/pace.ts'
import { uploads, type Uploads } from '../telegram/uploads.ts'
import type { NameRules } from '../names/name.ts'
import { parseNameOrSet } from '../names/set.ts'
import {
  longestWaitSeconds,
  percentile,
  statistics,
  workload,
  type Statistics,
} from '../greetings/reports/statistics.ts'
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
  /** `mostMissed`, by whoever reads it more seldom than the rest */
  missed?: (() => Promise<Missed[]>) | undefined
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

/** A video that was made lately. */
export interface Made {
  id: string
  template: string
  display: string
  secondsAgo: number
  /** its picture is on this host */
  revision: string | undefined
  /** this bot can send it, so its file can be had from Telegram */
  sendable: boolean
}

/** A name that people had to wait for in the last week. */
export interface Missed {
  name: string
  count: number
  /** there is a video of it now */
  isReady: boolean
}

/** What is known of a name that was looked for. */
export interface Found {
  text: string
  /** why the text is no name; undefined: it is one */
  rejection: string | undefined
  videos: NamedVideo[]
  /** revisions whose picture is on this host */
  pictures: ReadonlySet<string>
  /** other names that begin so */
  similar: string[]
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
  /** null: it gives no answer */
  queue: QueueCounts | null
  /** videos a minute, lately; null: too few to say */
  pace: number | null
  uploads: Uploads
  refused: Refusals[]
  /** of the last 24 hours */
  understood: Understood[]
  /** names that sound wrong, to the most people first */
  reported: ReportedName[]
  missed: Missed[]
  longestWaitSeconds: number | null
  /** what a monitor would say; empty: all is well */
  findings: string[]
}

const most = { inWork: 12, made: 20, failed: 12, missed: 10, reported: 10, similar: 12 }
const revisionForm = /^[0-9a-f]{8,128}$/

/** Reads everything. @throws what the database or the queue throws */
export async function look(looked: Looked): Promise<View> {
  const { db, queue, rendersFolder, templateRevisions, token, times } = looked
  const readMissed = looked.missed ?? (() => mostMissed(db))
  const bot = await ownBot(db, token)
  const [
    numbers,
    hours,
    inWork,
    made,
    failed,
    outages,
    workers,
    bots,
    fetched,
    waited,
    pace,
    sent,
    refused,
    missed,
    understood,
    reported,
  ] = await Promise.all([
    statistics(db, templateRevisions, bot?.id ?? null),
    lastHours(db),
    nowInWork(db, most.inWork),
    madeLately(db, bot?.id ?? null, rendersFolder),
    latestFailed(db, most.failed),
    currentOutages(db),
    liveWorkers(db, times),
    liveBots(db, times),
    // On a server of its own it may be away alone, and the rest is worth showing without it.
    queue.counts().catch(() => null),
    longestWaitSeconds(db),
    paceOf(db),
    uploads(db, times),
    refusalsOfDay(db),
    readMissed(),
    understoodCounts(db),
    reportedNames(db, { limit: most.reported }),
  ])
  const counts = fetched === null ? null : workload(fetched, numbers.assets)
  const view = {
    at: new Date(),
    numbers,
    hours,
    inWork,
    made,
    failed,
    outages,
    workers,
    bots,
    queue: counts,
    pace,
    uploads: sent,
    refused,
    understood,
    reported,
    missed,
    longestWaitSeconds: waited,
  }
  return { ...view, findings: findingsOf(view) }
}

/** What a monitor would say. */
function findingsOf(view: Omit<View, 'findings'>): string[] {
  const state = stateOf(view.numbers, { ...view, personWaitSeconds: view.longestWaitSeconds })
  return [...(view.queue === null ? ['the queue does not answer'] : []), ...findings(state, usualLimits)]
}

/** Finished requests of the last 24 hours, by the hour in which they were made. */
async function lastHours(db: Db): Promise<Hour[]> {
  const rows = await db.$queryRaw<{ hoursAgo: number; hit: boolean; bucket: number | null; count: bigint }[]>`
    SELECT (extract(epoch
      FROM date_trunc('hour', now(), 'UTC') - hour) / 3600)::int AS "hoursAgo", hit, "waitBucket" AS bucket,
      sum(count)::bigint AS count
    FROM "RequestCount" WHERE hour > now() - interval '24 hours' GROUP BY 1, 2, 3`
  return Array.from({ length: 24 }, (_, n) => {
    const hoursAgo = 23 - n
    const here = rows.filter((row) => row.hoursAgo === hoursAgo)
    const sum = (some: typeof here) => some.reduce((total, { count }) => total + Number(count), 0)
    const waits = here.flatMap(({ bucket, count }) => (bucket === null ? [] : [{ bucket, count: Number(count) }]))
    return {
      hoursAgo,
      asked: sum(here),
      hits: sum(here.filter(({ hit }) => hit)),
      p50: percentile(waits, 0.5),
      p95: percentile(waits, 0.95),
    }
  })
}

async function madeLately(db: Db, botId: bigint | null, rendersFolder: string): Promise<Made[]> {
  const rows = await latestMade(db, botId, most.made)
  return Promise.all(
    rows.map(async ({ revision, ...rest }) => ({
      ...rest,
      revision: (await hasPoster(rendersFolder, revision)) ? (revision ?? undefined) : undefined,
    })),
  )
}

/** Names of the last week that people had to wait for, the most asked first. A long look: not for every refresh. */
export async function mostMissed(db: Db): Promise<Missed[]> {
  return missedNames(db, { sinceMs: 7 * 86_400_000, limit: most.missed, among: 20 * most.missed })
}

/** What may be the beginning of a name: nothing else is looked for. */
const beginning = /^[\p{L}\p{M}][\p{L}\p{M}' -]{0,59}$/u

/** All that is known of a name, and names that begin as it does; `rules` say what is a name here. */
export async function search(db: Db, rendersFolder: string, text: string, rules: NameRules = {}): Promise<Found> {
  const parsed = parseNameOrSet(text, rules)
  // What is refused today may have been made before.
  const known = parseNameOrSet(text, { ...rules, anyWord: true })
  const start = known.ok ? known.name.key : text.trim().toLowerCase()
  const [videos, similar] = await Promise.all([
    known.ok ? videosOf(db, known.name.key) : [],
    beginning.test(start) ? namesThatBegin(db, start, most.similar) : [],
  ])
  const pictures = new Set<string>()
  for (const { revision } of videos)
    if (revision !== null && (await hasPoster(rendersFolder, revision))) pictures.add(revision)
  return { text, rejection: parsed.ok ? undefined : parsed.reason, videos, pictures, similar }
}

/** Where a video can be had: a file of this host, else an id that this bot may ask Telegram for. */
export async function videoOf(
  db: Db,
  rendersFolder: string,
  id: string,
): Promise<{ file: string } | { fileId: string } | undefined> {
  const row = await sourcesOf(db, id)
  const file =
    row?.revision == null || !revisionForm.test(row.revision) ? undefined : join(rendersFolder, `${row.revision}.mp4`)
  if (file !== undefined && (await exists(file))) return { file }
  return row?.fileId == null ? undefined : { fileId: row.fileId }
}

/** The file of a poster; undefined: that is no revision. */
export function posterFile(rendersFolder: string, revision: string): string | undefined {
  return revisionForm.test(revision) ? join(rendersFolder, `${revision}.jpg`) : undefined
}

async function hasPoster(rendersFolder: string, revision: string | null): Promise<boolean> {
  const file = revision === null ? undefined : posterFile(rendersFolder, revision)
  return file !== undefined && (await exists(file))
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}
