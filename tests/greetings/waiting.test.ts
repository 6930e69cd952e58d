/** What people are told when they ask, and what became of it: workers and a channel in simulated time. */
import { describe, expect, it } from 'vitest'
import { rendersAhead, waitOf, type MakingHost } from '../../src/greetings/estimate.ts'
import type { Pace } from '../../src/greetings/pace.ts'

const minuteSeconds = 61
const postsAMinute = 20

interface Town {
  /** videos made at a time */
  places: number
  /** what one takes, on average */
  renderSeconds: number
  uploadSeconds: number
  /** how long ago each of the channel's posts of the last minute was sent */
  posts?: number[]
}

/** Numbers between 0 and 1 that look random, the same in every run. */
function dice(seed: number): () => number {
  let state = seed
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
}

/** When each of so many videos, asked for at once, is sent: places to render, files that may wait, and a channel. */
function truth({ places, renderSeconds, uploadSeconds, posts = [] }: Town, names: number, seed: number): number[] {
  const roll = dice(seed)
  const free = Array.from({ length: places }, () => 0)
  const sentAt = posts.map((ago) => -ago).sort((one, other) => one - other)
  const arrived: number[] = []
  for (let n = 0; n < names; n++) {
    // A worker has so many jobs in hand: those that wait for their upload keep it from beginning others.
    const inHand = arrived[n - places - rendersAhead] ?? 0
    const place = free.indexOf(Math.min(...free))
    const begun = Math.max(free[place] ?? 0, inHand)
    const made = begun + renderSeconds * (0.7 + 0.6 * roll())
    free[place] = made
    const minuteAgo = sentAt.at(-postsAMinute)
    const posted = Math.max(made, minuteAgo === undefined ? 0 : minuteAgo + minuteSeconds, sentAt.at(-1) ?? 0)
    sentAt.push(posted)
    arrived.push(posted + uploadSeconds)
  }
  return arrived
}

/** What each of them was told at once. */
function told({ places, renderSeconds, uploadSeconds, posts = [] }: Town, names: number): number[] {
  const pace = { host: 'one', template: 't', parallel: places }
  const paces: Pace[] = [
    { ...pace, step: 'render', seconds: renderSeconds },
    { ...pace, template: '', step: 'send', seconds: uploadSeconds, parallel: 1 },
    { ...pace, template: '', step: 'start', seconds: 9, parallel: 1 },
  ]
  const hosts: MakingHost[] = [{ host: 'one', places, processors: places }]
  const taken = posts.map((ago) => minuteSeconds - ago).sort((one, other) => one - other)
  const freeAfter = [...Array.from({ length: postsAMinute - taken.length }, () => 0), ...taken]
  return Array.from({ length: names }, (_, before) =>
    Number(
      waitOf(
        paces,
        hosts,
        { freeAfter, takenSeconds: minuteSeconds },
        { toMake: before + 1, mix: new Map([['t', names]]), made: 0 },
      ),
    ),
  )
}

const busyMinute = Array.from({ length: postsAMinute }, (_, n) => 3 * n)

describe('42 cold names at once, through a channel of 20 posts a minute', () => {
  it.each([
    ['two places, six seconds a video', { places: 2, renderSeconds: 6, uploadSeconds: 1 }],
    ['one place', { places: 1, renderSeconds: 5, uploadSeconds: 2 }],
    ['eight places, ten seconds a video', { places: 8, renderSeconds: 10, uploadSeconds: 1 }],
    ['fast ones, which wait for the channel', { places: 4, renderSeconds: 1.5, uploadSeconds: 0.5 }],
    ['a channel that is full already', { places: 2, renderSeconds: 4, uploadSeconds: 1, posts: busyMinute }],
    ['a channel that is half full', { places: 4, renderSeconds: 3, uploadSeconds: 1, posts: busyMinute.slice(10) }],
  ])('%s: nine of ten are told within a factor of 1.5', (_what, town) => {
    const estimates = told(town, 42)
    for (let seed = 1; seed <= 20; seed++) {
      const good = truth(town, 42, seed).filter((seconds, n) => {
        const factor = seconds / (estimates[n] ?? Infinity)
        return factor < 1.5 && factor > 1 / 1.5
      })
      expect(good.length / 42).toBeGreaterThanOrEqual(0.9)
    }
  })
})
