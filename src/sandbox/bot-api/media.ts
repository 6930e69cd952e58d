/** Looks at uploaded files as Telegram's servers do: is it an mp4, has it sound, how large is the picture. */
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'

export interface Mp4 {
  /** rounded to seconds, as Telegram tells it */
  durationSeconds: number
  width: number
  height: number
  hasVideo: boolean
  hasSound: boolean
}

interface Box {
  type: string
  /** of its content, after the header */
  start: number
  end: number
}

/** What the file's `moov` says; undefined when it is no mp4 with a readable index. */
export async function lookAtMp4(path: string): Promise<Mp4 | undefined> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    const top = await boxes(file, 0, size)
    const moov = top.find((box) => box.type === 'moov')
    // An index of more than 16 MB belongs to no clip that may be uploaded.
    if (top[0]?.type !== 'ftyp' || moov === undefined || moov.end - moov.start > 16 * 1024 * 1024) return undefined
    const bytes = Buffer.alloc(moov.end - moov.start)
    const { bytesRead } = await file.read(bytes, 0, bytes.length, moov.start)
    return bytesRead === bytes.length ? readIndex(bytes) : undefined
  } finally {
    await file.close()
  }
}

async function boxes(file: FileHandle, from: number, to: number): Promise<Box[]> {
  const found: Box[] = []
  const header = Buffer.alloc(16)
  for (let at = from; at + 8 <= to && found.length < 1_000;) {
    await file.read(header, 0, 16, at)
    const box = boxAt(header, 0, at, to)
    if (box === undefined) break
    found.push(box)
    at = box.end
  }
  return found
}

function boxAt(header: Buffer, offset: number, at: number, to: number): Box | undefined {
  const short = header.readUInt32BE(offset)
  const type = header.toString('latin1', offset + 4, offset + 8)
  const long = short === 1
  const length = short === 0 ? to - at : long ? Number(header.readBigUInt64BE(offset + 8)) : short
  const start = at + (long ? 16 : 8)
  const end = at + length
  return end < start || end > to ? undefined : { type, start, end }
}

function inside(bytes: Buffer, from: number, to: number): Box[] {
  const found: Box[] = []
  for (let at = from; at + 8 <= to;) {
    if (bytes.readUInt32BE(at) === 1 && at + 16 > to) break
    const box = boxAt(bytes, at, at, to)
    if (box === undefined) break
    found.push(box)
    at = box.end
  }
  return found
}

function readIndex(moov: Buffer): Mp4 | undefined {
  const result: Mp4 = { durationSeconds: 0, width: 0, height: 0, hasVideo: false, hasSound: false }
  try {
    for (const box of inside(moov, 0, moov.length)) {
      if (box.type === 'mvhd') {
        const wide = moov[box.start] === 1
        const scale = moov.readUInt32BE(box.start + (wide ? 20 : 12))
        const length = wide ? Number(moov.readBigUInt64BE(box.start + 24)) : moov.readUInt32BE(box.start + 16)
        result.durationSeconds = scale === 0 ? 0 : Math.round(length / scale)
      }
      if (box.type === 'trak') readTrack(moov, box, result)
    }
  } catch (error) {
    if (error instanceof RangeError) return undefined // cut short inside
    throw error
  }
  return result
}

function readTrack(moov: Buffer, track: Box, result: Mp4): void {
  const parts = inside(moov, track.start, track.end)
  const media = parts.find((box) => box.type === 'mdia')
  const handler = media && inside(moov, media.start, media.end).find((box) => box.type === 'hdlr')
  const kind = handler && moov.toString('latin1', handler.start + 8, handler.start + 12)
  if (kind === 'soun') result.hasSound = true
  if (kind !== 'vide' || result.hasVideo) return
  result.hasVideo = true
  const header = parts.find((box) => box.type === 'tkhd')
  if (header === undefined) return
  // width and height are the last two fields, 16.16 fixed point
  result.width = moov.readUInt32BE(header.end - 8) >>> 16
  result.height = moov.readUInt32BE(header.end - 4) >>> 16
}

/** Size in pixels of a JPEG; undefined when it is none. */
export function jpegSize(bytes: Buffer): { width: number; height: number } | undefined {
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8) return undefined
  for (let at = 2; at + 9 <= bytes.length;) {
    if (bytes[at] !== 0xff) return undefined
    const marker = bytes[at + 1] ?? 0
    if (marker === 0xff) {
      at += 1
      continue
    }
    const startOfFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
    if (startOfFrame) return { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) }
    at += 2 + bytes.readUInt16BE(at + 2)
  }
  return undefined
}
