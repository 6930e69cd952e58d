/** Files that people send to a bot. */
import { createHash, randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { commandEntities } from '../bot-api/formatting.ts'
import { jpegSize } from '../bot-api/media.ts'
import type { SentDocument, SharedContact } from '../contract.ts'
import { type ControlContext, ControlError } from './context.ts'
import { saveUser, writeToBot } from './people.ts'
import { botOf, integer, string, type Body } from './values.ts'

const longestCaption = 1_024

/** A person sends a file in their private chat. Gives the id of the update; null: the bot wants no messages. */
export async function sendDocument(context: ControlContext, sent: SentDocument): Promise<number | null> {
  const { state } = context
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
  const looks = { mimeType, duration: 0, ...looksOf(sent.kind ?? 'document', content) }
  const { unique, size } = await state.keepFile({ path, sha256, size: content.length, fileName }, looks)

  saveUser(context, { ...sent, userId })
  const entities = commandEntities(caption ?? '')
  return writeToBot(context, bot, userId, {
    media: { ...looks, unique, size, fileName },
    ...(caption === undefined ? {} : { caption }),
    ...(replyTo === undefined ? {} : { reply_to: replyTo }),
    ...(entities === undefined ? {} : { entities }),
  })
}

function looksOf(kind: 'document' | 'photo' | 'voice', content: Buffer) {
  if (kind !== 'photo') return { kind, width: 0, height: 0 }
  const pixels = jpegSize(content)
  if (pixels === undefined) throw new ControlError('a photo must be a JPEG')
  return { kind, mimeType: 'image/jpeg', ...pixels }
}

/** A person shares somebody's contact in their private chat. Gives the id of the update. */
export function shareContact(context: ControlContext, sent: SharedContact): number | null {
  const userId = integer(sent as unknown as Body, 'userId')
  const given = { ...sent.contact } as Body
  const lastName = given.lastName === undefined ? {} : { last_name: string(given, 'lastName') }
  const contact = { phone_number: string(given, 'phoneNumber'), first_name: string(given, 'firstName'), ...lastName }
  const bot = botOf(context, sent.botId)
  saveUser(context, { ...sent, userId })
  return writeToBot(context, bot, userId, { contact })
}
