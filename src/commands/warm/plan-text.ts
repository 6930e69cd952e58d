/** What `warm --dry-run` says of a plan. */
import { describeRejection } from '../../names/explanations.ts'
import type { NameRejection } from '../../names/name.ts'
import { listedText } from '../../terminal/name-arguments.ts'
import { durationText } from '../../terminal/progress.ts'
import { listLines, sizeText, type Summary } from './summary.ts'

/** What `--dry-run --json` adds to the summary. */
export interface Foretold {
  /** names that are to be made */
  misses: number
  /** of them, names whose video would be another one today and is made again (`--refresh`) */
  outdated: number
  /** of them, names whose video another bot alone can send */
  otherBot: number
  /** videos that are queued already for somebody else and come first */
  ahead: number
  /** selected names that have a recording */
  recordings: number
  /** how many of the most frequent names make up a share of all children; null for a list without counts */
  curve: { share: number; names: number }[] | null
  /** of all workers together; null until a video of these templates was made */
  renderSeconds: number | null
  /** making what all videos of a template share, where that is not there yet; null: unknown */
  prepareSeconds: number | null
  uploadSeconds: number
  /** the whole run; null while one of its parts is unknown */
  estimatedSeconds: number | null
  /** what the new files take in the home, and what is free there */
  diskBytes: number
  diskFreeBytes: number | null
}

/** What bounds the speed of a run, and which share of all children its names are. */
export interface Bounds {
  channels: number
  perMinute: number | undefined
  /** videos that are made at a time */
  places: number
  share: number | null
}

/** The plan for people. */
export function planText(summary: Summary, foretold: Foretold, { channels, perMinute, places, share }: Bounds): string {
  const {
    misses,
    outdated,
    otherBot,
    ahead,
    recordings,
    curve,
    renderSeconds,
    prepareSeconds,
    uploadSeconds,
    estimatedSeconds,
    diskBytes,
    diskFreeBytes,
  } = foretold
  const reasons = Object.entries(summary.rejectedBy).sort(([, a], [, b]) => b - a)
  const lines = [
    ...summary.lists.map((list) => `column         ${listedText(list)}`),
    ...listLines(summary),
    ...reasons.map(
      ([reason, count]) => `  ${String(count).padStart(6)} rejected: ${describeRejection(reason as NameRejection)}`,
    ),
    curve === null
      ? ''
      : 'children       ' +
        `${curve.map(({ share, names }) => `${share * 100} % with ${names} ${names === 1 ? 'name' : 'names'}`).join(', ')}`,
    share === null || curve === null
      ? ''
      : `               these ${summary.names} names are those of ${(share * 100).toFixed(1)} %`,
    `would make     ${misses} of ${summary.names}${[
      summary.joined > 0 ? `${summary.joined} are queued already` : '',
      outdated > 0 ? `${outdated} have a video that would be another one today` : '',
      otherBot > 0 ? `${otherBot} have a video of another bot` : '',
    ]
      .filter((part) => part !== '')
      .map((part) => `, of which ${part}`)
      .join('')}`,
    `in the cache   ${summary.cached}` +
      (summary.failedBefore > 0 ? `, and ${summary.failedBefore} failed before (--retry-failed tries them again)` : ''),
    recordings === 0 ? '' : `recordings     ${recordings} of these names have one`,
  ]
  if (misses > 0) {
    lines.push(
      ahead === 0
        ? ''
        : `ahead          ${ahead} queued ${ahead === 1 ? 'video' : 'videos'} of others, counted in below`,
      prepareSeconds === 0
        ? ''
        : 'preparing      ' +
            (prepareSeconds === null
              ? 'unknown: what all videos of a template share is made first, and here that was never done'
              : `${durationText(prepareSeconds)}, once: what all videos of a template share`),
      'rendering      ' +
        (renderSeconds !== null
          ? `${durationText(renderSeconds)}, ` +
            `${(renderSeconds / (misses + ahead)).toFixed(1)} s a name, ${places} at a time`
          : places === 0
            ? 'unknown: no worker is alive'
            : 'unknown until a first video of each template is made'),
      'uploading      ' +
        (perMinute === undefined
          ? 'as fast as the sandbox takes it'
          : `${durationText(uploadSeconds)} at ${perMinute} a minute through ${channels} ` +
            `${channels === 1 ? 'channel' : 'channels'}`),
      `disk           ${sizeText(diskBytes)}${diskFreeBytes === null ? '' : `, ${sizeText(diskFreeBytes)} free`}`,
      'in all         ' +
        (estimatedSeconds !== null
          ? `about ${durationText(estimatedSeconds)}`
          : uploadSeconds > 0
            ? `unknown, not less than ${durationText(uploadSeconds)}`
            : 'unknown'),
    )
  }
  return `${lines.filter((line) => line !== '').join('\n')}\n`
}
