/** Progress of a long run on stderr: bars on a terminal, a plain line every few seconds elsewhere, nothing when quiet. */
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
}

/** Shows progress until it is closed. */
export interface ProgressView {
  show(progress: Progress): void
  /** a remark that stays on the screen */
  note(text: string): void
  close(): void
}

const lineEveryMs = 5_000

/** Opens the view that fits stderr. `alreadyDone` is left out of the estimate of the time left. */
export function openProgress({ quiet, alreadyDone }: { quiet: boolean; alreadyDone: number }): ProgressView {
  if (quiet) return { show: () => undefined, note: () => undefined, close: () => undefined }
  const started = Date.now()
  const left = (progress: Progress) => timeLeft(progress, alreadyDone, Date.now() - started)
  return process.stderr.isTTY ? bars(left) : lines(left)
}

function timeLeft({ total, available, failed }: Progress, alreadyDone: number, elapsedMs: number): string {
  const done = available + failed - alreadyDone
  const open = total - available - failed
  if (open <= 0) return ''
  if (done < 1) return 'time left unknown yet'
  return `${durationText((elapsedMs / 1_000 / done) * open)} left`
}

/** A duration in the unit people would use. */
export function durationText(seconds: number): string {
  return seconds < 90 ? `${Math.round(seconds)} s` : seconds < 5_400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3_600).toFixed(1)} h`
}

function bars(left: (progress: Progress) => string): ProgressView {
  const multi = new MultiBar(
    { stream: process.stderr, format: '{label} {bar} {value}/{total}  {remark}', barsize: 32, hideCursor: true, clearOnComplete: false, forceRedraw: true, fps: 10 },
    Presets.shades_classic,
  )
  const made: Record<string, SingleBar> = {}
  const bar = (label: string, total: number) => (made[label] ??= multi.create(total, 0, { label: label.padEnd(9), remark: '' }))
  return {
    show(progress) {
      const { total, rendered, available, failed, rendering, uploading } = progress
      bar('rendered', total).update(rendered, { remark: rendering > 0 ? `${rendering} at work` : '' })
      bar('uploaded', total).update(available, { remark: [uploading > 0 ? `${uploading} on the way` : '', failed > 0 ? `${failed} failed` : '', left(progress)].filter((part) => part !== '').join(' · ') })
    },
    note: (text) => multi.log(`${text}\n`),
    close: () => multi.stop(),
  }
}

function lines(left: (progress: Progress) => string): ProgressView {
  let last = 0
  const write = (text: string) => process.stderr.write(`${text}\n`)
  return {
    show(progress) {
      if (Date.now() - last < lineEveryMs) return
      last = Date.now()
      const { total, rendered, available, failed } = progress
      write([`${available} of ${total} uploaded`, `${rendered} rendered`, failed > 0 ? `${failed} failed` : '', left(progress)].filter((part) => part !== '').join(', '))
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
    const multi = new MultiBar({ stream: process.stderr, format, barsize: 32, hideCursor: true, clearOnComplete: false, fps: 10 }, Presets.shades_classic)
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
  let last = Date.now()
  return {
    show(done, remark = '') {
      if (Date.now() - last < lineEveryMs) return
      last = Date.now()
      process.stderr.write(`${label} ${done}${total === undefined ? '' : ` of ${total}`}${remark === '' ? '' : `, ${remark}`}\n`)
    },
    close: () => undefined,
  }
}
