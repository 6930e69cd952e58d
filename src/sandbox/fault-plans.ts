/** Faults that were planned for calls to come. */
import type { CallFilter, CallRecord, FaultAnswer, FaultPlan, FaultState } from './contract.ts'

interface Planned {
  state: FaultState
  left: number
  floodUntil: number
  waiting: Set<() => void>
}

/** A plan that a call has met. */
export interface MetPlan {
  answer: FaultAnswer
  /** waits until the call is released, or its caller is gone */
  hold: (gone: AbortSignal) => Promise<void>
}

/** Whether a call is meant by a filter. */
export function matches(filter: CallFilter, call: CallRecord): boolean {
  const methods = filter.method === undefined ? undefined : [filter.method].flat()
  if (methods !== undefined && !methods.some((method) => method.toLowerCase() === call.method.toLowerCase()))
    return false
  if (filter.chatId !== undefined && String(filter.chatId) !== String(call.chatId)) return false
  if (filter.botId !== undefined && filter.botId !== call.botId) return false
  if (filter.upload !== undefined && filter.upload !== call.upload) return false
  if (filter.ok !== undefined && filter.ok !== (call.status === 200)) return false
  return true
}

/** The plans of one server. `close()` lets everything go that is held. */
export class FaultPlans {
  private readonly plans = new Map<number, Planned>()
  private lastId = 0
  private closed = false

  constructor(
    private readonly timeDivisor: number,
    private readonly changed: (fault: FaultState) => void,
  ) {}

  /** @throws TypeError when the plan could never meet a call */
  add(plan: FaultPlan): FaultState {
    if (plan.answer.kind === 'drop-unread' && (plan.chatId !== undefined || plan.upload !== undefined))
      throw new TypeError('of a request that is not read, chat and file are unknown')
    const holds = plan.answer.kind === 'hold' || plan.answer.kind === 'hold-after'
    const times = plan.times ?? (holds ? 0 : 1)
    const state: FaultState = { ...plan, id: ++this.lastId, hits: 0, holding: 0, over: false }
    this.plans.set(state.id, {
      state,
      left: times === 0 ? Number.POSITIVE_INFINITY : times,
      floodUntil: 0,
      waiting: new Set(),
    })
    return state
  }

  list(): FaultState[] {
    return [...this.plans.values()].map(({ state }) => ({ ...state }))
  }

  /** Ends one plan or all of them; calls that are held go on. */
  release(id?: number): void {
    for (const plan of this.plans.values()) {
      if (id !== undefined && plan.state.id !== id) continue
      plan.left = 0
      plan.floodUntil = 0
      plan.state.over = true
      for (const go of plan.waiting) go()
      this.changed({ ...plan.state })
    }
  }

  /** Lets the oldest call of a hold go on; the plan stays. */
  releaseOne(id: number): void {
    const plan = this.plans.get(id)
    const [oldest] = plan?.waiting ?? []
    oldest?.()
  }

  close(): void {
    this.closed = true
    this.release()
  }

  /** Whether the connection is to break before more than the first line of the request is read. */
  breaksUnread({ method, botId }: Pick<CallRecord, 'method' | 'botId'>): boolean {
    for (const plan of this.plans.values()) {
      const { state } = plan
      if (
        state.answer.kind !== 'drop-unread' ||
        plan.left <= 0 ||
        !matches({ method: state.method, botId: state.botId }, { method, botId } as CallRecord)
      )
        continue
      if ((state.skip ?? 0) > 0) {
        state.skip = (state.skip ?? 0) - 1
        continue
      }
      state.hits += 1
      plan.left -= 1
      state.over = plan.left <= 0
      this.changed({ ...state })
      return true
    }
    return false
  }

  /** The plan that this call meets, used up by one. Marks the call. */
  meet(call: CallRecord): MetPlan | undefined {
    for (const plan of this.plans.values()) {
      const { state } = plan
      const now = Date.now()
      if (state.answer.kind === 'drop-unread') continue
      const inFlood = now < plan.floodUntil
      if ((plan.left <= 0 && !inFlood) || !matches(state, call)) continue
      if ((state.skip ?? 0) > 0) {
        state.skip = (state.skip ?? 0) - 1
        continue
      }
      state.hits += 1
      call.fault = state.answer.kind
      if (state.answer.kind !== 'flood') {
        plan.left -= 1
        state.over = plan.left <= 0
        this.changed({ ...state })
        const { answer } = state
        const longestMs = answer.kind === 'slow' ? (answer.seconds * 1_000) / this.timeDivisor : undefined
        return { answer, hold: (gone) => this.hold(plan, gone, longestMs) }
      }
      if (inFlood) {
        call.early = true
        const seconds = ((plan.floodUntil - now) * this.timeDivisor) / 1_000
        return { answer: { kind: 'flood', retryAfter: seconds }, hold: async () => {} }
      }
      plan.left -= 1
      state.over = plan.left <= 0
      plan.floodUntil = now + (state.answer.retryAfter * 1_000) / this.timeDivisor
      this.changed({ ...state })
      return { answer: state.answer, hold: async () => {} }
    }
    return undefined
  }

  private hold(plan: Planned, gone: AbortSignal, longestMs?: number): Promise<void> {
    if (this.closed) return Promise.resolve()
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined
      const go = () => {
        clearTimeout(timer)
        plan.waiting.delete(go)
        plan.state.holding = plan.waiting.size
        gone.removeEventListener('abort', go)
        this.changed({ ...plan.state })
        resolve()
      }
      if (longestMs !== undefined) timer = setTimeout(go, longestMs)
      plan.waiting.add(go)
      plan.state.holding = plan.waiting.size
      gone.addEventListener('abort', go)
      this.changed({ ...plan.state })
    })
  }
}
