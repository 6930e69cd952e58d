/**
 * Prints the SQL that leads from the migrations to prisma/schema.prisma: `npx tsx scripts/migration-diff.ts`.
 * Nothing printed: they agree, but for what only SQL can express. Put what it prints into a new folder
 * `prisma/migrations/<time>_<what>/migration.sql`.
 *
 * It uses Prisma's own schema engine in its WebAssembly form, which comes from npm, and a throw-away
 * embedded server. The package is internal to Prisma: take the version that belongs to the client
 * (`npm ls @prisma/engines-version`), and expect it to change.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { PrismaPg } from '@prisma/adapter-pg'
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils'
import * as engine from '@prisma/schema-engine-wasm/schema_engine_bg'
import pg from 'pg'
import { joinServer, serverFolders } from '../src/db/embedded.ts'
import { migrate } from '../src/db/migrate.ts'
import { openHome } from '../src/home.ts'

/** What is used of WebAssembly, which the types of neither Node nor ES2023 describe. */
const webAssembly = (globalThis as unknown as { WebAssembly: { instantiate(wasm: Buffer, imports: object): Promise<{ instance: { exports: { __wbindgen_start(): void } } }> } }).WebAssembly

/** The SQL between what the database at `url` holds and the schema; empty when they agree. */
export async function schemaDiff(url: string, schemaFile: string): Promise<string> {
  const require = createRequire(import.meta.url)
  const wasm = await readFile(require.resolve('@prisma/schema-engine-wasm').replace(/schema_engine\.js$/, 'schema_engine_bg.wasm'))
  const { instance } = await webAssembly.instantiate(wasm, { './schema_engine_bg.js': engine })
  engine.__wbg_set_wasm(instance.exports)
  instance.exports.__wbindgen_start()
  const schema = { path: schemaFile, content: await readFile(schemaFile, 'utf8') }
  const pool = readingCatalogs(new pg.Pool({ connectionString: url, max: 1 }))
  const adapter = bindMigrationAwareSqlAdapterFactory(new PrismaPg(pool))
  const diff = await engine.SchemaEngine.new({ datamodels: [[schema.path, schema.content]] }, () => undefined, adapter)
  try {
    const { stdout } = await diff.diff({
      from: { tag: 'schemaDatasource', files: [schema], configDir: dirname(schemaFile) },
      to: { tag: 'schemaDatamodel', files: [schema] },
      script: true,
      exitCode: null,
      filters: { externalTables: [], externalEnums: [] },
    })
    return /^\s*(-- This is an empty migration\.)?\s*$/.test(stdout ?? '') ? '' : (stdout ?? '')
  } finally {
    diff.free()
    await pool.end()
  }
}

/** The adapter does not know the type "char" of PostgreSQL's catalogs, which the engine reads: make it text. */
function readingCatalogs(pool: pg.Pool): pg.Pool {
  const [charType, textType] = [18, 25]
  const query = pool.query.bind(pool) as (config: pg.QueryArrayConfig) => Promise<pg.QueryArrayResult>
  return Object.assign(pool, {
    query: async (config: pg.QueryArrayConfig) => {
      const result = await query(config)
      for (const field of result.fields) if (field.dataTypeID === charType) field.dataTypeID = textType
      return result
    },
  })
}

async function main(): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'greetings-diff-'))
  await openHome({ folder: home, create: true })
  const folders = [...(await serverFolders(home)), home]
  try {
    const server = await joinServer(home, 'migration-diff')
    try {
      const url = server.url('postgres')
      const client = new pg.Client(url)
      await client.connect()
      await migrate(client).finally(() => client.end())
      console.log(await schemaDiff(url, fileURLToPath(new URL('../prisma/schema.prisma', import.meta.url))))
    } finally {
      await server.close()
    }
  } finally {
    for (const folder of folders) await rm(folder, { recursive: true, force: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
