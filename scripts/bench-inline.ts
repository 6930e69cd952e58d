/**
 * How long an inline answer takes with a large cache, beside a bare `SELECT 1`: `npm run bench:inline [videos]`
 * (1,000,000). It fills an embedded server of its own and removes it, or the empty database at DATABASE_URL. Measured as
 * the database sorts by itself, and with names that are sorted as in English. Budget: 50 ms at the 99th percentile.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import pg from 'pg'
import { offersFor } from '../src/bot/features/inline.ts'
import { openDatabase } from '../src/db/database.ts'
import { serverFolders } from '../src/db/embedded/place.ts'
import { openHome } from '../src/home.ts'
import { loadShippedNames } from '../src/understanding/known-names.ts'

const budgetMs = 50
const rounds = 2_000
const videos = Number(process.argv[2] ?? 1_000_000)
const botId = 1_234_567_890n

const home = await mkdtemp(join(tmpdir(), 'greetings-bench-'))
await openHome({ folder: home, create: true })
const database = await openDatabase({ home, databaseUrl: process.env.DATABASE_URL, sandbox: false, role: 'bench' })
const client = new pg.Client(database.url)
const known = await loadShippedNames()
const frequent = known.startingWith('', 50).map(({ key }) => key)

/** The 99th percentile and the median of so many runs, milliseconds. */
async function measured(run: (round: number) => Promise<unknown>): Promise<{ median: number; p99: number }> {
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const started = performance.now()
    await run(round)
    times.push(performance.now() - started)
  }
  times.sort((one, other) => one - other)
  return { median: times[rounds / 2] ?? 0, p99: times[Math.floor(rounds * 0.99)] ?? 0 }
}

try {
  await client.connect()
  if (Number((await client.query<{ n: string }>('SELECT count(*) AS n FROM "VideoAsset"')).rows[0]?.n) > 0)
    throw new Error('The database is not empty: give the bench one of its own.')
  await client.query(
    `INSERT INTO "VideoAsset" (id, template, name, display, status, "telegramFileId", "telegramBotId")
     SELECT 'asset' || n, 'new-year-ru', coalesce(($1::text[])[n], 'имя ' || n), 'Имя', 'AVAILABLE',
       'BAACAgIAAyEFAA' || repeat(md5(n::text), 2), $2 FROM generate_series(1, ${videos}) AS n`,
    [frequent, botId],
  )
  const door = { db: database.db, botId } as unknown as Parameters<typeof offersFor>[0]['door']
  const deps = { door, known, nameRules: {}, templateFor: () => ({ id: 'new-year-ru' }) }
  // As somebody types: one letter more each time, a name that is there, one that nobody has.
  const queries = [...frequent.flatMap((name) => [name.slice(0, 1), name.slice(0, 2), name]), '', 'джалантахчан']
  for (const collation of ['C', 'en-US-x-icu']) {
    await client.query(`ALTER TABLE "VideoAsset" ALTER name TYPE text COLLATE "${collation}"`)
    await client.query('VACUUM ANALYZE "VideoAsset"')
    const bare = await measured(() => database.db.$queryRaw`SELECT 1`)
    const answer = await measured((round) => offersFor(deps, queries[round % queries.length] ?? '', 'ru'))
    const ratio = (answer.median / bare.median).toFixed(1)
    console.log(
      `${collation}: an answer ${answer.median.toFixed(2)} ms, 99 % within ${answer.p99.toFixed(2)} ms; ` +
        `SELECT 1 ${bare.median.toFixed(2)} ms, 99 % within ${bare.p99.toFixed(2)} ms; ${ratio} times that`,
    )
    const plan = await client.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN (ANALYZE, COSTS OFF) SELECT id FROM "VideoAsset" WHERE template = ANY($1::text[])
       AND name = ANY($2::text[]) AND "telegramBotId" = $3 AND "telegramFileId" IS NOT NULL`,
      [['new-year-ru'], frequent, botId],
    )
    for (const row of plan.rows) console.log(`  ${row['QUERY PLAN'].slice(0, 100)}`)
    if (answer.p99 > budgetMs) process.exitCode = 1
  }
} finally {
  await client.end()
  await database.close()
  for (const folder of [...(await serverFolders(home)), home]) await rm(folder, { recursive: true, force: true })
}
