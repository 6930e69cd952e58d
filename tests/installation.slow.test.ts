/** An installation that belongs to root, used by somebody else as the documents say; only root can play both. */
import { execFile, execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { packageRoot } from '../src/installation.ts'
import { startProgram, type Program } from './environment/program.ts'
import { openTestEnvironment, type TestEnvironment } from './environment/test-environment.ts'

const nobody = 65_534
const cronFile = readFileSync(join(packageRoot, 'deploy', 'greetings.cron'), 'utf8')

/** The lines of greetings.cron: when, as whom, what. */
const cronLines = cronFile
  .split('\n')
  .filter((line) => /^[\d*]/.test(line))
  .map((line) => /^(?:\S+\s+){5}(\S+)\s+(.*)$/.exec(line)?.slice(1) ?? [])

/** Every command line of ours in the documents and units, from `greetings` to what belongs to the shell. */
function documented(): { file: string; line: string }[] {
  const found: { file: string; line: string }[] = []
  for (const file of [
    'README.md',
    'deploy/README.md',
    ...readdirSync(join(packageRoot, 'docs'))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
    'deploy/greetings.cron',
    ...['up', 'bot', 'worker'].map((unit) => `deploy/systemd/greetings-${unit}.service`),
  ]) {
    const text = readFileSync(join(packageRoot, file), 'utf8').replace(/```mermaid[\s\S]*?```/g, '')
    const code = file.endsWith('.md')
      ? [...text.matchAll(/```[a-z]*\n([\s\S]*?)```|`([^`\n]+)`/g)].map(([, block, inline]) => block ?? inline ?? '')
      : [text]
    for (const line of code.flatMap((part) => part.split('\n'))) {
      for (const [, words = ''] of line.matchAll(
        /(?:^|[\s(=]|npx |\/usr\/local\/bin\/|-u )(?:greetings|(?:\/usr\/bin\/)?node \/opt\/greetings\/bin\/greetings\.js) ((?:[a-z][\w-]*|-[\w-]+(?:=\S+)?)[^|<>&;)`#$]*)/g,
      )) {
        found.push({ file, line: words.trim() })
      }
    }
  }
  return found
}

