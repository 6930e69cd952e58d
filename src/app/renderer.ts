/** What renders on this host, and what it would render now. */
import { availableParallelism, tmpdir } from 'node:os'
import type { Config } from '../config.ts'
import type { Db } from '../db/database.ts'
import type { Ask } from '../greetings/ask.ts'
import { uploadedRevisions } from '../greetings/assets.ts'
import type { Log } from '../log.ts'
import type { Revisions } from '../video/revisions.ts'
import type { Renderer } from '../video/renderer.ts'
import type { Template } from '../video/template.ts'
import { databaseFolders, recordingsFolderOf, renderFolders } from './folders.ts'

/**
 * Templates, voice, recordings and ffmpeg of this host. With a store, uploaded renders give way when a disk lacks room.
 */
export async function openRendererOf(config: Config, home: string, store?: { db: Db; log: Log }): Promise<Renderer> {
  const room = store && {
    otherFolders: await databaseFolders(config, home),
    uploaded: (revisions: string[]) => uploadedRevisions(store.db, revisions),
    onRemoved: (removed: number) =>
      store.log.info({ removed }, 'the oldest uploaded files were removed, as a disk lacks room (KEEP_FREE_GB)'),
  }
  const { openRenderer } = await import('../video/renderer.ts')
  return openRenderer({
    ...renderFolders(home),
    room: { ...room, keepFreeBytes: config.keepFreeBytes },
    templatesFolder: config.templatesFolder,
    templateIds: config.templates,
    ffmpegPath: config.ffmpegPath,
    voice: config.voice,
    recordingsFolder: recordingsFolderOf(config, home),
  })
}

/** What a video of a name would be if this host made it now: by voice and recordings alone, nothing is made. */
export async function openRevisionsOf(config: Config, home: string): Promise<Revisions & { close(): Promise<void> }> {
  const [{ openSpeaker }, { createRevisions }] = await Promise.all([
    import('../speech/speaker.ts'),
    import('../video/revisions.ts'),
  ])
  const speaker = await openSpeaker(config.voice, tmpdir())
  return { ...createRevisions(speaker, recordingsFolderOf(config, home)), close: () => speaker.close() }
}

/** The same for a name that is asked for. */
export function revisionsOf(templates: readonly Template[], now: Revisions['now']): (ask: Ask) => Promise<string> {
  return async ({ template: id, key, display, say = null }) => {
    const template = templates.find((one) => one.id === id)
    return template === undefined ? '' : now(template, { key, display, say })
  }
}

/** Parallel renders of this host's worker. */
export function concurrencyOf(config: Config): number {
  return config.renderConcurrency ?? Math.min(8, availableParallelism())
}
