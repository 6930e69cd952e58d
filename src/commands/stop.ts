/** SIGINT and SIGTERM, heard once: the first asks for a clean stop, the second for an end at once. */
import { exitCode } from './exit.ts'

/** What was asked of this process. */
export interface StopRequest {
  /** aborts at the first signal */
  asked: AbortSignal
  /** aborts at the second */
  hurried: AbortSignal
  /** 130 or 143 once a signal came */
  readonly code: number | undefined
  /** stops listening */
  close(): void
}

/** Listens until `close`. */
export function listenForStop(): StopRequest {
  const asked = new AbortController()
  const hurried = new AbortController()
  let code: number | undefined
  const heard = (signal: NodeJS.Signals) => {
    if (code !== undefined) return hurried.abort(new Error('stopped at once'))
    code = signal === 'SIGINT' ? exitCode.interrupted : exitCode.terminated
    asked.abort(new Error('asked to stop'))
  }
  process.on('SIGINT', heard)
  process.on('SIGTERM', heard)
  return {
    asked: asked.signal,
    hurried: hurried.signal,
    get code() {
      return code
    },
    close() {
      process.off('SIGINT', heard)
      process.off('SIGTERM', heard)
    },
  }
}

/** Resolves when the signal aborts. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  return signal.aborted ? Promise.resolve() : new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
