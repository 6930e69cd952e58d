/** `db backup` and `db restore` on an embedded server of their own. */
import { execFileSync } from 'node:child_process'
import { appendFile, chmod, link, mkdir, mkdtemp, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { restore } from '../../src/db/backup.ts'
import { DatabaseUnusable, openDatabase, type Database } from '../../src/db/database.ts'
import { serverFolders } from '../../src/db/embedded/place.ts'
import { serverUrl } from '../../src/db/embedded/state.ts'
import { startServer, stopServer } from '../../src/db/embedded/by-hand.ts'
import { runProgram } from '../environment/program.ts'
import { temporaryHome } from '../environment/temporary-database.ts'

vi.setConfig({ testTimeout: 300_000 })

let home: Awaited<ReturnType<typeof temporaryHome>>
let file: string
const opened: Database[] = []
beforeAll(async () => {
  home = await temporaryHome()
  file = join(dirname(home.folder), 'backup.tar.gz')
})
afterEach(async () => {
  for (const database of opened.splice(0)) await database.close()
})
afterAll(() => home.remove())

async function open(folder = home.folder): Promise<Database> {
  const database = await openDatabase({ home: folder, databaseUrl: undefined, sandbox: false, role: 'test' })
  opened.push(database)
  return database
}
const add = async (name: string) => {
  const database = await open()
  await database.db.videoAsset.create({ data: { template: 'tiny', name, display: name } })
  await database.close()
}
const names = async (folder?: string) => {
  const database = await open(folder)
  const found = (await database.db.videoAsset.findMany({ orderBy: { name: 'asc' } })).map(({ name }) => name)
  await database.close()
  return found
}
const db = (args: string[], folder = home.folder) =>
  runProgram(['db', ...args], {
    env: { PATH: process.env.PATH ?? '', HOME: dirname(home.folder), GREETINGS_HOME: folder },
  })

it('nothing to back up: 2', async () => {
  expect(await db(['backup', file])).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('nothing to back up') as string,
  })
})

it('a backup brings back what was there, here and in another home; what was there before is kept', async () => {
  await add('маша')
  const made = await db(['backup', file])
  expect(made.code, made.stderr).toBe(0)
  expect(made.stdout).toContain(`db restore ${file}`)
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(await db(['backup', file])).toMatchObject({ code: 2, stderr: expect.stringContaining('--force') as string })

  await add('петя')
  const restored = await db(['restore', file])
  expect(restored.code, restored.stderr).toBe(0)
  const former = /lies in (\S+);/.exec(restored.stdout)?.[1] ?? ''
  expect((await readFile(join(former, 'PG_VERSION'), 'utf8')).trim()).not.toBe('')
  expect(await names()).toEqual(['маша'])

  const other = await temporaryHome()
  try {
    expect(await db(['restore', file], other.folder)).toMatchObject({ code: 0, stdout: 'Restored.\n' })
    expect(await names(other.folder)).toEqual(['маша'])
  } finally {
    await other.remove()
  }
})

it('while commands use the server: 2, and they are named', async () => {
  await open()
  for (const args of [
    ['backup', `${file}.2`],
    ['restore', file],
  ]) {
    const end = await db(args)
    expect(end).toMatchObject({ code: 2, stdout: '' })
    expect(end.stderr).toMatch(/in use by: test \(pid \d+\)/)
  }
  expect((await readdir(dirname(file))).filter((name) => name.includes('.2'))).toEqual([])
})

it('a server that db start keeps up is up again afterwards', async () => {
  await startServer(home.folder)
  expect((await db(['backup', file, '--force'])).code).toBe(0)
  expect(await serverUrl(home.folder, 'greetings')).toBeDefined()
  await stopServer(home.folder)
})

it('what is no backup changes nothing: 2', async () => {
  const wrong = join(dirname(file), 'wrong.tar.gz')
  await writeFile(wrong, 'no archive')
  for (const path of [wrong, join(dirname(file), 'nowhere.tar.gz')])
    expect(await db(['restore', path])).toMatchObject({ code: 2, stdout: '' })
  expect(await names()).toEqual(['маша'])
  expect(
    (await readdir((await serverFolders(home.folder))[0] ?? '')).filter((name) => name.startsWith('new-')),
  ).toEqual([])
})

