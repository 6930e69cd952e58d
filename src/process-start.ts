/** Tells two processes apart that had the same pid one after the other. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { childEnvironment } from './child-environment.ts'

/**
 * Something that differs between two processes that had the same pid one after the other; empty: no such
 * process. A dead process nobody has waited for yet counts as gone.
 */
export async function startOf(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
    // The second field is the program's name in brackets and may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const [state, start] = [fields[0], fields[19]]
    if (start === undefined || state === 'Z' || state === 'X') return ''
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')
    return `${boot.trim()}:${start}`
  }
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return ''
  }
  if (process.platform === 'win32') return 'alive'
  const { stdout } = await promisify(execFile)('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
    env: childEnvironment(),
  }).catch(() => ({ stdout: '' }))
  const [state = '', ...start] = stdout.trim().split(/\s+/)
  return state.startsWith('Z') ? '' : start.join(' ')
}
