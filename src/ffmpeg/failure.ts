/** How a run of ffmpeg fails. */

/** ffmpeg ended with an error, was killed, stood still or took too long. The message ends with its last lines. */
export class FfmpegFailed extends Error {
  override name = 'FfmpegFailed'
  constructor(
    message: string,
    /**
     * `stalled`: no progress; `timeout`: took too long; `exit`: ended with an error; `input`:
     * was not started, for a file is none that is read
     */
    readonly reason: 'stalled' | 'timeout' | 'exit' | 'input',
    /** its last lines on stderr */
    readonly tail: string,
    options?: ErrorOptions,
  ) {
    super(tail === '' ? message : `${message}: ${tail}`, options)
  }
}

/** What becomes of a run: `stopped` is why we ended it, if we did; `tail` are its last lines. */
export function failureOf(error: unknown, stopped: unknown, tail: string[]): unknown {
  if (stopped instanceof FfmpegFailed)
    return new FfmpegFailed(stopped.message, stopped.reason, scrub(tail), { cause: error })
  if (stopped !== undefined) return stopped
  const stream = (error as StreamFailure).inputStreamError ?? (error as StreamFailure).outputStreamError
  if (stream !== undefined) return stream
  return new FfmpegFailed(exitMessage(error as Error), 'exit', scrub(tail))
}

/** As fluent-ffmpeg tells that a stream failed and not ffmpeg. */
interface StreamFailure {
  inputStreamError?: Error
  outputStreamError?: Error
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
