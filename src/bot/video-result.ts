/** A video as somebody gets it in a chat that the bot is not in. */
import type { InlineKeyboardMarkup, InlineQueryResultCachedVideo } from 'grammy/types'
import type { Video } from '../greetings/videos.ts'
import type { BotIdentity } from '../telegram/api.ts'
import { captionOf, languageOfVideo } from '../telegram/presentation.ts'
import { text, type Language } from '../texts.ts'

/** What a link to the bot carries that opens it without a name. */
export const openBot = 'start'

/** One video to choose; its button brings whoever sees it to the bot. */
export function videoResult(
  video: Video,
  language: Language,
  bot: Pick<BotIdentity, 'name' | 'username'>,
): InlineQueryResultCachedVideo {
  return {
    type: 'video',
    id: video.assetId,
    title: video.display,
    video_file_id: video.fileId,
    ...captionOf(video.display, language, bot),
    reply_markup: openButton(languageOfVideo(video.display, language), bot.username),
  }
}

/** A button that opens the bot, with a name if there is one. */
export function openButton(language: Language, botUsername: string, payload = openBot): InlineKeyboardMarkup {
  const url = `https://t.me/${botUsername}?start=${payload}`
  return { inline_keyboard: [[{ text: text(language, 'inline-start'), url }]] }
}
