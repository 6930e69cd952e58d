import { expect, it } from 'vitest'
import { createPlaces } from '../../src/queue/processors/slots.ts'

const never = new AbortController().signal

/**
 * Everybody asks at once for the one place, in this order, and goes as soon as
 * they have it; the order in which they got it.
 */
async function order(ranks: number[], patience?: number): Promise<string[]> {
  const places = createPlaces(1, patience)
  const leave = await places.take(0, never)
  const got: string[] = []
  const all = ranks.map(async (rank, n) => {
    const done = await places.take(rank, never)
    got.push(`${n}:${rank}`)
    done()
  })
  leave()
  await Promise.all(all)
  expect(places.used).toBe(0)
  return got
}

it('the lowest rank goes first, and of equals whoever came first', async () => {
  expect(await order([900, 3, 1, 3, 1])).toEqual(['2:1', '4:1', '1:3', '3:3', '0:900'])
})

it('now and then it is the turn of whoever has waited longest, so that nobody waits for ever', async () => {
  // The fourth place, the first one included.
  expect(await order([900, 1, 1, 1, 1], 4)).toEqual(['1:1', '2:1', '0:900', '3:1', '4:1'])
})

it('who gives up waiting takes no place, and a place is given back once', async () => {
  const places = createPlaces(1)
  const leave = await places.take(0, never)
  const giveUp = new AbortController()
  const waiting = places.take(1, giveUp.signal)
  giveUp.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
  leave()
  leave()
  expect(places.used).toBe(0)
  const again = await places.take(2, never)
  expect(places.used).toBe(1)
  again()
})
