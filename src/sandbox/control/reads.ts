/** What can be read through the control API, by path. */
import { messageObject } from '../bot-api/objects.ts'
import { switchesOf } from '../bot-api/switches.ts'
import type { CallFilter, CallRecord, SampleName, SandboxChat, SandboxUser } from '../contract.ts'
import { matches } from '../fault-plans.ts'
import type { Membership } from '../state/records.ts'
import { ControlError, type ControlContext } from './context.ts'
import { botOf } from './values.ts'

type Query = Record<string, string | undefined>

const reads: Record<string, (context: ControlContext, query: Query) => unknown> = {
  world: (context) => ({
    id: context.state.id,
    bots: [...context.state.bots.values()].map((bot) => ({
      ...bot,
      samples: context.state.setting<SampleName[]>(bot.id, 'samples') ?? [],
    })),
    chats: chats(context),
    users: users(context),
  }),
  bots: ({ state }) => [...state.bots.values()],
  users,
  chats,
  messages,
  calls,
  counts: ({ callLog }) => callLog.counts,
  faults: ({ faultPlans }) => faultPlans.list(),
  limits: ({ limits }) => limits.limits,
  pending,
  files,
  query: ({ queries }, { id = '' }) =>
    queries.callbacks.get(id) ?? queries.inline.get(id) ?? queries.guests.get(id) ?? null,
  switches: ({ state }) => [...state.bots.values()].map(({ id }) => ({ botId: id, ...switchesOf(state, id) })),
  commands,
}

/** @throws ControlError where there is nothing */
export function read(context: ControlContext, path: string, query: Query): unknown {
  const found = Object.hasOwn(reads, path) ? reads[path] : undefined
  if (found === undefined) throw new ControlError(`nothing to read at ${path}`)
  return found(context, query)
}

function messages(context: ControlContext, query: Query): unknown {
  const { state } = context
  const bot = botOf(context, query.botId)
  const chatId = Number(query.chatId)
  if (chatId < 0 && !state.groups.has(chatId)) return []
  const key = state.chatKey(bot.id, chatId)
  const { limit = 1_000, after = 0, before = Number.POSITIVE_INFINITY } = query
  return state.messages(key, Number(limit), Number(after), Number(before)).map((message) => ({
    ...messageObject(state, bot.id, chatId, message),
    ...(message.keyboard === undefined ? {} : { keyboard: message.keyboard }),
  }))
}

function calls({ callLog }: ControlContext, query: Query): CallRecord[] {
  const after = Number(query.after ?? 0)
  const found = callLog.calls.filter((call) => call.n > after && matches(filterOf(query), call))
  return found.slice(-Number(query.limit ?? found.length))
}

function pending(context: ControlContext, query: Query): unknown {
  const { state, updates } = context
  const bot = botOf(context, query.botId)
  const waiting = state.pending.get(bot.id) ?? []
  return { updateIds: waiting.map((update) => update.update_id), polling: updates.polling(bot.id) }
}

function files({ state }: ControlContext): unknown {
  return [...state.files.values()].map(({ unique, kind, size, fileName, mimeType, width, height, duration }) => ({
    fileUniqueId: unique,
    kind,
    size,
    fileName,
    mimeType,
    width,
    height,
    duration,
  }))
}

/** A bot's commands as Telegram shows them in a private chat: the closest scope, then the language, counts. */
function commands(context: ControlContext, query: Query): unknown {
  const bot = botOf(context, query.botId)
  const at = (scope: string, language: string) =>
    context.state.setting<unknown[]>(bot.id, `commands/${scope}///${language}`)
  const language = query.language ?? ''
  return (
    at('all_private_chats', language) ??
    at('default', language) ??
    at('all_private_chats', '') ??
    at('default', '') ??
    []
  )
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

function users({ state }: ControlContext): SandboxUser[] {
  return [...state.users.values()].map((user) => ({
    id: user.id,
    firstName: user.first_name,
    ...(user.last_name === undefined ? {} : { lastName: user.last_name }),
    ...(user.username === undefined ? {} : { username: user.username }),
    ...(user.language_code === undefined ? {} : { languageCode: user.language_code }),
    deleted: user.deleted ?? false,
  }))
}

const isThere = (status: Membership['status'] | undefined) => status === 'administrator' || status === 'member'

function chats({ state }: ControlContext): SandboxChat[] {
  const groups = [...state.groups.values()].map(({ id, type, title }): SandboxChat => ({
    id,
    type,
    title,
    blocked: false,
    messages: state.countMessages(String(id)),
    members: [...state.bots.keys()].filter((bot) => isThere(state.membership(id, bot)?.status)),
  }))
  const privates = [...state.bots.values()].flatMap((bot) =>
    state.peopleOf(bot.id).map((user): SandboxChat => {
      const key = state.chatKey(bot.id, user.id)
      return {
        id: user.id,
        type: 'private',
        title: user.first_name,
        blocked: state.acquaintance(bot.id, user.id) === 'blocked',
        messages: state.countMessages(key),
      }
    }),
  )
  return [...groups, ...privates]
}
