import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  DatabaseUnreachable,
  DatabaseUnusable,
  isDatabaseDown,
  openDatabase,
  serializable,
  type Database,
} from '../../src/db/database.ts'
import { isDatabaseBusy, isLockTimeout } from '../../src/db/errors.ts'
import { temporaryDatabase } from '../environment/temporary-database.ts'

let database: Database
beforeAll(async () => {
  database = await temporaryDatabase({ poolSize: 8 })
})
afterAll(() => database.close())

const open = (databaseUrl: string, sandbox = false) =>
  openDatabase({ home: '/nowhere', databaseUrl, sandbox, role: 'test' })

async function query<Row extends pg.QueryResultRow>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client(url)
  await client.connect()
  return client
    .query<Row>(sql)
    .then(
      ({ rows }) => rows,
      (error: unknown) => {
        throw error
      },
    )
    .finally(() => client.end())
}

describe('openDatabase', () => {
  it('ensures the one Installation row, whose queue id stays', async () => {
    const [first] = await database.db.installation.findMany()
    const again = await open(database.url)
    try {
      expect(await again.db.installation.findMany()).toEqual([first])
      expect(first?.queueId).toMatch(/^[0-9a-f]{12}$/)
    } finally {
      await again.close()
    }
  })

  it('makes the sandbox database beside DATABASE_URL, a world of its own', async () => {
    const [one, two] = await Promise.all([open(database.url, true), open(database.url, true)])
    try {
      expect(new URL(one.url).pathname).toBe(`${new URL(database.url).pathname}_sandbox`)
      const live = await database.db.installation.findFirstOrThrow()
      const sandbox = await one.db.installation.findFirstOrThrow()
      expect(sandbox.queueId).not.toBe(live.queueId)
      expect((await two.db.installation.findFirstOrThrow()).queueId).toBe(sandbox.queueId)
    } finally {
      await Promise.all([one.close(), two.close()])
    }
  })

  it('says what to do when the user may not create the sandbox database', async () => {
    const role = `poor_${new URL(database.url).pathname.slice(6, 14)}`
    await query(database.url, `CREATE ROLE ${role} LOGIN PASSWORD 'secret-of-the-poor'`)
    const url = new URL(database.url)
    url.username = role
    url.password = 'secret-of-the-poor'
    url.pathname = `${url.pathname}_other`
    const failure = await open(url.href, true).catch((error: unknown) => error)
    await query(database.url, `DROP ROLE ${role}`)
    expect(failure).toBeInstanceOf(DatabaseUnusable)
    expect(String(failure)).toMatch(/CREATEDB/)
    expect(String(failure)).not.toContain('secret-of-the-poor')
  })

  it('makes no live database that DATABASE_URL only misspells', async () => {
    const url = new URL(database.url)
    url.pathname = '/misspelt'
    await expect(open(url.href)).rejects.toThrow(/misspelt does not exist/)
  })

  it('tells a refused password and a schema it cannot use as faults of the configuration', async () => {
    const url = new URL(database.url)
    url.password = 'wrong-password'
    await expect(open(url.href)).rejects.toThrow(DatabaseUnusable)
    await expect(open(`${database.url}?schema=other`)).rejects.toThrow(/schema "other"/)
  })

  it('tells a server that is not there as unreachable, without the password', async () => {
    const failure = await open('postgresql://someone:top-secret@127.0.0.1:1/nothing').catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(DatabaseUnreachable)
    expect(String(failure)).toMatch(/127\.0\.0\.1:1\/nothing cannot be reached \(ECONNREFUSED\)/)
    expect(String(failure)).not.toContain('top-secret')
    expect(isDatabaseDown(failure)).toBe(true)
  })

  it('keeps names out of the messages of failed queries', async () => {
    const failure = await database.db.videoAsset
      .create({ data: { template: 't', name: 'МаркерИмени', display: 'МаркерИмени', attempts: 1e12 } })
      .catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(Error)
    expect(String(failure)).not.toContain('МаркерИмени')
  })
})

describe('a lost connection', () => {
  it('is an outage to every query it breaks, and the next ones get a new connection', async () => {
    const { db, url } = database
    const sleeping = db.$queryRaw`SELECT pg_sleep(30)::text`.catch((error: unknown) => error)
    const inTransaction = db
      .$transaction(async (tx) => tx.$queryRaw`SELECT pg_sleep(30)::text`)
      .catch((error: unknown) => error)
    await expect
      .poll(() =>
        query(
          url,
          `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()`,
        ),
      )
      .toHaveLength(2)
    await query(
      url,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    )
    for (const failure of [await sleeping, await inTransaction]) {
      expect(failure).toBeInstanceOf(Error)
      expect(isDatabaseDown(failure)).toBe(true)
    }
    expect(await db.installation.count()).toBe(1)
  })

  it('does not end the process when it was idle', async () => {
    await database.db.installation.count()
    await query(
      database.url,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    )
    await expect.poll(() => database.db.installation.count().catch(() => 0)).toBe(1)
  })
})

