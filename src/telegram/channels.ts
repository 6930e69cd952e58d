/** The storage channels: whether the bot may post there, and what is done while it may not. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Times } from '../config.ts'
import type { Db } from '../db/database.ts'
import { Outage } from '../errors.ts'
import { clearOutage, noteOutage } from '../greetings/outages.ts'
import type { Api } from './api.ts'
import { TelegramError } from './errors.ts'

/** The storage channels of one bot, as one process sees them. */
export interface Channels {
  chatIds: readonly string[]
  /** by chat id, why nothing is posted there */
  leftOut: Map<string, string>
}

/** A storage channel in which the bot may not post, and why. */
export interface ChannelFault {
  chatId: string
  problem: string
}

/** Those that take posts. */
export const usableChannels = ({ chatIds, leftOut }: Channels): string[] =>
  chatIds.filter((chatId) => !leftOut.has(chatId))

const mayNotPost = 'the bot is not an administrator who may post messages'

/**
 * Checks that the bot is an administrator who may post in each channel.
 * @throws TelegramError when Telegram cannot be asked; the signal's reason
 */
export async function checkChannels(
  api: Api,
  chatIds: readonly string[],
  botId: bigint,
  signal?: AbortSignal,
): Promise<ChannelFault[]> {
  const faults: ChannelFault[] = []
  for (const chatId of chatIds) {
    try {
      const chat = await api.getChat(chatId, signal as never)
      if (chat.type !== 'channel') {
        faults.push({ chatId, problem: `is a ${chat.type} chat, not a channel` })
        continue
      }
      const member = await api.getChatMember(chatId, Number(botId), signal as never)
      const mayPost =
        member.status === 'creator' || (member.status === 'administrator' && member.can_post_messages === true)
      if (!mayPost) faults.push({ chatId, problem: mayNotPost })
    } catch (error) {
      if (
        !(error instanceof TelegramError) ||
        !['no_rights', 'person_unreachable', 'refused', 'migrated'].includes(error.kind)
      )
        throw error
      // To a mere member Telegram does not tell what it is.
      faults.push({
        chatId,
        problem: /member list is inaccessible/i.test(error.description)
          ? mayNotPost
          : `Telegram says: ${error.description}`,
      })
    }
  }
  return faults
}

/** What there is to say where no channel takes posts. */
export function noChannel(): Outage {
  return new Outage(
    'storage',
    'No storage channel takes posts: make the bot an administrator with the right to post messages ' +
      'there, or correct STORAGE_CHAT_IDS. `greetings doctor` shows what is wrong with each.',
  )
}

interface Watch {
  db: Db
  api: Api
  botId: bigint
  times: Times
  log: { info(fields: object, message: string): void }
}

/**
 * Looks again and again at the channels that are left out, and takes back those in which the bot may post again. While
 * none takes posts the outage `storage` is on record. Ends when none is left out, or with the signal.
 */
export async function takeBackChannels(
  channels: Channels,
  { db, api, botId, times, log }: Watch,
  signal: AbortSignal,
): Promise<void> {
  while (channels.leftOut.size > 0 && !signal.aborted) {
    const isOut = usableChannels(channels).length === 0
    try {
      if (isOut) await noteOutage(db, noChannel(), 2 * times.outageMs)
      await sleep(times.outageMs, undefined, { signal })
      const before = [...channels.leftOut.keys()]
      const still = await checkChannels(api, before, botId, signal)
      for (const chatId of before) {
        if (still.some((fault) => fault.chatId === chatId)) continue
        channels.leftOut.delete(chatId)
        log.info(
          { channel: channels.chatIds.indexOf(chatId) + 1 },
          'the bot may post in a storage channel again, and it is used',
        )
      }
      if (isOut && usableChannels(channels).length > 0) await clearOutage(db, ['storage'])
    } catch {
      // Database or Telegram is away, or the process stops. What is left out stays so until they tell otherwise.
      if (!signal.aborted) await sleep(times.outageMs, undefined, { signal }).catch(() => undefined)
    }
  }
}
