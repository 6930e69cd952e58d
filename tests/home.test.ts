import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findHome, HomeUnusable, openHome } from '../src/home.ts'

const asRoot = process.getuid?.() === 0
let top: string
let installation: string
let userFolder: string
beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'greetings-find-'))
  installation = join(top, 'installation')
  userFolder = join(top, 'user')
  await mkdir(installation)
  await mkdir(userFolder)
  await mkdir(join(top, 'work', 'deep', 'down'), { recursive: true })
})
afterEach(() => rm(top, { recursive: true, force: true }))

const find = (cwd: string, explicit?: string) => findHome({ explicit, cwd: join(top, cwd), installation, userFolder })

describe('findHome', () => {
  it('takes GREETINGS_HOME, relative to the working directory', async () => {
    await mkdir(join(top, 'work', '.greetings'))
    expect(await find('work', '/somewhere/else')).toEqual({ folder: '/somewhere/else', exists: false })
    expect(await find('work', 'mine')).toEqual({ folder: join(top, 'work', 'mine'), exists: false })
  })

  it('takes the nearest .greetings upwards', async () => {
    await openHome({ folder: join(top, '.greetings'), create: true })
    expect(await find('work/deep/down')).toEqual({ folder: join(top, '.greetings'), exists: true })
    await openHome({ folder: join(top, 'work', '.greetings'), create: true })
    expect(await find('work/deep/down')).toEqual({ folder: join(top, 'work', '.greetings'), exists: true })
  })

  it('takes no file that is called .greetings', async () => {
    await writeFile(join(top, 'work', '.greetings'), '')
    expect((await find('work/deep')).folder).toBe(join(installation, '.greetings'))
  })

  it('takes the one beside the installation from anywhere else, and makes nothing', async () => {
    expect(await find('work/deep')).toEqual({ folder: join(installation, '.greetings'), exists: false })
    expect(await readdir(installation)).toEqual([])
  })

  it("takes the user's folder when the installation may be emptied by a package manager", async () => {
    installation = join(top, 'node_modules', 'greetings')
    await mkdir(installation, { recursive: true })
    expect((await find('work')).folder).toBe(join(userFolder, '.greetings'))
  })

  it.skipIf(asRoot)("takes the user's folder when the installation cannot be written", async () => {
    await chmod(installation, 0o555)
    expect((await find('work')).folder).toBe(join(userFolder, '.greetings'))
  })
})

describe('openHome', () => {
  it('makes a folder for its owner only, with an id that stays', async () => {
    const folder = join(top, 'a', 'b', '.greetings')
    const made = await openHome({ folder, create: true })
    expect((await stat(folder)).mode & 0o777).toBe(0o700)
    expect((await stat(join(folder, 'id'))).mode & 0o777).toBe(0o600)
    expect(await openHome({ folder, create: false })).toEqual(made)
    expect(await openHome({ folder, create: true })).toEqual(made)
    expect(await readdir(folder)).toEqual(['id'])
  })

  it('makes one id, however many come at once', async () => {
    const folder = join(top, '.greetings')
    const made = await Promise.all(Array.from({ length: 20 }, () => openHome({ folder, create: true })))
    expect(new Set(made.map(({ id }) => id)).size).toBe(1)
    expect(await readdir(folder)).toEqual(['id'])
  })

  it('makes none unasked and names the folder it looked for', async () => {
    const folder = join(top, '.greetings')
    const failure: unknown = await openHome({ folder, create: false }).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(HomeUnusable)
    expect(failure).toMatchObject({ folder })
    expect(String(failure)).toContain(folder)
    expect(await readdir(top)).not.toContain('.greetings')
  })

  it('says so when the folder cannot be made, or its id was damaged', async () => {
    const file = join(top, 'file')
    await writeFile(file, '')
    await expect(openHome({ folder: join(file, '.greetings'), create: true })).rejects.toThrow(
      /cannot be created \(ENOTDIR\)/,
    )
    await writeFile(join(userFolder, 'id'), '../../etc')
    await expect(openHome({ folder: userFolder, create: true })).rejects.toThrow(HomeUnusable)
    expect(await readFile(join(userFolder, 'id'), 'utf8')).toBe('../../etc')
  })

  it.skipIf(asRoot)('refuses the folder of another user', async () => {
    await expect(openHome({ folder: '/', create: true })).rejects.toThrow(/belongs to another user/)
  })
})
