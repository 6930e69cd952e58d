/**
 * Runs ffmpeg, watches it and stops it.
 *
 * Every run is a process group of its own, so that Ctrl-C in a terminal reaches only us, and is bound to this
 * process by a pipe (its input or its output): when we are killed without warning, it ends by itself.
 * Arguments never hold a name; a failing run's last lines are kept, without the folders of this host.
 *
 * A file is opened as what its first bytes say it is, as nothing else, and as itself alone: see container.ts.
 */
import type { ChildProcess } from 'node:child_process'
import { rmSync } from 'node:fs'
import { finished } from 'node:stream/promises'
import { killGroup } from '../process-group.ts'
import { commandFor, type FfmpegRun } from './command.ts'
import { failureOf } from './failure.ts'
import type { Ffmpeg } from './find.ts'
import { writePidFile } from './left-over.ts'
import { progress, watch } from './watchdog.ts'

/**
 * Runs ffmpeg to its end. Resolves when it ended well; the process is gone in every case when this settles.
 * @throws FfmpegFailed; the signal's reason when aborted; the error of an input or output stream
 */
export async function runFfmpeg(ffmpeg: Ffmpeg, run: FfmpegRun): Promise<void> {
  run.signal?.throwIfAborted()
  const command = await commandFor(ffmpeg, run)
  let child: ChildProcess | undefined
  let pidFile: string | undefined
  let stopped: unknown
  const stop = (why: unknown) => {
    stopped ??= why
    killGroup(child?.pid)
    // A pipe that holds what nobody reads any more would never close.
    child?.stdout?.destroy()
  }
  const watchdog = watch(run, stop)
  const onAbort = () => stop(run.signal?.reason)
  run.signal?.addEventListener('abort', onAbort, { once: true })
  const tail: string[] = []
  try {
    await runToEnd(command, {
      onStart: (started) => {
        child = started
        if (run.pidFolder !== undefined) pidFile = writePidFile(run.pidFolder, started)
        if (stopped !== undefined) stop(stopped)
      },
      onLine: (line) => {
        const moved = progress(line)
        if (moved === undefined) tail.push(line)
        else watchdog.moved(moved)
        if (tail.length > 20) tail.shift()
      },
    })
    if (typeof run.output !== 'string') {
      run.output.end()
      await finished(run.output)
    }
  } catch (error) {
    throw failureOf(error, stopped, tail)
  } finally {
    watchdog.end()
    if (pidFile !== undefined) rmSync(pidFile, { force: true })
    if (typeof run.output !== 'string') run.output.destroy()
    for (const { source } of run.inputs) if (typeof source !== 'string') source.destroy()
    run.signal?.removeEventListener('abort', onAbort)
  }
}

/** Starts the command; settles when its process has gone. */
function runToEnd(
  command: Awaited<ReturnType<typeof commandFor>>,
  { onStart, onLine }: { onStart: (child: ChildProcess) => void; onLine: (line: string) => void },
): Promise<void> {
  return new Promise<void>((done, fail) => {
    let exited = Promise.resolve()
    let child: ChildProcess | undefined
    command.on('start', () => {
      child = command.ffmpegProc
      if (child === undefined) return
      const started = child
      exited = new Promise((gone) => started.once('close', () => gone()))
      onStart(started)
    })
    command.on('stderr', onLine)
    command.on('error', (error: Error) => {
      killGroup(child?.pid)
      void exited.then(() => fail(error))
    })
    command.on('end', () => void exited.then(() => done()))
    command.run()
  })
}
