/** A report as `--json` has it, and as people read it. */
import { styleText } from 'node:util'
import type { Coverage } from '../../greetings/reports/coverage.ts'
import { type LiveProcess, rivalPollers } from '../../greetings/workers.ts'
import { placeJson, placeText } from './place.ts'
import type { Report } from './report.ts'

/** The contract of `--json`. */
export function jsonOf({
  place,
  numbers: { assets, templates, requests, last24h, failures },
  queue,
  unreachable,
  workers,
  bots,
  repeatedUploads,
  understood,
  reported,
  outages,
  coverage: covered,
}: Report): object {
  return {
    ...placeJson(place),
    assets,
    templates,
    requests,
    last24h,
    queue,
    unreachable,
    workers: workers.map(({ host, pid, concurrency, rendering, uploading, startedAt, seenSeconds }) => ({
      host,
      pid,
      concurrency,
      rendering,
      uploading,
      startedAt: startedAt.toISOString(),
      seenSeconds,
    })),
    bots: bots.map(({ host, pid, mode, startedAt, seenSeconds }) => ({
      host,
      pid,
      mode,
      startedAt: startedAt.toISOString(),
      seenSeconds,
    })),
    failures,
    repeatedUploads,
    understood,
    reported,
    outages: outages.map(({ step, reason, since, until }) => ({
      step,
      reason,
      since: since.toISOString(),
      until: until.toISOString(),
    })),
    ...(covered === undefined ? {} : { coverage: covered }),
  }
}

const percent = (share: number) => `${(share * 100).toFixed(1)} %`

/** In colours where stdout is a terminal and NO_COLOR is not set: `styleText` looks. */
export function asText({
  place,
  numbers: {
    assets: { otherBot, ...videos },
    requests,
    last24h,
    failures,
  },
  queue,
  unreachable,
  workers,
  bots,
  repeatedUploads,
  understood,
  reported,
  outages,
  coverage: covered,
}: Report): string {
  const counts = (values: Record<string, number>) =>
    Object.entries(values)
      .map(([name, value]) => `${value} ${name}`)
      .join(' · ')
  const seconds = (value: number | null) => (value === null ? '–' : `${value} s`)
  const doing = ({ silent, seenSeconds }: LiveProcess, what: string) =>
    silent ? styleText('yellow', `silent for ${Math.round(seenSeconds)} s`) : what
  const rivals = rivalPollers(bots)
  const lines = [
    placeText(place),
    place.conflict === undefined ? '' : `           ${styleText('red', place.conflict)}`,
    `videos     ${counts(videos).replace(/\b[1-9]\d* failed/, (some) => styleText('red', some))}` +
      (otherBot === 0 ? '' : ` · ${styleText('yellow', `${otherBot} of another bot`)}`),
    `requests   ${counts(requests)}`,
    `last 24 h  ${last24h.requests} requests, ${last24h.hits} hits` +
      (last24h.hitRate === null ? '' : ` (${percent(last24h.hitRate)})`) +
      `, waiting p50 ${seconds(last24h.waitSeconds.p50)}, p95 ${seconds(last24h.waitSeconds.p95)}`,
    understoodText(understood),
    covered === undefined ? '' : listText(covered),
    queue === null
      ? ''
      : `queue      ${queue.waiting} waiting · ${queue.active} active · ${queue.delayed} delayed` +
        (queue.oldestWaitingSeconds === null ? '' : `, the oldest for ${queue.oldestWaitingSeconds} s`),
    ...unreachable.map((sentence) => `queue      ${styleText('red', sentence)}`),
    workers.length === 0 ? `workers    ${styleText('yellow', 'none is alive')}` : '',
    ...workers.map(
      (worker) =>
        `worker     ${worker.host}, pid ${worker.pid}: ` +
        `${doing(worker, `${worker.rendering} of ${worker.concurrency} rendering, ${worker.uploading} uploading`)}`,
    ),
    bots.length === 0 ? `bots       ${styleText('yellow', 'none is alive')}` : '',
    ...bots.map((bot) => `bot        ${bot.host}, pid ${bot.pid}: ${doing(bot, bot.mode)}`),
    rivals.length === 0
      ? ''
      : '           ' +
        `${styleText('red', `these fetch updates at the same time, and Telegram serves one: stop all but one`)}`,
    ...outages.map(
      ({ step, reason, until }) =>
        `outage     ${styleText('yellow', `${step}: ${reason} (next try ${until.toISOString()})`)}`,
    ),
    ...failures.map(({ reason, count }) => `failed     ${styleText('red', `${count} × ${reason}`)}`),
    reported.length === 0
      ? ''
      : `sound      wrong to people: ${reported.map(({ name, count }) => `${name} (${count})`).join(', ')}; ` +
        'greetings names --reported has more',
    repeatedUploads === 0
      ? ''
      : `uploads    ${repeatedUploads} made again, as Telegram’s answer was lost: the storage channel may ` +
        'hold some videos twice, which is harmless',
  ]
  return `${lines.filter((line) => line !== '').join('\n')}\n`
}

function listText({ names, available, otherBot, share, weightedShare }: Coverage): string {
  return (
    `list       ${available} of ${names} names available${share === null ? '' : ` (${percent(share)})`}` +
    (weightedShare === null ? '' : `, ${percent(weightedShare)} of the children`) +
    (otherBot === 0 ? '' : `, ${otherBot} are of another bot`)
  )
}

/** By outcome; nothing where nobody wrote anything. */
function understoodText(counts: Report['understood']): string {
  if (counts.length === 0) return ''
  const sums = new Map<string, number>()
  for (const { outcome, count } of counts) sums.set(outcome, (sums.get(outcome) ?? 0) + count)
  return `understood ${[...sums].map(([outcome, count]) => `${count} ${outcome}`).join(' · ')}`
}
