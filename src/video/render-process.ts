/**
 * A resident process that renders, started by render-pool.ts. It talks over the channel to its parent and leaves when
 * that closes, however its parent ended; whatever it runs is stopped first.
 */
import { AssetFault, Outage } from '../errors.ts'
import { prepare, render } from './render.ts'
import type { RenderJob, Step } from './render-job.ts'

/** From the parent. `id` names a piece of work. */
export type ToRenderProcess =
  | { id: number; kind: 'render'; job: RenderJob }
  | { id: number; kind: 'prepare'; job: Pick<RenderJob, 'ffmpeg' | 'template' | 'templateRevision' | 'cacheFolder'> }
  | { id: number; kind: 'abort' }

/** To the parent. */
export type FromRenderProcess =
  /** the event loop turns: what is under way is not stuck in drawing */
  | { id?: undefined; kind: 'alive' }
  | { id: number; kind: 'step'; step: Step; ms: number }
  | { id: number; kind: 'note'; text: string }
  | { id: number; kind: 'done' }
  | { id: number; kind: 'failed'; failure: Failure }

/** An error on its way to another process. */
export type Failure =
  | { kind: 'fault'; faultClass: AssetFault['faultClass']; message: string }
  | { kind: 'outage'; step: Outage['step']; message: string; retryAfterMs: number | undefined }
  | { kind: 'aborted' }

const underWay = new Map<number, AbortController>()

setInterval(() => {
  if (underWay.size > 0) send({ kind: 'alive' })
}, 1_000).unref()

process.on('message', (message: ToRenderProcess) => void receive(message))
process.on('disconnect', () => void leave())

async function receive(message: ToRenderProcess): Promise<void> {
  const { id } = message
  if (message.kind === 'abort') {
    underWay.get(id)?.abort(new Error('aborted'))
    return
  }
  const abort = new AbortController()
  underWay.set(id, abort)
  try {
    const onStep = (step: Step, ms: number) => send({ id, kind: 'step', step, ms })
    if (message.kind === 'render')
      await render(message.job, abort.signal, onStep, (text) => send({ id, kind: 'note', text }))
    else await prepare(message.job, abort.signal, onStep)
    send({ id, kind: 'done' })
  } catch (error) {
    send({ id, kind: 'failed', failure: abort.signal.aborted ? { kind: 'aborted' } : failureOf(error) })
  } finally {
    underWay.delete(id)
  }
}

function failureOf(error: unknown): Failure {
  if (error instanceof Outage)
    return { kind: 'outage', step: error.step, message: error.message, retryAfterMs: error.retryAfterMs }
  if (error instanceof AssetFault) return { kind: 'fault', faultClass: error.faultClass, message: error.message }
  return { kind: 'fault', faultClass: 'render', message: error instanceof Error ? error.message : 'rendering failed' }
}

function send(message: FromRenderProcess): void {
  if (process.connected) process.send?.(message)
}

/** Every ffmpeg of ours gets its signal at once; a moment for the system to deliver it, then we go. */
async function leave(): Promise<void> {
  for (const abort of underWay.values()) abort.abort(new Error('aborted'))
  const until = Date.now() + 3_000
  while (underWay.size > 0 && Date.now() < until) await new Promise((go) => setTimeout(go, 20))
  process.exit(0)
}
