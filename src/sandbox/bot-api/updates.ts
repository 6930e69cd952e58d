/** Methods by which a bot gets its updates. */
import { badRequest } from '../refusal.ts'
import type { Call } from './context.ts'
import type { Parameters } from './parameters.ts'
import { flag, number, structure, text } from './values.ts'

export async function getUpdates({ updates, bot, parameters, gone }: Call): Promise<unknown> {
  const limit = number(parameters, 'limit')
  return updates.poll(
    bot.id,
    {
      offset: number(parameters, 'offset'),
      limit: limit >= 1 && limit <= 100 ? limit : 100,
      timeout: Math.min(50, Math.max(0, number(parameters, 'timeout'))),
      allowed: allowedUpdates(parameters),
    },
    gone,
  )
}

function allowedUpdates(parameters: Parameters): string[] | undefined {
  const allowed = structure(parameters, 'allowed_updates')
  return Array.isArray(allowed) ? allowed.filter((kind): kind is string => typeof kind === 'string') : undefined
}

/** Plain http is taken too, as a Bot API server of one's own does. */
export function setWebhook({ updates, bot, parameters }: Call): unknown {
  const url = text(parameters, 'url')
  const secret = text(parameters, 'secret_token')
  if (secret.length > 256) throw badRequest('secret token is too long')
  if (!/^[A-Za-z0-9_-]*$/.test(secret)) throw badRequest('secret token contains unallowed characters')
  const allowed = allowedUpdates(parameters)
  if (allowed !== undefined) updates.setAllowed(bot.id, allowed)
  const drop = flag(parameters, 'drop_pending_updates')
  if (url === '') {
    updates.setWebhook(bot.id, undefined, drop)
    return true
  }
  if (!URL.canParse(url) || !/^https?:/.test(url)) throw badRequest('bad webhook: invalid webhook URL specified')
  const connections = number(parameters, 'max_connections')
  const webhook = {
    url,
    max_connections: connections >= 1 && connections <= 100 ? connections : 40,
    ...(secret === '' ? {} : { secret_token: secret }),
  }
  updates.setWebhook(bot.id, webhook, drop)
  return true
}
