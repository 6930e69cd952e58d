/** What the queue asks of the server it lives on, and how long it may take. */
import type { Queue, Worker } from 'bullmq'

/** The queue's server cannot be reached (exit code 3). */
export class QueueUnreachable extends Error {
  override name = 'QueueUnreachable'
  readonly exitCode = 3
}

// A worker that could not reach the queue asks again after this; BullMQ’s own 15 s would hold up everybody who waits.
export const retryMs = 1_000

/** What a call may take. */
export const callSeconds = 5

/** Of every worker. What stalls is simply taken again: the claim on the asset row lets only one of them work. */
export const workerOptions = (concurrency: number, lockMs: number) => ({
  concurrency,
  lockDuration: lockMs,
  runRetryDelay: retryMs,
  stalledInterval: lockMs / 2,
  maxStalledCount: 100,
  removeOnComplete: { count: 0 },
  removeOnFail: { count: 0 },
})

/** BullMQ on PostgreSQL or on Redis. */
export interface Server {
  queue(name: string): Queue
  worker(
    name: string,
    concurrency: number,
    process: (job: TakenJob, postpone: (ms: number) => Promise<void>) => Promise<void>,
  ): Worker
  /** which of these jobs the queue holds in any state */
  held(queue: Queue, jobIds: readonly string[]): Promise<Set<string>>
  /** the oldest of the jobs that wait, or the next of each kind where that is not to be had */
  oldest(queue: Queue): Promise<string[]>
  evictionPolicy(): Promise<string | null>
  close(): Promise<void>
}

/** What BullMQ tells of a job that a worker takes. */
export interface TakenJob {
  id?: string
  priority?: number
  moveToDelayed(timestamp: number, token?: string): Promise<void>
}

/** A job as BullMQ gives it to a worker, turned into what ours asks for. */
export const processor = (process: Parameters<Server['worker']>[2]) => async (job: TakenJob, token?: string) =>
  process(job, (ms) => job.moveToDelayed(Date.now() + ms, token))

/** @throws QueueUnreachable when the work takes longer; it goes on by itself */
export async function withinSeconds<T>(seconds: number, work: Promise<T>): Promise<T> {
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
