/** Root in the home of another user becomes that user, for good and before anything of it is opened. */
import { accessSync, constants } from 'node:fs'
import { userInfo } from 'node:os'
import { resolve } from 'node:path'
import { setEnvironmentOfUser } from './config.ts'
import { examineHomesWay, HomeUnusable, strangerOnTheWay } from './home.ts'
import { builtScript } from './installation.ts'
import { strangersOn } from './path-trust.ts'

/** whose folder has no group we could take: a group that owns nothing */
const nogroup = 65_534

/**
 * As root, with a home that `explicit` (`GREETINGS_HOME`) names and that belongs to another user, or would be made
 * in a folder of theirs: this process becomes that user, with their groups and HOME. Otherwise nothing happens.
 * The owner decides what lies in their home, links included, so nothing there may be opened with root's rights.
 * @throws HomeUnusable when a third user could change the way there, or the owner cannot read this installation
 */
export async function actAsHomeOwner({ explicit, cwd }: { explicit: string | undefined; cwd: string }): Promise<void> {
  if (process.getuid?.() !== 0 || explicit === undefined) return
  const folder = resolve(cwd, explicit)
  const way = await examineHomesWay(folder)
  if (way.owner === 0) return
  const [stranger] = strangersOn(way, way.owner)
  if (stranger !== undefined) throw strangerOnTheWay(folder, stranger)
  become(way.owner, way.group)
  for (const [path, right] of [
    [process.execPath, constants.X_OK],
    [builtScript('cli'), constants.R_OK],
  ] as const) {
    try {
      accessSync(path, right)
    } catch {
      throw new HomeUnusable(
        folder,
        `The home ${folder} belongs to another user (uid ${way.owner}), and commands work there as that ` +
          `user, who cannot read ${path}. Put the program where all can read it, such as /opt/greetings, or ` +
          "set GREETINGS_HOME to a folder of root's own.",
      )
    }
  }
}

/** Missing in Node's types. */
type Groups = typeof process & { initgroups(user: string, extraGroup: number): void }

function become(uid: number, group: number): void {
  const account = accountOf(uid)
  if (account === undefined) process.setgroups?.([])
  else (process as Groups).initgroups(account.username, account.gid)
  process.setgid?.(account?.gid ?? (group === 0 ? nogroup : group))
  process.setuid?.(uid)
  setEnvironmentOfUser(account?.username ?? String(uid), account?.homedir ?? '/')
}

/** The account of a uid; undefined: it has none. Node can only tell that of its own effective user. */
function accountOf(uid: number): { username: string; gid: number; homedir: string } | undefined {
  process.seteuid?.(uid)
  try {
    return userInfo()
  } catch {
    return undefined
  } finally {
    process.seteuid?.(0)
  }
}
