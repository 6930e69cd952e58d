/**
 * The home: the folder that holds everything an installation keeps on this machine (the embedded
 * database, the sandbox, rendered files). One world per home, whoever starts a command from wherever.
 */
import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { access, chmod, link, lstat, mkdir, readFile, stat, unlink, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve, sep } from 'node:path'
import { packageRoot } from './installation.ts'
import { examineWay, isOpenToOthers, strangersOn } from './path-trust.ts'

const folderName = '.greetings'
/** what we make in it; `recordings` may be somebody else's on purpose */
const ourFolders = ['postgres', 'sandbox', 'renders', 'cache']

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
  readonly exitCode = 2
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
 * @throws HomeUnusable for one that nobody named and that belongs to another user
 */
export async function findHome({
  explicit,
  cwd,
  installation = packageRoot,
  userFolder = homedir(),
}: {
  explicit: string | undefined
  cwd: string
  /** the package's root; other than by default in tests only */
  installation?: string
  userFolder?: string
}): Promise<FoundHome> {
  const folder =
    explicit === undefined
      ? ((await nearest(cwd)) ?? (await besideInstallation(installation, userFolder)))
      : resolve(cwd, explicit)
  if (explicit === undefined) {
    const owner = await strangerWhoOwns(folder)
    // Whoever can make a folder above the place where somebody works would have them work in it.
    if (owner !== undefined)
      throw new HomeUnusable(
        folder,
        `The home ${folder} belongs to another user (uid ${owner}), and GREETINGS_HOME does not name ` +
          'it. Run as that user, or set GREETINGS_HOME: to a folder of your own, or, as root, to this ' +
          'one to work in it as its owner.',
      )
  }
  return { folder, exists: await isThere(join(folder, 'id')) }
}

/** The uid of another user who owns the folder, or the link that stands for it. */
async function strangerWhoOwns(folder: string): Promise<number | undefined> {
  const me = process.getuid?.()
  if (me === undefined) return undefined
  const [named, meant] = await Promise.all([lstat(folder).catch(() => undefined), stat(folder).catch(() => undefined)])
  if (meant !== undefined && meant.uid !== me) return meant.uid
  return named !== undefined && named.uid !== me && named.uid !== 0 ? named.uid : undefined
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
  const writable =
    process.getuid?.() === 0
      ? await isRootsAlone(beside)
      : await access(installation, constants.W_OK).then(
          () => true,
          () => false,
        )
  return writable && !emptied ? beside : join(resolve(userFolder), folderName)
}

/** Whether only root can decide what the path leads to. */
async function isRootsAlone(path: string): Promise<boolean> {
  const way = await examineWay(path).catch(() => undefined)
  return way !== undefined && way.owner === 0 && strangersOn(way, 0).length === 0
}

/**
 * Opens a home. With `create` it is made when missing, readable by its owner only (mode 700).
 * @throws HomeUnusable when it is missing and `create` is not set, belongs to another user, can be written by
 * others, or cannot be made
 */
export async function openHome({ folder, create }: { folder: string; create: boolean }): Promise<Home> {
  const idFile = join(folder, 'id')
  await checkOwner(folder)
  const known = await readId(folder, idFile)
  if (known !== undefined) return { folder, id: known }
  if (!create)
    throw new HomeUnusable(
      folder,
      `There is no home at ${folder} yet. \`greetings warm\`, \`up\` or \`demo\` creates one; if it is ` +
        'elsewhere, set GREETINGS_HOME.',
    )
  try {
    await makeFolder(folder)
    // Somebody may have been quicker.
    await checkOwner(folder)
    await writeOnce(idFile, `${randomUUID()}\n`)
  } catch (error) {
    if (error instanceof HomeUnusable) throw error
    throw new HomeUnusable(
      folder,
      `The home ${folder} cannot be created (${codeOf(error)}). Set GREETINGS_HOME to a folder this user can write.`,
      { cause: error },
    )
  }
  const id = await readId(folder, idFile)
  if (id === undefined) throw new HomeUnusable(folder, `The home ${folder} went away while it was being made.`)
  return { folder, id }
}

/**
 * Nobody else may decide what is found in our home: a folder planted in a place all can write (/tmp) is not ours,
 * and in one that others may write any name could be a link to somewhere else. `actAsHomeOwner` comes before this:
 * root is never here in the home of another user.
 */
async function checkOwner(folder: string): Promise<void> {
  const me = process.getuid?.()
  if (me === undefined) return
  const owner = await strangerWhoOwns(folder)
  if (owner !== undefined)
    throw new HomeUnusable(
      folder,
      `The home ${folder} belongs to another user (uid ${owner}). Run as that user, or set ` +
        'GREETINGS_HOME to a folder of your own.',
    )
  if (me === 0) await checkWay(folder)
  const found = await stat(folder).catch(() => undefined)
  if (found === undefined) return
  if (isOpenToOthers(found))
    throw new HomeUnusable(
      folder,
      `Users other than its owner can write to the home ${folder}. Run \`chmod go-w ${folder}\`, or set ` +
        'GREETINGS_HOME to another folder.',
    )
  for (const name of ourFolders) {
    const path = join(folder, name)
    const stranger = await strangerWhoOwns(path)
    if (stranger === undefined) continue
    const isLink = (await lstat(path)).isSymbolicLink()
    throw new HomeUnusable(
      folder,
      isLink
        ? `${path} is a link of, or to a folder of, another user (uid ${stranger}), and is not followed. Remove it.`
        : `${path} belongs to another user (uid ${stranger}), as an earlier version left it that root ran. Run ` +
            `\`chown -hR ${me} ${path}\` as root.`,
    )
  }
}

/** Every folder and link on root's way is root's own. @throws HomeUnusable */
async function checkWay(folder: string): Promise<void> {
  const way = await examineHomesWay(folder)
  const [stranger] = strangersOn(way, 0)
  if (stranger !== undefined) throw strangerOnTheWay(folder, stranger)
  if (way.owner !== 0)
    throw new HomeUnusable(
      folder,
      `The home ${folder} would be inside a folder of another user (uid ${way.owner}). Set GREETINGS_HOME ` +
        'to it to work there as that user, or to a folder of your own.',
    )
}

/** `examineWay` of a home. @throws HomeUnusable when it cannot be followed */
export async function examineHomesWay(folder: string) {
  return examineWay(folder).catch((error: unknown) => {
    throw new HomeUnusable(folder, `The home ${folder} cannot be reached (${codeOf(error)}).`, { cause: error })
  })
}

/** Root does not go where somebody else leads. */
export function strangerOnTheWay(
  folder: string,
  { path, uid }: { path: string; uid: number | 'anyone' },
): HomeUnusable {
  return new HomeUnusable(
    folder,
    `The way to the home ${folder} leads through ${path}, ` +
      (uid === 'anyone' ? 'to which users other than root can write' : `which belongs to another user (uid ${uid})`) +
      ': they could lead root anywhere. Set GREETINGS_HOME to a folder that only root can ' +
      'replace, such as /root/.greetings.',
  )
}

async function readId(folder: string, idFile: string): Promise<string | undefined> {
  let text: string
  try {
    text = await readFile(idFile, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined
    throw new HomeUnusable(folder, `The home ${folder} cannot be read (${codeOf(error)}).`, { cause: error })
  }
  const id = text.trim()
  if (!/^[0-9a-f-]{36}$/.test(id))
    throw new HomeUnusable(
      folder,
      `The file ${idFile} does not hold a home's id. Restore it from a backup, or set GREETINGS_HOME to a new folder.`,
    )
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
    await link(draft, file)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  } finally {
    await unlink(draft)
  }
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
