/** What people write in groups, and which bots see it. */
import { mentionEntities, commandEntities } from '../bot-api/formatting.ts'
import { messageObject } from '../bot-api/objects.ts'
import { switchesOf } from '../bot-api/switches.ts'
import type { Say } from '../contract.ts'
import type { BotRecord, StoredMessage } from '../state/records.ts'
import { type ControlContext, ControlError } from './context.ts'
import { newQueryId, remember } from './open-queries.ts'
import { now, updateId } from './values.ts'

const guestQueryMs = 30_000

/** A person writes in a group. The id of the bot's update; null: it does not see this. */
export function sayInGroup(
  context: ControlContext,
  bot: BotRecord,
  { userId, chatId, text, replyTo }: Say,
): number | null {
  const entities = [...(commandEntities(text) ?? []), ...(mentionEntities(text) ?? [])]
  return writeInGroup(
    context,
    bot,
    { userId, chatId: chatId ?? 0 },
    {
      text,
      ...(entities.length === 0 ? {} : { entities }),
      ...(replyTo === undefined ? {} : { reply_to: replyTo }),
    },
  ).updateId
}

/** Puts a person's message into a group and tells the bots that see it. `updateId` is that of `bot`. */
export function writeInGroup(
  context: ControlContext,
  bot: BotRecord,
  { userId, chatId }: { userId: number; chatId: number },
  content: Partial<StoredMessage>,
): { messageId: number; updateId: number | null } {
  const { state } = context
  const group = state.groups.get(chatId)
  if (group === undefined || group.type === 'channel' || group.migratedTo !== undefined)
    throw new ControlError('no such group')
  if (state.membership(chatId, userId) === undefined)
    state.setMembership(chatId, userId, {
      status: 'member',
      can_post_messages: false,
      can_edit_messages: false,
      can_delete_messages: false,
    })
  const key = String(chatId)
  const message: StoredMessage = { message_id: state.nextMessageId(key), date: now(), from: userId, ...content }
  state.saveMessage(key, message)
  const told = messageObject(state, bot.id, chatId, message)
  context.tell({ type: 'message', botId: bot.id, chatId, message: told, edited: false })
  const ids = new Map([...state.bots.values()].map((each) => [each.id, tellBot(context, each, chatId, message)]))
  return { messageId: message.message_id, updateId: ids.get(bot.id) ?? null }
}

function tellBot(context: ControlContext, bot: BotRecord, chatId: number, message: StoredMessage): number | null {
  const { state, updates, queries } = context
  const { guests, groupPrivacy } = switchesOf(state, bot.id)
  const status = state.membership(chatId, bot.id)?.status ?? 'left'
  const told = () => messageObject(state, bot.id, chatId, message)
  if (status === 'administrator' || (status === 'member' && (!groupPrivacy || concerns(context, bot, chatId, message))))
    return updateId(context, bot, updates.add(bot.id, { message: told() }))
  if (status === 'member' || !guests || message.via_bot !== undefined || !mentions(bot, message)) return null
  const id = newQueryId()
  remember(queries.guests, id, {
    botId: bot.id,
    userId: message.from ?? 0,
    chatId,
    messageId: message.message_id,
    until: Date.now() + guestQueryMs,
  })
  return updateId(context, bot, updates.add(bot.id, { guest_message: { ...told(), guest_query_id: id } }))
}

/** What a bot with group privacy sees: commands, replies to it, mentions of it, and what was sent through it. */
function concerns({ state }: ControlContext, bot: BotRecord, chatId: number, message: StoredMessage): boolean {
  const [, , other] = /(^|\s)\/[A-Za-z0-9_]{1,32}(?:@(\w+))?/.exec(message.text ?? '') ?? []
  const commands = (message.entities as { type: string }[] | undefined)?.some(({ type }) => type === 'bot_command')
  if (commands === true && (other === undefined || isName(bot, other))) return true
  const answered = message.reply_to === undefined ? undefined : state.message(String(chatId), message.reply_to)
  return answered?.by === bot.id || message.via_bot === bot.id || mentions(bot, message)
}

function mentions(bot: BotRecord, { text = '', entities = [] }: StoredMessage): boolean {
  return (entities as { type: string; offset: number; length: number }[]).some(
    ({ type, offset, length }) => type === 'mention' && isName(bot, text.slice(offset + 1, offset + length)),
  )
}

const isName = ({ username }: BotRecord, name: string) => username.toLowerCase() === name.toLowerCase()
