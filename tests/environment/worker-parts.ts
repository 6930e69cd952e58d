/**
 * A worker of the test environment in this process, with a renderer that
 * keeps to a plan: rendering is tested elsewhere.
 */
import type { Renderer } from '../../src/video/renderer.ts'
import type { Video } from '../../src/video/render-cache.ts'
import { createLeases } from '../../src/queue/processors/lease.ts'
import { createOutages } from '../../src/queue/processors/outages.ts'
import { createSlots } from '../../src/queue/processors/slots.ts'
import type { JobDeps } from '../../src/queue/processors/video-generation.ts'
import { deliver } from '../../src/telegram/delivery.ts'
import { loadTemplates } from '../../src/video/load-templates.ts'
import { makeClip } from './clip.ts'
import { quietLog, type TestEnvironment } from './test-environment.ts'

/** What happens in the renderer before a video is there; may throw. */
export type Making = (display: string, signal: AbortSignal) => Promise<void>

/** A renderer whose every video is the same tiny real clip; `made` counts. */
export async function plannedRenderer(
  town: TestEnvironment,
  making: Making = async () => undefined,
): Promise<Renderer & { made: string[] }> {
  const templates = await loadTemplates(town.env.TEMPLATES_FOLDER, ['tiny'])
  const clip = await makeClip(town.folder)
  const videos = new Map<string, Video>()
  const made: string[] = []
  const revisionOf: Renderer['revisionOf'] = async (_template, { key, say }) =>
    `revision of ${key}${say === null ? '' : ` as ${say}`}`
  return {
    templates,
    made,
    revisionOf,
    templateRevisionOf: async () => 'tiny of today',
    make: async (template, name, { signal }) => {
      const revision = await revisionOf(template, name)
      const earlier = videos.get(revision)
      if (earlier !== undefined) return { ...earlier, isNew: false }
      await making(name.display, signal)
      signal.throwIfAborted()
      const video: Video = { ...clip, revision, bytes: 1 }
      videos.set(revision, video)
      made.push(name.display)
      return { ...video, isNew: true }
    },
    warmUp: async () => undefined,
    trimCache: async () => 0,
    removeCached: async () => 0,
    close: async () => undefined,
  }
}

/** What `startWorker` needs. */
export function workerParts(
  town: TestEnvironment,
  renderer: Renderer,
): Parameters<typeof import('../../src/queue/processors/worker.ts').startWorker>[0] {
  return {
    storage: town.storage,
    delivery: town.delivery,
    renderer,
    times: town.times,
    keepBytes: Infinity,
    log: quietLog,
  }
}

/** What `generateVideo` needs, without a worker around it: no reconciler runs. */
export function jobDepsOf(town: TestEnvironment, renderer: Renderer): JobDeps {
  const { db, queue, times, storage, delivery } = town
  return {
    leases: createLeases({ db, queue, owner: 'test', times, log: quietLog }),
    outages: createOutages({ db, times, log: quietLog }),
    slots: createSlots(2),
    renderer,
    storage,
    delivery,
    deliver: async (assetId) => void (await deliver(delivery, assetId, new AbortController().signal)),
    log: quietLog,
  }
}
