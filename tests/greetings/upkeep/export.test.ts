import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { forgetImported, importVideos, type CachedVideo } from '../../../src/greetings/upkeep/export.ts'
import type { Database } from '../../../src/db/database.ts'
import { temporaryDatabase } from '../../environment/temporary-database.ts'

let database: Database
beforeAll(async () => {
  database = await temporaryDatabase()
})
afterAll(() => database.close())
beforeEach(async () => {
  await database.db.videoAsset.deleteMany()
  await database.db.importedVideo.deleteMany()
})

const video = (name: string): CachedVideo => ({
  template: 'tiny',
  name,
  display: name,
  say: null,
  revision: null,
  templateRevision: null,
  botId: 1,
  fileId: `file of ${name}`,
  fileUniqueId: null,
  storageChatId: null,
  storageMessageId: null,
  availableAt: null,
})
const options = { overwrite: false, botId: 1n, onProgress: () => undefined }

it('property 16: while an import waits for its next line no transaction is open, and nothing is there before the last', async () => {
  const { db } = database
  let looked = false
  async function* slowly() {
    yield [video('маша')]
    expect(await db.importedVideo.count()).toBe(1)
    expect(
      await db.$queryRaw`SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL AND state <> 'active'`,
    ).toEqual([])
    expect(await db.videoAsset.count()).toBe(0)
    looked = true
    yield [video('петя'), video('маша')]
  }
  expect(await importVideos(db, slowly(), options)).toMatchObject({ lines: 3, added: 2, repeated: 1 })
  expect(looked).toBe(true)
  expect(await db.videoAsset.count({ where: { status: 'AVAILABLE' } })).toBe(2)
  expect(await db.importedVideo.count()).toBe(0)
})

it('an import that breaks off leaves nothing, and touches no other that is under way', async () => {
  const { db } = database
  async function* breaking() {
    yield [video('маша')]
    expect(await importVideos(db, one(), options)).toMatchObject({ lines: 1, added: 1 })
    throw new Error('the file is cut')
  }
  async function* one() {
    yield [video('петя')]
  }
  await expect(importVideos(db, breaking(), options)).rejects.toThrow('the file is cut')
  expect((await db.videoAsset.findMany()).map(({ name }) => name)).toEqual(['петя'])
  expect(await db.importedVideo.count()).toBe(0)
})

it('lines of an import that was killed go after a day', async () => {
  const { db } = database
  for (const hours of [1, 25])
    await db.importedVideo.create({
      data: {
        run: 'killed',
        template: 'tiny',
        name: `${hours}`,
        display: 'N',
        botId: 1n,
        fileId: 'f',
        createdAt: new Date(Date.now() - hours * 3_600_000),
      },
    })
  await forgetImported(db)
  expect((await db.importedVideo.findMany()).map(({ name }) => name)).toEqual(['1'])
})