it('nothing that another user runs goes through npx', () => {
  for (const file of [
    'deploy/greetings.cron',
    'deploy/README.md',
    'docs/operating.md',
    'deploy/systemd/greetings-up.service',
    'deploy/systemd/greetings-bot.service',
    'deploy/systemd/greetings-worker.service',
  ]) {
    expect(
      readFileSync(join(packageRoot, file), 'utf8').replace(/`npx greetings` is for a checkout of your own/, ''),
      file,
    ).not.toMatch(/npx greetings/)
  }
  for (const source of readdirSync(join(packageRoot, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  )) {
    expect(readFileSync(join(packageRoot, 'src', source), 'utf8'), source).not.toMatch(/npx greetings/)
  }
})

it('prepare builds, but not for npx', () => {
  const prepare = (npm_command: string) =>
    spawnSync(process.execPath, [join(packageRoot, 'scripts', 'prepare.js')], {
      env: { PATH: '/nowhere', npm_command },
      encoding: 'utf8',
    }).status
  expect(prepare('exec')).toBe(0)
  expect(prepare('ci')).not.toBe(0) // there is no npm in this PATH
})

describe.skipIf(process.getuid?.() !== 0)(
  `an installation of root's${process.getuid?.() === 0 ? '' : ' (skipped: only root can make one)'}`,
  () => {
    let town: TestEnvironment
    let top: string
    let installation: string
    let link: string
    let before: Map<string, string>
    let worker: Program | undefined
    const paths = () => ({
      '/opt/greetings': installation,
      '/usr/local/bin/greetings': link,
      '/var/log/greetings': join(top, 'log'),
      '/var/backups/greetings': join(top, 'backups'),
    })
    const here = (line: string) =>
      Object.entries(paths()).reduce((text, [path, ours]) => text.replaceAll(path, ours), line)
    const env = () => ({ PATH: `${join(top, 'bin')}:/usr/local/bin:/usr/bin:/bin`, HOME: join(top, 'home') })
    /** As cron runs a line: by sh, with nothing but this environment, in the user's home. */
    const asSomebody = (line: string) =>
      new Promise<{ status: unknown; stdout: string; stderr: string }>((resolve) => {
        // This process goes on meanwhile: what stands for Telegram runs in it.
        execFile(
          '/bin/sh',
          ['-c', line],
          { env: env(), cwd: join(top, 'home'), uid: nobody, gid: nobody, timeout: 120_000 },
          (error, stdout, stderr) => resolve({ status: error === null ? 0 : error.code, stdout, stderr }),
        )
      })

    beforeAll(async () => {
      town = await openTestEnvironment()
      top = mkdtempSync(join(tmpdir(), 'greetings-root-'))
      chmodSync(top, 0o755)
      installation = join(top, 'opt', 'greetings')
      for (const name of [
        'bin',
        'dist',
        'names',
        'prisma',
        'templates',
        'docs',
        'deploy',
        'scripts',
        'package.json',
        'package-lock.json',
      ])
        cpSync(join(packageRoot, name), join(installation, name), { recursive: true })
      cpSync(String(town.env.TEMPLATES_FOLDER), join(installation, 'own-templates'), { recursive: true })
      for (const list of ['ru', 'en'])
        writeFileSync(
          join(installation, 'names', `${list}.csv`),
          list === 'ru' ? 'name,count\nМаша,2\nПетя,1\n' : 'name\nAnna\n',
        )
      mkdirSync(join(installation, 'node_modules'))
      // Others may pass neither through root's folders nor through ours;
      // what lies behind a mount is reached without them.
      execFileSync('mount', ['--bind', join(packageRoot, 'node_modules'), join(installation, 'node_modules')])
      for (const name of ['bin', 'home', 'log', 'backups']) {
        mkdirSync(join(top, name), { mode: 0o755 })
        if (name !== 'bin') chownSync(join(top, name), nobody, nobody)
      }
      link = join(top, 'bin', 'greetings')
      symlinkSync(join(installation, 'bin', 'greetings.js'), link)
      const variables = {
        ...town.env,
        GREETINGS_HOME: join(top, 'home', 'greetings'),
        TEMPLATES_FOLDER: join(installation, 'own-templates'),
      }
      writeFileSync(
        join(installation, '.env'),
        Object.entries(variables)
          .filter(([name]) => name !== 'PATH' && name !== 'HOME')
          .map(([name, value]) => `${name}=${value}\n`)
          .join(''),
        { mode: 0o640 },
      )
      chownSync(join(installation, '.env'), 0, nobody)
      before = snapshot(installation)
    }, 120_000)
    afterAll(async () => {
      worker?.signal('SIGTERM')
      await worker?.ended
      execFileSync('umount', [join(installation, 'node_modules')])
      rmSync(top, { recursive: true, force: true })
      await town.close()
    })

    it('every line of the crontab does its work for another user, and changes nothing in the folder', async () => {
      // What the unit of a worker starts.
      worker = startProgram(['worker'], {
        env: { ...env(), ...town.env, GREETINGS_HOME: join(top, 'home', 'greetings') },
        cwd: installation,
      })
      mkdirSync(join(top, 'home', 'greetings'), { mode: 0o700 })
      chownSync(join(top, 'home', 'greetings'), nobody, nobody)
      await worker.waitForText(/worker is running/)
      expect(cronLines.length).toBeGreaterThanOrEqual(7)
      for (const [user, line = ''] of cronLines) {
        expect(user).toBe('greetings')
        const end = await asSomebody(here(line).replaceAll('\\%', '%'))
        expect([end.status, end.stderr], `${line}\n${end.stdout}`).toEqual([0, ''])
      }
      const files = (folder: string) =>
        readdirSync(join(top, folder)).map((name) => [name, readFileSync(join(top, folder, name), 'utf8')])
      const logs = Object.fromEntries(files('log')) as Record<string, string>
      expect(JSON.parse(logs['warm.log'] ?? '')).toMatchObject({ names: 3, available: 3 })
      expect(JSON.parse(logs['status.log'] ?? '')).toMatchObject({ assets: { available: 3 } })
      expect(logs['missed.csv']).toContain('name,count')
      expect(logs['cron.log']).toBe('')
      expect(
        files('backups').map(([name, text]) => [
          name,
          text?.split('\n').filter((line) => line.includes('"fileId"')).length,
        ]),
      ).toEqual([[expect.stringMatching(/^cache-\d\.jsonl$/), 3]])
      expect(snapshot(installation)).toEqual(before)
    })

    it('every command line of the documents and units is known, by the link and by node, and changes nothing in the folder', async () => {
      const lines = documented()
      expect(lines.length).toBeGreaterThan(40)
      for (const line of [...new Set(lines.map(({ line }) => line))]) {
        const words = line.replaceAll(/\s+(FILE|ID|N)\b/g, ' 1')
        const end = await asSomebody(`cd ${installation} && greetings ${words} --help`)
        expect(
          [end.status, end.stderr],
          lines
            .filter((one) => one.line === line)
            .map(({ file }) => `${file}: ${line}`)
            .join(', '),
        ).toEqual([0, ''])
        expect(end.stdout).toMatch(/^Usage: greetings/)
      }
      const doctor = await asSomebody(`cd ${installation} && node ${installation}/bin/greetings.js doctor`)
      expect(doctor.stdout).toContain(`command    node ${installation}/bin/greetings.js\n`)
      expect(snapshot(installation)).toEqual(before)
    })
  },
)

/** What could change: kind, mode, owner, size and the two times of every file and folder. */
function snapshot(folder: string): Map<string, string> {
  const seen = new Map<string, string>()
  const look = (path: string) => {
    const { mode, uid, gid, size, mtimeMs, ctimeMs } = lstatSync(path)
    seen.set(path, [mode, uid, gid, size, mtimeMs, ctimeMs].join(' '))
  }
  look(folder)
  // Where vitest keeps how long tests took, another run of it may end meanwhile.
  const isOfTests = (name: string) => name.startsWith(join('node_modules', '.vite'))
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
    if (!isOfTests(name)) look(join(folder, name))
  return seen
}
