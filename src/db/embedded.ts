/**
 * The embedded PostgreSQL server of a home, shared by all commands of that home.
 *
 * Its life: the first command starts it, the last one stops it. A command is a *member* through a
 * database connection of its own whose `application_name` says so; a command that is killed leaves by
 * that alone. Making the data folder, starting, joining, leaving and stopping happen under one lock of
 * the home, so a newcomer during a stop waits and starts the server again. When the last member is
 * killed, nobody is left to stop the server: a guardian, a small process that lives as long as the server
 * does (`guardian.ts`), sees within seconds that there are no members and stops it.
 *
 * A member that loses the server (it crashed, somebody killed it) starts it again, on the same port when
 * that is still free.
 *
 * As root: PostgreSQL refuses to run as root. In a home of root's it runs as the account `greetings`, or, where
 * there is none, `nobody`. That user cannot reach a home or a `node_modules` below a folder of mode 700 (`/root`),
 * so the programs and the data lie in `/var/lib/greetings` then, the data under the home's id. Of all that only the
 * data folder itself is that user's; in it root follows no link and removes nothing with its own rights. In a
 * container, keep both folders on volumes, or run as an ordinary user. (Root in the home of another user has become
 * that user before it comes here.)
 */
import { spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import {
  chmod,
  lchown,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  statfs,
  unlink,
  writeFile,
  type FileHandle,
} from 'node:fs/promises'
import { createServer } from 'node:net'
import { userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { childEnvironment } from '../child-environment.ts'
import { reserveOf } from '../disk.ts'
import { openHome } from '../home.ts'
import { builtScript } from '../installation.ts'
import { examineWay, isOpenToOthers, strangersOn } from '../path-trust.ts'
import { connectClient } from './connect.ts'
import { codeOf, DatabaseUnreachable, DatabaseUnusable, isDatabaseDown } from './errors.ts'
import { withFileLock } from '../numbered-lock.ts'
import { startOf } from '../process-start.ts'
import { postgresMajor, preparePostgres, type PostgresPrograms } from './postgres-binaries.ts'

const host = '127.0.0.1'
const role = 'greetings'
const memberPrefix = 'greetings member '
const guardianName = 'greetings guardian'
/** between two looks of the guardian at the members */
const guardMs = 10_000
/** between two looks of a member at the guardian */
const guardianCheckMs = 20_000
/** for a home of root's; the second where the first is somebody's home */
const rootsPlaces = ['/var/lib/greetings', '/var/lib/greetings-root']
/** in a home of root's the server runs as the first of these that exists */
const serverAccounts = ['greetings', 'nobody']
/** crash recovery after a power cut reads the log anew; it may take a while */
const startMs = 120_000

/** Progress worth a line; pino's logger fits. */
export interface DatabaseLog {
  info(message: string): void
  warn(message: string): void
}

/** What a command that may have to start the server brings along. */
export interface StartOptions {
  log?: DatabaseLog | undefined
  /** what has to stay free on the disk of the data; the default of that disk when left out */
  keepFreeBytes?: number | undefined
}

/** A command's part in the server. */
export interface Membership {
  /** the address of one of the server's databases, password included */
  url(database: string): string
  /** Leaves; the last one to leave stops the server. Never throws. */
  close(): Promise<void>
}

/** Where a home's server lives and as whom it runs. */
interface Place {
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

interface Account {
  uid: number
  gid: number
}

/**
 * Joins the server of a home, starting and even making it when needed. The home must exist.
 * @throws DatabaseUnreachable when the server does not start
 * @throws DatabaseUnusable when its data cannot be used by this program, or are gone
 */
export async function joinServer(home: string, command: string, options: StartOptions = {}): Promise<Membership> {
  const { log } = options
  const place = await placeOf(home)
  let password = ''
  let port = 0
  let client: pg.Client | undefined
  let leaving = false
  const guardianCheck = setInterval(
    () => void ensureGuardian(place, client).catch(() => undefined),
    guardianCheckMs,
  ).unref()

  async function join(mayCreate: boolean): Promise<void> {
    await withFileLock(place.lock, async () => {
      if (leaving) return
      ;({ port, password } = await ensureRunning(place, mayCreate, options))
      const joined = await connectAs(memberName(command), port, password)
      client = joined
      joined.on('error', () => undefined)
      joined.on('end', () => {
        client = undefined
        if (!leaving) void rejoin()
      })
    })
  }

  async function rejoin(): Promise<void> {
    log?.warn('The embedded database is gone; starting it again.')
    for (let waitMs = 100; !leaving; waitMs = Math.min(waitMs * 2, 5_000)) {
      try {
        await join(false)
        return
      } catch (error) {
        log?.warn(`The embedded database does not start: ${error instanceof Error ? error.message : String(error)}`)
        // Nothing to go back to: the data cannot be used, or the whole home was removed.
        if (error instanceof DatabaseUnusable || !(await isThere(place.folder))) return
        await sleep(waitMs)
      }
    }
  }

  async function leave(): Promise<void> {
    if (leaving) return
    leaving = true
    clearInterval(guardianCheck)
    await withFileLock(place.lock, async () => {
      const left = client
      if (left === undefined) return
      // The server may list a closed connection for a moment; this takes it off the members at once.
      await left.query(`SET application_name = 'greetings left'`)
      const others = await membersOf(left)
      await left.end()
      if (others.length === 0 && !(await isThere(keepFile(place)))) await stop(place)
    })
  }

  try {
    await join(true)
  } catch (error) {
    clearInterval(guardianCheck)
    throw error
  }
  return {
    url: (database) => urlOf(port, password, database),
    close: async () => {
      try {
        await leave()
      } catch (error) {
        log?.warn(
          `The embedded database was left without being stopped: ${error instanceof Error ? error.message : String(error)}`,
        )
        await client?.end().catch(() => undefined)
      }
    },
  }
}

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

/** Starts a guardian, unless the server is seen to have one. */
async function ensureGuardian(place: Place, member?: pg.Client): Promise<void> {
  if (
    member !== undefined &&
    (await member.query('SELECT 1 FROM pg_stat_activity WHERE application_name = $1', [guardianName])).rows.length > 0
  )
    return
  const child = spawn(process.execPath, [builtScript('db/guardian'), dirname(place.keys), String(process.pid)], {
    stdio: 'ignore',
    detached: true,
    windowsHide: true,
    cwd: '/',
    ...bareEnvironment(undefined),
  })
  child.on('error', () => undefined)
  child.unref()
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

async function replaceData(place: Place, draft: string): Promise<string | undefined> {
  const former = join(place.folder, `data-before-${new Date().toISOString().replaceAll(/[-:]|\..*/g, '')}`)
  const password = await readFile(join(draft, 'password'), 'utf8')
  await configure(join(draft, 'data'))
  await giveToServer(place, join(draft, 'data'), 0)
  const hadData = await isThere(place.data)
  if (hadData) {
    await rename(place.data, former)
    await writeOurs(`${former}.password`, await readFile(join(place.keys, 'password'), 'utf8').catch(() => ''))
  }
  await writeOurs(join(place.keys, 'password'), password)
  await rename(join(draft, 'data'), place.data)
  await writeOurs(join(place.keys, 'data-folder'), `${place.data}\n`)
  return hadData ? former : undefined
}

/** The address of the running server's database, password included; undefined: it is not running. */
export async function serverUrl(home: string, database: string): Promise<string | undefined> {
  const place = await placeOf(home)
  const seen = await look(place)
  return typeof seen === 'number' ? urlOf(seen, await readPassword(place), database) : undefined
}

/** The folders that hold what belongs to a home's server, for whoever removes a home altogether. */
export async function serverFolders(home: string): Promise<string[]> {
  const { folder, keys } = await placeOf(home)
  return [...new Set([folder, keys])]
}

function urlOf(port: number, password: string, database: string): string {
  return `postgresql://${role}:${password}@${host}:${port}/${database}`
}

function keepFile(place: Place): string {
  return join(place.keys, 'keep')
}

async function placeOf(home: string): Promise<Place> {
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

/** A folder that only we may write; made when missing. */
async function ownFolder(folder: string, mode: number): Promise<void> {
  const isNew = await mkdir(folder, { mode }).then(() => true, unlessThere)
  // The umask may have taken bits away.
  if (isNew === true) await chmod(folder, mode)
  const found = await stat(folder)
  if (!found.isDirectory() || isOpenToOthers(found))
    throw new DatabaseUnusable(
      `${folder} must be a folder that nobody else may write. Run \`chmod go-w ${folder}\`, or restore it from a backup.`,
    )
}

function unlessThere(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return undefined
  throw error
}

/** Where the data of root's homes lie: only root may replace anything there, and everybody can pass through. */
async function rootsPlace(): Promise<string> {
  for (const top of rootsPlaces) {
    const isNew = await mkdir(top, { recursive: true, mode: 0o755 })
    if (isNew !== undefined) await chmod(top, 0o755)
    const way = await examineWay(top)
    if (way.owner === 0 && strangersOn(way, 0).length === 0 && !isOpenToOthers(await stat(top))) return top
  }
  throw new DatabaseUnusable(
    `The embedded database of a home of root's needs one of the folders ${rootsPlaces.join(', ')} for root alone, and others may write both. Set DATABASE_URL, or run as an ordinary user.`,
  )
}

async function serverAccount(): Promise<Account> {
  for (const name of serverAccounts) {
    const [uid, gid] = await Promise.all(['-u', '-g'].map((what) => run('id', [what, name], undefined, '/')))
    if (uid?.ok === true && gid?.ok === true) return { uid: Number(uid.output), gid: Number(gid.output) }
  }
  throw new DatabaseUnusable(
    'PostgreSQL does not run as root, and there is no account for it. Run `useradd --system greetings`, or set DATABASE_URL.',
  )
}

const inOrder = 0o711

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
        `${place.data} is not the data folder it was: somebody put something else in its place. Restore it from a backup.`,
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
async function giveToServer({ user, folder }: Place, data: string, from: number): Promise<void> {
  if (user === undefined || user.uid === from) return
  // With --from the program opens what it changes and looks again, so a link to somebody else's file gives nothing.
  const only = process.platform === 'linux' ? [`--from=${from}`] : []
  const { ok, output } = await run('chown', ['-R', '-h', ...only, `${user.uid}:${user.gid}`, data], undefined, folder)
  if (!ok)
    throw new DatabaseUnusable(`The data in ${data} cannot be given to the user who runs the server: ${output.trim()}`)
}

/**
 * Removes a folder in which the server's user may be putting links while we look: what is theirs is removed with
 * their rights.
 */
async function removeTree(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  if (found === undefined) return
  if (!found.isDirectory()) return unlink(path)
  if (found.uid === (process.getuid?.() ?? found.uid))
    for (const name of await readdir(path)) await removeTree(join(path, name))
  else await run('find', ['.', '-mindepth', '1', '-delete'], found, path)
  await rmdir(path)
}

/** Reads a small file that the server's user may have replaced: neither a link nor a pipe is opened. */
async function readTheirs(file: string): Promise<string | undefined> {
  const handle = await openTheirs(file, constants.O_RDONLY)
  if (handle === undefined) return undefined
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4_096), 0, 4_096, 0)
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await handle.close()
  }
}

/** An ordinary file that is known by this name alone; undefined: there is none. */
async function openTheirs(file: string, flags: number): Promise<FileHandle | undefined> {
  // Windows has neither flag.
  const careful = process.platform === 'win32' ? 0 : constants.O_NOFOLLOW | constants.O_NONBLOCK
  const handle = await open(file, flags | careful).catch(() => undefined)
  if (handle === undefined) return undefined
  const found = await handle.stat()
  if (found.isFile() && found.nlink === 1) return handle
  await handle.close()
  return undefined
}

/** Writes a whole file of the home that only we can read. */
async function writeOurs(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomUUID()}`
  await writeFile(draft, text, { mode: 0o600, flag: 'wx' })
  await rename(draft, file)
}

async function readPassword(place: Place): Promise<string> {
  try {
    return (await readFile(join(place.keys, 'password'), 'utf8')).trim()
  } catch (error) {
    throw new DatabaseUnusable(
      `The password of the embedded database, ${join(place.keys, 'password')}, cannot be read. Restore the file from a backup.`,
      { cause: error },
    )
  }
}

// What is known about the server from the file it keeps in its data folder.

/** The port: it runs. 'busy': it starts or stops. undefined: it does not run. */
async function look(place: Place): Promise<number | 'busy' | undefined> {
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
async function settled(place: Place): Promise<number | undefined> {
  for (const deadline = Date.now() + startMs; ; await sleep(25)) {
    const seen = await look(place)
    if (seen !== 'busy') return seen
    if (Date.now() > deadline)
      throw new DatabaseUnreachable(
        `The embedded database has been starting or stopping for ${startMs / 1000} s. Look at ${logFile(place)}.${await logTail(place)}`,
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

// Making, starting, stopping. All of it under the lock.

async function ensureRunning(
  place: Place,
  mayCreate: boolean,
  options: StartOptions,
): Promise<{ port: number; password: string }> {
  for (let attempt = 1; ; attempt++) {
    const seen = await settled(place)
    if (seen !== undefined) return { port: seen, password: await readPassword(place) }
    // A server that was killed leaves its children behind for a moment, and they hold the shared memory.
    if (attempt > 1) await sleep(200 * attempt)
    await removeDrafts(place)
    const programs = await preparePostgres({ inPlace: place.user === undefined, copies: place.copies })
    await ensureData(place, programs, mayCreate, options.log)
    // Before the server, so that there is no moment in which a kill of this process leaves it to nobody.
    await ensureGuardian(place)
    const { ok, output } = await start(place, programs, options.keepFreeBytes)
    if (!ok && attempt >= 5) {
      throw new DatabaseUnreachable(
        `The embedded database does not start. Look at ${logFile(place)}; \`greetings doctor\` checks the rest.\n${output.trim()}${await logTail(place)}`,
      )
    }
  }
}

