/** Services of the built program as processes of their own, for tests that kill them. */
import { readdir, readFile } from 'node:fs/promises'
import { startProgram } from '../environment/program.ts'
import { until, type TestEnvironment } from '../environment/test-environment.ts'

/** A running service. */
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

/** The services of one test after another. */
export interface Services {
  /** Starts one and waits until it says that it runs. */
  start(verb: 'worker' | 'bot' | 'up', env?: Record<string, string>): Promise<Running>
  /** the one that was started last */
  last(): Running | undefined
  /** Ends what Telegram holds back and every service; nothing of the environment may be left after it. */
  endAll(): Promise<void>
}

/** None at first. `town` is asked when it is needed, for tests open theirs in `beforeAll`. */
export function createServices(town: () => TestEnvironment): Services {
  const running: Running[] = []
  return {
    async start(verb, env = {}) {
      const program = startProgram([verb], { cwd: town().folder, env: { ...town().env, ...env }, longestMs: 280_000 })
      const ended = program.ended.then(({ code }) => code)
      const service: Running = {
        pid: program.pid,
        output: () => program.output(),
        wrote: async (text) =>
          void (await program.waitForText(new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))),
        signal: (name) => program.signal(name),
        ended,
        async kill() {
          program.signal('SIGKILL')
          await ended
        },
      }
      running.push(service)
      await service.wrote(`${verb} is running`)
      return service
    },
    last: () => running.at(-1),
    async endAll() {
      await town().telegram.release()
      for (const service of running.splice(0)) await service.kill()
      await nobodyLeft(town())
    },
  }
}

/**
 * Processes whose environment variables name the home of the test environment: commands of it, and the
 * programs they started. Where there is no /proc: none.
 */
export async function processesOf(town: TestEnvironment): Promise<{ pid: number; commandLine: string }[]> {
  const mark = `GREETINGS_HOME=${String(town.env.GREETINGS_HOME)}\0`
  const found = []
  for (const pid of (await readdir('/proc').catch(() => [])).filter((entry) => /^\d+$/.test(entry))) {
    try {
      if (!(await readFile(`/proc/${pid}/environ`, 'latin1')).includes(mark)) continue
      found.push({
        pid: Number(pid),
        commandLine: (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' '),
      })
    } catch {
      // ended in the meantime
    }
  }
  return found.filter(({ pid }) => pid !== process.pid)
}

/** Waits until no process of the environment is left. */
export async function nobodyLeft(town: TestEnvironment): Promise<void> {
  await until(async () => (await processesOf(town)).length === 0, 'the end of every process of the town').catch(
    async (error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify(await processesOf(town))}`)
    },
  )
}

/** Videos in a person's chat. */
export async function videosOf(town: TestEnvironment, userId: number): Promise<number> {
  return (await town.telegram.messages(userId)).filter((message) => message.video !== undefined).length
}
