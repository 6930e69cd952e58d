/**
 * Root and the homes of other users. Users that every Debian has play the
 * others: games, daemon, and a uid without an account.
 */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { actAsHomeOwner } from '../src/home-owner.ts'
import { findHome, openHome } from '../src/home.ts'
import { builtScript, packageRoot } from '../src/installation.ts'
import { runProgram } from './environment/program.ts'

const games = 5
const noAccount = 4_242
const isRoot = process.getuid?.() === 0

let top: string
/** a folder of root's, where a planter wants to write */
let target: string
/** a folder of games' */
let theirs: string
beforeAll(() => {
  top = mkdtempSync(join(tmpdir(), 'greetings-owner-'))
  chmodSync(top, 0o755)
})
afterAll(() => rmSync(top, { recursive: true, force: true }))
beforeEach(() => {
  const place = mkdtempSync(join(top, 'case-'))
  chmodSync(place, 0o755)
  target = folderOf(0, join(place, 'target'))
  theirs = folderOf(isRoot ? games : (process.getuid?.() ?? 0), join(place, 'theirs'))
})

function folderOf(uid: number, path: string): string {
  mkdirSync(path)
  if (isRoot) chownSync(path, uid, uid === games ? 60 : uid)
  return path
}

const env = (home?: string) => ({
  PATH: process.env.PATH ?? '',
  HOME: '/root',
  ...(home === undefined ? {} : { GREETINGS_HOME: home }),
})

/** What a process that began as root in this home is afterwards. */
function becomeOwnerOf(home: string) {
  const script = `
    import { actAsHomeOwner } from ${JSON.stringify(builtScript('home-owner'))}
    await actAsHomeOwner({ explicit: ${JSON.stringify(home)}, cwd: '/' })
    let back = 'refused'
    try { process.setuid(0); back = 'root again' } catch {}
    console.log(JSON.stringify({ uid: process.getuid(), euid: process.geteuid(), gid: process.getgid(), groups: process.getgroups(), home: process.env.HOME, user: process.env.USER, back }))`
  return JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }),
  ) as Record<string, unknown>
}

describe.skipIf(!isRoot)('root, with GREETINGS_HOME in the hands of somebody else', () => {
  it('becomes the owner for good: uid, gid, groups, HOME', () => {
    const account = {
      uid: games,
      euid: games,
      gid: 60,
      groups: [60],
      home: '/usr/games',
      user: 'games',
      back: 'refused',
    }
    expect(becomeOwnerOf(folderOf(games, join(theirs, '.greetings')))).toEqual(account)
    // One that does not exist yet would be made in their folder.
    expect(becomeOwnerOf(join(theirs, 'not', 'yet'))).toEqual(account)
  })

  it('becomes a uid without an account too, and keeps none of root’s groups', () => {
    expect(becomeOwnerOf(folderOf(noAccount, join(target, 'home')))).toEqual({
      uid: noAccount,
      euid: noAccount,
      gid: noAccount,
      groups: [noAccount],
      home: '/',
      user: String(noAccount),
      back: 'refused',
    })
    const groupOfRoot = folderOf(noAccount, join(target, 'other'))
    chownSync(groupOfRoot, noAccount, 0)
    expect(becomeOwnerOf(groupOfRoot)).toMatchObject({ gid: 65_534, groups: [65_534] })
  })

  it('stays root in a home of its own', () => {
    expect(becomeOwnerOf(join(target, 'home'))).toMatchObject({ uid: 0, gid: 0, home: process.env.HOME })
  })

  it('follows no link that was planted in it', async () => {
    const home = folderOf(games, join(theirs, '.greetings'))
    symlinkSync(target, join(home, 'cache'))
    const end = await runProgram(['template', 'build', 'new-year-ru'], { env: env(home) })
    expect(end.code).toBe(2)
    expect(end.stderr).toContain(`${home}/cache is a link`)
    expect(readdirSync(target)).toEqual([])
  })

  it('goes no way on which a third user could lead it elsewhere: 2', async () => {
    const home = folderOf(0, join(target, 'home'))
    symlinkSync(home, join(theirs, 'link'))
    chownSync(theirs, games, 60)
    const open = folderOf(0, join(target, 'open'))
    chmodSync(open, 0o777)
    const end = await runProgram(['db', 'start'], { env: env(join(theirs, 'link')) })
    expect(end, end.stderr).toMatchObject({ code: 2, stdout: '' })
    for (const path of [join(theirs, 'link'), join(theirs, 'link', 'deeper'), join(open, 'home')]) {
      await expect(openHome({ folder: path, create: true })).rejects.toThrow(/leads through .*GREETINGS_HOME/)
    }
    const daemons = folderOf(1, join(theirs, 'daemons'))
    await expect(actAsHomeOwner({ explicit: daemons, cwd: '/' })).rejects.toThrow(/leads through .*theirs/)
    expect([readdirSync(home), readdirSync(open)]).toEqual([[], []])
  })

  it('says so when the owner cannot read the installation', () => {
    const copy = join(target, 'copy')
    mkdirSync(copy, { mode: 0o700 })
    cpSync(dirname(builtScript('home-owner')), copy, { recursive: true })
    symlinkSync(join(packageRoot, 'node_modules'), join(copy, 'node_modules'))
    writeFileSync(join(copy, 'package.json'), '{ "type": "module" }')
    const script = `import { actAsHomeOwner } from ${JSON.stringify(join(copy, 'home-owner.js'))}
      await actAsHomeOwner({ explicit: ${JSON.stringify(theirs)}, cwd: '/' }).catch((error) => console.log(error.message))`
    expect(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })).toMatch(
      /uid 5\).*cannot read .*\/opt\/greetings/,
    )
  })

  it('with the embedded server and a uid without an account: 2, naming DATABASE_URL and useradd', async () => {
    const home = folderOf(noAccount, join(target, 'home'))
    const end = await runProgram(['db', 'start'], { env: env(home) })
    expect(end).toMatchObject({ code: 2, stdout: '' })
    expect(end.stderr).toMatch(/useradd --uid 4242 .*DATABASE_URL/)
  })
})

