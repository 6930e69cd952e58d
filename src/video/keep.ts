/** Finished files stay in the home, so that an upload can be repeated without rendering; up to a size. */
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** A file nobody recorded as uploaded is left alone for so long, milliseconds: it may be on its way. */
const onItsWayMs = 24 * 3_600_000

/**
 * Removes the oldest finished files until the rest fits into `mostBytes`. Only those go that `uploaded` knows, and
 * those of which nobody has known for a day.
 * @param uploaded of these revisions, those whose upload is recorded
 * @returns how many videos were removed
 */
export async function keepWithin(folder: string, mostBytes: number, uploaded: (revisions: string[]) => Promise<ReadonlySet<string>>): Promise<number> {
  const files: { revision: string; bytes: number; changedMs: number }[] = []
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.mp4')) continue
    const found = await stat(join(folder, name)).catch(() => undefined)
    if (found !== undefined) files.push({ revision: name.slice(0, -'.mp4'.length), bytes: found.size, changedMs: found.mtimeMs })
  }
  let sum = files.reduce((bytes, file) => bytes + file.bytes, 0)
  if (sum <= mostBytes) return 0
  const known = await uploaded(files.map(({ revision }) => revision))
  let removed = 0
  for (const { revision, bytes, changedMs } of files.sort((one, other) => one.changedMs - other.changedMs)) {
    if (sum <= mostBytes) break
    if (!known.has(revision) && Date.now() - changedMs < onItsWayMs) continue
    await rm(join(folder, `${revision}.mp4`), { force: true })
    await rm(join(folder, `${revision}.jpg`), { force: true })
    sum -= bytes
    removed++
  }
  return removed
}
