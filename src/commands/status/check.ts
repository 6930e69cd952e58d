/** `status --check`: a report judged for a monitor. */
import type { Db } from '../../db/database.ts'
import { findings, stateOf, type Limits } from '../../greetings/reports/health.ts'
import { longestWaitSeconds } from '../../greetings/reports/statistics.ts'
import { endOf, exitCode } from '../../terminal/exit.ts'
import { jsonOf } from './output.ts'
import type { Report } from './report.ts'

/** Limits as they are given on the command line. */
export interface LimitOptions {
  /** milliseconds */
  maxOldest?: number
  maxFailed?: number
  maxPending?: number
  minHitRate?: number
  minWorkers?: number
  minBots?: number
}

/** Undefined: none is given. */
export function limitsOf({
  maxOldest,
  maxFailed,
  maxPending,
  minHitRate,
  minWorkers,
  minBots,
}: LimitOptions): Limits | undefined {
  const oldest = maxOldest === undefined ? undefined : maxOldest / 1_000
  const limits: Limits = {
    maxPersonWaitSeconds: oldest,
    maxJobWaitSeconds: oldest,
    maxFailed,
    maxPending,
    minHitRate,
    minWorkers,
    minBots,
  }
  return Object.values(limits).every((limit) => limit === undefined) ? undefined : limits
}

/** Prints the verdict, or all of it as JSON; returns the exit code. */
export async function check(db: Db, report: Report, limits: Limits, json: boolean): Promise<number> {
  const { place, numbers, unreachable } = report
  const { assets } = numbers
  const state = stateOf(numbers, { ...report, personWaitSeconds: await longestWaitSeconds(db) })
  const found = [...unreachable, ...(place.conflict === undefined ? [] : [place.conflict]), ...findings(state, limits)]
  const healthy = found.length === 0
  const [otherBot, verdict] = [
    assets.otherBot === 0 ? '' : `, ${assets.otherBot} of another bot`,
    unreachable.length > 0 ? 'UNKNOWN' : 'WARNING',
  ]
  // A monitor shows the first line, and the rest to whoever asks.
  const lines = healthy
    ? [`OK: ${assets.available} videos available${otherBot}, ${assets.pending} pending, ${assets.failed} failed`]
    : [`${verdict}: ${found.join('; ')}`, ...found]
  process.stdout.write(
    json ? `${JSON.stringify({ ...jsonOf(report), healthy, findings: found })}\n` : `${lines.join('\n')}\n`,
  )
  return healthy ? exitCode.done : unreachable.length > 0 ? exitCode.unreachable : exitCode.someFailed
}

/** A service is away: a monitor reads that on stdout. Anything else is reported as ever. */
export function unknown(error: unknown): number {
  const end = endOf(error)
  if (end.code !== exitCode.unreachable) throw error
  process.stdout.write(`UNKNOWN: ${end.lines[0]}\n`)
  return end.code
}
