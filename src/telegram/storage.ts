/** Posts a finished video to a storage channel, to obtain the `file_id` by which it is sent from then on. */
import { setTimeout as sleep } from 'node:timers/promises'
import { InputFile } from 'grammy'
import type { Message } from 'grammy/types'
import type { Times } from '../config.ts'
import type { Db } from '../db/database.ts'
import type { Post } from '../greetings/assets.ts'
import { emit } from '../events.ts'
import { AssetFault, Outage } from '../errors.ts'
import type { Api } from './api.ts'
import { noChannel, usableChannels, type Channels } from './channels.ts'
import { TelegramError } from './errors.ts'
import { channelKey, pauseBucket, reservePost } from './flood.ts'

/** A file ready for Telegram. Lengths in pixels and seconds. */
export interface VideoFile {
  path: string
  thumbnailPath: string
  width: number
  height: number
  durationSeconds: number
}

/** The storage channels, and what an upload to them needs. */
export interface Storage extends Channels {
  db: Db
  api: Api
  ratePerMinute: number
  times: Times
  log: { warn(fields: object, message: string): void }
}

/** What `sendVideo` is told about the file: clients show a square tile without it. */
export function videoOptions({ width, height, durationSeconds, thumbnailPath }: VideoFile) {
  return {
    width,
    height,
    duration: Math.round(durationSeconds),
    supports_streaming: true,
    thumbnail: new InputFile(thumbnailPath, 'poster.jpg'),
  } as const
}

/** The file as an upload; the name says nothing about whose greeting it is. */
export function videoUpload({ path }: VideoFile): InputFile {
  return new InputFile(path, 'greeting.mp4')
}

/** Telegram's record of a video it took. @throws AssetFault when it took the file as something else */
export function postOf(message: Message, chatId: bigint | null): Post {
  if (message.video === undefined) throw new AssetFault('gate', 'Telegram did not take the file as a video with sound')
  // 0 stands for a message in a very large channel that is not usable yet.
  const messageId = chatId === null || message.message_id === 0 ? null : message.message_id
  return { fileId: message.video.file_id, fileUniqueId: message.video.file_unique_id, chatId, messageId }
}

/** TELEGRAM_API_LOCAL promises what the server does not keep. No video is to blame for that. */
export function filesUnseen({ description }: TelegramError): Outage {
  return new Outage(
    'storage',
    `The Bot API server cannot read files by their path (${description}). Start it with --local, where ` +
      'it sees the folder of rendered files at the same path and may read it, or unset TELEGRAM_API_LOCAL.',
  )
}

/** Uploads that this process is sending now. */
let onTheirWay = 0

async function send(api: Api, chatId: string, video: VideoFile, signal: AbortSignal): Promise<Message> {
  const started = performance.now()
  onTheirWay++
  try {
    const message = await api.sendVideo(chatId, videoUpload(video), videoOptions(video), signal as never)
    emit({ what: 'sent', seconds: (performance.now() - started) / 1_000, parallel: onTheirWay })
    return message
  } finally {
    onTheirWay--
  }
}

/** Times an upload is tried in a row when the server, or the way to it, fails. */
const triesInARow = 3

/**
 * Uploads to whichever channel is free soonest. A person's video goes before those nobody waits for. A channel that
 * asks for rest, or refuses the bot, is left alone while the others go on.
 * @throws AssetFault, Outage, or the signal's reason
 */
export async function uploadToStorage(
  storage: Storage,
  video: VideoFile,
  { signal, isWanted }: { signal: AbortSignal; isWanted: () => boolean },
): Promise<Post> {
  const { db, api, ratePerMinute, times } = storage
  const trying: Trying = { usable: new Set(usableChannels(storage)), failures: 0, signal }
  for (;;) {
    signal.throwIfAborted()
    if (trying.usable.size === 0) throw noChannel()
    const ticket = await reservePost(db, [...trying.usable], {
      perMinute: ratePerMinute,
      wanted: isWanted(),
      secondMs: times.telegramSecondMs,
    })
    if ('waitMs' in ticket) {
      if (ticket.restMs > times.longestFloodSleepMs)
        throw new Outage('telegram', 'Telegram asks to post less for a while.', ticket.restMs)
      await sleep(Math.min(ticket.waitMs, times.pollMs), undefined, { signal })
      continue
    }
    const chatId = ticket.key.slice('channel:'.length)
    try {
      return postOf(await send(api, chatId, video, signal), BigInt(chatId))
    } catch (error) {
      if (!(error instanceof TelegramError)) throw error
      signal.throwIfAborted()
      await afterRefusal(storage, chatId, error, trying)
    }
  }
}

/** An upload under way: the channels that are left, and how often the server failed in a row. */
interface Trying {
  usable: Set<string>
  failures: number
  signal: AbortSignal
}

/** Telegram did not take the video in this channel: returns when another try makes sense. @throws AssetFault, Outage */
async function afterRefusal(
  { db, chatIds, times, log }: Storage,
  chatId: string,
  error: TelegramError,
  trying: Trying,
): Promise<void> {
  const key = channelKey(chatId)
  switch (error.kind) {
    case 'flood':
      return pauseBucket(db, key, error.retryAfterMs ?? times.telegramSecondMs, 600 * times.telegramSecondMs)
    case 'no_rights':
    case 'person_unreachable':
    case 'migrated':
      trying.usable.delete(chatId)
      await pauseBucket(db, key, times.outageMs, times.outageMs)
      return log.warn(
        { trouble: key, channel: chatIds.indexOf(chatId) + 1, code: error.code },
        'a storage channel refuses posts; the others go on',
      )
    case 'too_large':
      throw new AssetFault('too_large', error.message)
    case 'refused':
    case 'bad_file_id':
      throw new AssetFault('gate', error.message)
    case 'file_unseen':
      throw filesUnseen(error)
    case 'token':
      throw new Outage('token', 'Telegram does not accept the bot’s token.')
    case 'server':
    case 'not_sent':
    case 'unknown_outcome':
    case 'conflict':
    case 'aborted':
      // Of an answer that was lost the post may stand in the channel already; a second one there harms nobody.
      if (error.kind === 'unknown_outcome') await countRepeatedUpload(db)
      if (++trying.failures >= triesInARow) throw new Outage('telegram', error.message)
      await sleep(trying.failures * times.telegramSecondMs, undefined, { signal: trying.signal })
  }
}

/** An upload's answer was lost, so it is made again. */
export async function countRepeatedUpload(db: Db): Promise<void> {
  await db.$executeRaw`UPDATE "Installation" SET "repeatedUploads" = "repeatedUploads" + 1 WHERE id = 1`
}
