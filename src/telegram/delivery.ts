/**
 * Sends finished videos to the people who asked. A request is claimed before it is sent and marked after,
 * whoever sends: at least once, and twice only where Telegram's answer was lost.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Message } from 'grammy/types'
import type { Times } from '../config.ts'
import { isDatabaseTrouble } from '../db/database.ts'
import { findFinished, type ClaimedAsset, type Post } from '../greetings/assets.ts'
import { emit } from '../events.ts'
import { AssetFault, NotNow, Outage } from '../errors.ts'
import {
  claimRequests,
  extendClaim,
  markCompleted,
  markUnanswered,
  moveToChat,
  noteOf,
  postpone,
  renewClaim,
  untilSomebodyIsFree,
  type ClaimedRequest,
} from '../greetings/requests.ts'
import { languageOf, text, wholeMinutes } from '../texts.ts'
import { isTelegram, type BotIdentity } from './api.ts'
import { TelegramError } from './errors.ts'
import { repairFileId, type FileIdDeps } from './file-ids.ts'
import { pauseBulk } from './flood.ts'
import { sharePayload } from './share-link.ts'
import { presentationOf, simpler, type Presentation } from './presentation.ts'
import { countRepeatedUpload, filesUnseen, postOf, videoOptions, videoUpload, type VideoFile } from './storage.ts'
import { waitForTurn } from './turn.ts'

/** What delivering needs. */
export interface DeliveryDeps extends FileIdDeps {
  /** whose videos these are: they have its link and buttons; undefined: they have neither */
  bot?: BotIdentity
}

const batch = 20

/**
 * Delivers a finished asset to everyone who waits for it: the video, or the news that it failed.
 * Returns when nobody is left who could be served now; the rest are left for a later call.
 * @throws Outage when Telegram does not work
 */
export async function deliver(deps: DeliveryDeps, assetId: string, signal: AbortSignal): Promise<number> {
  for (let served = 0; ;) {
    const done = await deliverBatch(deps, assetId, signal)
    if (done === undefined) return served
    served += done.served
  }
}

/**
 * Delivers to the next few who wait; undefined: nobody could be served now.
 * @throws Outage when Telegram does not work
 */
export async function deliverBatch(
  deps: DeliveryDeps,
  assetId: string,
  signal: AbortSignal,
): Promise<{ served: number } | undefined> {
  signal.throwIfAborted()
  const asset = await findFinished(deps.db, assetId, deps.botId)
  if (asset === undefined) return undefined
  const requests = await claimRequests(deps.db, deps.times, assetId, batch)
  if (requests.length === 0) return undefined
  const claimedAt = Date.now()
  const sends: Promise<void>[] = []
  try {
    for (const request of requests) {
      if (!(await takeTurn(deps, request, claimedAt, signal))) continue
      const send =
        asset.fileId === null
          ? sendFailureNotice(deps, request, asset, signal)
          : sendVideo(deps, request, { ...asset, fileId: asset.fileId }, { onFlood: 'postpone', signal })
      send.catch(() => undefined) // heard below, when all have ended
      sends.push(send)
    }
  } finally {
    await Promise.allSettled(sends)
  }
  const outcomes = await Promise.allSettled(sends)
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  return { served: outcomes.length }
}

/**
 * Waits until a message may go out in bulk. One waits for all of a batch, so that few ask for tickets at a time. False:
 * the request was put back, or its claim ran out meanwhile and it is somebody else's now.
 */
async function takeTurn(
  deps: DeliveryDeps,
  request: ClaimedRequest,
  claimedAt: number,
  signal: AbortSignal,
): Promise<boolean> {
  const waitMs = await waitForTurn(deps, request.chatId, signal)
  if (waitMs !== undefined) {
    await postpone(deps.db, request, waitMs)
    return false
  }
  return stillOurs(deps, request, claimedAt)
}

/**
 * A claim that is not fresh is renewed before anything is sent under it. False:
 * it ran out, and somebody else took the request.
 */
async function stillOurs(deps: DeliveryDeps, request: ClaimedRequest, claimedAt: number): Promise<boolean> {
  return Date.now() - claimedAt < deps.times.claimMs / 3 || renewClaim(deps.db, deps.times, request)
}

/**
 * Answers a person's own question with the video: no ticket, and a flood is slept through in their chat's own line.
 * @param claimedAt when the door claimed the request, by `Date.now()`
 * @throws Outage when Telegram does not work; the request stays PENDING
 */
export async function sendDirectly(
  deps: DeliveryDeps,
  request: ClaimedRequest,
  asset: { id: string; display: string; fileId: string },
  { claimedAt, signal }: { claimedAt: number; signal: AbortSignal },
): Promise<void> {
  if (await stillOurs(deps, request, claimedAt)) await sendVideo(deps, request, asset, { onFlood: 'sleep', signal })
}

/**
 * How a video goes out. A direct answer sleeps through a flood that Telegram announces, bulk gives the request back.
 */
interface SendOptions {
  onFlood: 'sleep' | 'postpone'
  signal: AbortSignal
}

