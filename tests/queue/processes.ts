/** Commands of the built program as processes of their own, for tests that kill them. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packageRoot } from '../../src/installation.ts'
import { until, type Town } from '../town.ts'

/** A running command. */
export interface Running {
  pid: number
  /** everything it wrote to stdout and stderr so far */
  output(): string
  /** resolves as soon as it has written `text` (also before this call) */
  wrote(text: string): Promise<void>
  signal(name: NodeJS.Signals): void
  /** the exit code; null after a signal that ended it */
  ended: Promise<number | null>
  /** kill -9, and the end of it */
  kill(): Promise<void>
}

/** Starts `greetings <args>` in the town. Whoever starts it ends it with `kill` (harmless twice). */
function startCommand(town: Town, args: readonly string[], env: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, [join(packageRoot, 'bin', 'greetings.js'), ...args], { cwd: town.folder, env: { ...town.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  const heard = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part: string) => {
      text += part
      for (const tell of heard) tell()
    })
  }
  const ended = once(child, 'exit').then(([code]) => {
    for (const tell of heard) tell()
    return code as number | null
  })
  return {
    pid: child.pid ?? 0,
    output: () => text,
    ended,
    signal: (name) => void child.kill(name),
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
    wrote: (wanted) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => done(new Error(`${args.join(' ')} did not write “${wanted}” within 90 s:\n${text}`)), 90_000)
        const done = (error?: Error) => {
          clearTimeout(timer)
          heard.delete(look)
          if (error === undefined) resolve()
          else reject(error)
        }
        const look = () => {
          if (text.includes(wanted)) done()
          else if (child.exitCode !== null || child.signalCode !== null) done(new Error(`${args.join(' ')} ended without writing “${wanted}”:\n${text}`))
        }
        heard.add(look)
        look()
      }),
  }
}

/** Starts a service and waits until it says that it runs. */
export async function startService(town: Town, verb: 'worker' | 'bot' | 'up', env: Record<string, string> = {}): Promise<Running> {
  const running = startCommand(town, [verb], env)
  try {
    await running.wrote(`${verb} is running`)
  } catch (error) {
    await running.kill()
    throw error
  }
  return running
}

/** Processes whose environment names the town's home: commands of it, and the programs they started. Where there is no /proc: none. */
export async function processesOf(town: Town): Promise<{ pid: number; commandLine: string }[]> {
  const mark = `GREETINGS_HOME=${String(town.env.GREETINGS_HOME)}\0`
  const found = []
  for (const pid of (await readdir('/proc').catch(() => [])).filter((entry) => /^\d+$/.test(entry))) {
    try {
      if (!(await readFile(`/proc/${pid}/environ`, 'latin1')).includes(mark)) continue
      found.push({ pid: Number(pid), commandLine: (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ') })
    } catch {
      // ended in the meantime
    }
  }
  return found.filter(({ pid }) => pid !== process.pid)
}

/** Waits until no process of the town is left. */
export async function nobodyLeft(town: Town): Promise<void> {
  await until(async () => (await processesOf(town)).length === 0, 'the end of every process of the town').catch(async (error: unknown) => {
    throw new Error(`${String(error)}: ${JSON.stringify(await processesOf(town))}`)
  })
}

/** Videos in a person's chat. */
export async function videosOf(town: Town, userId: number): Promise<number> {
  return (await town.telegram.messages(userId)).filter((message) => message.video !== undefined).length
}
