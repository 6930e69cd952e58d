/**
 * What travels between the control API of the sandbox and its clients: tests, the
 * process that serves a home, and the chat page.
 */
import type { Message } from 'grammy/types'

export type UploadKind = 'multipart' | 'path' | 'file_id' | 'url' | 'none'

/** Which calls are meant. Every field that is given must agree. */
export interface CallFilter {
  /** one method or several; case does not matter */
  method?: string | string[]
  chatId?: number | string
  botId?: number
  /**
   * how the call brings its file: `multipart` uploads it, `path` is an upload in
   * local mode, `file_id` names one, `none` has none
   */
  upload?: UploadKind
  /** only calls whose answer was of that kind */
  ok?: boolean
}

/** What happens to a call instead of, or before, its ordinary course. */
export type FaultAnswer =
  /**
   * 429. It opens a flood of `retryAfter` announced seconds, which ends after `retryAfter / timeDivisor`; every
   * matching call until then gets the seconds that are left and is marked `early` in the list of calls
   */
  | { kind: 'flood'; retryAfter: number }
  /** any refusal, nothing taken: 400, 403, 500, … */
  | {
      kind: 'refuse'
      code: number
      description: string
      parameters?: { retry_after?: number; migrate_to_chat_id?: number }
    }
  /** a proxy's HTML page instead of JSON, nothing taken: 502, 504 */
  | { kind: 'html'; code: number }
  /** the connection breaks before the request is read: such a plan can choose by method and bot only */
  | { kind: 'drop-unread' }
  /** the connection breaks before the message is taken */
  | { kind: 'drop-before' }
  /** the message is taken, then the connection breaks */
  | { kind: 'drop-after' }
  /** nothing is taken, no answer ever comes */
  | { kind: 'silence' }
  /** the message is taken, no answer ever comes */
  | { kind: 'silence-after' }
  /** waits before the message is taken until released, then runs its ordinary course */
  | { kind: 'hold' }
  /** takes the message, then waits with the answer until released */
  | { kind: 'hold-after' }
  /** waits so many seconds before the message is taken, or until released, then runs its ordinary course */
  | { kind: 'slow'; seconds: number }

export interface FaultPlan extends Omit<CallFilter, 'ok'> {
  answer: FaultAnswer
  /** let so many matching calls pass first; default 0 */
  skip?: number
  /** for so many calls (floods: so many floods); default 1, 0 means without end. Holds: default without end */
  times?: number
}

export interface FaultState extends FaultPlan {
  id: number
  /** calls it touched so far */
  hits: number
  /** calls that wait now */
  holding: number
  /** released, cleared or used up */
  over: boolean
}

/** Telegram's limits, all off by default. What exceeds them is answered 429. */
export interface Limits {
  /** posts a minute to one channel, Telegram: about 20 */
  channelPerMinute?: number
  /** messages a second to one private chat, Telegram: about 1, with a burst of `chatBurst` (default 3) */
  chatPerSecond?: number
  chatBurst?: number
  /** messages a second in all, Telegram: about 30 */
  overallPerSecond?: number
  /** uploads of exactly the same byte size need this distance, seconds; what comes sooner waits 60 s */
  sameSizeSeconds?: number
}

/** A call as it was received. */
export interface CallRecord {
  /** counts up over all calls */
  n: number
  /** milliseconds since 1970 */
  at: number
  botId: number
  /** as Telegram writes it: `sendVideo` */
  method: string
  chatId: number | undefined
  upload: UploadKind
  /** bytes of the request's body */
  bodyBytes: number
  /** bytes of the uploaded file */
  uploadBytes: number | undefined
  /** of the file it named or that came out */
  fileUniqueId: string | undefined
  /** a thumbnail that came with it: taken, or not (no upload, no JPEG, over 200 kB or 320 px) */
  thumbnail: 'taken' | 'ignored' | undefined
  /** the parameters without their files */
  parameters: Record<string, unknown>
  /** HTTP status of the answer; undefined while it is open, and when none was given or nobody was there to hear it */
  status: number | undefined
  description: string | undefined
  /** the message that came of it */
  messageId: number | undefined
  /** what was planned for it */
  fault: FaultAnswer['kind'] | undefined
  /** it came although a 429 had asked to wait longer */
  early: boolean
}

export interface CallCounts {
  total: number
  /** by method */
  methods: Record<string, number>
  /** answered with a message, by method */
  succeeded: Record<string, number>
  /** `sendVideo` calls that uploaded their file and were taken */
  uploads: number
  /** calls during a flood */
  early: number
}

export interface SandboxUser {
  id: number
  firstName: string
  lastName?: string
  username?: string
  languageCode?: string
  deleted: boolean
}

export interface SandboxChat {
  id: number
  type: 'private' | 'group' | 'supergroup' | 'channel'
  title: string
  /** private: whether its person blocked the bot */
  blocked: boolean
  messages: number
  /** of a channel or group: the bots that are in it */
  members?: number[]
}

/** A message as the bot sees it. `keyboard`: a keyboard that is not inline. */
export type SandboxMessage = Message & { keyboard?: unknown }

/** What a bot's owner switches at @BotFather. */
export interface BotSwitches {
  /** people may write `@bot …` in any chat and get results to choose from */
  inline: boolean
  /** the bot hears which of its results was chosen */
  inlineFeedback: boolean
  /** the bot may be asked in chats that it is not a member of */
  guests: boolean
  /** the bot may be added to groups */
  groups: boolean
  /** in groups it sees only commands, replies to it, mentions of it and what was sent by it */
  groupPrivacy: boolean
}

/** One thing a person does. The person is made when unknown. */
export interface Say {
  /** default: the only bot */
  botId?: number
  userId: number
  /** the group in which they write; default: their private chat with the bot */
  chatId?: number
  /** the message that they answer */
  replyTo?: number
  firstName?: string
  lastName?: string
  username?: string
  languageCode?: string
  text: string
}

/** A file that a person sends to the bot in their private chat. */
export interface SentDocument extends Omit<Say, 'text' | 'chatId'> {
  /** how their client sends it, by default as a document; a photo is JPEG, as clients make it */
  kind?: 'document' | 'photo' | 'voice'
  fileName: string
  /** `application/octet-stream` unless given */
  mimeType?: string
  /** in base64; clients send no empty file */
  content: string
  caption?: string
}

/** Somebody's contact that a person shares in their private chat. */
export interface SharedContact extends Omit<Say, 'text' | 'chatId'> {
  contact: { phoneNumber: string; firstName: string; lastName?: string }
}

/** A name that the chat page offers to somebody who has not written yet. */
export interface SampleName {
  name: string
  /** `ru` or `en` */
  language: string
  /** it can be sent at once; otherwise its video is being made */
  ready: boolean
}

/** What is told on the stream of events. */
export type SandboxEvent =
  | { type: 'message'; botId: number; chatId: number; message: Record<string, unknown>; edited: boolean }
  | { type: 'deleted'; botId: number; chatId: number; messageId: number }
  | { type: 'action'; botId: number; chatId: number; action: string }
  | { type: 'call'; call: CallRecord }
  | { type: 'fault'; fault: FaultState }
  | { type: 'update'; botId: number; updateId: number }
  | { type: 'world' }
