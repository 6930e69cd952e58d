/** Which bot this is about. A `file_id` that one bot obtained is worth nothing to another. */
import type { Db } from '../db/database.ts'

/** A bot as far as it is known without asking Telegram. */
export interface OwnBot {
  id: bigint
  /** null until a command has asked Telegram */
  username: string | null
}

/** The bot of a token, which begins with its id. */
export function botIdOf(token: string): bigint {
  return BigInt(token.slice(0, token.indexOf(':')))
}

/** The bot this database belongs to; before there was one, that of the `token`; null: none is known. */
export async function ownBot(db: Db, token?: string): Promise<OwnBot | null> {
  const { botId, botUsername } = await db.installation.findUniqueOrThrow({ where: { id: 1 } })
  if (botId !== null) return { id: botId, username: botUsername }
  return token === undefined ? null : { id: botIdOf(token), username: null }
}

/** For people. */
export const botText = ({ id, username }: OwnBot) => (username === null ? `bot ${id}` : `@${username} (${id})`)

/** What to do where the database belongs to one bot and the token to another. */
export function otherBotText(botId: bigint | null, bot: string): string {
  return (
    `This database belongs to the bot ${botId}, and the token is of another, ${bot}. Videos ` +
    `uploaded by one bot cannot be sent by another. Use the token of bot ${botId}, or another ` +
    'DATABASE_URL or GREETINGS_HOME, or hand this database over: `greetings verify --new-bot` ' +
    'takes every video over from the storage channels; with --new-bot on another command each is ' +
    'uploaded again when somebody asks for it.'
  )
}
