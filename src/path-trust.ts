/**
 * Who can decide what a path leads to. Whoever owns a folder on the way, or may write in one, can put a link in
 * the place of what lies below; to open such a path as root is to act where they want.
 */
import { lstat, readlink } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import type { Stats } from 'node:fs'

/** What was found on the way along a path. */
export interface Way {
  exists: boolean
  /** uid of the owner of what the path leads to, or of the folder in which the missing rest would be made */
  owner: number
  /** gid of the same */
  group: number
  /** folders and links on the way, each with the uid of its owner; 'anyone': others than its owner may write in it */
  controllers: { path: string; uid: number | 'anyone' }[]
}

const mostLinks = 40

/** Goes along a path, link by link, as the system would. @throws when a part cannot be read, or links go in circles */
export async function examineWay(path: string): Promise<Way> {
  const controllers: Way['controllers'] = []
  let rest = resolve(path)
    .split(sep)
    .filter((part) => part !== '')
  let here = resolve(path).slice(0, resolve(path).indexOf(sep) + 1)
  let links = 0
  let found = await lstat(here)
  for (;;) {
    controllers.push({ path: here, uid: found.uid })
    const [next, ...after] = rest
    if (next === undefined) return { exists: true, owner: found.uid, group: found.gid, controllers }
    // In a folder such as /tmp only its own owner can replace an entry, so that one counts alone.
    if (found.isDirectory() && isOpenToOthers(found) && (found.mode & 0o1000) === 0)
      controllers.push({ path: here, uid: 'anyone' })
    const entry = join(here, next)
    const below = next === '..' ? await lstat(entry) : await lstat(entry).catch(missing)
    if (below === undefined) return { exists: false, owner: found.uid, group: found.gid, controllers }
    rest = after
    if (below.isSymbolicLink()) {
      if (++links > mostLinks) throw new Error(`${path}: too many links`)
      controllers.push({ path: entry, uid: below.uid })
      const target = await readlink(entry)
      rest = [...target.split(sep).filter((part) => part !== '' && part !== '.'), ...after]
      if (target.startsWith(sep)) here = sep
      found = await lstat(here)
    } else {
      here = next === '..' ? dirname(here) : entry
      found = below
    }
  }
}

function missing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
    return undefined
  throw error
}

/** Those of a way who are neither root nor `owner`. */
export function strangersOn({ controllers }: Way, owner: number): Way['controllers'] {
  return controllers.filter(({ uid }) => uid !== 0 && uid !== owner)
}

/** Whether others than the owner may write: everybody, or a group that is not this process's own. */
export function isOpenToOthers({ mode, gid }: Stats): boolean {
  if (process.platform === 'win32') return false
  return (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && gid !== process.getegid?.())
}
