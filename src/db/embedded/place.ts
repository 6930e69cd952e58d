/** The folders, files and account of a home's server. In a home of root's, data and server belong to another user. */
import { constants } from 'node:fs'
import { chmod, lstat, mkdir, open, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { openHome } from '../../home.ts'
import { withFileLock } from '../../numbered-lock.ts'
import { examineWay, isOpenToOthers, strangersOn } from '../../path-trust.ts'
import { DatabaseUnusable } from '../errors.ts'
import { isThere, ownFolder, readTheirs, removeTree, unlessThere, writeOurs } from './careful-files.ts'
import { type Account, run } from './program.ts'

/** Where a home's server lives and as whom it runs. */
export interface Place {
  /** holds the data folder and what may become one; ours */
  folder: string
  data: string
  /** in the home, ours: password, port, log, the path of the data */
  keys: string
  lock: string
  /** where the server's programs are copied to when they cannot run where they are */
  copies: string
  /** owns the data folder and runs the server; undefined: we ourselves */
  user: Account | undefined
}

/** Lies there while `db start` keeps the server up. */
export function keepFile(place: Place): string {
  return join(place.keys, 'keep')
}

/** The port of the last start. */
export function portFile(place: Place): string {
  return join(place.keys, 'port')
}

/** What the server writes. */
export function logFile(place: Place): string {
  return join(place.keys, 'log')
}

/** The last lines of the log, for a message. */
export async function logTail(place: Place): Promise<string> {
  const text = await readFile(logFile(place), 'utf8').catch(() => '')
  const lines = text.trim().split('\n').slice(-5)
  return text === '' ? '' : `\n${lines.join('\n')}`
}

/** @throws DatabaseUnusable when it is gone */
export async function readPassword(place: Place): Promise<string> {
  try {
    return (await readFile(join(place.keys, 'password'), 'utf8')).trim()
  } catch (error) {
    throw new DatabaseUnusable(
      `The password of the embedded database, ${join(place.keys, 'password')}, cannot be read. ` +
        'Restore the file from a backup.',
      { cause: error },
    )
  }
}

/** The folders that hold what belongs to a home's server, for whoever removes a home altogether. */
export async function serverFolders(home: string): Promise<string[]> {
  const { folder, keys } = await placeOf(home)
  return [...new Set([folder, keys])]
}

/** Where the server of a home lives; the folders are made, and of an earlier version's brought into order. */
export async function placeOf(home: string): Promise<Place> {
  const { folder, id } = await openHome({ folder: home, create: false })
  const keys = join(folder, 'postgres')
  const lock = join(keys, 'lock')
  await ownFolder(keys, 0o700)
  if (process.getuid?.() !== 0)
    return { folder: keys, data: join(keys, 'data'), keys, lock, copies: keys, user: undefined }
  const top = await rootsPlace()
  const own = join(top, id)
  await mkdir(own, { mode: 0o700 }).catch(unlessThere)
  const place: Place = { folder: own, data: join(own, 'data'), keys, lock, copies: top, user: await serverAccount() }
  if (!(await isInOrder(own))) await withFileLock(lock, () => takeOver(place))
  return place
}

/** for a home of root's; the second where the first is somebody's home */
const rootsPlaces = ['/var/lib/greetings', '/var/lib/greetings-root']

/** Where the data of root's homes lie: only root may replace anything there, and everybody can pass through. */
async function rootsPlace(): Promise<string> {
  for (const top of rootsPlaces) {
    const isNew = await mkdir(top, { recursive: true, mode: 0o755 })
    if (isNew !== undefined) await chmod(top, 0o755)
    const way = await examineWay(top)
    if (way.owner === 0 && strangersOn(way, 0).length === 0 && !isOpenToOthers(await stat(top))) return top
  }
  throw new DatabaseUnusable(
    `The embedded database of a home of root's needs one of the folders ${rootsPlaces.join(', ')} for ` +
      'root alone, and others may write both. Set DATABASE_URL, or run as an ordinary user.',
  )
}

/** in a home of root's the server runs as the first of these that exists */
const serverAccounts = ['greetings', 'nobody']

async function serverAccount(): Promise<Account> {
  for (const name of serverAccounts) {
    const [uid, gid] = await Promise.all(['-u', '-g'].map((what) => run('id', [what, name], undefined, '/')))
    if (uid?.ok === true && gid?.ok === true) return { uid: Number(uid.output), gid: Number(gid.output) }
  }
  throw new DatabaseUnusable(
    'PostgreSQL does not run as root, and there is no account for it. Run ' +
      '`useradd --system greetings`, or set DATABASE_URL.',
  )
}

/** Mode of a folder that the server's user may pass through, and only root lists and changes. */
export const inOrder = 0o711

/** Root's, and passed through by the server's user on the way to the data. */
async function isInOrder(folder: string): Promise<boolean> {
  const { uid, mode } = await lstat(folder)
  return uid === 0 && (mode & 0o777) === inOrder
}

/**
 * Brings the folder of the data into order: a new one, and one of a former version, which belonged to the server's
 * user and held lock, port and log beside the data. Its mode changes last, so a run that was cut off is repeated.
 */
async function takeOver(place: Place): Promise<void> {
  if (await isInOrder(place.folder)) return
  const folder = await open(place.folder, constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    await folder.chown(0, 0)
    await folder.chmod(0o700)
    const data = await lstat(place.data).catch(() => undefined)
    if (data !== undefined && (!data.isDirectory() || data.uid === 0))
      throw new DatabaseUnusable(
        `${place.data} is not the data folder it was: somebody put something else in its ` +
          'place. Restore it from a backup.',
      )
    const port = (await readTheirs(join(place.folder, 'port')))?.trim() ?? ''
    if (/^\d{1,5}$/.test(port)) await writeOurs(portFile(place), `${port}\n`)
    if (await isThere(join(place.folder, 'keep'))) await writeOurs(keepFile(place), '')
    for (const name of await readdir(place.folder)) {
      if (name !== 'data' && !name.startsWith('data-before-')) await removeTree(join(place.folder, name))
    }
    await folder.chmod(inOrder)
  } finally {
    await folder.close()
  }
}

/** Gives data to the user who runs the server. Nothing but what belongs to `from` is given away. */
export async function giveToServer({ user, folder }: Place, data: string, from: number): Promise<void> {
  if (user === undefined || user.uid === from) return
  // With --from the program opens what it changes and looks again, so a link to somebody else's file gives nothing.
  const only = process.platform === 'linux' ? [`--from=${from}`] : []
  const { ok, output } = await run('chown', ['-R', '-h', ...only, `${user.uid}:${user.gid}`, data], undefined, folder)
  if (!ok)
    throw new DatabaseUnusable(`The data in ${data} cannot be given to the user who runs the server: ${output.trim()}`)
}
