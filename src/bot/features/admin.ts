/** Commands of those who run the bot, in their own chat. For everybody else there are none of these. */
import { Composer } from 'grammy'
import type { Times } from '../../config.ts'
import type { Db } from '../../db/database.ts'
import { lastLanguage } from '../../greetings/people.ts'
import type { Api } from '../../telegram/api.ts'
import { languageOf } from '../../texts.ts'
import type { BotContext } from '../context.ts'
import { readTap } from '../keyboards.ts'
import { setAdminMenu } from '../profile.ts'
import type { AdminDeps } from './admin-deps.ts'
import { preview } from './admin-preview.ts'
import { retry } from './admin-retry.ts'
import { tellStats } from './admin-stats.ts'
import { answerWarm, isWarmCaption, warm } from './admin-warm.ts'

export function admin(deps: AdminDeps): Composer<BotContext> {
  const composer = new Composer<BotContext>()
  const personal = composer.chatType('private').filter((ctx) => deps.isAdmin(ctx.from?.id ?? 0))

  personal.command('stats', (ctx) => tellStats(deps, ctx))
  personal.command('retry', (ctx) => retry(deps, ctx, ctx.match))
  personal.command('preview', (ctx) => preview(deps, ctx, ctx.match))

  personal.command('warm', (ctx) => warm(deps, ctx, ctx.msg.reply_to_message?.document))
  personal.on('message:document', (ctx, next) =>
    isWarmCaption(ctx.msg.caption) ? warm(deps, ctx, ctx.msg.document) : next(),
  )

  // Whatever changes the menu of a person gives an admin that of admins, after it.
  personal.command('start', async (ctx, next) => {
    await next()
    await showMenu(deps, ctx)
  })
  personal.on('callback_query:data', async (ctx, next) => {
    const tap = readTap(ctx.callbackQuery.data)
    if (tap?.what === 'warm') return answerWarm(deps, ctx, tap)
    await next()
    if (tap?.what === 'language' || tap?.what === 'forget') await showMenu(deps, ctx)
  })
  return composer
}

async function showMenu({ times }: AdminDeps, ctx: BotContext): Promise<void> {
  const language = await ctx.language()
  const { api, chat } = ctx
  if (chat !== undefined) ctx.later(() => setAdminMenu(api, times, chat.id, language))
}

/** Gives every admin their menu; whoever never wrote to the bot gets it with their first /start. */
export async function showAdminMenus(
  api: Api,
  { db, times, adminIds }: { db: Db; times: Times; adminIds: readonly number[] },
): Promise<void> {
  for (const id of adminIds) {
    const language = await lastLanguage(db, BigInt(id))
    await setAdminMenu(api, times, id, language ?? languageOf(undefined))
  }
}
