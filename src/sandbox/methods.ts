/** The methods of the Bot API. Each takes a call apart, changes the world and gives the `result`. */
import { readFile } from 'node:fs/promises'
import type { CallRecord, SandboxEvent } from './contract.ts'
import type { FileKind } from './file-ids.ts'
import { jpegSize, lookAtMp4 } from './media.ts'
import { botSelf, chatObject, memberObject, messageObject, parseText, personUser, userObject } from './objects.ts'
import type { FormattedText } from './objects.ts'
import { readLocalFile } from './parameters.ts'
import type { Parameters, Upload } from './parameters.ts'
import type { LimitKeeper } from './planned.ts'
import { badRequest, forbidden, Refusal } from './refusal.ts'
import type { Updates } from './updates.ts'
import type {
  BotRecord,
  FileRecord,
  GroupRecord,
  Membership,
  StoredMedia,
  StoredMessage,
  StoredPicture,
  World,
} from './world.ts'

/** Questions that wait for an answer: pressed buttons and inline queries. They do not outlive the server. */
export interface OpenQueries {
  callbacks: Map<string, { botId: number; answer?: Record<string, unknown> }>
  inline: Map<
    string,
    {
      botId: number
      userId: number
      until: number
      answer?: Record<string, unknown>
      results?: Record<string, unknown>[]
    }
  >
}

/** What every method works with. */
export interface Desk {
  world: World
  updates: Updates
  limits: LimitKeeper
  queries: OpenQueries
  /** the server is in local mode: it reads files of this machine by their `file://` address */
  local: boolean
  tell: (event: SandboxEvent) => void
}

/** One call on its way. */
export interface Call extends Desk {
  bot: BotRecord
  parameters: Parameters
  record: CallRecord
  /** aborted when the caller hung up */
  gone: AbortSignal
}

const megabyte = 1024 * 1024
/** Above it Telegram reads no metadata of a video. */
const metadataLimit = 10 * megabyte
const downloadLimit = 20 * megabyte

/** By lower-case name: the spelling that Telegram uses, and what it does. */
export const methods: Record<string, { name: string; run(call: Call): unknown }> = Object.fromEntries(
  Object.entries<(call: Call) => unknown>({
    getMe: ({ bot }) => botSelf(bot),
    logOut: () => true,
    close: () => true,
    getUpdates,
    setWebhook,
    deleteWebhook: ({ updates, bot, parameters }) => {
      updates.setWebhook(bot.id, undefined, flag(parameters, 'drop_pending_updates'))
      return true
    },
    getWebhookInfo: ({ updates, bot }) => updates.webhookInfo(bot.id),
    sendMessage,
    sendVideo: (call) => sendFile(call, 'video'),
    sendDocument: (call) => sendFile(call, 'document'),
    sendChatAction,
    forwardMessage,
    copyMessage,
    editMessageText,
    editMessageCaption,
    editMessageReplyMarkup,
    deleteMessage,
    deleteMessages,
    answerCallbackQuery,
    answerInlineQuery,
    getFile,
    getChat,
    getChatMember,
    getChatAdministrators,
    setMyCommands: (call) => save(call, `commands/${commandScope(call)}`, checkCommands(call)),
    deleteMyCommands: (call) => save(call, `commands/${commandScope(call)}`, undefined),
    getMyCommands: (call) => call.world.setting(call.bot.id, `commands/${commandScope(call)}`) ?? [],
    setMyName: (call) => save(call, `name/${text(call.parameters, 'language_code')}`, text(call.parameters, 'name')),
    getMyName: (call) => ({
      name:
        call.world.setting<string>(call.bot.id, `name/${text(call.parameters, 'language_code')}`) ?? call.bot.firstName,
    }),
    setMyDescription: (call) =>
      save(call, `description/${text(call.parameters, 'language_code')}`, text(call.parameters, 'description')),
    getMyDescription: (call) => ({
      description:
        call.world.setting<string>(call.bot.id, `description/${text(call.parameters, 'language_code')}`) ?? '',
    }),
    setMyShortDescription: (call) =>
      save(call, `short/${text(call.parameters, 'language_code')}`, text(call.parameters, 'short_description')),
    getMyShortDescription: (call) => ({
      short_description:
        call.world.setting<string>(call.bot.id, `short/${text(call.parameters, 'language_code')}`) ?? '',
    }),
    setChatMenuButton: () => true,
    getChatMenuButton: () => ({ type: 'commands' }),
    setMessageReaction: (call) => {
      existingMessage(call, readableChat(call), number(call.parameters, 'message_id'), 'message to react')
      return true
    },
  }).map(([name, run]) => [name.toLowerCase(), { name, run }]),
)

