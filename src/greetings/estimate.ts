/** How long a run takes, or somebody waits: what was measured of the steps, and what bounds them. */
import { availableParallelism, hostname } from 'node:os'
import type { Pace, PaceStep } from './pace.ts'

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
  /** videos that are made, and are to be uploaded before all of these */
  made?: number
  /** all storage channels together; undefined: as fast as they are sent */
  channels: EvenPosts | PostsOfMinutes | undefined
}

/** Posts that nobody waits for keep a distance in each channel. */
export interface EvenPosts {
  count: number
  postSeconds: number
}

/** Posts that people wait for go as soon as a channel's minute has room for one. */
export interface PostsOfMinutes {
  /** the places of all channels, each by when it is free, the soonest first */
  freeAfter: readonly number[]
  /** for how long a post takes its place */
  takenSeconds: number
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
  { videos, hosts, host: here, unprepared, made = 0, channels }: PlannedRun,
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
  const posting = postingOf(count + made, channels)
  const line = sends === 0 ? 0 : count / sends
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
      : start +
        prepare +
        Math.max(
          render,
          first + line,
          posting.seconds,
          Math.max(first, (render / count) * (posting.waitsFor - made)) + posting.after,
        ) +
        send
  return { render, upload: Math.max(posting.seconds, line), prepare, total }
}

/**
 * When the last of so many posts may go: after so many seconds, and so long `after` the post whose place it takes, which
 * is the video `waitsFor`, could go.
 */
function postingOf(count: number, channels: PlannedRun['channels']) {
  if (channels === undefined) return { seconds: 0, after: 0, waitsFor: 1 }
  if ('postSeconds' in channels) {
    const seconds = (Math.ceil(count / channels.count) - 1) * channels.postSeconds
    return { seconds, after: seconds, waitsFor: 1 }
  }
  const { freeAfter, takenSeconds } = channels
  const place = (count - 1) % freeAfter.length
  const after = Math.floor((count - 1) / freeAfter.length) * takenSeconds
  return { seconds: (freeAfter[place] ?? 0) + after, after, waitsFor: place + 1 }
}

/** What comes before somebody who waits, their own video included. */
export interface Before {
  /** videos that are to be made, or are being made */
  toMake: number
  /** of what is to be made, how many of each template; only their shares count */
  mix: ReadonlyMap<string, number>
  /** videos that are made, and are uploaded before */
  made: number
}

/** How long somebody waits, in seconds; null: not known. The workers run already, and have prepared their templates. */
export function waitOf(
  paces: readonly Pace[],
  hosts: readonly MakingHost[],
  channels: PostsOfMinutes | undefined,
  { toMake, mix, made }: Before,
): number | null {
  const all = [...mix.values()].reduce((sum, count) => sum + count, 0)
  return estimate(
    paces.filter(({ step }) => step !== 'start'),
    {
      videos: new Map([...mix].map(([template, count]) => [template, (toMake * count) / all])),
      made,
      hosts,
      host: '',
      unprepared: [],
      channels,
    },
  ).total
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

// ---- where videos are made -------------------------------------------------------------------------

/** The hosts of these workers. A worker has as many places as its host has processors, unless it is told otherwise. */
export function makingHosts(workers: readonly { host: string; concurrency: number }[]): MakingHost[] {
  return [...new Set(workers.map(({ host }) => host))].map((host) => {
    const here = workers.filter((each) => each.host === host).map(({ concurrency }) => concurrency)
    return {
      host,
      places: here.reduce((sum, each) => sum + each, 0),
      processors: host === hostname() ? availableParallelism() : Math.max(...here),
    }
  })
}
