/** Where variables come from beside the environment, and which files are not believed. */
import { spawnSync } from 'node:child_process'
import { chmod, chown, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { commandTable } from '../src/command-table/index.ts'
import { EnvFileUnusable, readEnvFile } from '../src/env-file.ts'
import { openHome } from '../src/home.ts'
import { packageRoot } from '../src/installation.ts'
import { runProgram } from './environment/program.ts'

vi.setConfig({ testTimeout: 120_000 })

const me = process.geteuid?.()
let folder: string
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'greetings-env-')))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('a .env file', () => {
  it('is read when it and its folder belong to us or root, and nobody else may write them', async () => {
    const path = join(folder, '.env')
    expect(await readEnvFile(path, me)).toBeUndefined()
    await writeFile(path, 'PORT=1\n# a remark\nexport FFMPEG_PATH="/a b"\n', { mode: 0o644 })
    expect(await readEnvFile(path, me)).toEqual({ PORT: '1', FFMPEG_PATH: '/a b' })
    await symlink('.env', join(folder, 'link'))
    expect(await readEnvFile(join(folder, 'link'), me)).toEqual({ PORT: '1', FFMPEG_PATH: '/a b' })
  })

  it('is not read when others may write it, its folder, or what a link leads to', async () => {
    const path = join(folder, '.env')
    const refused = (file = path) =>
      readEnvFile(file, me).then(
        () => 'read',
        (error: unknown) => (error instanceof EnvFileUnusable ? error.message : String(error)),
      )
    await writeFile(path, 'PORT=1')
    for (const mode of [0o664, 0o646]) {
      await chmod(path, mode)
      expect(await refused()).toMatch(
        new RegExp(
          `^${path} may be written by others \\(mode ${mode.toString(8)}\\)\\. It names programs .* \`chmod go-w ${path}\``,
        ),
      )
    }
    await chmod(path, 0o600)
    for (const mode of [0o770, 0o1777]) {
      await chmod(folder, mode)
      expect(await refused()).toMatch(
        new RegExp(`^${path} is not read: its folder ${folder} may be written by others .*chmod go-w ${folder}`),
      )
    }
    const safe = join(folder, 'safe')
    await mkdir(safe, { mode: 0o700 })
    await symlink(path, join(safe, '.env'))
    expect(await refused(join(safe, '.env'))).toContain(`its folder ${folder} may be written by others`)
    await chmod(folder, 0o700)
    expect(await refused(join(safe, '.env'))).toBe('read')
    await mkdir(join(safe, 'folder'))
    expect(await refused(join(safe, 'folder'))).toContain('is no file')
  })

  it.runIf(me === 0)('is not read when it or its folder belongs to somebody else who is not root', async () => {
    const path = join(folder, '.env')
    await writeFile(path, 'PORT=1', { mode: 0o600 })
    await chown(path, 4711, 4711)
    await expect(readEnvFile(path, 0)).rejects.toThrow(`${path} belongs to another user (uid 4711)`)
    await expect(readEnvFile(path, 4711)).resolves.toEqual({ PORT: '1' }) // the folder is root's
    await chown(folder, 4711, 4711)
    await chown(path, 0, 0)
    await expect(readEnvFile(path, 0)).rejects.toThrow(`its folder ${folder} belongs to another user (uid 4711)`)
    await expect(readEnvFile(path, 1234)).rejects.toThrow(`its folder ${folder} belongs to another user (uid 4711)`)
  })
})

