/** SIGINT, SIGTERM and SIGHUP, heard once: the first asks for a clean stop, the second for an end at once. */
import { exitCode } from './exit.ts'

/** What was asked of this process. */
export interface StopRequest {
  /** aborts at the first signal */
  asked: AbortSignal
  /** aborts at the second */
  abortedNow: AbortSignal
  /** 129, 130 or 143 once a signal came */
  readonly code: number | undefined
  /** stops listening */
  close(): void
}

const codes: Partial<Record<NodeJS.Signals, number>> = {
  SIGHUP: exitCode.hungUp,
  SIGINT: exitCode.interrupted,
  SIGTERM: exitCode.terminated,
}
/**
 * A terminal that closes sends SIGHUP twice: its shell passes it on, and
 * the kernel sends it once more as the shell ends.
 */
const sameHangupMs = 1_000

/** Listens until `close`. */
export function listenForStop(): StopRequest {
  const asked = new AbortController()
  const abortedNow = new AbortController()
  let code: number | undefined
  let heardAt = 0
  const heard = (signal: NodeJS.Signals) => {
    if (code === undefined) {
      code = codes[signal]
      heardAt = performance.now()
      asked.abort(new Error('asked to stop'))
    } else if (signal !== 'SIGHUP' || performance.now() - heardAt > sameHangupMs)
      abortedNow.abort(new Error('stopped at once'))
  }
  const signals = Object.keys(codes) as NodeJS.Signals[]
  for (const signal of signals) process.on(signal, heard)
  return {
    asked: asked.signal,
    abortedNow: abortedNow.signal,
    get code() {
      return code
    },
    close() {
      for (const signal of signals) process.off(signal, heard)
    },
  }
}

/** Resolves when the signal aborts. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  return signal.aborted
    ? Promise.resolve()
    : new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
