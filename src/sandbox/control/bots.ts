/** Makes bots. */
import { randomInt, randomBytes } from 'node:crypto'
import { setSwitches, switchesOf } from '../bot-api/switches.ts'
import type { BotRecord } from '../state/records.ts'
import { type ControlContext, ControlError } from './context.ts'
import { botOf, type Body, string, changed } from './values.ts'

/** What the owner switches at @BotFather, while the bot runs. */
export function switchBot(context: ControlContext, { botId, ...moved }: Body): unknown {
  const bot = botOf(context, botId)
  const known = switchesOf(context.state, bot.id)
  for (const [name, value] of Object.entries(moved))
    if (!Object.hasOwn(known, name) || typeof value !== 'boolean')
      throw new ControlError(`${Object.keys(known).join(', ')}: true or false`)
  return changed(context, setSwitches(context.state, bot.id, moved))
}

/** What the page offers to somebody who has not written yet. */
export function offerNames(context: ControlContext, body: Body): true {
  if (!Array.isArray(body.names)) throw new ControlError('names must be a list')
  const names = (body.names as Body[]).map((one) => ({
    name: string(one, 'name'),
    language: string(one, 'language'),
    ready: one.ready === true,
  }))
  const bot = botOf(context, body.botId)
  if (JSON.stringify(context.state.setting(bot.id, 'samples')) !== JSON.stringify(names))
    context.state.saveSetting(bot.id, 'samples', names)
  return changed(context, true)
}

/** A token as @BotFather makes them. */
export function makeToken(botId = randomInt(1_000_000_000, 9_999_999_999)): string {
  return `${botId}:AA${randomBytes(25).toString('base64url').slice(0, 33)}`
}

export function registerBot(context: ControlContext, body: Body): unknown {
  const token = body.token === undefined ? makeToken() : string(body, 'token')
  const id = Number(/^(\d{1,16}):[A-Za-z0-9_-]{30,50}$/.exec(token)?.[1])
  if (!Number.isSafeInteger(id))
    throw new ControlError('a token is digits, a colon and about 35 of A-Z, a-z, 0-9, _ and -')
  const before = context.state.bots.get(id)
  const bot: BotRecord = {
    id,
    username: (body.username as string | undefined) ?? before?.username ?? `sandbox${id}_bot`,
    firstName:
      (body.firstName as string | undefined) ??
      before?.firstName ??
      (body.username as string | undefined) ??
      'Sandbox bot',
  }
  if (context.state.tokens.get(token) !== id || JSON.stringify(before) !== JSON.stringify(bot))
    context.state.addToken(token, bot)
  return changed(context, { token, ...bot })
}
