/** What the server is configured to. */
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { reserveOf } from '../../disk.ts'
import { host } from './address.ts'

/** What the data folder's postgresql.conf says. The port is given at each start. */
export const settings = {
  listen_addresses: host,
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '128MB',
  // Commands that were stopped in the middle of a transaction must not hold rows for ever.
  idle_in_transaction_session_timeout: '60s',
  timezone: 'UTC',
  log_timezone: 'UTC',
  jit: 'off',
  log_checkpoints: 'off',
  // Errors of statements carry names in their text: they belong to the caller, not into a log.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
}

/**
 * Gives data from elsewhere our configuration, so that the server does what we say and not what they say: settings
 * name programs to run and addresses to listen at, `pg_hba.conf` who comes in.
 */
export async function configure(data: string): Promise<void> {
  const files = {
    'postgresql.conf': Object.entries(settings)
      .map(([name, value]) => `${name} = '${value}'\n`)
      .join(''),
    'postgresql.auto.conf': '',
    'pg_hba.conf': `host all all ${host}/32 scram-sha-256\n`,
    'pg_ident.conf': '',
  }
  for (const [name, text] of Object.entries(files)) await writeFile(join(data, name), text, { mode: 0o600 })
  // How and where another server was running.
  for (const name of ['postmaster.opts', 'postmaster.pid']) await rm(join(data, name), { force: true })
}

/**
 * What the server may write beyond its tables: half of what stays free on its disk, so that it can always write, end
 * and start again. A third of that is for the log of changes, which may overshoot by a file of 16 MB; the rest for what
 * queries put down for a while. Without a reserve it is measured by the default one.
 */
export function serverLimits(totalBytes: number, keepFreeBytes: number | undefined): Record<string, string> {
  const half = Math.floor(reserveOf(totalBytes, keepFreeBytes === 0 ? undefined : keepFreeBytes) / 2 / 1_048_576)
  // PostgreSQL takes two files of 16 MB for the log at least; its default is 1 GB.
  const log = Math.min(1_024, Math.max(32, Math.floor(half / 3 / 16) * 16))
  return {
    max_wal_size: `${log}MB`,
    min_wal_size: '32MB',
    temp_file_limit: `${Math.max(16, half - log - 16)}MB`,
    checkpoint_warning: '0',
  }
}
