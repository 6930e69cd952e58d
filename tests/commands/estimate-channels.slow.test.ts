/** The estimate of `warm --dry-run` where the channels are slower than rendering. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openTown, type Town } from '../town.ts'
import { comparePlan, someNames } from './estimated.ts'
import { runProgram } from './program.ts'

let town: Town
beforeAll(async () => {
  town = await openTown({ channels: 2 })
}, 120_000)
afterAll(() => town.close())

it('one channel, and after that two', async () => {
  // A post in 0.8 s; a video is made in less.
  const [one = ''] = (town.env.STORAGE_CHAT_IDS ?? '').split(',')
  const env = { ...town.env, CHANNEL_RATE: '2', TIME_DIVISOR: '38' }
  const throughOne = { ...env, STORAGE_CHAT_IDS: one }
  const first = await runProgram(['warm', '-', '--quiet'], { env: throughOne, input: someNames(0, 6) })
  expect(first.code, first.stderr).toBe(0)
  const slow = await comparePlan(someNames(6, 30), throughOne)
  expect(slow.uploadSeconds).toBeGreaterThan(slow.renderSeconds as number)
  // What was seen of the channel is not taken for rendering.
  const fast = await comparePlan(someNames(36, 30), env)
  expect(fast.estimatedSeconds).toBeLessThan(0.75 * (slow.estimatedSeconds as number))
})
