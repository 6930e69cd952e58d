/** The control API under `/sandbox/`: what people do in Telegram, what tests want to know, and faults to come. */
import { createReadStream } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { randomBytes, randomInt } from 'node:crypto'
import { pipeline } from 'node:stream/promises'
import type {
  CallCounts,
  CallFilter,
  CallRecord,
  FaultPlan,
  SandboxChat,
  SandboxEvent,
  SandboxUser,
  Say,
} from './contract.ts'
import type { Desk } from './methods.ts'
import { botUser, chatObject, commandEntities, memberObject, messageObject, personUser } from './objects.ts'
import { readBody } from './parameters.ts'
import { matches } from './planned.ts'
import type { PlannedFaults } from './planned.ts'
import type { BotRecord, Membership, StoredMessage } from './world.ts'

/** What of the server the control API looks at. */
export interface Ledger {
  /** the newest calls, oldest first */
  calls: CallRecord[]
  counts: CallCounts
  clear(): void
}

export interface ControlDesk extends Desk {
  ledger: Ledger
  faults: PlannedFaults
  /** streams that are told every event */
  watchers: Set<(event: SandboxEvent) => void>
}

/** A request that makes no sense. Answered 400 with the reason as text. */
export class ControlFault extends Error {
  override name = 'ControlFault'
}

type Body = Record<string, unknown>

const fullRights = { can_post_messages: true, can_edit_messages: true, can_delete_messages: true }
const noRights = { can_post_messages: false, can_edit_messages: false, can_delete_messages: false }

/** Answers one request below `/sandbox/`. */
export async function control(
  desk: ControlDesk,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const path = url.pathname.slice('/sandbox/'.length)
  const query = Object.fromEntries(url.searchParams)
  if (request.method === 'GET') {
    if (path === 'events') return streamEvents(desk, request, response, query.types)
    if (path.startsWith('files/')) return sendContent(desk, request, response, path.slice('files/'.length))
    return answer(response, read(desk, path, query))
  }
  if (request.method !== 'POST') throw new ControlFault('GET or POST')
  // Only pages of our own may send JSON: a foreign one would have to ask first and is refused.
  if (!/^application\/json/i.test(request.headers['content-type'] ?? ''))
    throw new ControlFault('the body must be application/json')
  const text = await readBody(request)
  const body = text === '' ? {} : (JSON.parse(text) as Body)
  answer(response, change(desk, path, body))
}

function answer(response: ServerResponse, result: unknown): void {
  const text = JSON.stringify(result ?? null)
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text)
}

// Looking

function read(desk: ControlDesk, path: string, query: Record<string, string | undefined>): unknown {
  const { world, ledger, faults } = desk
  switch (path) {
    case 'world':
      return { id: world.id, bots: [...world.bots.values()], chats: chats(desk), users: users(desk) }
    case 'bots':
      return [...world.bots.values()]
    case 'users':
      return users(desk)
    case 'chats':
      return chats(desk)
    case 'messages': {
      const bot = botOf(desk, query.botId)
      const chatId = Number(query.chatId)
      const found =
        chatId < 0 && !world.groups.has(chatId)
          ? []
          : world.messages(world.chatKey(bot.id, chatId), Number(query.limit ?? 1_000), Number(query.after ?? 0))
      return found.map((message) => ({
        ...messageObject(world, bot.id, chatId, message),
        ...(message.keyboard === undefined ? {} : { keyboard: message.keyboard }),
      }))
    }
    case 'calls': {
      const after = Number(query.after ?? 0)
      const found = ledger.calls.filter((call) => call.n > after && matches(filterOf(query), call))
      return found.slice(-Number(query.limit ?? found.length))
    }
    case 'counts':
      return ledger.counts
    case 'faults':
      return faults.list()
    case 'limits':
      return desk.limits.limits
    case 'pending': {
      const bot = botOf(desk, query.botId)
      return {
        updateIds: (world.pending.get(bot.id) ?? []).map((update) => update.update_id),
        polling: desk.updates.polling(bot.id),
      }
    }
    case 'files':
      return [...world.files.values()].map(({ unique, kind, size, fileName, mimeType, width, height, duration }) => ({
        fileUniqueId: unique,
        kind,
        size,
        fileName,
        mimeType,
        width,
        height,
        duration,
      }))
    case 'query':
      return desk.queries.callbacks.get(query.id ?? '') ?? desk.queries.inline.get(query.id ?? '') ?? null
    case 'commands': {
      const bot = botOf(desk, query.botId)
      const at = (scope: string, language: string) =>
        world.setting<unknown[]>(bot.id, `commands/${scope}///${language}`)
      const language = query.language ?? ''
      return (
        at('all_private_chats', language) ??
        at('default', language) ??
        at('all_private_chats', '') ??
        at('default', '') ??
        []
      )
    }
    default:
      throw new ControlFault(`nothing to read at ${path}`)
  }
}

