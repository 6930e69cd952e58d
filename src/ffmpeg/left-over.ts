/** Files that name the process of a run, so that what a killed program left running can be found and ended. */
import type { ChildProcess } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { killGroup } from '../process-group.ts'

const pidFilePrefix = 'ffmpeg-'

/** Leaves a file that names the process; undefined when it has no pid. */
export function writePidFile(pidFolder: string, { pid }: ChildProcess): string | undefined {
  if (pid === undefined) return undefined
  const file = join(pidFolder, `${pidFilePrefix}${pid}`)
  writeFileSync(file, startOf(pid))
  return file
}

/**
 * Ends what runs that died without a word left behind in their `pidFolder`: a process of
 * theirs that stood still and so did not notice.
 */
export async function killLeftOver(pidFolder: string): Promise<void> {
  for (const name of await readdir(pidFolder).catch(() => [])) {
    const pid = Number(name.slice(pidFilePrefix.length))
    if (!name.startsWith(pidFilePrefix) || !Number.isInteger(pid) || pid < 2) continue
    const started = await readFile(join(pidFolder, name), 'utf8').catch(() => '')
    // Pids are reused; only one that began at the same moment is ours.
    if (started !== '' && started === startOf(pid)) killGroup(pid)
  }
}

/** When a process began, in the system's own words; '' where that cannot be known (no Linux, no such process). */
function startOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19] ?? ''
  } catch {
    return ''
  }
}
