/** The render processes: resident, watched, and replaced when they end or stand still. */
import { availableParallelism } from 'node:os'
import { AssetFault, Outage } from '../errors.ts'
import { startResidentProcess, type ResidentProcess } from '../resident-process.ts'
import type { Failure, FromRenderProcess, ToRenderProcess } from './render-process.ts'
import type { RenderJob, Step } from './render-job.ts'

type Work =
  | { kind: 'render'; job: RenderJob }
  | { kind: 'prepare'; job: Pick<RenderJob, 'ffmpeg' | 'template' | 'templateRevision' | 'cacheFolder'> }

export interface RenderPool {
  /** @throws AssetFault; Outage; the signal's reason when aborted, once everything that ran has ended */
  run(work: Work, signal: AbortSignal, onStep: (step: Step, ms: number) => void): Promise<void>
  close(): Promise<void>
}

/**
 * A render process tells every second that it is not stuck. One that is silent for so many of our own seconds is; until
 * its first word, for it loads a lot, they are more.
 */
const silentSeconds = { working: 10, starting: 60 }

/** The render process ended in the middle of its work, by itself or because it stood still. */
class RenderProcessGone extends Error {
  override name = 'RenderProcessGone'
}

interface RenderProcess extends ResidentProcess<ToRenderProcess, FromRenderProcess> {
  /** what became of its work when it has ended */
  gone(): RenderProcessGone
}

/**
 * Resident processes, one more whenever all are busy, as many as there are processors at most.
 * @param onNote told what had to be mended
 */
export function openRenderPool(onNote: (text: string) => void): RenderPool {
  const processes = new Set<RenderProcess>()
  let closed = false
  const most = Math.max(1, availableParallelism())

  const leastBusy = (): RenderProcess => {
    const found = [...processes].sort((a, b) => a.open - b.open)[0]
    if (found !== undefined && (found.open === 0 || processes.size >= most)) return found
    const started = startRenderProcess(() => processes.delete(started))
    processes.add(started)
    return started
  }
  const runOnce: RenderPool['run'] = (work, signal, onStep) => {
    if (closed) return Promise.reject(new Error('the renderer is closed'))
    signal.throwIfAborted()
    return runIn(leastBusy(), work, signal, onStep, onNote)
  }
  return {
    run: async (work, signal, onStep) => {
      try {
        await runOnce(work, signal, onStep)
      } catch (error) {
        if (!(error instanceof RenderProcessGone)) throw error
        onNote(`${error.message}; its work is begun again`)
        await runOnce(work, signal, onStep).catch((again: unknown) => {
          throw again instanceof RenderProcessGone ? new AssetFault('render', again.message, { cause: again }) : again
        })
      }
    },
    close: async () => {
      closed = true
      await Promise.all([...processes].map((one) => one.stop()))
    },
  }
}

function runIn(
  resident: RenderProcess,
  work: Work,
  signal: AbortSignal,
  onStep: (step: Step, ms: number) => void,
  onNote: (text: string) => void,
): Promise<void> {
  return new Promise((done, fail) => {
    const end = (then: () => void) => {
      signal.removeEventListener('abort', onAbort)
      close()
      then()
    }
    const failed = (error: Error) => end(() => fail(signal.aborted ? (signal.reason as Error) : error))
    const { id, close } = resident.begin({
      onAnswer: (answer) => {
        if (answer.kind === 'step') onStep(answer.step, answer.ms)
        else if (answer.kind === 'note') onNote(answer.text)
        else if (answer.kind === 'done') end(done)
        else if (answer.kind === 'failed') failed(revived(answer.failure))
      },
      onGone: () => failed(resident.gone()),
    })
    // The process answers an abort once everything it ran has ended.
    const onAbort = () => resident.send({ id, kind: 'abort' })
    signal.addEventListener('abort', onAbort, { once: true })
    resident.send({ id, ...work })
  })
}

function startRenderProcess(onGone: () => void): RenderProcess {
  let patience = silentSeconds.starting
  /** for how many of our seconds the process has said nothing while it works */
  let silent = 0
  let stuck = false
  let clock: NodeJS.Timeout | undefined
  const tick = () => {
    if (++silent < patience) return
    stuck = true
    resident.kill()
  }
  const resident = startResidentProcess<ToRenderProcess, FromRenderProcess>('video/render-process', {
    message: () => {
      silent = 0
      patience = silentSeconds.working
    },
    idle: (isIdle) => {
      // Counted, not measured: after a sleep of the whole machine nobody is to blame for the time that passed.
      if (!isIdle) clock ??= setInterval(tick, 1_000)
      else {
        clearInterval(clock)
        clock = undefined
        silent = 0
      }
    },
    gone: onGone,
  })
  return Object.assign(resident, {
    gone: () =>
      new RenderProcessGone(
        stuck ? `the render process stood still for ${patience} s` : 'the render process ended unexpectedly',
      ),
  })
}

function revived(failure: Failure): Error {
  if (failure.kind === 'outage') return new Outage(failure.step, failure.message, failure.retryAfterMs)
  if (failure.kind === 'fault') return new AssetFault(failure.faultClass, failure.message)
  return new Error('aborted')
}
