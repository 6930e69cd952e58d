/** Files that people send to a bot. */
import { createHash, randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { commandEntities } from '../bot-api/formatting.ts'
import { messageObject } from '../bot-api/objects.ts'
import type { SentDocument } from '../contract.ts'
import type { StoredMessage } from '../state/records.ts'
import { type ControlContext, ControlError } from './context.ts'
import { meet, saveUser } from './people.ts'
import { botOf, integer, now, string, updateId, type Body } from './values.ts'

const longestCaption = 1_024

/** A person sends a document in their private chat. Gives the id of the update; null: the bot wants no messages. */
export async function sendDocument(context: ControlContext, sent: SentDocument): Promise<number | null> {
  const { state, updates } = context
  const body = sent as unknown as Body
  const bot = botOf(context, sent.botId)
  const userId = integer(body, 'userId')
  // Clients send the last part of a path, whatever the person's file is called.
  const fileName = string(body, 'fileName')
  if (/[/\\\0]/.test(fileName)) throw new ControlError('fileName must be a name without a path')
  const content = Buffer.from(string(body, 'content'), 'base64')
  if (content.length === 0) throw new ControlError('content must be base64 of at least a byte')
  const { caption, mimeType = 'application/octet-stream', replyTo } = sent
  if (caption !== undefined && (caption === '' || caption.length > longestCaption))
    throw new ControlError(`caption must be a text of at most ${longestCaption} characters`)

  const path = join(state.incomingFolder, `${randomUUID()}.part`)
  await writeFile(path, content)
  const sha256 = createHash('sha256').update(content).digest('hex')
  const looks = { kind: 'document', mimeType, width: 0, height: 0, duration: 0 } as const
  const { unique, size } = await state.keepFile({ path, sha256, size: content.length, fileName }, looks)

  saveUser(context, { ...sent, userId })
  meet(context, bot, userId)
  const key = state.chatKey(bot.id, userId)
  const entities = commandEntities(caption ?? '')
  const message: StoredMessage = {
    message_id: state.nextMessageId(key),
    date: now(),
    from: userId,
    media: { ...looks, unique, size, fileName },
    ...(caption === undefined ? {} : { caption }),
    ...(replyTo === undefined ? {} : { reply_to: replyTo }),
    ...(entities === undefined ? {} : { entities }),
  }
  state.saveMessage(key, message)
  const told = messageObject(state, bot.id, userId, message)
  context.tell({ type: 'message', botId: bot.id, chatId: userId, message: told, edited: false })
  return updateId(context, bot, updates.add(bot.id, { message: told }))
}
