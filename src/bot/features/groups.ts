/** Groups: the bot answers whoever addresses it, and is silent otherwise. */
import { Composer } from 'grammy'
import type { ChatMember } from 'grammy/types'
import { text } from '../../texts.ts'
import type { BotContext } from '../context.ts'
import { saidTo } from '../mention.ts'
import { respond, type RespondDeps } from '../respond.ts'

/** Anonymous administrators of a group write as this one. */
const anonymousAdmin = 1_087_968_824

export function groups(deps: RespondDeps): Composer<BotContext> {
  const composer = new Composer<BotContext>()
  const inGroup = composer.chatType(['group', 'supergroup'])

  inGroup.on('my_chat_member', async (ctx) => {
    const { old_chat_member: before, new_chat_member: after } = ctx.myChatMember
    if (!isThere(before) && isThere(after)) ctx.say(text(await ctx.language(), 'group-welcome'))
  })

  const written = inGroup.on('message:text').filter(({ from, msg, me }) => {
    const isPerson = !from.is_bot || from.id === anonymousAdmin
    return isPerson && msg.via_bot?.id !== me.id
  })
  const answer = async (ctx: BotContext, words: string, certain = false) =>
    words.trim() === ''
      ? ctx.say(text(await ctx.language(), 'group-usage'))
      : respond(deps, ctx, words, certain ? { certain } : {})

  written.command('greet', (ctx) => answer(ctx, ctx.match, true))
  written.command(['start', 'help'], (ctx) => answer(ctx, ''))
  written.use(async (ctx, next) => {
    const { text: words, entities, reply_to_message: answered } = ctx.msg
    const said = saidTo(ctx.me.username, ctx.msg)
    if (said !== undefined) return answer(ctx, said)
    const [first] = entities ?? []
    const isCommand = first?.type === 'bot_command' && first.offset === 0
    if (isCommand) return isAddressed(words, ctx.me.username) ? answer(ctx, '') : undefined
    if (answered?.from?.id === ctx.me.id && answered.via_bot === undefined) return answer(ctx, words)
    return next()
  })
  // All else that is written there is between people.
  inGroup.on(['message', 'edited_message'], () => undefined)
  return composer
}

const isThere = ({ status }: ChatMember) => status === 'member' || status === 'administrator'

const isAddressed = (words: string, username: string) =>
  words.split(/\s/, 1)[0]?.toLowerCase().endsWith(`@${username.toLowerCase()}`) === true
