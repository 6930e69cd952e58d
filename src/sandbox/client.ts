/** Drives a sandbox server over HTTP: what people do, what was received, what shall go wrong. Made for tests. */
import { waitsOf, type Waits } from './client-waits.ts'
import type {
  BotSwitches,
  CallCounts,
  CallFilter,
  CallRecord,
  FaultPlan,
  FaultState,
  Limits,
  SampleName,
  SandboxChat,
  SandboxEvent,
  SandboxMessage,
  SandboxUser,
  Say,
  SentDocument,
  SharedContact,
} from './contract.ts'

export type {
  BotSwitches,
  CallCounts,
  CallFilter,
  CallRecord,
  FaultPlan,
  FaultState,
  Limits,
  SampleName,
  SandboxChat,
  SandboxEvent,
  SandboxMessage,
  SandboxUser,
  Say,
  SentDocument,
  SharedContact,
} from './contract.ts'

/**
 * Where a `botId` is left out, the bot that was registered first is meant. Every method throws when the server
 * cannot be reached or finds the request senseless.
 */
export interface SandboxControl {
  url: string
  /** Makes a token valid; without one a new bot is made up. A second token with the same digits is the same bot. */
  registerBot(bot?: {
    token?: string
    username?: string
    firstName?: string
  }): Promise<{ token: string; id: number; username: string; firstName: string }>
  /** From now on 401. */
  revokeToken(token: string): Promise<void>
  /** A channel (or group) in which `admins` may post. Its id is made up unless given. */
  createChannel(channel: {
    title?: string
    admins?: number[]
    members?: number[]
    type?: 'channel' | 'supergroup' | 'group'
    id?: number
    username?: string
  }): Promise<number>
  /** What its owner switches at @BotFather, at any time. How all switches stand then. */
  setSwitches(switches: Partial<BotSwitches>, botId?: number): Promise<BotSwitches>
  /** Names that the chat page offers from now on. */
  offerNames(names: SampleName[], botId?: number): Promise<void>
  /** Changes a bot's place in a channel or group, `by` a person; the bot hears of it in `my_chat_member`. */
  setMember(member: {
    chatId: number
    botId?: number
    by?: number
    status: 'administrator' | 'member' | 'left' | 'kicked'
    can_post_messages?: boolean
    can_edit_messages?: boolean
    can_delete_messages?: boolean
  }): Promise<void>
  /** From now on 400 with `migrate_to_chat_id`. The new chat's id. */
  migrate(chatId: number): Promise<number>
  /** Makes or changes a person without a word from them. */
  saveUser(user: Omit<Say, 'text' | 'botId'>): Promise<void>
  /**
   * A person writes, to the bot or in a group; the id of the update, null when the bot does not want messages or does not
   * see this one. Who mentions a bot in a group without it is its guest.
   */
  say(words: Say): Promise<number | null>
  /** A person sends a file; as `say`. */
  sendDocument(document: Omit<SentDocument, 'content'> & { content: string | Buffer }): Promise<number | null>
  /** A person shares a contact; as `say`. */
  shareContact(contact: SharedContact): Promise<number | null>
  /** Many at once, in order. */
  sayAll(words: Say[]): Promise<(number | null)[]>
  /** A person presses an inline button of a message. */
  press(press: {
    userId: number
    messageId: number
    data: string
    /** the group in which the message is; default: their private chat */
    chatId?: number
    botId?: number
  }): Promise<{ queryId: string; updateId: number | null }>
  /** A person types an inline query. It dies after 30 s; answered from Telegram's cache, it makes no update. */
  askInline(query: {
    userId: number
    query: string
    livesMs?: number
    firstName?: string
    languageCode?: string
    botId?: number
  }): Promise<{ queryId: string; updateId: number | null }>
  /** Asks, and waits for what the bot offers. */
  inline(query: Parameters<SandboxControl['askInline']>[0]): Promise<InlineAnswer>
  /** A person picks a result of an inline query, which is then posted in `chatId`: a group, or their chat with the bot. */
  chooseInline(choice: {
    queryId: string
    resultId: string
    chatId?: number
  }): Promise<{ updateId: number | null; messageId?: number }>
  /** The parameters of `answerCallbackQuery` or `answerInlineQuery`; undefined while there is none. */
  queryAnswer(queryId: string): Promise<Record<string, unknown> | undefined>
  block(userId: number, botId?: number): Promise<void>
  unblock(userId: number, botId?: number): Promise<void>
  deleteUser(userId: number): Promise<void>
  users(): Promise<SandboxUser[]>
  chats(): Promise<SandboxChat[]>
  /**
   * Messages of a chat, oldest first; the newest 1,000 unless `limit` says otherwise, with ids below `before` and above
   * `after`. Deleted ones are gone.
   */
  messages(
    chatId: number | string,
    options?: { botId?: number; limit?: number; after?: number; before?: number },
  ): Promise<SandboxMessage[]>
  /** Calls as they came, oldest first, of the last 20,000. */
  calls(filter?: CallFilter & { after?: number; limit?: number }): Promise<CallRecord[]>
  /** Exact over the server's life or since `clearCalls`. */
  counts(): Promise<CallCounts>
  clearCalls(): Promise<void>
  /** What goes wrong next. */
  fault(plan: FaultPlan): Promise<FaultState>
  faults(): Promise<FaultState[]>
  /** Ends a plan (or all): held calls go on, floods end. */
  release(faultId?: number): Promise<void>
  /** Lets the oldest call of a hold go on and keeps holding the others. */
  releaseOne(faultId: number): Promise<void>
  /** Replaces the limits; `{}` switches all off. */
  limit(limits: Limits): Promise<void>
  /** Updates that were not confirmed, and whether a long poll is open. */
  pending(botId?: number): Promise<{ updateIds: number[]; polling: boolean }>
  /** Tells updates once more: those with these ids, confirmed or not (the last 5,000 are known). How many. */
  resend(updateIds?: number[], botId?: number): Promise<number>
  /** Refuses every file_id made so far for the bot; the files stay, forwarding gives fresh ids. */
  forgetFileIds(botId?: number): Promise<void>
  files(): Promise<
    {
      fileUniqueId: string
      kind: string
      size: number
      fileName: string
      mimeType: string
      width: number
      height: number
      duration: number
    }[]
  >
  /** A file's content, by `file_unique_id`. */
  fileContent(fileUniqueId: string): Promise<Buffer>
  /**
   * Waits until `look` gives something other than undefined, null or false: it is asked at once and after every
   * event of the server, never by the clock.
   * @throws after `timeoutMs` (20 s), with `what` in the message
   */
  waitFor<T>(
    look: () => Promise<T | undefined | null | false>,
    options?: { timeoutMs?: number; what?: string },
  ): Promise<T>
  /** The first message of a chat that fits, now or later. */
  waitForMessage(
    chatId: number | string,
    fits?: (message: SandboxMessage) => boolean,
    options?: { botId?: number; timeoutMs?: number },
  ): Promise<SandboxMessage>
  /** Waits for at least `count` (1) calls that match. */
  waitForCalls(filter: CallFilter, count?: number, options?: { timeoutMs?: number }): Promise<CallRecord[]>
  /** Waits until so many (1) calls are held by a plan. */
  waitForHeld(faultId: number, count?: number, options?: { timeoutMs?: number }): Promise<void>
  /** Follows the events until the function that it gives is called. Told once the stream is open. */
  watch(each: (event: SandboxEvent) => void, types?: SandboxEvent['type'][]): Promise<() => void>
}