/** A video on its way: as what and where to, and what was tried already. */
interface Sending {
  asset: { id: string; display: string }
  fileId: string
  chatId: bigint
  repaired: boolean
  followed: boolean
  floods: number
  /** what stands under it: less once Telegram has refused it */
  shown: Presentation
}

const whoAsked = ({ id, language, wroteE }: ClaimedRequest) => ({ requestId: id, language, wroteE })

/**
 * Sends the video of a claimed request and marks it.
 * @throws Outage when Telegram does not work; the request stays PENDING
 */
async function sendVideo(
  deps: DeliveryDeps,
  request: ClaimedRequest,
  { fileId, ...asset }: { id: string; display: string; fileId: string },
  options: SendOptions,
): Promise<void> {
  const { api, db, times } = deps
  const sending: Sending = {
    asset,
    fileId,
    chatId: request.chatId,
    repaired: false,
    followed: false,
    floods: 0,
    shown: await shownFor(deps, request, asset.display),
  }
  for (let isFirst = true; ; isFirst = false) {
    // What came before took its time: another try needs a claim as fresh as the first.
    if (!isFirst && !(await renewClaim(db, times, request))) return
    try {
      await api.sendVideo(
        String(sending.chatId),
        sending.fileId,
        { ...sending.shown, supports_streaming: true },
        options.signal as never,
      )
    } catch (error) {
      if (!(error instanceof TelegramError)) throw error
      if ((await afterRefusal(deps, request, sending, error, options)) === 'again') continue
      return
    }
    return complete(deps, request)
  }
}

/**
 * What Telegram's answer means for a video on its way: it is tried `again`, changed, or the request is dealt with.
 * @throws Outage when Telegram does not work; the request stays PENDING
 */
async function afterRefusal(
  deps: DeliveryDeps,
  request: ClaimedRequest,
  sending: Sending,
  error: TelegramError,
  options: SendOptions,
): Promise<'again' | void> {
  const { db, times } = deps
  switch (error.kind) {
    case 'flood':
      return afterFlood(deps, request, sending, error.retryAfterMs ?? times.telegramSecondMs, options)
    case 'person_unreachable':
    case 'no_rights':
      return giveUp(deps, request, error.description)
    case 'migrated':
      if (sending.followed || error.migrateTo === undefined) return giveUp(deps, request, error.description)
      sending.followed = true
      sending.chatId = BigInt(error.migrateTo)
      await moveToChat(db, request, sending.chatId)
      return 'again'
    case 'bad_file_id': {
      const repair = sending.repaired ? 'later' : await repairFileId(deps, sending.asset.id, sending.fileId)
      sending.repaired = true
      if (typeof repair === 'string') return postpone(db, request, repair === 'remaking' ? 0 : times.outageMs / 3)
      sending.fileId = repair.fileId
      return 'again'
    }
    case 'unknown_outcome':
      // Perhaps it arrived. The claim runs out by itself and the video is sent again: at least once.
      return
    case 'aborted':
      return postpone(db, request, 0)
    case 'token':
      await postpone(db, request, 0)
      throw new Outage('token', 'Telegram does not accept the bot’s token.')
    case 'refused': {
      const less = simpler(sending.shown, error.description)
      if (less !== undefined) {
        sending.shown = less
        return 'again'
      }
      return sendFailureNotice(deps, request, { display: sending.asset.display, coolMs: 0 }, options.signal)
    }
    case 'too_large':
      return sendFailureNotice(deps, request, { display: sending.asset.display, coolMs: 0 }, options.signal)
    case 'server':
    case 'not_sent':
    case 'conflict':
    case 'file_unseen':
      await postpone(db, request, times.outageMs / 3)
      throw new Outage('telegram', error.message)
  }
}

async function afterFlood(
  { db, times }: DeliveryDeps,
  request: ClaimedRequest,
  sending: Sending,
  restMs: number,
  { onFlood, signal }: SendOptions,
): Promise<'again' | void> {
  if (onFlood === 'sleep' && restMs <= times.longestFloodSleepMs && ++sending.floods <= 5) {
    await extendClaim(db, request, restMs + times.claimMs)
    await sleep(restMs, undefined, { signal })
    return 'again'
  }
  // A direct answer's flood is noted where it is met.
  if (onFlood === 'postpone') await pauseBulk(db, sending.chatId, restMs)
  return postpone(db, request, restMs)
}

/** Tells a person kindly that their video failed and when to try again; only then the request is FAILED. */
async function sendFailureNotice(
  deps: DeliveryDeps,
  request: ClaimedRequest,
  asset: { display: string; coolMs: number },
  signal: AbortSignal,
): Promise<void> {
  const { api, times } = deps
  try {
    await api.sendMessage(
      String(request.chatId),
      text(languageOf(request.language), 'failed', { name: asset.display, minutes: wholeMinutes(asset.coolMs) }),
      undefined,
      signal as never,
    )
    await giveUp(deps, request, 'told that the video could not be made')
    await removeNote(deps, request)
  } catch (error) {
    if (!(error instanceof TelegramError)) throw error
    if (isTelegram(error, 'unknown_outcome')) return
    if (isTelegram(error, 'person_unreachable', 'no_rights', 'refused', 'migrated'))
      return giveUp(deps, request, error.description)
    if (error.kind === 'flood') {
      await pauseBulk(deps.db, request.chatId, error.retryAfterMs ?? times.telegramSecondMs)
      return postpone(deps.db, request, error.retryAfterMs ?? times.telegramSecondMs)
    }
    await postpone(deps.db, request, times.outageMs / 3)
    if (error.kind !== 'aborted') throw new Outage(error.kind === 'token' ? 'token' : 'telegram', error.message)
  }
}

