/**
 * The queue of `generate-video` jobs, on PostgreSQL or on Redis: the only user of BullMQ and ioredis.
 *
 * Two lanes: `people` holds the jobs somebody waits for, `warm` the rest. A lane of its own, instead of a
 * priority within one, keeps a worker's places for people free however many warm jobs wait for an upload,
 * and serves people in the order of asking. A promoted job moves from `warm` to `people`.
 *
 * A job is `{ assetId }` under the id `<assetId>-<generation>`. BullMQ swallows an id that it still knows,
 * in whatever state, so a retry needs a new generation; the asset row is the record of what happened, so
 * finished jobs are removed at once and never retried by BullMQ.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { createPostgresBackend, DelayedError, Queue, Worker, type PostgresQueueBackend, type JobsOptions } from 'bullmq'
import { Redis } from 'ioredis'
import type pg from 'pg'
import { connectClient, connectionConfig, startOptions } from '../db/connect.ts'
import { DatabaseUnusable } from '../db/errors.ts'

/** Who waits for a job. */
export type Lane = 'people' | 'warm'

export const lanes: readonly Lane[] = ['people', 'warm']

/** A unit of work: one generation of one asset. */
export interface Job {
  assetId: string
  generation: number
}

/** What became of a job: it has ended, or it must be taken again. */
export type JobEnd = void | { againInMs: number }

/** Jobs of both lanes together. */
export interface QueueCounts {
  waiting: number
  active: number
  delayed: number
  failed: number
  /** age of the oldest job that waits and may run, seconds; null when none does */
  oldestWaitingSeconds: number | null
}

/** Takes jobs of one lane until it is closed. */
export interface LaneWorker {
  /** Takes no more jobs; resolves when those in hand have ended. */
  close(): Promise<void>
}

/** No call waits for a server that says nothing: it fails with `QueueUnreachable` within some seconds. */
export interface GreetingsQueue {
  /** the lanes as BullMQ knows them, for what shows them and changes nothing */
  readonly queues: Readonly<Record<Lane, Queue>>
  /** Adds jobs; one that is in the lane already is left alone. */
  add(lane: Lane, jobs: readonly Job[], options?: { delayMs?: number }): Promise<void>
  /** A person waits for this call too, a second at most: the job runs before all warm ones. */
  promote(job: Job): Promise<void>
  /** Of these jobs, those that the lane does not hold in any state. */
  missing<J extends Job>(lane: Lane, jobs: readonly J[]): Promise<J[]>
  /** Takes back jobs that no worker has begun. */
  remove(lane: Lane, jobs: readonly Job[]): Promise<void>
  counts(): Promise<QueueCounts>
  /** what Redis drops when its memory is full; null where there is no such danger */
  evictionPolicy(): Promise<string | null>
  /** Calls `process` for the lane's jobs, `concurrency` at a time. `process` must not throw in normal life. */
  work(lane: Lane, concurrency: number, process: (job: Job) => Promise<JobEnd>): LaneWorker
  close(): Promise<void>
}

/** The queue's server cannot be reached (exit code 3). */
class QueueUnreachable extends Error {
  override name = 'QueueUnreachable'
  readonly exitCode = 3
}

interface QueueSettings {
  /** where the queue lives unless `redisUrl` says otherwise */
  databaseUrl: string
  redisUrl: string | undefined
  /** the installation's id: two installations on one Redis never share jobs */
  queueId: string
  /** how long the queue believes in a worker that says nothing, milliseconds */
  jobLockMs?: number
  log: { warn(fields: object, message: string): void }
}

const jobName = 'generate-video'
// BullMQ's lease on a job. Liveness of work is the lease on the asset row; this one brings back the jobs that a killed
// worker had taken and not begun, so it may not last longer.
const usualLockMs = 20_000
// A worker that could not reach the queue asks again after this; BullMQ’s own 15 s would hold up everybody who waits.
const retryMs = 1_000

/** What the queue's library may take to close a connection. */
const closeSeconds = 3