describe.skipIf(!isRoot)('a home found by walking upwards that belongs to somebody else', () => {
  it('is refused for root, and a planted link to a folder of root’s as well: 2, and nothing is written', async () => {
    const work = folderOf(games, join(theirs, 'work'))
    symlinkSync(target, join(theirs, '.greetings'))
    execFileSync('chown', ['-h', 'games:games', join(theirs, '.greetings')])
    const end = await runProgram(['db', 'start'], { env: env(), cwd: work })
    expect(end, end.stderr).toMatchObject({ code: 2, stdout: '' })
    expect(end.stderr).toMatch(/belongs to another user \(uid 5\).*GREETINGS_HOME/)
    rmSync(join(theirs, '.greetings'))
    folderOf(games, join(theirs, '.greetings'))
    await expect(findHome({ explicit: undefined, cwd: work })).rejects.toThrow(/belongs to another user \(uid 5\)/)
    expect(readdirSync(target)).toEqual([])
  })

  it('is refused for an ordinary user', () => {
    symlinkSync(theirs, join(target, '.greetings'))
    folderOf(0, join(theirs, '.greetings'))
    const asDaemon = (cwd: string) => {
      try {
        execFileSync(
          'setpriv',
          [
            '--reuid=daemon',
            '--regid=daemon',
            '--clear-groups',
            process.execPath,
            join(packageRoot, 'bin', 'greetings.js'),
            'status',
          ],
          { env: { ...env(), HOME: '/usr/sbin' }, cwd, stdio: 'pipe' },
        )
        return ''
      } catch (error) {
        return String((error as { status: number }).status) + String((error as { stderr: Buffer }).stderr)
      }
    }
    expect(asDaemon(target)).toMatch(/^2.*uid 5/)
    expect(asDaemon(theirs)).toMatch(/^2.*uid 0/)
  })

  it('is passed over beside an installation in a folder of somebody else', async () => {
    const found = await findHome({ explicit: undefined, cwd: '/', installation: theirs, userFolder: target })
    expect(found).toEqual({ folder: join(target, '.greetings'), exists: false })
  })
})

describe('a home of one’s own', () => {
  it('is refused when others may write in it, with the remedy', async () => {
    const home = join(theirs, 'home')
    mkdirSync(home)
    chmodSync(home, 0o777)
    if (isRoot) chownSync(theirs, 0, 0)
    await expect(openHome({ folder: home, create: true })).rejects.toThrow(`chmod go-w ${home}`)
    expect(existsSync(join(home, 'id'))).toBe(false)
  })

  it.skipIf(!isRoot)('is refused while something of ours in it belongs to somebody else, with the remedy', async () => {
    const { folder } = await openHome({ folder: join(target, 'home'), create: true })
    folderOf(games, join(folder, 'renders'))
    await expect(openHome({ folder, create: false })).rejects.toThrow(`chown -hR 0 ${folder}/renders`)
    folderOf(games, join(folder, 'recordings'))
    rmSync(join(folder, 'renders'), { recursive: true })
    await expect(openHome({ folder, create: false })).resolves.toMatchObject({ folder })
  })
})
