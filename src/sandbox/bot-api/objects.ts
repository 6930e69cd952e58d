/** Turns what the world remembers into the objects that the Bot API tells, seen by one bot. */
import type { StoredMessage } from '../state/records.ts'
import type { StoredPicture } from '../state/records.ts'
import type { StoredMedia } from '../state/records.ts'
import type { Membership } from '../state/records.ts'
import type { GroupRecord } from '../state/records.ts'
import type { UserRecord } from '../state/records.ts'
import type { BotRecord } from '../state/records.ts'
import type { SandboxState } from '../state/state.ts'
import { switchesOf } from './switches.ts'

export function botUser(bot: BotRecord): Record<string, unknown> {
  return { id: bot.id, is_bot: true, first_name: bot.firstName, username: bot.username }
}

/** What `getMe` adds to a bot's user. */
export function botSelf(state: SandboxState, bot: BotRecord): Record<string, unknown> {
  const { inline, guests, groups, groupPrivacy } = switchesOf(state, bot.id)
  return {
    ...botUser(bot),
    can_join_groups: groups,
    can_read_all_group_messages: !groupPrivacy,
    supports_inline_queries: inline,
    supports_guest_queries: guests,
    can_connect_to_business: false,
    has_main_web_app: false,
    has_topics_enabled: false,
    allows_users_to_create_topics: false,
    can_manage_bots: false,
  }
}

export function personUser(user: UserRecord): Record<string, unknown> {
  const { id, first_name, last_name, username, language_code } = user
  return prune({ id, is_bot: false, first_name: user.deleted ? '' : first_name, last_name, username, language_code })
}

export function userObject(state: SandboxState, id: number): Record<string, unknown> {
  const bot = state.bots.get(id)
  if (bot !== undefined) return botUser(bot)
  const user = state.users.get(id)
  return user === undefined ? { id, is_bot: false, first_name: '' } : personUser(user)
}

export function chatObject(state: SandboxState, id: number): Record<string, unknown> {
  if (id < 0) {
    const group = state.groups.get(id) as GroupRecord
    return prune({ id, title: group.title, username: group.username, type: group.type })
  }
  const user = state.users.get(id)
  return prune({
    id,
    first_name: user?.deleted ? '' : (user?.first_name ?? ''),
    last_name: user?.last_name,
    username: user?.username,
    type: 'private',
  })
}

export function memberObject(user: Record<string, unknown>, membership: Membership): Record<string, unknown> {
  switch (membership.status) {
    case 'administrator':
      return {
        user,
        status: 'administrator',
        can_be_edited: false,
        can_manage_chat: true,
        can_change_info: false,
        can_post_messages: membership.can_post_messages,
        can_edit_messages: membership.can_edit_messages,
        can_delete_messages: membership.can_delete_messages,
        can_invite_users: true,
        can_restrict_members: false,
        can_promote_members: false,
        can_manage_video_chats: false,
        can_post_stories: false,
        can_edit_stories: false,
        can_delete_stories: false,
        is_anonymous: false,
      }
    case 'kicked':
      return { user, status: 'kicked', until_date: 0 }
    case 'left':
    case 'member':
      return { user, status: membership.status }
  }
}

/** A message as this bot sees it. Every telling of a file makes a fresh file_id. */
export function messageObject(
  state: SandboxState,
  botId: number,
  chatId: number,
  message: StoredMessage,
  nested = false,
): Record<string, unknown> {
  const key = state.chatKey(botId, chatId)
  const reply = message.reply_to === undefined || nested ? undefined : state.message(key, message.reply_to)
  const hasText = message.text !== undefined
  return prune({
    message_id: message.message_id,
    from: message.from === undefined ? undefined : userObject(state, message.from),
    sender_chat: message.from === undefined ? chatObject(state, chatId) : undefined,
    chat: chatObject(state, chatId),
    date: message.date,
    forward_origin: originObject(state, message.origin),
    reply_to_message: reply && messageObject(state, botId, chatId, reply, true),
    via_bot: message.via_bot === undefined ? undefined : userObject(state, message.via_bot),
    guest_bot_caller_user: message.guest_caller === undefined ? undefined : userObject(state, message.guest_caller),
    new_chat_members: message.joined?.map((id) => userObject(state, id)),
    edit_date: message.edit_date,
    has_protected_content: message.protect ? true : undefined,
    text: message.text,
    entities: hasText ? message.entities : undefined,
    ...(message.media === undefined ? {} : mediaObject(state, botId, message.media)),
    contact: message.contact,
    caption: message.caption,
    caption_entities: hasText ? undefined : message.entities,
    reply_markup: message.reply_markup,
  })
}

function originObject(state: SandboxState, origin: StoredMessage['origin']): Record<string, unknown> | undefined {
  if (origin === undefined) return undefined
  if (origin.type === 'user') return { type: 'user', sender_user: userObject(state, origin.user), date: origin.date }
  return { type: 'channel', chat: chatObject(state, origin.chat), message_id: origin.message_id, date: origin.date }
}

function mediaObject(state: SandboxState, botId: number, media: StoredMedia): Record<string, unknown> {
  const thumbnail = media.thumbnail && pictureObject(state, botId, media.thumbnail, 'thumbnail')
  const file = {
    file_id: state.fileId(media.kind, media.unique, botId),
    file_unique_id: media.unique,
    file_size: media.size,
  }
  const named = { file_name: media.fileName, mime_type: media.mimeType }
  const pictures = prune({ thumbnail, thumb: thumbnail })
  const moving = { duration: media.duration, width: media.width, height: media.height, ...named }
  switch (media.kind) {
    case 'document':
      return { document: { ...named, ...pictures, ...file } }
    case 'photo':
      return { photo: [{ ...file, width: media.width, height: media.height }] }
    case 'voice':
      return { voice: { duration: media.duration, mime_type: media.mimeType, ...file } }
    case 'animation':
      // Old clients know no animations, so it is a document too.
      return { animation: { ...moving, ...pictures, ...file }, document: { ...named, ...pictures, ...file } }
    case 'video': {
      const cover = media.cover && [pictureObject(state, botId, media.cover, 'photo')]
      return { video: prune({ ...moving, cover, ...pictures, ...file }) }
    }
  }
}

function pictureObject(
  state: SandboxState,
  botId: number,
  picture: StoredPicture,
  kind: 'thumbnail' | 'photo',
): Record<string, unknown> {
  const { unique, width, height, size } = picture
  return { file_id: state.fileId(kind, unique, botId), file_unique_id: unique, file_size: size, width, height }
}

/** Without the fields that are undefined. */
export function prune<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T
}
