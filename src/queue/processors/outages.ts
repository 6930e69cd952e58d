/**
 * What a worker knows of the steps that are out of order: they rest, everybody is told, and work shows when
 * they are over. A pause keeps this worker from beginning any job, whichever step it would end at; the set
 * of steps makes success cost no query while all is well; the `Outage` table tells operators and other
 * workers, who go on until they meet it themselves.
 */
import type { Times } from '../../config.ts'
import { isDatabaseDown, isDatabaseTrouble, type Db } from '../../db/database.ts'
import { isSeenHere, Outage, placeOf } from '../../errors.ts'
import { emit } from '../../events.ts'
import { clearOutage, currentOutages, noteOutage } from '../../greetings/outages.ts'
import { createPauses } from './pauses.ts'

export interface Outages {
  /** Resolves when no step rests: nobody begins work that would end at one. */
  whenOver(signal: AbortSignal): Promise<void>
  /** The step rests, for everybody to see. Returns for how long, milliseconds. */
  begin(outage: Outage): Promise<number>
  /**
   * What stopped a job or a delivery from outside: the step it needs rests, and the reconciler takes up what is left.
   * Returns after how long another try makes sense, milliseconds.
   */
  interrupted(assetId: string, error: unknown): Promise<number>
  /** These steps were seen to work: an outage of theirs is over. Costs no query where none was out of order. */
  works(steps: readonly string[]): Promise<void>
  /** the steps this worker takes to be out of order */
  readonly outOfOrder: ReadonlySet<string>
  /** Also what other workers met: whoever sees that a step works says so. */
  learn(): Promise<void>
  /** Rejects when the token is worth nothing any more: only another start, with another one, mends that. */
  tokenRefused: Promise<never>
}

interface OutagesDeps {
  db: Db
  times: Times
  log: Record<'info' | 'warn', (fields: object, message: string) => void>
}

/** No step is out of order at first. */
export function createOutages({ db, times, log }: OutagesDeps): Outages {
  const pauses = createPauses()
  const outOfOrder = new Set<string>()
  let refuse: (outage: Outage) => void = () => undefined
  const tokenRefused = new Promise<never>((_, reject) => (refuse = reject))
  tokenRefused.catch(() => undefined)

  async function begin(outage: Outage): Promise<number> {
    const pauseMs = outage.retryAfterMs ?? times.outageMs
    log.warn(
      { trouble: `step ${outage.step}`, step: outage.step, reason: outage.message, pauseMs },
      'a step is out of order; work waits',
    )
    // A template that only this worker lacks stops nothing else.
    if (outage.step !== 'template') pauses.pause(outage.step, pauseMs)
    outOfOrder.add(outage.step)
    emit({ what: 'outage', step: outage.step })
    if (outage.step === 'token') refuse(outage)
    await noteOutage(db, outage, pauseMs)
    return pauseMs
  }

  return {
    outOfOrder,
    tokenRefused,
    whenOver: pauses.whenClear,
    begin,
    async interrupted(assetId, error) {
      if (error instanceof Outage) return begin(error)
      const soonMs = times.outageMs / 3
      if (isDatabaseDown(error)) {
        pauses.pause('database', soonMs)
        log.warn({ trouble: 'database', assetId }, 'the database is away; the work goes on when it is back')
      } else if (isDatabaseTrouble(error)) {
        // One locked row is no reason for the others to wait.
        log.warn(
          { assetId, error: placeOf(error) },
          'the database could not do this in time, such as at a locked row; it is tried again',
        )
      } else {
        log.warn({ assetId, error: placeOf(error) }, 'a job or a delivery ended with an unexpected error')
      }
      return soonMs
    },
    async works(steps) {
      const over = steps.filter((step) => outOfOrder.delete(step))
      if (over.length === 0) return
      for (const step of over) pauses.clear(step)
      await clearOutage(db, over)
      for (const step of over) log.info({ over: `step ${step}`, step }, 'a step works again')
    },
    async learn() {
      for (const outage of await currentOutages(db)) if (isSeenHere(outage)) outOfOrder.add(outage.step)
    },
  }
}
