/** A worker's places: so many renders at a time, people first; and the steps that rest because they are out of order. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Lane } from '../index.ts'

/** Render slots of one process. */
export interface Slots {
  /** Waits for a place; whoever works for a person goes before all others. The result gives the place back, once. */
  take(lane: Lane, signal: AbortSignal): Promise<() => void>
  readonly used: number
}

/** Creates `count` places. */
export function createSlots(count: number): Slots {
  const waiting: Record<Lane, (() => void)[]> = { people: [], warm: [] }
  let used = 0

  function next() {
    if (used >= count) return
    const start = waiting.people.shift() ?? waiting.warm.shift()
    if (start === undefined) return
    used++
    start()
  }

  return {
    get used() {
      return used
    },
    async take(lane, signal) {
      signal.throwIfAborted()
      await new Promise<void>((resolve, reject) => {
        const start = () => {
          signal.removeEventListener('abort', leave)
          resolve()
        }
        const leave = () => {
          waiting[lane] = waiting[lane].filter((other) => other !== start)
          reject(signal.reason as Error)
        }
        signal.addEventListener('abort', leave, { once: true })
        waiting[lane].push(start)
        next()
      })
      let given = false
      return () => {
        if (given) return
        given = true
        used--
        next()
      }
    },
  }
}

/** Steps that are out of order rest; nobody begins work that would end at them. */
export interface Pauses {
  pause(step: string, ms: number): void
  clear(step: string): void
  /** Resolves when no step rests. */
  whenClear(signal: AbortSignal): Promise<void>
}

/** No step rests at first. */
export function createPauses(): Pauses {
  const until = new Map<string, number>()
  return {
    pause(step, ms) {
      until.set(step, Math.max(until.get(step) ?? 0, Date.now() + ms))
    },
    clear(step) {
      until.delete(step)
    },
    async whenClear(signal) {
      for (;;) {
        signal.throwIfAborted()
        const waitMs = Math.max(0, ...[...until.values()].map((end) => end - Date.now()))
        if (waitMs === 0) return
        await sleep(Math.min(waitMs, 1_000), undefined, { signal })
      }
    },
  }
}
