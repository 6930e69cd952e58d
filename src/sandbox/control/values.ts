/** Reads the body of a request, and what most changes have in common. */
import type { BotRecord } from '../state/records.ts'
import { ControlError, type ControlContext } from './context.ts'

export type Body = Record<string, unknown>

export function string(body: Body, name: string): string {
  const value = body[name]
  if (typeof value !== 'string' || value === '') throw new ControlError(`${name} must be a text`)
  return value
}

export function integer(body: Body, name: string): number {
  const value = Number(body[name])
  if (!Number.isSafeInteger(value) || value === 0) throw new ControlError(`${name} must be a whole number`)
  return value
}

/** The bot that is named, or the only one there is. */
export function botOf(context: ControlContext, id: unknown): BotRecord {
  const bots = [...context.state.bots.values()]
  const bot = id === undefined || id === '' ? bots[0] : context.state.bots.get(Number(id))
  if (bot === undefined) throw new ControlError('no such bot')
  return bot
}

export function changed<T>(context: ControlContext, result: T): T {
  context.tell({ type: 'world' })
  return result
}

export function updateId(
  context: ControlContext,
  bot: BotRecord,
  update: { update_id: number } | undefined,
): number | null {
  if (update === undefined) return null
  context.tell({ type: 'update', botId: bot.id, updateId: update.update_id })
  return update.update_id
}

export function now(): number {
  return Math.floor(Date.now() / 1_000)
}
