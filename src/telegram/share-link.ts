/** What a shared link to the bot carries: the name itself, or a code where the name is too long. */
import type { Db } from '../db/database.ts'
import { nameOfShareCode, shareCode } from '../greetings/share-codes.ts'
import type { BotIdentity } from './api.ts'
import { deepLinkFor, readDeepLink } from './deep-link.ts'

/** Tells a code's payload from a name's. */
const mark = 's'
const codeShape = /^s([\w-]{16})$/

/**
 * The payload of a link that somebody shares from this chat; undefined: the link opens the bot without a name, as a database
 * that is away must keep nobody from their video, or there is none, as videos are shared inline.
 */
export async function sharePayload(
  db: Db,
  { display, chatId }: { display: string; chatId: bigint },
  bot: BotIdentity | undefined,
): Promise<string | undefined> {
  const payload = deepLinkFor(display)
  if (payload !== undefined || bot === undefined || bot.supportsInline) return payload
  // In a group, nobody knows whose it is.
  const userId = chatId > 0n ? chatId : null
  return shareCode(db, display, userId).then(
    (code) => mark + code,
    () => undefined,
  )
}

/** The name that a link brought; undefined: it is none of ours, or over. */
export async function sharedName(db: Db, payload: string): Promise<string | undefined> {
  const [, code] = codeShape.exec(payload) ?? []
  return readDeepLink(payload) ?? (code === undefined ? undefined : nameOfShareCode(db, code))
}