describe('isDatabaseDown', () => {
  it('is not any error of a query', async () => {
    const failures = await Promise.all(
      [
        database.db.$queryRaw`SELECT nonsense`,
        database.db.user.create({ data: { id: 1n, language: 'ru', userRequests: { connect: { id: 'none' } } } }),
        query(database.url, 'SELECT 1/0'),
      ].map((each) => Promise.resolve(each).catch((error: unknown) => error)),
    )
    for (const failure of failures) {
      expect(failure).toBeInstanceOf(Error)
      expect(isDatabaseDown(failure)).toBe(false)
    }
    expect(isDatabaseDown(undefined)).toBe(false)
  })

  it.each([
    ['a server that starts up', { code: '57P03' }],
    ['both addresses of a host refused', Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })],
    ['a full disk', { name: 'DriverAdapterError', cause: { kind: 'postgres', code: '53100' } }],
    ['an error behind another one', new Error('while sending', { cause: { code: 'P1017' } })],
  ])('is %s', (_what, error) => {
    expect(isDatabaseDown(error)).toBe(true)
    expect(isDatabaseBusy(error)).toBe(false)
  })
})

describe('isDatabaseBusy', () => {
  it('is what waited for a locked row, ran out of its time, or found no transaction', async () => {
    const { db, url } = database
    await db.user.create({ data: { id: 77n } })
    const failures: unknown[] = []
    const locked = (work: (tx: Parameters<Parameters<typeof db.$transaction>[0]>[0]) => Promise<unknown>) =>
      db.$transaction(work).catch((error: unknown) => failures.push(error))
    const holder = new pg.Client(url)
    await holder.connect()
    await holder.query('BEGIN')
    await holder.query('SELECT 1 FROM "User" WHERE id = 77 FOR UPDATE')
    await locked(async (tx) => {
      await tx.$executeRaw`SET LOCAL lock_timeout = 50`
      await tx.$queryRaw`SELECT 1 FROM "User" WHERE id = 77 FOR SHARE`
    })
    await locked(async (tx) => {
      await tx.$executeRaw`SET LOCAL lock_timeout = 50`
      await tx.user.update({ where: { id: 77n }, data: { language: 'ru' } })
    })
    expect(failures.map(isLockTimeout)).toEqual([true, true])
    await locked(async (tx) => {
      await tx.$executeRaw`SET LOCAL statement_timeout = 50`
      await tx.$queryRaw`SELECT 1 FROM "User" WHERE id = 77 FOR SHARE`
    })
    await holder.query('ROLLBACK')
    await holder.end()
    await db
      .$transaction(async (tx) => tx.$queryRaw`SELECT pg_sleep(0.3)::text, 1 FROM "User"`.then(() => tx.user.count()), {
        timeout: 100,
      })
      .catch((error: unknown) => failures.push(error))
    failures.push(new Error('timeout exceeded when trying to connect'))
    expect(failures).toHaveLength(5)
    for (const failure of failures) expect([isDatabaseBusy(failure), isDatabaseDown(failure)]).toEqual([true, false])
  })
})

describe('serializable', () => {
  it('tries conflicting transactions again until all are through', async () => {
    const { db } = database
    await db.user.create({ data: { id: 7n, language: '0' } })
    let runs = 0
    await Promise.all(
      Array.from({ length: 6 }, () =>
        serializable(db, async (tx) => {
          runs++
          const { language } = await tx.user.findUniqueOrThrow({ where: { id: 7n } })
          await tx.user.update({ where: { id: 7n }, data: { language: String(Number(language) + 1) } })
        }),
      ),
    )
    expect((await db.user.findUniqueOrThrow({ where: { id: 7n } })).language).toBe('6')
    expect(runs).toBeGreaterThan(6)
  })

  it('tries again after conflicts that only COMMIT sees, and after those of raw queries', async () => {
    const { db } = database
    // Write skew: each counts what the other is about to add, and touches nothing the other touches.
    const addOne = (id: bigint) =>
      serializable(db, async (tx) => {
        const [row] = await tx.$queryRaw<
          { sum: bigint }[]
        >`SELECT count(*) AS sum FROM "User" WHERE id BETWEEN 100 AND 199`
        await tx.user.create({ data: { id, language: String(row?.sum) } })
      })
    await Promise.all(Array.from({ length: 6 }, (_, i) => addOne(BigInt(100 + i))))
    const users = await db.user.findMany({ where: { id: { gte: 100n, lt: 200n } } })
    expect(users.map(({ language }) => language).sort()).toEqual(['0', '1', '2', '3', '4', '5'])
  })

  it('gives other errors on at once', async () => {
    let runs = 0
    const work = serializable(database.db, async () => {
      runs++
      throw new Error('no conflict')
    })
    await expect(work).rejects.toThrow('no conflict')
    expect(runs).toBe(1)
  })
})
