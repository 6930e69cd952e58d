/** Room on disks: a reserve stays free on every file system that is written to. */
import { stat, statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

/** A file system, and which of our folders lie in it. */
export interface Disk {
  folders: [string, ...string[]]
  totalBytes: number
  /** what an ordinary user can still write, bytes */
  freeBytes: number
  /** what has to stay free, bytes */
  reserveBytes: number
}

/** Work that rested for want of room goes on with so much more than the reserve. */
export const enough = 1.2

/** `KEEP_FREE_GB` where it is set, else a tenth of the file system, but 150 MB at least and 1 GB at most. */
export function reserveOf(totalBytes: number, keepFreeBytes: number | undefined): number {
  return keepFreeBytes ?? Math.min(1e9, Math.max(150e6, 0.1 * totalBytes))
}

/** The file systems in which these folders lie, or will lie when they are made; each once. */
export async function disksOf(folders: readonly string[], keepFreeBytes: number | undefined): Promise<Disk[]> {
  const disks = new Map<number, Disk>()
  for (const folder of folders) {
    const path = await existing(resolve(folder))
    const { dev } = await stat(path)
    const known = disks.get(dev)
    if (known !== undefined) {
      known.folders.push(folder)
      continue
    }
    const { bavail, blocks, bsize } = await statfs(path)
    const totalBytes = blocks * bsize
    disks.set(dev, {
      folders: [folder],
      totalBytes,
      freeBytes: bavail * bsize,
      reserveBytes: reserveOf(totalBytes, keepFreeBytes),
    })
  }
  return [...disks.values()]
}

/** The folder itself, or the nearest one above it that exists. */
async function existing(path: string): Promise<string> {
  const isThere = await stat(path).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT' && dirname(path) !== path) return false
      throw error
    },
  )
  return isThere ? path : existing(dirname(path))
}
