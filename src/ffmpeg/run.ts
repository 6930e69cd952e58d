/**
 * The only file that knows fluent-ffmpeg: how ffmpeg is run, watched and stopped.
 *
 * Every run is a process group of its own, so that Ctrl-C in a terminal reaches only us, and is bound to this
 * process by a pipe (its input or its output): when we are killed without warning, it ends by itself.
 * Arguments never hold a name; a failing run's last lines are kept, without the folders of this host.
 *
 * A file is opened as what its first bytes say it is, as nothing else, and as itself alone: see container.ts.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import type { ChildProcess } from 'node:child_process'
import { basename, join } from 'node:path'
import { constants as osConstants } from 'node:os'
import type { Readable } from 'node:stream'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import ffmpegCommand from 'fluent-ffmpeg'
import { childEnvironment } from '../child-environment.ts'
import { containerNames, containerOf } from './container.ts'
import type { Ffmpeg } from './find.ts'

/** ffmpeg ended with an error, was killed, stood still or took too long. The message ends with its last lines. */
export class FfmpegFailed extends Error {
  override name = 'FfmpegFailed'
  constructor(
    message: string,
    /** `stalled`: no progress; `timeout`: took too long; `exit`: ended with an error; `input`: was not started, for a file is none that is read */
    readonly reason: 'stalled' | 'timeout' | 'exit' | 'input',
    /** its last lines on stderr */
    readonly tail: string,
    options?: ErrorOptions,
  ) {
    super(tail === '' ? message : `${message}: ${tail}`, options)
  }
}

/** One run. Options are arrays, one element per argument. */
export interface FfmpegRun {
  /** a file, in a container that is read; or a stream, whose format the options name */
  inputs: { source: string | Readable; options?: string[] }[]
  /** options between the inputs and the output */
  options: string[]
  output: string | Writable
  signal?: AbortSignal
  /** where the run leaves a file that names its process, for `killLeftOver`; the file goes with the process */
  pidFolder?: string
  /** killed after this, milliseconds; 10 minutes when left out */
  timeoutMs?: number
  /** killed when nothing moves for so long, milliseconds; 10 s when left out */
  stallMs?: number
}

/**
 * Runs ffmpeg to its end. Resolves when it ended well; the process is gone in every case when this settles.
 * @throws FfmpegFailed; the signal's reason when aborted; the error of an input or output stream
 */
export async function runFfmpeg(ffmpeg: Ffmpeg, run: FfmpegRun): Promise<void> {
  run.signal?.throwIfAborted()
  const inputs: { source: string | Readable; options: string[] }[] = []
  for (const { source, options = [] } of run.inputs) {
    if (typeof source === 'string')
      inputs.push({ source: `file:${source}`, options: [...(await fileOptions(source)), ...options] })
    else inputs.push({ source, options: ['-protocol_whitelist', 'pipe', ...options] })
  }
  const command = ffmpegCommand({ stdoutLines: 40 }) as ffmpegCommand.FfmpegCommand & Internals
  // Neither the search for a binary nor the look-ups of codecs of fluent-ffmpeg: one costs nothing, the other two more runs.
  command._getFfmpegPath = (done) => done(null, ffmpeg.path)
  command._checkCapabilities = (done) => done()
  command.availableEncoders = (done) => done(undefined as unknown as Error, {})
  const spawnPlain = command._spawnFfmpeg.bind(command)
  command._spawnFfmpeg = (args, options, onStart, onEnd) =>
    // When the program cannot be started fluent-ffmpeg forgets the lines it then asks for.
    spawnPlain(
      args,
      { ...options, env: childEnvironment(), detached: process.platform !== 'win32' },
      onStart,
      (error, stdout = noLines, stderr = noLines) => onEnd(error, stdout, stderr),
    )

  const readsPipe = run.inputs.some(({ source }) => typeof source !== 'string')
  for (const { source, options } of inputs) command.input(source).inputOptions(options)
  // `-progress` writes a line whenever something moved; that is what the watchdog listens to.
  // `-y`: for an output with a protocol before it fluent-ffmpeg leaves it out, and ffmpeg asks whether it may overwrite.
  command.outputOptions([
    '-y',
    ...(readsPipe ? [] : ['-nostdin']),
    '-hide_banner',
    '-nostats',
    '-loglevel',
    'warning',
    '-progress',
    'pipe:2',
    ...run.options,
  ])
  // A stream is left open and ended below: fluent-ffmpeg takes a closed output for a failure when the exit is a little late.
  if (typeof run.output === 'string') command.output(`file:${run.output}`)
  else command.output(run.output, { end: false })

  let child: ChildProcess | undefined
  let pidFile: string | undefined
  let stopped: unknown
  const stop = (why: unknown) => {
    stopped ??= why
    if (child?.pid !== undefined) killGroup(child.pid)
    // A pipe that holds what nobody reads any more would never close.
    child?.stdout?.destroy()
  }
  const watchdog = watch(run, stop)
  const onAbort = () => stop(run.signal?.reason)
  run.signal?.addEventListener('abort', onAbort, { once: true })
  const tail: string[] = []
  try {
    await new Promise<void>((done, fail) => {
      let exited = Promise.resolve()
      command.on('start', () => {
        child = command.ffmpegProc
        if (child === undefined) return
        const started = child
        if (run.pidFolder !== undefined && started.pid !== undefined) {
          pidFile = join(run.pidFolder, `${pidFilePrefix}${started.pid}`)
          writeFileSync(pidFile, startOf(started.pid))
        }
        exited = new Promise((gone) => started.once('close', () => gone()))
        if (stopped !== undefined) stop(stopped)
      })
      command.on('stderr', (line: string) => {
        const moved = progress(line)
        if (moved === undefined) tail.push(line)
        else watchdog.moved(moved)
        if (tail.length > 20) tail.shift()
      })
      command.on('error', (error: Error) => {
        if (child?.pid !== undefined) killGroup(child.pid)
        void exited.then(() => fail(error))
      })
      command.on('end', () => void exited.then(() => done()))
      command.run()
    })
    if (typeof run.output !== 'string') {
      run.output.end()
      await finished(run.output)
    }
  } catch (error) {
    if (stopped instanceof FfmpegFailed)
      throw new FfmpegFailed(stopped.message, stopped.reason, scrub(tail), { cause: error })
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- a signal's reason is whatever its owner chose
    if (stopped !== undefined) throw stopped
    const stream = (error as StreamFailure).inputStreamError ?? (error as StreamFailure).outputStreamError
    if (stream !== undefined) throw stream
    throw new FfmpegFailed(exitMessage(error as Error), 'exit', scrub(tail))
  } finally {
    watchdog.end()
    if (pidFile !== undefined) rmSync(pidFile, { force: true })
    if (typeof run.output !== 'string') run.output.destroy()
    for (const { source } of run.inputs) if (typeof source !== 'string') source.destroy()
    run.signal?.removeEventListener('abort', onAbort)
  }
}

