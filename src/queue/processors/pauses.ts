/** The steps that rest because they are out of order. */
import { setTimeout as sleep } from 'node:timers/promises'

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
