/** Ids of stored videos that Telegram refuses: where a fresh one comes from. */
import type { Times } from '../config.ts'
import type { Db } from '../db/database.ts'
import { dropFileId, findStored, replaceFileId } from '../greetings/assets.ts'
import { enqueue, enqueueFor } from '../greetings/enqueue.ts'
import { rememberPost } from '../greetings/former.ts'
import type { GreetingsQueue, Lane } from '../queue/index.ts'
import { isTelegram, type Api } from './api.ts'
import { TelegramError } from './errors.ts'
import { channelKey, pauseBucket } from './flood.ts'

/** What repairing needs. */
export interface FileIdDeps {
  db: Db
  api: Api
  queue: GreetingsQueue
  botId: bigint
  times: Times
  log: { info(fields: object, message: string): void; warn(fields: object, message: string): void }
}

/**
 * Replaces a `file_id` that Telegram refuses. The stored post, forwarded within its channel, carries a fresh
 * one; without it the asset becomes work again (`remaking`), which uploads the kept file. `later`: Telegram
 * could not be asked now.
 */
export async function repairFileId(
  deps: FileIdDeps,
  assetId: string,
  dead: string,
  lane: Lane = 'people',
): Promise<{ fileId: string } | 'remaking' | 'later'> {
  const { api, db, botId } = deps
  const stored = await findStored(db, assetId)
  if (stored === undefined || stored.fileId === null) return 'remaking'
  if (stored.fileId !== dead) return { fileId: stored.fileId }
  if (stored.chatId !== null && stored.messageId !== null) {
    const chatId = String(stored.chatId)
    try {
      const copy = await api.forwardMessage(chatId, chatId, stored.messageId)
      await api
        .deleteMessage(chatId, copy.message_id)
        .catch(() => rememberPost(db, stored.name, { chatId: BigInt(chatId), messageId: copy.message_id }))
      const fresh = 'video' in copy ? copy.video?.file_id : undefined
      if (fresh !== undefined && fresh !== dead) {
        const replaced = await replaceFileId(db, assetId, dead, { fileId: fresh, botId })
        if (replaced) deps.log.info({ assetId }, 'a dead file_id was replaced from the stored post')
        return replaced ? { fileId: fresh } : 'later'
      }
    } catch (error) {
      if (!(error instanceof TelegramError)) throw error
      deps.log.warn({ assetId, code: error.code }, 'the stored post gives no fresh file_id')
      // The copy is a post of the channel like any other.
      if (error.kind === 'flood')
        await pauseBucket(
          db,
          channelKey(chatId),
          error.retryAfterMs ?? deps.times.telegramSecondMs,
          600 * deps.times.telegramSecondMs,
        )
      if (isTelegram(error, 'flood', 'server', 'not_sent', 'unknown_outcome')) return 'later'
    }
  }
  const job = await dropFileId(db, assetId, dead)
  if (job !== undefined) {
    deps.log.info({ assetId }, 'a dead file_id: the video will be uploaded again')
    await (lane === 'people' ? enqueueFor(deps, job) : enqueue(deps, lane, [job])).catch(() => undefined)
  }
  return 'remaking'
}