function filterOf(query: Record<string, string | undefined>): CallFilter {
  return {
    ...(query.method === undefined ? {} : { method: query.method.split(',') }),
    ...(query.chatId === undefined ? {} : { chatId: query.chatId }),
    ...(query.botId === undefined ? {} : { botId: Number(query.botId) }),
    ...(query.upload === undefined ? {} : { upload: query.upload as CallRecord['upload'] }),
    ...(query.ok === undefined ? {} : { ok: query.ok === 'true' }),
  }
}

function users({ world }: ControlDesk): SandboxUser[] {
  return [...world.users.values()].map((user) => ({
    id: user.id,
    firstName: user.first_name,
    ...(user.last_name === undefined ? {} : { lastName: user.last_name }),
    ...(user.username === undefined ? {} : { username: user.username }),
    ...(user.language_code === undefined ? {} : { languageCode: user.language_code }),
    deleted: user.deleted ?? false,
  }))
}

function chats({ world }: ControlDesk): SandboxChat[] {
  const groups = [...world.groups.values()].map(({ id, type, title }): SandboxChat => ({
    id,
    type,
    title,
    blocked: false,
    messages: world.countMessages(String(id)),
  }))
  const privates = [...world.bots.values()].flatMap((bot) =>
    world.peopleOf(bot.id).map((user): SandboxChat => {
      const key = world.chatKey(bot.id, user.id)
      return {
        id: user.id,
        type: 'private',
        title: user.first_name,
        blocked: world.acquaintance(bot.id, user.id) === 'blocked',
        messages: world.countMessages(key),
      }
    }),
  )
  return [...groups, ...privates]
}

// Doing

function change(desk: ControlDesk, path: string, body: Body): unknown {
  const { world } = desk
  switch (path) {
    case 'bots':
      return registerBot(desk, body)
    case 'tokens/revoke':
      world.revokeToken(string(body, 'token'))
      return true
    case 'users':
      return saveUser(desk, { ...body, userId: integer(body, body.userId === undefined ? 'id' : 'userId') })
    case 'users/delete': {
      const user = world.users.get(integer(body, 'userId'))
      if (user === undefined) throw new ControlFault('no such user')
      world.saveUser({ ...user, deleted: true })
      return changed(desk, true)
    }
    case 'block':
      return block(desk, body)
    case 'channels':
      return createChannel(desk, body)
    case 'members':
      return setMember(desk, body)
    case 'migrate':
      return migrate(desk, body)
    case 'updates':
      return (Array.isArray(body) ? (body as Say[]) : [body as unknown as Say]).map((one) => say(desk, one))
    case 'updates/resend':
      return { count: desk.updates.resend(botOf(desk, body.botId).id, body.updateIds as number[] | undefined) }
    case 'press':
      return press(desk, body)
    case 'inline':
      return askInline(desk, body)
    case 'choose':
      return chooseInline(desk, body)
    case 'calls/clear':
      desk.ledger.clear()
      return true
    case 'faults':
      return plan(desk, body as unknown as FaultPlan)
    case 'faults/release':
      desk.faults.release(body.id === undefined ? undefined : integer(body, 'id'))
      return true
    case 'faults/release-one':
      desk.faults.releaseOne(integer(body, 'id'))
      return true
    case 'limits':
      desk.limits.limits = body
      return true
    case 'files/forget':
      world.forgetFileIds(botOf(desk, body.botId).id)
      return true
    default:
      throw new ControlFault(`nothing to do at ${path}`)
  }
}

function plan({ faults }: ControlDesk, wanted: FaultPlan): unknown {
  try {
    return faults.add(wanted)
  } catch (error) {
    throw error instanceof TypeError ? new ControlFault(error.message) : error
  }
}

function changed<T>(desk: ControlDesk, result: T): T {
  desk.tell({ type: 'world' })
  return result
}

function string(body: Body, name: string): string {
  const value = body[name]
  if (typeof value !== 'string' || value === '') throw new ControlFault(`${name} must be a text`)
  return value
}