async function ensureData(
  place: Place,
  programs: PostgresPrograms,
  mayCreate: boolean,
  log: DatabaseLog | undefined,
): Promise<void> {
  const recordFile = join(place.keys, 'data-folder')
  const version = await readTheirs(join(place.data, 'PG_VERSION'))
  const record = await readFile(recordFile, 'utf8').catch(() => undefined)
  if (version === undefined) {
    if (record !== undefined || !mayCreate) {
      throw new DatabaseUnusable(
        record !== undefined && record.trim() !== place.data
          ? `The data of this home's database lie in ${record.trim()}, and are looked for in ${place.data}: they were made by another user, or have been moved. Run as that user, or move them.`
          : `The data of this home's database, ${place.data}, are gone. Restore the folder from a backup, or remove ${place.keys} to begin with an empty database.`,
      )
    }
    log?.info(`Making the embedded database in ${place.data}`)
    await createData(place, programs)
  } else if (version.trim() !== String(postgresMajor)) {
    throw new DatabaseUnusable(
      `The database in ${place.data} was made by PostgreSQL ${version.trim()}, and this program brings ${postgresMajor}. With the program's former version run \`greetings export > cache.jsonl\`, move the folder away, and with this one \`greetings import cache.jsonl\`.`,
    )
  }
  if (record === undefined) await writeOurs(recordFile, `${place.data}\n`)
  // Made before there was an account of our own.
  await giveToServer(place, place.data, (await lstat(place.data)).uid)
}

