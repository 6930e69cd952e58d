/** Programs of PostgreSQL and of the system, run as the user of the server. */
import { spawn } from 'node:child_process'
import type { FileHandle } from 'node:fs/promises'
import { childEnvironment } from '../../child-environment.ts'
import { role } from './address.ts'

/** A user of this host. */
export interface Account {
  uid: number
  gid: number
}

/**
 * Runs a program to its end, in a process group of its own: a signal at the terminal does not cut it short. What it
 * writes, and what it leaves running does, goes to `log` where there is one.
 */
export async function run(
  program: string,
  args: string[],
  user: Account | undefined,
  cwd: string,
  log?: FileHandle,
): Promise<{ ok: boolean; output: string }> {
  return new Promise((resolve) => {
    const to = log?.fd ?? 'pipe'
    const as = user === undefined ? {} : { uid: user.uid, gid: user.gid }
    const child = spawn(program, args, {
      stdio: ['ignore', to, to],
      detached: true,
      windowsHide: true,
      cwd,
      ...as,
      ...bareEnvironment(user),
    })
    let output = ''
    child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.on('error', (error) => resolve({ ok: false, output: error.message }))
    child.on('close', (code) => resolve({ ok: code === 0, output }))
  })
}

/**
 * Nothing of our environment may steer the server (PGDATA, PGPORT, PGOPTIONS
 * …), nor live on in it; Windows needs its own.
 */
export function bareEnvironment(user: Account | undefined): { env: NodeJS.ProcessEnv } {
  return {
    env:
      process.platform === 'win32'
        ? childEnvironment()
        : { LC_ALL: 'C', PATH: '/usr/bin:/bin', ...(user === undefined ? {} : { USER: role }) },
  }
}
