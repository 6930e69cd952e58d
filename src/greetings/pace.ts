/**
 * How long the steps of a video take: measured by every worker, kept by host in the database, and read when a run is
 * planned. Idle time is in none of it, nor is waiting for a channel.
 */
import { hostname } from 'node:os'
import type { Times } from '../config.ts'
import type { Db } from '../db/database.ts'
import { listen } from '../events.ts'

/**
 * `render`: a video, from name to checked file. `send`: an upload, from its turn to Telegram's answer. `prepare`: what
 * all videos of a template share. `start`: a run, until it waits for its videos.
 */
export type PaceStep = 'render' | 'send' | 'prepare' | 'start'

/** The mean of some samples. */
export interface Pace {
  host: string
  /** empty: of no template */
  template: string
  step: PaceStep
  /** of how many that were under way on the host */
  parallel: number
  seconds: number
}

/** Of so many samples a mean is made; older ones count less and less. */
const memory = 20

/**
 * Adds samples of this host. `processId` is the worker's: what others on this
 * host render at the time counts as parallel too.
 */
export async function recordPaces(
  db: Db,
  samples: readonly (Omit<Pace, 'host'> & { samples: number })[],
  processId = '',
): Promise<void> {
  if (samples.length === 0) return
  const column = <K extends keyof (typeof samples)[number]>(key: K) => samples.map((sample) => sample[key])
  await db.$executeRaw`
    INSERT INTO "StepPace" AS pace (host, template, step, parallel, seconds, samples)
    SELECT ${hostname()}, template, step, parallel + CASE step WHEN 'render' THEN others.rendering
      ELSE 0 END, seconds, least(count, ${memory})
    FROM unnest(${column('template')}::text[], ${column('step')}::text[], ${column('parallel')}::int[],
      ${column('seconds')}::float8[], ${column('samples')}::int[]) AS new(template, step, parallel, seconds, count),
      LATERAL (SELECT coalesce(sum(rendering), 0)::int AS rendering FROM "WorkerProcess" WHERE host = ${hostname()}
        AND id <> ${processId} AND "seenAt" > now() - interval '10 seconds') AS others
    ON CONFLICT (host, template, step, parallel) DO UPDATE SET
      seconds = (pace.seconds * least(pace.samples,
        ${memory} - EXCLUDED.samples) + EXCLUDED.seconds * EXCLUDED.samples) / (least(pace.samples,
        ${memory} - EXCLUDED.samples) + EXCLUDED.samples),
      samples = least(pace.samples, ${memory} - EXCLUDED.samples) + EXCLUDED.samples, "updatedAt" = now()`
}

/** Measures what a worker of this process does, until it is closed. `rendering` tells how many videos it is making. */
export function measurePaces(
  db: Db,
  { leaseRenewMs }: Times,
  { processId, rendering }: { processId: string; rendering: () => number },
): { close(): Promise<void> } {
  let sums = new Map<string, Omit<Pace, 'host'> & { samples: number }>()
  const add = (step: PaceStep, template: string, parallel: number, seconds: number) => {
    const key = `${step} ${template} ${parallel}`
    const sum = sums.get(key) ?? { step, template, parallel, seconds: 0, samples: 0 }
    sums.set(key, { ...sum, seconds: sum.seconds + seconds, samples: sum.samples + 1 })
  }
  const ignore = listen((event) => {
    if (event.what === 'sent') add('send', '', event.parallel, event.seconds)
    else if (event.what === 'step' && event.step === 'video')
      add('render', event.template, Math.max(1, rendering()), event.seconds)
    else if (event.what === 'step' && event.step === 'prepare') add('prepare', event.template, 1, event.seconds)
  })
  const write = async () => {
    const taken = [...sums.values()]
    sums = new Map()
    // When the database is away some samples are lost, and others come.
    await recordPaces(
      db,
      taken.map((sum) => ({ ...sum, seconds: sum.seconds / sum.samples })),
      processId,
    ).catch(() => undefined)
  }
  const timer = setInterval(() => void write(), leaseRenewMs)
  return {
    async close() {
      clearInterval(timer)
      ignore()
      await write()
    },
  }
}

/** All there is. */
export async function readPaces(db: Db): Promise<Pace[]> {
  return db.$queryRaw<Pace[]>`SELECT host, template, step, parallel, seconds FROM "StepPace"`
}

/** Forgets hosts that made nothing for a season. */
export async function forgetPaces(db: Pick<Db, '$executeRaw'>): Promise<void> {
  await db.$executeRaw`DELETE FROM "StepPace" WHERE "updatedAt" < now() - interval '100 days'`
}

// ---- what it means for a run -----------------------------------------------------------------------

/** Where videos are made. */
export interface MakingHost {
  host: string
  /** videos it makes at a time */
  places: number
  /** beyond so many, more at a time are no faster */
  processors: number
}

/** A run that is to be estimated. */
export interface PlannedRun {
  /** videos that are to be made, by template, those of others that come first included */
  videos: ReadonlyMap<string, number>
  hosts: readonly MakingHost[]
  /** where the run is started */
  host: string
  /** templates of which this host must make first what all videos share */
  unprepared: readonly string[]
  /**
   * all storage channels together, in posts a minute and in the shortest distance of posts in
   * one of them; undefined: as fast as they are sent
   */
  channels: { count: number; postSeconds: number } | undefined
}

/** Seconds. Null: not known. */
export interface Estimate {
  render: number | null
  upload: number
  prepare: number | null
  total: number | null
}

