import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import path from 'node:path'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { DatabaseUnusable, openDatabase, type Database } from '../../src/db/database.ts'
import { startGuardian } from '../../src/db/embedded/guardian.ts'
import { joinServer, type Membership } from '../../src/db/embedded/index.ts'
import { placeOf, serverFolders } from '../../src/db/embedded/place.ts'
import { serverUrl } from '../../src/db/embedded/state.ts'
import { startServer, stopServer } from '../../src/db/embedded/by-hand.ts'
import { openHome } from '../../src/home.ts'
import { builtScript } from '../../src/installation.ts'
import { guardiansOf } from '../environment/guardians.ts'
import { temporaryHome } from '../environment/temporary-database.ts'

let home: Awaited<ReturnType<typeof temporaryHome>>
/** where the data are */
let place: string
const opened: { close(): Promise<void> }[] = []
beforeAll(async () => {
  home = await temporaryHome()
  place = (await serverFolders(home.folder))[0] ?? ''
})
afterEach(async () => {
  for (const database of opened.splice(0)) await database.close()
})
afterAll(() => home.remove())

async function open(sandbox = false): Promise<Database> {
  const database = await openDatabase({ home: home.folder, databaseUrl: undefined, sandbox, role: 'test' })
  opened.push(database)
  return database
}

/** The same without Prisma, which takes its time to load. */
async function join(): Promise<Membership> {
  const membership = await joinServer(home.folder, 'test')
  opened.push(membership)
  return membership
}

async function ask(membership: Membership): Promise<unknown> {
  const client = new pg.Client(membership.url('postgres'))
  await client.connect()
  return client
    .query<{ answer: number }>('SELECT 1 AS answer')
    .then(({ rows }) => rows[0]?.answer)
    .finally(() => client.end())
}

const running = async () => (await serverUrl(home.folder, 'greetings')) !== undefined

async function serverPid(): Promise<number> {
  return Number((await readFile(path.join(place, 'data', 'postmaster.pid'), 'utf8')).split('\n')[0])
}

