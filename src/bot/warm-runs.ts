/**
 * Lists that admins sent, at work: read and offered, then made, with the progress in the message of the plan. What is known
 * of a list stands in the database and in its file at Telegram, so another process, or this one after a restart, goes on.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { InlineKeyboard } from 'grammy'
import { isDatabaseTrouble } from '../db/database.ts'
import { placeOf } from '../errors.ts'
import type { RequestDeps } from '../greetings/answer.ts'
import { currentOutages } from '../greetings/outages.ts'
import { paceOf } from '../greetings/pace.ts'
import { failuresOf, finishedOf } from '../greetings/reports/outcomes.ts'
import { request } from '../greetings/request.ts'
import {
  holdWarmRun,
  leaveWarmRuns,
  saveWarmRun,
  takeWarmRun,
  type WarmRun,
  type WarmState,
} from '../greetings/warm-runs.ts'
import { liveWorkers, newProcessId } from '../greetings/workers.ts'
import type { NameList } from '../names/lists.ts'
import { TelegramError } from '../telegram/errors.ts'
import { text } from '../texts.ts'
import { clock } from './admin-words.ts'
import { warmButtons } from './keyboards.ts'
import { putText } from './put-text.ts'
import { asksOf, fetchList } from './warm-list.ts'
import { newNames, planOf, planText, type PlanDeps } from './warm-plan.ts'

/** What making lists needs. */
export interface WarmRunsDeps extends PlanDeps {
  door: RequestDeps
  log: { error(fields: object, message: string): void }
}

/** Lists at work in this process. */
export interface WarmRuns {
  /** There may be something to do: looks at once instead of some seconds later. */
  look(): void
  /** Leaves what is not done to others. */
  close(): Promise<void>
}

/** Lists that one process works on at a time. */
const together = 3
/** Of a message that has to arrive. */
const mostTries = 5
/** Between two looks at a list that is being made, in Telegram's seconds. */
const progressSeconds = 4
const failedNamesTold = 10

/** Works on lists until it is closed. */
export function openWarmRuns(deps: WarmRunsDeps): WarmRuns {
  const { db, botId, times, log } = deps
  const owner = newProcessId()
  const stop = new AbortController()
  const atWork = new Set<Promise<void>>()
  let looking: Promise<void> | undefined
  let isMore = false

  const look = (): Promise<void> => {
    // What was stored after the look began is seen by the next.
    if (looking !== undefined) isMore = true
    return (looking ??= takeAll()
      // A database that is away is asked again.
      .catch(() => undefined)
      .finally(() => {
        looking = undefined
        if (isMore && !stop.signal.aborted) void look()
      }))
  }

  async function takeAll(): Promise<void> {
    isMore = false
    while (atWork.size < together && !stop.signal.aborted) {
      const run = await takeWarmRun(db, botId, owner, times.leaseMs)
      if (run === undefined) return
      const working = workOn(run).finally(() => {
        atWork.delete(working)
        if (!stop.signal.aborted) void look()
      })
      atWork.add(working)
    }
  }

  async function workOn(run: WarmRun): Promise<void> {
    const lost = new AbortController()
    const hold = () =>
      void holdWarmRun(db, run.id, owner, times.leaseMs).then(
        (isOurs) => isOurs || lost.abort(),
        () => undefined,
      )
    const timer = setInterval(hold, times.leaseRenewMs)
    try {
      await new Work(deps, run, AbortSignal.any([stop.signal, lost.signal])).go()
      await leaveWarmRuns(db, owner, run.id)
    } catch (error) {
      // Once the lease has run out it is taken again.
      if (!stop.signal.aborted && !lost.signal.aborted && !isDatabaseTrouble(error))
        log.error({ error: placeOf(error) }, 'a list of an admin could not be worked on now')
    } finally {
      clearInterval(timer)
    }
  }

  const timer = setInterval(() => void look(), times.reconcileMs).unref()
  return {
    look: () => void look(),
    async close() {
      clearInterval(timer)
      stop.abort(new Error('the bot stops'))
      await looking
      await Promise.allSettled(atWork)
      await leaveWarmRuns(db, owner).catch(() => undefined)
    },
  }
}

/** One list, until it is offered or done. */
class Work {
  private said = ''

  constructor(
    private readonly deps: WarmRunsDeps,
    private readonly run: WarmRun,
    private readonly stop: AbortSignal,
  ) {}

  async go(): Promise<void> {
    const { run, deps, stop } = this
    const fetched = await fetchList(deps, run, stop)
    if (!fetched.ok) {
      await this.say(fetched.why)
      return this.save('done')
    }
    return run.state === 'running' ? this.fill(fetched.list) : this.offer(fetched.list)
  }

