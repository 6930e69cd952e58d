/** The built program as a script runs it: a child process with nothing but the environment it is given. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { packageRoot } from '../../src/installation.ts'

const bin = join(packageRoot, 'bin', 'greetings.js')

/** How a run ended. `code` is null when a signal killed it. */
export interface End {
  code: number | null
  stdout: string
  stderr: string
}

/** A run under way. */
export interface Program {
  pid: number
  ended: Promise<End>
  /** what it wrote to stdout so far, and to stderr */
  output(): string
  signal(name: NodeJS.Signals): void
  /** Waits for a text on stdout or stderr; gives its first group. @throws when the program ends before */
  waitForText(pattern: RegExp): Promise<string>
}

export interface RunOptions {
  env: Record<string, string>
  cwd?: string
  /** all of stdin; empty unless given */
  input?: string
  /** when a run that hangs is killed */
  longestMs?: number
  /** instead of the program's own entry */
  script?: string
}

/** Starts `greetings <args>`. A run that hangs is killed, so that it fails its test and does not outlive it. */
export function startProgram(
  args: string[],
  { env, cwd = env.HOME ?? '/', input = '', longestMs = 200_000, script = bin }: RunOptions,
): Program {
  const child = spawn(process.execPath, [script, ...args], { env, cwd, stdio: ['pipe', 'pipe', 'pipe'] })
  const out = { stdout: '', stderr: '' }
  let wake = () => {}
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      out[stream] += text
      wake()
    })
  }
  child.stdin.on('error', () => undefined) // it may end without reading
  child.stdin.end(input)
  const killer = setTimeout(() => child.kill('SIGKILL'), longestMs)
  let over = false
  const ended = once(child, 'close').then(([code]): End => {
    over = true
    clearTimeout(killer)
    return { code: code as number | null, ...out }
  })
  return {
    pid: child.pid ?? 0,
    ended,
    output: () => out.stdout + out.stderr,
    signal: (name) => void child.kill(name),
    async waitForText(pattern) {
      for (;;) {
        const found = [out.stdout, out.stderr].flatMap((written) => pattern.exec(written) ?? [])
        if (found.length > 0) return found[1] ?? ''
        if (over) throw new Error(`the program ended without ${String(pattern)}:\n${out.stdout}${out.stderr}`)
        await Promise.race([new Promise<void>((resolve) => (wake = resolve)), ended])
      }
    },
  }
}

/** Runs `greetings <args>` to its end. */
export function runProgram(args: string[], options: RunOptions): Promise<End> {
  return startProgram(args, options).ended
}

/** What stdout holds when it is exactly one JSON object on one line. */
export function jsonOf({ stdout, stderr }: End): Record<string, unknown> {
  if (!/^\{[^\n]*\}\n$/.test(stdout)) throw new Error(`stdout is not one JSON object: ${stdout}\n${stderr}`)
  return JSON.parse(stdout) as Record<string, unknown>
}
