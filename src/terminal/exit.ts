/** Exit codes of the contract, and how an error becomes one. */
import { codeOf, isDatabaseBusy, isDatabaseDown } from '../db/errors.ts'

export const exitCode = {
  done: 0,
  someFailed: 1,
  usage: 2,
  unreachable: 3,
  hungUp: 129,
  interrupted: 130,
  terminated: 143,
} as const

/** Wrong usage or configuration: nothing was changed. */
export class UsageFault extends Error {
  override name = 'UsageFault'
  readonly exitCode = 2
}

/**
 * An error whose message is for people: it carries the exit code of a command that ends with it, and what to say then
 * where that is not its message. Known by these alone, so that reporting an error loads none of the modules that throw
 * them.
 */
interface ErrorForPeople extends Error {
  readonly exitCode: number
  readonly lastWords?: string
}

function isForPeople(error: Error): error is ErrorForPeople {
  return 'exitCode' in error && typeof error.exitCode === 'number'
}

/** The exit code and the lines for stderr of whatever ended a command. */
export function endOf(error: unknown): { code: number; lines: string[] } {
  if (!(error instanceof Error)) return { code: exitCode.someFailed, lines: ['An unexpected error.'] }
  if (isForPeople(error)) return { code: error.exitCode, lines: (error.lastWords ?? error.message).split('\n') }
  // In the middle of its work: a service that was there at the beginning went away.
  if (isDatabaseDown(error)) {
    const code = codeOf(error)
    return {
      code: exitCode.unreachable,
      lines: [
        `A service this command needs went away${code === undefined ? '' : ` (${code})`}. What was done ` +
          'stays; run it again when the service is back. `greetings doctor` tells which it is.',
      ],
    }
  }
  if (isDatabaseBusy(error))
    return {
      code: exitCode.unreachable,
      lines: [
        'The database could not do this in time: something else holds what it needs, such as a transaction ' +
          'that was left open. What was done stays; run it again.',
      ],
    }
  // A defect of ours: the place helps whoever reports it; the message may hold anything, so it is cut.
  const place =
    error.stack
      ?.split('\n')
      .find((line) => line.includes('at '))
      ?.trim() ?? ''
  return {
    code: exitCode.someFailed,
    lines: [`An unexpected ${error.name}: ${error.message.split('\n')[0]?.slice(0, 300) ?? ''}`, `  ${place}`],
  }
}
