/** Methods about files: sending them, in the four ways in which a call can bring one, and fetching them. */
import { readFile } from 'node:fs/promises'
import { badRequest } from '../refusal.ts'
import type { FileKind } from '../state/file-ids.ts'
import type { FileRecord, StoredMedia, StoredPicture, Upload } from '../state/records.ts'
import type { SandboxState } from '../state/state.ts'
import { writableChat } from './chat-access.ts'
import type { Call } from './context.ts'
import { jpegSize, lookAtMp4 } from './media.ts'
import { captioned, post } from './new-message.ts'
import { messageObject } from './objects.ts'
import { readLocalFile, type Parameters } from './parameters.ts'
import { number, text } from './values.ts'

const megabyte = 1024 * 1024

/** Above it Telegram reads no metadata of a video. */
const metadataLimit = 10 * megabyte

const downloadLimit = 20 * megabyte
/** `address`: what follows `file:/`, in local mode. */
export type FileParameter = { upload: Upload } | { address: string } | { fileId: string } | { url: string }

/** The part or the string that a parameter means. */
export function fileParameter(parameters: Parameters, name: string, local: boolean): FileParameter | undefined {
  const value = text(parameters, name)
  if (local && value.startsWith('file:/')) return { address: value.slice('file:/'.length) }
  const part = value.startsWith('attach://') ? value.slice('attach://'.length) : name
  const upload = value === '' || value.startsWith('attach://') ? parameters.uploads.get(part) : undefined
  if (upload !== undefined) return { upload }
  if (value === '' || value.startsWith('attach://')) return undefined
  return /^https?:\/\//i.test(value) ? { url: value } : { fileId: value }
}

// A file of this machine is read, and is an upload like any other from then on.
async function opened(
  call: Call,
  name: string,
  file: FileParameter,
): Promise<Exclude<FileParameter, { address: string }>> {
  if (!('address' in file)) return file
  const upload = await readLocalFile(file.address, call.state.incomingFolder)
  call.parameters.uploads.set(name, upload)
  return { upload }
}

export async function sendFile(call: Call, as: 'video' | 'document'): Promise<unknown> {
  const named = fileParameter(call.parameters, as, call.local)
  if (named === undefined) throw badRequest(`there is no ${as} in the request`)
  const chat = writableChat(call)
  const caption = captioned(call.parameters)
  const file = await opened(call, as, named)
  const media = 'upload' in file ? await uploaded(call, file.upload, as) : known(call, file, as)
  const cover = as === 'video' ? await coverPicture(call) : undefined
  const message = post(call, chat, {
    media: { ...media, ...(cover === undefined || media.kind !== 'video' ? {} : { cover }) },
    ...caption,
  })
  return messageObject(call.state, call.bot.id, chat.id, message)
}

async function uploaded(call: Call, upload: Upload, as: 'video' | 'document'): Promise<StoredMedia> {
  if (upload.size === 0) throw badRequest('file must be non-empty')
  call.record.uploadBytes = upload.size
  const { state, parameters } = call
  const mp4 = await lookAtMp4(upload.path)
  const kind: FileKind =
    as === 'document' || mp4 === undefined || !mp4.hasVideo ? 'document' : mp4.hasSound ? 'video' : 'animation'
  const read = upload.size <= metadataLimit ? mp4 : undefined
  const told = as === 'video' && kind !== 'document'
  const thumbnail = await thumbnailPicture(call)
  const file = await state.keepFile(upload, {
    kind,
    mimeType: mp4 === undefined ? mimeOf(upload.fileName) : 'video/mp4',
    width: told ? number(parameters, 'width') || (read?.width ?? 0) : 0,
    height: told ? number(parameters, 'height') || (read?.height ?? 0) : 0,
    duration: told ? number(parameters, 'duration') || (read?.durationSeconds ?? 0) : 0,
    ...(thumbnail === undefined ? {} : { thumbnail }),
  })
  return storedMedia(file)
}

/** A file as a message holds it. */
export function storedMedia(file: FileRecord): StoredMedia {
  const { unique, size, fileName, mimeType, width, height, duration, thumbnail } = file
  return {
    kind: file.kind as StoredMedia['kind'],
    unique,
    size,
    fileName,
    mimeType,
    width,
    height,
    duration,
    ...(thumbnail === undefined ? {} : { thumbnail }),
  }
}