function integer(body: Body, name: string): number {
  const value = Number(body[name])
  if (!Number.isSafeInteger(value) || value === 0) throw new ControlFault(`${name} must be a whole number`)
  return value
}

/** The bot that is named, or the only one there is. */
function botOf(desk: ControlDesk, id: unknown): BotRecord {
  const bots = [...desk.world.bots.values()]
  const bot = id === undefined || id === '' ? bots[0] : desk.world.bots.get(Number(id))
  if (bot === undefined) throw new ControlFault('no such bot')
  return bot
}

/** A token as @BotFather makes them. */
export function makeToken(botId = randomInt(1_000_000_000, 9_999_999_999)): string {
  return `${botId}:AA${randomBytes(25).toString('base64url').slice(0, 33)}`
}

function registerBot(desk: ControlDesk, body: Body): unknown {
  const token = body.token === undefined ? makeToken() : string(body, 'token')
  const id = Number(/^(\d{1,16}):[A-Za-z0-9_-]{30,50}$/.exec(token)?.[1])
  if (!Number.isSafeInteger(id))
    throw new ControlFault('a token is digits, a colon and about 35 of A-Z, a-z, 0-9, _ and -')
  const before = desk.world.bots.get(id)
  const bot: BotRecord = {
    id,
    username: (body.username as string | undefined) ?? before?.username ?? `sandbox${id}_bot`,
    firstName:
      (body.firstName as string | undefined) ??
      before?.firstName ??
      (body.username as string | undefined) ??
      'Sandbox bot',
  }
  if (desk.world.tokens.get(token) !== id || JSON.stringify(before) !== JSON.stringify(bot))
    desk.world.addToken(token, bot)
  return changed(desk, { token, ...bot })
}

function saveUser(desk: ControlDesk, body: Partial<Say> & { userId: number }): SandboxUser {
  const before = desk.world.users.get(body.userId)
  const user = {
    id: body.userId,
    first_name: body.firstName ?? before?.first_name ?? `User ${body.userId}`,
    last_name: body.lastName ?? before?.last_name,
    username: body.username ?? before?.username,
    language_code: body.languageCode ?? before?.language_code,
  }
  if (user.id < 0) throw new ControlFault('a person has a positive id')
  const { deleted, ...rest } = before ?? { deleted: undefined }
  if (JSON.stringify(rest) !== JSON.stringify(JSON.parse(JSON.stringify(user)))) {
    desk.world.saveUser(JSON.parse(JSON.stringify(deleted === undefined ? user : { ...user, deleted })) as typeof user)
    desk.tell({ type: 'world' })
  }
  return { id: user.id, firstName: user.first_name, deleted: deleted ?? false }
}

/** A person writes to a bot. Starts the chat, and unblocks a blocked bot as a person has to before writing. */
function say(desk: ControlDesk, one: Say): number | null {
  const { world, updates } = desk
  const bot = botOf(desk, one.botId)
  const userId = integer(one as unknown as Body, 'userId')
  if (typeof one.text !== 'string' || one.text === '') throw new ControlFault('text must be a text')
  saveUser(desk, { ...one, userId })
  if (world.acquaintance(bot.id, userId) === 'blocked') setBlocked(desk, bot, userId, false)
  if (world.acquaintance(bot.id, userId) !== 'started') {
    world.setAcquaintance(bot.id, userId, 'started')
    desk.tell({ type: 'world' })
  }
  const key = world.chatKey(bot.id, userId)
  const entities = commandEntities(one.text)
  const message: StoredMessage = {
    message_id: world.nextMessageId(key),
    date: now(),
    from: userId,
    text: one.text,
    ...(entities === undefined ? {} : { entities }),
  }
  world.saveMessage(key, message)
  const told = messageObject(world, bot.id, userId, message)
  desk.tell({ type: 'message', botId: bot.id, chatId: userId, message: told, edited: false })
  return updateId(desk, bot, updates.add(bot.id, { message: told }))
}

function updateId(desk: ControlDesk, bot: BotRecord, update: { update_id: number } | undefined): number | null {
  if (update === undefined) return null
  desk.tell({ type: 'update', botId: bot.id, updateId: update.update_id })
  return update.update_id
}

function now(): number {
  return Math.floor(Date.now() / 1_000)
}

function block(desk: ControlDesk, body: Body): unknown {
  const bot = botOf(desk, body.botId)
  const userId = integer(body, 'userId')
  if (desk.world.acquaintance(bot.id, userId) === undefined)
    throw new ControlFault('that person never wrote to the bot')
  setBlocked(desk, bot, userId, body.blocked !== false)
  return changed(desk, true)
}

