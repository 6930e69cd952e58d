import { expect, it } from 'vitest'
import { openQueue } from '../../src/queue/index.ts'
import { queueModes, startRedis } from '../environment/redis.ts'
import { until } from '../environment/test-environment.ts'

it.runIf(queueModes.includes('redis'))('a worker closes after its job in hand, though Redis is gone', async () => {
  const redis = await startRedis()
  let complaints = 0
  const queue = await openQueue({
    databaseUrl: '',
    redisUrl: redis.url,
    queueId: 'closing',
    log: { warn: () => complaints++ },
  })
  let go = () => {}
  let inHand = false
  let done = false
  const worker = queue.work('people', 2, async () => {
    inHand = true
    await new Promise<void>((resolve) => (go = resolve))
    done = true
  })
  await queue.add('people', [{ assetId: 'a', generation: 1 }])
  await until(async () => inHand, 'the job')
  await redis.close()
  await until(async () => complaints > 2, 'connections that come back in vain')
  const closed = worker.close()
  go()
  await closed
  expect(done).toBe(true)
  await queue.close()
})
