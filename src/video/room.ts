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

export function openRoom(settings: RoomSettings): Room {
  const room = new DiskRoom(settings)
  return { take: (signal, cacheBytes) => room.take(signal, cacheBytes) }
}

class DiskRoom {
  /** the first folders of the file systems on account of which work rests */
  private readonly resting = new Set<string>()
  private underWay = 0
  private lastEnd = -Infinity
  private last: Promise<unknown> = Promise.resolve()

  constructor(private readonly settings: RoomSettings) {}

  async take(signal: AbortSignal, cacheBytes: () => Promise<number> = async () => 0): Promise<() => void> {
    if (this.settings.keepFreeBytes === 0) return () => undefined
    // One after the other: two would begin where there is room for one, and the first would wait while others pass it.
    const begun = this.last.then(async () => {
      await this.untilThereIsRoom(signal, cacheBytes)
      this.underWay++
    })
    this.last = begun.catch(() => undefined)
    await begun
    let ended = false
    return () => {
      if (ended) return
      ended = true
      this.underWay--
      this.lastEnd = Date.now()
    }
  }

  private async untilThereIsRoom(signal: AbortSignal, cacheBytes: () => Promise<number>): Promise<void> {
    for (;;) {
      signal.throwIfAborted()
      const lack = await this.lacking(await cacheBytes())
      if (lack === undefined) return
      const [name] = lack.disk.folders
      const comesBack = this.underWay > 0 || Date.now() - this.lastEnd < patienceMs
      if (this.resting.has(name) || !comesBack) {
        this.resting.add(name)
        throw shortOf(lack)
      }
      await sleep(lookMs, undefined, { signal }).catch(() => undefined)
    }
  }

  /** The first file system that lacks room after uploaded renders gave way. */
  private async lacking(cacheBytes: number): Promise<Lack | undefined> {
    const { rendersFolder, cacheFolder, otherFolders = [], keepFreeBytes } = this.settings
    let found: Lack | undefined
    for (const disk of await look([rendersFolder, cacheFolder, ...otherFolders], keepFreeBytes)) {
      const { folders, reserveBytes } = disk
      const more = folders.includes(cacheFolder) ? cacheBytes : 0
      const goesOnBytes = reserveBytes * enough + more
      // What those under way may still write counts as written.
      const others = folders.includes(rendersFolder) ? this.underWay * renderBytes : 0
      const wanted = others + (this.resting.has(folders[0]) ? goesOnBytes : reserveBytes + more)
      let { freeBytes } = disk
      if (freeBytes < wanted && folders.includes(rendersFolder))
        freeBytes = await makeRoom(disk, others + goesOnBytes, this.settings)
      if (freeBytes >= wanted) this.resting.delete(folders[0])
      else found ??= { disk, goesOnBytes }
    }
    return found
  }
}

/** Uploaded renders go, oldest first, as long as each that goes leaves more room. Returns what is free then. */
async function makeRoom(
  disk: Disk,
  wanted: number,
  { rendersFolder, uploaded, keepFreeBytes, onRemoved }: RoomSettings,
): Promise<number> {
  let { freeBytes } = disk
  if (uploaded === undefined) return freeBytes
  const removed = await removeOldest(
    rendersFolder,
    await cachedFiles(rendersFolder),
    uploaded,
    async (removedBytes) => {
      const before = freeBytes
      if (removedBytes > 0) freeBytes = await freeOn(disk, keepFreeBytes)
      return freeBytes >= wanted || (removedBytes > 0 && freeBytes <= before)
    },
  )
  if (removed > 0) onRemoved?.(removed)
  return freeOn(disk, keepFreeBytes)
}

/** @throws Outage 'disk' when they do not tell */
function look(folders: readonly string[], keepFreeBytes: number | undefined): Promise<Disk[]> {
  return disksOf(folders, keepFreeBytes).catch((error: unknown) => {
    throw diskOutage(
      `The disks of ${folders.join(', ')} do not report their free space ` +
        `(${String((error as NodeJS.ErrnoException).code)}). Fix them, or set ` +
        'GREETINGS_HOME to a folder on another disk.',
      { cause: error },
    )
  })
}

async function freeOn({ folders: [folder] }: Disk, keepFreeBytes: number | undefined): Promise<number> {
  return (await look([folder], keepFreeBytes))[0]?.freeBytes ?? 0
}

/** The same words as long as it lasts, so that it is told once. */
function shortOf({ disk: { folders, totalBytes, reserveBytes }, goesOnBytes }: Lack): Outage {
  const [name] = folders
  if (goesOnBytes > totalBytes)
    return diskOutage(
      `The disk of ${name} holds ${megabytes(totalBytes)} in total, and rendering ` +
        `needs ${megabytes(goesOnBytes)} of it free. Lower KEEP_FREE_GB, or set ` +
        'GREETINGS_HOME to a folder on a larger disk.',
    )
  return diskOutage(
    `The disk of ${name} is almost full: ${megabytes(reserveBytes)} must stay free (KEEP_FREE_GB). ` +
      `Rendering continues when ${megabytes(goesOnBytes)} are free: free up space, or set ` +
      'GREETINGS_HOME to a folder on a larger disk.',
  )
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`
}
