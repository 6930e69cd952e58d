/**
 * The render cache: finished videos stay in the home, named by their revision, so that an upload can be repeated
 * without rendering; up to a size, and while there is room.
 */
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isThumbnail } from './check.ts'
import { Mp4Fault, readMp4 } from './mp4.ts'

/** A file nobody recorded as uploaded is left alone for so long, milliseconds: it may be on its way. */
const onItsWayMs = 24 * 3_600_000

/** Of these revisions, those whose upload is recorded. */
export type Uploaded = (revisions: string[]) => Promise<ReadonlySet<string>>

/** A finished video. */
export interface Video {
  path: string
  /** JPEG, at most 320 pixels and 200 kB */
  thumbnailPath: string
  revision: string
  width: number
  height: number
  durationSeconds: number
  bytes: number
}

/** Where the video of a revision lies. */
export const filesOfVideo = (folder: string, revision: string) => ({
  video: join(folder, `${revision}.mp4`),
  thumbnail: join(folder, `${revision}.jpg`),
})

/** The video of a revision; undefined when there is none, or not a whole one. */
export async function cachedVideo(folder: string, revision: string): Promise<Video | undefined> {
  const files = filesOfVideo(folder, revision)
  try {
    const { video, bytes } = await readMp4(files.video)
    if (video === undefined || !(await isThumbnail(files.thumbnail))) return undefined
    return {
      path: files.video,
      thumbnailPath: files.thumbnail,
      revision,
      width: video.width,
      height: video.height,
      durationSeconds: video.seconds,
      bytes,
    }
  } catch (error) {
    if (error instanceof Mp4Fault || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Removes a video, unless it was made after `before`; whether there was one. */
export async function removeCached(rendersFolder: string, revision: string, before?: Date): Promise<boolean> {
  // It may come from an imported file.
  if (!/^\w+$/.test(revision)) return false
  const { video, thumbnail } = filesOfVideo(rendersFolder, revision)
  const found = await stat(video).catch(() => undefined)
  if (found !== undefined && before !== undefined && found.mtimeMs >= before.getTime()) return false
  for (const file of [video, thumbnail]) await rm(file, { force: true })
  return found !== undefined
}

interface CachedFile {
  revision: string
  bytes: number
  changedMs: number
}

/** All videos of the cache, whole or not. */
export async function cachedFiles(folder: string): Promise<CachedFile[]> {
  const files: CachedFile[] = []
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.mp4')) continue
    const found = await stat(join(folder, name)).catch(() => undefined)
    if (found !== undefined)
      files.push({ revision: name.slice(0, -'.mp4'.length), bytes: found.size, changedMs: found.mtimeMs })
  }
  return files
}

/**
 * Removes the oldest finished files, one after the other, until `isEnough`. Only those go that `uploaded` knows, and
 * those of which nobody has known for a day.
 * @param isEnough asked before each, with the size of what was removed
 * @returns how many videos were removed
 */
export async function removeOldest(
  folder: string,
  files: CachedFile[],
  uploaded: Uploaded,
  isEnough: (removedBytes: number) => Promise<boolean> | boolean,
): Promise<number> {
  const known = await uploaded(files.map(({ revision }) => revision))
  let removed = 0
  let removedBytes = 0
  for (const { revision, bytes, changedMs } of files.toSorted((one, other) => one.changedMs - other.changedMs)) {
    if (!known.has(revision) && Date.now() - changedMs < onItsWayMs) continue
    if (await isEnough(removedBytes)) break
    await rm(join(folder, `${revision}.mp4`), { force: true })
    await rm(join(folder, `${revision}.jpg`), { force: true })
    removedBytes += bytes
    removed++
  }
  return removed
}

/**
 * Removes the oldest finished files until the rest fits into `mostBytes`,
 * as far as `removeOldest` may. Returns how many.
 */
export async function trimRenderCache(folder: string, mostBytes: number, uploaded: Uploaded): Promise<number> {
  const files = await cachedFiles(folder)
  const sum = files.reduce((bytes, file) => bytes + file.bytes, 0)
  return sum <= mostBytes ? 0 : removeOldest(folder, files, uploaded, (removedBytes) => sum - removedBytes <= mostBytes)
}
