/** What the methods of the Bot API work with. */
import type { CallRecord, SandboxEvent } from '../contract.ts'
import type { FaultPlans } from '../fault-plans.ts'
import type { LimitKeeper } from '../limits.ts'
import type { BotRecord } from '../state/records.ts'
import type { SandboxState } from '../state/state.ts'
import type { CallLog } from './call-log.ts'
import type { Parameters } from './parameters.ts'
import type { UpdateQueue } from './update-queue.ts'

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
export interface Context {
  state: SandboxState
  updates: UpdateQueue
  limits: LimitKeeper
  faultPlans: FaultPlans
  callLog: CallLog
  queries: OpenQueries
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
