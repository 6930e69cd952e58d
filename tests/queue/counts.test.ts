import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Lane } from '../../src/queue/index.ts'
import { queueModes } from '../environment/redis.ts'
import { openTestEnvironment, type TestEnvironment } from '../environment/test-environment.ts'

describe.each(queueModes)('the queue’s counts, on %s', (queueMode) => {
  let town: TestEnvironment
  beforeAll(async () => {
    town = await openTestEnvironment({ queueMode })
  })
  afterAll(() => town.close())

  it('the oldest job that waits is the one that has waited longest, in whichever lane', async () => {
    const { queue } = town
    const add = (lane: Lane, id: string, ageSeconds: number) =>
      queue.queues[lane].add(
        'generate-video',
        { assetId: id },
        { jobId: `${id}-1`, timestamp: Date.now() - ageSeconds * 1_000 },
      )
    expect(await queue.counts()).toMatchObject({ waiting: 0, oldestWaitingSeconds: null })
    await add('people', 'a', 50)
    await add('people', 'b', 40)
    await add('people', 'c', 5)
    await add('warm', 'd', 20)
    expect((await queue.counts()).oldestWaitingSeconds).toBe(50)
    await add('warm', 'e', 10)
    await queue.remove('people', [
      { assetId: 'a', generation: 1 },
      { assetId: 'b', generation: 1 },
    ])
    expect((await queue.counts()).oldestWaitingSeconds).toBe(20)
    // One that may not run yet does not wait.
    await queue.remove(
      'warm',
      ['d', 'e'].map((assetId) => ({ assetId, generation: 1 })),
    )
    await queue.add('people', [{ assetId: 'f', generation: 1 }], { delayMs: 60_000 })
    expect((await queue.counts()).oldestWaitingSeconds).toBe(5)
  })
})