/** Under another name until it is complete: a killed initdb leaves nothing that could be taken for data. */
async function createData(place: Place, programs: PostgresPrograms): Promise<void> {
  const passwordFile = join(place.keys, 'password')
  if (!(await isThere(passwordFile))) await writeOurs(passwordFile, `${randomBytes(24).toString('hex')}\n`)
  // initdb looks up its user's name.
  if (place.user === undefined && !hasAccount())
    throw new DatabaseUnusable(
      `The embedded PostgreSQL needs an account for its user, and uid ${process.getuid?.()} has none. Run \`useradd --uid ${process.getuid?.()} greetings\` as root, or set DATABASE_URL to a server of your own.`,
    )
  const draft = join(place.folder, `new-${randomUUID()}`)
  const data = join(draft, 'data')
  const copy = join(draft, 'password')
  await ownFolder(draft, inOrder)
  await mkdir(data, { mode: 0o700 })
  await writeFile(copy, await readPassword(place), { mode: 0o600, flag: 'wx' })
  if (place.user !== undefined) for (const path of [data, copy]) await lchown(path, place.user.uid, place.user.gid)
  const { ok, output } = await run(
    programs.initdb,
    [
      `--pgdata=${data}`,
      `--username=${role}`,
      '--auth=scram-sha-256',
      `--pwfile=${copy}`,
      '--encoding=UTF8',
      // Sorts and folds case the same on every machine, whatever locales it has.
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-instructions',
      ...Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]),
    ],
    place.user,
    place.folder,
  )
  if (!ok)
    throw new DatabaseUnreachable(
      `The embedded database cannot be made in ${place.folder}. Is the disk full?\n${output.trim()}`,
    )
  await rename(data, place.data)
  await removeTree(draft)
}

