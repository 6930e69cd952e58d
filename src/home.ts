/**
 * The home: the folder that holds everything an installation keeps on this machine (the embedded
 * database, the sandbox, rendered files). One world per home, whoever starts a command from wherever.
 */
import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { access, chmod, chown, link, mkdir, readFile, stat, unlink, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve, sep } from 'node:path'
import { packageRoot } from './installation.ts'

const folderName = '.greetings'

/** Where the home is, or would be. */
export interface FoundHome {
  /** absolute path */
  folder: string
  /** false: no command has made it yet */
  exists: boolean
}

/** A home that can be used. */
export interface Home {
  /** absolute path */
  folder: string
  /** made once, never changed; names what belongs to this home but has to live elsewhere */
  id: string
}

/** There is no usable home. `folder` is the one that was looked for. Nothing was changed. */
export class HomeUnusable extends Error {
  override name = 'HomeUnusable'
  constructor(
    readonly folder: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/**
 * Finds the home and makes nothing: `explicit` (`GREETINGS_HOME`), else the nearest `.greetings` from
 * `cwd` upwards, else the one beside the installation, so that cron's working directory makes no second
 * world. Where the installation's folder cannot be written by this user, or lies in a `node_modules`
 * that a package manager may empty, `~/.greetings` takes its place.
 */
export async function findHome({ explicit, cwd, installation = packageRoot, userFolder = homedir() }: {
  explicit: string | undefined
  cwd: string
  /** the package's root; other than by default in tests only */
  installation?: string
  userFolder?: string
}): Promise<FoundHome> {
  const folder = explicit === undefined ? ((await nearest(cwd)) ?? (await besideInstallation(installation, userFolder))) : resolve(cwd, explicit)
  return { folder, exists: await isThere(join(folder, 'id')) }
}

async function nearest(from: string): Promise<string | undefined> {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const candidate = join(folder, folderName)
    const found = await stat(candidate).catch(() => undefined)
    if (found?.isDirectory()) return candidate
    if (dirname(folder) === folder) return undefined
  }
}

async function besideInstallation(installation: string, userFolder: string): Promise<string> {
  const beside = join(resolve(installation), folderName)
  if (await isThere(beside)) return beside
  const emptied = beside.split(sep).includes('node_modules')
  const writable = await access(installation, constants.W_OK).then(
    () => true,
    () => false,
  )
  return writable && !emptied ? beside : join(resolve(userFolder), folderName)
}

/**
 * Opens a home. With `create` it is made when missing, readable by its owner only (mode 700).
 * @throws HomeUnusable when it is missing and `create` is not set, belongs to another user, or cannot be made
 */
export async function openHome({ folder, create }: { folder: string; create: boolean }): Promise<Home> {
  const idFile = join(folder, 'id')
  const known = await readId(folder, idFile)
  if (known !== undefined) return { folder, id: known }
  if (!create) throw new HomeUnusable(folder, `There is no home at ${folder} yet. \`greetings warm\`, \`up\` or \`demo\` makes one; GREETINGS_HOME points to one that lies elsewhere.`)
  try {
    await makeFolder(folder)
    await writeOnce(idFile, `${randomUUID()}\n`)
  } catch (error) {
    throw new HomeUnusable(folder, `The home ${folder} cannot be made (${codeOf(error)}). Set GREETINGS_HOME to a folder this user can write.`, { cause: error })
  }
  const id = await readId(folder, idFile)
  if (id === undefined) throw new HomeUnusable(folder, `The home ${folder} went away while it was being made.`)
  return { folder, id }
}

async function readId(folder: string, idFile: string): Promise<string | undefined> {
  const owner = await stat(folder).catch(() => undefined)
  const me = process.getuid?.() ?? 0
  // A folder somebody else planted in a place all can write (/tmp) must not become our home.
  if (owner !== undefined && me !== 0 && owner.uid !== me) {
    throw new HomeUnusable(folder, `The home ${folder} belongs to another user (uid ${owner.uid}). Run as that user, or set GREETINGS_HOME to a folder of your own.`)
  }
  let text: string
  try {
    text = await readFile(idFile, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined
    throw new HomeUnusable(folder, `The home ${folder} cannot be read (${codeOf(error)}).`, { cause: error })
  }
  const id = text.trim()
  if (!/^[0-9a-f-]{36}$/.test(id)) throw new HomeUnusable(folder, `The file ${idFile} does not hold a home's id. Restore it from a backup, or set GREETINGS_HOME to a new folder.`)
  return id
}

async function makeFolder(folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true, mode: 0o700 })
  // The umask may have taken bits away. A folder the operator made keeps its mode.
  if (made !== undefined) await chmod(folder, 0o700)
}

/** Writes a file all at once unless it is there: of several processes one wins, none reads half. */
async function writeOnce(file: string, text: string): Promise<void> {
  const draft = `${file}.${process.pid}-${randomUUID()}`
  await writeFile(draft, text, { mode: 0o600, flag: 'wx' })
  try {
    await giveToOwner(draft, dirname(file))
    await link(draft, file)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  } finally {
    await unlink(draft)
  }
}

/** What root puts into another user's home belongs to that user, who could not open it otherwise. */
async function giveToOwner(path: string, folder: string): Promise<void> {
  if (process.getuid?.() !== 0) return
  const { uid, gid } = await stat(folder)
  if (uid !== 0) await chown(path, uid, gid)
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}
