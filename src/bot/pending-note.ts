/**
 * People who wait for a video: the note that says where it is, changed when there is something new to say, and what is
 * going on under the bot’s name. All of it stands in the database: notes of a bot that ended are taken up by the next,
 * and of several bots only one looks at a note at a time.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Times } from '../config.ts'
import type { Db } from '../db/database.ts'
import { noteSent } from '../greetings/requests.ts'
import {
  nearPlace,
  nearSeconds,
  notesSay,
  standingOf,
  takeDueNotes,
  type DueNote,
  type Standing,
} from '../greetings/waiting-notes.ts'
import type { Api } from '../telegram/api.ts'
import { TelegramError } from '../telegram/errors.ts'
import type { LiveFloods } from '../telegram/live-floods.ts'
import { languageOf } from '../texts.ts'
import { openForecasts, type PostingChannels } from './forecast.ts'
import { putText } from './put-text.ts'
import { firstWords, nextWords, promiseOf, type Saying } from './waiting-words.ts'

/** A person who waits. */
export interface PendingNote {
  requestId: string
  chatId: bigint
  /** a message of the bot's that becomes the note; undefined: a new one is sent */
  edits?: number | undefined
}

export interface PendingNotes {
  /** Tells the person where their video is, and shows it until the video arrives. */
  show(note: PendingNote): Promise<void>
  /** Changes no more notes; resolves when nothing is under way. */
  close(): Promise<void>
}

interface PendingNotesDeps {
  db: Db
  api: Api
  times: Times
  floods: Pick<LiveFloods, 'restMs'>
  channels: PostingChannels
  stop: AbortSignal
}

/** Notes that are looked at in a round, and of them those that are changed: Telegram takes 30 messages a second of a bot. */
const perRound = 60
const editsPerRound = 20
/** Rounds of a bot that nobody waits for are so much rarer: another one may have left notes. */
const idleRounds = 4
const longestTries = 3

/** Looks after all notes until it is closed. */
export function openPendingNotes(deps: PendingNotesDeps): PendingNotes {
  const { db, times, channels } = deps
  const forecasts = openForecasts(db, times, channels)
  const standingTogether = together((requestIds) => standingOf(db, requestIds))
  const roundMs = nearSeconds * times.telegramSecondMs
  const closing = new AbortController()
  let somebodyWaits = true

  async function keepLooking(): Promise<void> {
    for (let idle = 0; !closing.signal.aborted;) {
      await sleep(roundMs, undefined, { signal: closing.signal }).catch(() => undefined)
      if (closing.signal.aborted || (!somebodyWaits && ++idle < idleRounds)) continue
      idle = 0
      // When the database is away, the next round sees.
      somebodyWaits = await lookAround(deps, forecasts).catch(() => somebodyWaits)
    }
  }
  const looking = keepLooking()

  return {
    async show(note) {
      somebodyWaits = true
      for (let tries = 1; tries <= longestTries; tries++) {
        // Looked up again after a flood was slept through: by then the video may be there.
        const standing = await standingTogether(note.requestId)
        if (standing === undefined) return
        const restMs = await showOnce(deps, note, standing, (await forecasts())(standing))
        if (restMs === undefined || restMs > times.longestFloodSleepMs) return
        await sleep(restMs, undefined, { signal: deps.stop })
      }
    },
    async close() {
      closing.abort()
      await looking
    },
  }
}

/** Sends a note. Returns how long to wait for another try; undefined: none makes sense. */
async function showOnce(
  deps: PendingNotesDeps,
  { requestId, chatId, edits }: PendingNote,
  standing: Standing,
  seconds: number | null,
): Promise<number | undefined> {
  const { db, api, times, stop } = deps
  const secondMs = times.telegramSecondMs
  const told = seconds === null ? null : (seconds * 1_000) / secondMs
  const { says, words } = firstWords(standing, told, languageOf(standing.language))
  let messageId: number
  try {
    messageId = await putText(api, String(chatId), { text: words, edits }, stop)
  } catch (error) {
    if (!(error instanceof TelegramError)) throw error
    // Whether the person can be reached shows when the video is sent.
    return error.kind === 'flood' ? (error.retryAfterMs ?? secondMs) : undefined
  }
  const promisedMs = promiseOf(told) * secondMs
  const isNoted = await noteSent(db, requestId, { messageId, says, promisedMs, lookMs: nearSeconds * secondMs })
  // The video was faster than the note.
  if (!isNoted) await api.deleteMessage(String(chatId), messageId, stop as never).catch(() => undefined)
  else act(deps, standing)
  return undefined
}

/** One round over the notes that are due. False: there are none. */
async function lookAround(deps: PendingNotesDeps, forecasts: ReturnType<typeof openForecasts>): Promise<boolean> {
  const { db, times, floods } = deps
  const due = await takeDueNotes(db, times.telegramSecondMs, perRound)
  if (due.length === 0) return false
  const forecast = await forecasts()
  // Nothing is said while Telegram wants rest.
  const free = due.filter(({ chatId }) => floods.restMs(chatId) === 0)
  for (const note of free) act(deps, note)
  const changes = free.flatMap((note) => {
    const seconds = forecast(note)
    const told = seconds === null ? null : (seconds * 1_000) / times.telegramSecondMs
    const saying = nextWords(note, told, languageOf(note.language))
    return saying === undefined ? [] : [{ note, saying }]
  })
  const changed = await Promise.all(changes.slice(0, editsPerRound).map((change) => edit(deps, change)))
  await notesSay(
    db,
    changed.filter((each) => each !== undefined),
  )
  return true
}

/** Changes a note; undefined: not now. */
async function edit(
  { api, stop }: PendingNotesDeps,
  { note: { requestId, chatId, noteMessageId }, saying: { says, words } }: { note: DueNote; saying: Saying },
): Promise<{ requestId: string; says: string } | undefined> {
  try {
    await api.editMessageText(String(chatId), noteMessageId, words, undefined, stop as never)
  } catch (error) {
    if (!(error instanceof TelegramError)) throw error
    // One that cannot be changed is gone, or too old: it is left as it is.
    if (error.kind !== 'refused') return undefined
  }
  return { requestId, says }
}

type Showing = Pick<Standing, 'chatId' | 'phase' | 'place'> & { overdue?: boolean }

/** Shows under the bot's name what is done for a person who is next, or nearly so. */
function act({ api, floods }: PendingNotesDeps, { chatId, phase, place, overdue = false }: Showing): void {
  // Who waits for longer than was told waits for something that is out of order, perhaps for hours.
  if (phase === 'waiting' && (place === null || place > nearPlace || overdue)) return
  if (floods.restMs(chatId) > 0) return
  const action = phase === 'rendered' || phase === 'sent' ? 'upload_video' : 'record_video'
  api.sendChatAction(String(chatId), action).catch(() => undefined)
}

/** Reads for all who ask while it reads already, together. */
function together<T>(read: (ids: string[]) => Promise<Map<string, T>>): (id: string) => Promise<T | undefined> {
  let next: { ids: string[]; found: Promise<Map<string, T>> } | undefined
  let underWay: Promise<unknown> = Promise.resolve()
  return async (id) => {
    if (next === undefined) {
      const ids: string[] = []
      const found = underWay.then(() => {
        next = undefined
        return read(ids)
      })
      underWay = found.catch(() => undefined)
      next = { ids, found }
    }
    next.ids.push(id)
    return (await next.found).get(id)
  }
}