// Parameters

function raw({ values }: Parameters, name: string): unknown {
  return values[name]
}

function text(parameters: Parameters, name: string): string {
  const value = raw(parameters, name)
  if (typeof value === 'string') return value
  return value === undefined || value === null ? '' : JSON.stringify(value)
}

function number(parameters: Parameters, name: string): number {
  const value = text(parameters, name)
  return /^-?\d+$/.test(value) ? Number(value) : 0
}

function flag(parameters: Parameters, name: string): boolean {
  return ['true', 'yes', '1'].includes(text(parameters, name).toLowerCase())
}

/** A structured parameter: JSON itself, or JSON within a string as forms bring it. */
function structure(parameters: Parameters, name: string): unknown {
  const value = raw(parameters, name)
  if (typeof value !== 'string') return value ?? undefined
  if (value === '') return undefined
  try {
    return JSON.parse(value) as unknown
  } catch {
    throw badRequest(`can't parse ${name.replaceAll('_', ' ')} JSON object`)
  }
}

// Chats

interface Chat {
  id: number
  key: string
}

/** The chat a parameter means, if the call may name it at all. */
function namedChat(call: Call, name: string): Chat & { group: GroupRecord | undefined } {
  const value = text(call.parameters, name)
  if (value === '') throw badRequest(name === 'chat_id' ? 'chat_id is empty' : 'chat identifier is empty')
  const byName = value.startsWith('@')
    ? [...call.world.groups.values()].find((group) => group.username?.toLowerCase() === value.slice(1).toLowerCase())
    : undefined
  if (!value.startsWith('@') && !/^-?\d{1,19}$/.test(value)) throw badRequest('chat not found')
  const id = byName?.id ?? Number(value)
  const group = id < 0 ? call.world.groups.get(id) : undefined
  const known =
    id < 0
      ? group !== undefined && call.world.membership(id, call.bot.id) !== undefined
      : call.world.acquaintance(call.bot.id, id) !== undefined
  if (value.startsWith('@') && byName === undefined) throw badRequest('chat not found')
  if (!known) throw badRequest('chat not found')
  return { id, key: call.world.chatKey(call.bot.id, id), group }
}

function readableChat(call: Call, name = 'chat_id'): Chat {
  const { id, key, group } = namedChat(call, name)
  if (group === undefined) return { id, key }
  if (group.migratedTo !== undefined)
    throw new Refusal(400, 'Bad Request: group chat was upgraded to a supergroup chat', {
      migrate_to_chat_id: group.migratedTo,
    })
  const { status } = call.world.membership(id, call.bot.id) as Membership
  const kind = group.type === 'group' ? 'group' : `${group.type}`
  if (status === 'kicked') throw forbidden(`bot was kicked from the ${kind} chat`)
  if (status === 'left') throw forbidden(`bot is not a member of the ${kind} chat`)
  return { id, key }
}

function writableChat(call: Call): Chat {
  const chat = readableChat(call)
  if (chat.id > 0) {
    if (call.world.users.get(chat.id)?.deleted) throw forbidden('user is deactivated')
    const state = call.world.acquaintance(call.bot.id, chat.id)
    if (state === 'known') throw forbidden("bot can't initiate conversation with a user")
    if (state === 'blocked') throw forbidden('bot was blocked by the user')
    return chat
  }
  const membership = call.world.membership(chat.id, call.bot.id) as Membership
  const isChannel = call.world.groups.get(chat.id)?.type === 'channel'
  if (isChannel && !(membership.status === 'administrator' && membership.can_post_messages))
    throw badRequest('need administrator rights in the channel chat')
  return chat
}

// Messages

