/** No program that we start is told a secret: seen from inside the programs. */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { childEnvironment } from '../src/child-environment.ts'
import { openPage } from '../src/terminal/browser.ts'
import { backUp } from '../src/db/backup.ts'
import { openPiper } from '../src/speech/piper.ts'
import { joinServer } from '../src/db/embedded/index.ts'
import { startProgram } from './environment/program.ts'
import { temporaryHome } from './environment/temporary-database.ts'
import { wav } from './audio/wav.ts'
import { until } from './environment/test-environment.ts'
import { bundledVoice, ffmpegOfTests, tinyTemplates } from './video/tiny.ts'

const folder = mkdtempSync(join(tmpdir(), 'greetings-environment-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const secret = 'not-for-children'
/** Everything of ours that is nobody's business, and what would steer a program. */
const secrets = {
  TELEGRAM_BOT_TOKEN: `123456:${secret}-${secret}-00000`,
  WEBHOOK_SECRET: secret,
  DASHBOARD_PASSWORD: secret,
  TTS_API_KEY: secret,
  DATABASE_URL: `postgres://user:${secret}@127.0.0.1:1/x`,
  REDIS_URL: `redis://:${secret}@127.0.0.1:1`,
  PGPASSWORD: secret,
  AWS_SECRET_ACCESS_KEY: secret,
  SOME_TOOL: secret,
  FFREPORT: `file=${folder}/${secret}`,
  TAR_OPTIONS: `--${secret}`,
}

/** A program that writes down its environment before it does what it should. */
function telling(name: string, then: string): string {
  const path = join(folder, name)
  writeFileSync(
    path,
    `#!/bin/sh\n/usr/bin/env > ${folder}/${name}.partial && mv ${folder}/${name}.partial ${folder}/${name}.env\n${then}\n`,
  )
  chmodSync(path, 0o755)
  return path
}

const told = (name: string) => readFileSync(join(folder, `${name}.env`), 'utf8')

function expectNone(environment: string): void {
  expect(environment).not.toContain(secret)
  for (const name of Object.keys(secrets)) expect(environment).not.toMatch(new RegExp(`(^|[\\n\\0])${name}=`))
  expect(environment).toMatch(/(^|[\n\0])PATH=/)
}

describe('what a program gets of our environment', () => {
  beforeEach(() => {
    for (const [name, value] of Object.entries(secrets)) vi.stubEnv(name, value)
    vi.stubEnv('PATH', `${folder}:${process.env.PATH ?? ''}`)
    return () => vi.unstubAllEnvs()
  })

  test('is the way to programs, the person, the language and the clock', () => {
    for (const [name, value] of Object.entries({
      HOME: '/home/x',
      LANG: 'ru_RU.UTF-8',
      LC_TIME: 'C',
      TZ: 'Asia/Omsk',
      TMPDIR: '/tmp',
      DISPLAY: ':7',
      NODE_OPTIONS: '--inspect',
    }))
      vi.stubEnv(name, value)
    expect(childEnvironment()).toMatchObject({
      HOME: '/home/x',
      LANG: 'ru_RU.UTF-8',
      LC_TIME: 'C',
      TZ: 'Asia/Omsk',
      TMPDIR: '/tmp',
    })
    expect(Object.keys(childEnvironment())).not.toContain('DISPLAY')
    expect(Object.keys(childEnvironment())).not.toContain('NODE_OPTIONS')
    expect(childEnvironment({ screen: true })).toMatchObject({ DISPLAY: ':7', HOME: '/home/x' })
  })

  test('for Piper', async () => {
    writeFileSync(join(folder, 'tone.wav'), wav([0.1, 0.2], { code: 1, bits: 16, channels: 1, rate: 16_000 }))
    writeFileSync(join(folder, 'voice.onnx'), 'a model')
    const engine = await openPiper(
      {
        ...bundledVoice,
        piperPath: telling('piper', `cat > /dev/null; cp ${folder}/tone.wav "$4"`),
        piperModel: join(folder, 'voice.onnx'),
      },
      folder,
    )
    await engine.speak('Маша', 'ru', new AbortController().signal)
    expectNone(told('piper'))
  })

  test('for the browser’s opener, which must find the screen', async () => {
    telling('xdg-open', '')
    vi.stubEnv('DISPLAY', ':7')
    const { isTTY } = process.stdout
    process.stdout.isTTY = true
    await openPage('http://127.0.0.1:1/').finally(() => (process.stdout.isTTY = isTTY))
    await until(async () => existsSync(join(folder, 'xdg-open.env')), 'the opener', 60_000)
    expectNone(told('xdg-open'))
    expect(told('xdg-open')).toContain('DISPLAY=:7')
  })

  test('for tar', async () => {
    const home = await temporaryHome()
    await (await joinServer(home.folder, 'test')).close()
    telling('tar', 'exec /usr/bin/env -u PATH /bin/tar "$@"')
    expect(await backUp(home.folder, join(folder, 'backup.tar.gz'))).toMatchObject({ outcome: 'done' })
    expectNone(told('tar'))
    await home.remove()
  })
})

test('nobody in a family of processes that renders knows a secret but the one that was started', async () => {
  const { path } = await ffmpegOfTests()
  const home = join(folder, 'home')
  mkdirSync(home)
  // It waits at the last step, so that everybody who takes part is there to be looked at.
  const ffmpeg = telling(
    'ffmpeg',
    `case " $* " in *" -version "*) exec ${path} "$@";; *" mp4 "*) while [ ! -e ${folder}/go ]; do sleep 0.05; done;; esac\nexec ${path} "$@"`,
  )
  const program = startProgram(['render', 'Маша', '-o', join(folder, 'masha.mp4')], {
    env: {
      ...secrets,
      PATH: process.env.PATH ?? '',
      HOME: home,
      GREETINGS_HOME: home,
      TEMPLATES: 'tiny',
      TEMPLATES_FOLDER: tinyTemplates,
      FFMPEG_PATH: ffmpeg,
    },
  })
  const family = () => descendants(program.pid)
  await until(async () => family().some(({ command }) => command.includes(' mp4 ')), 'the last step', 120_000)
  const seen = family()
  for (const part of ['video/render-process', 'speech/espeak-process', `/bin/sh ${ffmpeg}`])
    expect(
      seen.some(({ command }) => command.includes(part)),
      part,
    ).toBe(true)
  for (const { environment } of seen) expectNone(environment)
  expectNone(told('ffmpeg'))
  writeFileSync(join(folder, 'go'), '')
  expect((await program.ended).code).toBe(0)
  expect(existsSync(join(folder, secret))).toBe(false)
})

test('the sandbox’s server and the database’s know no secret', async () => {
  const home = join(folder, 'sandbox-home')
  mkdirSync(home)
  const { DATABASE_URL: _address, REDIS_URL: _queue, ...others } = secrets
  const program = startProgram(['bot', '--sandbox'], {
    env: {
      ...others,
      PATH: process.env.PATH ?? '',
      HOME: home,
      GREETINGS_HOME: home,
      TEMPLATES: 'tiny',
      TEMPLATES_FOLDER: tinyTemplates,
    },
  })
  await program.waitForText(/bot is running/)
  const own = processes()
    .filter(({ pid }) => pid !== program.pid)
    .filter(({ command }) => command.includes('sandbox/process/serve') || /^postgres|bin\/postgres/.test(command))
    .filter(({ pid, command }) => command.includes(home) || cwdOf(pid).startsWith(home))
  expect(own.some(({ command }) => command.includes('sandbox/process/serve'))).toBe(true)
  for (const { environment } of own) expect(environment).not.toContain(secret)
  program.signal('SIGTERM')
  expect((await program.ended).code).toBe(0)
})

interface Seen {
  pid: number
  parent: number
  command: string
  environment: string
}

/** Those that can be looked into; one may end meanwhile. */
function processes(): Seen[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const read = (file: string) => readFileSync(join('/proc', name, file), 'utf8')
        return [
          {
            pid: Number(name),
            parent: Number(/\) \w (\d+)/.exec(read('stat'))?.[1]),
            command: `${read('cmdline').replaceAll('\0', ' ')} `,
            environment: read('environ'),
          },
        ]
      } catch {
        return []
      }
    })
}

function cwdOf(pid: number): string {
  return spawnSync('readlink', [`/proc/${pid}/cwd`], { encoding: 'utf8' }).stdout.trim()
}

/** Everybody below a process. */
function descendants(pid: number): Seen[] {
  const all = processes()
  const below = (parent: number): Seen[] =>
    all.filter((one) => one.parent === parent).flatMap((one) => [one, ...below(one.pid)])
  return below(pid)
}
