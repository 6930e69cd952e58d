/** The embedded server's data as one archive: both databases, live and sandbox, and the password that belongs to them. */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { whileStopped } from './embedded.ts'
import { DatabaseUnusable } from './faults.ts'
import { postgresMajor } from './postgres-binaries.ts'

/** Commands use the server, so it cannot be stopped: they are named, as `up (pid 4711)`. */
export interface InUse {
  outcome: 'in use'
  members: string[]
}

/** Writes the archive, readable by its owner only. @throws DatabaseUnusable when there are no data, or no room */
export async function backUp(home: string, file: string): Promise<InUse | { outcome: 'done'; bytes: number }> {
  const part = `${file}.${process.pid}.part`
  try {
    const stopped = await whileStopped(home, async ({ folder, keys, exists }) => {
      if (!exists) throw new DatabaseUnusable('There is no embedded database in this home yet, so there is nothing to back up.')
      await (await open(part, 'wx', 0o600)).close()
      const { ok, output } = await tar(['-czf', part, '-C', folder, 'data', '-C', keys, 'password'])
      if (!ok) throw new DatabaseUnusable(`The backup cannot be written: ${output.trim() || 'tar failed'}. Is there room for ${file}?`)
      await rename(part, file)
      return (await stat(file)).size
    })
    return stopped.outcome === 'in use' ? stopped : { outcome: 'done', bytes: stopped.result }
  } finally {
    await rm(part, { force: true })
  }
}

/**
 * Puts the archive's data in the place of the home's. The former data stay beside them, in the folder that is
 * returned. @throws DatabaseUnusable when the archive is none of ours, or of another version of PostgreSQL
 */
export async function restore(home: string, file: string): Promise<InUse | { outcome: 'done'; former: string | undefined }> {
  const stopped = await whileStopped(home, async ({ folder, replace }) => {
    const draft = join(folder, `new-${randomUUID()}`)
    await mkdir(draft, { mode: 0o700 })
    try {
      const { ok, output } = await tar(['-xzf', file, '--no-same-owner', '-C', draft, 'data', 'password'])
      const version = await readFile(join(draft, 'data', 'PG_VERSION'), 'utf8').catch(() => undefined)
      if (!ok || version === undefined) throw new DatabaseUnusable(`${file} is no backup that \`greetings db backup\` wrote: ${output.trim().split('\n')[0] ?? ''}. Nothing was changed.`)
      if (version.trim() !== String(postgresMajor)) throw new DatabaseUnusable(`${file} was made by PostgreSQL ${version.trim()}, and this program brings ${postgresMajor}. Nothing was changed. With the program's former version restore it and run \`greetings export\`, and with this one \`greetings import\`.`)
      return await replace(draft)
    } finally {
      await rm(draft, { recursive: true, force: true })
    }
  })
  return stopped.outcome === 'in use' ? stopped : { outcome: 'done', former: stopped.result }
}

function tar(args: string[]): Promise<{ ok: boolean; output: string }> {
  return new Promise((resolve) => {
    const child = spawn('tar', args, { stdio: ['ignore', 'ignore', 'pipe'], windowsHide: true })
    let output = ''
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.on('error', (error) => resolve({ ok: false, output: `the program tar cannot be run: ${error.message}` }))
    child.on('close', (code) => resolve({ ok: code === 0, output }))
  })
}
