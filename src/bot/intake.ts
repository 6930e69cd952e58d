/**
 * What becomes of an update: it is handled, or it is written down as it came and tried again from there, and either way it
 * may be confirmed. So one that meets a locked row keeps nobody else from being answered. Only a database that does not
 * even take the note makes the updates wait.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Update } from 'grammy/types'
import type { Times } from '../config.ts'
import { isDatabaseTrouble, type Db } from '../db/database.ts'
import { placeOf } from '../errors.ts'
import type { Attempt } from '../greetings/gate.ts'
import {
  chatsHeld,
  countHeld,
  dropHeld,
  holdUpdate,
  postponeHeld,
  takeHeld,
  type HeldUpdate,
} from '../greetings/held-updates.ts'
import { chatOf, type PerChat } from './per-chat.ts'

/** How a try of an update ended. */
export type Outcome = 'handled' | 'busy'

/** What the intake needs. */
export interface IntakeParts {
  db: Db
  botId: bigint
  /** Handles an update. `busy`: the database was in the way, and another try may help. */
  handle(update: Update, attempt: Attempt): Promise<Outcome>
  /** Waits a moment for the texts that answer the update, which are stored nowhere. */
  answered(update: Update): Promise<void>
  /** The update was never handled: tells whoever sent it. */
  sendFailureNotice(update: Update): void
  /** updates in hand, in order per chat */
  handling: PerChat
  times: Times
  log: {
    info(fields: object, message: string): void
    warn(fields: object, message: string): void
    error(fields: object, message: string): void
  }
}

/** What is known of the chats while updates that were fetched together are taken in. */
export interface Round {
  /** chats of which an update is held: what comes after it is held too */
  held: Set<number>
  /** chats of which an update has to be taken again */
  waiting: Set<number>
}

export interface Intake {
  /**
   * Handles an update of which nobody waits for the end: one that is answered in this moment or not at all. It is never
   * stored and holds nothing up. False: this is another kind.
   */
  pass(update: Update): boolean
  /** Looks up what must be known before updates are taken. */
  openRound(updates: readonly Update[]): Promise<Round>
  /** False: the database took it neither way, so it must not be confirmed. Without a round the update came alone. */
  take(update: Update, round?: Round): Promise<boolean>
  /** Tries what is held, until the signal. */
  keepTrying(stop: AbortSignal): Promise<void>
  /** Resolves when nothing is in hand. */
  idle(): Promise<void>
}

/** What somebody types in another chat, and what they choose there: it holds names, and in a moment it means nothing. */
const isPassing = ({ inline_query, chosen_inline_result, guest_message }: Update) =>
  inline_query !== undefined || chosen_inline_result !== undefined || guest_message !== undefined

/** Held updates that are tried at a time. */
const together = 50

/** Takes updates in; those that are held are tried once `keepTrying` is called. */
export function openIntake(parts: IntakeParts): Intake {
  return new UpdateIntake(parts)
}

class UpdateIntake implements Intake {
  /** tries that went on after their update was held, or are nobody’s concern */
  private readonly late = new Set<Promise<void>>()

  constructor(private readonly parts: IntakeParts) {}

  pass(update: Update): boolean {
    if (!isPassing(update)) return false
    const ended: Promise<void> = this.parts
      .handle(update, { giveUp: new AbortController().signal, isRetry: false })
      .then(() => void this.late.delete(ended))
    this.late.add(ended)
    return true
  }

  async openRound(updates: readonly Update[]): Promise<Round> {
    const { db, botId, times } = this.parts
    const chats = [...new Set(updates.map(chatOf))]
    // Without an answer nothing can be held either, and what needs no database is answered meanwhile.
    const held = await within(times.handleMs, chatsHeld(db, botId, chats.map(BigInt))).catch(() => undefined)
    return { held: new Set(held?.map(Number)), waiting: new Set() }
  }

  async take(update: Update, round?: Round): Promise<boolean> {
    if (this.pass(update)) return true
    const { handling, answered, times } = this.parts
    const chat = chatOf(update)
    return handling.add(chat, async () => {
      const { held, waiting } = round ?? (await this.openRound([update]))
      if (waiting.has(chat)) return false
      const outcome = held.has(chat) ? 'behind' : await this.attempt(update, { isRetry: false })
      if (outcome === 'handled') return answered(update).then(() => true)
      const isLate = typeof outcome === 'object'
      const noted = await this.hold(update, isLate ? times.claimMs : outcome === 'behind' ? 0 : this.retryMs(0))
      if (noted === 'held') held.add(chat)
      if (noted === 'held' && isLate) this.watch(outcome.late, { updateId: update.update_id, tries: 0 })
      // Before it is taken again, as a text would be answered twice.
      if (noted === 'not held' && isLate && (await within(times.handleMs, outcome.late)) === 'handled') return true
      if (noted === 'not held') waiting.add(chat)
      return noted !== 'not held'
    })
  }

