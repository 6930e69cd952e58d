/** Turns what the world remembers into the objects that the Bot API tells, seen by one bot. */
import type {
  BotRecord,
  GroupRecord,
  Membership,
  StoredMedia,
  StoredMessage,
  StoredPicture,
  UserRecord,
  World,
} from './world.ts'
import { badRequest } from './refusal.ts'

export function botUser(bot: BotRecord): Record<string, unknown> {
  return { id: bot.id, is_bot: true, first_name: bot.firstName, username: bot.username }
}

/** What `getMe` adds to a bot's user. */
export function botSelf(bot: BotRecord): Record<string, unknown> {
  return {
    ...botUser(bot),
    can_join_groups: true,
    can_read_all_group_messages: false,
    supports_inline_queries: true,
    supports_guest_queries: false,
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

export function userObject(world: World, id: number): Record<string, unknown> {
  const bot = world.bots.get(id)
  if (bot !== undefined) return botUser(bot)
  const user = world.users.get(id)
  return user === undefined ? { id, is_bot: false, first_name: '' } : personUser(user)
}

export function chatObject(world: World, id: number): Record<string, unknown> {
  if (id < 0) {
    const group = world.groups.get(id) as GroupRecord
    return prune({ id, title: group.title, username: group.username, type: group.type })
  }
  const user = world.users.get(id)
  return prune({
    id,
    first_name: user?.deleted ? '' : (user?.first_name ?? ''),
    last_name: user?.last_name,
    username: user?.username,
    type: 'private',
  })
}

export function memberObject(world: World, bot: BotRecord, membership: Membership): Record<string, unknown> {
  const user = botUser(bot)
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
  world: World,
  botId: number,
  chatId: number,
  message: StoredMessage,
  nested = false,
): Record<string, unknown> {
  const key = world.chatKey(botId, chatId)
  const reply = message.reply_to === undefined || nested ? undefined : world.message(key, message.reply_to)
  const hasText = message.text !== undefined
  return prune({
    message_id: message.message_id,
    from: message.from === undefined ? undefined : userObject(world, message.from),
    sender_chat: message.from === undefined ? chatObject(world, chatId) : undefined,
    chat: chatObject(world, chatId),
    date: message.date,
    forward_origin: originObject(world, message.origin),
    reply_to_message: reply && messageObject(world, botId, chatId, reply, true),
    via_bot: message.via_bot === undefined ? undefined : userObject(world, message.via_bot),
    edit_date: message.edit_date,
    has_protected_content: message.protect ? true : undefined,
    text: message.text,
    entities: hasText ? message.entities : undefined,
    ...(message.media === undefined ? {} : mediaObject(world, botId, message.media)),
    caption: message.caption,
    caption_entities: hasText ? undefined : message.entities,
    reply_markup: message.reply_markup,
  })
}

function originObject(world: World, origin: StoredMessage['origin']): Record<string, unknown> | undefined {
  if (origin === undefined) return undefined
  if (origin.type === 'user') return { type: 'user', sender_user: userObject(world, origin.user), date: origin.date }
  return { type: 'channel', chat: chatObject(world, origin.chat), message_id: origin.message_id, date: origin.date }
}

function mediaObject(world: World, botId: number, media: StoredMedia): Record<string, unknown> {
  const thumbnail = media.thumbnail && pictureObject(world, botId, media.thumbnail, 'thumbnail')
  const file = {
    file_id: world.fileId(media.kind, media.unique, botId),
    file_unique_id: media.unique,
    file_size: media.size,
  }
  const named = { file_name: media.fileName, mime_type: media.mimeType }
  const pictures = prune({ thumbnail, thumb: thumbnail })
  const moving = { duration: media.duration, width: media.width, height: media.height, ...named }
  switch (media.kind) {
    case 'document':
      return { document: { ...named, ...pictures, ...file } }
    case 'animation':
      // Old clients know no animations, so it is a document too.
      return { animation: { ...moving, ...pictures, ...file }, document: { ...named, ...pictures, ...file } }
    case 'video': {
      const cover = media.cover && [pictureObject(world, botId, media.cover, 'photo')]
      return { video: prune({ ...moving, cover, ...pictures, ...file }) }
    }
  }
}

function pictureObject(
  world: World,
  botId: number,
  picture: StoredPicture,
  kind: 'thumbnail' | 'photo',
): Record<string, unknown> {
  const { unique, width, height, size } = picture
  return { file_id: world.fileId(kind, unique, botId), file_unique_id: unique, file_size: size, width, height }
}

function prune(object: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
}

/** Text as Telegram stores it: its entities beside it. */
export interface FormattedText {
  text: string
  entities: unknown[] | undefined
}

/** Commands in what somebody typed: `/start payload` carries one entity, which bots go by. */
export function commandEntities(text: string): unknown[] | undefined {
  const found = [...text.matchAll(/(?<![\w/])\/([A-Za-z0-9_]{1,32})(@\w+)?/g)].map((match) => ({
    type: 'bot_command',
    offset: match.index,
    length: match[0].length,
  }))
  return found.length > 0 ? found : undefined
}

const htmlTags: Record<string, string> = {
  b: 'bold',
  strong: 'bold',
  i: 'italic',
  em: 'italic',
  u: 'underline',
  ins: 'underline',
  s: 'strikethrough',
  strike: 'strikethrough',
  del: 'strikethrough',
  code: 'code',
  pre: 'pre',
  a: 'text_link',
  blockquote: 'blockquote',
  'tg-spoiler': 'spoiler',
}
const htmlNames: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"' }

/**
 * Reads text with a `parse_mode`. HTML is understood; MarkdownV2 only as far as its first unescaped reserved
 * character, which is refused as Telegram does; with no parse mode a text is what it is.
 * @throws Refusal 400 `can't parse entities`
 */
export function parseText(text: string, parseMode: string): FormattedText {
  switch (parseMode.toLowerCase()) {
    case '':
      return { text, entities: undefined }
    case 'html':
      return parseHtml(text)
    case 'markdownv2':
      return parseMarkdown(text)
    default:
      throw badRequest('unsupported parse_mode')
  }
}

function parseHtml(source: string): FormattedText {
  let text = ''
  const entities: unknown[] = []
  const open: { tag: string; offset: number; url: string | undefined; at: number }[] = []
  for (const match of source.matchAll(/<(\/?)([^<>\s]*)([^<>]*)>|<|&(#\d+|\w+);|[^<&]+|&/g)) {
    const [whole, slash, name, attributes, reference] = match
    const at = Buffer.byteLength(source.slice(0, match.index))
    if (whole === '<') throw badRequest(`can't parse entities: Unclosed start tag at byte offset ${at}`)
    if (name === undefined) {
      const code = reference?.startsWith('#')
        ? String.fromCodePoint(Number(reference.slice(1)))
        : htmlNames[reference ?? '']
      text += code ?? whole
      continue
    }
    const tag = name.toLowerCase()
    if (slash === '') {
      if (htmlTags[tag] === undefined)
        throw badRequest(`can't parse entities: Unsupported start tag "${tag}" at byte offset ${at}`)
      open.push({ tag, offset: text.length, at, url: /href\s*=\s*["']?([^"'\s>]+)/.exec(attributes ?? '')?.[1] })
      continue
    }
    const last = open.pop()
    if (last === undefined) throw badRequest(`can't parse entities: Unexpected end tag at byte offset ${at}`)
    if (tag !== last.tag)
      throw badRequest(
        `can't parse entities: Unmatched end tag at byte offset ${at}, expected "</${last.tag}>", found "</${tag}>"`,
      )
    const length = text.length - last.offset
    if (length > 0)
      entities.push({
        type: htmlTags[tag],
        offset: last.offset,
        length,
        ...(last.url === undefined ? {} : { url: last.url }),
      })
  }
  const unclosed = open.pop()
  if (unclosed !== undefined)
    throw badRequest(`can't parse entities: Can't find end tag corresponding to start tag "${unclosed.tag}"`)
  return { text, entities: entities.length > 0 ? entities : undefined }
}

const markdownTypes: Record<string, string> = { '*': 'bold', _: 'italic', '~': 'strikethrough', '`': 'code' }

function parseMarkdown(source: string): FormattedText {
  let text = ''
  const entities: unknown[] = []
  const open: { mark: string; offset: number; at: number }[] = []
  for (let i = 0; i < source.length; i++) {
    const mark = source[i] ?? ''
    if (mark === '\\' && i + 1 < source.length) text += source[++i]
    else if (open.at(-1)?.mark === mark) {
      const { offset } = open.pop() as { offset: number }
      if (text.length > offset) entities.push({ type: markdownTypes[mark], offset, length: text.length - offset })
    } else if (markdownTypes[mark] !== undefined) open.push({ mark, offset: text.length, at: i })
    else if ('[]()>#+-=|{}.!'.includes(mark))
      throw badRequest(
        `can't parse entities: Character '${mark}' is reserved and must be escaped with the preceding '\\'`,
      )
    else text += mark
  }
  const unclosed = open.pop()
  if (unclosed !== undefined)
    throw badRequest(
      `can't parse entities: Can't find end of ${markdownTypes[unclosed.mark]?.replace(/^./, (first) => first.toUpperCase())} entity at byte offset ${Buffer.byteLength(source.slice(0, unclosed.at))}`,
    )
  return { text, entities: entities.length > 0 ? entities : undefined }
}