/**
 * Telegram has the video: that is written down though the database is away for a moment, as long as the claim holds.
 */
async function complete(deps: DeliveryDeps, request: ClaimedRequest): Promise<void> {
  const { db, times } = deps
  const done = await whileClaimed(times, () => markCompleted(db, request))
  if (done !== undefined) emit({ what: 'delivered', ...done })
  await removeNote(deps, request)
}

async function whileClaimed<T>({ claimMs, pollMs }: Times, write: () => Promise<T>): Promise<T> {
  for (const deadline = Date.now() + claimMs / 2; ; await sleep(pollMs / 4)) {
    try {
      return await write()
    } catch (error) {
      if (!isDatabaseTrouble(error) || Date.now() > deadline) throw error
    }
  }
}

async function giveUp({ db }: DeliveryDeps, request: ClaimedRequest, errorText: string): Promise<void> {
  if (await markUnanswered(db, request, errorText)) emit({ what: 'gave_up' })
}

/** The "being made" note has done its work. That it cannot be removed is nobody's concern. */
async function removeNote({ api, db }: DeliveryDeps, request: ClaimedRequest): Promise<void> {
  const note = request.noteMessageId ?? (await noteOf(db, request.id))
  if (note === null) return
  await api.deleteMessage(String(request.chatId), note).catch(() => undefined)
}

/**
 * Without a storage channel: uploads to the first subscriber who can be reached, which is their delivery
 * too. Undefined: nobody waits, or nobody of them can be reached.
 * @throws AssetFault, NotNow, Outage, or the signal's reason
 */
export async function uploadToSubscriber(
  deps: DeliveryDeps,
  asset: ClaimedAsset,
  video: VideoFile,
  signal: AbortSignal,
): Promise<{ post: Post; delivered: () => Promise<void> } | undefined> {
  for (;;) {
    signal.throwIfAborted()
    const claimedAt = Date.now()
    const [first] = await claimRequests(deps.db, deps.times, asset.id, 1)
    if (first === undefined) {
      const waitMs = await untilSomebodyIsFree(deps.db, asset.id)
      if (waitMs === undefined) return undefined
      // Whoever comes meanwhile should not wait for all of it.
      throw new NotNow(Math.min(Math.max(waitMs, deps.times.pollMs), deps.times.outageMs))
    }
    if (!(await takeTurn(deps, first, claimedAt, signal))) continue
    try {
      const message = await uploadTo(deps, first, asset, video, signal)
      return { post: postOf(message, null), delivered: () => complete(deps, first) }
    } catch (error) {
      if (!(error instanceof TelegramError)) throw error
      if (isTelegram(error, 'person_unreachable', 'no_rights', 'migrated', 'refused')) {
        await giveUp(deps, first, error.description)
        continue
      }
      if (error.kind === 'flood') {
        // The next try goes to the next person.
        const restMs = error.retryAfterMs ?? deps.times.telegramSecondMs
        await pauseBulk(deps.db, first.chatId, restMs)
        await postpone(deps.db, first, restMs)
        throw new NotNow(Math.min(restMs, deps.times.outageMs))
      }
      await postpone(deps.db, first, 0)
      if (error.kind === 'too_large') throw new AssetFault('too_large', error.message)
      signal.throwIfAborted()
      if (error.kind === 'unknown_outcome') await countRepeatedUpload(deps.db)
      if (error.kind === 'file_unseen') throw filesUnseen(error)
      throw new Outage(isTelegram(error, 'token') ? 'token' : 'telegram', error.message, error.retryAfterMs)
    }
  }
}

/** What stands under a request's video. */
async function shownFor({ db, bot }: DeliveryDeps, request: ClaimedRequest, display: string): Promise<Presentation> {
  const payload = await sharePayload(db, { display, chatId: request.chatId }, bot)
  return presentationOf({ display, payload, ...whoAsked(request) }, bot)
}

/** Uploads to a person, with less under the video where Telegram refuses it. @throws TelegramError */
async function uploadTo(
  deps: DeliveryDeps,
  request: ClaimedRequest,
  { display }: ClaimedAsset,
  video: VideoFile,
  signal: AbortSignal,
): Promise<Message> {
  let shown = await shownFor(deps, request, display)
  for (;;) {
    try {
      const options = { ...videoOptions(video), ...shown }
      return await deps.api.sendVideo(String(request.chatId), videoUpload(video), options, signal as never)
    } catch (error) {
      const less =
        error instanceof TelegramError && error.kind === 'refused' ? simpler(shown, error.description) : undefined
      if (less === undefined) throw error
      shown = less
    }
  }
}
