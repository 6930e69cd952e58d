/** Whether the server runs and where, from the file it keeps in its data folder, `postmaster.pid`. */
import { constants } from 'node:fs'
import { lstat, readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startOf } from '../../process-start.ts'
import { DatabaseUnreachable } from '../errors.ts'
import { urlOf } from './address.ts'
import { openTheirs, readTheirs } from './careful-files.ts'
import { logFile, logTail, type Place, placeOf, readPassword } from './place.ts'
import { run } from './program.ts'

/** crash recovery after a power cut replays the log; it may take a while */
export const startMs = 120_000

/** The address of the running server's database, password included; undefined: it is not running. */
export async function serverUrl(home: string, database: string): Promise<string | undefined> {
  const place = await placeOf(home)
  const seen = await look(place)
  return typeof seen === 'number' ? urlOf(seen, await readPassword(place), database) : undefined
}

/** The port: it runs. 'busy': it starts or stops. undefined: it does not run. */
export async function look(place: Place): Promise<number | 'busy' | undefined> {
  const file = join(place.data, 'postmaster.pid')
  const text = await readTheirs(file)
  if (text === undefined) return undefined
  // Lines: pid, data folder, start time, port, socket folder, address, shared memory, status.
  const lines = text.split('\n')
  const [pidLine = '', data = '', , port = '', , , , status = ''] = lines
  const pid = Math.abs(Number.parseInt(pidLine, 10))
  if (!(pid > 0) || data === '') return (await isFresh(file)) ? 'busy' : undefined
  if (!(await isServer(pid, data, place.data))) {
    if ((await startOf(pid)) !== '') await disown(file, lines)
    return undefined
  }
  return status.trim() === 'ready' ? Number(port) : 'busy'
}

/** Waits while the server starts or stops. */
export async function settled(place: Place): Promise<number | undefined> {
  for (const deadline = Date.now() + startMs; ; await sleep(25)) {
    const seen = await look(place)
    if (seen !== 'busy') return seen
    if (Date.now() > deadline)
      throw new DatabaseUnreachable(
        `The embedded database has been starting or stopping for ${startMs / 1000} s. Look at ` +
          `${logFile(place)}.${await logTail(place)}`,
      )
  }
}

async function isFresh(file: string): Promise<boolean> {
  const found = await lstat(file).catch(() => undefined)
  return found !== undefined && Date.now() - found.mtimeMs < 2_000
}

/**
 * Whether the process is the server of this very data folder. A home may have been copied or moved
 * together with the file, and after a reboot the pid may belong to anybody.
 */
async function isServer(pid: number, recordedData: string, ourData: string): Promise<boolean> {
  if ((await startOf(pid)) === '') return false
  const [recorded, ours] = await Promise.all([
    realpath(recordedData).catch(() => ''),
    realpath(ourData).catch(() => ourData),
  ])
  if (recorded !== ours) return false
  if (process.platform === 'win32') return true
  if (process.platform === 'linux')
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0').includes(recordedData)
  return (await run('/bin/ps', ['-o', 'command=', '-p', String(pid)], undefined, '/')).output.includes(recordedData)
}

/**
 * The file names a living process that is not our server; PostgreSQL would refuse to start. It gets a pid
 * that no process has. The rest stays, for PostgreSQL also checks the shared memory named in it.
 */
async function disown(file: string, lines: string[]): Promise<void> {
  const handle = await openTheirs(file, constants.O_RDWR)
  if (handle === undefined) return
  try {
    const text = ['2147483646', ...lines.slice(1)].join('\n')
    await handle.truncate(0)
    await handle.write(text, 0)
  } finally {
    await handle.close()
  }
}