function setBlocked(desk: ControlDesk, bot: BotRecord, userId: number, blocked: boolean): void {
  const { world, updates } = desk
  world.setAcquaintance(bot.id, userId, blocked ? 'blocked' : 'started')
  const user = world.users.get(userId)
  const gone = { user: botUser(bot), status: 'kicked', until_date: 0 }
  const there = { user: botUser(bot), status: 'member' }
  const [before, after] = blocked ? [there, gone] : [gone, there]
  const content = {
    chat: chatObject(world, userId),
    from: user === undefined ? { id: userId, is_bot: false, first_name: '' } : personUser(user),
    date: now(),
    old_chat_member: before,
    new_chat_member: after,
  }
  updateId(desk, bot, updates.add(bot.id, { my_chat_member: content }))
}

function createChannel(desk: ControlDesk, body: Body): unknown {
  const { world } = desk
  const type = (body.type as 'channel' | 'supergroup' | 'group' | undefined) ?? 'channel'
  const number = randomInt(1_000_000_000, 3_999_999_999)
  const id = body.id === undefined ? (type === 'group' ? -number : -1_000_000_000_000 - number) : integer(body, 'id')
  if (id >= 0) throw new ControlFault('a channel has a negative id')
  const username = body.username as string | undefined
  world.saveGroup({
    id,
    type,
    title: (body.title as string | undefined) ?? 'Channel',
    ...(username === undefined ? {} : { username }),
  })
  for (const bot of (body.admins as number[] | undefined) ?? [])
    world.setMembership(id, botOf(desk, bot).id, { status: 'administrator', ...fullRights })
  for (const bot of (body.members as number[] | undefined) ?? [])
    world.setMembership(id, botOf(desk, bot).id, { status: 'member', ...noRights })
  return changed(desk, { id })
}

function setMember(desk: ControlDesk, body: Body): unknown {
  const { world, updates } = desk
  const bot = botOf(desk, body.botId)
  const chatId = integer(body, 'chatId')
  if (!world.groups.has(chatId)) throw new ControlFault('no such channel')
  const status = string(body, 'status') as Membership['status']
  const rights = status === 'administrator' ? fullRights : noRights
  const membership: Membership = { status, ...rights }
  for (const right of ['can_post_messages', 'can_edit_messages', 'can_delete_messages'] as const) {
    if (typeof body[right] === 'boolean' && status === 'administrator') membership[right] = body[right]
  }
  const before = world.membership(chatId, bot.id) ?? { status: 'left', ...noRights }
  world.setMembership(chatId, bot.id, membership)
  const owner = { id: 777_000, is_bot: false, first_name: 'Owner' }
  const content = {
    chat: chatObject(world, chatId),
    from: owner,
    date: now(),
    old_chat_member: memberObject(world, bot, before),
    new_chat_member: memberObject(world, bot, membership),
  }
  updateId(desk, bot, updates.add(bot.id, { my_chat_member: content }))
  return changed(desk, true)
}

function migrate(desk: ControlDesk, body: Body): unknown {
  const { world } = desk
  const group = world.groups.get(integer(body, 'chatId'))
  if (group === undefined) throw new ControlFault('no such group')
  const id = body.to === undefined ? -1_000_000_000_000 - randomInt(1_000_000_000, 3_999_999_999) : integer(body, 'to')
  world.saveGroup({ id, type: group.type === 'channel' ? 'channel' : 'supergroup', title: group.title })
  for (const { bot, membership } of world.membersOf(group.id)) world.setMembership(id, bot.id, membership)
  world.saveGroup({ ...group, migratedTo: id })
  return changed(desk, { id })
}

function press(desk: ControlDesk, body: Body): unknown {
  const { world, updates, queries } = desk
  const bot = botOf(desk, body.botId)
  const userId = integer(body, 'userId')
  const user = world.users.get(userId)
  const message = world.message(world.chatKey(bot.id, userId), integer(body, 'messageId'))
  if (user === undefined || message === undefined) throw new ControlFault('no such person or message')
  const data = string(body, 'data')
  const buttons = (
    (message.reply_markup as { inline_keyboard?: { callback_data?: string }[][] } | undefined)?.inline_keyboard ?? []
  ).flat()
  if (!buttons.some((button) => button.callback_data === data))
    throw new ControlFault('that message has no such button')
  const id = newQueryId()
  remember(queries.callbacks, id, { botId: bot.id })
  const content = {
    id,
    from: personUser(user),
    message: messageObject(world, bot.id, userId, message),
    chat_instance: String(userId),
    data,
  }
  return { queryId: id, updateId: updateId(desk, bot, updates.add(bot.id, { callback_query: content })) }
}

