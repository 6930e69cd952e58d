/**
 * `@bot Маша` in any chat: videos to choose from, at once. Nothing of a query is stored, and nobody waits for one: it is
 * answered with what there is.
 */
import { Composer } from 'grammy'
import type { InlineQueryResultsButton } from 'grammy/types'
import { emit } from '../../events.ts'
import { askKey } from '../../greetings/ask.ts'
import { countChosen, findVideos, type Video } from '../../greetings/videos.ts'
import { deepLinkFor } from '../../telegram/deep-link.ts'
import { isTelegram } from '../../telegram/api.ts'
import { text, type Language } from '../../texts.ts'
import type { BotContext } from '../context.ts'
import type { Lookups } from '../lookups.ts'
import { namesIn, type QueryNames } from '../query-names.ts'
import type { RespondDeps } from '../respond.ts'
import { openBot, videoResult } from '../video-result.ts'

/** What answering from elsewhere needs. */
export interface ElsewhereDeps extends RespondDeps {
  lookups: Lookups
}

/** Seconds for which Telegram may give the answer again. A miss is asked anew: the video may be there in a moment. */
const cacheSeconds = { hit: 60, miss: 0 }

export function inline(deps: ElsewhereDeps): Composer<BotContext> {
  const composer = new Composer<BotContext>()
  composer.on('inline_query', async (ctx) => {
    const { query, from } = ctx.inlineQuery
    const found = await deps.lookups.look(from.id, async () => {
      const language = await ctx.language()
      return { language, ...(await offersFor(deps, query, language)) }
    })
    if (found === undefined) return
    const { language, videos, typed, isHit } = found
    const results = videos.map((video) =>
      videoResult(video, language, { name: ctx.me.first_name, username: ctx.me.username }),
    )
    const button = isHit ? undefined : missButton(language, typed?.display)
    const other = {
      is_personal: true,
      cache_time: isHit ? cacheSeconds.hit : cacheSeconds.miss,
      ...(button && { button }),
    }
    try {
      await ctx.answerInlineQuery(results, other)
    } catch (error) {
      // Of several files Telegram does not say which one it has lost: the bot itself finds out when it is asked.
      if (isTelegram(error, 'bad_file_id') && results.length > 0)
        await ctx
          .answerInlineQuery([], { is_personal: true, cache_time: 0, button: missButton(language, typed?.display) })
          .catch(() => undefined)
      else if (!isTelegram(error)) throw error
    }
  })
  composer.on('chosen_inline_result', async () => {
    emit({ what: 'asked', outcome: 'hit' })
    await countChosen(deps.door.db)
  })
  return composer
}

/** What is offered for a query. */
export interface Offers extends Pick<QueryNames, 'typed'> {
  videos: Video[]
  /** what was asked for is there */
  isHit: boolean
}

/** Names from memory, and one statement for their videos. */
export async function offersFor(
  deps: Pick<ElsewhereDeps, 'door' | 'known' | 'nameRules' | 'templateFor'>,
  query: string,
  language: Language,
): Promise<Offers> {
  const { typed, exact, others } = namesIn(query, language, deps)
  const asks = [...new Map([...exact, ...others].map((ask) => [askKey(ask), ask])).values()]
  const videos = await findVideos(deps.door.db, deps.door.botId, asks)
  const isExact = exact.some(({ display }) => videos[0]?.display === display)
  return { typed, videos, isHit: isExact || (query.trim() === '' && videos.length > 0) }
}

function missButton(language: Language, name: string | undefined): InlineQueryResultsButton {
  const payload = name === undefined ? undefined : deepLinkFor(name)
  return name === undefined || payload === undefined
    ? { text: text(language, 'inline-start'), start_parameter: openBot }
    : { text: text(language, 'inline-miss', { name }), start_parameter: payload }
}