/** Adds what every new message has and stores it. Tells whoever watches. */
function post(call: Call, chat: Chat, content: Partial<StoredMessage>): StoredMessage {
  const reply = replyTarget(call, chat)
  const { inline, other } = keyboard(call.parameters)
  call.limits.check(call.record)
  const message: StoredMessage = {
    message_id: call.world.nextMessageId(chat.key),
    date: Math.floor(Date.now() / 1_000),
    by: call.bot.id,
    ...(chat.id > 0 || call.world.groups.get(chat.id)?.type !== 'channel' ? { from: call.bot.id } : {}),
    ...content,
    ...(reply === undefined ? {} : { reply_to: reply }),
    ...(inline === undefined ? {} : { reply_markup: inline }),
    ...(other === undefined ? {} : { keyboard: other }),
    ...(flag(call.parameters, 'protect_content') ? { protect: true } : {}),
  }
  call.world.saveMessage(chat.key, message)
  call.record.messageId = message.message_id
  call.record.fileUniqueId ??= message.media?.unique
  announce(call, chat, message, false)
  return message
}

function announce(call: Call, chat: Chat, message: StoredMessage, edited: boolean): void {
  call.tell({
    type: 'message',
    botId: call.bot.id,
    chatId: chat.id,
    message: messageObject(call.world, call.bot.id, chat.id, message),
    edited,
  })
}

function replyTarget(call: Call, chat: Chat): number | undefined {
  const wanted = structure(call.parameters, 'reply_parameters') as
    { message_id?: number; allow_sending_without_reply?: boolean } | undefined
  const id = wanted?.message_id ?? number(call.parameters, 'reply_to_message_id')
  if (id === 0) return undefined
  if (call.world.message(chat.key, id) !== undefined) return id
  if (wanted?.allow_sending_without_reply || flag(call.parameters, 'allow_sending_without_reply')) return undefined
  throw badRequest('message to be replied not found')
}

function keyboard(parameters: Parameters): { inline?: unknown; other?: unknown } {
  const markup = structure(parameters, 'reply_markup')
  if (markup === undefined) return {}
  if (typeof markup !== 'object' || Array.isArray(markup)) throw badRequest('object expected as reply markup')
  const rows = (markup as { inline_keyboard?: unknown }).inline_keyboard
  if (rows === undefined) return { other: markup }
  if (!Array.isArray(rows) || !rows.every(Array.isArray))
    throw badRequest('field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays')
  const buttons = (rows as Record<string, unknown>[][]).flat()
  for (const button of buttons) {
    if (typeof button !== 'object' || button === null)
      throw badRequest("can't parse inline keyboard button: InlineKeyboardButton must be an Object")
    if (typeof button.text !== 'string' || button.text === '')
      throw badRequest('Text buttons are unallowed in the inline keyboard')
    if (!Object.keys(button).some((key) => key !== 'text'))
      throw badRequest('Text buttons are unallowed in the inline keyboard')
    const data = button.callback_data
    if (data !== undefined && (typeof data !== 'string' || data === '' || Buffer.byteLength(data) > 64))
      throw badRequest('BUTTON_DATA_INVALID')
  }
  return buttons.length === 0 ? {} : { inline: markup }
}

function formatted(parameters: Parameters, name: 'text' | 'caption'): FormattedText {
  const given = structure(parameters, name === 'text' ? 'entities' : 'caption_entities') as unknown[] | undefined
  const parsed = parseText(text(parameters, name), text(parameters, 'parse_mode'))
  const entities = text(parameters, 'parse_mode') === '' ? given : parsed.entities
  const trimmed = parsed.text.trimEnd()
  const most = name === 'text' ? 4_096 : 1_024
  if ([...trimmed].length > most)
    throw badRequest(name === 'text' ? 'message is too long' : 'message caption is too long')
  if (name === 'text' && trimmed.trim() === '') throw badRequest('message text is empty')
  return { text: trimmed, entities: entities !== undefined && entities.length > 0 ? entities : undefined }
}

function captioned(parameters: Parameters): Partial<StoredMessage> {
  const caption = formatted(parameters, 'caption')
  return caption.text === ''
    ? {}
    : { caption: caption.text, ...(caption.entities === undefined ? {} : { entities: caption.entities }) }
}

function existingMessage(call: Call, chat: Chat, id: number, what: string): StoredMessage {
  const message = id > 0 ? call.world.message(chat.key, id) : undefined
  if (message === undefined) throw badRequest(`${what} not found`)
  return message
}