/** A command that joins, says so and stays. */
async function joinedCommand(): Promise<{ pid: number; kill(): Promise<void> }> {
  const script = `
    const { joinServer } = await import(${JSON.stringify(builtScript('db/embedded/index'))})
    await joinServer(${JSON.stringify(home.folder)}, 'stays')
    console.log('joined')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  return {
    pid: child.pid ?? 0,
    kill: async () => {
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

describe('the embedded server', () => {
  it('is started by the first command, shared by the next, and stopped by the last', async () => {
    const [first, second] = await Promise.all([open(), open()])
    expect(second.url).toBe(first.url)
    await first.close()
    expect(await running()).toBe(true)
    expect(await second.db.installation.count()).toBe(1)
    await second.close()
    expect(await running()).toBe(false)
  })

  it('keeps its data and its port from one start to the next', async () => {
    const first = await open()
    await first.db.user.create({ data: { id: 1n } })
    await first.close()
    const second = await open()
    expect(second.url).toBe(first.url)
    expect(await second.db.user.count()).toBe(1)
  })

  it('holds the sandbox in a database of its own', async () => {
    const [live, sandbox] = await Promise.all([open(), open(true)])
    expect(new URL(sandbox.url).pathname).toBe('/greetings_sandbox')
    expect((await sandbox.db.installation.findFirstOrThrow()).queueId).not.toBe(
      (await live.db.installation.findFirstOrThrow()).queueId,
    )
  })

  it('loses nothing on a power cut, answers on loopback only, and keeps statements out of its log', async () => {
    const { db } = await open()
    const setting = async (name: string) =>
      (await db.$queryRaw<{ value: string }[]>`SELECT current_setting(${name}) AS value`)[0]?.value
    expect(
      await Promise.all(
        [
          'fsync',
          'synchronous_commit',
          'full_page_writes',
          'listen_addresses',
          'unix_socket_directories',
          'password_encryption',
        ].map(setting),
      ),
    ).toEqual(['on', 'on', 'on', '127.0.0.1', '', 'scram-sha-256'])
    await db.$queryRawUnsafe(`SELECT 'МаркерИмени'::int`).catch(() => undefined)
    expect(await readFile(path.join(home.folder, 'postgres', 'log'), 'utf8')).not.toContain('МаркерИмени')
  })

  it('keeps to its part of what stays free on its disk, whatever its configuration of an earlier version says', async () => {
    await (await join()).close()
    await appendFile(path.join(place, 'data', 'postgresql.conf'), `max_wal_size = '8GB'\ntemp_file_limit = -1\n`)
    const membership = await joinServer(home.folder, 'test', { keepFreeBytes: 600 * 1_048_576 })
    opened.push(membership)
    const client = new pg.Client(membership.url('postgres'))
    await client.connect()
    const { rows } = await client
      .query<{ limits: string[] }>(
        `SELECT array_agg(current_setting(name) ORDER BY name) AS limits FROM pg_settings WHERE name IN ('max_wal_size', 'temp_file_limit')`,
      )
      .finally(() => client.end())
    expect(rows[0]?.limits).toEqual(['96MB', '188MB'])
  })

  it.skipIf(process.platform === 'win32')('keeps its password and its data to their owners', async () => {
    await join()
    expect((await stat(path.join(home.folder, 'postgres', 'password'))).mode & 0o777).toBe(0o600)
    expect((await stat(path.join(place, 'data'))).mode & 0o077).toBe(0)
    expect((await stat(path.join(home.folder, 'postgres'))).mode & 0o077).toBe(0)
    expect((await stat(place)).mode & 0o022).toBe(0)
  })

  it.skipIf(process.platform !== 'linux')(
    'is out of reach of Ctrl-C at the terminal of the command that started it',
    async () => {
      await join()
      const session = async (pid: number | string) =>
        (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ').slice(2, 4)
      expect(await session(await serverPid())).not.toEqual(await session('self'))
    },
  )

  it('stays while another command is in it, and goes with the last although one was killed', async () => {
    const command = await joinedCommand()
    const mine = await join()
    expect(await stopServer(home.folder)).toEqual({
      outcome: 'in use',
      members: expect.arrayContaining([`stays (pid ${command.pid})`, `test (pid ${process.pid})`]) as string[],
    })
    await command.kill()
    await mine.close()
    expect(await running()).toBe(false)
  })

  it('is adopted by the next command when its last member was killed', async () => {
    const command = await joinedCommand()
    const pid = await serverPid()
    await command.kill()
    expect(await running()).toBe(true)
    const mine = await join()
    expect(await serverPid()).toBe(pid)
    await mine.close()
    expect(await running()).toBe(false)
  })

  it('starts although a killed one left its file and the pid belongs to another process now', async () => {
    await (await join()).close()
    const data = path.join(place, 'data')
    const file = path.join(data, 'postmaster.pid')
    await writeFile(file, `${process.pid}\n${data}\n1\n5432\n\n127.0.0.1\n  1 1\nready   \n`)
    expect(await ask(await join())).toBe(1)
  })

  it('starts elsewhere when its port was taken meanwhile', async () => {
    const before = await join()
    await before.close()
    // Hangs up on a guardian that still knocks at the old port.
    const other = createServer((socket) => socket.destroy()).listen(Number(new URL(before.url('')).port), '127.0.0.1')
    await once(other, 'listening')
    try {
      const after = await join()
      expect(after.url('')).not.toBe(before.url(''))
      expect(await ask(after)).toBe(1)
    } finally {
      other.close()
    }
  })

  it.skipIf(process.platform !== 'linux')(
    'has one guardian that waits for it, however often it is to start',
    async () => {
      const where = await placeOf(home.folder)
      for (let attempt = 1; attempt <= 3; attempt++) startGuardian(where)
      await expect.poll(async () => (await guardiansOf(home.folder)).length, { timeout: 5_000 }).toBe(1)
    },
  )

  it('stays up by hand until it is stopped by hand', async () => {
    await startServer(home.folder)
    await (await join()).close()
    expect(await running()).toBe(true)
    expect(await stopServer(home.folder)).toEqual({ outcome: 'stopped' })
    expect(await running()).toBe(false)
    expect(await stopServer(home.folder)).toEqual({ outcome: 'not running' })
  })

  it('refuses data of another major version, and says how to move them', async () => {
    const file = path.join(place, 'data', 'PG_VERSION')
    const version = await readFile(file, 'utf8')
    await writeFile(file, '17\n')
    try {
      await expect(join()).rejects.toThrow(/made by PostgreSQL 17, and this program brings 18.*greetings export/)
    } finally {
      await writeFile(file, version)
    }
  })

  it('begins no second database where the data are gone', async () => {
    await rename(path.join(place, 'data'), path.join(place, 'away'))
    try {
      await expect(join()).rejects.toThrow(/are gone\. Restore/)
      expect(await readdir(place)).not.toContain('data')
    } finally {
      await rename(path.join(place, 'away'), path.join(place, 'data'))
    }
    await rename(path.join(home.folder, 'postgres', 'password'), path.join(home.folder, 'hidden'))
    try {
      await expect(join()).rejects.toThrow(DatabaseUnusable)
    } finally {
      await rename(path.join(home.folder, 'hidden'), path.join(home.folder, 'postgres', 'password'))
    }
  })

  it('is not taken for the server of a copied home', async () => {
    await join()
    const { folder: other } = await openHome({ folder: path.join(path.dirname(home.folder), 'copy'), create: true })
    const [theirPlace = ''] = await serverFolders(other)
    await mkdir(path.join(theirPlace, 'data'))
    await cp(path.join(place, 'data', 'postmaster.pid'), path.join(theirPlace, 'data', 'postmaster.pid'))
    expect(await serverUrl(other, 'greetings')).toBeUndefined()
    for (const folder of await serverFolders(other)) await rm(folder, { recursive: true, force: true })
  })
})
