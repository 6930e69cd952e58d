/** The queue on Redis. */
import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { callSeconds, processor, QueueUnreachable, withinSeconds, workerOptions, type Server } from './server.ts'

// Of what is asked past this file, as bull-board does, and of a single command.
const longestSeconds = 8

/** @throws QueueUnreachable */
export async function onRedis(url: string, lockMs: number, complain: (error: Error) => void): Promise<Server> {
  // Producers must fail at once while Redis is away, and soon when it says nothing (the
  // reconciler adds what is missing); workers wait for it.
  const producer = new Redis(url, {
    lazyConnect: true,
    maxRetriesPerRequest: 1,
    enableOfflineQueue: false,
    connectTimeout: 5_000,
    socketTimeout: callSeconds * 1_000,
    commandTimeout: longestSeconds * 1_000,
    retryStrategy: (times) => Math.min(200 * times, 2_000),
  })
  const consumer = new Redis(url, {
    lazyConnect: true,
    maxRetriesPerRequest: null,
    retryStrategy: (times) => Math.min(200 * times, 2_000),
  })
  producer.on('error', complain)
  consumer.on('error', complain)
  try {
    await withinSeconds(6, producer.connect())
  } catch (error) {
    producer.disconnect()
    throw new QueueUnreachable(
      'Redis cannot be reached. Start it, or correct REDIS_URL, or unset REDIS_URL to keep the queue in PostgreSQL.',
      { cause: error },
    )
  }
  return {
    queue: (name) => new Queue(name, { connection: producer }),
    worker: (name, concurrency, process) =>
      new Worker(name, processor(process), { connection: consumer, ...workerOptions(concurrency, lockMs) }),
    async held(queue, jobIds) {
      const answers = await jobIds
        .reduce((commands, id) => commands.exists(queue.toKey(id)), producer.pipeline())
        .exec()
      return new Set(
        jobIds.filter((_, i) => {
          const [error, exists] = answers?.[i] ?? [new Error('no answer')]
          if (error !== null) throw error
          return exists === 1
        }),
      )
    },
    oldest: (queue) => queue.getRanges(['wait', 'prioritized'], 0, 0, true),
    evictionPolicy: async () => /maxmemory_policy:(\S+)/.exec(await producer.info('memory'))?.[1] ?? null,
    async close() {
      producer.disconnect()
      consumer.disconnect()
    },
  }
}
