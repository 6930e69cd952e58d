/**
 * Where faults play: a test environment of its own with a database and a Redis that can be restarted, a
 * bot, two workers, and whoever starts them again.
 */
import { spawnSync } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase } from '../../src/db/database.ts'
import { joinServer } from '../../src/db/embedded/index.ts'
import { makeClip } from '../environment/clip.ts'
import { startProgram, type Program } from '../environment/program.ts'
import { temporaryHome } from '../environment/temporary-database.ts'
import { openTestEnvironment, until, type TestEnvironment } from '../environment/test-environment.ts'

/** A service that is started again whenever it ends, as an init system does, unless its token was refused. */
export interface Service {
  name: string
  /** of all its processes, the last one last */
  pids: number[]
  /** those that were killed */
  killed: Set<number>
  /** exit codes of those that ended by themselves; who found no database at the start only began too early */
  ends: number[]
  /** what all of them wrote */
  output(): string
  kill(): void
  /** stops it in the middle of whatever it does, and lets it go on after that time */
  freeze(ms: number): Promise<void>
  /** those that stood still for a while */
  frozen: Set<number>
  /** asks the running one to end; it is started again */
  restart(): void
  /** starts it when it stays down */
  revive(): Promise<void>
  ready(): Promise<void>
  /** @throws when it does not end in good time; it is killed then */
  stop(): Promise<void>
}

export interface FaultEnvironment {
  town: TestEnvironment
  /** the length of one of Telegram's seconds, milliseconds */
  secondMs: number
  /** the slowest answer to a hit under a load without a fault; measured first */
  usualHitMs?: number
  bot: Service
  workers: Service[]
  /** `begin|end|abort <pid> <revision>`, a line for each */
  ledger: string
  renders: string
  /** one more process like those of the workers, with more in its environment */
  startWorker(env: Record<string, string>): Program
  /** PostgreSQL ends, by a signal, and its keeper starts it again */
  restartDatabase(signal: 'SIGINT' | 'SIGKILL'): Promise<void>
  /** Runs one such piece of work at a time: people write, or the way to Telegram is away. */
  alone(work: () => Promise<unknown>): Promise<void>
  close(): Promise<void>
}

const usualChannels = 3
/** STOP_SECONDS of the services, and what their connections may take to close */
const longestStopMs = 15_000

/** Opens a stage. Nothing of it is shared with other tests. */
export async function openFaultEnvironment({
  queueMode,
  divisor,
  channels = usualChannels,
}: {
  queueMode: 'postgresql' | 'redis'
  divisor: number
  channels?: number
}): Promise<FaultEnvironment> {
  const home = await temporaryHome()
  const server = await joinServer(home.folder, 'faults')
  const database = await openDatabase({
    home: home.folder,
    databaseUrl: server.url('postgres'),
    sandbox: false,
    role: 'faults',
  })
  const town = await openTestEnvironment({
    queueMode,
    channels,
    timeDivisor: divisor,
    keepRedis: true,
    channelRate: 20,
    ownDatabase: {
      ...database,
      close: async () => {
        await database.close()
        await server.close()
        await home.remove()
      },
    },
  })
  await watchAssets(town)
  const [place] = await town.db.$queryRaw<{ folder: string }[]>`SELECT current_setting('data_directory') AS folder`
  const clip = await makeClip(town.folder)
  const renders = join(String(town.env.GREETINGS_HOME), 'renders')
  const ledger = join(town.folder, 'ledger')
  await mkdir(renders, { recursive: true })
  await writeFile(ledger, '')
  // What is free on this machine is no matter of most faults.
  const env = { ...town.env, RENDER_CONCURRENCY: '2', STOP_SECONDS: '2', KEEP_FREE_GB: '0' }
  const order = JSON.stringify({ renders, ledger, clip, renderMs: 40 })
  const longestMs = 2_147_000_000
  const startWorker = (more: Record<string, string> = {}) =>
    startProgram([order], {
      env: { ...env, ...more },
      cwd: town.folder,
      script: join(import.meta.dirname, 'worker.js'),
      longestMs,
    })
  const workers = ['worker 1', 'worker 2'].map((name) => keep(name, startWorker))
  const bot = keep('bot', () => startProgram(['bot'], { env, cwd: town.folder, longestMs }))
  await Promise.all([bot, ...workers].map((service) => service.ready()))
  await makeKnownVideo(town)
  let last: Promise<void> = Promise.resolve()
  return {
    town,
    async alone(work) {
      const mine = last.then(async () => void (await work()))
      last = mine.catch(() => undefined)
      await mine
    },
    secondMs: 1_000 / divisor,
    bot,
    workers,
    ledger,
    renders,
    startWorker,
    restartDatabase: (signal) => restartDatabase(String(place?.folder), signal),
    async close() {
      const stops = await Promise.allSettled([bot, ...workers].map((service) => service.stop()))
      spawnSync('umount', [renders], { stdio: 'ignore' }) // a small disk, if one was put there
      await town.close()
      for (const stop of stops) if (stop.status === 'rejected') throw stop.reason
    },
  }
}

