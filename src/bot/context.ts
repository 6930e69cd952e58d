/** What a handler knows and may do. */
import type { Context } from 'grammy'
import type { Attempt } from '../greetings/gate.ts'
import type { Language } from '../texts.ts'

/**
 * A handler stores what the update asks for and returns; only then may the update be confirmed. Everything it
 * sends goes through `later`: in order per chat, never holding up the next updates.
 */
export interface BotContext extends Context {
  /** the language the person is answered in */
  language: Language
  /** this try of the update */
  attempt: Attempt
  /** Sends after the update is stored. */
  later(send: () => Promise<unknown>): void
  /** Answers with a text. It is worth a short wait before the update is confirmed, as nothing stored repeats it. */
  say(words: string): void
}