function hasAccount(): boolean {
  try {
    return userInfo().username !== ''
  } catch {
    return false
  }
}

/** What the data folder's postgresql.conf says. The port is given at each start. */
const settings = {
  listen_addresses: host,
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '128MB',
  // Commands that were stopped in the middle of a transaction must not hold rows for ever.
  idle_in_transaction_session_timeout: '60s',
  timezone: 'UTC',
  log_timezone: 'UTC',
  jit: 'off',
  log_checkpoints: 'off',
  // Errors of statements carry names in their text: they belong to the caller, not into a log.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
}

/**
 * Gives data from elsewhere our configuration, so that the server does what we say and not what they say: settings
 * name programs to run and addresses to listen at, `pg_hba.conf` who comes in.
 */
async function configure(data: string): Promise<void> {
  const files = {
    'postgresql.conf': Object.entries(settings)
      .map(([name, value]) => `${name} = '${value}'\n`)
      .join(''),
    'postgresql.auto.conf': '',
    'pg_hba.conf': `host all all ${host}/32 scram-sha-256\n`,
    'pg_ident.conf': '',
  }
  for (const [name, text] of Object.entries(files)) await writeFile(join(data, name), text, { mode: 0o600 })
  // How and where another server was running.
  for (const name of ['postmaster.opts', 'postmaster.pid']) await rm(join(data, name), { force: true })
}