  async keepTrying(stop: AbortSignal): Promise<void> {
    const { db, botId, times, log } = this.parts
    let lookedAt = 0
    let held = 0
    while (!stop.aborted) {
      let taken: HeldUpdate[] = []
      try {
        taken = await takeHeld(db, botId, { most: together, leaseMs: times.claimMs, heldMs: times.heldMs })
        await Promise.all(taken.map((one) => this.retry(one)))
        if ((taken.length > 0 || held > 0) && Date.now() - lookedAt > times.reconcileMs) {
          held = await this.tellHowMany()
          lookedAt = Date.now()
        }
      } catch (error) {
        if (!isDatabaseTrouble(error)) log.error({ error: placeOf(error) }, 'held updates could not be tried now')
      }
      if (taken.length === 0) await sleep(times.heldRetryMs, undefined, { signal: stop }).catch(() => undefined)
    }
  }

  async idle(): Promise<void> {
    await this.parts.handling.idle()
    while (this.late.size > 0) await Promise.all(this.late)
  }

  /** Handles it within the time there is; `late` goes on and tells how it ended. */
  private async attempt(
    update: Update,
    { isRetry }: { isRetry: boolean },
  ): Promise<Outcome | { late: Promise<Outcome> }> {
    const giveUp = new AbortController()
    const outcome = this.parts.handle(update, { giveUp: giveUp.signal, isRetry })
    const inTime = await within(this.parts.times.handleMs, outcome)
    if (inTime !== undefined) return inTime
    giveUp.abort(new TookTooLong('the update is held'))
    return { late: outcome }
  }

  private async hold(update: Update, delayMs: number): Promise<'held' | 'not held' | 'dropped'> {
    const { db, botId, times, log } = this.parts
    try {
      const note = { updateId: update.update_id, chatId: BigInt(chatOf(update)), body: JSON.stringify(update) }
      const holding = holdUpdate(db, botId, note, delayMs).then(() => 'held' as const)
      return (await within(times.handleMs, holding)) ?? 'not held'
    } catch (error) {
      if (isDatabaseTrouble(error)) return 'not held'
      log.error({ error: placeOf(error) }, 'an update could be neither handled nor held')
      this.parts.sendFailureNotice(update)
      return 'dropped'
    }
  }

  /** A held update is tried once more by whoever has it, when its try that went on does not succeed. */
  private watch(lateOutcome: Promise<Outcome>, held: Pick<HeldUpdate, 'updateId' | 'tries'>): void {
    const { db, botId } = this.parts
    const watched = lateOutcome
      .then((outcome) =>
        outcome === 'handled'
          ? dropHeld(db, botId, held.updateId)
          : postponeHeld(db, botId, held, this.retryMs(held.tries)),
      )
      .catch(() => undefined) // the lease on it runs out
      .finally(() => this.late.delete(watched))
    this.late.add(watched)
  }

  private retryMs(tries: number): number {
    const { heldRetryMs, longestHeldRetryMs } = this.parts.times
    return Math.min(heldRetryMs * 2 ** tries, longestHeldRetryMs)
  }

  private async retry(held: HeldUpdate): Promise<void> {
    const { db, botId, handling, answered, sendFailureNotice } = this.parts
    const update = JSON.parse(held.body) as Update
    await handling.add(chatOf(update), async () => {
      const outcome = held.isOver ? 'over' : await this.attempt(update, { isRetry: true })
      if (outcome === 'over') sendFailureNotice(update)
      if (typeof outcome === 'object') this.watch(outcome.late, held)
      else if (outcome === 'busy') await postponeHeld(db, botId, held, this.retryMs(held.tries))
      else {
        await answered(update)
        await dropHeld(db, botId, held.updateId)
      }
    })
  }

  /** Returns how many are held. */
  private async tellHowMany(): Promise<number> {
    const { db, botId, log } = this.parts
    const now = await countHeld(db, botId)
    if (now.held > 0)
      log.warn(
        { trouble: 'held updates', ...now },
        'updates are held, as the database could not handle them in time: something else holds the rows they need',
      )
    else log.info({ over: 'held updates' }, 'no update is held any more')
    return now.held
  }
}

/** The time that an update may take is over. */
export class TookTooLong extends Error {}

/** What the work gives; undefined: it takes longer than `ms`. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<undefined>((resolve) => (timer = setTimeout(resolve, ms, undefined)))
  try {
    return await Promise.race([work, over])
  } finally {
    clearTimeout(timer)
  }
}
