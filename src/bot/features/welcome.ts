/** `/start` and `/help`. */
import { Composer } from 'grammy'
import { text } from '../../texts.ts'
import type { BotContext } from '../context.ts'

export function welcome(): Composer<BotContext> {
  const composer = new Composer<BotContext>()
  const personal = composer.chatType('private')
  personal.command('start', (ctx) => ctx.say(text(ctx.language, 'welcome')))
  personal.command('help', (ctx) => ctx.say(text(ctx.language, 'help')))
  return composer
}
