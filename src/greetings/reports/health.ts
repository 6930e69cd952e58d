/** What a monitor should be told: the state of things against limits. */
import type { QueueCounts } from '../../queue/index.ts'
import { rivalPollers, type LiveBot, type LiveWorker } from '../workers.ts'
import type { Statistics } from './statistics.ts'

/** What may be, at most or at least. What is left out is not looked at. */
export interface Limits {
  /** how long a person may have been waiting, seconds */
  maxPersonWaitSeconds?: number
  /** how long a job may have been waiting in the queue, seconds */
  maxJobWaitSeconds?: number
  /** failed videos */
  maxFailed?: number
  /** videos that wait to be made */
  maxPending?: number
  /** 0 to 1, over the last 24 hours */
  minHitRate?: number
  /** live workers */
  minWorkers?: number
  /** live bots */
  minBots?: number
}

/** Limits for whoever gives none. */
export const usualLimits: Limits = { maxPersonWaitSeconds: 600, maxFailed: 5, minWorkers: 1, minBots: 1 }

/** The state that is judged. */
export interface State {
  /** null: nobody waits */
  personWaitSeconds: number | null
  /** null: no job waits */
  jobWaitSeconds: number | null
  failed: number
  pending: number
  /** null: nobody asked */
  hitRate: number | null
  workers: number
  bots: number
  /** bots that fetch updates at the same time, as `rivalPollers` names them */
  rivals: readonly string[]
  outages: readonly { step: string; reason: string }[]
}

/** What `status --check` and the dashboard look at, as the state that is judged. */
export function stateOf(
  { assets, last24h }: Pick<Statistics, 'assets' | 'last24h'>,
  seen: {
    personWaitSeconds: number | null
    /** null: it gives no answer */
    queue: QueueCounts | null
    workers: readonly LiveWorker[]
    bots: readonly LiveBot[]
    outages: State['outages']
  },
): State {
  return {
    personWaitSeconds: seen.personWaitSeconds,
    jobWaitSeconds: seen.queue?.oldestWaitingSeconds ?? null,
    failed: assets.failed,
    pending: assets.pending,
    hitRate: last24h.hitRate,
    workers: seen.workers.length,
    bots: seen.bots.length,
    rivals: rivalPollers(seen.bots),
    outages: seen.outages,
  }
}

/**
 * One sentence for each limit that does not hold, for each step that is out of order, and for bots in each other’s way.
 */
export function findings(state: State, limits: Limits): string[] {
  const found: string[] = state.outages.map(({ step, reason }) => `${step} is out of order: ${reason}`)
  const above = (value: number | null, most: number | undefined) => value !== null && most !== undefined && value > most
  const below = (value: number | null, least: number | undefined) =>
    value !== null && least !== undefined && value < least
  if (above(state.personWaitSeconds, limits.maxPersonWaitSeconds))
    found.push(
      `a person has been waiting for ${time(state.personWaitSeconds)} (at most ${time(limits.maxPersonWaitSeconds)})`,
    )
  if (above(state.jobWaitSeconds, limits.maxJobWaitSeconds))
    found.push(
      `the oldest job has been waiting for ${time(state.jobWaitSeconds)} (at most ${time(limits.maxJobWaitSeconds)})`,
    )
  if (above(state.failed, limits.maxFailed))
    found.push(`${state.failed} ${state.failed === 1 ? 'video' : 'videos'} failed (at most ${limits.maxFailed})`)
  if (above(state.pending, limits.maxPending))
    found.push(
      `${state.pending} ` +
        (state.pending === 1 ? 'video waits' : 'videos wait') +
        ` to be made (at most ${limits.maxPending})`,
    )
  if (below(state.hitRate, limits.minHitRate))
    found.push(`the hit rate of the last 24 hours is ${state.hitRate} (at least ${limits.minHitRate})`)
  if (below(state.workers, limits.minWorkers))
    found.push(`${alive(state.workers, 'worker')} (at least ${limits.minWorkers})`)
  if (below(state.bots, limits.minBots)) found.push(`${alive(state.bots, 'bot')} (at least ${limits.minBots})`)
  if (state.rivals.length > 0)
    found.push(
      `${state.rivals.length} bots fetch updates, and Telegram serves one: ` +
        `${state.rivals.join(' and ')}; stop all but one`,
    )
  return found
}

const alive = (count: number, what: string) =>
  `${count === 0 ? `no ${what} is` : count === 1 ? `1 ${what} is` : `${count} ${what}s are`} alive`

function time(seconds: number | null | undefined): string {
  const value = Math.round(seconds ?? 0)
  return value < 90 ? `${value} s` : value < 5_400 ? `${Math.round(value / 60)} min` : `${(value / 3_600).toFixed(1)} h`
}