function known(call: Call, file: { fileId: string } | { url: string }, as: 'video' | 'document'): StoredMedia {
  // Without local mode an address of a file is a URL like any other where it holds a dot.
  if ('fileId' in file && file.fileId.includes('.') && file.fileId.includes('://'))
    throw badRequest('invalid file HTTP URL specified: Unsupported URL protocol')
  // The sandbox reaches no other server, so no URL has content.
  if ('url' in file) throw badRequest('failed to get HTTP URL content')
  const reference = call.state.openFileId(file.fileId, call.bot.id)
  if (reference === undefined) throw badRequest('wrong file identifier/HTTP URL specified')
  const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)
  if (!['video', 'animation', 'document'].includes(reference.kind))
    throw badRequest(`can't use file of type ${capital(reference.kind)} as ${capital(as)}`)
  call.record.fileUniqueId = reference.unique
  return storedMedia(call.state.files.get(reference.unique) as FileRecord)
}

// Telegram drops a thumbnail it does not like without a word.
async function thumbnailPicture(call: Call): Promise<StoredPicture | undefined> {
  const name =
    text(call.parameters, 'thumbnail') !== '' || call.parameters.uploads.has('thumbnail') ? 'thumbnail' : 'thumb'
  const named = fileParameter(call.parameters, name, call.local)
  if (named === undefined) return undefined
  const file = await opened(call, name, named).catch(() => undefined)
  const picture =
    file !== undefined && 'upload' in file && file.upload.size <= 200_000
      ? await keepPicture(call.state, file.upload, 'thumbnail', 320)
      : undefined
  call.record.thumbnail = picture === undefined ? 'ignored' : 'taken'
  return picture
}

async function coverPicture(call: Call): Promise<StoredPicture | undefined> {
  const named = fileParameter(call.parameters, 'cover', call.local)
  if (named === undefined) return undefined
  const file = await opened(call, 'cover', named)
  if ('url' in file) throw badRequest('failed to get HTTP URL content')
  if ('upload' in file) {
    const picture = await keepPicture(call.state, file.upload, 'photo', 10_000)
    if (picture === undefined) throw badRequest('IMAGE_PROCESS_FAILED')
    return picture
  }
  const reference = call.state.openFileId(file.fileId, call.bot.id)
  const record = reference && call.state.files.get(reference.unique)
  if (reference === undefined || record === undefined) throw badRequest('wrong file identifier/HTTP URL specified')
  if (reference.kind !== 'photo')
    throw badRequest(
      `can't use file of type ${reference.kind.charAt(0).toUpperCase()}${reference.kind.slice(1)} as Photo`,
    )
  return { unique: record.unique, width: record.width, height: record.height, size: record.size }
}

async function keepPicture(
  state: SandboxState,
  upload: Upload,
  kind: 'thumbnail' | 'photo',
  largest: number,
): Promise<StoredPicture | undefined> {
  const pixels = jpegSize(await readFile(upload.path))
  if (pixels === undefined || Math.max(pixels.width, pixels.height) > largest) return undefined
  const { unique, size } = await state.keepFile(upload, { kind, mimeType: 'image/jpeg', ...pixels, duration: 0 })
  return { unique, size, ...pixels }
}

function mimeOf(fileName: string): string {
  const known: Record<string, string> = {
    mp4: 'video/mp4',
    jpg: 'image/jpeg',
    png: 'image/png',
    txt: 'text/plain',
    webm: 'video/webm',
    mkv: 'video/x-matroska',
  }
  return known[fileName.split('.').pop()?.toLowerCase() ?? ''] ?? 'application/octet-stream'
}

const folders: Record<FileKind, string> = {
  video: 'videos',
  animation: 'animations',
  document: 'documents',
  photo: 'photos',
  voice: 'voice',
  thumbnail: 'thumbnails',
}

export function getFile({ state, bot, parameters, local }: Call): unknown {
  const fileId = text(parameters, 'file_id')
  if (fileId === '') throw badRequest('file_id not specified')
  const reference = state.openFileId(fileId, bot.id)
  if (reference === undefined) {
    // An id that was made somewhere is told apart from a text that never was one.
    throw badRequest(
      /^[A-Za-z0-9_-]{30,}$/.test(fileId) ? 'wrong file_id or the file is temporarily unavailable' : 'invalid file_id',
    )
  }
  const file = state.files.get(reference.unique) as FileRecord
  if (!local && file.size > downloadLimit) throw badRequest('file is too big')
  return {
    file_id: state.fileId(reference.kind, file.unique, bot.id),
    file_unique_id: file.unique,
    file_size: file.size,
    file_path: local ? state.filePath(file.sha256) : `${folders[file.kind]}/${file.unique}`,
  }
}
