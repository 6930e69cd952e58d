/** What the door answers, and what it needs. */
import type { Times } from '../config.ts'
import type { Db } from '../db/database.ts'
import type { GreetingsQueue } from '../queue/index.ts'
import type { Gate } from './gate.ts'
import type { ClaimedRequest } from './requests.ts'

/** What the door needs. */
export interface RequestDeps {
  db: Db
  queue: GreetingsQueue
  /** the bot that sends: a `file_id` of another is no hit */
  botId: bigint
  times: Times
  /** where many ask at a time: keeps one asset whose row is locked from taking all connections */
  gate?: Gate
  log: { warn(fields: object, message: string): void }
}

/**
 * How many names of one person are made at a time as soon as possible; how many they may wait for, those beyond the
 * first running behind everybody's first; how many they may cause to be made in a day; and how many videos that exist
 * may be on their way to them: Telegram takes about one a second, and what is asked for beyond that must not pile up.
 */
export const personLimits = { atOnce: 5, waiting: 20, newPerDay: 50, onTheirWay: 20 }

/** This person has reached a limit. */
export interface Refusal {
  status: 'refused'
  reason: 'too_many_waiting' | 'too_many_today'
  /** how many the limit allows */
  most: number
  /** when there is room again; null: as soon as one of those they wait for is there */
  retryAt: Date | null
  /** they were told of it already */
  told: boolean
}

/** The door's answer for one name. */
export type Answer =
  /** a hit; with a person, their request is claimed for the caller, who sends and marks it */
  | { status: 'available'; assetId: string; fileId: string; claimed: ClaimedRequest | null }
  /** a video that exists is being sent to this person already */
  | { status: 'on_its_way'; assetId: string }
  /** work is under way; `started`: by this very question; `again`: this person waits for it already */
  | { status: 'waiting'; assetId: string; requestId: string | null; started: boolean; again: boolean }
  /** could not be made, may be asked for again after `retryAt` */
  | { status: 'failed'; assetId: string; retryAt: Date }
  | Refusal
  /** the update was answered before */
  | { status: 'repeated'; assetId: string; requestStatus: 'PENDING' | 'COMPLETED' | 'FAILED' }
