/** Folders for unfinished files, among the renders; each tells whose it is. */
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { diskOutage } from '../errors.ts'
import { killLeftOver } from '../ffmpeg/left-over.ts'

/** A work folder older than this belongs to nobody, whatever its name says, milliseconds. */
const abandonedMs = 6 * 3_600_000

/** How the names of this process's work folders begin: `tmp-<host>-<pid>-`. */
export function workPrefix(pid = process.pid): string {
  return `tmp-${createHash('sha256').update(hostname()).digest('hex').slice(0, 8)}-${pid}-`
}

/** @throws Outage 'disk' */
export async function makeWorkFolder(folder: string): Promise<string> {
  try {
    return await mkdtemp(join(folder, workPrefix()))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EROFS' || code === 'EACCES')
      throw diskOutage(`Nothing can be written to ${folder} (${code}). Make room, or correct its rights.`)
    throw error
  }
}

/**
 * Those of processes of this host that have ended, with what they left running, and those nobody can still be using.
 */
export async function removeAbandoned(folder: string): Promise<void> {
  const ours = workPrefix(0).replace(/0-$/, '')
  for (const name of await readdir(folder)) {
    if (!name.startsWith('tmp-')) continue
    const path = join(folder, name)
    const pid = name.startsWith(ours) ? Number(name.slice(ours.length).split('-')[0]) : undefined
    const age =
      Date.now() -
      (await stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => Date.now(),
      ))
    if ((pid === undefined || isAlive(pid)) && age <= abandonedMs) continue
    if (name.startsWith(ours)) await killLeftOver(path)
    await rm(path, { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
