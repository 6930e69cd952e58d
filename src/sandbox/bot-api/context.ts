/** What the methods of the Bot API work with. */
import type { CallRecord, SandboxEvent } from '../contract.ts'
import type { FaultPlans } from '../fault-plans.ts'
import type { LimitKeeper } from '../limits.ts'
import type { BotRecord } from '../state/records.ts'
import type { SandboxState } from '../state/state.ts'
import type { CallLog } from './call-log.ts'
import type { Parameters } from './parameters.ts'
import type { UpdateQueue } from './update-queue.ts'

/** An inline query, and what the bot answered. */
export interface InlineQuery {
  botId: number
  userId: number
  query: string
  /** when it dies, by `Date.now()` */
  until: number
  answer?: Record<string, unknown>
  results?: Record<string, unknown>[]
}

/** Somebody mentioned a bot in a group that it is no member of. */
export interface GuestQuery {
  botId: number
  userId: number
  chatId: number
  messageId: number
  until: number
  answer?: Record<string, unknown>
}

/** Questions that wait for an answer. They do not outlive the server. */
export interface OpenQueries {
  callbacks: Map<string, { botId: number; answer?: Record<string, unknown> }>
  inline: Map<string, InlineQuery>
  guests: Map<string, GuestQuery>
  /** answers to inline queries that are given again without asking the bot, and until when */
  cached: Map<string, { until: number; answer: Record<string, unknown>; results: Record<string, unknown>[] }>
}

/** What every method works with. */
export interface Context {
  state: SandboxState
  updates: UpdateQueue
  limits: LimitKeeper
  faultPlans: FaultPlans
  callLog: CallLog
  queries: OpenQueries
  /** divides the server's own waiting times */
  timeDivisor: number
  /** the server is in local mode: it reads files of this machine by their `file://` address */
  local: boolean
  tell: (event: SandboxEvent) => void
}

/** One call on its way. */
export interface Call extends Context {
  bot: BotRecord
  parameters: Parameters
  record: CallRecord
  /** aborted when the caller hung up */
  gone: AbortSignal
}
