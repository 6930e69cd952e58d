/** A worker's places, without a worker. */
import { expect, it } from 'vitest'
import { createPauses } from '../../src/queue/processors/pauses.ts'
import { createSlots } from '../../src/queue/processors/slots.ts'

const never = new AbortController().signal

it('property 12: whoever works for a person gets the next place, before all who came earlier for nobody', async () => {
  const slots = createSlots(1)
  const order: string[] = []
  let leave = await slots.take('warm', never)
  const takers = (['warm', 'warm', 'people', 'people'] as const).map(async (lane, n) => {
    leave = await slots.take(lane, never)
    order.push(`${lane} ${n}`)
  })
  for (const taker of [takers[2], takers[3], takers[0], takers[1]]) {
    leave()
    await taker
  }
  expect(order).toEqual(['people 2', 'people 3', 'warm 0', 'warm 1'])
})

it('there are as many places as there are, however often one is given back', async () => {
  const slots = createSlots(2)
  const [first, second] = [await slots.take('people', never), await slots.take('warm', never)]
  let third = 'waits'
  void slots.take('people', never).then(() => (third = 'has a place'))
  let fourth = 'waits'
  const giving = slots.take('warm', never).then((leave) => {
    fourth = 'has a place'
    return leave
  })
  await new Promise(setImmediate)
  expect([slots.used, third, fourth]).toEqual([2, 'waits', 'waits'])
  first()
  first()
  await new Promise(setImmediate)
  expect([slots.used, third, fourth]).toEqual([2, 'has a place', 'waits'])
  second()
  const leave = await giving
  expect(slots.used).toBe(2)
  leave()
  leave()
  expect(slots.used).toBe(1)
})

it('who gives up waiting gets no place and takes none from others', async () => {
  const slots = createSlots(1)
  const leave = await slots.take('people', never)
  const stop = new AbortController()
  const reason = new Error('stopped')
  const gaveUp = slots.take('people', stop.signal)
  const patient = slots.take('people', never)
  stop.abort(reason)
  await expect(gaveUp).rejects.toBe(reason)
  await expect(slots.take('warm', stop.signal)).rejects.toBe(reason)
  leave()
  await patient
  expect(slots.used).toBe(1)
})

it('a place that was got is kept though its taker is stopped later', async () => {
  const slots = createSlots(1)
  const stop = new AbortController()
  const leave = await slots.take('people', stop.signal)
  stop.abort(new Error('stopped'))
  expect(slots.used).toBe(1)
  leave()
  expect(slots.used).toBe(0)
})

it('a pause holds up work until its longest end, or until the step works again', async () => {
  const pauses = createPauses()
  await pauses.whenClear(never)
  pauses.pause('voice', 60_000)
  pauses.pause('voice', 1)
  pauses.pause('disk', 60_000)
  let state = 'waits'
  const waiting = pauses.whenClear(never).then(() => (state = 'goes on'))
  pauses.clear('disk')
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(state).toBe('waits')
  pauses.clear('voice')
  await waiting

  const stop = new AbortController()
  pauses.pause('voice', 60_000)
  const stopped = pauses.whenClear(stop.signal)
  stop.abort(new Error('stopped'))
  await expect(stopped).rejects.toThrow()
  await expect(pauses.whenClear(stop.signal)).rejects.toThrow('stopped')
})

it('a pause is over by itself', async () => {
  const pauses = createPauses()
  pauses.pause('voice', 30)
  const started = Date.now()
  await pauses.whenClear(never)
  expect(Date.now() - started).toBeGreaterThanOrEqual(29)
})
