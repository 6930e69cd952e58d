/** The log: JSON lines on stderr, readable ones on a terminal. Errors are logged by name and code, never whole: they may carry payloads and secrets. */
import { pino, type Logger } from 'pino'
import { PinoPretty } from 'pino-pretty'

export type Log = Logger

/** Opens the log; stdout stays clean for results. */
export function openLog(level: string): Log {
  const options = { level, base: null, serializers: { err: scrubbed, error: scrubbed }, formatters: { level: (label: string) => ({ level: label }) } }
  const stderr = pino.destination({ fd: 2, sync: true })
  // A terminal that was closed (EIO) or a disk that is full must not end the work that is logged.
  stderr.on('error', () => undefined)
  if (process.stderr.isTTY) return pino(options, PinoPretty({ destination: stderr, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss', colorize: process.stderr.hasColors() }))
  return pino({ ...options, timestamp: pino.stdTimeFunctions.isoTime }, stderr)
}

function scrubbed(error: unknown): unknown {
  return error instanceof Error ? { name: error.name, code: (error as { code?: unknown }).code } : error
}