function askInline(desk: ControlDesk, body: Body): unknown {
  const { world, updates, queries } = desk
  const bot = botOf(desk, body.botId)
  const userId = integer(body, 'userId')
  saveUser(desk, { ...(body as Partial<Say>), userId })
  if (world.acquaintance(bot.id, userId) === undefined) world.setAcquaintance(bot.id, userId, 'known')
  const id = newQueryId()
  remember(queries.inline, id, { botId: bot.id, userId, until: Date.now() + 30_000 })
  const from = personUser(world.users.get(userId) ?? { id: userId, first_name: '' })
  const content = { id, from, query: typeof body.query === 'string' ? body.query : '', offset: '', chat_type: 'sender' }
  return { queryId: id, updateId: updateId(desk, bot, updates.add(bot.id, { inline_query: content })) }
}

function chooseInline(desk: ControlDesk, body: Body): unknown {
  const { world, updates, queries } = desk
  const query = queries.inline.get(string(body, 'queryId'))
  const resultId = string(body, 'resultId')
  if (query?.results?.some((result) => result.id === resultId) !== true) throw new ControlFault('no such result')
  const bot = botOf(desk, query.botId)
  const from = personUser(world.users.get(query.userId) ?? { id: query.userId, first_name: '' })
  return {
    updateId: updateId(
      desk,
      bot,
      updates.add(bot.id, { chosen_inline_result: { result_id: resultId, from, query: '' } }),
    ),
  }
}

function newQueryId(): string {
  return String(randomBytes(8).readBigUInt64BE() >> 1n)
}

function remember<T>(map: Map<string, T>, id: string, value: T): void {
  map.set(id, value)
  for (const oldest of map.keys()) {
    if (map.size <= 10_000) break
    map.delete(oldest)
  }
}

// Streams

function streamEvents(
  desk: ControlDesk,
  request: IncomingMessage,
  response: ServerResponse,
  types: string | undefined,
): void {
  const wanted = types === undefined ? undefined : new Set(types.split(','))
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  response.write(': hello\n\n')
  const watch = (event: SandboxEvent) => {
    if (wanted !== undefined && !wanted.has(event.type)) return
    // A watcher that does not read is let go rather than kept in memory.
    if (response.writableLength > 16 * 1024 * 1024) response.destroy()
    else response.write(`data: ${JSON.stringify(event)}\n\n`)
  }
  const beat = setInterval(() => response.write(': still here\n\n'), 15_000)
  desk.watchers.add(watch)
  response.on('close', () => {
    clearInterval(beat)
    desk.watchers.delete(watch)
  })
  request.resume()
}

// With ranges: browsers ask for them before they play a video.
async function sendContent(
  { world }: ControlDesk,
  request: IncomingMessage,
  response: ServerResponse,
  unique: string,
): Promise<void> {
  const file = world.files.get(unique)
  if (file === undefined) throw new ControlFault('no such file')
  const range = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '')
  const [from, to] = range === null ? [undefined, undefined] : [range[1], range[2]]
  const start =
    from === undefined || from === ''
      ? to === undefined || to === ''
        ? 0
        : Math.max(0, file.size - Number(to))
      : Number(from)
  const end =
    from === undefined || from === '' || to === undefined || to === ''
      ? file.size - 1
      : Math.min(file.size - 1, Number(to))
  if (start > end) {
    response.writeHead(416, { 'content-range': `bytes */${file.size}` }).end()
    return
  }
  // Only what a browser shows and never runs goes out under its own type.
  const shown = ['video/mp4', 'image/jpeg'].includes(file.mimeType)
  response.writeHead(range === null ? 200 : 206, {
    'content-type': shown ? file.mimeType : 'application/octet-stream',
    'content-length': end - start + 1,
    'accept-ranges': 'bytes',
    'x-content-type-options': 'nosniff',
    'cache-control': 'private, max-age=3600',
    ...(range === null ? {} : { 'content-range': `bytes ${start}-${end}/${file.size}` }),
    ...(shown ? {} : { 'content-disposition': 'attachment' }),
  })
  await pipeline(createReadStream(world.filePath(file.sha256), { start, end }), response).catch(() => {
    // The browser has enough: it closes and asks for another part.
  })
}
