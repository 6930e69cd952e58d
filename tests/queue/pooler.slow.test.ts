/** A real PgBouncer before PostgreSQL. Where there is none, this skips with one visible line. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import { openHome } from '../../src/home.ts'
import { openQueue } from '../../src/queue/index.ts'
import { runProgram } from '../environment/program.ts'
import { temporaryDatabase } from '../environment/temporary-database.ts'
import { freePort, queueModes, startRedis } from '../environment/redis.ts'
import { quietLog, until } from '../environment/test-environment.ts'

const program = ['pgbouncer', '/usr/sbin/pgbouncer'].find(
  (name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0,
)
if (program === undefined) process.stderr.write('skipped: tests of PgBouncer, as there is none in PATH\n')

describe.runIf(program !== undefined)('PgBouncer before PostgreSQL', () => {
  const folder = mkdtempSync(join(tmpdir(), 'greetings-pooler-'))
  let database: Database
  let running: ChildProcess | undefined
  beforeAll(async () => {
    database = await temporaryDatabase()
  })
  const end = async () => {
    if (running?.exitCode !== null || running.signalCode !== null) return
    running.kill('SIGKILL')
    await once(running, 'exit')
  }
  afterEach(end)
  afterAll(async () => {
    await database.close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** The address of the database through a pooler of this mode. */
  async function pooled(
    mode: 'session' | 'transaction' | 'statement',
    { more = '', ignores = 'extra_float_digits,options' } = {},
  ): Promise<string> {
    await end()
    const url = new URL(database.url)
    const port = await freePort()
    writeFileSync(join(folder, 'users'), `"${url.username}" "${decodeURIComponent(url.password)}"\n`)
    writeFileSync(
      join(folder, 'pgbouncer.ini'),
      `[databases]\n* = host=${url.hostname} port=${url.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = ${port}\nunix_socket_dir =\nauth_type = scram-sha-256\nauth_file = ${folder}/users\npool_mode = ${mode}\nignore_startup_parameters = ${ignores}\n${more}`,
    )
    // It refuses to run as root.
    const account = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
    chmodSync(folder, 0o755)
    if (account.uid !== undefined)
      for (const file of ['users', 'pgbouncer.ini']) chownSync(join(folder, file), account.uid, account.gid)
    running = spawn(program ?? '', [join(folder, 'pgbouncer.ini')], { stdio: 'ignore', ...account })
    const through = new URL(url)
    through.host = `127.0.0.1:${port}`
    await until(() => answers(through.href), 'PgBouncer')
    return through.href
  }

  async function direct(sql: string): Promise<void> {
    const client = new pg.Client(database.url)
    await client.connect()
    await client.query(sql).finally(() => client.end())
  }

  const open = (databaseUrl: string, redisUrl?: string) =>
    openQueue({ databaseUrl, redisUrl, queueId: 'pooler', log: quietLog })
  const refusal = (why: string) =>
    new RegExp(
      `leads through a connection pooler .* that ${why}\\. .* Give DATABASE_URL the address of PostgreSQL itself, or keep the queue in Redis with REDIS_URL`,
    )

  it('is refused for the queue in PostgreSQL, in every mode', async () => {
    for (const mode of ['session', 'transaction', 'statement'] as const) {
      await expect(open(await pooled(mode))).rejects.toThrow(refusal('drops what a session begins with'))
      await expect(open(await pooled(mode, { ignores: 'extra_float_digits' }))).rejects.toThrow(
        refusal('refuses what a session begins with'),
      )
    }
  })

  it('is refused for changing sessions, idle or busy, also when it knows what a session begins with', async () => {
    for (const more of ['', `server_round_robin = 1\nmin_pool_size = 5\n`]) {
      // As it is with a newer one, which keeps the path for each client.
      const name = new URL(database.url).pathname.slice(1)
      await direct(`ALTER DATABASE "${name}" SET search_path = greetings_probe`)
      const url = await pooled('transaction', { more })
      const others = await Promise.all(
        Array.from({ length: more === '' ? 0 : 4 }, async () => {
          const client = new pg.Client(url)
          await client.connect()
          return client
        }),
      )
      await Promise.all(others.map((client) => client.query('SELECT pg_sleep(0.1)')))
      await expect(open(url)).rejects.toThrow(refusal('changes sessions between transactions'))
      await Promise.all(others.map((client) => client.end()))
      await direct(`ALTER DATABASE "${name}" RESET search_path`)
    }
  })

  it('is refused by a command with exit 2 and that sentence', async () => {
    await openHome({ folder: join(folder, 'home'), create: true })
    const env = {
      PATH: process.env.PATH ?? '',
      HOME: folder,
      GREETINGS_HOME: join(folder, 'home'),
      DATABASE_URL: await pooled('transaction'),
    }
    const { code, stdout, stderr } = await runProgram(['cancel', '--all'], { env })
    expect([code, stdout], stderr).toEqual([2, ''])
    expect(stderr).toMatch(refusal('drops what a session begins with'))
  })

  it('is not seen where there is none', async () => {
    const queue = await open(database.url)
    await queue.add('warm', [{ assetId: 'a', generation: 1 }])
    expect((await queue.counts()).waiting).toBe(1)
    await queue.close()
  })

  it.runIf(queueModes.includes('redis'))('is taken where the queue is in Redis', async () => {
    const redis = await startRedis()
    const queue = await open(await pooled('transaction'), redis.url)
    await queue.close()
    await redis.close()
  })
})

it('a server that is not there is not taken for a pooler', async () => {
  const databaseUrl = `postgresql://nobody@127.0.0.1:${await freePort()}/none`
  await expect(openQueue({ databaseUrl, redisUrl: undefined, queueId: 'none', log: quietLog })).rejects.toMatchObject({
    name: 'QueueUnreachable',
    message: 'The queue in PostgreSQL cannot be reached.',
  })
})

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('SELECT 1')
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => undefined)
  }
}
