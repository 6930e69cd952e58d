/** Exit codes of the contract, and which errors end with which. */
import { ConfigFault } from '../config.ts'
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

/** Wrong usage or configuration: nothing was changed. Exit code 2. */
export class UsageFault extends Error {
  override name = 'UsageFault'
}

// By name, so that reporting an error loads none of the modules that throw them.
const unusable = new Set([
  'ConfigFault',
  'UsageFault',
  'UnreadableFile',
  'DatabaseUnusable',
  'HomeUnusable',
  'TemplateFault',
  'CacheFileFault',
  'AddressUnusable',
  'EnvFileUnusable',
])
const unreachable = new Set(['OutputLost', 'DatabaseUnreachable', 'QueueUnreachable', 'FfmpegMissing'])

/** The exit code and the lines for stderr of whatever ended a command. */
export function endOf(error: unknown): { code: number; lines: string[] } {
  if (error instanceof ConfigFault)
    return {
      code: exitCode.usage,
      lines: ['The configuration cannot be used:', ...error.faults.map((fault) => `  ${fault}`)],
    }
  if (!(error instanceof Error)) return { code: exitCode.someFailed, lines: ['An unexpected error.'] }
  if (unusable.has(error.name)) return { code: exitCode.usage, lines: error.message.split('\n') }
  if (unreachable.has(error.name)) return { code: exitCode.unreachable, lines: error.message.split('\n') }
  if (error.name === 'TelegramError') return telegramEnd(error as Error & { kind: string; description: string })
  if (error.name === 'Outage' && (error as Error & { step?: string }).step === 'token')
    return telegramEnd({ kind: 'token', description: '' })
  if (error.name === 'Outage') return { code: exitCode.unreachable, lines: [error.message] }
  if (error.name === 'AssetFault' || error.name === 'DoubtfulList')
    return { code: exitCode.someFailed, lines: [error.message] }
  // In the middle of its work: a service that was there at the beginning went away.
  if (isDatabaseDown(error)) {
    const code = codeOf(error)
    return {
      code: exitCode.unreachable,
      lines: [
        `A service this command needs went away${code === undefined ? '' : ` (${code})`}. What was done stays; run it again when the service is back. \`greetings doctor\` tells which it is.`,
      ],
    }
  }
  if (isDatabaseBusy(error))
    return {
      code: exitCode.unreachable,
      lines: [
        'The database could not do this in time: something else holds what it needs, such as a transaction that was left open. What was done stays; run it again.',
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

function telegramEnd({ kind, description }: { kind: string; description: string }): { code: number; lines: string[] } {
  if (kind === 'token')
    return {
      code: exitCode.usage,
      lines: [
        'Telegram does not accept the bot’s token. Check TELEGRAM_BOT_TOKEN, or get a new token from @BotFather (/token). Nothing was lost: what is queued stays queued.',
      ],
    }
  if (kind === 'conflict')
    return {
      code: exitCode.usage,
      lines: [
        `Telegram says: ${description}. Another process takes this bot’s updates: stop it, or unset its webhook.`,
      ],
    }
  return {
    code: exitCode.unreachable,
    lines: [`Telegram cannot be reached: ${description}. Check the connection, and TELEGRAM_API_ROOT if it is set.`],
  }
}