function sendMessage(call: Call): unknown {
  const chat = writableChat(call)
  const { text: words, entities } = formatted(call.parameters, 'text')
  const message = post(call, chat, { text: words, ...(entities === undefined ? {} : { entities }) })
  return messageObject(call.world, call.bot.id, chat.id, message)
}

// Files

/** `address`: what follows `file:/`, in local mode. */
type FileParameter = { upload: Upload } | { address: string } | { fileId: string } | { url: string }

/** The part or the string that a parameter means. */
export function fileParameter(parameters: Parameters, name: string, local: boolean): FileParameter | undefined {
  const value = text(parameters, name)
  if (local && value.startsWith('file:/')) return { address: value.slice('file:/'.length) }
  const part = value.startsWith('attach://') ? value.slice('attach://'.length) : name
  const upload = value === '' || value.startsWith('attach://') ? parameters.uploads.get(part) : undefined
  if (upload !== undefined) return { upload }
  if (value === '' || value.startsWith('attach://')) return undefined
  return /^https?:\/\//i.test(value) ? { url: value } : { fileId: value }
}

// A file of this machine is read, and is an upload like any other from then on.
async function opened(
  call: Call,
  name: string,
  file: FileParameter,
): Promise<Exclude<FileParameter, { address: string }>> {
  if (!('address' in file)) return file
  const upload = await readLocalFile(file.address, call.world.incomingFolder)
  call.parameters.uploads.set(name, upload)
  return { upload }
}

async function sendFile(call: Call, as: 'video' | 'document'): Promise<unknown> {
  const named = fileParameter(call.parameters, as, call.local)
  if (named === undefined) throw badRequest(`there is no ${as} in the request`)
  const chat = writableChat(call)
  const caption = captioned(call.parameters)
  const file = await opened(call, as, named)
  const media = 'upload' in file ? await uploaded(call, file.upload, as) : known(call, file, as)
  const cover = as === 'video' ? await coverPicture(call) : undefined
  const message = post(call, chat, {
    media: { ...media, ...(cover === undefined || media.kind !== 'video' ? {} : { cover }) },
    ...caption,
  })
  return messageObject(call.world, call.bot.id, chat.id, message)
}

async function uploaded(call: Call, upload: Upload, as: 'video' | 'document'): Promise<StoredMedia> {
  if (upload.size === 0) throw badRequest('file must be non-empty')
  call.record.uploadBytes = upload.size
  const { world, parameters } = call
  const mp4 = await lookAtMp4(upload.path)
  const kind: FileKind =
    as === 'document' || mp4 === undefined || !mp4.hasVideo ? 'document' : mp4.hasSound ? 'video' : 'animation'
  const read = upload.size <= metadataLimit ? mp4 : undefined
  const told = as === 'video' && kind !== 'document'
  const thumbnail = await thumbnailPicture(call)
  const file = await world.keepFile(upload, {
    kind,
    mimeType: mp4 === undefined ? mimeOf(upload.fileName) : 'video/mp4',
    width: told ? number(parameters, 'width') || (read?.width ?? 0) : 0,
    height: told ? number(parameters, 'height') || (read?.height ?? 0) : 0,
    duration: told ? number(parameters, 'duration') || (read?.durationSeconds ?? 0) : 0,
    ...(thumbnail === undefined ? {} : { thumbnail }),
  })
  return stored(file)
}

function stored(file: FileRecord): StoredMedia {
  const { unique, size, fileName, mimeType, width, height, duration, thumbnail } = file
  return {
    kind: file.kind as StoredMedia['kind'],
    unique,
    size,
    fileName,
    mimeType,
    width,
    height,
    duration,
    ...(thumbnail === undefined ? {} : { thumbnail }),
  }
}

function known(call: Call, file: { fileId: string } | { url: string }, as: 'video' | 'document'): StoredMedia {
  // Without local mode an address of a file is a URL like any other where it holds a dot.
  if ('fileId' in file && file.fileId.includes('.') && file.fileId.includes('://'))
    throw badRequest('invalid file HTTP URL specified: Unsupported URL protocol')
  // The sandbox reaches no other server, so no URL has content.
  if ('url' in file) throw badRequest('failed to get HTTP URL content')
  const reference = call.world.openFileId(file.fileId, call.bot.id)
  if (reference === undefined) throw badRequest('wrong file identifier/HTTP URL specified')
  const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)
  if (reference.kind === 'photo' || reference.kind === 'thumbnail')
    throw badRequest(`can't use file of type ${capital(reference.kind)} as ${capital(as)}`)
  call.record.fileUniqueId = reference.unique
  return stored(call.world.files.get(reference.unique) as FileRecord)
}

