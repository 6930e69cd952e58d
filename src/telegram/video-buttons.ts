/** The buttons under a video. Their data names the request, never the name. */
import type { InlineKeyboardButton, InlineKeyboardMarkup } from 'grammy/types'
import { withoutYo } from '../names/yo.ts'
import { text, type Language } from '../texts.ts'
import type { BotIdentity } from './api.ts'

/** What a tap on a button of a video, or of a new one that is offered, is about: a request, or a report. */
export type VideoTap = { what: 'another' | 'sounds_wrong'; requestId: string } | { what: 'new_video'; reportId: string }

/** What a tap says; undefined: the data is none of a video. */
export function readVideoTap(data: string): VideoTap | undefined {
  const [, kind, id = ''] = /^([awo]):([\w-]{8,48})$/.exec(data) ?? []
  switch (kind) {
    case 'a':
      return { what: 'another', requestId: id }
    case 'w':
      return { what: 'sounds_wrong', requestId: id }
    case 'o':
      return { what: 'new_video', reportId: id }
    default:
      return undefined
  }
}

/** A button with which a person who reported the former video takes the new one. */
export function newVideoButton(language: Language, reportId: string): InlineKeyboardMarkup {
  return { inline_keyboard: [[{ text: text(language, 'button-new-video'), callback_data: `o:${reportId}` }]] }
}

/** A request's video, in the language of whoever asked. `payload`: what a link to the bot carries; undefined: no name. */
interface VideoToShare {
  requestId: string
  display: string
  language: Language
  payload: string | undefined
  /** they wrote е where the name has ё */
  wroteE: boolean
}

/** Share the bot, another name, “sounds wrong”, and the spelling with е for whoever wrote that, in their language. */
export function videoButtons(
  { requestId, display, language, payload, wroteE }: VideoToShare,
  bot: BotIdentity,
): InlineKeyboardMarkup {
  const exactly = {
    text: text(language, 'button-exact-spelling', { name: withoutYo(display) }),
    callback_data: `e:${requestId}`,
  }
  return {
    inline_keyboard: [
      [shareButton({ language, display, payload }, bot)],
      [
        { text: text(language, 'button-another'), callback_data: `a:${requestId}` },
        { text: text(language, 'button-sounds-wrong'), callback_data: `w:${requestId}` },
      ],
      ...(wroteE ? [[exactly]] : []),
    ],
  }
}

/**
 * A button that shares the name’s video: through inline mode, where the bot has that. Otherwise a link to the bot: whoever
 * follows it gets the same name’s video, or is welcomed where the link carries none.
 */
function shareButton(
  { language, display, payload }: Omit<VideoToShare, 'requestId' | 'wroteE'>,
  { username, supportsInline }: BotIdentity,
): InlineKeyboardButton {
  const label = text(language, 'button-share')
  if (supportsInline) return { text: label, switch_inline_query: display }
  const link = `https://t.me/${username}${payload === undefined ? '' : `?start=${payload}`}`
  const share = new URL('https://t.me/share/url')
  share.searchParams.set('url', link)
  share.searchParams.set('text', text(language, 'share-text'))
  return { text: label, url: share.href }
}
