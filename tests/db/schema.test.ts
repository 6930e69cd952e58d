import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readSchema, schemaDiff, withSchemaEngine } from '../../scripts/migration-diff.ts'
import type { Database } from '../../src/db/database.ts'
import { migrationsFolder } from '../../src/installation.ts'
import { temporaryDatabase } from '../environment/temporary-database.ts'

let database: Database
beforeAll(async () => {
  database = await temporaryDatabase()
})
afterAll(() => database.close())

describe('the migrations', () => {
  it('lead to prisma/schema.prisma', async () => {
    // Partial indexes, checks and triggers it does not see at all.
    expect(await schemaDiff(database.url)).toBe('')
  })

  it("agree with what Prisma's own engine would do", async () => {
    const names = (await readdir(migrationsFolder, { withFileTypes: true }))
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
    const migrationsList = {
      baseDir: migrationsFolder,
      lockfile: {
        path: './migration_lock.toml',
        content: await readFile(join(migrationsFolder, 'migration_lock.toml'), 'utf8'),
      },
      shadowDbInitScript: '',
      migrationDirectories: await Promise.all(
        names.map(async (name) => ({
          path: name,
          migrationFile: {
            path: 'migration.sql',
            content: {
              tag: 'ok' as const,
              value: await readFile(join(migrationsFolder, name, 'migration.sql'), 'utf8'),
            },
          },
        })),
      ),
    }
    const filters = { externalTables: [], externalEnums: [] }
    await withSchemaEngine(database.url, await readSchema(), async (engine) => {
      expect(
        await engine.diagnoseMigrationHistory({ migrationsList, optInToShadowDatabase: false, filters }),
      ).toMatchObject({ editedMigrationNames: [], failedMigrationNames: [], hasMigrationsTable: true, history: null })
      expect(await engine.applyMigrations({ migrationsList, filters })).toEqual({ appliedMigrationNames: [] })
    })
  })

  it('let a person wait once for a video, whatever was sent before', async () => {
    const { db } = database
    await db.user.create({ data: { id: 1n } })
    const asset = await db.videoAsset.create({ data: { template: 't', name: 'маша', display: 'Маша' } })
    const ask = (updateId: number) =>
      db.userRequest.create({
        data: { userId: 1n, chatId: 1n, assetId: asset.id, language: 'ru', botId: 1n, updateId },
      })
    const first = await ask(1)
    await expect(ask(2)).rejects.toMatchObject({ code: 'P2002' })
    await db.userRequest.update({ where: { id: first.id }, data: { status: 'COMPLETED' } })
    await ask(3)
    expect(await db.userRequest.count()).toBe(2)
  })

  it('keep the installation one row', async () => {
    await expect(database.db.installation.create({ data: { id: 2 } })).rejects.toThrow()
  })

  it('would be seen to differ', async () => {
    const client = new pg.Client(database.url)
    await client.connect()
    await client.query('ALTER TABLE "User" ADD COLUMN "forgotten" int').finally(() => client.end())
    expect(await schemaDiff(database.url)).toContain('DROP COLUMN "forgotten"')
  })
})
