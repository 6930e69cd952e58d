/**
 * The queue of `generate-video` jobs, on PostgreSQL or on Redis. This folder is the only user of BullMQ and ioredis.
 *
 * A job is `{ assetId }` under the id `<assetId>-<generation>`. BullMQ swallows an id that it still knows,
 * in whatever state, so a retry needs a new generation; the asset row is the record of what happened, so
 * finished jobs are removed at once and never retried by BullMQ.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { DelayedError, type JobsOptions, type Queue } from 'bullmq'
import { lanes, placeInQueue, type Job, type Lane } from './lanes.ts'
import { onPostgres } from './on-postgres.ts'
import { onRedis } from './on-redis.ts'
import { callSeconds, QueueUnreachable, retryMs, withinSeconds, type Server, type TakenJob } from './server.ts'

export { lanes, type Job, type Lane }

/** What became of a job: it has ended, or it must be taken again. */
export type JobEnd = void | { againInMs: number }

/** Jobs of all lanes together. */
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
  /** A person waits for this call too, a second at most: the job moves to where its `behind` puts it. */
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
/** What the queue's library may take to close a connection. */
const closeSeconds = 3

/** What each job of a call may take on top; what a person's question may wait for the queue. */
const jobSeconds = 0.01
const personSeconds = 1

const jobId = ({ assetId, generation }: Job) => `${assetId}-${generation}`

function parseJob({ id = '', priority = 0 }: TakenJob): Job | undefined {
  const match = /^(.+)-(\d+)$/.exec(id)
  return match?.[1] === undefined ? undefined : { assetId: match[1], generation: Number(match[2]), behind: priority }
}

/**
 * @throws QueueUnreachable when the server does not answer within some seconds;
 * DatabaseUnusable when a pooler stands before it
 */
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
  const open = (lane: Lane) => server.queue(`${queueId}-${lane}`).on('error', complain)
  const queue = lanesOn(
    server,
    { people: open('people'), deferred: open('deferred'), warm: open('warm') },
    queueId,
    complain,
  )
  try {
    await withinSeconds(10, Promise.all(lanes.map((lane) => queue.queues[lane].waitUntilReady())))
  } catch (error) {
    await withinSeconds(2, queue.close()).catch(() => undefined)
    throw new QueueUnreachable(
      redisUrl === undefined
        ? 'The queue in PostgreSQL cannot be reached.'
        : 'Redis cannot be reached. Start it, or correct REDIS_URL, or unset REDIS_URL ' +
            'to keep the queue in PostgreSQL.',
      { cause: error },
    )
  }
  return queue
}

type Queues = Readonly<Record<Lane, Queue>>

function lanesOn(server: Server, queues: Queues, queueId: string, complain: (error: Error) => void): GreetingsQueue {
  return {
    queues,
    async add(lane, jobs, { delayMs = 0 } = {}) {
      if (jobs.length === 0) return
      await withinSeconds(
        callSeconds + jobs.length * jobSeconds,
        queues[lane].addBulk(
          jobs.map((job) => ({ name: jobName, data: { assetId: job.assetId }, opts: optionsOf(job, delayMs) })),
        ),
      )
    },
    async promote(job) {
      const move = async () => {
        const { lane } = placeInQueue(job.behind ?? 0)
        // Within its lane a job moves forward by being added again. One that a worker has already taken stays: the claim
        // on the asset row lets only one of them work.
        if (lane === 'deferred') await queues.deferred.remove(jobId(job))
        await queues[lane].add(jobName, { assetId: job.assetId }, optionsOf(job, 0))
        const behind = lanes.slice(lanes.indexOf(lane) + 1)
        await Promise.all(behind.map((other) => queues[other].remove(jobId(job))))
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
    counts: () => countJobs(server, queues),
    evictionPolicy: () => withinSeconds(callSeconds, server.evictionPolicy()),
    work: (lane, concurrency, process) => workOn(server, `${queueId}-${lane}`, concurrency, process, complain),
    async close() {
      await Promise.all(lanes.map((lane) => withinSeconds(closeSeconds, queues[lane].close()).catch(complain)))
      await server.close()
    },
  }
}

async function countJobs(server: Server, queues: Queues): Promise<QueueCounts> {
  const countsOf = async (lane: Lane) => {
    const [counts, oldest] = await Promise.all([
      queues[lane].getJobCounts('wait', 'prioritized', 'active', 'delayed', 'failed'),
      server.oldest(queues[lane]),
    ])
    const jobs = await Promise.all(oldest.map((id) => queues[lane].getJob(id)))
    // A job that had to wait for its time waits since then.
    const since = jobs.map((job) => (job === undefined ? Infinity : job.timestamp + (job.opts.delay ?? 0)))
    return { counts, since: Math.min(...since) }
  }
  const each = await withinSeconds(callSeconds, Promise.all(lanes.map(countsOf)))
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
}

function workOn(
  server: Server,
  name: string,
  concurrency: number,
  process: (job: Job) => Promise<JobEnd>,
  complain: (error: Error) => void,
): LaneWorker {
  const inHand = new Set<Promise<boolean>>()
  const worker = server.worker(name, concurrency, async (taken, postpone) => {
    const job = parseJob(taken)
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
}

const optionsOf = (job: Job, delayMs: number): JobsOptions => ({
  jobId: jobId(job),
  removeOnComplete: true,
  removeOnFail: true,
  attempts: 1,
  ...(delayMs > 0 ? { delay: delayMs } : {}),
  ...(job.behind === undefined || job.behind === 0 ? {} : { priority: job.behind }),
})

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
