/** `/stats`: how it is going, in a few lines. */
import { currentOutages } from '../../greetings/outages.ts'
import { refusalsOfDay } from '../../greetings/refusals.ts'
import { longestWaitSeconds, statistics } from '../../greetings/reports/statistics.ts'
import { reportedNames } from '../../greetings/sound-reports.ts'
import { liveWorkers } from '../../greetings/workers.ts'
import { text } from '../../texts.ts'
import type { BotContext } from '../context.ts'
import { clock, reasonLines } from '../admin-words.ts'
import type { AdminDeps } from './admin-deps.ts'

/** So many names are told, those that most people reported. */
const namesTold = 5

export async function tellStats({ door: { db, botId }, times }: AdminDeps, ctx: BotContext): Promise<void> {
  const language = await ctx.language()
  const [numbers, waitSeconds, workers, outages, refusals, reported] = await Promise.all([
    // Which videos are outdated is not told here, so nothing of the templates has to be known.
    statistics(db, new Map(), botId),
    longestWaitSeconds(db),
    liveWorkers(db, times),
    currentOutages(db),
    refusalsOfDay(db),
    reportedNames(db, { limit: namesTold }),
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
    ...(reported.length === 0
      ? []
      : [
          text(language, 'stats-reported', {
            names: reported.map(({ name, count, wanted: [most] }) => `${most?.spelling ?? name} (${count})`).join(', '),
          }),
        ]),
    ...(refused === 0 ? [] : ['', text(language, 'stats-refused', { count: refused })]),
    ...reasonLines(language, refusals),
  ]
  ctx.say(lines.join('\n'))
}
