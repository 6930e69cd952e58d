/** What the control API works with. */
import type { Context } from '../bot-api/context.ts'
import type { SandboxEvent } from '../contract.ts'

export interface ControlContext extends Context {
  /** streams that are told every event */
  watchers: Set<(event: SandboxEvent) => void>
}

/** A request that makes no sense. Answered 400 with the reason as text. */
export class ControlError extends Error {
  override name = 'ControlError'
}
