/**
 * Everything the sandbox remembers: bots, people, chats, messages, files and updates. One journal of JSON
 * lines, written before anybody hears of a change, and a folder of files named by content. The state in
 * memory is what the journal says when read from its start; messages stay in the journal and only their
 * places are kept in memory.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { openFileId, sealFileId, uniqueId } from './file-ids.ts'
import type { FileKind, FileReference } from './file-ids.ts'
import { Journal, type Event, type Place } from './journal.ts'
import { MessagePlaces } from './message-places.ts'
import type {
  Acquaintance,
  BotRecord,
  FileRecord,
  GroupRecord,
  Membership,
  StoredMessage,
  Update,
  Upload,
  UserRecord,
} from './records.ts'

/** Open for the life of a server. `close()` it. */
export class SandboxState {
  readonly bots = new Map<number, BotRecord>()
  readonly tokens = new Map<string, number>()
  readonly users = new Map<number, UserRecord>()
  readonly groups = new Map<number, GroupRecord>()
  readonly files = new Map<string, FileRecord>()
  /** updates that were not confirmed, by bot, in order */
  readonly pending = new Map<number, Update[]>()
  private readonly lastUpdateId = new Map<number, number>()
  private readonly memberships = new Map<string, Membership>()
  private readonly acquaintances = new Map<string, Acquaintance>()
  private readonly places = new MessagePlaces()
  private readonly settings = new Map<string, unknown>()
  private readonly forgottenIds = new Map<number, number>()
  private readonly journal: Journal
  private clock = 0
  /** what makes this world's file ids its own */
  id = ''
  private secret = ''

  constructor(readonly folder: string) {
    mkdirSync(this.filesFolder, { recursive: true })
    // Uploads of a server that was killed.
    rmSync(this.incomingFolder, { recursive: true, force: true })
    mkdirSync(this.incomingFolder)
    this.journal = new Journal(join(folder, 'journal.jsonl'))
    this.journal.replay((event, place) => this.follow(event, place))
    if (this.id === '')
      this.record({
        e: 'world',
        id: randomBytes(9).toString('base64url'),
        secret: randomBytes(24).toString('base64url'),
      })
  }

  get filesFolder(): string {
    return join(this.folder, 'files')
  }

  get incomingFolder(): string {
    return join(this.folder, 'incoming')
  }

  close(): void {
    this.journal.close()
  }

  /** Writes an event, then lets the state in memory follow. */
  private record(event: Event): void {
    this.follow(event, this.journal.append(event))
  }

  private follow(event: Event, place: Place): void {
    switch (event.e) {
      case 'world':
        this.id = event.id
        this.secret = event.secret
        break
      case 'token':
        this.tokens.set(event.token, event.bot.id)
        this.bots.set(event.bot.id, event.bot)
        break
      case 'token-revoked':
        this.tokens.delete(event.token)
        break
      case 'user':
        this.users.set(event.user.id, event.user)
        break
      case 'group':
        this.groups.set(event.group.id, event.group)
        break
      case 'member':
        this.memberships.set(`${event.chat}/${event.bot}`, event.membership)
        break
      case 'acquaintance':
        this.acquaintances.set(`${event.bot}/${event.user}`, event.state)
        break
      case 'file':
        this.files.set(event.file.unique, event.file)
        break
      case 'message':
        this.places.set(event.chat, event.message.message_id, place)
        break
      case 'gone':
        this.places.delete(event.chat, event.id)
        break
      case 'update': {
        const queue = this.pending.get(event.bot) ?? []
        queue.push(event.update)
        this.pending.set(event.bot, queue)
        this.lastUpdateId.set(event.bot, event.update.update_id)
        break
      }
      case 'confirmed':
        this.pending.set(
          event.bot,
          (this.pending.get(event.bot) ?? []).filter((update) => update.update_id >= event.before),
        )
        break
      case 'setting':
        this.settings.set(`${event.bot}/${event.name}`, event.value)
        break
      case 'ids-forgotten':
        this.forgottenIds.set(event.bot, event.until)
        this.clock = Math.max(this.clock, event.until)
        break
    }
  }

  // Bots and people

  /** Makes a token valid. A second token with the same digits is the same bot. */
  addToken(token: string, bot: BotRecord): void {
    this.record({ e: 'token', token, bot })
  }

  revokeToken(token: string): void {
    this.record({ e: 'token-revoked', token })
  }

  saveUser(user: UserRecord): void {
    this.record({ e: 'user', user })
  }

  acquaintance(bot: number, user: number): Acquaintance | undefined {
    return this.acquaintances.get(`${bot}/${user}`)
  }

  setAcquaintance(bot: number, user: number, state: Acquaintance): void {
    if (this.acquaintance(bot, user) !== state) this.record({ e: 'acquaintance', bot, user, state })
  }

  /** People who have a private chat with this bot, blocked ones included. */
  peopleOf(bot: number): UserRecord[] {
    return [...this.users.values()].filter((user) =>
      ['started', 'blocked'].includes(this.acquaintance(bot, user.id) ?? ''),
    )
  }