// Telegram drops a thumbnail it does not like without a word.
async function thumbnailPicture(call: Call): Promise<StoredPicture | undefined> {
  const name =
    text(call.parameters, 'thumbnail') !== '' || call.parameters.uploads.has('thumbnail') ? 'thumbnail' : 'thumb'
  const named = fileParameter(call.parameters, name, call.local)
  if (named === undefined) return undefined
  const file = await opened(call, name, named).catch(() => undefined)
  const picture =
    file !== undefined && 'upload' in file && file.upload.size <= 200_000
      ? await keepPicture(call.world, file.upload, 'thumbnail', 320)
      : undefined
  call.record.thumbnail = picture === undefined ? 'ignored' : 'taken'
  return picture
}

async function coverPicture(call: Call): Promise<StoredPicture | undefined> {
  const named = fileParameter(call.parameters, 'cover', call.local)
  if (named === undefined) return undefined
  const file = await opened(call, 'cover', named)
  if ('url' in file) throw badRequest('failed to get HTTP URL content')
  if ('upload' in file) {
    const picture = await keepPicture(call.world, file.upload, 'photo', 10_000)
    if (picture === undefined) throw badRequest('IMAGE_PROCESS_FAILED')
    return picture
  }
  const reference = call.world.openFileId(file.fileId, call.bot.id)
  const record = reference && call.world.files.get(reference.unique)
  if (reference === undefined || record === undefined) throw badRequest('wrong file identifier/HTTP URL specified')
  if (reference.kind !== 'photo')
    throw badRequest(
      `can't use file of type ${reference.kind.charAt(0).toUpperCase()}${reference.kind.slice(1)} as Photo`,
    )
  return { unique: record.unique, width: record.width, height: record.height, size: record.size }
}

async function keepPicture(
  world: World,
  upload: Upload,
  kind: 'thumbnail' | 'photo',
  largest: number,
): Promise<StoredPicture | undefined> {
  const pixels = jpegSize(await readFile(upload.path))
  if (pixels === undefined || Math.max(pixels.width, pixels.height) > largest) return undefined
  const { unique, size } = await world.keepFile(upload, { kind, mimeType: 'image/jpeg', ...pixels, duration: 0 })
  return { unique, size, ...pixels }
}

function mimeOf(fileName: string): string {
  const known: Record<string, string> = {
    mp4: 'video/mp4',
    jpg: 'image/jpeg',
    png: 'image/png',
    txt: 'text/plain',
    webm: 'video/webm',
    mkv: 'video/x-matroska',
  }
  return known[fileName.split('.').pop()?.toLowerCase() ?? ''] ?? 'application/octet-stream'
}

const folders: Record<FileKind, string> = {
  video: 'videos',
  animation: 'animations',
  document: 'documents',
  photo: 'photos',
  thumbnail: 'thumbnails',
}

function getFile({ world, bot, parameters, local }: Call): unknown {
  const fileId = text(parameters, 'file_id')
  if (fileId === '') throw badRequest('file_id not specified')
  const reference = world.openFileId(fileId, bot.id)
  if (reference === undefined) {
    // An id that was made somewhere is told apart from a text that never was one.
    throw badRequest(
      /^[A-Za-z0-9_-]{30,}$/.test(fileId) ? 'wrong file_id or the file is temporarily unavailable' : 'invalid file_id',
    )
  }
  const file = world.files.get(reference.unique) as FileRecord
  if (!local && file.size > downloadLimit) throw badRequest('file is too big')
  return {
    file_id: world.fileId(reference.kind, file.unique, bot.id),
    file_unique_id: file.unique,
    file_size: file.size,
    file_path: local ? world.filePath(file.sha256) : `${folders[file.kind]}/${file.unique}`,
  }
}

// Forwarding and copying

function source(call: Call, what: string): { chat: Chat; message: StoredMessage } {
  const chat = readableChat(call, 'from_chat_id')
  return { chat, message: existingMessage(call, chat, number(call.parameters, 'message_id'), what) }
}

