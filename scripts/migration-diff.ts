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
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum, type SqlQuery } from '@prisma/driver-adapter-utils'
import * as engine from '@prisma/schema-engine-wasm/schema_engine_bg'
import pg from 'pg'
import { joinServer } from '../src/db/embedded/index.ts'
import { serverFolders } from '../src/db/embedded/place.ts'
import { migrate } from '../src/db/migrate.ts'
import { openHome } from '../src/home.ts'

/** What is used of WebAssembly, which the types of neither Node nor ES2023 describe. */
const webAssembly = (
  globalThis as unknown as {
    WebAssembly: {
      instantiate(wasm: Buffer, imports: object): Promise<{ instance: { exports: { __wbindgen_start(): void } } }>
    }
  }
).WebAssembly

/** Once per process: the engine's JavaScript half keeps views of the memory of the first instance. */
let loaded: Promise<void> | undefined

async function load(): Promise<void> {
  const wasm = await readFile(
    createRequire(import.meta.url)
      .resolve('@prisma/schema-engine-wasm')
      .replace(/schema_engine\.js$/, 'schema_engine_bg.wasm'),
  )
  const { instance } = await webAssembly.instantiate(wasm, { './schema_engine_bg.js': engine })
  engine.__wbg_set_wasm(instance.exports)
  instance.exports.__wbindgen_start()
}

/** Prisma's schema engine on the database at `url`. */
export async function withSchemaEngine<T>(
  url: string,
  schema: Schema,
  work: (schemaEngine: engine.SchemaEngine) => Promise<T>,
): Promise<T> {
  await (loaded ??= load())
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  const adapter = bindMigrationAwareSqlAdapterFactory(readingCatalogs(pool))
  const schemaEngine = await engine.SchemaEngine.new(
    { datamodels: [[schema.path, schema.content]] },
    () => undefined,
    adapter,
  )
  try {
    return await work(schemaEngine)
  } finally {
    schemaEngine.free()
    await pool.end()
  }
}

interface Schema {
  path: string
  content: string
}

/** prisma/schema.prisma */
export async function readSchema(): Promise<Schema> {
  const path = fileURLToPath(new URL('../prisma/schema.prisma', import.meta.url))
  return { path, content: await readFile(path, 'utf8') }
}

/** The SQL between what the database at `url` holds and the schema; empty when they agree. */
export async function schemaDiff(url: string): Promise<string> {
  const schema = await readSchema()
  const { stdout } = await withSchemaEngine(url, schema, (schemaEngine) =>
    schemaEngine.diff({
      from: { tag: 'schemaDatasource', files: [schema], configDir: dirname(schema.path) },
      to: { tag: 'schemaDatamodel', files: [schema] },
      script: true,
      exitCode: null,
      filters: { externalTables: [], externalEnums: [] },
    }),
  )
  return (stdout ?? '').replace('-- This is an empty migration.', '').trim()
}

/** An adapter that knows the type "char" of PostgreSQL's catalogs too, which the engine wants to read. */
function readingCatalogs(pool: pg.Pool): PrismaPg {
  const [charType, textType] = [18, 25]
  const charColumns = new WeakMap<unknown[], number[]>()
  const poolQuery = pool.query.bind(pool) as (config: pg.QueryArrayConfig) => Promise<pg.QueryArrayResult>
  Object.assign(pool, {
    query: async (config: pg.QueryArrayConfig) => {
      const result = await poolQuery(config)
      const chars = result.fields.flatMap(({ dataTypeID }, i) => (dataTypeID === charType ? [i] : []))
      for (const i of chars) Object.assign(result.fields[i] ?? {}, { dataTypeID: textType })
      charColumns.set(result.rows, chars)
      return result
    },
  })
  const factory = new PrismaPg(pool)
  const connect = factory.connect.bind(factory)
  return Object.assign(factory, {
    connect: async () => {
      const adapter = await connect()
      const queryRaw = adapter.queryRaw.bind(adapter)
      return Object.assign(adapter, {
        queryRaw: async (query: SqlQuery) => {
          const result = await queryRaw(query)
          for (const i of charColumns.get(result.rows) ?? []) result.columnTypes[i] = ColumnTypeEnum.Character
          return result
        },
      })
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
      console.log(await schemaDiff(url))
    } finally {
      await server.close()
    }
  } finally {
    for (const folder of folders) await rm(folder, { recursive: true, force: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
