/** People who wait for a video: the "being made" note, and "sending a video…" under the bot's name. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Times } from '../config.ts'
import type { Db } from '../db/database.ts'
import { noteSent, stillPending } from '../greetings/requests.ts'
import type { Api } from '../telegram/api.ts'
import { TelegramError } from '../telegram/errors.ts'
import { putText } from './put-text.ts'

/** A person who waits. */
export interface PendingNote {
  requestId: string
  chatId: bigint
  /** the text of the note */
  note: string
  /** a message of the bot's that becomes the note; undefined: a new one is sent */
  edits?: number | undefined
}

export interface PendingNotes {
  /** Tells the person that their video is being made, and shows it until the video arrives. */
  show(note: PendingNote): Promise<void>
  close(): void
}

// Telegram shows a chat action for five seconds.
const actionSeconds = 4
const longestSeconds = 180
const mostShown = 50
const longestTries = 3

interface PendingNotesDeps {
  db: Db
  api: Api
  times: Times
  stop: AbortSignal
}

/** Nobody waits yet. */
export function openPendingNotes({ db, api, times, stop }: PendingNotesDeps): PendingNotes {
  const shown = new Map<string, { chatId: bigint; until: number }>()
  const timer = setInterval(() => void look().catch(() => undefined), actionSeconds * times.telegramSecondMs).unref()

  async function look() {
    for (const [requestId, { until }] of shown) if (until < Date.now()) shown.delete(requestId)
    if (shown.size === 0) return
    const still = await stillPending(db, [...shown.keys()])
    for (const requestId of shown.keys()) if (!still.has(requestId)) shown.delete(requestId)
    for (const { chatId } of shown.values()) act(chatId)
  }

  function act(chatId: bigint) {
    api.sendChatAction(String(chatId), 'upload_video').catch(() => undefined)
  }

  /** The note in the chat; undefined when it could not be sent. A flood is slept through while the video is not there yet. */
  async function send({ requestId, chatId, note, edits }: PendingNote): Promise<number | undefined> {
    for (let tries = 1; ; tries++) {
      try {
        return await putText(api, String(chatId), { text: note, edits }, stop)
      } catch (error) {
        if (!(error instanceof TelegramError)) throw error
        const restMs = error.retryAfterMs ?? times.telegramSecondMs
        // Whether the person can be reached shows when the video is sent.
        if (error.kind !== 'flood' || restMs > times.longestFloodSleepMs || tries === longestTries) return undefined
        await sleep(restMs, undefined, { signal: stop })
        if (!(await stillPending(db, [requestId])).has(requestId)) return undefined
      }
    }
  }

  return {
    async show(note) {
      const { requestId, chatId } = note
      const messageId = await send(note)
      if (messageId !== undefined) {
        const isNoted = await noteSent(db, requestId, messageId)
        // The video was faster than the note.
        if (!isNoted)
          return void (await api.deleteMessage(String(chatId), messageId, stop as never).catch(() => undefined))
      }
      if (shown.size >= mostShown) return
      shown.set(requestId, { chatId, until: Date.now() + longestSeconds * times.telegramSecondMs })
      act(chatId)
    },
    close: () => clearInterval(timer),
  }
}