/** The name whose video is there before any load, so that asking for it is a hit. */
export const knownName = 'Вера'

async function makeKnownVideo({ db, telegram }: TestEnvironment): Promise<void> {
  await telegram.sayAll([{ userId: 999_000, text: knownName, languageCode: 'ru' }])
  await until(
    async () => (await db.userRequest.count({ where: { userId: 999_000, status: 'COMPLETED' } })) === 1,
    'the video of the known name',
    60_000,
  )
}

/** Starts a service, and again whenever it ends. */
export function keep(name: string, start: () => Program): Service {
  const texts: string[] = []
  const service: Service = {
    name,
    pids: [],
    killed: new Set(),
    frozen: new Set(),
    ends: [],
    output: () => [...texts, program?.output() ?? ''].join(''),
    kill() {
      if (program === undefined) return
      service.killed.add(program.pid)
      program.signal('SIGKILL')
    },
    async freeze(ms) {
      const mine = program
      if (mine === undefined) return
      service.frozen.add(mine.pid)
      mine.signal('SIGSTOP')
      await sleep(ms)
      mine.signal('SIGCONT')
    },
    restart: () => program?.signal('SIGTERM'),
    async revive() {
      if (program === undefined) run()
      await service.ready()
    },
    async ready() {
      while (program === undefined || !program.output().includes('is running"')) {
        if (program === undefined && stays) throw new Error(`${name} stays down: ${texts.at(-1)?.slice(-2_000)}`)
        await sleep(50)
      }
    },
    async stop() {
      stopping = true
      program?.signal('SIGTERM')
      let late = false
      const killer = setTimeout(() => {
        late = true
        program?.signal('SIGKILL')
      }, longestStopMs)
      await over
      clearTimeout(killer)
      if (late)
        throw new Error(
          `${name} did not end within ${longestStopMs / 1_000} s of SIGTERM: ${service.output().slice(-1_500)}`,
        )
    },
  }
  let program: Program | undefined
  let stopping = false
  let stays = false
  let over: Promise<void> = Promise.resolve()

  function run() {
    stays = false
    const mine = start()
    program = mine
    service.pids.push(mine.pid)
    over = mine.ended.then(async ({ code, stdout, stderr }) => {
      texts.push(stdout + stderr)
      program = undefined
      const tooEarly = code === 3 && !(stdout + stderr).includes('is running"')
      if (code !== null && !tooEarly) service.ends.push(code)
      stays = code === 2 && stderr.includes('@BotFather')
      if (stopping || stays) return
      await sleep(100)
      if (!stopping) run()
    })
  }
  run()
  return service
}

/** Everything that ever used up an attempt or gave an asset up is written down, however soon it was put right. */
async function watchAssets({ db }: TestEnvironment): Promise<void> {
  await db.$executeRawUnsafe(`CREATE TABLE noticed (name text, attempts int, status text, reason text)`)
  await db.$executeRawUnsafe(`CREATE FUNCTION notice() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO noticed VALUES (NEW.name, NEW.attempts, NEW.status::text, coalesce(NEW."errorClass", '') || ': ' || coalesce(NEW."errorText", '')); RETURN NEW; END $$`)
  await db.$executeRawUnsafe(`CREATE TRIGGER notice AFTER UPDATE ON "VideoAsset" FOR EACH ROW
    WHEN (NEW.attempts > OLD.attempts OR (NEW.status = 'FAILED' AND OLD.status <> 'FAILED')) EXECUTE FUNCTION notice()`)
}

async function restartDatabase(folder: string, signal: 'SIGINT' | 'SIGKILL'): Promise<void> {
  // It may still be coming back from the last time.
  await until(async () => {
    const [pid] = (await readFile(join(folder, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
    try {
      return Number(pid) > 0 && process.kill(Number(pid), signal)
    } catch {
      return false
    }
  }, 'the end of PostgreSQL')
}
