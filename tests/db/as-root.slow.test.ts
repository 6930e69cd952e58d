/**
 * The embedded server of a home of root's. Each command runs in a mount namespace with accounts and a /var/lib
 * of its own, so the machine's stay as they are.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { packageRoot } from '../../src/installation.ts'

const nobody = 65_534
const ours = 4_243
const mayMount = process.getuid?.() === 0 && spawnSync('unshare', ['--mount', 'true']).status === 0

let top: string
let home: string
/** stands at /var/lib */
let varLib: string
/** stands at /etc/passwd */
let accounts: string
beforeAll(() => {
  top = mkdtempSync(join(tmpdir(), 'greetings-root-'))
  chmodSync(top, 0o711)
  home = join(top, 'home')
  varLib = join(top, 'lib')
  accounts = join(top, 'passwd')
  mkdirSync(varLib)
  haveAccount(false)
})
afterEach((context) => void (context.task.result?.state !== 'skip' && stop()))
afterAll(() => rmSync(top, { recursive: true, force: true }))

function haveAccount(greetings: boolean): void {
  writeFileSync(
    accounts,
    `root:x:0:0::/root:/bin/sh\nnobody:x:${nobody}:${nobody}::/nonexistent:/bin/false\n${greetings ? `greetings:x:${ours}:${ours}::/nonexistent:/bin/false\n` : ''}`,
  )
}

/** Runs a command of the program; one that does not end with `code` fails the test. */
function greetings(args: string[], code = 0): { stdout: string; stderr: string } {
  const script = 'mount --bind "$0" /etc/passwd && mount --bind "$1" /var/lib && shift && exec "$@"'
  const end = spawnSync(
    'unshare',
    [
      '--mount',
      '--propagation',
      'private',
      'sh',
      '-c',
      script,
      accounts,
      varLib,
      process.execPath,
      join(packageRoot, 'bin', 'greetings.js'),
      ...args,
    ],
    {
      env: { PATH: process.env.PATH ?? '', HOME: '/root', GREETINGS_HOME: home },
      encoding: 'utf8',
      timeout: 60_000,
      killSignal: 'SIGKILL',
    },
  )
  expect(end.status, end.stderr).toBe(code)
  return end
}
const start = () => greetings(['db', 'start'])
const stop = () => greetings(['db', 'stop'])
const url = () => new URL(greetings(['db', 'url']).stdout.trim())

/** The folder of the data as the machine sees it. */
const own = () => join(varLib, 'greetings', readFileSync(join(home, 'id'), 'utf8').trim())
const ownerOf = (path: string) => lstatSync(path).uid
const serverUid = () =>
  ownerOf(`/proc/${readFileSync(join(own(), 'data', 'postmaster.pid'), 'utf8').split('\n')[0] ?? ''}`)
