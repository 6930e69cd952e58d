/** How the server is reached. */

/** It listens on this host alone. */
export const host = '127.0.0.1'

/** The database's user. */
export const role = 'greetings'

/** The address of a database, password included. */
export function urlOf(port: number, password: string, database: string): string {
  return `postgresql://${role}:${password}@${host}:${port}/${database}`
}
