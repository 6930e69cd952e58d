/**
 * Files and folders: ours, which nobody else may write, and those in the data
 * folder, which the server's user may have replaced.
 */
import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import {
  chmod,
  type FileHandle,
  lstat,
  mkdir,
  open,
  readdir,
  rename,
  rmdir,
  stat,
  unlink,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { isOpenToOthers } from '../../path-trust.ts'
import { DatabaseUnusable } from '../errors.ts'
import { run } from './program.ts'

/** Whether anything is at the path; a link counts by itself. */
export async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}

/** A folder that only we may write; made when missing. */
export async function ownFolder(folder: string, mode: number): Promise<void> {
  const isNew = await mkdir(folder, { mode }).then(() => true, unlessThere)
  // The umask may have taken bits away.
  if (isNew === true) await chmod(folder, mode)
  const found = await stat(folder)
  if (!found.isDirectory() || isOpenToOthers(found))
    throw new DatabaseUnusable(
      `${folder} must be a folder that nobody else may write. Run ` +
        `\`chmod go-w ${folder}\`, or restore it from a backup.`,
    )
}

/** For mkdir: that the folder is there is no error. */
export function unlessThere(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return undefined
  throw error
}

/** Writes a whole file of the home that only we can read. */
export async function writeOurs(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomUUID()}`
  await writeFile(draft, text, { mode: 0o600, flag: 'wx' })
  await rename(draft, file)
}

/** Reads a small file that the server's user may have replaced: neither a link nor a pipe is opened. */
export async function readTheirs(file: string): Promise<string | undefined> {
  const handle = await openTheirs(file, constants.O_RDONLY)
  if (handle === undefined) return undefined
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4_096), 0, 4_096, 0)
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await handle.close()
  }
}

/** An ordinary file that is known by this name alone; undefined: there is none. */
export async function openTheirs(file: string, flags: number): Promise<FileHandle | undefined> {
  // Windows has neither flag.
  const careful = process.platform === 'win32' ? 0 : constants.O_NOFOLLOW | constants.O_NONBLOCK
  const handle = await open(file, flags | careful).catch(() => undefined)
  if (handle === undefined) return undefined
  const found = await handle.stat()
  if (found.isFile() && found.nlink === 1) return handle
  await handle.close()
  return undefined
}

/**
 * Removes a folder in which the server's user may be putting links while we look: what is theirs is removed with
 * their rights.
 */
export async function removeTree(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  if (found === undefined) return
  if (!found.isDirectory()) return unlink(path)
  if (found.uid === (process.getuid?.() ?? found.uid))
    for (const name of await readdir(path)) await removeTree(join(path, name))
  else await run('find', ['.', '-mindepth', '1', '-delete'], found, path)
  await rmdir(path)
}
