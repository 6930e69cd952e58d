/** A file that is written beside the one it replaces, and takes its place only when it is complete. */
import { open, realpath, rename, rm, stat, type FileHandle } from 'node:fs/promises'

/** A file being written. */
export interface Replacing {
  handle: FileHandle
  /** It is complete: from now on it is what lies at the path. */
  keep(): Promise<void>
  /** Call it once, whatever happened. What was not kept is removed. */
  close(): Promise<void>
}

/**
 * Opens a file, for its owner alone unless `mode` says otherwise. Where a link leads is written, the link stays; what
 * is no file, such as `/dev/null` or a pipe, is written as it is, for a file must not take its place.
 */
export async function replacing(path: string, mode = 0o600): Promise<Replacing> {
  const target = await realpath(path).catch(() => path)
  const there = await stat(target).catch(() => undefined)
  const isDirect = there !== undefined && !there.isFile() && !there.isDirectory()
  if (there?.isDirectory() === true) throw Object.assign(new Error(`${path} is a folder`), { code: 'EISDIR' })
  const part = isDirect ? target : `${target}.${process.pid}.part`
  const handle = await open(part, isDirect ? 'w' : 'wx', mode)
  let isKept = isDirect
  return {
    handle,
    async keep() {
      if (isDirect) return
      await handle.sync()
      await rename(part, target)
      isKept = true
    },
    async close() {
      await handle.close()
      if (!isKept) await rm(part, { force: true })
    },
  }
}
