/** Ends a run that stands still or takes too long. */
import type { FfmpegRun } from './command.ts'
import { FfmpegFailed } from './failure.ts'

/** Calls `stop` once nothing moved for `stallMs`, or after `timeoutMs`. */
export function watch(
  run: FfmpegRun,
  stop: (why: FfmpegFailed) => void,
): { moved: (value: string) => void; end: () => void } {
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

/** The value of a line of `-progress` that changes while work is done; undefined for any other line. */
export function progress(line: string): string | undefined {
  const found = /^(frame|out_time_ms|out_time_us|total_size)=\s*(\S+)$/.exec(line)
  if (found !== null) return `${found[1]} ${found[2]}`
  return /^(fps|bitrate|out_time|dup_frames|drop_frames|speed|progress|stream_\w+)=/.test(line) ? '' : undefined
}
