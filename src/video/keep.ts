/** Finished files stay in the home, so that an upload can be repeated without rendering; up to a size, and while there is room. */
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** A file nobody recorded as uploaded is left alone for so long, milliseconds: it may be on its way. */
const onItsWayMs = 24 * 3_600_000

/** Of these revisions, those whose upload is recorded. */
export type Uploaded = (revisions: string[]) => Promise<ReadonlySet<string>>

interface FinishedFile {
  revision: string
  bytes: number
  changedMs: number
}

/** The finished videos of a folder. */
export async function finishedFiles(folder: string): Promise<FinishedFile[]> {
  const files: FinishedFile[] = []
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
export async function removeFinished(
  folder: string,
  files: FinishedFile[],
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

/** Removes the oldest finished files until the rest fits into `mostBytes`, as far as `removeFinished` may. Returns how many. */
export async function keepWithin(folder: string, mostBytes: number, uploaded: Uploaded): Promise<number> {
  const files = await finishedFiles(folder)
  const sum = files.reduce((bytes, file) => bytes + file.bytes, 0)
  return sum <= mostBytes
    ? 0
    : removeFinished(folder, files, uploaded, (removedBytes) => sum - removedBytes <= mostBytes)
}
