/** The job: one asset from its claim to everyone who waits for it. */
import { performance } from 'node:perf_hooks'
import type { Times } from '../../config.ts'
import { isDatabaseDown, isDatabaseTrouble, type Db } from '../../db/database.ts'
import {
  claim,
  giveUpUnlessWanted,
  markAvailable,
  markFailed,
  markStillAvailable,
  markUnqueued,
  putBack,
  renewLease,
  type ClaimedAsset,
  type Post,
} from '../../greetings/assets.ts'
import { enqueue } from '../../greetings/enqueue.ts'
import { emit } from '../../events.ts'
import { rememberPost } from '../../greetings/former.ts'
import { AssetFault, NotNow, Outage, placeOf } from '../../errors.ts'
import { clearOutage, noteOutage } from '../../greetings/outages.ts'
import { uploadToSubscriber, type DeliveryDeps } from '../../telegram/delivery.ts'
import { uploadToStorage, type Storage } from '../../telegram/storage.ts'
import type { Renderer } from '../../video/renderer.ts'
import type { Video } from '../../video/render-cache.ts'
import type { Template } from '../../video/template.ts'
import type { GreetingsQueue, Job, JobEnd, Lane } from '../index.ts'
import type { Pauses, Slots } from './slots.ts'

/** What the job needs. */
export interface JobDeps {
  db: Db
  queue: GreetingsQueue
  renderer: Renderer
  storage: Storage
  delivery: DeliveryDeps
  /** Hands a finished asset to everyone who waits; may do so later. */
  deliver(assetId: string): Promise<void> | void
  slots: Slots
  pauses: Pauses
  /** this worker process, as written into leases */
  owner: string
  times: Times
  log: Record<'debug' | 'info' | 'warn', (fields: object, message: string) => void>
  /** how many uploads are under way, for `status` */
  uploads: { count: number }
  /** the token is worth nothing any more: only another start, with another one, mends that */
  onTokenRefused(outage: Outage): void
  /** steps that are noted as out of order, so that success costs no query in normal life */
  outOfOrder: Set<string>
}

/** Two moments of a stop: take nothing new; then give up what is in hand. */
export interface StopSignals {
  closing: AbortSignal
  stop: AbortSignal
}

/** Faults of an asset before it is given up. */
const maxAttempts = 3

/**
 * Makes the asset's video and hands it to everyone who waits. Ends quietly when the job is old, the asset is
 * gone or somebody else has it. Normal trouble never throws: the asset is put back or given up. A job whose
 * claim failed goes back into the queue as it is.
 */
export async function generateVideo(
  deps: JobDeps,
  job: Job,
  lane: Lane,
  { closing, stop }: StopSignals,
): Promise<JobEnd> {
  const { db, owner, times, slots, pauses } = deps
  let leave: (() => void) | undefined
  let claiming = false
  try {
    await pauses.whenClear(closing)
    leave = await slots.take(lane, closing)
    claiming = true
    const asset = await claim(db, job, owner, times.leaseMs)
    claiming = false
    if (asset === undefined) return
    const lease = holdLease(deps, asset, stop)
    const began = performance.now()
    try {
      const video = await makeVideo(deps, asset, lease.signal)
      leave()
      const recorded = await publish(deps, asset, video, lease)
      lease.release()
      if (!recorded) return
      deps.log.info(
        { assetId: asset.id, template: asset.template, seconds: Math.round((performance.now() - began) / 100) / 10 },
        'a video is ready',
      )
    } catch (error) {
      lease.release()
      await settle(deps, asset, error, { lost: lease.lost, stopping: stop.aborted })
    }
    await deps.deliver(asset.id)
  } catch (error) {
    await afterwards(deps, job, error, closing)
    if (claiming && !closing.aborted) return { againInMs: times.outageMs / 3 }
  } finally {
    leave?.()
  }
}

