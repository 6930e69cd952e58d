/** `/warm`: a list of names that comes as a file, with the command under it, before it, or in answer to it. */
import type { Document } from 'grammy/types'
import { answerWarmRun, storeWarmRun } from '../../greetings/warm-runs.ts'
import { text } from '../../texts.ts'
import type { BotContext } from '../context.ts'
import type { Tap } from '../keyboards.ts'
import { listLimits, mostListBytes } from '../warm-list.ts'
import type { AdminDeps } from './admin-deps.ts'

/** Whether words under a document say that it is a list to be warmed; no words are as good. */
export const isWarmCaption = (caption = '') => /^(?:\/warm(?:@\w+)?)?$/i.test(caption.trim())

/** Takes a list. It is read after this, and nothing is made before the admin says so. */
export async function warm(
  { door: { db, botId }, warmRuns }: AdminDeps,
  ctx: BotContext,
  document: Document | undefined,
): Promise<void> {
  const language = await ctx.language()
  if (document === undefined || ctx.from === undefined || ctx.chat === undefined)
    return ctx.say(text(language, 'warm-usage', listLimits))
  if ((document.file_size ?? 0) > mostListBytes) return ctx.say(text(language, 'warm-too-large', listLimits))
  await storeWarmRun(db, botId, {
    userId: BigInt(ctx.from.id),
    chatId: BigInt(ctx.chat.id),
    updateId: ctx.update.update_id,
    fileId: document.file_id,
    language,
  })
  warmRuns.look()
}

/** An admin pressed a button of the plan. */
export async function answerWarm(
  { door: { db, botId }, warmRuns }: AdminDeps,
  ctx: BotContext,
  { id, really }: Extract<Tap, { what: 'warm' }>,
): Promise<void> {
  const language = await ctx.language()
  switch (await answerWarmRun(db, botId, id, { userId: BigInt(ctx.from?.id ?? 0), really })) {
    case 'running':
      ctx.toast(text(language, 'toast-warm-running'))
      return warmRuns.look()
    case 'declined':
      return ctx.say(text(language, 'warm-declined'))
    case 'done':
      return ctx.toast(text(language, 'toast-warm-done'))
    case 'not_yours':
      return ctx.toast(text(language, 'toast-not-yours'))
    case 'reading':
    case 'offered':
    case 'old':
      return ctx.toast(text(language, 'toast-old'))
  }
}
