/** Taps under a video: another name, and “sounds wrong”, with what follows from that. */
import { Composer, type InlineKeyboard } from 'grammy'
import { questionSent, storeQuestion } from '../../greetings/questions.ts'
import { nameOfRequest } from '../../greetings/requests.ts'
import { reportOf, reportSound, wishStress, type Reported } from '../../greetings/sound-reports.ts'
import { parseNameOrSet } from '../../names/set.ts'
import { stressChoices } from '../../names/stress.ts'
import { text } from '../../texts.ts'
import type { BotContext } from '../context.ts'
import { greet } from '../greet.ts'
import { readTap, stressButtons } from '../keyboards.ts'
import type { RespondDeps } from '../respond.ts'

export function afterVideo(deps: RespondDeps): Composer<BotContext> {
  const composer = new Composer<BotContext>()
  composer.on('callback_query:data', async (ctx, next) => {
    const tap = readTap(ctx.callbackQuery.data)
    switch (tap?.what) {
      case 'another':
        return askForAnother(deps, ctx, tap.requestId)
      case 'sounds_wrong':
        return takeReport(deps, ctx, tap.requestId)
      case 'stress':
        return takeStress(deps, ctx, tap.reportId, tap.stress)
      case 'new_video':
        return sendNewVideo(deps, ctx, tap.reportId)
      default:
        return next()
    }
  })
  return composer
}

async function askForAnother(deps: RespondDeps, ctx: BotContext, requestId: string): Promise<void> {
  const asker = (await nameOfRequest(deps.door.db, requestId))?.userId
  if (asker !== BigInt(ctx.from?.id ?? 0)) return refuse(ctx, asker === undefined ? 'old' : 'not_yours')
  return sayBelow(deps, ctx, text(await ctx.language(), 'other-name'))
}

/** Reports at the first tap, and asks for the stress where one can be chosen. A second tap repeats the answer. */
async function takeReport(deps: RespondDeps, ctx: BotContext, requestId: string): Promise<void> {
  const language = await ctx.language()
  const tap = { userId: BigInt(ctx.from?.id ?? 0), updateId: ctx.update.update_id, language }
  const reported = await reportSound(deps.door.db, requestId, tap)
  if (reported.status !== 'reported') return refuse(ctx, reported.status)
  const { id, display, stress } = reported.report
  const choices = stressChoices(display)
  if (stress !== null || choices.length === 0) return sayBelow(deps, ctx, text(language, 'sounds-wrong-thanks'))
  return sayBelow(
    deps,
    ctx,
    text(language, 'sounds-wrong-question', { name: display }),
    stressButtons(language, id, choices),
  )
}

async function takeStress(
  { door: { db } }: RespondDeps,
  ctx: BotContext,
  reportId: string,
  stress: number | null,
): Promise<void> {
  const reported = await reportOf(db, reportId, BigInt(ctx.from?.id ?? 0))
  if (reported.status !== 'reported') return refuse(ctx, reported.status)
  if (stress !== null && stress < stressChoices(reported.report.display).length) await wishStress(db, reportId, stress)
  ctx.say(text(await ctx.language(), 'sounds-wrong-thanks'))
}

async function sendNewVideo(deps: RespondDeps, ctx: BotContext, reportId: string): Promise<void> {
  const reported = await reportOf(deps.door.db, reportId, BigInt(ctx.from?.id ?? 0))
  if (reported.status !== 'reported') return refuse(ctx, reported.status)
  // What a name is may have changed since it was made.
  const parsed = parseNameOrSet(reported.report.display, deps.nameRules)
  if (!parsed.ok) return ctx.say(text(await ctx.language(), `rejected-${parsed.reason}`))
  return greet(deps, ctx, [{ name: parsed.name }])
}

async function refuse(ctx: BotContext, status: Exclude<Reported['status'], 'reported'>): Promise<void> {
  ctx.toast(text(await ctx.language(), status === 'old' ? 'toast-old' : 'toast-not-yours'))
}

/** Says a text in a message of its own, as the video stays. An update that is told again says nothing again. */
async function sayBelow(
  { door: { db, botId } }: RespondDeps,
  ctx: BotContext,
  words: string,
  keyboard?: InlineKeyboard,
): Promise<void> {
  ctx.takeTapped()
  if (ctx.from === undefined || ctx.chat === undefined) return
  const asked = { userId: BigInt(ctx.from.id), chatId: BigInt(ctx.chat.id), updateId: ctx.update.update_id }
  const question = await storeQuestion(db, botId, asked, [])
  if (question.messageId !== null) return
  ctx.say(words, {
    ...(keyboard === undefined ? {} : { keyboard }),
    sent: (messageId) => questionSent(db, question.id, messageId),
  })
}