/** A draft that the initdb of a killed command still writes, or removes, itself is left for a later start. */
async function removeDrafts(place: Place): Promise<void> {
  for (const name of await readdir(place.folder)) {
    // `new-postgresql-…` are copies of the programs, see there.
    if (!name.startsWith('new-') || name.startsWith('new-postgresql-')) continue
    try {
      await removeTree(join(place.folder, name))
    } catch (error) {
      if (!['ENOTEMPTY', 'ENOENT'].includes(codeOf(error) ?? '')) throw error
    }
  }
}

/**
 * What the server may write beyond its tables: half of what stays free on its disk, so that it can always write, end and
 * start again. A third of that is for the log of changes, which may overshoot by a file of 16 MB; the rest for what
 * queries put down for a while. Without a reserve it is measured by the default one.
 */
export function serverLimits(totalBytes: number, keepFreeBytes: number | undefined): Record<string, string> {
  const half = Math.floor(reserveOf(totalBytes, keepFreeBytes === 0 ? undefined : keepFreeBytes) / 2 / 1_048_576)
  // PostgreSQL takes two files of 16 MB for the log at least; its default is 1 GB.
  const log = Math.min(1_024, Math.max(32, Math.floor(half / 3 / 16) * 16))
  return {
    max_wal_size: `${log}MB`,
    min_wal_size: '32MB',
    temp_file_limit: `${Math.max(16, half - log - 16)}MB`,
    checkpoint_warning: '0',
  }
}

