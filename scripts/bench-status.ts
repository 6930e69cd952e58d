/**
 * How long `status` takes with a large cache, and by which plans PostgreSQL answers: `npm run bench:status
 * [videos] [requests]` (1,000,000 and 5,000,000). It fills an embedded server of its own and removes it, or the
 * empty database at DATABASE_URL, which must be PostgreSQL 14 or newer and whose user must be a superuser (the
 * triggers rest while it is filled). Needs about 4 GB of disk and a few minutes. Budget: 300 ms.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import pg from 'pg'
import { openDatabase, type Db } from '../src/db/database.ts'
import { serverFolders } from '../src/db/embedded/place.ts'
import { statistics } from '../src/greetings/reports/statistics.ts'
import { openHome } from '../src/home.ts'

const budgetMs = 300
const [assets, requests] = [Number(process.argv[2] ?? 1_000_000), Number(process.argv[3] ?? 5_000_000)]
const revisions = new Map([
  ['new-year-ru', 'today'],
  ['new-year-en', 'today'],
])

/**
 * 98 % available, a tenth of it stale; 1 % failed for twenty causes; the rest
 * waits. Requests of 90 days, most of them hits.
 */
const filling = [
  `SET session_replication_role = replica`,
  `INSERT INTO "VideoAsset" (id, template, name, display, status, revision, "templateRevision", "telegramFileId", "telegramFileUniqueId", "telegramBotId", "storageChatId", "storageMessageId", "errorClass", "errorText", "queuedAt", "availableAt")
   SELECT 'asset' || n, CASE WHEN n % 3 = 0 THEN 'new-year-en' ELSE 'new-year-ru' END, 'имя ' || n, 'Имя ' || n, status::"AssetStatus", md5(n::text), CASE WHEN n % 10 = 3 THEN 'yesterday' ELSE 'today' END,
     CASE WHEN status = 'AVAILABLE' THEN 'BAACAgIAAyEFAA' || repeat(md5(n::text), 2) END, 'AgAD' || n, 1234567890, -1001234567890, n, CASE WHEN status = 'FAILED' THEN 'render' END, CASE WHEN status = 'FAILED' THEN 'cause ' || n / 100 % 20 END,
     CASE WHEN status = 'PENDING' THEN now() END, now() - random() * interval '90 days'
   FROM (SELECT n, CASE n % 100 WHEN 1 THEN 'FAILED' WHEN 2 THEN 'PENDING' ELSE 'AVAILABLE' END AS status FROM generate_series(1, ${assets}) AS n) AS row`,
  `INSERT INTO "User" (id) SELECT n FROM generate_series(1, 200000) AS n`,
  `INSERT INTO "UserRequest" (id, status, "userId", "assetId", "chatId", language, "botId", "updateId", hit, "createdAt", "finishedAt")
   SELECT 'request' || n, status::"RequestStatus", 1 + n % 200000, 'asset' || 1 + (n::bigint * 7919) % ${assets}, 1 + n % 200000, 'ru', 1234567890, n, n % 20 > 0, asked,
     CASE WHEN status <> 'PENDING' THEN asked + (CASE WHEN n % 20 > 0 THEN 0.1 ELSE 60 END) * (0.5 + random()) * interval '1 second' END
   FROM (SELECT n, now() - (${requests} - n) / ${requests}::float8 * interval '90 days' AS asked, CASE WHEN n > ${requests} - 2000 THEN 'PENDING' WHEN n % 200 = 7 THEN 'FAILED' ELSE 'COMPLETED' END AS status FROM generate_series(1, ${requests}) AS n) AS row`,
  // What the triggers would have added, and the reconciler folded.
  'INSERT INTO "AssetCount" (status, template, "templateRevision", "telegramBotId", count) ' +
    'SELECT status, template, "templateRevision", "telegramBotId", count(*) FROM ' +
    '"VideoAsset" GROUP BY 1, 2, 3, 4',
  `INSERT INTO "RequestCount" (hour, status, hit, "waitBucket", count)
   SELECT date_trunc(CASE WHEN "createdAt" < now() - interval '2 days' THEN 'day' ELSE 'hour' END, "createdAt", 'UTC'), status, hit,
     CASE WHEN status = 'COMPLETED' AND "createdAt" >= now() - interval '2 days' THEN "waitBucket"("finishedAt" - "createdAt") END, count(*)
   FROM "UserRequest" WHERE status <> 'PENDING' GROUP BY 1, 2, 3, 4`,
  `ANALYZE`,
]

const home = await mkdtemp(join(tmpdir(), 'greetings-bench-'))
await openHome({ folder: home, create: true })
const database = await openDatabase({ home, databaseUrl: process.env.DATABASE_URL, sandbox: false, role: 'bench' })
const client = new pg.Client(database.url)
try {
  await client.connect()
  if (Number((await client.query<{ n: string }>('SELECT count(*) AS n FROM "VideoAsset"')).rows[0]?.n) > 0)
    throw new Error('The database is not empty: give the bench one of its own.')
  for (const statement of filling) {
    const started = performance.now()
    await client.query(statement)
    console.log(
      `${((performance.now() - started) / 1_000).toFixed(1).padStart(6)} s  ` +
        `${statement.replace(/\s+/g, ' ').slice(0, 80)}`,
    )
  }

  const seen: { sql: string; values: unknown[] }[] = []
  const listening = {
    $queryRaw: (strings: TemplateStringsArray, ...values: unknown[]) => {
      seen.push({ sql: strings.reduce((sql, part, n) => `${sql}$${n}${part}`), values })
      return database.db.$queryRaw(strings, ...values)
    },
  } as unknown as Db
  console.log(JSON.stringify(await statistics(listening, revisions, 1234567890n)))
  for (const { sql, values } of seen) {
    console.log(`\n${sql.replace(/\n {2,}/g, '\n').trim()}`)
    const plan = await client.query<{ 'QUERY PLAN': string }>(`EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) ${sql}`, values)
    for (const row of plan.rows) console.log(`  ${row['QUERY PLAN']}`)
  }

  const times: number[] = []
  for (let n = 0; n < 20; n++) {
    const started = performance.now()
    await statistics(database.db, revisions, 1234567890n)
    times.push(performance.now() - started)
  }
  times.sort((one, other) => one - other)
  const worst = times.at(-1) ?? Infinity
  console.log(
    `\nstatistics() with ${assets} videos and ${requests} requests: median ${times[10]?.toFixed(1)} ms, ` +
      `longest of 20 ${worst.toFixed(1)} ms, budget ${budgetMs} ms`,
  )
  if (worst > budgetMs) process.exitCode = 1
} finally {
  await client.end()
  await database.close()
  for (const folder of [...(await serverFolders(home)), home]) await rm(folder, { recursive: true, force: true })
}