  // Channels and groups

  saveGroup(group: GroupRecord): void {
    this.record({ e: 'group', group })
  }

  membership(chat: number, bot: number): Membership | undefined {
    return this.memberships.get(`${chat}/${bot}`)
  }

  setMembership(chat: number, bot: number, membership: Membership): void {
    this.record({ e: 'member', chat, bot, membership })
  }

  /** Bots that are or were in a channel or group. */
  membersOf(chat: number): { bot: BotRecord; membership: Membership }[] {
    return [...this.bots.values()].flatMap((bot) => {
      const membership = this.membership(chat, bot.id)
      return membership === undefined ? [] : [{ bot, membership }]
    })
  }

  // Messages. A private chat is one bot's with one person, so its key holds both.

  chatKey(bot: number, chat: number): string {
    return chat < 0 ? String(chat) : `${bot}/${chat}`
  }

  nextMessageId(chat: string): number {
    return this.places.nextId(chat)
  }

  /** Adds a message, or replaces the one with the same id. */
  saveMessage(chat: string, message: StoredMessage): void {
    this.record({ e: 'message', chat, message })
  }

  deleteMessage(chat: string, id: number): void {
    this.record({ e: 'gone', chat, id })
  }

  message(chat: string, id: number): StoredMessage | undefined {
    const place = this.places.get(chat, id)
    return place && this.readMessage(place)
  }

  /** The newest `limit` messages with an id above `after` and below `before`, oldest first. */
  messages(chat: string, limit = 1_000, after = 0, before = Number.POSITIVE_INFINITY): StoredMessage[] {
    return this.places.newest(chat, limit, after, before).map((place) => this.readMessage(place))
  }

  countMessages(chat: string): number {
    return this.places.count(chat)
  }

  private readMessage(place: Place): StoredMessage {
    return (this.journal.read(place) as Extract<Event, { e: 'message' }>).message
  }

  // Files

  /** A new id for a file, of which no other one exists. */
  fileId(kind: FileKind, unique: string, botId: number): string {
    this.clock = Math.max(Date.now(), this.clock + 1)
    return sealFileId({ kind, unique, botId, issued: this.clock }, this.secret)
  }

  /** What an id means for this bot; undefined when it is another bot's, was forgotten, or is no id at all. */
  openFileId(fileId: string, botId: number): FileReference | undefined {
    const reference = openFileId(fileId, this.secret)
    if (reference === undefined || reference.botId !== botId || !this.files.has(reference.unique)) return undefined
    return reference.issued > (this.forgottenIds.get(botId) ?? 0) ? reference : undefined
  }

  /** From now on every id this bot has is refused, as if its files had been lost. New ids of the same files work. */
  forgetFileIds(bot: number): void {
    this.record({ e: 'ids-forgotten', bot, until: Math.max(Date.now(), this.clock) })
  }

  /** Keeps an upload under its content. The same content has the same `unique` for ever. */
  async keepFile(
    upload: Upload,
    looks: Omit<FileRecord, 'unique' | 'sha256' | 'size' | 'fileName'>,
  ): Promise<FileRecord> {
    const unique = uniqueId(looks.kind, upload.sha256)
    const target = this.filePath(upload.sha256)
    if (!existsSync(target)) await rename(upload.path, target)
    const known = this.files.get(unique)
    const file: FileRecord = { ...looks, unique, sha256: upload.sha256, size: upload.size, fileName: upload.fileName }
    if (known === undefined || JSON.stringify(known) !== JSON.stringify(file)) this.record({ e: 'file', file })
    return file
  }

  filePath(sha256: string): string {
    return join(this.filesFolder, sha256)
  }

  // Updates

  addUpdate(bot: number, content: Record<string, unknown>): Update {
    const update: Update = { update_id: (this.lastUpdateId.get(bot) ?? 500_000_000) + 1, ...content }
    this.record({ e: 'update', bot, update })
    return update
  }

  /** Forgets all updates below `before`. */
  confirmUpdates(bot: number, before: number): void {
    const first = this.pending.get(bot)?.[0]
    if (first !== undefined && first.update_id < before) this.record({ e: 'confirmed', bot, before })
  }

  /** Forgets one update: webhooks confirm in any order. */
  confirmUpdate(bot: number, id: number): void {
    const queue = this.pending.get(bot) ?? []
    if (queue[0]?.update_id === id) this.confirmUpdates(bot, id + 1)
    else
      this.pending.set(
        bot,
        queue.filter((update) => update.update_id !== id),
      )
  }

  // What a bot set: commands, names, webhook, allowed updates

  setting<T>(bot: number, name: string): T | undefined {
    return (this.settings.get(`${bot}/${name}`) ?? undefined) as T | undefined
  }

  /** undefined removes it */
  saveSetting(bot: number, name: string, value: unknown): void {
    this.record({ e: 'setting', bot, name, value: value ?? null })
  }
}