describe('the program', () => {
  let home: string
  let other: string
  const env = (more: Record<string, string> = {}) => ({ PATH: process.env.PATH ?? '', HOME: folder, ...more })
  // A value that is wrong is told by every command that reads it, before anything is made.
  const portRead = async (args: string[], variables: Record<string, string> = {}, cwd = folder) => {
    const end = await runProgram(args, { env: env(variables), cwd })
    expect(end, end.stderr).toMatchObject({ code: 2, stdout: '' })
    return [...end.stderr.matchAll(/^ {2}(\w+) .*is (?:below|above) (-?\d+)/gm)].map(
      ([, name, bound]) => `${name} ${bound}`,
    )
  }
  beforeEach(async () => {
    home = join(folder, '.greetings')
    other = join(folder, 'other')
    await mkdir(other)
    await openHome({ folder: home, create: true })
  })

  it('takes what is not set from .env of the working directory, then of the home; a set variable wins, also an empty one', async () => {
    await writeFile(join(home, '.env'), 'PORT=-1\nSTOP_SECONDS=-1\nGREETINGS_HOME=/nowhere\n', { mode: 0o600 })
    expect(await portRead(['status'])).toEqual(['PORT 0', 'STOP_SECONDS 0'])
    await writeFile(join(folder, '.env'), 'PORT=70000\n', { mode: 0o600 })
    expect(await portRead(['status'])).toEqual(['PORT 65535', 'STOP_SECONDS 0'])
    expect(await portRead(['status'], { PORT: '' })).toEqual(['STOP_SECONDS 0'])
    // .env of the working directory may say where the home is.
    await writeFile(join(other, '.env'), `GREETINGS_HOME=${home}\nCHANNEL_RATE=0\n`, { mode: 0o600 })
    expect((await portRead(['status'], {}, other)).sort()).toEqual(['CHANNEL_RATE 1', 'PORT 0', 'STOP_SECONDS 0'])
  })

  it('takes nothing from the home that says where the home is', async () => {
    await writeFile(join(home, '.env'), `GREETINGS_HOME=${other}\n`, { mode: 0o600 })
    const end = await runProgram(['db', 'url'], { env: env(), cwd: folder })
    expect(end.code).toBe(2)
    expect(end.stderr).not.toContain(other)
  })

  it('reads --env-file instead of both; one that is not there or not safe: 2 with the file and the remedy', async () => {
    const file = join(other, 'greetings.env')
    await writeFile(join(home, '.env'), 'PORT=-1\n', { mode: 0o600 })
    await writeFile(file, 'CHANNEL_RATE=0\n', { mode: 0o600 })
    expect(await portRead(['--env-file', file, 'status'])).toEqual(['CHANNEL_RATE 1'])
    expect(await portRead(['status', '--env-file', 'other/greetings.env'])).toEqual(['CHANNEL_RATE 1'])
    expect(await portRead(['status', '--env-file', file], { CHANNEL_RATE: '-5', PORT: '-1' })).toEqual([
      'CHANNEL_RATE 1',
      'PORT 0',
    ])
    // As a link to it runs it. After `node bin/greetings.js` Node 20 looks for the file itself, and ends with 9.
    const missing = spawnSync(join(packageRoot, 'bin', 'greetings.js'), ['status', '--env-file', 'nothing'], {
      env: env(),
      cwd: folder,
      encoding: 'utf8',
    })
    expect(missing).toMatchObject({
      status: 2,
      stdout: '',
      stderr: `There is no file ${join(folder, 'nothing')}: correct --env-file.\n`,
    })
    await chmod(file, 0o666)
    const unsafe = await runProgram(['status', '--env-file', file], { env: env() })
    expect(unsafe).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(`chmod go-w ${file}`) as string,
    })
  })

  it('every command but completion refuses a file that others may write', async () => {
    await writeFile(join(folder, '.env'), 'FFMPEG_PATH=/tmp/evil\n')
    await chmod(join(folder, '.env'), 0o666)
    const args: Record<string, string[]> = {
      warm: ['x.csv'],
      render: ['Маша', '-o', 'x.mp4'],
      forget: ['Маша'],
      import: ['x'],
      backup: ['x.tar.gz'],
      restore: ['x'],
    }
    const table = commandTable(() => undefined)
    const commands = table.commands.flatMap((command) =>
      command.commands.length > 0
        ? command.commands.map((child) => [command.name(), child.name()])
        : [[command.name()]],
    )
    const refuses = async (path: string[]) => {
      const end = await runProgram([...path, ...(args[path.at(-1) ?? ''] ?? [])], { env: env(), longestMs: 20_000 })
      expect(end, `${path.join(' ')}: ${end.stderr}`).toMatchObject({ code: 2, stdout: '' })
      expect(end.stderr, path.join(' ')).toContain(`chmod go-w ${join(folder, '.env')}`)
    }
    const left = commands.filter(([verb]) => verb !== 'completion')
    expect(left.length).toBeGreaterThan(20)
    while (left.length > 0) await Promise.all(left.splice(0, 4).map(refuses))
    expect((await runProgram(['completion', 'bash'], { env: env() })).code).toBe(0)
  })
})
