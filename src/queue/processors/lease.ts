/** An asset this worker holds: for how long, who waits for it, and every way in which it lets go of it. */
import type { Times } from '../../config.ts'
import type { Db } from '../../db/database.ts'
import {
  claim,
  giveUpUnlessWanted,
  markAvailable,
  markFailed,
  markRendered,
  markStillAvailable,
  markUnqueued,
  putBack,
  renewLease,
  type ClaimedAsset,
  type MadeVideo,
  type Post,
  type Reason,
} from '../../greetings/assets.ts'
import { enqueue } from '../../greetings/enqueue.ts'
import { rememberPost } from '../../greetings/former.ts'
import type { GreetingsQueue, Job } from '../index.ts'

/** How this process takes assets. */
export interface Leases {
  /** Takes the job's asset. Undefined: the job is old, the asset is gone, done, or somebody has it. */
  claim(job: Job, stop: AbortSignal): Promise<Lease | undefined>
  /** A job that was not begun ends here; the next worker adds it again at once. */
  leaveUnbegun(job: Job): Promise<void>
}

/**
 * One asset, held until it is released. What ends the work changes nothing when the asset is somebody else's by then.
 */
export interface Lease {
  readonly asset: ClaimedAsset
  /** aborts when the worker stops or the asset is no longer ours */
  readonly signal: AbortSignal
  /** a person waits for the asset */
  readonly wanted: boolean
  /** the asset is somebody else's now */
  readonly lost: boolean
  /** Holds it no longer. Only then the work's end is recorded. */
  release(): void
  /** Tells those who wait that the video is made. Nothing depends on it. */
  rendered(): Promise<void>
  /** Records an upload. False: the asset was no longer ours; where its post is, is known all the same. */
  available(botId: bigint, made: MadeVideo, post: Post): Promise<boolean>
  /** The upload recorded earlier is good. False: the asset was no longer ours. */
  stillAvailable(): Promise<boolean>
  /** Becomes work again, not before `delayMs` from now, through no fault of its own. */
  putBack(delayMs: number, reason?: Reason): Promise<void>
  /** Becomes work again after a fault of its own, which uses an attempt. */
  tryAgain(reason: Reason): Promise<void>
  /** There will be no video until somebody asks again, after a time. */
  fail(reason: Reason): Promise<void>
  /** The same at once, and only when nobody waits. False: somebody does. */
  failUnlessWanted(reason: Reason): Promise<boolean>
}

interface LeasesDeps {
  db: Db
  queue: GreetingsQueue
  /** this worker process, as written into leases */
  owner: string
  times: Times
  log: { warn(fields: object, message: string): void }
}

/** Takes assets in the name of a worker process. */
export function createLeases(deps: LeasesDeps): Leases {
  const { db, owner, times } = deps
  return {
    leaveUnbegun: (job) => markUnqueued(db, job),
    async claim(job, stop) {
      const asset = await claim(db, job, owner, times.leaseMs)
      return asset === undefined ? undefined : holdLease(deps, asset, stop)
    },
  }
}

function holdLease(deps: LeasesDeps, asset: ClaimedAsset, stop: AbortSignal): Lease {
  const { db, owner, times } = deps
  const holding = keepRenewing(deps, asset)
  return {
    asset,
    signal: AbortSignal.any([stop, holding.loss]),
    get wanted() {
      return holding.wanted
    },
    get lost() {
      return holding.loss.aborted
    },
    release: holding.end,
    rendered: () => markRendered(db, asset, owner).catch(() => undefined),
    async available(botId, made, post) {
      const recorded = await markAvailable(db, asset, owner, botId, made, post)
      if (!recorded) await rememberPost(db, asset.name, post)
      return recorded
    },
    stillAvailable: () => markStillAvailable(db, asset, owner),
    putBack: (delayMs, reason) => requeue(deps, asset, { delayMs, usesAttempt: false, reason: reason ?? null }),
    tryAgain: (reason) => requeue(deps, asset, { delayMs: times.attemptDelayMs, usesAttempt: true, reason }),
    fail: async (reason) => void (await markFailed(db, asset, owner, reason, times.coolDownMs)),
    failUnlessWanted: (reason) => giveUpUnlessWanted(db, asset, owner, reason),
  }
}

/** Puts the asset back and its job into the queue. */
async function requeue(
  { db, queue, owner, log }: LeasesDeps,
  asset: ClaimedAsset,
  options: Parameters<typeof putBack>[3],
): Promise<void> {
  const job = await putBack(db, asset, owner, options)
  if (job === undefined) return
  try {
    await enqueue({ db, queue }, job.lane, [job], { delayMs: options.delayMs })
  } catch {
    log.warn({ assetId: asset.id }, 'could not add a job now, the reconciler will')
  }
}

/** Renews the lease until its end. */
function keepRenewing({ db, owner, times, log }: LeasesDeps, asset: ClaimedAsset) {
  const loss = new AbortController()
  let wanted = false
  let renewing = false
  const renew = async () => {
    // Behind a locked row one connection waits, not one more at each tick.
    if (renewing) return
    renewing = true
    try {
      const lease = await renewLease(db, asset, owner, times.leaseMs)
      if (lease === undefined) return loss.abort(new Error('the lease was lost'))
      wanted = lease.wanted
    } catch {
      // The database is away: nobody else can take the asset, and nothing is uploaded, until it is back and tells.
    } finally {
      renewing = false
    }
  }
  const timer = setInterval(() => void renew(), times.leaseRenewMs)
  void renew()
  return {
    loss: loss.signal,
    get wanted() {
      return wanted
    },
    end() {
      clearInterval(timer)
      if (loss.signal.aborted)
        log.warn({ assetId: asset.id }, 'the lease on an asset was lost; its work here was dropped')
    },
  }
}
