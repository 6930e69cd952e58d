/** The guardian: the process that stops a server whose last member was killed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { builtScript } from '../../installation.ts'
import { withFileLock } from '../../numbered-lock.ts'
import { startOf } from '../../process-start.ts'
import { isThere } from './careful-files.ts'
import { connectAs, membersOf } from './members.ts'
import { stop } from './pg-ctl.ts'
import { keepFile, type Place, placeOf, readPassword } from './place.ts'
import { bareEnvironment } from './program.ts'
import { look } from './state.ts'

const guardianName = 'greetings guardian'

/** between two looks of the guardian at the members */
const guardMs = 10_000

/**
 * The guardian's life: waits until the server is up that `starter` is about to start, then looks every few seconds
 * whether there are members, and stops the server when there are none and `db start` does not keep it up. Ends
 * together with the server, or at once when the server has a guardian. Without a server it writes nothing, for
 * the home may be about to be removed.
 * @param starter pid
 */
export async function guardServer(home: string, starter: number): Promise<void> {
  const place = await placeOf(home)
  const start = await startOf(starter)
  const isOver = async () => start === '' || (await startOf(starter)) !== start
  let port = await look(place)
  // A starter that was killed may leave a server that has not written its file yet: a second more.
  for (let last = false; typeof port !== 'number'; port = await look(place)) {
    if (port === undefined && last) return
    last = port === undefined && (await isOver())
    await sleep(last ? 1_000 : 100)
  }
  const client = await connectAs(guardianName, port, await readPassword(place))
  const over = new AbortController()
  client.on('end', () => over.abort())
  const { rows } = await client.query<{ alone: boolean }>(`SELECT pg_try_advisory_lock(hashtext($1)) AS alone`, [
    guardianName,
  ])
  if (rows[0]?.alone !== true) return client.end()
  const nobodyIsLeft = async () => (await membersOf(client)).length === 0 && !(await isThere(keepFile(place)))
  while (!over.signal.aborted) {
    await sleep(guardMs, undefined, { signal: over.signal }).catch(() => undefined)
    // What goes wrong (a lock that is not free, a server that does not stop yet) is tried again next time.
    const stopIfUnused = async () =>
      void (
        (await nobodyIsLeft()) &&
        (await withFileLock(place.lock, async () => void ((await nobodyIsLeft()) && (await stop(place)))))
      )
    await stopIfUnused().catch(() => undefined)
  }
}

/** Starts a guardian, unless the server of this member is seen to have one. */
export async function ensureGuardian(place: Place, member: pg.Client): Promise<void> {
  const { rows } = await member.query('SELECT 1 FROM pg_stat_activity WHERE application_name = $1', [guardianName])
  if (rows.length === 0) startGuardian(place)
}

/** the last guardian this process started for each home */
const started = new Map<string, ChildProcess>()

/**
 * Starts a guardian for a server that does not run yet, or has none. It takes the place of the one that this process
 * started before, which waits for a server as long as this process lives: where a server never starts, every attempt
 * would add one.
 */
export function startGuardian(place: Place): void {
  const child = spawn(
    process.execPath,
    [builtScript('db/embedded/guardian-process'), dirname(place.keys), String(process.pid)],
    {
      stdio: 'ignore',
      detached: true,
      windowsHide: true,
      cwd: '/',
      ...bareEnvironment(undefined),
    },
  )
  child.on('error', () => undefined)
  child.unref()
  started.get(place.keys)?.kill()
  started.set(place.keys, child)
}