/** The video, made now or cached by an earlier try on this host. */
async function makeVideo(deps: JobDeps, asset: ClaimedAsset, signal: AbortSignal): Promise<Video> {
  const { renderer, log } = deps
  const template = templateOf(deps, asset)
  const name = { key: asset.name, display: asset.display, say: asset.say }
  const started = performance.now()
  const cached = await renderer.cached(await renderer.revisionOf(template, name))
  let preparedMs = 0
  const onStep = (step: string, ms: number) => {
    if (step === 'prepare') preparedMs += ms
    stepDone(log, asset, step, ms)
  }
  const video = cached ?? (await renderer.make(template, name, { signal, onStep }))
  stepDone(
    log,
    asset,
    cached === undefined ? 'video' : 'video from the render cache',
    performance.now() - started - preparedMs,
  )
  // A cached one shows nothing of what makes videos, nor of room on the disk.
  if (cached === undefined) await works(deps, ['ffmpeg', 'voice', 'disk', 'template'])
  return video
}

function stepDone(log: JobDeps['log'], asset: ClaimedAsset, step: string, ms: number): void {
  log.debug({ assetId: asset.id, step, ms: Math.round(ms) }, 'step')
  emit({ what: 'step', step, template: asset.template, seconds: ms / 1_000 })
}

function templateOf({ renderer }: JobDeps, asset: ClaimedAsset): Template {
  const template = renderer.templates.find(({ id }) => id === asset.template)
  if (template === undefined)
    throw new Outage('template', `The template ${asset.template} is not enabled on this worker: add it to TEMPLATES.`)
  return template
}

/** Uploads once and records it. False: the asset was no longer ours. */
async function publish(deps: JobDeps, asset: ClaimedAsset, video: Video, lease: Lease): Promise<boolean> {
  const { db, owner, delivery, storage, log, uploads } = deps
  if (asset.fileId !== null && asset.botId === delivery.botId && asset.revision === video.revision)
    return markStillAvailable(db, asset, owner)
  const started = performance.now()
  let post: Post
  let delivered = async () => {}
  uploads.count++
  try {
    if (storage.chatIds.length > 0) {
      post = await uploadToStorage(storage, video, { signal: lease.signal, isWanted: () => lease.wanted })
    } else {
      const upload = await uploadToSubscriber(delivery, asset, video, lease.signal)
      if (upload === undefined) throw new NobodyReachable()
      ;({ post, delivered } = upload)
    }
  } finally {
    uploads.count--
  }
  stepDone(log, asset, 'upload', performance.now() - started)
  await works(deps, ['telegram', 'storage', 'token'])
  const recorded = await markAvailable(
    db,
    asset,
    owner,
    delivery.botId,
    {
      revision: video.revision,
      templateRevision: await deps.renderer.templateRevisionOf(templateOf(deps, asset)),
      bytes: video.bytes,
    },
    post,
  )
  // Work that was taken away after its upload: the post is known at least.
  if (!recorded) await rememberPost(db, asset.name, post)
  await delivered()
  return recorded
}

/** No storage channel, and nobody waits who can be reached: there is nowhere to upload to. */
class NobodyReachable extends Error {}

// ---- the lease -------------------------------------------------------------------------------------

interface Lease {
  /** aborts when the worker stops or the asset is no longer ours */
  signal: AbortSignal
  /** a person waits for the asset */
  readonly wanted: boolean
  readonly lost: boolean
  release(): void
}

function holdLease({ db, owner, times, log }: JobDeps, asset: ClaimedAsset, stop: AbortSignal): Lease {
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
    signal: AbortSignal.any([stop, loss.signal]),
    get wanted() {
      return wanted
    },
    get lost() {
      return loss.signal.aborted
    },
    release() {
      clearInterval(timer)
      if (loss.signal.aborted)
        log.warn({ assetId: asset.id }, 'the lease on an asset was lost; its work here was dropped')
    },
  }
}

// ---- when it does not work -------------------------------------------------------------------------

