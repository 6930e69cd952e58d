/**
 * Turns between processes of a machine, and a lock that is made of them.
 *
 * Turns are a folder of numbered files. The highest number is the last turn: its file names who has it. To
 * take the next turn is to hard-link a finished file to the next number, which succeeds for one process
 * only, and nobody ever has to remove a turn he believes stale: that is the step in which two processes
 * would both win. Earlier turns stay for a while, so that a process that was asleep between looking and
 * linking finds its number taken or finds itself outrun.
 *
 * Whoever holds the lock is known by pid and start time, so a holder that was killed, even by kill -9, is seen
 * to be gone at once; no waiting for a time-out.
 */
import { randomUUID } from 'node:crypto'
import { linkSync, readdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startOf } from './process-start.ts'

const turnsKept = 8

/** The last turn that was taken in a folder; 0 when there was none, or no folder. */
export function lastTurn(folder: string): number {
  return Math.max(0, ...turns(folder))
}

/**
 * Takes the turn of this number with what its file is to hold; false when another process was faster.
 * @throws errors of the file system; the folder must exist
 */
export function takeTurn(folder: string, turn: number, content: string, mode = 0o600): boolean {
  const claim = join(folder, `claim-${process.pid}-${randomUUID()}`)
  writeFileSync(claim, content, { mode })
  try {
    linkSync(claim, join(folder, String(turn)))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    unlinkSync(claim)
  }
  // Asleep for many turns in between.
  if (lastTurn(folder) !== turn) return false
  // Another process may tidy at the same time.
  for (const old of turns(folder)) if (old <= turn - turnsKept) rmSync(join(folder, String(old)), { force: true })
  return true
}

function turns(folder: string): number[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** The lock was not free in time. `pid` is the process that holds it. */
export class LockTimeout extends Error {
  override name = 'LockTimeout'
  constructor(
    folder: string,
    readonly pid: number,
    waitedMs: number,
  ) {
    super(
      `Process ${pid} has held the lock ${folder} for more than ${Math.round(waitedMs / 1000)} s. If it ` +
        'hangs, stop it and run this again.',
    )
  }
}

/**
 * Does `work` while no other process, and no other caller in this one, does any under the same folder.
 * The folder is made when missing; its parent must exist. Not re-entrant.
 * @throws LockTimeout after `waitMs`
 */
export async function withFileLock<T>(folder: string, work: () => Promise<T>, { waitMs = 120_000 } = {}): Promise<T> {
  const turn = await waitForTurn(folder, waitMs)
  try {
    return await work()
  } finally {
    // Empty: the turn is over. The folder may be gone together with everything it guarded.
    await truncate(join(folder, String(turn))).catch(() => undefined)
  }
}

async function waitForTurn(folder: string, waitMs: number): Promise<number> {
  await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  })
  const started = Date.now()
  const self = JSON.stringify({ pid: process.pid, start: await startOf(process.pid) })
  for (;;) {
    const last = lastTurn(folder)
    const holder = last === 0 ? undefined : await holderOf(join(folder, String(last)))
    if (holder === undefined) {
      // Readable for all who can reach the folder: root may take a turn in the home of another user.
      if (takeTurn(folder, last + 1, self, 0o644)) {
        await removeDeadClaims(folder)
        return last + 1
      }
    } else if (Date.now() - started > waitMs) {
      throw new LockTimeout(folder, holder, Date.now() - started)
    } else {
      await sleep(5 + Math.random() * 15)
    }
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

/** Removes the claims of processes that were killed while they took a turn. */
async function removeDeadClaims(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = /^claim-(\d+)-/.exec(name)?.[1]
    if (pid !== undefined && (await startOf(Number(pid))) === '') await rm(join(folder, name), { force: true })
  }
}
