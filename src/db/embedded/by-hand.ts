/** The server started, stopped and taken out of use by hand, rather than by the commands that use it. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { withFileLock } from '../../numbered-lock.ts'
import { isThere, removeTree, writeOurs } from './careful-files.ts'
import { replaceData } from './data.ts'
import { connectAs, memberName, membersOf } from './members.ts'
import { stop } from './pg-ctl.ts'
import { keepFile, placeOf, readPassword } from './place.ts'
import { ensureRunning, type StartOptions } from './running.ts'
import { settled } from './state.ts'

/** Starts the server and keeps it up, with or without members, until `stopServer`. */
export async function startServer(home: string, options: StartOptions = {}): Promise<void> {
  const place = await placeOf(home)
  await withFileLock(place.lock, async () => {
    await ensureRunning(place, true, options)
    await writeOurs(keepFile(place), '')
  })
}

/**
 * Stops the server, unless commands use it: they are named then (`up (pid 4711)`), and the last of them
 * will stop it.
 */
export async function stopServer(
  home: string,
): Promise<{ outcome: 'stopped' | 'not running' } | { outcome: 'in use'; members: string[] }> {
  const place = await placeOf(home)
  return withFileLock(place.lock, async () => {
    await rm(keepFile(place), { force: true })
    const seen = await settled(place)
    if (seen === undefined) return { outcome: 'not running' }
    const client = await connectAs(memberName('db stop'), seen, await readPassword(place))
    const members = await membersOf(client).finally(() => client.end())
    if (members.length > 0) return { outcome: 'in use', members }
    await stop(place)
    return { outcome: 'stopped' }
  })
}

/** The files of a server that does not run, for whoever copies them. */
export interface StoppedServer {
  /** holds the folder `data`; what is called `new-…` in it is removed at the next start */
  folder: string
  /** holds the file `password`, which belongs to the data */
  keys: string
  /** false: there are no data yet */
  exists: boolean
  /**
   * Puts `data` and `password` from the folder `draft` in the place of the former ones, which stay beside;
   * returns where, or undefined when there were none.
   */
  replace(draft: string): Promise<string | undefined>
  /** Removes a draft that was not taken, or what is left of it. */
  discard(draft: string): Promise<void>
}

/**
 * Stops the server, unless commands use it, and does `work` before it can start again. One that `db start` keeps
 * up is started again afterwards.
 */
export async function whileStopped<T>(
  home: string,
  work: (server: StoppedServer) => Promise<T>,
  options: StartOptions = {},
): Promise<{ outcome: 'in use'; members: string[] } | { outcome: 'done'; result: T }> {
  const place = await placeOf(home)
  return withFileLock(place.lock, async () => {
    const seen = await settled(place)
    if (seen !== undefined) {
      const client = await connectAs(memberName('db backup'), seen, await readPassword(place))
      const members = await membersOf(client).finally(() => client.end())
      if (members.length > 0) return { outcome: 'in use', members }
      await stop(place)
    }
    try {
      const exists = await isThere(join(place.data, 'PG_VERSION'))
      return {
        outcome: 'done',
        result: await work({
          folder: place.folder,
          keys: place.keys,
          exists,
          replace: (draft) => replaceData(place, draft),
          discard: removeTree,
        }),
      }
    } finally {
      if (await isThere(keepFile(place))) await ensureRunning(place, false, options)
    }
  })
}