describe('an archive that somebody else prepared', () => {
  /** A backup in which `change` did something to the unpacked files: a real one, or the least that can pass for one. */
  async function prepared(isReal: boolean, change: (data: string) => void | Promise<void>): Promise<string> {
    const folder = await mkdtemp(join(dirname(file), 'unpacked-'))
    if (isReal) execFileSync('tar', ['-xzf', file, '-C', folder])
    else {
      for (const name of ['base', 'pg_tblspc']) await mkdir(join(folder, 'data', name), { recursive: true })
      await writeFile(join(folder, 'data', 'PG_VERSION'), '18\n')
      await writeFile(join(folder, 'password'), `${'ab'.repeat(24)}\n`)
    }
    await change(join(folder, 'data'))
    const archive = join(folder, 'prepared.tar.gz')
    execFileSync('tar', ['-czf', archive, '-C', folder, 'data', 'password'])
    return archive
  }

  it('cannot have its settings obeyed: no program runs, nobody else comes in, our own settings hold', async () => {
    const trace = join(dirname(file), 'it-ran')
    const archive = await prepared(true, async (data) => {
      const evil = `listen_addresses = '0.0.0.0'\narchive_mode = on\narchive_command = 'touch ${trace}'\nport = 1\nfsync = off\n`
      await appendFile(join(data, 'postgresql.conf'), evil)
      await writeFile(join(data, 'postgresql.auto.conf'), evil)
      await writeFile(join(data, 'pg_hba.conf'), 'host all all 0.0.0.0/0 trust\n')
      await writeFile(join(data, 'postmaster.opts'), `/bin/touch "${trace}"\n`)
      await chmod(join(data, 'PG_VERSION'), 0o4777)
    })
    const restored = await db(['restore', archive])
    expect(restored.code, restored.stderr).toBe(0)
    const database = await open()
    const show = async (name: string) =>
      (await database.db.$queryRaw<{ value: string }[]>`SELECT current_setting(${name}) AS value`)[0]?.value
    expect(
      await Promise.all(
        ['listen_addresses', 'archive_command', 'archive_mode', 'fsync', 'max_connections', 'timezone'].map(show),
      ),
    ).toEqual(['127.0.0.1', '(disabled)', 'off', 'on', '200', 'UTC'])
    const rules = await database.db.$queryRaw<
      object[]
    >`SELECT type, database, user_name, address, netmask, auth_method FROM pg_hba_file_rules`
    expect(rules).toEqual([
      {
        type: 'host',
        database: ['all'],
        user_name: ['all'],
        address: '127.0.0.1',
        netmask: '255.255.255.255',
        auth_method: 'scram-sha-256',
      },
    ])
    await database.db.$queryRaw`SELECT pg_switch_wal()::text`
    await database.close()
    expect(await names()).toEqual(['маша'])
    expect(await stat(trace).catch(() => 'not there')).toBe('not there')
    const [folder = ''] = await serverFolders(home.folder)
    expect((await stat(join(folder, 'data', 'PG_VERSION'))).mode & 0o7777).toBe(0o600)
  })

  it.each<[string, (data: string) => void | Promise<void>]>([
    ['pg_tblspc/16400', (data) => symlink('/tmp', join(data, 'pg_tblspc', '16400'))],
    ['base/link', (data) => symlink('/etc/passwd', join(data, 'base', 'link'))],
    ['PG_VERSION', (data) => link(join(data, 'PG_VERSION'), join(data, 'PG_VERSION.2'))],
    ['pipe', (data) => void execFileSync('mkfifo', [join(data, 'pipe')])],
    ['recovery.signal', (data) => writeFile(join(data, 'recovery.signal'), '')],
    ['standby.signal', (data) => writeFile(join(data, 'standby.signal'), '')],
    ['tablespace_map', (data) => writeFile(join(data, 'tablespace_map'), '16400 /tmp/elsewhere\n')],
    ['no password of ours', (data) => writeFile(join(data, '..', 'password'), 'x@192.0.2.1:1/')],
  ])('is refused with %s in it, and nothing is changed', async (what, change) => {
    const place = (await serverFolders(home.folder))[0] ?? ''
    const before = await readdir(place)
    const refusal = await restore(home.folder, await prepared(false, change)).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(DatabaseUnusable)
    expect(String(refusal)).toContain(what)
    expect(await readdir(place)).toEqual(before)
  })
})