function forwardMessage(call: Call): unknown {
  const target = writableChat(call)
  const { chat, message } = source(call, 'message to forward')
  if (message.protect) throw badRequest("message can't be forwarded")
  const { text: words, caption, entities, media, date } = message
  const origin: StoredMessage['origin'] =
    message.origin ??
    (message.from === undefined
      ? { type: 'channel', chat: chat.id, message_id: message.message_id, date }
      : { type: 'user', user: message.from, date })
  const forwarded = post(call, target, prune({ text: words, caption, entities, media, origin }))
  return messageObject(call.world, call.bot.id, target.id, forwarded)
}

function copyMessage(call: Call): unknown {
  const target = writableChat(call)
  const { message } = source(call, 'message to copy')
  if (message.protect) throw badRequest("message can't be copied")
  const { text: words, caption, entities, media } = message
  const recaptioned =
    raw(call.parameters, 'caption') === undefined || media === undefined
      ? { caption, entities }
      : captioned(call.parameters)
  const copy = post(call, target, prune({ text: words, media, ...recaptioned }))
  return { message_id: copy.message_id }
}

function prune<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T
}

// Editing and deleting

function edit(call: Call, change: (message: StoredMessage) => Partial<StoredMessage>): unknown {
  const chat = readableChat(call)
  const message = existingMessage(call, chat, number(call.parameters, 'message_id'), 'message to edit')
  const membership = chat.id < 0 ? call.world.membership(chat.id, call.bot.id) : undefined
  if (message.by !== call.bot.id && !membership?.can_edit_messages) throw badRequest("message can't be edited")
  if (message.origin !== undefined) throw badRequest("message can't be edited")
  const { inline } = keyboard(call.parameters)
  const edited = prune({ ...message, ...change(message), reply_markup: inline })
  if (sameContent(message, edited)) {
    throw badRequest(
      'message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message',
    )
  }
  edited.edit_date = Math.floor(Date.now() / 1_000)
  call.world.saveMessage(chat.key, edited)
  call.record.messageId = message.message_id
  announce(call, chat, edited, true)
  return messageObject(call.world, call.bot.id, chat.id, edited)
}

function sameContent(before: StoredMessage, after: StoredMessage): boolean {
  const content = ({ text: words, caption, entities, reply_markup }: StoredMessage) =>
    JSON.stringify([words, caption, entities, reply_markup])
  return content(before) === content(after)
}

function editMessageText(call: Call): unknown {
  const { text: words, entities } = formatted(call.parameters, 'text')
  return edit(call, (message) => {
    if (message.text === undefined) throw badRequest('there is no text in the message to edit')
    return { text: words, entities }
  })
}

function editMessageCaption(call: Call): unknown {
  const { text: words, entities } = formatted(call.parameters, 'caption')
  return edit(call, (message) => {
    if (message.media === undefined) throw badRequest('there is no caption in the message to edit')
    return { caption: words === '' ? undefined : words, entities: words === '' ? undefined : entities }
  })
}

function editMessageReplyMarkup(call: Call): unknown {
  return edit(call, () => ({}))
}

function deleteMessage(call: Call): unknown {
  const chat = readableChat(call)
  deleteOne(call, chat, existingMessage(call, chat, number(call.parameters, 'message_id'), 'message to delete'))
  return true
}

function deleteMessages(call: Call): unknown {
  const chat = readableChat(call)
  const ids = structure(call.parameters, 'message_ids')
  if (!Array.isArray(ids)) throw badRequest('message identifiers are not specified')
  if (ids.length > 100) throw badRequest('too many message identifiers specified')
  for (const id of ids as number[]) {
    const message = call.world.message(chat.key, Number(id))
    if (message !== undefined) deleteOne(call, chat, message)
  }
  return true
}

function deleteOne(call: Call, chat: Chat, message: StoredMessage): void {
  const old = Date.now() / 1_000 - message.date > 48 * 3_600
  const membership = chat.id < 0 ? call.world.membership(chat.id, call.bot.id) : undefined
  const own = message.by === call.bot.id && (chat.id > 0 || membership?.status === 'administrator')
  if (!((own && !old) || membership?.can_delete_messages || (chat.id > 0 && !old)))
    throw badRequest("message can't be deleted")
  call.world.deleteMessage(chat.key, message.message_id)
  call.record.messageId = message.message_id
  call.tell({ type: 'deleted', botId: call.bot.id, chatId: chat.id, messageId: message.message_id })
}

