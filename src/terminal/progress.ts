/**
 * Progress of a long run on stderr: bars on a terminal, plain lines elsewhere, every few seconds at
 * first and then less often, nothing when quiet.
 */
import { MultiBar, Presets, type SingleBar } from 'cli-progress'

/** How far a run is. */
export interface Progress {
  total: number
  /** finished files, uploaded or not */
  rendered: number
  /** in the cache */
  available: number
  failed: number
  rendering: number
  uploading: number
  /** what holds the run up most */
  bound: 'rendering' | 'the channels' | 'Telegram'
}

/** Shows progress until it is closed. */
export interface ProgressView {
  show(progress: Progress): void
  /** a remark that stays on the screen */
  note(text: string): void
  close(): void
}

const firstLineMs = 3_000
const lineEveryMs = 30_000

/** When the next line is due: soon at the beginning, and the longer it takes the less often. */
function plainLines(): () => boolean {
  const started = Date.now()
  let next = started + firstLineMs
  return () => {
    const now = Date.now()
    if (now < next) return false
    next = now + Math.min(lineEveryMs, Math.max(firstLineMs, (now - started) / 2))
    return true
  }
}

/**
 * Opens the view that fits stderr. Of the names `cached` were there before, so they tell nothing about the time left;
 * nor can it be less than `postsPerMinute` allow.
 */
export function openProgress({
  quiet,
  cached,
  alreadyDone,
  postsPerMinute,
}: {
  quiet: boolean
  cached: number
  alreadyDone: number
  postsPerMinute: number
}): ProgressView {
  if (quiet) return { show: () => undefined, note: () => undefined, close: () => undefined }
  const started = Date.now()
  const left = (progress: Progress) =>
    timeLeft(progress, { alreadyDone, postsPerMinute, elapsedMs: Date.now() - started })
  return process.stderr.isTTY ? bars(left, cached) : lines(left, cached)
}

function timeLeft(
  { total, available, failed }: Progress,
  { alreadyDone, postsPerMinute, elapsedMs }: { alreadyDone: number; postsPerMinute: number; elapsedMs: number },
): string {
  const done = available + failed - alreadyDone
  const open = total - available - failed
  if (open <= 0) return ''
  const least = (open / postsPerMinute) * 60
  if (done < 1) return least < 60 ? 'time left unknown yet' : `at least ${durationText(least)} left`
  return (
    `${(done / (elapsedMs / 60_000)).toFixed(1)} a minute, ` +
    `${durationText(Math.max(least, (elapsedMs / 1_000 / done) * open))} left`
  )
}

const boundText = {
  rendering: '',
  'the channels': 'as fast as the channels take posts',
  Telegram: 'as fast as Telegram takes posts',
}

/** A duration in the unit people would use. */
export function durationText(seconds: number): string {
  return seconds < 90
    ? `${Math.round(seconds)} s`
    : seconds < 5_400
      ? `${Math.round(seconds / 60)} min`
      : `${(seconds / 3_600).toFixed(1)} h`
}

/** What workers tell of themselves is some seconds old: no more can be under way than is missing. */
function underWay({ total, rendered, available, failed, rendering, uploading }: Progress): {
  atWork: number
  onTheWay: number
} {
  return {
    atWork: Math.min(rendering, total - rendered - failed),
    onTheWay: Math.min(uploading, total - available - failed),
  }
}

function bars(left: (progress: Progress) => string, cached: number): ProgressView {
  const multi = new MultiBar(
    {
      stream: process.stderr,
      format: '{label} {bar} {value}/{total}  {remark}',
      barsize: 32,
      hideCursor: true,
      clearOnComplete: false,
      forceRedraw: true,
      fps: 10,
    },
    Presets.shades_classic,
  )
  const made: Record<string, SingleBar> = {}
  const bar = (label: string, total: number) =>
    (made[label] ??= multi.create(total, 0, { label: label.padEnd(9), remark: '' }))
  return {
    show(progress) {
      const { total, rendered, available, failed, bound } = progress
      const { atWork, onTheWay } = underWay(progress)
      if (cached > 0) bar('cached', total).update(cached, { remark: 'from before' })
      bar('rendered', total).update(rendered, { remark: atWork > 0 ? `${atWork} at work` : '' })
      bar('uploaded', total).update(available, {
        remark: [onTheWay > 0 ? `${onTheWay} on the way` : '', boundText[bound], left(progress)]
          .filter((part) => part !== '')
          .join(' · '),
      })
      if (failed > 0) bar('failed', total).update(failed, { remark: '' })
    },
    note: (text) => multi.log(`${text}\n`),
    close: () => multi.stop(),
  }
}

function lines(left: (progress: Progress) => string, cached: number): ProgressView {
  const isDue = plainLines()
  const write = (text: string) => process.stderr.write(`${text}\n`)
  return {
    show(progress) {
      if (!isDue()) return
      const { total, rendered, available, failed, bound } = progress
      const { atWork, onTheWay } = underWay(progress)
      write(
        [
          `${available} of ${total} uploaded`,
          cached > 0 ? `${cached} of them before` : '',
          `${rendered} rendered`,
          failed > 0 ? `${failed} failed` : '',
          atWork > 0 ? `${atWork} being rendered` : '',
          onTheWay > 0 ? `${onTheWay} being uploaded` : '',
          available + failed < total && atWork + onTheWay === 0 ? 'nothing at work right now' : '',
          boundText[bound],
          left(progress),
        ]
          .filter((part) => part !== '')
          .join(', '),
      )
    },
    note: write,
    close: () => undefined,
  }
}

/** A count that grows, shown on stderr until it is closed. */
export interface CountView {
  show(done: number, remark?: string): void
  /** May be called again. */
  close(): void
}

/** One bar on a terminal, a line every few seconds elsewhere. `total` is left out where nobody knows it. */
export function openCount({ quiet, label, total }: { quiet: boolean; label: string; total?: number }): CountView {
  if (quiet) return { show: () => undefined, close: () => undefined }
  if (process.stderr.isTTY) {
    const format = total === undefined ? '{label} {value}  {remark}' : '{label} {bar} {value}/{total}  {remark}'
    const multi = new MultiBar(
      { stream: process.stderr, format, barsize: 32, hideCursor: true, clearOnComplete: false, fps: 10 },
      Presets.shades_classic,
    )
    const bar = multi.create(total ?? 0, 0, { label, remark: '' })
    let closed = false
    return {
      show: (done, remark = '') => bar.update(done, { remark }),
      close() {
        // A second stop would go up a line, into the result.
        if (!closed) multi.stop()
        closed = true
      },
    }
  }
  const isDue = plainLines()
  return {
    show(done, remark = '') {
      if (!isDue()) return
      process.stderr.write(
        `${label} ${done}${total === undefined ? '' : ` of ${total}`}${remark === '' ? '' : `, ${remark}`}\n`,
      )
    },
    close: () => undefined,
  }
}
