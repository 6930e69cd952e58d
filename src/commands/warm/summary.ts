/** The result of a warm run: what `--json` prints, and what people read. */
import { performance } from 'node:perf_hooks'
import type { ListedColumn, NameList, Unreadable } from '../../names/lists.ts'
import type { Selection } from '../../names/selection.ts'
import { describeRejection } from '../../names/explanations.ts'
import type { NameRejection } from '../../names/name.ts'

/** The contract of `warm --json`. */
export interface Summary {
  rows: number
  blank: number
  rejected: number
  duplicates: number
  names: number
  cached: number
  joined: number
  enqueued: number
  failedBefore: number
  available: number
  failed: number
  pending: number
  /** how many rows were rejected for each reason */
  rejectedBy: Partial<Record<NameRejection, number>>
  rejects: { line: number; code: NameRejection; reason: string }[]
  /** what was taken for the names of each input */
  lists: ListedColumn[]
  /** names whose count, or whose `say`, was left out because it cannot be read */
  unreadable: { count: Unreadable; say: Unreadable }
  /**
   * videos this run waited for and that are there now, how many a minute that was, and their size in
   * bytes; null: nothing was made, or nobody waited
   */
  made: number
  perMinute: number | null
  bytes: number | null
  /** the first ten of those that failed */
  failedNames: FailedName[]
  seconds: number
}

/** A name whose video could not be made, and why. */
export interface FailedName {
  name: string
  template: string
  reason: string
}

export const failedNamesShown = 10

/** Seconds since a performance.now(), to the hundredth. */
export const secondsSince = (started: number) => Number(((performance.now() - started) / 1_000).toFixed(2))

/** Before anything was asked: what the list holds. */
export function emptySummary(list: NameList, selection: Selection): Summary {
  const { rows, blank, rejected, duplicates } = list
  const rejects = list.rejects.map(({ line, reason }) => ({ line, code: reason, reason: describeRejection(reason) }))
  return {
    rows,
    blank,
    rejected,
    duplicates,
    names: selection.size,
    cached: 0,
    joined: 0,
    enqueued: 0,
    failedBefore: 0,
    available: 0,
    failed: 0,
    pending: 0,
    rejectedBy: { ...list.rejectedBy },
    rejects,
    lists: list.lists,
    unreadable: list.unreadable,
    made: 0,
    perMinute: null,
    bytes: null,
    failedNames: [],
    seconds: 0,
  }
}

/** What the list holds, for people. */
export function listLines({ rows, blank, rejected, duplicates, names, rejects, unreadable }: Summary): string[] {
  return [
    `list           ${rows} rows: ${names} names` +
      (duplicates > 0 ? `, ${duplicates} repeated` : '') +
      `${blank > 0 ? `, ${blank} blank` : ''}${rejected > 0 ? `, ${rejected} rejected` : ''}`,
    ...rejects.slice(0, 5).map(({ line, code, reason }) => `  line ${line}: ${reason} (${code})`),
    rejects.length > 5 ? `  … ${rejected - 5} more (--rejects FILE writes them all)` : '',
    unreadableText('count', unreadable.count),
    unreadableText('say', unreadable.say),
  ].filter((line) => line !== '')
}

function unreadableText(column: string, { rows, firstLine }: Unreadable): string {
  return rows === 0
    ? ''
    : `  ${rows} ${rows === 1 ? 'row has' : 'rows have'} a “${column}” that cannot be read and was left ` +
        `out, the first in line ${firstLine}`
}

/** Prints the result: one JSON object, or lines for people. */
export function printSummary(
  summary: Summary,
  options: { json: boolean; wait: boolean },
  { timedOut, stopped }: { timedOut: boolean; stopped: boolean },
): void {
  if (options.json) {
    process.stdout.write(`${JSON.stringify(summary)}\n`)
    return
  }
  const {
    names,
    cached,
    joined,
    enqueued,
    failedBefore,
    available,
    failed,
    pending,
    made,
    perMinute,
    bytes,
    failedNames,
    seconds,
  } = summary
  const all = available === names
  const lines = [
    ...listLines(summary),
    `before         ${cached} cached` +
      (joined > 0 ? `, ${joined} already queued` : '') +
      (failedBefore > 0 ? `, ${failedBefore} failed before` : '') +
      `; ${enqueued} new`,
    all
      ? 'now            ' +
        (cached === names ? `all ${names} were in the cache` : `all ${names} are in the cache`) +
        `, ${seconds} s`
      : `now            ${available} in the cache` +
        `${failed > 0 ? `, ${failed} failed` : ''}${pending > 0 ? `, ${pending} queued` : ''}, ${seconds} s`,
    perMinute === null
      ? ''
      : `made           ${made} ${made === 1 ? 'name' : 'names'}, ` +
        `${perMinute < 10 ? perMinute : Math.round(perMinute)} a minute` +
        `${bytes === null ? '' : `, ${sizeText(bytes)}`}`,
    ...failedNames.map(
      ({ name, reason }, at) => `${at === 0 ? 'failed         ' : '               '}${name}: ${reason}`,
    ),
    failed > failedNames.length && failedNames.length > 0
      ? `               … ${failed - failedNames.length} more: greetings names --failed`
      : '',
    failed > 0 ? '`warm --retry-failed` tries failed names again.' : '',
    pending > 0 && timedOut ? 'The time was up. The rest stays queued; run the same command again to go on.' : '',
    pending > 0 && stopped ? 'Stopped. The rest stays queued; run the same command again to go on.' : '',
    pending > 0 && !options.wait ? 'A running worker makes them: greetings worker, or up.' : '',
  ]
  process.stdout.write(`${lines.filter((line) => line !== '').join('\n')}\n`)
}

/** A size in the unit people would use. */
export const sizeText = (bytes: number) =>
  bytes < 1e9 ? `${Math.ceil(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`
