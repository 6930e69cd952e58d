/** `db backup` and `db restore` on an embedded server of their own. */
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { openDatabase, type Database } from '../../src/db/database.ts'
import { serverFolders, serverUrl, startServer, stopServer } from '../../src/db/embedded.ts'
import { runProgram } from '../commands/program.ts'
import { temporaryHome } from './temporary-database.ts'

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
const db = (args: string[], folder = home.folder) => runProgram(['db', ...args], { env: { PATH: process.env.PATH ?? '', HOME: dirname(home.folder), GREETINGS_HOME: folder } })

it('nothing to back up: 2', async () => {
  expect(await db(['backup', file])).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('nothing to back up') as string })
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
  for (const args of [['backup', `${file}.2`], ['restore', file]]) {
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
  for (const path of [wrong, join(dirname(file), 'nowhere.tar.gz')]) expect(await db(['restore', path])).toMatchObject({ code: 2, stdout: '' })
  expect(await names()).toEqual(['маша'])
  expect((await readdir((await serverFolders(home.folder))[0] ?? '')).filter((name) => name.startsWith('new-'))).toEqual([])
})