const actions = [
  'cancel',
  'typing',
  'record_video',
  'upload_video',
  'record_audio',
  'upload_audio',
  'record_voice',
  'upload_voice',
  'upload_photo',
  'upload_document',
  'choose_sticker',
  'pick_up_location',
  'find_location',
  'record_video_note',
  'upload_video_note',
]

function sendChatAction(call: Call): unknown {
  const action = text(call.parameters, 'action')
  if (!actions.includes(action)) throw badRequest('wrong parameter action in request')
  const chat = writableChat(call)
  call.tell({ type: 'action', botId: call.bot.id, chatId: chat.id, action })
  return true
}

// Updates

async function getUpdates({ updates, bot, parameters, gone }: Call): Promise<unknown> {
  const limit = number(parameters, 'limit')
  return updates.poll(
    bot.id,
    {
      offset: number(parameters, 'offset'),
      limit: limit >= 1 && limit <= 100 ? limit : 100,
      timeout: Math.min(50, Math.max(0, number(parameters, 'timeout'))),
      allowed: allowedUpdates(parameters),
    },
    gone,
  )
}

function allowedUpdates(parameters: Parameters): string[] | undefined {
  const allowed = structure(parameters, 'allowed_updates')
  return Array.isArray(allowed) ? allowed.filter((kind): kind is string => typeof kind === 'string') : undefined
}

/** Plain http is taken too, as a Bot API server of one's own does. */
function setWebhook({ updates, bot, parameters }: Call): unknown {
  const url = text(parameters, 'url')
  const secret = text(parameters, 'secret_token')
  if (secret.length > 256) throw badRequest('secret token is too long')
  if (!/^[A-Za-z0-9_-]*$/.test(secret)) throw badRequest('secret token contains unallowed characters')
  const allowed = allowedUpdates(parameters)
  if (allowed !== undefined) updates.setAllowed(bot.id, allowed)
  const drop = flag(parameters, 'drop_pending_updates')
  if (url === '') {
    updates.setWebhook(bot.id, undefined, drop)
    return true
  }
  if (!URL.canParse(url) || !/^https?:/.test(url)) throw badRequest('bad webhook: invalid webhook URL specified')
  const connections = number(parameters, 'max_connections')
  const webhook = {
    url,
    max_connections: connections >= 1 && connections <= 100 ? connections : 40,
    ...(secret === '' ? {} : { secret_token: secret }),
  }
  updates.setWebhook(bot.id, webhook, drop)
  return true
}

// Questions

function answerCallbackQuery({ queries, bot, parameters, tell }: Call): unknown {
  const query = queries.callbacks.get(text(parameters, 'callback_query_id'))
  if (query === undefined || query.botId !== bot.id)
    throw badRequest('query is too old and response timeout expired or query ID is invalid')
  if ([...text(parameters, 'text')].length > 200) throw badRequest('MESSAGE_TOO_LONG')
  query.answer = parameters.values
  tell({ type: 'world' })
  return true
}

function answerInlineQuery({ world, queries, bot, parameters, tell }: Call): unknown {
  const query = queries.inline.get(text(parameters, 'inline_query_id'))
  const results = structure(parameters, 'results')
  if (!Array.isArray(results)) throw badRequest('expected an Array of inline query results')
  if (results.length > 50) throw badRequest('RESULTS_TOO_MUCH')
  const seen = new Set<string>()
  for (const result of results as Record<string, unknown>[]) checkInlineResult(world, bot.id, result, seen)
  const button = structure(parameters, 'button') as { text?: unknown; start_parameter?: unknown } | undefined
  if (button !== undefined) {
    if (typeof button.text !== 'string')
      throw badRequest('can\'t parse inline query results button: Can\'t find field "text"')
    if (typeof button.start_parameter === 'string' && !/^[A-Za-z0-9_-]{1,64}$/.test(button.start_parameter))
      throw badRequest('START_PARAM_INVALID')
  }
  if (query === undefined || query.botId !== bot.id || Date.now() > query.until)
    throw badRequest('query is too old and response timeout expired or query ID is invalid')
  query.answer = parameters.values
  query.results = results as Record<string, unknown>[]
  tell({ type: 'world' })
  return true
}

