/**
 * The embedded server's data as one archive: both databases, live and sandbox, and the password that belongs to them.
 */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chmod, lstat, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { childEnvironment } from '../child-environment.ts'
import { whileStopped } from './embedded/by-hand.ts'
import type { StartOptions } from './embedded/running.ts'
import { DatabaseUnusable } from './errors.ts'
import { postgresMajor } from './postgres-binaries.ts'

/** Commands use the server, so it cannot be stopped: they are named, as `up (pid 4711)`. */
export interface InUse {
  outcome: 'in use'
  members: string[]
}

/** Writes the archive, readable by its owner only. @throws DatabaseUnusable when there are no data, or no room */
export async function backUp(
  home: string,
  file: string,
  options: StartOptions = {},
): Promise<InUse | { outcome: 'done'; bytes: number }> {
  const part = `${file}.${process.pid}.part`
  try {
    const stopped = await whileStopped(
      home,
      async ({ folder, keys, exists }) => {
        if (!exists)
          throw new DatabaseUnusable('There is no embedded database in this home yet, so there is nothing to back up.')
        await (await open(part, 'wx', 0o600)).close()
        const { ok, output } = await tar(['-czf', part, '-C', folder, 'data', '-C', keys, 'password'])
        if (!ok)
          throw new DatabaseUnusable(
            `The backup cannot be written: ${output.trim() || 'tar failed'}. Is there enough space for ${file}?`,
          )
        await rename(part, file)
        return (await stat(file)).size
      },
      options,
    )
    return stopped.outcome === 'in use' ? stopped : { outcome: 'done', bytes: stopped.result }
  } finally {
    await rm(part, { force: true })
  }
}

/**
 * Puts the archive's data in the place of the home's. The former data stay beside them, in the folder that is
 * returned. What the archive says of how to run the server is not taken over.
 * @throws DatabaseUnusable when the archive is none of ours, or of another version of PostgreSQL
 */
export async function restore(
  home: string,
  file: string,
  options: StartOptions = {},
): Promise<InUse | { outcome: 'done'; former: string | undefined }> {
  const stopped = await whileStopped(
    home,
    async ({ folder, replace, discard }) => {
      const draft = join(folder, `new-${randomUUID()}`)
      await mkdir(draft, { mode: 0o700 })
      try {
        const noBackup = (why: string) =>
          new DatabaseUnusable(`${file} is no backup that \`greetings db backup\` wrote: ${why}. Nothing was changed.`)
        const { ok, output } = await tar(['-xzf', file, '--no-same-owner', '-C', draft, 'data', 'password'])
        if (!ok) throw noBackup(output.trim().split('\n')[0] ?? '')
        const foreign = await tame(draft)
        if (foreign !== undefined) throw noBackup(`it holds ${foreign}`)
        const version = await readFile(join(draft, 'data', 'PG_VERSION'), 'utf8').catch(() => '')
        if (version === '') throw noBackup('it holds no data')
        if (version.trim() !== String(postgresMajor))
          throw new DatabaseUnusable(
            `${file} was made by PostgreSQL ${version.trim()}, and this program brings ${postgresMajor}. Nothing ` +
              "was changed. With the program's former version restore it and run `greetings export`, and with " +
              'this one `greetings import`.',
          )
        // It becomes part of an address.
        if (!/^[0-9a-f]{48}\s*$/.test(await readFile(join(draft, 'password'), 'utf8').catch(() => '')))
          throw noBackup('it holds no password of ours')
        return await replace(draft)
      } finally {
        // What stays is removed at the next start.
        await discard(draft).catch(() => undefined)
      }
    },
    options,
  )
  return stopped.outcome === 'in use' ? stopped : { outcome: 'done', former: stopped.result }
}

/**
 * Files of a server that is to recover from elsewhere, by commands or into folders that
 * they name. A stopped server of ours has none.
 */
const ofRecovery = ['recovery.signal', 'standby.signal', 'backup_label', 'tablespace_map']

/**
 * Makes everything below a folder its owner's alone. What neither is a folder nor an ordinary file of its own stops
 * it and is named: a link could lead anywhere, in \`pg_tblspc\` the server's writes too.
 */
async function tame(folder: string): Promise<string | undefined> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    const found = await lstat(path)
    if (ofRecovery.includes(name) || !(found.isDirectory() || (found.isFile() && found.nlink === 1))) return name
    await chmod(path, found.isDirectory() ? 0o700 : 0o600)
    const below = found.isDirectory() ? await tame(path) : undefined
    if (below !== undefined) return `${name}/${below}`
  }
  return undefined
}

function tar(args: string[]): Promise<{ ok: boolean; output: string }> {
  return new Promise((resolve) => {
    const child = spawn('tar', args, {
      env: childEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe'],
      windowsHide: true,
    })
    let output = ''
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.on('error', (error) => resolve({ ok: false, output: `the program tar cannot be run: ${error.message}` }))
    child.on('close', (code) => resolve({ ok: code === 0, output }))
  })
}