const as = (uid: number, script: string) =>
  execFileSync('setpriv', [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', 'sh', '-ec', script], { cwd: '/' })

async function ask<T>(sql: string): Promise<T[]> {
  const client = new pg.Client(new URL('postgres', url()).href)
  await client.connect()
  return client
    .query(sql)
    .then(({ rows }) => rows as T[])
    .finally(() => client.end())
}

describe.skipIf(!mayMount)('the embedded server in a home of root’s', () => {
  it('runs as nobody where there is no account of ours, and only the data are that user’s', async () => {
    start()
    expect(serverUid()).toBe(nobody)
    await ask('CREATE TABLE kept AS SELECT 42 AS answer')
    expect(readdirSync(own())).toEqual(['data'])
    expect([ownerOf(own()), statSync(own()).mode & 0o777]).toEqual([0, 0o711])
    const keys = join(home, 'postgres')
    expect(readdirSync(keys).sort()).toEqual(['data-folder', 'keep', 'lock', 'log', 'password', 'port'])
    for (const name of ['.', ...readdirSync(keys)])
      expect([name, ownerOf(join(keys, name)), statSync(join(keys, name)).mode & 0o022]).toEqual([name, 0, 0])
    expect(readFileSync(join(keys, 'log'), 'utf8')).toContain('ready to accept connections')
  })

  it('takes over data of the former layout once, for the account greetings, and follows no link that lies there', async () => {
    start()
    const port = url().port
    stop()
    // As it was: all in a folder of nobody's, in which nobody planted what they liked.
    const keys = join(home, 'postgres')
    const victim = join(top, 'victim')
    mkdirSync(victim, { mode: 0o755 })
    writeFileSync(join(victim, 'large'), Buffer.alloc(1_500_000, 1))
    writeFileSync(join(victim, 'pid'), `${process.pid}\n/x\n1\n5432\n\n127.0.0.1\n  1 1\nready   \n`)
    const before = readdirSync(victim).map((name) => readFileSync(join(victim, name)))
    renameSync(join(keys, 'port'), join(own(), 'port'))
    mkdirSync(join(own(), 'lock'))
    execFileSync('chown', [`${nobody}:${nobody}`, own()])
    chmodSync(own(), 0o700)
    as(
      nobody,
      `cd '${own()}'
      mkdir -p new-1/data; ln -s '${victim}' new-1/data/link; ln -s '${victim}' new-2; ln -s '${victim}/large' log
      touch keep; ln -sf '${victim}/pid' data/postmaster.pid`,
    )
    haveAccount(true)

    start()
    expect(url().port).toBe(port)
    expect(await ask('SELECT answer FROM kept')).toEqual([{ answer: 42 }])
    expect(serverUid()).toBe(ours)
    expect(readdirSync(own())).toEqual(['data'])
    expect([ownerOf(own()), statSync(own()).mode & 0o777]).toEqual([0, 0o711])
    for (const entry of readdirSync(join(own(), 'data'), { recursive: true, encoding: 'utf8' }))
      expect([entry, ownerOf(join(own(), 'data', entry))]).toEqual([entry, ours])
    expect(readdirSync(victim).map((name) => readFileSync(join(victim, name)))).toEqual(before)

    // Once: what stands there afterwards is as root left it.
    stop()
    const changed = statSync(own()).ctimeMs
    start()
    stop()
    expect(statSync(own()).ctimeMs).toBe(changed)
  })

  it('empties nothing through a link in the place of the server’s own files, and waits for no pipe', async () => {
    start()
    stop()
    const victim = join(top, 'victim', 'pid')
    const before = readFileSync(victim)
    for (const plant of [`ln -s '${victim}'`, 'mkfifo']) {
      as(ours, `cd '${own()}/data'; rm -f postmaster.pid; ${plant} postmaster.pid`)
      greetings(['db', 'url'], 2)
      expect(readFileSync(victim)).toEqual(before)
    }
    as(ours, `rm '${own()}/data/postmaster.pid'`)
  })

  it('refuses a folder in the place of the data that root did not expect', async () => {
    execFileSync('chown', ['-h', `${nobody}:${nobody}`, own()])
    renameSync(join(own(), 'data'), join(own(), 'away'))
    symlinkSync('/etc', join(own(), 'data'))
    expect(greetings(['db', 'start'], 2).stderr).toContain('somebody put something else in its place')
    rmSync(join(own(), 'data'))
    renameSync(join(own(), 'away'), join(own(), 'data'))
  })

  it('runs as the owner of a home of somebody else, and all that is made there is theirs', () => {
    const former = home
    home = join(top, 'theirs')
    mkdirSync(home)
    execFileSync('chown', [`${nobody}:${nobody}`, home])
    try {
      start()
      expect(
        ownerOf(`/proc/${readFileSync(join(home, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n')[0] ?? ''}`),
      ).toBe(nobody)
      const entries = readdirSync(home, { recursive: true, encoding: 'utf8' })
      expect(entries.length).toBeGreaterThan(500)
      expect(entries.filter((entry) => ownerOf(join(home, entry)) !== nobody)).toEqual([])
    } finally {
      stop()
      home = former
    }
  })

  it('keeps its data elsewhere where /var/lib/greetings is somebody’s home', async () => {
    execFileSync('chown', [`${ours}:${ours}`, join(varLib, 'greetings')])
    home = join(top, 'other')
    start()
    expect(readdirSync(join(varLib, 'greetings-root'))).toContain(readFileSync(join(home, 'id'), 'utf8').trim())
  })
})
