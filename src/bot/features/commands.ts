/** What begins with a slash, and the taps that belong to it. */
import { Composer } from 'grammy'
import { chooseLanguage, forgetPerson, keptDays } from '../../greetings/people.ts'
import { chatKey } from '../../telegram/flood.ts'
import { sharedName } from '../../telegram/share-link.ts'
import { text } from '../../texts.ts'
import type { BotContext } from '../context.ts'
import { forgetButtons, languageButtons, readTap } from '../keyboards.ts'
import { setPersonalMenu } from '../profile.ts'
import { respond, type RespondDeps } from '../respond.ts'
import { welcome } from '../welcome.ts'

export function commands(deps: RespondDeps): Composer<BotContext> {
  const composer = new Composer<BotContext>()
  const personal = composer.chatType('private')
  const { db } = deps.door

  personal.command('start', async (ctx) => {
    const name = await sharedName(db, ctx.match)
    if (name !== undefined) return respond(deps, ctx, name, { certain: true, linked: true })
    return welcome(deps, ctx)
  })
  personal.command('help', async (ctx) => ctx.say(text(await ctx.language(), 'help')))
  personal.command('greet', async (ctx) =>
    ctx.match.trim() === ''
      ? ctx.say(text(await ctx.language(), 'greet-usage'))
      : respond(deps, ctx, ctx.match, { certain: true }),
  )
  personal.command('privacy', async (ctx) => ctx.say(text(await ctx.language(), 'privacy', { days: keptDays })))
  personal.command('language', async (ctx) =>
    ctx.say(text(await ctx.language(), 'language-question'), { keyboard: languageButtons() }),
  )
  personal.command('forgetme', async (ctx) => {
    const language = await ctx.language()
    ctx.say(text(language, 'forget-question'), { keyboard: forgetButtons(language) })
  })

  personal.on('callback_query:data', async (ctx, next) => {
    const tap = readTap(ctx.callbackQuery.data)
    switch (tap?.what) {
      case 'language':
        await chooseLanguage(db, BigInt(ctx.from.id), tap.language)
        ctx.languageChosen(tap.language)
        ctx.later(() => setPersonalMenu(ctx.api, ctx.chat.id, tap.language))
        return ctx.say(text(tap.language, 'language-chosen'))
      case 'forget': {
        const language = await ctx.language()
        if (!tap.really) return ctx.say(text(language, 'forget-kept'))
        await forgetPerson(db, BigInt(ctx.from.id), chatKey(BigInt(ctx.from.id)))
        ctx.languageChosen(undefined)
        ctx.later(() => setPersonalMenu(ctx.api, ctx.chat.id, undefined))
        return ctx.say(text(language, 'forget-done'))
      }
      default:
        return next()
    }
  })
  return composer
}
