/** What can be wrong with the database, and how to tell that it is only away. */

/** The database cannot be reached, now. The message holds the remedy and no password. */
export class DatabaseUnreachable extends Error {
  override name = 'DatabaseUnreachable'
  readonly exitCode = 3
}

/** The database is there and cannot be used as it is; trying again changes nothing. */
export class DatabaseUnusable extends Error {
  override name = 'DatabaseUnusable'
  readonly exitCode = 2
}

/** `code` of errors from the network, of PostgreSQL (SQLSTATE) and of Prisma that mean an outage. */
const outageCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  // a transaction in which nothing happened for too long, as its process was frozen
  '25P03',
  // 57P01..05: shut down by an administrator or a crash, starting up, database dropped, idle for too long
  '57P01',
  '57P02',
  '57P03',
  '57P04',
  '57P05',
  // the server was demoted to a stand-by under our connections
  '25006',
  // unreachable, timed out, timed out, closed by the server, too many connections
  'P1001',
  'P1002',
  'P1008',
  'P1017',
  'P2037',
])
/** 08: connection exceptions. 53: out of disk, memory or connections. 58: the server's own input and output. */
const outageClasses = /^(08|53|58)[0-9A-Z]{3}$/
/** `cause.kind` of Prisma's DriverAdapterError */
const outageKinds = new Set([
  'DatabaseNotReachable',
  'ConnectionClosed',
  'SocketTimeout',
  'TooManyConnections',
  'TlsConnectionError',
])
/** pg throws these without a code. */
const outageMessages =
  /^(Connection terminated|timeout expired|Client has encountered a connection error|Client was closed and is not queryable)/

/**
 * A call that gave up waiting for others: a row that is locked, a statement that takes too
 * long, no connection free, no transaction in time.
 */
const busyCodes = new Set(['55P03', '57014', 'P2024', 'P2028'])
/** The pool's own, without a code, when every connection is in use. */
const busyMessages = /^timeout exceeded when trying to connect/

/**
 * Whether an error from a database call means that the database is away (down, restarting, full,
 * unreachable) rather than that the call was wrong. Looks at Prisma's errors, those of its driver
 * adapter, of pg and of the network. Ask it about errors of database calls only: a refused connection
 * looks the same wherever it comes from.
 */
export function isDatabaseDown(error: unknown): boolean {
  return chain(error).some(
    (link) =>
      link instanceof DatabaseUnreachable ||
      codesOf(link).some((code) => outageCodes.has(code) || outageClasses.test(code)) ||
      (typeof link['kind'] === 'string' && outageKinds.has(link['kind'])) ||
      (typeof link['message'] === 'string' && outageMessages.test(link['message'])),
  )
}

/**
 * Whether the database is there and only this call met others in its way, such as a locked row. It may
 * work in a moment, and other calls work meanwhile.
 */
export function isDatabaseBusy(error: unknown): boolean {
  return (
    isWriteConflict(error) ||
    chain(error).some(
      (link) =>
        codesOf(link).some((code) => busyCodes.has(code)) ||
        (typeof link['message'] === 'string' && busyMessages.test(link['message'])),
    )
  )
}

/** Away or busy: the call was right, and is worth another try. */
export function isDatabaseTrouble(error: unknown): boolean {
  return isDatabaseDown(error) || isDatabaseBusy(error)
}

/** Whether the call gave up at a locked row, after `lock_timeout`. */
export function isLockTimeout(error: unknown): boolean {
  return chain(error).some((link) => codesOf(link).includes('55P03'))
}

/** What the network, PostgreSQL or Prisma calls the error, if they gave it a code. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/**
 * Whether a transaction lost against another one (serialization failure or deadlock) and may be run
 * again. With a driver adapter this comes as P2034, as P2010 from a raw query, or, at COMMIT, as a bare
 * DriverAdapterError.
 */
export function isWriteConflict(error: unknown): boolean {
  return chain(error).some(
    (link) =>
      link['code'] === 'P2034' ||
      link['kind'] === 'TransactionWriteConflict' ||
      codesOf(link).some((code) => code === '40001' || code === '40P01'),
  )
}

function codesOf(link: Record<string, unknown>): string[] {
  return [link['code'], link['errorCode'], link['originalCode']].filter((code) => typeof code === 'string')
}

/** The error, its causes, and what Prisma hides in `meta.driverAdapterError`. */
function chain(error: unknown): Record<string, unknown>[] {
  const links: Record<string, unknown>[] = []
  const open = [error]
  while (open.length > 0 && links.length < 20) {
    const next = open.shift()
    if (typeof next !== 'object' || next === null || links.includes(next as Record<string, unknown>)) continue
    const link = next as Record<string, unknown>
    links.push(link)
    open.push(link['cause'], link['driverAdapterError'], link['meta'])
    if (Array.isArray(link['errors'])) open.push(...(link['errors'] as unknown[]))
  }
  return links
}
