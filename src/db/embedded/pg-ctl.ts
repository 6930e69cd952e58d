/**
 * The server started and stopped by pg_ctl, on the port it had before when that is free. Under the lock of the home.
 */
import { lstat, open, readFile, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { DatabaseUnreachable } from '../errors.ts'
import { type PostgresPrograms, preparePostgres } from '../postgres-binaries.ts'
import { host } from './address.ts'
import { writeOurs } from './careful-files.ts'
import { logFile, type Place, portFile } from './place.ts'
import { run } from './program.ts'
import { serverLimits } from './settings.ts'
import { look, startMs } from './state.ts'

/** Starts the server and waits until it is ready; what it writes goes to its log. */
export async function start(
  place: Place,
  programs: PostgresPrograms,
  keepFreeBytes: number | undefined,
): Promise<{ ok: boolean; output: string }> {
  // The same port as before, so that commands which outlived the server find it again.
  const before = Number(await readFile(portFile(place), 'utf8').catch(() => '0'))
  const port = before > 0 && (await isFree(before)) ? before : await freePort()
  if (port !== before) await writeOurs(portFile(place), `${port}\n`)
  const { blocks, bsize } = await statfs(place.data)
  // Here and not in the data's postgresql.conf, which may be of an earlier version, and knows no disk.
  const options = Object.entries({ port: String(port), ...serverLimits(blocks * bsize, keepFreeBytes) }).map(
    ([name, value]) => `-c ${name}=${value}`,
  )
  // Opened by us, and inherited: the server's user need not be able to reach it.
  const log = await open(logFile(place), 'a', 0o600)
  try {
    if ((await log.stat()).size > 1_000_000) await log.truncate()
    // pg_ctl puts the server into a session of its own: Ctrl-C at our terminal does not reach it.
    return await run(
      programs.pgCtl,
      [
        'start',
        '--silent',
        '--wait',
        `--timeout=${startMs / 1000}`,
        `--pgdata=${place.data}`,
        `--options=${options.join(' ')}`,
      ],
      place.user,
      place.folder,
      log,
    )
  } finally {
    await log.close()
  }
}

/** Stops the server and waits for its end. @throws DatabaseUnreachable when it does not stop */
export async function stop(place: Place): Promise<void> {
  const programs = await preparePostgres({ inPlace: place.user === undefined, copies: place.copies })
  // It may have been started as another user than the next time.
  const user = place.user === undefined ? undefined : await lstat(place.data)
  const { ok, output } = await run(
    programs.pgCtl,
    ['stop', '--wait', '--mode=fast', '--timeout=60', `--pgdata=${place.data}`],
    user,
    place.folder,
  )
  if (!ok && (await look(place)) !== undefined)
    throw new DatabaseUnreachable(`The embedded database does not stop. Look at ${logFile(place)}.\n${output.trim()}`)
}

async function isFree(port: number): Promise<boolean> {
  return (await listen(port)) !== undefined
}

async function freePort(): Promise<number> {
  const port = await listen(0)
  if (port === undefined) throw new DatabaseUnreachable(`No port is free on ${host}.`)
  return port
}

async function listen(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.on('error', () => resolve(undefined))
    server.listen(port, host, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined))
    })
  })
}
