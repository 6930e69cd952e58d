/** What stands under a video: the greeting with a link to the bot, and buttons. */
import type { InlineKeyboardMarkup, MessageEntity } from 'grammy/types'
import { partsOfDisplay } from '../names/set.ts'
import { languageOf, languageOfScript, text, type Language } from '../texts.ts'
import type { BotIdentity } from './api.ts'
import { videoButtons } from './video-buttons.ts'

/** Caption and buttons, as the methods that send a video take them. */
export interface Presentation {
  caption: string
  caption_entities?: MessageEntity[]
  reply_markup?: InlineKeyboardMarkup
}

/** The video of a request: whose name it is, and the language of whoever asked. */
export interface Presented {
  requestId: string
  display: string
  language: string
  /** the person wrote е where the name has ё */
  wroteE: boolean
  /** what a shared link carries */
  payload: string | undefined
}

/** The language of a name’s video, which is that of its letters; `otherwise`: of letters that no language is written in. */
export function languageOfVideo(display: string, otherwise: string): Language {
  return languageOfScript(display) ?? languageOf(otherwise)
}

/**
 * The greeting in the language of the video, with the bot’s name as a link: a video that is forwarded loses all buttons but
 * links, and keeps this. `bot` undefined: nobody is told whose it is.
 */
export function captionOf(
  display: string,
  language: string,
  bot: Pick<BotIdentity, 'name' | 'username'> | undefined,
): Presentation {
  const spoken = languageOfVideo(display, language)
  const greeting =
    partsOfDisplay(display) === undefined
      ? text(spoken, 'caption', { name: display })
      : text(spoken, 'caption-together', { names: display })
  if (bot === undefined) return { caption: greeting }
  // Offsets are counted in UTF-16 units, as strings are here; Telegram strips what is blank around.
  const name = bot.name.trim() || `@${bot.username}`
  const before = `${greeting}\n\n`
  const link = { offset: before.length, length: name.length, url: `https://t.me/${bot.username}` }
  return { caption: before + name, caption_entities: [{ type: 'text_link', ...link }] }
}

/** How a request’s video goes out. */
export function presentationOf(
  { display, language, ...request }: Presented,
  bot: BotIdentity | undefined,
): Presentation {
  const shown = captionOf(display, language, bot)
  return bot === undefined
    ? shown
    : { ...shown, reply_markup: videoButtons({ ...request, display, language: languageOf(language) }, bot) }
}

/**
 * The same with less, after Telegram refused it: nobody goes without their video for buttons or a link. Undefined: there is
 * nothing left to leave out.
 */
export function simpler(shown: Presentation, refusal: string): Presentation | undefined {
  const { caption, caption_entities, reply_markup } = shown
  if (reply_markup !== undefined && (caption_entities === undefined || !/entit/i.test(refusal)))
    return { caption, ...(caption_entities === undefined ? {} : { caption_entities }) }
  const [link] = caption_entities ?? []
  if (link === undefined) return undefined
  return { caption: caption.slice(0, link.offset).trimEnd(), ...(reply_markup === undefined ? {} : { reply_markup }) }
}
