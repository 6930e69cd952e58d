/** What the sandbox remembers, record by record. */
import type { FileKind } from './file-ids.ts'

/** An uploaded file, still under its temporary name. */
export interface Upload {
  path: string
  sha256: string
  size: number
  fileName: string
}

export interface BotRecord {
  id: number
  username: string
  firstName: string
}

export interface UserRecord {
  id: number
  first_name: string
  last_name?: string
  username?: string
  language_code?: string
  deleted?: boolean
}

export interface GroupRecord {
  id: number
  type: 'channel' | 'supergroup' | 'group'
  title: string
  username?: string
  /** what it became */
  migratedTo?: number
}

/** A bot's or a person's place in a channel or group. */
export interface Membership {
  status: 'administrator' | 'member' | 'left' | 'kicked'
  can_post_messages: boolean
  can_edit_messages: boolean
  can_delete_messages: boolean
}

/** How a person stands to a bot. `known`: seen elsewhere, but has not written to it. */
export type Acquaintance = 'known' | 'started' | 'blocked'

/** A file as a message holds it. Identifiers for a bot are made when the message is told. */
export interface StoredMedia {
  kind: 'video' | 'animation' | 'document' | 'photo' | 'voice'
  unique: string
  size: number
  fileName: string
  mimeType: string
  width: number
  height: number
  duration: number
  thumbnail?: StoredPicture
  cover?: StoredPicture
}

export interface StoredPicture {
  unique: string
  width: number
  height: number
  size: number
}

/** A message as the journal holds it: the same for every bot that may see it. */
export interface StoredMessage {
  message_id: number
  /** Unix time, seconds */
  date: number
  edit_date?: number
  /** id of the person or bot who wrote it; absent in a channel */
  from?: number
  /** the bot that posted it, also in a channel */
  by?: number
  text?: string
  caption?: string
  entities?: unknown[]
  media?: StoredMedia
  contact?: { phone_number: string; first_name: string; last_name?: string }
  /** an inline keyboard */
  reply_markup?: unknown
  /** another keyboard: shown to its person, not told to bots */
  keyboard?: unknown
  reply_to?: number
  protect?: boolean
  /** where it was first: a channel's post or a person's message */
  origin?:
    { type: 'channel'; chat: number; message_id: number; date: number } | { type: 'user'; user: number; date: number }
  via_bot?: number
  /** of a message by which a bot answered in a chat it is not a member of: who asked it */
  guest_caller?: number
  /** people and bots who came into the group */
  joined?: number[]
}

export interface FileRecord {
  unique: string
  kind: FileKind
  sha256: string
  size: number
  fileName: string
  mimeType: string
  width: number
  height: number
  duration: number
  /** the thumbnail of the upload that brought it first; a later send by file_id shows it */
  thumbnail?: StoredPicture
}

export interface Update {
  update_id: number
  [kind: string]: unknown
}

export interface Webhook {
  url: string
  secret_token?: string
  max_connections: number
  ip_address?: string
}