/** What a bot offers for an inline query. */
export interface InlineAnswer {
  queryId: string
  results: (Record<string, unknown> & { id: string; type: string })[]
  button?: { text: string; start_parameter?: string }
  cache_time?: number
  is_personal?: boolean
}

/** A client of the server at `url`. Holds nothing open except while something waits or watches. */
export function sandboxControl(url: string): SandboxControl {
  const { get, post } = requests(url)
  const reads = readsOf(get)
  const changes = changesOf(post)
  const waits = waitsOf(url, reads)
  return {
    url,
    ...changes,
    ...reads,
    ...waits,
    async inline(query) {
      const { queryId } = await changes.askInline(query)
      const answer = await waits.waitFor(() => reads.queryAnswer(queryId), { what: `an answer to “${query.query}”` })
      return { ...(answer as unknown as InlineAnswer), queryId }
    },
    fileContent: (unique) => fileContent(url, unique),
  }
}

type Get = <T>(path: string, query?: Record<string, unknown>) => Promise<T>
type Post = <T = unknown>(path: string, body?: unknown) => Promise<T>

function requests(url: string): { get: Get; post: Post } {
  async function send<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${url}/sandbox/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`sandbox: ${method} ${path}: ${text}`)
    return JSON.parse(text) as T
  }
  return {
    get: (path, query = {}) => {
      const given = Object.entries(query).filter(([, value]) => value !== undefined)
      const texts = given.map(([name, value]): [string, string] => [name, String(value)])
      return send('GET', `${path}?${new URLSearchParams(texts).toString()}`)
    },
    post: (path, body = {}) => send('POST', path, body),
  }
}

