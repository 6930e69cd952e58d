/** Members: the commands that use the server, each by a connection that carries its name. */
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { startOf } from '../../process-start.ts'
import { connectClient } from '../connect.ts'
import { DatabaseUnreachable, DatabaseUnusable, isDatabaseDown } from '../errors.ts'
import { host, role } from './address.ts'

const memberPrefix = 'greetings member '

/** What PostgreSQL shows of a member's connection; it cuts this at 63 bytes. */
export function memberName(command: string): string {
  return `${memberPrefix}${process.pid} ${command}`.replace(/[^\x20-\x7e]/g, '?').slice(0, 63)
}

/** Connects under a name, waiting a moment for a server that is just coming up. */
export async function connectAs(name: string, port: number, password: string): Promise<pg.Client> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await connectClient({
        host,
        port,
        user: role,
        password,
        database: 'postgres',
        application_name: name,
        connectionTimeoutMillis: 10_000,
      })
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === '28P01') {
        throw new DatabaseUnusable(
          "The embedded database refuses the password that is kept in the home. Restore the home's " +
            '`postgres/password` from a backup.',
          { cause: error },
        )
      }
      if (attempt >= 20 || !isDatabaseDown(error))
        throw new DatabaseUnreachable(`The embedded database runs on port ${port} and does not answer.`, {
          cause: error,
        })
      await sleep(100)
    }
  }
}

/** The other members that are alive: `up (pid 4711)`. */
export async function membersOf(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ application_name: string }>(
    `SELECT application_name FROM pg_stat_activity WHERE starts_with(application_name, $1) AND pid <> pg_backend_pid()`,
    [memberPrefix],
  )
  const members: string[] = []
  for (const { application_name } of rows) {
    const [pid = '', ...command] = application_name.slice(memberPrefix.length).split(' ')
    // The server notices a killed command a moment later than the system does.
    if ((await startOf(Number(pid))) !== '') members.push(`${command.join(' ')} (pid ${pid})`)
  }
  return members
}
