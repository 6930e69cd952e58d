/** `.env` files. They name programs that are run, so one that somebody else could have written is not read. */
import { open, realpath, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { completeEnvironment, namedHome } from './config.ts'
import { findHome } from './home.ts'

/** The file is not read. The message names it and the remedy. */
export class EnvFileUnusable extends Error {
  override name = 'EnvFileUnusable'
  readonly exitCode = 2
}

const remedy = 'or name another file with --env-file'

/**
 * What a file says; undefined: there is none. It and its folder have to belong to `uid` or root, and nobody else may
 * write them. Where a link leads is judged likewise. `uid` undefined: the system knows no owners.
 * @throws EnvFileUnusable
 */
export async function readEnvFile(path: string, uid: number | undefined): Promise<Record<string, string> | undefined> {
  try {
    const real = await realpath(path)
    const file = await open(real)
    try {
      const found = await file.stat()
      if (!found.isFile()) throw new EnvFileUnusable(`${path} is no file: remove it, ${remedy}.`)
      if (uid !== undefined) {
        for (const folder of new Set([dirname(path), dirname(real)])) judge(folder, await stat(folder), uid, path)
        judge(path, found, uid, path)
      }
      return parseEnv(await file.readFile('utf8')) as Record<string, string>
    } finally {
      await file.close()
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw new EnvFileUnusable(`${path} cannot be read (${String(error.code)}): let this user read it, ${remedy}.`, {
      cause: error,
    })
  }
}

function judge(path: string, { uid: owner, mode }: { uid: number; mode: number }, uid: number, envFile: string): void {
  const what = path === envFile ? path : `${envFile} is not read: its folder ${path}`
  const why = 'It names programs that are run, so nobody else may be able to write it.'
  if (owner !== uid && owner !== 0)
    throw new EnvFileUnusable(
      `${what} belongs to another user (uid ${owner}). ${why} Run \`chown ${uid} ${path}\` if it is yours, ${remedy}.`,
    )
  if ((mode & 0o022) !== 0)
    throw new EnvFileUnusable(
      `${what} may be written by others (mode ${(mode & 0o7777).toString(8)}). ${why} ` +
        `Run \`chmod go-w ${path}\`, ${remedy}.`,
    )
}

/**
 * Completes the environment of this process from `file`, else from `.env` of the working directory.
 * @throws EnvFileUnusable
 */
export async function readFirstEnvFile(file: string | undefined): Promise<void> {
  const path = resolve(file ?? '.env')
  const values = await readEnvFile(path, process.geteuid?.())
  if (values === undefined && file !== undefined)
    throw new EnvFileUnusable(`There is no file ${path}: correct --env-file.`)
  completeEnvironment(values ?? {})
}

/**
 * Completes it from `.env` of the home, which cannot say where the home is.
 * @throws EnvFileUnusable, HomeUnusable
 */
export async function readEnvFileOfHome(): Promise<void> {
  const { folder } = await findHome({ explicit: namedHome(), cwd: process.cwd() })
  const { GREETINGS_HOME: _, ...values } = (await readEnvFile(join(folder, '.env'), process.geteuid?.())) ?? {}
  completeEnvironment(values)
}
