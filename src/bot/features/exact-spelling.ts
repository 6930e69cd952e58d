/** A tap under the video of Артём by whoever wrote Артем: they get the name exactly as they wrote it. */
import { Composer } from 'grammy'
import { nameOfRequest } from '../../greetings/requests.ts'
import { parseNameOrSet } from '../../names/set.ts'
import { withoutYo } from '../../names/yo.ts'
import { text } from '../../texts.ts'
import type { BotContext } from '../context.ts'
import { greet } from '../greet.ts'
import { readTap } from '../keyboards.ts'
import type { RespondDeps } from '../respond.ts'

export function exactSpelling(deps: RespondDeps): Composer<BotContext> {
  const composer = new Composer<BotContext>()
  composer.on('callback_query:data', async (ctx, next) => {
    const tap = readTap(ctx.callbackQuery.data)
    if (tap?.what !== 'exact_spelling') return next()
    const language = await ctx.language()
    const asked = await nameOfRequest(deps.door.db, tap.requestId)
    if (asked === undefined) return ctx.toast(text(language, 'toast-old'))
    if (asked.userId !== BigInt(ctx.from.id)) return ctx.toast(text(language, 'toast-not-yours'))
    const parsed = parseNameOrSet(withoutYo(asked.display), deps.nameRules)
    if (!parsed.ok) return ctx.say(text(language, `rejected-${parsed.reason}`))
    // The video of the other spelling stays.
    ctx.takeTapped()
    return greet(deps, ctx, [{ name: parsed.name }])
  })
  return composer
}