async function fileContent(url: string, unique: string): Promise<Buffer> {
  const response = await fetch(`${url}/sandbox/files/${encodeURIComponent(unique)}`)
  if (!response.ok) throw new Error(`sandbox: no file ${unique}`)
  return Buffer.from(await response.arrayBuffer())
}

type Reads = Pick<
  SandboxControl,
  'queryAnswer' | 'users' | 'chats' | 'messages' | 'calls' | 'counts' | 'faults' | 'pending' | 'files'
>

function readsOf(get: Get): Reads {
  return {
    queryAnswer: async (id) => (await get<{ answer?: Record<string, unknown> } | null>('query', { id }))?.answer,
    users: () => get('users'),
    chats: () => get('chats'),
    messages: (chatId, options = {}) => get('messages', { chatId, ...options }),
    calls: (filter = {}) =>
      get('calls', { ...filter, method: filter.method === undefined ? undefined : [filter.method].flat().join(',') }),
    counts: () => get('counts'),
    faults: () => get('faults'),
    pending: (botId) => get('pending', { botId }),
    files: () => get('files'),
  }
}

function changesOf(post: Post): Omit<SandboxControl, 'url' | 'inline' | 'fileContent' | keyof Reads | keyof Waits> {
  return {
    registerBot: (bot = {}) => post('bots', bot),
    revokeToken: async (token) => void (await post('tokens/revoke', { token })),
    createChannel: async (channel) => (await post<{ id: number }>('channels', channel)).id,
    offerNames: async (names, botId) => void (await post('samples', { names, botId })),
    setMember: async (member) => void (await post('members', member)),
    migrate: async (chatId) => (await post<{ id: number }>('migrate', { chatId })).id,
    saveUser: async (user) => void (await post('users', user)),
    say: async (words) => (await post<(number | null)[]>('updates', words))[0] ?? null,
    sendDocument: ({ content, ...document }) =>
      post('documents', { ...document, content: Buffer.from(content).toString('base64') }),
    shareContact: (contact) => post('contacts', contact),
    sayAll: (words) => post('updates', words),
    press: (press) => post('press', press),
    askInline: (query) => post('inline', query),
    setSwitches: (switches, botId) => post('switches', { ...switches, botId }),
    chooseInline: (choice) => post('choose', choice),
    block: async (userId, botId) => void (await post('block', { userId, botId })),
    unblock: async (userId, botId) => void (await post('block', { userId, botId, blocked: false })),
    deleteUser: async (userId) => void (await post('users/delete', { userId })),
    clearCalls: async () => void (await post('calls/clear')),
    fault: (plan) => post('faults', plan),
    release: async (id) => void (await post('faults/release', { id })),
    releaseOne: async (id) => void (await post('faults/release-one', { id })),
    limit: async (limits) => void (await post('limits', limits)),
    resend: async (updateIds, botId) => (await post<{ count: number }>('updates/resend', { updateIds, botId })).count,
    forgetFileIds: async (botId) => void (await post('files/forget', { botId })),
  }
}
