/** `/stats`: how it is going, in a few lines. */
import { currentOutages } from '../../greetings/outages.ts'
import { refusalsOfDay } from '../../greetings/refusals.ts'
import { longestWaitSeconds, statistics } from '../../greetings/reports/statistics.ts'
import { liveWorkers } from '../../greetings/workers.ts'
import { text, type Language } from '../../texts.ts'
import type { BotContext } from '../context.ts'
import type { AdminDeps } from './admin-deps.ts'

/** So many reasons are told, the most frequent ones. */
const reasonsTold = 6

export async function tellStats({ door: { db, botId }, times }: AdminDeps, ctx: BotContext): Promise<void> {
  const language = await ctx.language()
  const [numbers, waitSeconds, workers, outages, refusals] = await Promise.all([
    // Which videos are outdated is not told here, so nothing of the templates has to be known.
    statistics(db, new Map(), botId),
    longestWaitSeconds(db),
    liveWorkers(db, times),
    currentOutages(db),
    refusalsOfDay(db),
  ])
  const { assets, last24h, requests } = numbers
  const refused = refusals.reduce((sum, { count }) => sum + count, 0)
  const lines = [
    text(language, 'stats-day', { requests: last24h.requests, percent: Math.round((last24h.hitRate ?? 0) * 100) }),
    waitSeconds === null
      ? text(language, 'stats-nobody-waits')
      : text(language, 'stats-waiting', { count: requests.pending, ...clock(waitSeconds) }),
    text(language, 'stats-videos', {
      available: assets.available,
      pending: assets.pending + assets.generating,
      failed: assets.failed,
    }),
    text(language, 'stats-workers', { workers: workers.length }),
    ...outages.map(({ step, since }) =>
      text(language, 'stats-outage', { step, ...clock((Date.now() - since.getTime()) / 1_000) }),
    ),
    ...(refused === 0 ? [] : ['', text(language, 'stats-refused', { count: refused })]),
    ...reasonLines(language, refusals),
  ]
  ctx.say(lines.join('\n'))
}

/** Why rows or texts were not taken, the most frequent reasons. */
function reasonLines(language: Language, reasons: readonly { reason: string; count: number }[]): string[] {
  return reasons.slice(0, reasonsTold).map((each) => text(language, 'stats-refused-reason', { ...each }))
}

/** For `$hours` and `$minutes`: a minute at least. */
function clock(seconds: number): { hours: number; minutes: number } {
  const minutes = Math.max(1, Math.ceil(seconds / 60))
  return { hours: Math.floor(minutes / 60), minutes: minutes % 60 }
}
