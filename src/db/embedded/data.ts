/**
 * The data folder: made by initdb, given its configuration, replaced by one from a backup. Under the lock of the home.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { lchown, lstat, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { codeOf, DatabaseUnreachable, DatabaseUnusable } from '../errors.ts'
import { postgresMajor, type PostgresPrograms } from '../postgres-binaries.ts'
import { role } from './address.ts'
import { isThere, ownFolder, readTheirs, removeTree, writeOurs } from './careful-files.ts'
import { giveToServer, inOrder, type Place, readPassword } from './place.ts'
import { run } from './program.ts'
import { configure, settings } from './settings.ts'

/** Progress worth a line; pino's logger fits. */
export interface DatabaseLog {
  info(message: string): void
  warn(message: string): void
}

/** Makes the data when there are none and `mayCreate`, and refuses those it cannot use. */
export async function ensureData(
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
          ? `The data of this home's database lie in ${record.trim()}, and are looked for in ${place.data}: they ` +
              'were made by another user, or have been moved. Run as that user, or move them.'
          : `The data of this home's database, ${place.data}, are gone. Restore the folder from a backup, or ` +
              `remove ${place.keys} to begin with an empty database.`,
      )
    }
    log?.info(`Making the embedded database in ${place.data}`)
    await createData(place, programs)
  } else if (version.trim() !== String(postgresMajor)) {
    throw new DatabaseUnusable(
      `The database in ${place.data} was made by PostgreSQL ${version.trim()}, and this program brings ` +
        `${postgresMajor}. With the program's former version run \`greetings export > cache.jsonl\`, move ` +
        'the folder away, and with this one `greetings import cache.jsonl`.',
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
      `The embedded PostgreSQL needs an account for its user, and uid ${process.getuid?.()} ` +
        `has none. Run \`useradd --uid ${process.getuid?.()} greetings\` as root, or set ` +
        'DATABASE_URL to a server of your own.',
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
      `The embedded database cannot be created in ${place.folder}. Is the disk full?\n${output.trim()}`,
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

/** A draft that the initdb of a killed command still writes, or removes, itself is left for a later start. */
export async function removeDrafts(place: Place): Promise<void> {
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

/** Puts `data` and `password` of a draft in the place of the former ones; returns where those are now. */
export async function replaceData(place: Place, draft: string): Promise<string | undefined> {
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
