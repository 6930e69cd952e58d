/**
 * Takes updates in and lets none go before it is stored. Updates are fetched in batches and handled at the
 * same time, in order per chat; the next fetch, which confirms the batch, waits until each has been stored.
 * Sending comes after that and holds nothing back.
 */
import { createServer, type Server } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bot } from 'grammy'
import type { Update } from 'grammy/types'
import type { Times } from '../config.ts'
import { isDatabaseDown } from '../db/database.ts'
import { placeOf } from '../greetings/faults.ts'
import { listenAt, loopback } from '../http/address.ts'
import { isTelegram } from '../telegram/api.ts'
import type { TelegramError } from '../telegram/errors.ts'
import type { BotContext } from './context.ts'

/** Tasks in order per chat, chats at the same time. */
export interface PerChat {
  add<T>(chatId: number | bigint, task: () => Promise<T>): Promise<T>
  /** Tasks of this chat that have not ended. */
  waiting(chatId: number | bigint): number
  /** Resolves when nothing is under way. */
  idle(): Promise<void>
}

/** No task at first. */
export function createPerChat(): PerChat {
  const lines = new Map<string, { last: Promise<unknown>; length: number }>()
  return {
    add(chatId, task) {
      const key = String(chatId)
      const line = lines.get(key) ?? { last: Promise.resolve(), length: 0 }
      lines.set(key, line)
      const result = line.last.then(task, task)
      line.last = result
      line.length++
      const leave = () => {
        if (--line.length === 0) lines.delete(key)
      }
      result.then(leave, leave)
      return result
    },
    waiting: (chatId) => lines.get(String(chatId))?.length ?? 0,
    async idle() {
      while (lines.size > 0) await Promise.allSettled([...lines.values()].map(({ last }) => last))
    },
  }
}

/** What is known of the update's chat; updates of no chat share one line. */
export function chatOf(update: Update): number {
  return update.message?.chat.id ?? update.edited_message?.chat.id ?? update.my_chat_member?.chat.id ?? 0
}

export const allowedUpdates = ['message', 'edited_message', 'my_chat_member'] as const

interface Intake {
  bot: Bot<BotContext>
  /** Handles one update; resolves when it is stored. */
  handle(update: Update): Promise<void>
  times: Times
  log: { info(fields: object, message: string): void; warn(fields: object, message: string): void; error(fields: object, message: string): void }
}

/** Long polling until the signal; the last batch is confirmed before this returns. @throws TelegramError when the token is refused */
export async function poll({ bot, handle, times, log }: Intake, stop: AbortSignal): Promise<void> {
  let offset = 0
  let stored = true
  while (!stop.aborted) {
    let updates: Update[]
    try {
      updates = await bot.api.getUpdates({ offset, limit: 100, timeout: times.longPollSeconds, allowed_updates: [...allowedUpdates] }, stop as never)
    } catch (error) {
      if (stop.aborted) break
      if (!isTelegram(error)) throw error
      const { kind, retryAfterMs, message } = error as TelegramError
      if (kind === 'token') throw error
      if (kind === 'conflict') log.error({ reason: message }, 'another process takes this bot’s updates: stop it; this one goes on trying')
      else log.warn({ reason: message }, 'cannot fetch updates now; trying again')
      await sleep(retryAfterMs ?? times.telegramSecondMs * 3, undefined, { signal: stop }).catch(() => undefined)
      continue
    }
    const last = updates.at(-1)
    if (last === undefined) continue
    stored = await storeAll(updates)
    if (!stored) break
    offset = last.update_id + 1
  }
  // Confirms the last batch, so that the next start does not get it again.
  if (stored && offset > 0) await bot.api.getUpdates({ offset, limit: 1, timeout: 0 }, AbortSignal.timeout(3_000) as never).catch(() => undefined)

  /** False when stopping made it impossible: then nothing is confirmed and Telegram sends all of it again. */
  async function storeAll(updates: Update[]): Promise<boolean> {
    const outcomes = await Promise.all(
      updates.map(async (update) => {
        for (;;) {
          try {
            await handle(update)
            return true
          } catch (error) {
            if (!isDatabaseDown(error)) throw error
            log.warn({}, 'the database is away; updates wait')
            await sleep(times.pollMs, undefined, { signal: stop }).catch(() => undefined)
            if (stop.aborted) return false
          }
        }
      }),
    )
    return outcomes.every(Boolean)
  }
}

/** A webhook server on the loopback interface, for a reverse proxy before it. Answers 200 once the update is stored. @throws AddressUnusable */
export async function listenForWebhook({ handle, log }: Intake, { port, secret }: { port: number; secret: string }): Promise<{ port: number; close(): Promise<void> }> {
  const server: Server = createServer((incoming, answer) => {
    const end = (code: number) => {
      answer.statusCode = code
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
      let update: Update
      try {
        update = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Update
      } catch {
        return end(400)
      }
      handle(update).then(
        () => end(200),
        (error: unknown) => {
          log.warn({ error: placeOf(error) }, 'an update could not be stored; Telegram will send it again')
          end(503)
        },
      )
    })
    incoming.on('error', () => undefined)
  })
  const listening = await listenAt(server, { host: loopback, port })
  return {
    port: listening,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