/** Puts the asset back or gives it up, by whose fault it was. */
async function settle(
  deps: JobDeps,
  asset: ClaimedAsset,
  error: unknown,
  { lost, stopping }: { lost: boolean; stopping: boolean },
): Promise<void> {
  const { db, owner, times, log } = deps
  if (lost) return
  if (stopping) {
    await putBackAndQueue(deps, asset, { delayMs: 0, usesAttempt: false, reason: null })
    return
  }
  if (isDatabaseTrouble(error)) throw error
  if (error instanceof NobodyReachable) {
    const reason = {
      errorClass: 'storage',
      errorText: 'There is no storage channel, and nobody who can be reached waits.',
    }
    if (await giveUpUnlessWanted(db, asset, owner, reason)) emit({ what: 'fault', cause: 'storage', final: true })
    else await putBackAndQueue(deps, asset, { delayMs: 0, usesAttempt: false, reason: null })
    return
  }
  if (error instanceof NotNow) {
    await putBackAndQueue(deps, asset, { delayMs: error.delayMs, usesAttempt: false, reason: null })
    return
  }
  if (error instanceof Outage) {
    const pauseMs = error.retryAfterMs ?? times.outageMs
    await beginOutage(deps, error, pauseMs)
    await putBackAndQueue(deps, asset, {
      delayMs: pauseMs,
      usesAttempt: false,
      reason: { errorClass: error.step, errorText: error.message },
    })
    return
  }
  const reason =
    error instanceof AssetFault
      ? { errorClass: error.faultClass, errorText: error.message }
      : { errorClass: 'render', errorText: `unexpected ${placeOf(error)}` }
  const final = asset.attempts + 1 >= maxAttempts
  emit({ what: 'fault', cause: reason.errorClass, final })
  log.warn(
    { assetId: asset.id, attempt: asset.attempts + 1, errorClass: reason.errorClass, reason: reason.errorText },
    'a video could not be made',
  )
  if (!final) await putBackAndQueue(deps, asset, { delayMs: times.attemptDelayMs, usesAttempt: true, reason })
  else await markFailed(db, asset, owner, reason, times.coolDownMs)
}

async function putBackAndQueue(
  { db, queue, owner, log }: JobDeps,
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

/** What is thrown outside the asset's own work: stopping, an outage while delivering, a database that is away. */
async function afterwards(deps: JobDeps, job: Job, error: unknown, closing: AbortSignal): Promise<void> {
  const { db } = deps
  if (closing.aborted) {
    // Not begun: its job ends here, and the next worker adds it again at once.
    await markUnqueued(db, job)
    return
  }
  await interrupted(deps, job.assetId, error)
}

/** What stopped a job or a delivery from outside: the steps it needs rest, and the reconciler takes up what is left. */
export async function interrupted(
  deps: Pick<JobDeps, 'db' | 'pauses' | 'log' | 'times' | 'outOfOrder' | 'onTokenRefused'>,
  assetId: string,
  error: unknown,
): Promise<void> {
  const { pauses, log, times } = deps
  if (isDatabaseDown(error)) {
    pauses.pause('database', times.outageMs / 3)
    log.warn({ trouble: 'database', assetId }, 'the database is away; the work goes on when it is back')
    return
  }
  if (error instanceof Outage) return beginOutage(deps, error, error.retryAfterMs ?? times.outageMs)
  // One locked row is no reason for the others to wait.
  if (isDatabaseTrouble(error))
    return log.warn(
      { assetId, error: placeOf(error) },
      'the database could not do this in time, such as at a locked row; it is tried again',
    )
  log.warn({ assetId, error: placeOf(error) }, 'a job or a delivery ended with an unexpected error')
}

async function beginOutage(
  {
    db,
    pauses,
    log,
    outOfOrder,
    onTokenRefused,
  }: Pick<JobDeps, 'db' | 'pauses' | 'log' | 'outOfOrder' | 'onTokenRefused'>,
  outage: Outage,
  pauseMs: number,
): Promise<void> {
  log.warn(
    { trouble: `step ${outage.step}`, step: outage.step, reason: outage.message, pauseMs },
    'a step is out of order; work waits',
  )
  // A template that only this worker lacks stops nothing else.
  if (outage.step !== 'template') pauses.pause(outage.step, pauseMs)
  outOfOrder.add(outage.step)
  emit({ what: 'outage', step: outage.step })
  if (outage.step === 'token') onTokenRefused(outage)
  await noteOutage(db, outage, pauseMs)
}

/** These steps were seen to work: an outage of theirs is over. */
export async function works(
  { db, pauses, log, outOfOrder }: Pick<JobDeps, 'db' | 'pauses' | 'log' | 'outOfOrder'>,
  steps: readonly string[],
): Promise<void> {
  const over = steps.filter((step) => outOfOrder.delete(step))
  if (over.length === 0) return
  for (const step of over) pauses.clear(step)
  await clearOutage(db, over)
  for (const step of over) log.info({ over: `step ${step}`, step }, 'a step works again')
}
