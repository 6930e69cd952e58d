/** How long people wait: what the estimate needs, read once in a while for everybody. */
import type { Times } from '../config.ts'
import type { Db } from '../db/database.ts'
import { makingHosts, waitOf, type MakingHost, type PostsOfMinutes } from '../greetings/estimate.ts'
import { readPaces, type Pace } from '../greetings/pace.ts'
import type { Standing } from '../greetings/waiting-notes.ts'
import { liveWorkers } from '../greetings/workers.ts'
import { placesForPosts } from '../telegram/uploads.ts'

/** The storage channels that take posts now, and how many each takes a minute. */
export interface PostingChannels {
  usable(): readonly string[]
  ratePerMinute: number
}

/** Seconds that somebody waits; null: nobody knows. */
export type Forecast = (standing: Standing) => number | null

interface Conditions {
  at: number
  paces: Pace[]
  hosts: MakingHost[]
  posts: PostsOfMinutes | undefined
}

const oldSeconds = 3

/** A forecast from what is known now; what was read a moment ago is good enough. */
export function openForecasts(db: Db, times: Times, channels: PostingChannels): () => Promise<Forecast> {
  let reading: Promise<Conditions> | undefined
  let known: Conditions | undefined
  const read = async (): Promise<Conditions> => {
    const perMinute = channels.ratePerMinute
    const [paces, workers, posts] = await Promise.all([
      readPaces(db),
      liveWorkers(db, times),
      placesForPosts(db, channels.usable(), { perMinute, secondMs: times.telegramSecondMs }),
    ])
    return { at: Date.now(), paces, hosts: makingHosts(workers.filter(({ silent }) => !silent)), posts }
  }
  return async () => {
    if (known === undefined || Date.now() - known.at > oldSeconds * times.telegramSecondMs)
      known = await (reading ??= read().finally(() => (reading = undefined)))
    const conditions = known
    return (standing) => secondsOf(conditions, standing)
  }
}

function secondsOf({ at, paces, hosts, posts }: Conditions, { toMake, mix, made, others }: Standing): number | null {
  if (toMake === null) return null
  const places = hosts.reduce((sum, host) => sum + host.places, 0)
  const passed = (Date.now() - at) / 1_000
  const channels = posts && { ...posts, freeAfter: posts.freeAfter.map((seconds) => Math.max(0, seconds - passed)) }
  return waitOf(paces, hosts, channels, {
    // What nobody waits for is not begun before people's, but what is under way takes its place.
    toMake: toMake + Math.min(others, places),
    mix: new Map(Object.entries(mix)),
    made,
  })
}
