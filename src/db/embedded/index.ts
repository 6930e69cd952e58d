/**
 * The embedded PostgreSQL server of a home, shared by all commands of that home.
 *
 * Its life: the first command starts it, the last one stops it. A command is a *member* through a
 * database connection of its own whose `application_name` says so; a command that is killed leaves by
 * that alone. Making the data folder, starting, joining, leaving and stopping happen under one lock of
 * the home, so a newcomer during a stop waits and starts the server again. When the last member is
 * killed, nobody is left to stop the server: a guardian, a small process that lives as long as the server
 * does (`guardian.ts`), sees within seconds that there are no members and stops it.
 *
 * A member that loses the server (it crashed, somebody killed it) starts it again, on the same port when
 * that is still free.
 *
 * As root: PostgreSQL refuses to run as root. In a home of root's it runs as the account `greetings`, or, where
 * there is none, `nobody`. That user cannot reach a home or a `node_modules` below a folder of mode 700 (`/root`),
 * so the programs and the data lie in `/var/lib/greetings` then, the data under the home's id. Of all that only the
 * data folder itself is that user's; in it root follows no link and removes nothing with its own rights. In a
 * container, keep both folders on volumes, or run as an ordinary user. (Root in the home of another user has become
 * that user before it comes here.)
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { withFileLock } from '../../numbered-lock.ts'
import { DatabaseUnusable } from '../errors.ts'
import { urlOf } from './address.ts'
import { isThere } from './careful-files.ts'
import { ensureGuardian } from './guardian.ts'
import { connectAs, memberName, membersOf } from './members.ts'
import { stop } from './pg-ctl.ts'
import { keepFile, placeOf, type Place } from './place.ts'
import { ensureRunning, type StartOptions } from './running.ts'

/** between two looks of a member at the guardian */
const guardianCheckMs = 20_000

/** A command's part in the server. */
export interface Membership {
  /** the address of one of the server's databases, password included */
  url(database: string): string
  /** Leaves; the last one to leave stops the server. Never throws. */
  close(): Promise<void>
}

/** A member that is in, or on its way in or out. */
interface Member {
  place: Place
  command: string
  options: StartOptions
  password: string
  port: number
  /** undefined: it has lost the server, or not reached it yet */
  client: pg.Client | undefined
  leaving: boolean
}

/**
 * Joins the server of a home, starting and even making it when needed. The home must exist.
 * @throws DatabaseUnreachable when the server does not start
 * @throws DatabaseUnusable when its data cannot be used by this program, or are gone
 */
export async function joinServer(home: string, command: string, options: StartOptions = {}): Promise<Membership> {
  const place = await placeOf(home)
  const member: Member = { place, command, options, password: '', port: 0, client: undefined, leaving: false }
  const guardianCheck = setInterval(() => {
    if (member.client !== undefined) void ensureGuardian(place, member.client).catch(() => undefined)
  }, guardianCheckMs).unref()
  try {
    await join(member, true)
  } catch (error) {
    clearInterval(guardianCheck)
    throw error
  }
  return {
    url: (database) => urlOf(member.port, member.password, database),
    close: async () => {
      clearInterval(guardianCheck)
      try {
        await leave(member)
      } catch (error) {
        options.log?.warn(`The embedded database was left without being stopped: ${messageOf(error)}`)
        await member.client?.end().catch(() => undefined)
      }
    },
  }
}

async function join(member: Member, mayCreate: boolean): Promise<void> {
  const { place, command, options } = member
  await withFileLock(place.lock, async () => {
    if (member.leaving) return
    const { port, password } = await ensureRunning(place, mayCreate, options)
    Object.assign(member, { port, password })
    const client = await connectAs(memberName(command), port, password)
    member.client = client
    client.on('error', () => undefined)
    client.on('end', () => {
      member.client = undefined
      if (!member.leaving) void rejoin(member)
    })
  })
}

async function rejoin(member: Member): Promise<void> {
  const { log } = member.options
  log?.warn('The embedded database is gone; starting it again.')
  for (let waitMs = 100; !member.leaving; waitMs = Math.min(waitMs * 2, 5_000)) {
    try {
      await join(member, false)
      return
    } catch (error) {
      log?.warn(`The embedded database does not start: ${messageOf(error)}`)
      // Nothing to go back to: the data cannot be used, or the whole home was removed.
      if (error instanceof DatabaseUnusable || !(await isThere(member.place.folder))) return
      await sleep(waitMs)
    }
  }
}

async function leave(member: Member): Promise<void> {
  if (member.leaving) return
  member.leaving = true
  const { place } = member
  await withFileLock(place.lock, async () => {
    const { client } = member
    if (client === undefined) return
    // The server may list a closed connection for a moment; this takes it off the members at once.
    await client.query(`SET application_name = 'greetings left'`)
    const others = await membersOf(client)
    await client.end()
    if (others.length === 0 && !(await isThere(keepFile(place)))) await stop(place)
  })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
