/**
 * The processes of an installation. Each writes every few seconds that it is alive, and takes its row away when it
 * ends. One that was killed says nothing any more: on its own machine that is seen at once, from others within seconds.
 */
import { randomUUID } from 'node:crypto'
import { readFile, readlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import type { Times } from '../config.ts'
import type { Db } from '../db/database.ts'
import { startOf } from '../process-start.ts'

/** A process that was heard of lately. */
export interface LiveProcess {
  id: string
  host: string
  pid: number
  startedAt: Date
  /** since it was last heard of */
  seenSeconds: number
  /** it should have been heard of since: nobody knows what it is doing */
  silent: boolean
}

/** A worker. What a silent one was doing counts as nothing. */
export interface LiveWorker extends LiveProcess {
  concurrency: number
  rendering: number
  uploading: number
}

/** A bot, and how it takes updates. */
export interface LiveBot extends LiveProcess {
  mode: 'polling' | 'webhook'
}

/** A process that is being told about. */
export interface Presence {
  /** The process ends: its row goes. Never throws. */
  leave(): Promise<void>
}

/** The id under which a process of this host is known. */
export const newProcessId = () => `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`

/** Tells of a worker, with what `load` says at that moment. */
export async function announceWorker(
  db: Db,
  { leaseRenewMs }: Times,
  { id, concurrency, load }: { id: string; concurrency: number; load: () => { rendering: number; uploading: number } },
): Promise<Presence> {
  const machine = await thisMachine()
  const beat = async () => {
    const { rendering, uploading } = load()
    await db.$executeRaw`
      INSERT INTO "WorkerProcess" (id, host, pid, machine, concurrency, rendering, uploading)
        VALUES (${id}, ${hostname()}, ${process.pid}, ${machine}, ${concurrency}, ${rendering}, ${uploading})
      ON CONFLICT (id) DO UPDATE SET rendering = EXCLUDED.rendering, uploading = EXCLUDED.uploading, "seenAt" = now()`
  }
  return keepBeating(leaseRenewMs, beat, () => db.workerProcess.deleteMany({ where: { id } }))
}

/** Tells of a bot. */
export async function announceBot(db: Db, { leaseRenewMs }: Times, mode: LiveBot['mode']): Promise<Presence> {
  const id = newProcessId()
  const machine = await thisMachine()
  const beat = async () => {
    await db.$executeRaw`
      INSERT INTO "BotProcess" (id, host, pid, machine, mode)
        VALUES (${id}, ${hostname()}, ${process.pid}, ${machine}, ${mode})
      ON CONFLICT (id) DO UPDATE SET "seenAt" = now()`
  }
  return keepBeating(leaseRenewMs, beat, () => db.botProcess.deleteMany({ where: { id } }))
}

async function keepBeating(
  everyMs: number,
  beat: () => Promise<void>,
  remove: () => Promise<unknown>,
): Promise<Presence> {
  await beat()
  let underWay: Promise<void> | undefined
  const timer = setInterval(() => {
    // The database is away: the next one tells.
    underWay ??= beat()
      .catch(() => undefined)
      .finally(() => (underWay = undefined))
  }, everyMs)
  return {
    async leave() {
      clearInterval(timer)
      // One that is still on its way would bring the row back.
      await underWay
      await remove().catch(() => undefined)
    },
  }
}

/** Beats that may be missing, and late, before a process counts as silent. */
const missedBeats = 2.5

/** Workers that were heard of lately, longest running first. */
export async function liveWorkers(db: Db, times: Times): Promise<LiveWorker[]> {
  const rows = await db.$queryRaw<Row<LiveWorker>[]>`
    SELECT id, host, pid, machine, "startedAt", greatest(0, extract(epoch
      FROM now() - "seenAt"))::float8 AS "seenSeconds", concurrency, rendering, uploading FROM "WorkerProcess"
    WHERE "seenAt" > now() - ${times.workerGoneMs}::float8 * interval '1 millisecond' ORDER BY "startedAt", id`
  return (await among(rows, times)).map((worker) =>
    worker.silent ? { ...worker, rendering: 0, uploading: 0 } : worker,
  )
}

/** Bots that were heard of lately, longest running first. */
export async function liveBots(db: Db, times: Times): Promise<LiveBot[]> {
  const rows = await db.$queryRaw<Row<LiveBot>[]>`
    SELECT id, host, pid, machine, "startedAt", greatest(0, extract(epoch
      FROM now() - "seenAt"))::float8 AS "seenSeconds", mode FROM "BotProcess"
    WHERE "seenAt" > now() - ${times.workerGoneMs}::float8 * interval '1 millisecond' ORDER BY "startedAt", id`
  return among(rows, times)
}

type Row<T extends LiveProcess> = Omit<T, 'silent'> & { machine: string | null }

/** Without those that are seen to be gone from here. */
async function among<T extends LiveProcess>(rows: Row<T>[], { leaseRenewMs }: Times): Promise<T[]> {
  const here = await thisMachine()
  const there: T[] = []
  for (const { machine, ...row } of rows) {
    if (machine === here && (await startOf(row.pid)) === '') continue
    there.push({
      ...row,
      seenSeconds: Number(row.seenSeconds.toFixed(1)),
      silent: row.seenSeconds * 1_000 > missedBeats * leaseRenewMs,
    } as unknown as T)
  }
  return there
}

/**
 * Bots that fetch updates at the same time, as `host, pid 4711`: Telegram
 * serves one of them. Empty unless there are several.
 */
export function rivalPollers(bots: readonly LiveBot[]): string[] {
  const polling = bots.filter(({ mode, silent }) => mode === 'polling' && !silent)
  return polling.length < 2 ? [] : polling.map(({ host, pid }) => `${host}, pid ${pid}`)
}

/**
 * Where a process id means something: one run of one kernel, and one space of process ids in it. Two containers of
 * a host may have its name, and do not see each other's processes.
 */
async function thisMachine(): Promise<string> {
  try {
    return (
      `${(await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()} ` +
      `${await readlink('/proc/self/ns/pid')}`
    )
  } catch {
    return hostname()
  }
}
