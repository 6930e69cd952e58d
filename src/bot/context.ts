/** What a handler knows and may do. */
import type { Context, InlineKeyboard } from 'grammy'
import type { Attempt } from '../greetings/gate.ts'
import type { Language } from '../texts.ts'

/** What may go with a text. */
export interface Saying {
  keyboard?: InlineKeyboard
  /** the `file_id` of a video that the text is the caption of; without it, if Telegram does not take it */
  video?: string
  /** is called with the id of the message, once it is sent */
  sent?(messageId: number): Promise<unknown>
}

/**
 * A handler stores what the update asks for and returns; only then may the update be confirmed. Everything it
 * sends goes through `later`: in order per chat, never holding up the next updates.
 */
export interface BotContext extends Context {
  /** The language the person is answered in: their choice, else that of what they wrote, else that of their Telegram. */
  language(): Promise<Language>
  /** The person chose another language; undefined: their choice is forgotten. */
  languageChosen(language: Language | undefined): void
  /** this try of the update */
  attempt: Attempt
  /** Sends after the update is stored. */
  later(send: () => Promise<unknown>): void
  /**
   * Answers with a text. It is worth a short wait before the update is confirmed, as nothing stored repeats it. The first
   * answer to a tap takes the place of the message with the buttons.
   */
  say(text: string, saying?: Saying): void
  /** The message with the buttons that were tapped, as long as no answer took its place: whoever takes it, edits it. */
  takeTapped(): number | undefined
  /** Answers a tap at once, with a few words or none. Further calls do nothing. */
  toast(text?: string): void
}