/**
 * What opens the file as the container it is, forbids every other one and every protocol but that of files.
 * @throws FfmpegFailed when it is in none that is read, or cannot be read
 */
async function fileOptions(file: string): Promise<string[]> {
  let container
  try {
    container = await containerOf(file)
  } catch (error) {
    throw new FfmpegFailed(
      `${basename(file)} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'no code'})`,
      'input',
      '',
      { cause: error },
    )
  }
  if (container === undefined)
    throw new FfmpegFailed(`${basename(file)} is in no format that is read (${containerNames})`, 'input', '')
  const alone = container === 'mov' ? ['-enable_drefs', '0', '-use_absolute_path', '0'] : []
  return ['-protocol_whitelist', 'file', '-format_whitelist', container, '-f', container, ...alone]
}

/** What fluent-ffmpeg keeps to itself and we replace; 2.1.3, archived upstream. */
interface Internals {
  ffmpegProc?: ChildProcess
  _getFfmpegPath: (done: (error: null, path: string) => void) => void
  _checkCapabilities: (done: () => void) => void
  _spawnFfmpeg: (
    args: string[],
    options: object,
    onStart: unknown,
    onEnd: (error: unknown, stdout?: Lines, stderr?: Lines) => void,
  ) => void
}

interface Lines {
  get(): string
}

const noLines: Lines = { get: () => '' }

interface StreamFailure {
  inputStreamError?: Error
  outputStreamError?: Error
}

/** The value of a line of `-progress` that changes while work is done; undefined for any other line. */
function progress(line: string): string | undefined {
  const found = /^(frame|out_time_ms|out_time_us|total_size)=\s*(\S+)$/.exec(line)
  if (found !== null) return `${found[1]} ${found[2]}`
  return /^(fps|bitrate|out_time|dup_frames|drop_frames|speed|progress|stream_\w+)=/.test(line) ? '' : undefined
}

/** Calls `stop` once nothing moved for `stallMs`, or after `timeoutMs`. */
function watch(run: FfmpegRun, stop: (why: FfmpegFailed) => void): { moved: (value: string) => void; end: () => void } {
  const stallMs = run.stallMs ?? 10_000
  const timeoutMs = run.timeoutMs ?? 600_000
  const seen = new Map<string, string>()
  let stall: NodeJS.Timeout | undefined
  const restart = () => {
    clearTimeout(stall)
    stall = setTimeout(
      () => stop(new FfmpegFailed(`ffmpeg made no progress for ${stallMs / 1000} s`, 'stalled', '')),
      stallMs,
    )
  }
  const limit = setTimeout(
    () => stop(new FfmpegFailed(`ffmpeg took longer than ${timeoutMs / 1000} s`, 'timeout', '')),
    timeoutMs,
  )
  restart()
  return {
    moved: (value) => {
      const [key = '', now = ''] = value.split(' ')
      if (value === '' || seen.get(key) === now) return
      seen.set(key, now)
      restart()
    },
    end: () => {
      clearTimeout(stall)
      clearTimeout(limit)
    },
  }
}

const pidFilePrefix = 'ffmpeg-'

/** Ends what runs that died without a word left behind in their `pidFolder`: a process of theirs that stood still and so did not notice. */
export async function killLeftOver(pidFolder: string): Promise<void> {
  for (const name of await readdir(pidFolder).catch(() => [])) {
    const pid = Number(name.slice(pidFilePrefix.length))
    if (!name.startsWith(pidFilePrefix) || !Number.isInteger(pid) || pid < 2) continue
    const started = await readFile(join(pidFolder, name), 'utf8').catch(() => '')
    // Numbers are given anew; only one that began at the same moment is ours.
    if (started !== '' && started === startOf(pid)) killGroup(pid)
  }
}

/** When a process began, in the system's own words; '' where that cannot be known (no Linux, no such process). */
function startOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, osConstants.signals.SIGKILL)
  } catch {
    // It has ended meanwhile.
  }
}

function exitMessage(error: Error): string {
  return (
    /exited with code \d+|killed with signal \w+/.exec(error.message)?.[0].replace(/^/, 'ffmpeg ') ??
    `ffmpeg could not be run (${(error as NodeJS.ErrnoException).code ?? 'no code'})`
  )
}

/** The last lines without the folders of this host. */
function scrub(lines: string[]): string {
  return lines
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(-8)
    .join(' | ')
    .replace(/(?:[A-Za-z]:)?(?:[\\/][^\\/\s'":|]+)+[\\/]([^\\/\s'":|]+)/g, '…/$1')
    .slice(-1_500)
}
