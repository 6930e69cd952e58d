/** What people write in their own chat: names, talk, and what is neither. */
import { Composer, type FilterQuery } from 'grammy'
import { emit } from '../../events.ts'
import { text } from '../../texts.ts'
import type { BotContext } from '../context.ts'
import { respond, type RespondDeps } from '../respond.ts'

/** Messages that Telegram writes into a chat: nobody asked anything. */
const serviceMessages: FilterQuery[] = [
  'message:pinned_message',
  'message:message_auto_delete_timer_changed',
  'message:new_chat_title',
  'message:chat_background_set',
  'message:users_shared',
  'message:chat_shared',
  'message:write_access_allowed',
  'message:gift',
  'message:unique_gift',
  'message:successful_payment',
  'message:boost_added',
]

export function names(deps: RespondDeps): Composer<BotContext> {
  const composer = new Composer<BotContext>()
  const personal = composer.chatType('private')
  let lastAlbum = ''

  // Somebody chose one of the bot's own results here.
  personal.filter(
    ({ msg, me }) => msg?.via_bot?.id === me.id,
    () => undefined,
  )

  personal.on(['message:text', 'edited_message:text'], async (ctx) => {
    if (/^\/\w/.test(ctx.msg.text)) return ctx.say(text(await ctx.language(), 'short-help'))
    return respond(deps, ctx, ctx.msg.text)
  })

  personal.on(serviceMessages, () => undefined)

  // A picture with a name under it, or somebody's contact, is probably meant as that name.
  personal.on('message:contact', (ctx) => respond(deps, ctx, ctx.msg.contact.first_name, { besides: true }))
  personal.on(['message:caption', 'edited_message:caption'], (ctx) =>
    respond(deps, ctx, ctx.msg.caption, { besides: true }),
  )

  personal.on(['message', 'edited_message'], async (ctx) => {
    // Of an album one part is answered.
    const album = ctx.msg.media_group_id
    if (album !== undefined && album === lastAlbum) return
    lastAlbum = album ?? ''
    emit({ what: 'asked', outcome: 'no_name', reason: 'no_text' })
    return ctx.say(text(await ctx.language(), 'not-text'))
  })
  return composer
}
