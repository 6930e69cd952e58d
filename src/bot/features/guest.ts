/** `@bot Маша` in a chat that the bot never joined: one answer, at once, that brings the video or leads to the bot. */
import { Composer, type Filter } from 'grammy'
import type { InlineQueryResult } from 'grammy/types'
import { emit } from '../../events.ts'
import { countChosen } from '../../greetings/videos.ts'
import { deepLinkFor } from '../../telegram/deep-link.ts'
import { isTelegram } from '../../telegram/api.ts'
import { text, type Language } from '../../texts.ts'
import type { BotContext } from '../context.ts'
import { saidTo } from '../mention.ts'
import { openButton, videoResult } from '../video-result.ts'
import { offersFor, type ElsewhereDeps } from './inline.ts'

export function guest(deps: ElsewhereDeps): Composer<BotContext> {
  const composer = new Composer<BotContext>()
  composer.on('guest_message', async (ctx) => {
    const words = saidTo(ctx.me.username, ctx.guestMessage) ?? ctx.guestMessage.text ?? ctx.guestMessage.caption ?? ''
    const found = await deps.lookups.look(ctx.update.update_id, async () => {
      const language = await ctx.language()
      return { language, ...(await offersFor(deps, words, language)) }
    })
    if (found === undefined) return
    const { language, videos, isHit, typed } = found
    const [video] = videos
    if (isHit && words !== '' && video !== undefined) {
      const isSent = await answer(
        ctx,
        videoResult(video, language, { name: ctx.me.first_name, username: ctx.me.username }),
      )
      if (isSent) emit({ what: 'asked', outcome: 'hit' })
      return isSent ? countChosen(deps.door.db) : answer(ctx, line(ctx, language, typed?.display))
    }
    await answer(ctx, line(ctx, language, typed?.display))
  })
  return composer
}

/** In words, with a button that opens the bot. */
function line(ctx: BotContext, language: Language, name: string | undefined): InlineQueryResult {
  const bot = ctx.me.username
  return {
    type: 'article',
    id: 'line',
    title: text(language, 'inline-start'),
    input_message_content: {
      message_text:
        name === undefined ? text(language, 'guest-usage', { bot }) : text(language, 'guest-miss', { name }),
    },
    reply_markup: openButton(language, bot, name === undefined ? undefined : deepLinkFor(name)),
  }
}

/** False: Telegram has lost the video's file. */
async function answer(ctx: Filter<BotContext, 'guest_message'>, result: InlineQueryResult): Promise<boolean> {
  try {
    await ctx.answerGuestQuery(result)
    return true
  } catch (error) {
    if (!isTelegram(error)) throw error
    return !isTelegram(error, 'bad_file_id')
  }
}
