/** The job: one asset from its claim to everyone who waits for it. */
import { performance } from 'node:perf_hooks'
import { Outage } from '../../errors.ts'
import { emit } from '../../events.ts'
import type { ClaimedAsset, Post } from '../../greetings/assets.ts'
import { uploadToSubscriber, type DeliveryDeps } from '../../telegram/delivery.ts'
import { uploadToStorage, type Storage } from '../../telegram/storage.ts'
import type { Video } from '../../video/render-cache.ts'
import type { Renderer } from '../../video/renderer.ts'
import type { Template } from '../../video/template.ts'
import type { Job, JobEnd, Lane } from '../index.ts'
import type { Lease, Leases } from './lease.ts'
import type { Outages } from './outages.ts'
import { NobodyReachable, settle } from './settle.ts'
import type { Slots } from './slots.ts'

/** What the job needs. */
export interface JobDeps {
  leases: Leases
  outages: Outages
  slots: Slots
  renderer: Renderer
  storage: Storage
  delivery: DeliveryDeps
  /** Hands a finished asset to everyone who waits; may do so later. */
  deliver(assetId: string): Promise<void> | void
  log: Record<'debug' | 'info' | 'warn', (fields: object, message: string) => void>
}

/** Two moments of a stop: take nothing new; then give up what is in hand. */
export interface StopSignals {
  closing: AbortSignal
  stop: AbortSignal
}

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
  const { leases, outages, slots } = deps
  let leave: (() => void) | undefined
  let begun = false
  try {
    await outages.whenOver(closing)
    leave = await slots.take(lane, closing, job.behind)
    const lease = await leases.claim(job, stop)
    begun = true
    if (lease === undefined) return
    try {
      const recorded = await makeAndPublish(deps, lease, leave).finally(() => lease.release())
      if (!recorded) return
    } catch (error) {
      await settle(deps, lease, error, stop.aborted)
    }
    await deps.deliver(job.assetId)
  } catch (error) {
    if (closing.aborted) return leases.leaveUnbegun(job)
    const againInMs = await outages.interrupted(job.assetId, error)
    if (!begun) return { againInMs }
  } finally {
    leave?.()
  }
}

/** Gives the place to render back as soon as the video is made. False: the asset was no longer ours. */
async function makeAndPublish(deps: JobDeps, lease: Lease, leave: () => void): Promise<boolean> {
  const started = performance.now()
  const { id, template } = lease.asset
  const video = await makeVideo(deps, lease)
  leave()
  if (lease.wanted) void lease.rendered()
  const recorded = await publish(deps, lease, video)
  const seconds = Math.round((performance.now() - started) / 100) / 10
  if (recorded) deps.log.info({ assetId: id, template, seconds }, 'a video is ready')
  return recorded
}

/** The video, made now or cached by an earlier try on this host. */
async function makeVideo(deps: JobDeps, { asset, signal }: Lease): Promise<Video> {
  const { renderer, outages, log } = deps
  const template = templateOf(renderer, asset)
  const name = { key: asset.name, display: asset.display, say: asset.say }
  const started = performance.now()
  let preparedMs = 0
  const onStep = (step: string, ms: number) => {
    if (step === 'prepare') preparedMs += ms
    stepDone(log, asset, step, ms)
  }
  const video = await renderer.make(template, name, { signal, onStep })
  stepDone(log, asset, video.isNew ? 'video' : 'video from the render cache', performance.now() - started - preparedMs)
  // A cached one shows nothing of what makes videos, nor of room on the disk.
  if (video.isNew) await outages.works(['ffmpeg', 'voice', 'disk', 'template'])
  return video
}

function stepDone(log: JobDeps['log'], asset: ClaimedAsset, step: string, ms: number): void {
  log.debug({ assetId: asset.id, step, ms: Math.round(ms) }, 'step')
  emit({ what: 'step', step, template: asset.template, seconds: ms / 1_000 })
}

function templateOf({ templates }: Renderer, asset: ClaimedAsset): Template {
  const template = templates.find(({ id }) => id === asset.template)
  if (template === undefined)
    throw new Outage('template', `The template ${asset.template} is not enabled on this worker: add it to TEMPLATES.`)
  return template
}

/** Uploads once and records it. False: the asset was no longer ours. */
async function publish(deps: JobDeps, lease: Lease, video: Video): Promise<boolean> {
  const { asset } = lease
  const { delivery, renderer, slots, outages, log } = deps
  if (asset.fileId !== null && asset.botId === delivery.botId && asset.revision === video.revision)
    return lease.stillAvailable()
  const started = performance.now()
  const { post, delivered } = await slots.upload(() => upload(deps, lease, video))
  stepDone(log, asset, 'upload', performance.now() - started)
  await outages.works(['telegram', 'storage', 'token'])
  const templateRevision = await renderer.templateRevisionOf(templateOf(renderer, asset))
  const made = { revision: video.revision, templateRevision, bytes: video.bytes }
  const recorded = await lease.available(delivery.botId, made, post)
  await delivered()
  return recorded
}

/** To a storage channel; without one straight to somebody who waits, for whom it is `delivered` then. */
async function upload(
  { storage, delivery }: JobDeps,
  lease: Lease,
  video: Video,
): Promise<{ post: Post; delivered: () => Promise<void> }> {
  if (storage.chatIds.length > 0) {
    const post = await uploadToStorage(storage, video, { signal: lease.signal, isWanted: () => lease.wanted })
    return { post, delivered: async () => undefined }
  }
  const sent = await uploadToSubscriber(delivery, lease.asset, video, lease.signal)
  if (sent === undefined) throw new NobodyReachable()
  return sent
}