async function start(
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

async function stop(place: Place): Promise<void> {
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

function portFile(place: Place): string {
  return join(place.keys, 'port')
}

function logFile(place: Place): string {
  return join(place.keys, 'log')
}

async function logTail(place: Place): Promise<string> {
  const text = await readFile(logFile(place), 'utf8').catch(() => '')
  const lines = text.trim().split('\n').slice(-5)
  return text === '' ? '' : `\n${lines.join('\n')}`
}

/** Nothing of our environment may steer the server (PGDATA, PGPORT, PGOPTIONS …), nor live on in it; Windows needs its own. */
function bareEnvironment(user: Account | undefined): { env: NodeJS.ProcessEnv } {
  return {
    env:
      process.platform === 'win32'
        ? childEnvironment()
        : { LC_ALL: 'C', PATH: '/usr/bin:/bin', ...(user === undefined ? {} : { USER: role }) },
  }
}

/**
 * Runs a program to its end, in a process group of its own: a signal at the terminal does not cut it short. What it
 * writes, and what it leaves running does, goes to `log` where there is one.
 */
async function run(
  program: string,
  args: string[],
  user: Account | undefined,
  cwd: string,
  log?: FileHandle,
): Promise<{ ok: boolean; output: string }> {
  return new Promise((resolve) => {
    const to = log?.fd ?? 'pipe'
    const as = user === undefined ? {} : { uid: user.uid, gid: user.gid }
    const child = spawn(program, args, {
      stdio: ['ignore', to, to],
      detached: true,
      windowsHide: true,
      cwd,
      ...as,
      ...bareEnvironment(user),
    })
    let output = ''
    child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.on('error', (error) => resolve({ ok: false, output: error.message }))
    child.on('close', (code) => resolve({ ok: code === 0, output }))
  })
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

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}

// Members.

/** What PostgreSQL shows of a member's connection; it cuts this at 63 bytes. */
function memberName(command: string): string {
  return `${memberPrefix}${process.pid} ${command}`.replace(/[^\x20-\x7e]/g, '?').slice(0, 63)
}

async function connectAs(name: string, port: number, password: string): Promise<pg.Client> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await connectClient({
        host,
        port,
        user: role,
        password,
        database: 'postgres',
        application_name: name,
        connectionTimeoutMillis: 10_000,
      })
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === '28P01') {
        throw new DatabaseUnusable(
          "The embedded database refuses the password that is kept in the home. Restore the home's `postgres/password` from a backup.",
          { cause: error },
        )
      }
      if (attempt >= 20 || !isDatabaseDown(error))
        throw new DatabaseUnreachable(`The embedded database runs on port ${port} and does not answer.`, {
          cause: error,
        })
      await sleep(100)
    }
  }
}

/** The other members that are alive: `up (pid 4711)`. */
async function membersOf(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ application_name: string }>(
    `SELECT application_name FROM pg_stat_activity WHERE starts_with(application_name, $1) AND pid <> pg_backend_pid()`,
    [memberPrefix],
  )
  const members: string[] = []
  for (const { application_name } of rows) {
    const [pid = '', ...command] = application_name.slice(memberPrefix.length).split(' ')
    // The server notices a killed command a moment later than the system does.
    if ((await startOf(Number(pid))) !== '') members.push(`${command.join(' ')} (pid ${pid})`)
  }
  return members
}
