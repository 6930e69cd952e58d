/** What a bot says of itself: its commands, name and descriptions. */
import { badRequest } from '../refusal.ts'
import type { Call } from './context.ts'
import { structure, text } from './values.ts'

export function save(call: Call, name: string, value: unknown): true {
  call.state.saveSetting(call.bot.id, name, value === '' ? undefined : value)
  return true
}

export function commandScope({ parameters }: Call): string {
  const scope = structure(parameters, 'scope') as { type?: string; chat_id?: number; user_id?: number } | undefined
  return [scope?.type ?? 'default', scope?.chat_id ?? '', scope?.user_id ?? '', text(parameters, 'language_code')].join(
    '/',
  )
}

export function checkCommands({ parameters }: Call): unknown {
  const commands = structure(parameters, 'commands')
  if (!Array.isArray(commands)) throw badRequest('expected an Array of BotCommand')
  if (commands.length > 100) throw badRequest('BOT_COMMANDS_TOO_MUCH')
  for (const { command, description } of commands as { command?: unknown; description?: unknown }[]) {
    if (typeof command !== 'string' || !/^\/?[a-z0-9_]{1,32}$/.test(command)) throw badRequest('BOT_COMMAND_INVALID')
    if (typeof description !== 'string' || description === '' || description.length > 256)
      throw badRequest('BOT_COMMAND_DESCRIPTION_INVALID')
  }
  return commands
}
