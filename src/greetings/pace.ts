/**
 * How long the steps of a video take: measured by every worker, kept by host in the database, and read for estimates. Idle time is in none of it, nor is waiting for a channel.
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
