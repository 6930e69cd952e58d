/**
 * File identifiers. An id says by itself which file it means, for which bot it was made and when, sealed
 * with the world's secret: any number of ids may name one file, and none of them has to be remembered.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/** What the server calls the type of a file in its refusals. */
export type FileKind = 'video' | 'animation' | 'document' | 'photo' | 'voice' | 'thumbnail'

const letters: Record<FileKind, string> = {
  video: 'BAACAgIAAx',
  animation: 'CgACAgIAAx',
  document: 'BQACAgIAAx',
  photo: 'AgACAgIAAx',
  voice: 'AwACAgIAAx',
  thumbnail: 'AAMCAgADIQ',
}

export interface FileReference {
  kind: FileKind
  /** the file's `file_unique_id` */
  unique: string
  botId: number
  /** a clock of the world that never stands still: milliseconds, each used once */
  issued: number
}

/** The `file_unique_id` of what has this content. */
export function uniqueId(kind: FileKind, sha256: string): string {
  const hash = createHash('sha256').update(`${kind} ${sha256}`).digest('base64url')
  return `AgAD${hash.slice(0, 12)}`
}

/** Makes an id of which no second one exists: `issued` differs every time. */
export function sealFileId(reference: FileReference, secret: string): string {
  const body = Buffer.from(`${reference.botId}.${reference.issued}.${reference.unique}`)
  const seal = mac(body, letters[reference.kind], secret)
  return letters[reference.kind] + mask(Buffer.concat([seal, body])).toString('base64url')
}

/** Reads an id; undefined when it is not one of this world. */
export function openFileId(fileId: string, secret: string): FileReference | undefined {
  const kind = (Object.keys(letters) as FileKind[]).find((one) => fileId.startsWith(letters[one]))
  if (kind === undefined) return undefined
  const raw = mask(Buffer.from(fileId.slice(letters[kind].length), 'base64url'))
  const seal = raw.subarray(0, 8)
  const body = raw.subarray(8)
  if (seal.length < 8 || !timingSafeEqual(seal, mac(body, letters[kind], secret))) return undefined
  const [botId, issued, unique] = body.toString().split('.')
  if (unique === undefined) return undefined
  return { kind, unique, botId: Number(botId), issued: Number(issued) }
}

function mac(body: Buffer, prefix: string, secret: string): Buffer {
  return createHmac('sha256', secret).update(prefix).update(body).digest().subarray(0, 8)
}

// Opaque means that nobody can be tempted to read one; the seal's first byte makes every id look different.
function mask(bytes: Buffer): Buffer {
  const masked = Buffer.from(bytes)
  const seed = masked[0] ?? 0
  for (let i = 8; i < masked.length; i++) masked[i] = (masked[i] ?? 0) ^ ((seed * 31 + i * 17) & 0xff)
  return masked
}