/** How long a run takes by what was measured. */
export function estimate(
  paces: readonly Pace[],
  { videos, hosts, host: here, unprepared, channels }: PlannedRun,
): Estimate {
  const count = [...videos.values()].reduce((sum, each) => sum + each, 0)
  if (count === 0) return { render: 0, upload: 0, prepare: 0, total: 0 }
  // Of each host the seconds per video, all its places together, and how long one video takes.
  const making = hosts.map((host) => {
    const parts = [...videos].map(([template, each]) => ({
      share: each / count,
      ...known(paces, 'render', template, host),
    }))
    const mean = (of: 'secondsPerVideo' | 'seconds') =>
      parts.reduce<number | null>(
        (sum, part) => (sum === null || part[of] === undefined ? null : sum + part.share * part[of]),
        0,
      )
    return { secondsPerVideo: mean('secondsPerVideo'), seconds: mean('seconds') }
  })
  const measured = making.filter(
    (host): host is { secondsPerVideo: number; seconds: number } =>
      host.secondsPerVideo !== null && host.seconds !== null,
  )
  const render =
    measured.length === 0
      ? null
      : count /
        (measured.reduce((sum, { secondsPerVideo }) => sum + 1 / secondsPerVideo, 0) * (hosts.length / measured.length))
  const first = measured.length === 0 ? null : Math.min(...measured.map(({ seconds }) => seconds))
  // A host sends what it has made while it makes more, so many at a time.
  const sending = hosts.map((host) =>
    known(paces, 'send', '', { ...host, places: host.places + rendersAhead, processors: Infinity }),
  )
  const send = Math.max(0, ...sending.map(({ seconds }) => seconds ?? 0))
  const sends = sending.reduce((sum, { secondsPerVideo }) => sum + 1 / (secondsPerVideo ?? 0), 0)
  const upload = Math.max(
    channels === undefined ? 0 : (Math.ceil(count / channels.count) - 1) * channels.postSeconds,
    sends === 0 ? 0 : count / sends,
  )
  const prepare = unprepared.reduce<number | null>((sum, template) => {
    const seconds = preparation(paces, template, here)
    return sum === null || seconds === undefined ? null : sum + seconds
  }, 0)
  const start = meanOf(nearest(paces, { step: 'start', template: '', host: here })) ?? 0
  // Making and uploading go on at the same time: the slower one is waited for,
  // and the first, or the last, video of the other.
  const total =
    render === null || first === null || prepare === null
      ? null
      : start + prepare + Math.max(render, first + upload) + send
  return { render, upload, prepare, total }
}

/** Finished files that may wait for an upload while rendering goes on, per worker. */
export const rendersAhead = 6

/** What was measured of a step on a host, and where nothing was, on the others. */
function known(
  paces: readonly Pace[],
  step: PaceStep,
  template: string,
  { host, places, processors }: MakingHost,
): { secondsPerVideo?: number; seconds?: number } {
  const rows = nearest(paces, { step, template, host })
  const byHost = [...new Set(rows.map((row) => row.host))].map((each) => {
    const [first, ...more] = rows.filter((row) => row.host === each)
    return first === undefined
      ? undefined
      : more.reduce(
          (best, row) => (Math.abs(row.parallel - places) < Math.abs(best.parallel - places) ? row : best),
          first,
        )
  })
  const best = byHost.filter((row) => row !== undefined)
  if (best.length === 0) return {}
  const most = (parallel: number) => Math.min(parallel, processors)
  const rate =
    best.reduce((sum, { parallel, seconds }) => sum + (parallel / seconds) * (most(places) / most(parallel)), 0) /
    best.length
  return { secondsPerVideo: 1 / rate, seconds: meanOf(best) }
}

/** Those of the host, else those of all others. */
function nearest(paces: readonly Pace[], { step, template, host }: Pick<Pace, 'step' | 'template' | 'host'>): Pace[] {
  const all = paces.filter((pace) => pace.step === step && pace.template === template)
  const own = all.filter((pace) => pace.host === host)
  return own.length > 0 ? own : all
}

/** Of this template here or elsewhere, else of another template here. */
function preparation(paces: readonly Pace[], template: string, host: string): number | undefined {
  return (
    meanOf(nearest(paces, { step: 'prepare', template, host })) ??
    meanOf(paces.filter((pace) => pace.step === 'prepare' && pace.host === host))
  )
}

function meanOf(rows: readonly Pace[]): number | undefined {
  return rows.length === 0 ? undefined : rows.reduce((sum, { seconds }) => sum + seconds, 0) / rows.length
}

/** How many videos a minute became ready lately; null: too few to say. */
export async function paceOf(db: Db): Promise<number | null> {
  const [row] = await db.$queryRaw<{ short: number; long: number; since: number | null }[]>`
    SELECT count(*) FILTER (WHERE "availableAt" > now() - interval '2 minutes')::int AS short, count(*)::int AS long,
      extract(epoch FROM now() - min("availableAt"))::float8 AS since
    FROM "VideoAsset" WHERE status = 'AVAILABLE' AND "availableAt" > now() - interval '10 minutes'
      AND "availableAt" <= now()`
  if (row === undefined || row.since === null) return null
  // A run that began a moment ago is not judged by the calm before it.
  if (row.short >= 4) return row.short / Math.min(2, Math.max(row.since / 60, 0.25))
  return row.long < 2 ? null : row.long / Math.max(row.since / 60, 0.5)
}
