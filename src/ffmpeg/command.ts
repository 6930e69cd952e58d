/** The only file that knows fluent-ffmpeg: a run as a command of it. */
import type { ChildProcess } from 'node:child_process'
import { basename } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import ffmpegCommand from 'fluent-ffmpeg'
import { childEnvironment } from '../child-environment.ts'
import { containerNames, containerOf } from './container.ts'
import { FfmpegFailed } from './failure.ts'
import type { Ffmpeg } from './find.ts'

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
 * The command of a run, not started yet.
 * @throws FfmpegFailed when an input is none that is read
 */
export async function commandFor(ffmpeg: Ffmpeg, run: FfmpegRun): Promise<ffmpegCommand.FfmpegCommand & Internals> {
  const inputs: { source: string | Readable; options: string[] }[] = []
  for (const { source, options = [] } of run.inputs) {
    if (typeof source === 'string')
      inputs.push({ source: `file:${source}`, options: [...(await fileOptions(source)), ...options] })
    else inputs.push({ source, options: ['-protocol_whitelist', 'pipe', ...options] })
  }
  const command = emptyCommand(ffmpeg)
  const readsPipe = run.inputs.some(({ source }) => typeof source !== 'string')
  for (const { source, options } of inputs) command.input(source).inputOptions(options)
  // `-progress` writes a line whenever something moved; that is what the watchdog listens to.
  // `-y`: for an output with a protocol before it fluent-ffmpeg leaves it
  // out, and ffmpeg asks whether it may overwrite.
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
  // A stream is left open and ended below: fluent-ffmpeg takes a closed output
  // for a failure when the exit is a little late.
  if (typeof run.output === 'string') command.output(`file:${run.output}`)
  else command.output(run.output, { end: false })
  return command
}

function emptyCommand(ffmpeg: Ffmpeg): ffmpegCommand.FfmpegCommand & Internals {
  const command = ffmpegCommand({ stdoutLines: 40 }) as ffmpegCommand.FfmpegCommand & Internals
  // Neither the search for a binary nor the look-ups of codecs of
  // fluent-ffmpeg: one costs nothing, the other two more runs.
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
  return command
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
