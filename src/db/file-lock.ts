/**
 * One lock between processes of a machine. Whoever holds it is known by pid and start time, so a holder
 * that was killed, even by kill -9, is seen to be gone at once; no waiting for a time-out.
 *
 * The lock is a folder of numbered files. The highest number is the last turn: its file names the holder
 * and is emptied when the turn ends. To take the next turn is to hard-link a finished file to the next
 * number, which succeeds for one process only, and nobody ever has to remove a lock he believes stale:
 * that is the step in which two processes would both win. Earlier turns stay for a while, so that a
 * process that was asleep between looking and linking finds its number taken or finds itself outrun.
 */
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { link, mkdir, readdir, readFile, truncate, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { childEnvironment } from '../child-environment.ts'

const turnsKept = 8

/** The lock was not free in time. `pid` is the process that holds it. */
export class LockTimeout extends Error {
  override name = 'LockTimeout'
  constructor(
    folder: string,
    readonly pid: number,
    waitedMs: number,
  ) {
    super(
      `Process ${pid} has held the lock ${folder} for more than ${Math.round(waitedMs / 1000)} s. If it hangs, stop it and run this again.`,
    )
  }
}

/**
 * Does `work` while no other process, and no other caller in this one, does any under the same folder.
 * The folder is made when missing; its parent must exist. Not re-entrant.
 * @throws LockTimeout after `waitMs`
 */
export async function withFileLock<T>(folder: string, work: () => Promise<T>, { waitMs = 120_000 } = {}): Promise<T> {
  const turn = await takeTurn(folder, waitMs)
  try {
    return await work()
  } finally {
    // The folder may be gone together with everything it guarded.
    await truncate(join(folder, String(turn))).catch(() => undefined)
  }
}

async function takeTurn(folder: string, waitMs: number): Promise<number> {
  await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  })
  const started = Date.now()
  const claim = join(folder, `claim-${process.pid}-${randomUUID()}`)
  // Readable for all who can reach the folder: root may take a turn in the home of another user.
  await writeFile(claim, JSON.stringify({ pid: process.pid, start: await startOf(process.pid) }), { mode: 0o644 })
  try {
    for (;;) {
      const last = await lastTurn(folder)
      const holder = last === 0 ? undefined : await holderOf(join(folder, String(last)))
      if (holder === undefined) {
        const mine = last + 1
        if ((await tryLink(claim, join(folder, String(mine)))) && (await lastTurn(folder)) === mine) {
          await tidy(folder, mine)
          return mine
        }
      } else if (Date.now() - started > waitMs) {
        throw new LockTimeout(folder, holder, Date.now() - started)
      } else {
        await sleep(5 + Math.random() * 15)
      }
    }
  } finally {
    await unlink(claim)
  }
}

async function lastTurn(folder: string): Promise<number> {
  let last = 0
  for (const name of await readdir(folder)) if (/^\d+$/.test(name)) last = Math.max(last, Number(name))
  return last
}

async function tryLink(claim: string, turn: string): Promise<boolean> {
  try {
    await link(claim, turn)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

/** The pid of a living holder; undefined: the turn is over. */
async function holderOf(turn: string): Promise<number | undefined> {
  let text: string
  try {
    text = await readFile(turn, 'utf8')
  } catch (error) {
    // Tidied away: whoever looks now has been outrun and will notice.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  if (text === '') return undefined
  const { pid, start } = JSON.parse(text) as { pid: number; start: string }
  return (await startOf(pid)) === start ? pid : undefined
}

/** Removes old turns and the claims of processes that were killed while they waited. */
async function tidy(folder: string, mine: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const old = /^\d+$/.test(name) && Number(name) <= mine - turnsKept
    const pid = /^claim-(\d+)-/.exec(name)?.[1]
    const dead = pid !== undefined && (await startOf(Number(pid))) === ''
    if (old || dead) await unlink(join(folder, name)).catch(() => undefined)
  }
}

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
