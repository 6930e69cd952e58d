/**
 * Where updates come from: fetched in batches, or told by webhook. One is confirmed only when it was taken in, that is
 * handled or held; the next fetch confirms a batch, the answer 200 what was told. Sending comes after that and holds
 * nothing back.
 */
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bot } from 'grammy'
import type { Update } from 'grammy/types'
import type { Times } from '../config.ts'
import { placeOf } from '../errors.ts'
import { closeServer, listenAt, loopback, timeLimits } from '../http/address.ts'
import { isTelegram } from '../telegram/api.ts'
import type { TelegramError } from '../telegram/errors.ts'
import type { BotContext } from './context.ts'
import type { Intake } from './intake.ts'

export const allowedUpdates = [
  'message',
  'edited_message',
  'my_chat_member',
  'callback_query',
  'inline_query',
  'chosen_inline_result',
  'guest_message',
] as const

interface Source {
  bot: Bot<BotContext>
  intake: Intake
  times: Times
  log: {
    info(fields: object, message: string): void
    warn(fields: object, message: string): void
    error(fields: object, message: string): void
  }
}

/** Long polling until the signal; the last batch is confirmed before this returns. @throws TelegramError when the token is refused */
export async function poll({ bot, intake, times, log }: Source, stop: AbortSignal): Promise<void> {
  let offset = 0
  let taken = true
  while (!stop.aborted) {
    let updates: Update[]
    try {
      updates = await bot.api.getUpdates(
        { offset, limit: 100, timeout: times.longPollSeconds, allowed_updates: [...allowedUpdates] },
        stop as never,
      )
    } catch (error) {
      if (stop.aborted) break
      if (!isTelegram(error)) throw error
      const { kind, retryAfterMs, message } = error as TelegramError
      if (kind === 'token') throw error
      if (kind === 'conflict')
        log.error(
          { trouble: 'conflict', reason: message },
          'another process takes this bot’s updates: stop it; this one goes on trying',
        )
      else log.warn({ trouble: 'updates', reason: message }, 'cannot fetch updates now; trying again')
      await sleep(retryAfterMs ?? times.telegramSecondMs * 3, undefined, { signal: stop }).catch(() => undefined)
      continue
    }
    log.info({ over: 'updates' }, 'updates are fetched again')
    const last = updates.at(-1)
    if (last === undefined) continue
    taken = await takeAll(updates)
    offset = last.update_id + 1
  }
  // Confirms the last batch, so that the next start does not get it again.
  if (taken && offset > 0)
    await bot.api
      .getUpdates({ offset, limit: 1, timeout: 0 }, AbortSignal.timeout(3_000) as never)
      .catch(() => undefined)

  /** False when stopping made it impossible: then nothing is confirmed and Telegram sends all of it again. */
  async function takeAll(updates: Update[]): Promise<boolean> {
    let left = updates.filter((update) => !intake.pass(update))
    if (left.length === 0) return true
    for (;;) {
      const round = await intake.openRound(left)
      const outcomes = await Promise.all(left.map((update) => intake.take(update, round)))
      left = left.filter((_, index) => outcomes[index] !== true)
      if (left.length === 0) {
        log.info({ over: 'database' }, 'the database is back')
        return true
      }
      log.warn({ trouble: 'database', updates: left.length }, 'the database is away; updates wait')
      await sleep(times.pollMs, undefined, { signal: stop }).catch(() => undefined)
      if (stop.aborted) return false
    }
  }
}

/** A webhook server on the loopback interface, for a reverse proxy before it. Answers 200 once the update is taken in. @throws AddressUnusable */
export async function listenForWebhook(
  { intake, log }: Pick<Source, 'intake' | 'log'>,
  { port, secret }: { port: number; secret: string },
): Promise<{ port: number; close(abortNow: AbortSignal): Promise<void> }> {
  /** calls that were read and are not answered yet */
  const inHand = new Set<Promise<void>>()
  let isClosing = false
  const server = createServer(timeLimits, (incoming, answer) => {
    const end = (code: number) => {
      answer.statusCode = code
      // What is refused may never send the rest of its body.
      if (code !== 200) answer.setHeader('connection', 'close')
      answer.end()
    }
    if (incoming.method !== 'POST') return end(404)
    if (incoming.headers['x-telegram-bot-api-secret-token'] !== secret) return end(401)
    const chunks: Buffer[] = []
    let bytes = 0
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > 1_000_000) incoming.destroy()
      else chunks.push(chunk)
    })
    incoming.on('end', () => {
      if (isClosing) return end(503)
      const update = updateOf(Buffer.concat(chunks).toString('utf8'))
      if (update === undefined) return end(400)
      const sent = new Promise<void>((resolve) => answer.once('close', resolve).once('finish', resolve))
      const taken = intake.take(update).then(
        (isTaken) => {
          if (isTaken) log.info({ over: 'database' }, 'the database is back')
          else log.warn({ trouble: 'database' }, 'the database is away; Telegram will send the update again')
          end(isTaken ? 200 : 503)
        },
        (error: unknown) => {
          log.warn({ error: placeOf(error) }, 'an update could not be taken in; Telegram will send it again')
          end(503)
        },
      )
      const done = Promise.all([taken, sent]).then(() => void inHand.delete(done))
      inHand.add(done)
    })
  })
  const listening = await listenAt(server, { host: loopback, port })
  return {
    port: listening,
    async close(abortNow) {
      isClosing = true
      server.close()
      // Whoever has not said everything is not waited for.
      await Promise.race([Promise.all(inHand), whenAborted(abortNow)])
      await closeServer(server)
    },
  }
}

/** Resolves when the signal aborts. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) =>
    signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true }),
  )
}

function updateOf(body: string): Update | undefined {
  try {
    const update = JSON.parse(body) as Update | null
    return Number.isSafeInteger(update?.update_id) ? (update ?? undefined) : undefined
  } catch {
    return undefined
  }
}