  private async offer(list: NameList): Promise<void> {
    const { deps, run } = this
    const plan = await planOf(deps, list)
    const count = newNames(plan)
    const words = await planText(deps, run.language, list, plan)
    // Before the buttons can be pressed.
    await this.save(count === 0 ? 'done' : 'offered')
    await this.say(words, count === 0 ? undefined : warmButtons(run.language, run.id, count))
  }

  private async fill(list: NameList): Promise<void> {
    const { deps, run, stop } = this
    if (run.cached === null) {
      const { outcomes } = await planOf(deps, list)
      run.cached = outcomes.get('cached') ?? 0
      run.failedBefore = outcomes.get('failedBefore') ?? 0
      await saveWarmRun(deps.db, run.id, { cached: run.cached, failedBefore: run.failedBefore })
    }
    const open = new Set<string>()
    const failed = new Set<string>()
    let names = 0
    for await (const { asks } of asksOf(list, deps)) {
      stop.throwIfAborted()
      names += asks.length
      for (const answer of await request(deps.door, asks)) {
        if (answer.status === 'waiting') open.add(answer.assetId)
        else if (answer.status === 'failed') failed.add(answer.assetId)
      }
    }
    for (;;) {
      for (const { id, status } of await finishedOf(deps.db, [...open])) {
        open.delete(id)
        // What was removed meanwhile is not there either.
        if (status !== 'AVAILABLE') failed.add(id)
      }
      if (open.size === 0) break
      await this.tellProgress(names, names - open.size - failed.size, failed.size)
      await sleep(progressSeconds * deps.times.telegramSecondMs, undefined, { signal: stop })
    }
    await this.say(await this.resultText(names, [...failed]))
    await this.save('done')
  }

  private async tellProgress(count: number, done: number, failed: number): Promise<void> {
    const { deps, run, stop } = this
    const { language } = run
    const [workers, outages, pace] = await Promise.all([
      liveWorkers(deps.db, deps.times),
      currentOutages(deps.db),
      paceOf(deps.db),
    ])
    const left = count - done - failed
    const words = [
      text(language, 'warm-progress', { done, count, percent: Math.floor((done / count) * 100) }),
      ...(failed > 0 ? [text(language, 'warm-failed', { count: failed })] : []),
      ...(workers.length === 0 ? [text(language, 'stats-workers', { workers: 0 })] : []),
      ...outages.map(({ step, since }) =>
        text(language, 'stats-outage', { step, ...clock((Date.now() - since.getTime()) / 1_000) }),
      ),
      ...(pace === null || pace === 0 ? [] : [text(language, 'warm-left', clock((left / pace) * 60))]),
    ].join('\n')
    if (words === this.said) return
    try {
      await this.put(words)
    } catch (error) {
      if (!(error instanceof TelegramError)) throw error
      // The next one may be seen.
      if (error.kind === 'flood') await sleep(this.restMs(error), undefined, { signal: stop })
    }
  }

  private async resultText(names: number, failed: readonly string[]): Promise<string> {
    const { deps, run } = this
    const { language } = run
    const cached = run.cached ?? 0
    const count = names - failed.length
    const told = await failuresOf(deps.db, failed.slice(0, failedNamesTold))
    return [
      text(language, 'warm-done', { count, made: Math.max(0, count - cached), cached }),
      ...(failed.length > 0 ? [text(language, 'warm-failed', { count: failed.length })] : []),
      ...told.map(({ name, reason }) => text(language, 'warm-failed-name', { name, reason })),
    ].join('\n')
  }

  /** Says what has to arrive, patiently. Whoever cannot be reached is not told. */
  private async say(words: string, keyboard?: InlineKeyboard): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.put(words, keyboard)
      } catch (error) {
        if (!(error instanceof TelegramError)) throw error
        this.stop.throwIfAborted()
        const mayPass = ['flood', 'server', 'not_sent', 'unknown_outcome'].includes(error.kind)
        if (!mayPass || tries === mostTries) return
        await sleep(this.restMs(error), undefined, { signal: this.stop })
      }
    }
  }

  private async put(words: string, keyboard?: InlineKeyboard): Promise<void> {
    const { deps, run, stop } = this
    const edits = run.messageId ?? undefined
    const messageId = await putText(deps.api, String(run.chatId), { text: words, keyboard, edits }, stop)
    this.said = words
    if (messageId === run.messageId) return
    run.messageId = messageId
    await saveWarmRun(deps.db, run.id, { messageId })
  }

  private restMs({ retryAfterMs }: TelegramError): number {
    const { telegramSecondMs, longestFloodSleepMs } = this.deps.times
    return Math.min(retryAfterMs ?? telegramSecondMs, longestFloodSleepMs)
  }

  private save(state: WarmState): Promise<void> {
    return saveWarmRun(this.deps.db, this.run.id, { state })
  }
}
