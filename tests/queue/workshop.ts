/** A worker of the town in this process, with a renderer that keeps to a plan: rendering is tested elsewhere. */
import type { Renderer } from '../../src/video/renderer.ts'
import type { Video } from '../../src/video/render-cache.ts'
import { createPauses, createSlots } from '../../src/queue/processors/slots.ts'
import type { JobDeps } from '../../src/queue/processors/video-generation.ts'
import { deliver } from '../../src/telegram/delivery.ts'
import { loadTemplates } from '../../src/video/template.ts'
import { makeClip } from '../clip.ts'
import { quietLog, type Town } from '../town.ts'

/** What happens in the renderer before a video is there; may throw. */
export type Making = (display: string, signal: AbortSignal) => Promise<void>

/** A renderer whose every video is the same tiny real clip; `made` counts. */
export async function plannedRenderer(
  town: Town,
  making: Making = async () => undefined,
): Promise<Renderer & { made: string[] }> {
  const templates = await loadTemplates(town.env.TEMPLATES_FOLDER, ['tiny'])
  const clip = await makeClip(town.folder)
  const videos = new Map<string, Video>()
  const made: string[] = []
  const revisionOf: Renderer['revisionOf'] = async (_template, { key }) => `revision of ${key}`
  return {
    templates,
    made,
    revisionOf,
    templateRevisionOf: async () => 'tiny of today',
    cached: async (revision) => videos.get(revision),
    make: async (template, name, { signal }) => {
      await making(name.display, signal)
      signal.throwIfAborted()
      const revision = await revisionOf(template, name)
      const video: Video = { ...clip, revision, bytes: 1 }
      videos.set(revision, video)
      made.push(name.display)
      return video
    },
    warmUp: async () => undefined,
    trimCache: async () => 0,
    removeCached: async () => 0,
    close: async () => undefined,
  }
}

/** What `startWorker` needs. */
export function workerParts(
  town: Town,
  renderer: Renderer,
): Parameters<typeof import('../../src/queue/processors/worker.ts').startWorker>[0] {
  return {
    db: town.db,
    queue: town.queue,
    storage: town.storage,
    delivery: town.delivery,
    renderer,
    times: town.times,
    keepBytes: Infinity,
    log: quietLog,
  }
}

/** What `generateVideo` needs, without a worker around it: no reconciler runs. */
export function workshop(town: Town, renderer: Renderer): JobDeps {
  return {
    ...workerParts(town, renderer),
    deliver: async (assetId) => void (await deliver(town.delivery, assetId, new AbortController().signal)),
    slots: createSlots(2),
    pauses: createPauses(),
    owner: 'test',
    uploads: { count: 0 },
    outOfOrder: new Set(),
    onTokenRefused: () => undefined,
  }
}
