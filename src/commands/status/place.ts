/** Where `status` looks: home, live or sandbox, and whose bot. */
import type { Records } from '../../app/store.ts'
import type { Config } from '../../config.ts'
import { botIdOf, botText, otherBotText, type OwnBot, ownBot } from '../../greetings/own-bot.ts'

/** A database of a home, and the bot it serves. */
export interface Place {
  home: string
  world: 'live' | 'sandbox'
  bot: OwnBot | null
  /** the token is of another bot than the database: what to do */
  conflict: string | undefined
}

export async function placeOf({ db, home }: Records, { token }: Config, sandbox: boolean): Promise<Place> {
  const bot = await ownBot(db, sandbox ? undefined : token)
  const conflict =
    sandbox || token === undefined || bot === null || botIdOf(token) === bot.id
      ? undefined
      : otherBotText(bot.id, String(botIdOf(token)))
  return { home, world: sandbox ? 'sandbox' : 'live', bot, conflict }
}

export const placeJson = ({ home, world, bot }: Place) => ({
  home,
  world,
  bot: bot === null ? null : { id: Number(bot.id), username: bot.username },
})

export const placeText = ({ home, world, bot }: Place) =>
  `home       ${home} · ${world} · ${bot === null ? 'no bot yet' : botText(bot)}`