/** What a call may take, and each job that it carries on top; what a person's question may wait for the queue. */
const callSeconds = 5
const jobSeconds = 0.01
const personSeconds = 1
// Of what is asked past this file, as bull-board does, and of a single command.
const longestSeconds = 8
// On PostgreSQL a single statement carries all jobs that are added at once.
const longestQuerySeconds = 60

/** Of every worker. What stalls is simply taken again: the claim on the asset row lets only one of them work. */
const workerOptions = (concurrency: number, lockMs: number) => ({
  concurrency,
  lockDuration: lockMs,
  runRetryDelay: retryMs,
  stalledInterval: lockMs / 2,
  maxStalledCount: 100,
  removeOnComplete: { count: 0 },
  removeOnFail: { count: 0 },
})

const jobId = ({ assetId, generation }: Job) => `${assetId}-${generation}`

function parseJobId(id: string): Job | undefined {
  const match = /^(.+)-(\d+)$/.exec(id)
  return match?.[1] === undefined ? undefined : { assetId: match[1], generation: Number(match[2]) }
}

/** @throws QueueUnreachable when the server does not answer within some seconds; DatabaseUnusable when a pooler stands before it */
export async function openQueue({
  databaseUrl,
  redisUrl,
  queueId,
  jobLockMs = usualLockMs,
  log,
}: QueueSettings): Promise<GreetingsQueue> {
  // A name of ours is safe in a log; what the server's client says may carry an address with a password.
  const complain = (error: Error & { code?: string }) =>
    log.warn(
      {
        trouble: 'queue errors',
        queue: redisUrl === undefined ? 'postgresql' : 'redis',
        code: error.code ?? error.name,
      },
      'the queue reports an error',
    )
  const server =
    redisUrl === undefined ? await onPostgres(databaseUrl, jobLockMs) : await onRedis(redisUrl, jobLockMs, complain)
  const queues = {} as Record<Lane, Queue>
  for (const lane of lanes) {
    queues[lane] = server.queue(`${queueId}-${lane}`)
    queues[lane].on('error', complain)
  }

  async function close() {
    await Promise.all(lanes.map((lane) => withinSeconds(closeSeconds, queues[lane].close()).catch(complain)))
    await server.close()
  }

  try {
    await withinSeconds(10, Promise.all(lanes.map((lane) => queues[lane].waitUntilReady())))
  } catch (error) {
    await withinSeconds(2, close()).catch(() => undefined)
    throw new QueueUnreachable(
      redisUrl === undefined
        ? 'The queue in PostgreSQL cannot be reached.'
        : 'Redis cannot be reached. Start it, or correct REDIS_URL, or unset REDIS_URL to keep the queue in PostgreSQL.',
      { cause: error },
    )
  }

  const options = (job: Job, delayMs: number): JobsOptions => ({
    jobId: jobId(job),
    removeOnComplete: true,
    removeOnFail: true,
    attempts: 1,
    ...(delayMs > 0 ? { delay: delayMs } : {}),
  })

  return {
    queues,
    async add(lane, jobs, { delayMs = 0 } = {}) {
      if (jobs.length === 0) return
      await withinSeconds(
        callSeconds + jobs.length * jobSeconds,
        queues[lane].addBulk(
          jobs.map((job) => ({ name: jobName, data: { assetId: job.assetId }, opts: options(job, delayMs) })),
        ),
      )
    },
    async promote(job) {
      const move = async () => {
        await queues.people.add(jobName, { assetId: job.assetId }, options(job, 0))
        // One that a worker has already taken stays: the claim on the asset row lets only one of them work.
        await queues.warm.remove(jobId(job))
      }
      // What is late is not undone, and what does not come through the reconciler adds.
      await withinSeconds(personSeconds, move())
    },
    async missing(lane, jobs) {
      if (jobs.length === 0) return []
      const held = await withinSeconds(
        callSeconds + jobs.length * jobSeconds,
        server.held(queues[lane], jobs.map(jobId)),
      )
      return jobs.filter((job) => !held.has(jobId(job)))
    },
    async remove(lane, jobs) {
      for (const job of jobs) await withinSeconds(callSeconds, queues[lane].remove(jobId(job)))
    },
    async counts() {
      const each = await withinSeconds(
        callSeconds,
        Promise.all(
          lanes.map(async (lane) => {
            const [counts, oldest] = await Promise.all([
              queues[lane].getJobCounts('wait', 'prioritized', 'active', 'delayed', 'failed'),
              server.oldest(queues[lane]),
            ])
            const job = oldest === undefined ? undefined : await queues[lane].getJob(oldest)
            // A job that had to wait for its time waits since then.
            return { counts, since: job === undefined ? Infinity : job.timestamp + (job.opts.delay ?? 0) }
          }),
        ),
      )
      const sum = (...types: string[]) =>
        each.reduce((total, { counts }) => total + types.reduce((part, type) => part + (counts[type] ?? 0), 0), 0)
      const oldest = Math.min(...each.map(({ since }) => since))
      return {
        waiting: sum('wait', 'prioritized'),
        active: sum('active'),
        delayed: sum('delayed'),
        failed: sum('failed'),
        oldestWaitingSeconds: oldest === Infinity ? null : Math.max(0, Math.round((Date.now() - oldest) / 1_000)),
      }
    },
    evictionPolicy: () => withinSeconds(callSeconds, server.evictionPolicy()),
    work(lane, concurrency, process) {
      const inHand = new Set<Promise<boolean>>()
      const worker = server.worker(`${queueId}-${lane}`, concurrency, async (id, postpone) => {
        const job = parseJobId(id)
        if (job === undefined) return
        const work = untilOver(() => process(job), postpone)
        inHand.add(work)
        const over = await work.finally(() => inHand.delete(work))
        // So BullMQ is told that the job is not over.
        if (!over) throw new DelayedError()
      })
      worker.on('error', complain)
      return {
        async close() {
          const closed = worker.close()
          while (inHand.size > 0) await Promise.allSettled(inHand)
          // While its connection comes back BullMQ waits without end (taskforcesh/bullmq#4656). Nothing is lost: what
          // the queue was not told of is taken again.
          await withinSeconds(closeSeconds, closed).catch(complain)
        },
      }
    },
    close,
  }
}

