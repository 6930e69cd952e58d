/** A text of the bot's in a chat: a new message, or one that takes the place of another. */
import type { InlineKeyboard } from 'grammy'
import { isTelegram, type Api } from '../telegram/api.ts'
import type { TelegramError } from '../telegram/errors.ts'

/** A text, with what goes with it. */
export interface TextToPut {
  text: string
  keyboard?: InlineKeyboard | undefined
  /** the `file_id` of a video: the text of a new message is its caption, unless Telegram does not take it */
  video?: string | undefined
  edits?: number | undefined
}

/**
 * Puts the text in place of the message `edits`, if that can still be changed, and sends a new one otherwise. Returns the
 * id of the message.
 * @throws TelegramError
 */
export async function putText(
  api: Api,
  chatId: number | string,
  { text, keyboard, video, edits }: TextToPut,
  stop: AbortSignal,
): Promise<number> {
  const other = { reply_markup: keyboard }
  if (edits !== undefined) {
    try {
      await api.editMessageText(chatId, edits, text, other, stop as never)
      return edits
    } catch (error) {
      if (!isTelegram(error, 'refused')) throw error
      // It says so already, or it is gone, or too old to be changed.
      if (/not modified/i.test((error as TelegramError).description)) return edits
    }
  }
  if (video !== undefined) {
    try {
      const captioned = { ...other, caption: text, supports_streaming: true }
      return (await api.sendVideo(chatId, video, captioned, stop as never)).message_id
    } catch (error) {
      if (!isTelegram(error, 'refused', 'bad_file_id')) throw error
    }
  }
  return (await api.sendMessage(chatId, text, other, stop as never)).message_id
}
