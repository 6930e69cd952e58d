/** `/retry`: what failed is tried again, all of it or one name. */
import { retryFailed } from '../../greetings/upkeep/retry.ts'
import { parseNameOrSet } from '../../names/set.ts'
import { text } from '../../texts.ts'
import type { BotContext } from '../context.ts'
import type { AdminDeps } from './admin-deps.ts'

export async function retry({ door, nameRules }: AdminDeps, ctx: BotContext, words: string): Promise<void> {
  const language = await ctx.language()
  if (words.trim() === '') return ctx.say(text(language, 'retried', { count: await retryFailed(door) }))
  const parsed = parseNameOrSet(words, nameRules)
  if (!parsed.ok) return ctx.say(text(language, `rejected-${parsed.reason}`))
  const { key, display } = parsed.name
  const count = await retryFailed(door, [key])
  ctx.say(count === 0 ? text(language, 'retried-none', { name: display }) : text(language, 'retried', { count }))
}
