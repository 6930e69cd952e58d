/** What would come of a list, for the admin who sent it. */
import { hostname } from 'node:os'
import type { Times } from '../config.ts'
import type { Db } from '../db/database.ts'
import { estimate, makingHosts } from '../greetings/estimate.ts'
import { readPaces } from '../greetings/pace.ts'
import { unfinishedByTemplate } from '../greetings/reports/outcomes.ts'
import { foresee, type Foreseen } from '../greetings/request-list.ts'
import { liveWorkers } from '../greetings/workers.ts'
import type { NameList } from '../names/lists.ts'
import { usableChannels } from '../telegram/channels.ts'
import { windowSeconds } from '../telegram/flood.ts'
import type { Storage } from '../telegram/storage.ts'
import { text, type Language } from '../texts.ts'
import { clock, reasonLines } from './admin-words.ts'
import { asksOf, type ListDeps } from './warm-list.ts'

/** What planning needs. */
export interface PlanDeps extends ListDeps {
  db: Db
  botId: bigint
  storage: Pick<Storage, 'chatIds' | 'leftOut' | 'ratePerMinute'>
  times: Times
}

/** What the names of a list would meet. */
export interface Plan {
  outcomes: ReadonlyMap<Foreseen, number>
  /** names that are to be made, by template; of them, those that are queued already */
  toMake: ReadonlyMap<string, number>
  joined: ReadonlyMap<string, number>
  /** names in letters that no template serves */
  unserved: number
}

const rowsTold = 10

/** Looks, and makes nothing. */
export async function planOf(deps: PlanDeps, list: NameList): Promise<Plan> {
  const outcomes = new Map<Foreseen, number>()
  const toMake = new Map<string, number>()
  const joined = new Map<string, number>()
  let unserved = 0
  for await (const part of asksOf(list, deps)) {
    unserved += part.unserved
    const foreseen = await foresee(deps, part.asks, {})
    foreseen.forEach((outcome, index) => {
      const template = part.asks[index]?.template ?? ''
      increase(outcomes, outcome)
      if (outcome === 'joined') increase(joined, template)
      if (outcome !== 'cached' && outcome !== 'failedBefore') increase(toMake, template)
    })
  }
  return { outcomes, toMake, joined, unserved }
}

const increase = <K>(counts: Map<K, number>, key: K) => void counts.set(key, (counts.get(key) ?? 0) + 1)

/** How many of the list are to be made. */
export const newNames = ({ toMake }: Plan) => [...toMake.values()].reduce((sum, count) => sum + count, 0)

/** The plan in words. */
export async function planText(deps: PlanDeps, language: Language, list: NameList, plan: Plan): Promise<string> {
  const { outcomes, unserved } = plan
  const joined = outcomes.get('joined') ?? 0
  const fresh = newNames(plan)
  const refused = list.rejected + unserved
  const line = (key: 'warm-new' | 'warm-cached' | 'warm-queued' | 'warm-failed-before' | 'warm-repeated', count = 0) =>
    count === 0 ? [] : [text(language, key, { count })]
  const reasons = { ...list.rejectedBy }
  if (unserved > 0) reasons.unsupported_script = (reasons.unsupported_script ?? 0) + unserved
  return [
    text(language, 'warm-list', { count: list.distinct }),
    ...line('warm-new', fresh - joined),
    ...line('warm-queued', joined),
    ...line('warm-cached', outcomes.get('cached')),
    ...line('warm-failed-before', outcomes.get('failedBefore')),
    ...line('warm-repeated', list.duplicates),
    ...(refused === 0 ? [] : ['', text(language, 'warm-refused', { count: refused })]),
    ...reasonLines(
      language,
      Object.entries(reasons)
        .map(([reason, count]) => ({ reason, count }))
        .sort((one, other) => other.count - one.count),
    ),
    ...(list.rejects.length === 0 ? [] : [text(language, 'warm-refused-rows', { rows: rowsOf(list) })]),
    '',
    fresh === 0 ? text(language, 'warm-nothing') : await timeText(deps, language, plan),
  ].join('\n')
}

function rowsOf({ rejects, rejected }: NameList): string {
  const told = rejects.slice(0, rowsTold).map(({ line }) => line)
  return told.join(', ') + (rejected > told.length ? ', …' : '')
}

async function timeText(deps: PlanDeps, language: Language, { toMake, joined }: Plan): Promise<string> {
  const { db, times, storage } = deps
  const [paces, workers, unfinished] = await Promise.all([
    readPaces(db),
    liveWorkers(db, times),
    unfinishedByTemplate(db),
  ])
  const templates = new Set([...toMake.keys(), ...unfinished.keys()])
  const ahead = (id: string) => Math.max(0, (unfinished.get(id) ?? 0) - (joined.get(id) ?? 0))
  const { total } = estimate(paces, {
    videos: new Map([...templates].map((id) => [id, (toMake.get(id) ?? 0) + ahead(id)])),
    hosts: makingHosts(workers.filter(({ silent }) => !silent)),
    host: hostname(),
    unprepared: [],
    channels: {
      count: Math.max(1, usableChannels(storage).length),
      postSeconds: (windowSeconds / storage.ratePerMinute) * (times.telegramSecondMs / 1_000),
    },
  })
  return total === null ? text(language, 'warm-time-unknown') : text(language, 'warm-time', clock(total))
}
