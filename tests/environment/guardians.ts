/** The guardians of an embedded server (`src/db/embedded/guardian.ts`), as the system lists them. */
import { readdir, readFile } from 'node:fs/promises'

/** Process ids of the guardians of a home. Where there is no /proc: none. */
export async function guardiansOf(home: string): Promise<number[]> {
  const found: number[] = []
  for (const pid of (await readdir('/proc').catch(() => [])).filter((entry) => /^\d+$/.test(entry))) {
    const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0')
    if (words.includes(home) && words.some((word) => word.endsWith('guardian-process.js'))) found.push(Number(pid))
  }
  return found
}