function checkInlineResult(world: World, botId: number, result: Record<string, unknown>, seen: Set<string>): void {
  if (typeof result !== 'object' || result === null)
    throw badRequest("can't parse inline query result: Inline query result must be an object")
  const { id, type } = result
  if (typeof id !== 'string' || id === '' || Buffer.byteLength(id) > 64) throw badRequest('RESULT_ID_INVALID')
  if (seen.has(id)) throw badRequest('RESULT_ID_DUPLICATE')
  seen.add(id)
  if (typeof type !== 'string') throw badRequest('can\'t parse inline query result: Can\'t find field "type"')
  if (type === 'article' && (typeof result.title !== 'string' || typeof result.input_message_content !== 'object'))
    throw badRequest('can\'t parse inline query result: Can\'t find field "title"')
  if (type !== 'video') return
  if (typeof result.title !== 'string' || result.title === '')
    throw badRequest('can\'t parse inline query result: Can\'t find field "title"')
  const reference = typeof result.video_file_id === 'string' ? world.openFileId(result.video_file_id, botId) : undefined
  if (reference === undefined || reference.kind !== 'video')
    throw badRequest('wrong file identifier/HTTP URL specified')
}

// Chats and people

function getChat(call: Call): unknown {
  const chat = readableChat(call)
  const object = chatObject(call.world, chat.id)
  return {
    ...object,
    accent_color_id: 0,
    max_reaction_count: 11,
    accepted_gift_types: {
      unlimited_gifts: true,
      limited_gifts: true,
      unique_gifts: true,
      premium_subscription: true,
      gifts_from_channels: true,
    },
  }
}

function getChatMember(call: Call): unknown {
  const chat = readableChat(call)
  const userId = number(call.parameters, 'user_id')
  if (chat.id > 0) {
    if (userId !== chat.id && userId !== call.bot.id) throw badRequest('member not found')
    return { user: userObject(call.world, userId), status: 'member' }
  }
  inspectMembers(call, chat)
  const bot = call.world.bots.get(userId)
  const membership = bot && call.world.membership(chat.id, bot.id)
  if (bot !== undefined)
    return memberObject(
      call.world,
      bot,
      membership ?? { status: 'left', can_post_messages: false, can_edit_messages: false, can_delete_messages: false },
    )
  const user = call.world.users.get(userId)
  if (user === undefined) throw badRequest('invalid user_id specified')
  return { user: personUser(user), status: 'left' }
}

function getChatAdministrators(call: Call): unknown {
  const chat = readableChat(call)
  if (chat.id > 0) throw badRequest('there are no administrators in the private chat')
  inspectMembers(call, chat)
  return call.world
    .membersOf(chat.id)
    .filter(({ membership }) => membership.status === 'administrator')
    .map(({ bot, membership }) => memberObject(call.world, bot, membership))
}

// In a channel only its administrators see who is there.
function inspectMembers(call: Call, chat: Chat): void {
  const isChannel = call.world.groups.get(chat.id)?.type === 'channel'
  if (isChannel && call.world.membership(chat.id, call.bot.id)?.status !== 'administrator')
    throw badRequest('member list is inaccessible')
}

// What a bot says of itself

function save(call: Call, name: string, value: unknown): true {
  call.world.saveSetting(call.bot.id, name, value === '' ? undefined : value)
  return true
}

function commandScope({ parameters }: Call): string {
  const scope = structure(parameters, 'scope') as { type?: string; chat_id?: number; user_id?: number } | undefined
  return [scope?.type ?? 'default', scope?.chat_id ?? '', scope?.user_id ?? '', text(parameters, 'language_code')].join(
    '/',
  )
}

function checkCommands({ parameters }: Call): unknown {
  const commands = structure(parameters, 'commands')
  if (!Array.isArray(commands)) throw badRequest('expected an Array of BotCommand')
  if (commands.length > 100) throw badRequest('BOT_COMMANDS_TOO_MUCH')
  for (const { command, description } of commands as { command?: unknown; description?: unknown }[]) {
    if (typeof command !== 'string' || !/^\/?[a-z0-9_]{1,32}$/.test(command)) throw badRequest('BOT_COMMAND_INVALID')
    if (typeof description !== 'string' || description === '' || description.length > 256)
      throw badRequest('BOT_COMMAND_DESCRIPTION_INVALID')
  }
  return commands
}