/** False: the job was put back into the queue. Where that fails, as the server is away, it is begun again from here. */
async function untilOver(process: () => Promise<JobEnd>, postpone: (ms: number) => Promise<void>): Promise<boolean> {
  for (;;) {
    const end = await process()
    if (end === undefined) return true
    try {
      await withinSeconds(callSeconds, postpone(end.againInMs))
      return false
    } catch {
      await sleep(retryMs)
    }
  }
}

interface Server {
  queue(name: string): Queue
  worker(
    name: string,
    concurrency: number,
    process: (jobId: string, postpone: (ms: number) => Promise<void>) => Promise<void>,
  ): Worker
  /** which of these jobs the queue holds in any state */
  held(queue: Queue, jobIds: readonly string[]): Promise<Set<string>>
  /** the job that is next in line */
  oldest(queue: Queue): Promise<string | undefined>
  evictionPolicy(): Promise<string | null>
  close(): Promise<void>
}

// The concrete backend is nobody's business here: both servers are used through the same classes.
const asQueue = (queue: unknown) => queue as Queue
const asWorker = (worker: unknown) => worker as Worker

interface TakenJob {
  id?: string
  moveToDelayed(timestamp: number, token?: string): Promise<void>
}

const processor = (process: Parameters<Server['worker']>[2]) => async (job: TakenJob, token?: string) =>
  process(job.id ?? '', (ms) => job.moveToDelayed(Date.now() + ms, token))

/**
 * BullMQ on PostgreSQL hears of new jobs by LISTEN and finds its tables by what a session begins with. A pooler that
 * gives every transaction another session (PgBouncer in its usual mode) says yes to LISTEN and never passes anything
 * on, so jobs would be found by chance; one that drops what a session begins with leaves BullMQ without its tables.
 */
