/** People who wait for a video: the "being made" note, and "sending a video…" under the bot's name. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Times } from '../config.ts'
import type { Db } from '../db/database.ts'
import { noteSent } from '../greetings/requests.ts'
import type { Api } from '../telegram/api.ts'
import { TelegramError } from '../telegram/errors.ts'

/** A person who waits. */
export interface Seat {
  requestId: string
  chatId: bigint
  /** the text of the note */
  note: string
}

export interface WaitingRoom {
  /** Tells the person that their video is being made, and shows it until the video arrives. */
  seat(seat: Seat): Promise<void>
  close(): void
}

// Telegram shows a chat action for five seconds.
const actionSeconds = 4
const longestSeconds = 180
const mostSeats = 50
const longestTries = 3

/** An empty room. */
export function openWaitingRoom({
  db,
  api,
  times,
  stop,
}: {
  db: Db
  api: Api
  times: Times
  stop: AbortSignal
}): WaitingRoom {
  const seats = new Map<string, { chatId: bigint; until: number }>()
  const timer = setInterval(() => void look().catch(() => undefined), actionSeconds * times.telegramSecondMs).unref()

  async function look() {
    for (const [requestId, { until }] of seats) if (until < Date.now()) seats.delete(requestId)
    if (seats.size === 0) return
    const waiting = await db.userRequest.findMany({
      where: { id: { in: [...seats.keys()] }, status: 'PENDING' },
      select: { id: true },
    })
    const still = new Set(waiting.map(({ id }) => id))
    for (const requestId of seats.keys()) if (!still.has(requestId)) seats.delete(requestId)
    for (const { chatId } of seats.values()) act(chatId)
  }

  function act(chatId: bigint) {
    api.sendChatAction(String(chatId), 'upload_video').catch(() => undefined)
  }

  /** The note in the chat; undefined when it could not be sent. A flood is slept through while the video is not there yet. */
  async function send({ requestId, chatId, note }: Seat) {
    for (let tries = 1; ; tries++) {
      try {
        return await api.sendMessage(String(chatId), note, undefined, stop as never)
      } catch (error) {
        if (!(error instanceof TelegramError)) throw error
        const restMs = error.retryAfterMs ?? times.telegramSecondMs
        // Whether the person can be reached shows when the video is sent.
        if (error.kind !== 'flood' || restMs > times.longestFloodSleepMs || tries === longestTries) return undefined
        await sleep(restMs, undefined, { signal: stop })
        if ((await db.userRequest.count({ where: { id: requestId, status: 'PENDING' } })) === 0) return undefined
      }
    }
  }

  return {
    async seat(seat) {
      const { requestId, chatId } = seat
      const message = await send(seat)
      if (message !== undefined) {
        const isNoted = await noteSent(db, requestId, message.message_id)
        // The video was faster than the note.
        if (!isNoted)
          return void (await api
            .deleteMessage(String(chatId), message.message_id, stop as never)
            .catch(() => undefined))
      }
      if (seats.size >= mostSeats) return
      seats.set(requestId, { chatId, until: Date.now() + longestSeconds * times.telegramSecondMs })
      act(chatId)
    },
    close: () => clearInterval(timer),
  }
}
