/** The buttons under a video. */
import type { InlineKeyboardMarkup } from 'grammy/types'
import { text, type Language } from '../texts.ts'
import { deepLinkFor } from './deep-link.ts'

/**
 * A button that shares the bot: whoever follows it gets the same name's video, or is welcomed where the name is too long for
 * a link. It stays when the video is forwarded, as it is a link.
 */
export function videoButtons(language: Language, display: string, botUsername: string): InlineKeyboardMarkup {
  const payload = deepLinkFor(display)
  const link = `https://t.me/${botUsername}${payload === undefined ? '' : `?start=${payload}`}`
  const share = new URL('https://t.me/share/url')
  share.searchParams.set('url', link)
  share.searchParams.set('text', text(language, 'share-text'))
  return { inline_keyboard: [[{ text: text(language, 'button-share'), url: share.href }]] }
}