async function refusePooler(connectionString: string): Promise<void> {
  const refused = (why: string) =>
    new DatabaseUnusable(
      `DATABASE_URL leads through a connection pooler (PgBouncer or the like) that ${why}. The queue in PostgreSQL needs sessions of its own. Give DATABASE_URL the address of PostgreSQL itself, or keep the queue in Redis with REDIS_URL.`,
    )
  const sessions: pg.Client[] = []
  const look = async (client: pg.Client) =>
    (
      await client.query<{ pid: number; path: string }>(
        `SELECT pg_backend_pid() AS pid, current_setting('search_path') AS path`,
      )
    ).rows[0]
  try {
    for (let count = 0; count < 2; count++) {
      sessions.push(
        await connectClient({
          connectionString,
          options: '-c search_path=greetings_probe',
          application_name: 'greetings queue',
          connectionTimeoutMillis: 10_000,
        }),
      )
    }
    for (let round = 0; round < 3; round++) {
      const seen: Awaited<ReturnType<typeof look>>[] = []
      for (const client of [...sessions, ...sessions.slice(0, 1)]) seen.push(await look(client))
      const [one, other, again] = seen
      if (one?.path !== 'greetings_probe') throw refused('drops what a session begins with')
      // Two sessions of a server's own are two processes, and stay what they are.
      if (one.pid === other?.pid || one.pid !== again?.pid) throw refused('changes sessions between transactions')
    }
  } catch (error) {
    if (error instanceof DatabaseUnusable) throw error
    if (error instanceof Error && /unsupported startup parameter/.test(error.message))
      throw refused('refuses what a session begins with')
    throw new QueueUnreachable('The queue in PostgreSQL cannot be reached.', { cause: error })
  } finally {
    await Promise.all(sessions.map((client) => client.end().catch(() => undefined)))
  }
}

async function onPostgres(connectionString: string, lockMs: number): Promise<Server> {
  await refusePooler(connectionString)
  // The connection on which a worker listens is opened without our client.
  const connection = (max: number) => ({
    ...connectionConfig({
      connectionString,
      max,
      options: startOptions(),
      connectionTimeoutMillis: 10_000,
      query_timeout: longestQuerySeconds * 1_000,
    }),
    migrate: true,
  })
  // Nothing of BullMQ's asks about many jobs at once, or for the first in line (`getJobs` begins with the youngest).
  const rows = async (queue: Queue, sql: string, ...values: unknown[]) => {
    const { connection } = queue.getBackend() as unknown as PostgresQueueBackend
    const { rows: found } = await connection.pool.query<{ id: string }>(sql, [queue.name, ...values])
    return found.map(({ id }) => id)
  }
  return {
    queue: (name) => asQueue(new Queue(name, { connection: connection(3) }, createPostgresBackend)),
    worker: (name, concurrency, process) =>
      asWorker(
        new Worker(
          name,
          processor(process),
          { connection: connection(4), ...workerOptions(concurrency, lockMs) },
          createPostgresBackend,
        ),
      ),
    held: async (queue, jobIds) =>
      new Set(await rows(queue, 'SELECT id FROM job WHERE queue = $1 AND id = ANY($2::text[])', jobIds)),
    oldest: async (queue) =>
      (
        await rows(queue, `SELECT id FROM job WHERE queue = $1 AND state = 'waiting' ORDER BY priority, seq LIMIT 1`)
      )[0],
    evictionPolicy: async () => null,
    close: async () => undefined,
  }
}

async function onRedis(url: string, lockMs: number, complain: (error: Error) => void): Promise<Server> {
  // Producers must fail at once while Redis is away, and soon when it says nothing (the reconciler adds what is missing); workers wait for it.
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
    oldest: async (queue) => (await queue.getRanges(['wait'], 0, 0, true))[0],
    evictionPolicy: async () => /maxmemory_policy:(\S+)/.exec(await producer.info('memory'))?.[1] ?? null,
    async close() {
      producer.disconnect()
      consumer.disconnect()
    },
  }
}

async function withinSeconds<T>(seconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new QueueUnreachable(`The queue gave no answer within ${seconds} s. Look whether its server runs.`)),
      seconds * 1_000,
    )
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
