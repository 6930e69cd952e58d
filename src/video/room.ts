/**
 * Room to render. Before each render every file system that is written to is asked. Below its reserve the oldest
 * uploaded renders go, where they lie on that file system; when that is not enough, rendering rests until a fifth more
 * than the reserve is free. So the embedded database, which may share the disk, always keeps its room.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { disksOf, enough, type Disk } from '../disk.ts'
import { diskOutage, type Outage } from '../errors.ts'
import { cachedFiles, removeOldest, type Uploaded } from './render-cache.ts'

export interface RoomSettings {
  rendersFolder: string
  cacheFolder: string
  /** where else something of ours grows: the embedded database's data */
  otherFolders?: string[] | undefined
  /** `KEEP_FREE_GB`: 0 for no reserve, the default of each file system when left out */
  keepFreeBytes?: number | undefined
  /** of these revisions, those whose upload is recorded; nothing is removed when left out */
  uploaded?: Uploaded | undefined
  /** told how many finished videos were removed */
  onRemoved?: (count: number) => void
}

export interface Room {
  /**
   * Makes sure of room for one more render, which lasts until the result is called. Room that comes back by itself,
   * from renders under way and from finished ones that are being uploaded, is waited for, but not for long.
   * @param cacheBytes what has to be written to the cache first: the parts of a template that are not made yet
   * @throws Outage 'disk'; the signal's reason when aborted
   */
  take(signal: AbortSignal, cacheBytes?: () => Promise<number>): Promise<() => void>
}

/** A file system that lacks room, and how much has to be free for the work to go on. */
interface Lack {
  disk: Disk
  goesOnBytes: number
}

/** what a render that is under way may still write, bytes */
const renderBytes = 20e6
/** a finished render has been uploaded by then, and may give way */
const patienceMs = 15_000
const lookMs = 500

export function openRoom({
  rendersFolder,
  cacheFolder,
  otherFolders = [],
  keepFreeBytes,
  uploaded,
  onRemoved = () => undefined,
}: RoomSettings): Room {
  /** the first folders of the file systems on account of which work rests */
  const resting = new Set<string>()
  let underWay = 0
  let lastEnd = -Infinity
  let last: Promise<unknown> = Promise.resolve()

  const look = (folders: readonly string[]) =>
    disksOf(folders, keepFreeBytes).catch((error: unknown) => {
      throw diskOutage(
        `The disks of ${folders.join(', ')} do not tell how much is free (${String((error as NodeJS.ErrnoException).code)}). Mend them, or set GREETINGS_HOME to a folder on another disk.`,
        { cause: error },
      )
    })
  const freeOn = async ({ folders: [folder] }: Disk) => (await look([folder]))[0]?.freeBytes ?? 0

  /** The first file system that lacks room after uploaded renders gave way. */
  async function lacking(cacheBytes: number): Promise<Lack | undefined> {
    let found: Lack | undefined
    for (const disk of await look([rendersFolder, cacheFolder, ...otherFolders])) {
      const { folders, reserveBytes } = disk
      const more = folders.includes(cacheFolder) ? cacheBytes : 0
      const goesOnBytes = reserveBytes * enough + more
      // What those under way may still write counts as written.
      const others = folders.includes(rendersFolder) ? underWay * renderBytes : 0
      const wanted = others + (resting.has(folders[0]) ? goesOnBytes : reserveBytes + more)
      let { freeBytes } = disk
      if (freeBytes < wanted && folders.includes(rendersFolder)) freeBytes = await makeRoom(disk, others + goesOnBytes)
      if (freeBytes >= wanted) resting.delete(folders[0])
      else found ??= { disk, goesOnBytes }
    }
    return found
  }

  /** Uploaded renders go, oldest first, as long as each that goes leaves more room. Returns what is free then. */
  async function makeRoom(disk: Disk, wanted: number): Promise<number> {
    let { freeBytes } = disk
    if (uploaded === undefined) return freeBytes
    const removed = await removeOldest(
      rendersFolder,
      await cachedFiles(rendersFolder),
      uploaded,
      async (removedBytes) => {
        const before = freeBytes
        if (removedBytes > 0) freeBytes = await freeOn(disk)
        return freeBytes >= wanted || (removedBytes > 0 && freeBytes <= before)
      },
    )
    if (removed > 0) onRemoved(removed)
    return freeOn(disk)
  }

  async function untilThereIsRoom(signal: AbortSignal, cacheBytes: () => Promise<number>): Promise<void> {
    for (;;) {
      signal.throwIfAborted()
      const lack = await lacking(await cacheBytes())
      if (lack === undefined) return
      const [name] = lack.disk.folders
      const comesBack = underWay > 0 || Date.now() - lastEnd < patienceMs
      if (resting.has(name) || !comesBack) {
        resting.add(name)
        throw shortOf(lack)
      }
      await sleep(lookMs, undefined, { signal }).catch(() => undefined)
    }
  }

  return {
    async take(signal, cacheBytes = async () => 0) {
      if (keepFreeBytes === 0) return () => undefined
      // One after the other: two would begin where there is room for one, and the first would wait while others pass it.
      const begun = last.then(async () => {
        await untilThereIsRoom(signal, cacheBytes)
        underWay++
      })
      last = begun.catch(() => undefined)
      await begun
      let ended = false
      return () => {
        if (ended) return
        ended = true
        underWay--
        lastEnd = Date.now()
      }
    },
  }
}

/** The same words as long as it lasts, so that it is told once. */
function shortOf({ disk: { folders, totalBytes, reserveBytes }, goesOnBytes }: Lack): Outage {
  const [name] = folders
  if (goesOnBytes > totalBytes)
    return diskOutage(
      `The disk of ${name} holds ${megabytes(totalBytes)} in all, and rendering wants ${megabytes(goesOnBytes)} of them free. Set KEEP_FREE_GB to less, or GREETINGS_HOME to a folder on a larger disk.`,
    )
  return diskOutage(
    `The disk of ${name} lacks room: ${megabytes(reserveBytes)} stay free (KEEP_FREE_GB). Rendering goes on when ${megabytes(goesOnBytes)} are free: make room, or set GREETINGS_HOME to a folder on a larger disk.`,
  )
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`
}
