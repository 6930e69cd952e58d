/**
 * The log, on stderr. What runs as a service writes JSON lines for those who collect them, and lines for people on a
 * terminal; every other command writes lines for people, as its progress stands there too. Errors are logged by name
 * and code, never whole: they may carry payloads and secrets.
 */
import { pino, type Logger, type LoggerOptions } from 'pino'
import { PinoPretty } from 'pino-pretty'

export type Log = Logger

/** @param isService runs until it is stopped, so that its log is collected */
export function openLog(level: string, { isService = false } = {}): Log {
  const options: LoggerOptions = {
    level,
    base: null,
    serializers: { err: scrubbed, error: scrubbed },
    formatters: { level: (label: string) => ({ level: label }) },
    hooks: { logMethod: gatherTroubles() },
  }
  const stderr = pino.destination({ fd: 2, sync: true })
  // A terminal that was closed (EIO) or a disk that is full must not end the work that is logged.
  stderr.on('error', () => undefined)
  if (isForCollectors(isService)) return pino({ ...options, timestamp: pino.stdTimeFunctions.isoTime }, stderr)
  const colorize = process.stderr.isTTY && process.stderr.hasColors()
  return pino(
    options,
    PinoPretty({
      destination: stderr,
      singleLine: true,
      ignore: 'pid,hostname',
      translateTime: 'SYS:HH:MM:ss',
      colorize,
      colorizeObjects: colorize,
    }),
  )
}

/** What a command says as it ends with an error, in the form of its log. */
export function sayLast(lines: readonly string[], { isService }: { isService: boolean }): void {
  const text = lines.join('\n')
  process.stderr.write(
    isForCollectors(isService)
      ? `${JSON.stringify({ level: 'fatal', time: new Date().toISOString(), msg: text })}\n`
      : `${text}\n`,
  )
}

const isForCollectors = (isService: boolean) => isService && !process.stderr.isTTY

/** How often trouble that goes on is told. */
const everyMs = 60_000

/**
 * Trouble that goes on is told at once, then once a minute with how often it was met, and when it is over. Such lines
 * carry `trouble`, a key of its own; the one that ends it carries the same as `over`, and is not written where there
 * was no trouble.
 */
export function gatherTroubles(now = Date.now): NonNullable<NonNullable<LoggerOptions['hooks']>['logMethod']> {
  const known = new Map<string, { toldAt: number; times: number }>()
  return function (args, method) {
    const [fields, ...rest] = args as unknown as [object, ...unknown[]]
    const { trouble, over, ...others } = fields as { trouble?: string; over?: string }
    const write = (more: object) =>
      method.apply(this, [{ ...others, ...more }, ...rest] as unknown as Parameters<typeof method>)
    if (typeof over === 'string') {
      if (known.delete(over)) write({})
    } else if (typeof trouble === 'string') {
      const before = known.get(trouble)
      const times = (before?.times ?? 0) + 1
      if (before !== undefined && now() - before.toldAt < everyMs) known.set(trouble, { ...before, times })
      else {
        known.set(trouble, { toldAt: now(), times: 0 })
        write(times > 1 ? { times } : {})
      }
    } else method.apply(this, args)
  }
}

function scrubbed(error: unknown): unknown {
  return error instanceof Error ? { name: error.name, code: (error as { code?: unknown }).code } : error
}
