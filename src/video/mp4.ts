/** A reader of the boxes of an MP4 file: as much as is needed to check one of ours without decoding it. */
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'

/** The file is no MP4 file, or a damaged one. */
export class Mp4Fault extends Error {
  override name = 'Mp4Fault'
}

export interface VideoTrack {
  /** four characters, `avc1` for H.264 */
  codec: string
  width: number
  height: number
  frames: number
  /** when every frame is shown for the same time, its length in seconds */
  frameSeconds: number | undefined
  /** how long the track is presented, seconds */
  seconds: number
  /** pixels are square */
  squarePixels: boolean
  /** from the AVC configuration: 100 is High */
  profile: number
  /** 40 is level 4.0 */
  level: number
  /** 1 is 4:2:0 */
  chromaFormat: number
  bitDepth: number
  /** indices of frames at which decoding may start */
  keyFrames: number[]
  rotated: boolean
}

export interface AudioTrack {
  /** `mp4a` */
  codec: string
  /** 2 is AAC-LC; undefined when the descriptor is missing */
  objectType: number | undefined
  sampleRate: number
  channels: number
  /** how long the track is presented, seconds */
  seconds: number
}

export interface Mp4 {
  bytes: number
  /** the index precedes the media, so that playing starts before the end has arrived */
  fastStart: boolean
  brand: string
  seconds: number
  video: VideoTrack | undefined
  audio: AudioTrack | undefined
}

interface Box {
  type: string
  start: number
  end: number
}

/** An index larger than this is none of ours: it is not read into memory. */
const largestIndexBytes = 8 * 1024 * 1024

/**
 * Reads the file's index. Every box must lie inside its parent and the media must be there to the last byte.
 * @throws Mp4Fault; errors of the file system
 */
export async function readMp4(path: string): Promise<Mp4> {
  const file = await open(path, 'r')
  try {
    return await readIndex(file)
  } catch (error) {
    if (error instanceof RangeError) throw new Mp4Fault('a box is cut short', { cause: error })
    throw error
  } finally {
    await file.close()
  }
}

async function readIndex(file: FileHandle): Promise<Mp4> {
  const { size } = await file.stat()
  const top = await topBoxes(file, size)
  const index = top.find(({ type }) => type === 'moov')
  const media = top.find(({ type }) => type === 'mdat')
  const fileType = top.find(({ type }) => type === 'ftyp')
  if (fileType === undefined || index === undefined || media === undefined)
    throw new Mp4Fault(`a box is missing: there are ${top.map(({ type }) => type).join(', ') || 'none'}`)
  if (index.end - index.start > largestIndexBytes) throw new Mp4Fault('the index is too large')
  const moov = Buffer.alloc(index.end - index.start)
  await file.read(moov, 0, moov.length, index.start)
  const brand = Buffer.alloc(4)
  await file.read(brand, 0, 4, fileType.start)

  const header = need(moov, whole(moov), 'mvhd')
  const long = moov.readUInt8(header.start) === 1
  const timeScale = moov.readUInt32BE(header.start + (long ? 20 : 12))
  const duration = long ? Number(moov.readBigUInt64BE(header.start + 24)) : moov.readUInt32BE(header.start + 16)
  let video: VideoTrack | undefined
  let audio: AudioTrack | undefined
  for (const track of boxes(moov, whole(moov)).filter(({ type }) => type === 'trak')) {
    const mdia = need(moov, track, 'mdia')
    const handler = need(moov, mdia, 'hdlr')
    const kind = moov.toString('latin1', handler.start + 8, handler.start + 12)
    if (liesElsewhere(moov, mdia)) throw new Mp4Fault('its media lie in another file')
    if (kind === 'vide') video ??= readVideo(moov, track, mdia, timeScale)
    if (kind === 'soun') audio ??= readAudio(moov, track, mdia, timeScale)
  }
  return {
    bytes: size,
    fastStart: index.start < media.start,
    brand: brand.toString('latin1'),
    seconds: duration / timeScale,
    video,
    audio,
  }
}

async function topBoxes(file: FileHandle, size: number): Promise<Box[]> {
  const found: Box[] = []
  const header = Buffer.alloc(16)
  for (let at = 0; at < size;) {
    const { bytesRead } = await file.read(header, 0, 16, at)
    if (bytesRead < 8) throw new Mp4Fault('the file ends inside a box')
    let length = header.readUInt32BE(0)
    let skip = 8
    if (length === 1) {
      length = Number(header.readBigUInt64BE(8))
      skip = 16
    } else if (length === 0) {
      length = size - at
    }
    if (length < skip || at + length > size) throw new Mp4Fault('the file ends inside a box')
    found.push({ type: header.toString('latin1', 4, 8), start: at + skip, end: at + length })
    at += length
  }
  return found
}

const whole = (buffer: Buffer): Box => ({ type: '', start: 0, end: buffer.length })

function boxes(buffer: Buffer, parent: Box, offset = 0): Box[] {
  const found: Box[] = []
  for (let at = parent.start + offset; at + 8 <= parent.end;) {
    const length = buffer.readUInt32BE(at)
    if (length < 8 || at + length > parent.end) throw new Mp4Fault(`a box inside ${parent.type || 'moov'} is damaged`)
    found.push({ type: buffer.toString('latin1', at + 4, at + 8), start: at + 8, end: at + length })
    at += length
  }
  return found
}

function find(buffer: Buffer, parent: Box, ...path: string[]): Box | undefined {
  let box: Box | undefined = parent
  for (const type of path) box = box && boxes(buffer, box).find((one) => one.type === type)
  return box
}

function need(buffer: Buffer, parent: Box, ...path: string[]): Box {
  const found = find(buffer, parent, ...path)
  if (found === undefined) throw new Mp4Fault(`the box ${path.join('/')} is missing`)
  return found
}

/** A track may name the file its media lie in; the lowest flag says that it is this one. */
function liesElsewhere(moov: Buffer, mdia: Box): boolean {
  const references = find(moov, mdia, 'minf', 'dinf', 'dref')
  return (
    references !== undefined && boxes(moov, references, 8).some(({ start }) => (moov.readUInt32BE(start) & 1) === 0)
  )
}

function mediaTimeScale(moov: Buffer, mdia: Box): number {
  const header = need(moov, mdia, 'mdhd')
  return moov.readUInt32BE(header.start + (moov.readUInt8(header.start) === 1 ? 20 : 12))
}

/** What the edit list says is presented; without one, the media's own length. */
function presentedSeconds(moov: Buffer, track: Box, mdia: Box, timeScale: number): number {
  const edits = find(moov, track, 'edts', 'elst')
  if (edits !== undefined) {
    const long = moov.readUInt8(edits.start) === 1
    let sum = 0
    for (let index = 0; index < moov.readUInt32BE(edits.start + 4); index++) {
      const at = edits.start + 8 + index * (long ? 20 : 12)
      const empty = long ? moov.readBigInt64BE(at + 8) < 0n : moov.readInt32BE(at + 4) < 0
      if (!empty) sum += long ? Number(moov.readBigUInt64BE(at)) : moov.readUInt32BE(at)
    }
    return sum / timeScale
  }
  const header = need(moov, mdia, 'mdhd')
  const duration =
    moov.readUInt8(header.start) === 1
      ? Number(moov.readBigUInt64BE(header.start + 24))
      : moov.readUInt32BE(header.start + 16)
  return duration / mediaTimeScale(moov, mdia)
}

function readVideo(moov: Buffer, track: Box, mdia: Box, timeScale: number): VideoTrack {
  const table = need(moov, mdia, 'minf', 'stbl')
  const descriptions = need(moov, table, 'stsd')
  const entry = boxes(moov, descriptions, 8)[0]
  if (entry === undefined) throw new Mp4Fault('the video track is not described')
  const details = boxes(moov, entry, 78)
  const configuration = details.find(({ type }) => type === 'avcC')
  const aspect = details.find(({ type }) => type === 'pasp')
  const profile = configuration === undefined ? 0 : moov.readUInt8(configuration.start + 1)
  const { chromaFormat, bitDepth } =
    configuration === undefined ? { chromaFormat: 0, bitDepth: 0 } : highProfileFormat(moov, configuration, profile)

  const times = need(moov, table, 'stts')
  const runs: { count: number; ticks: number }[] = []
  for (let index = 0; index < moov.readUInt32BE(times.start + 4); index++) {
    runs.push({
      count: moov.readUInt32BE(times.start + 8 + index * 8),
      ticks: moov.readUInt32BE(times.start + 12 + index * 8),
    })
  }
  const sizes = need(moov, table, 'stsz')
  const frames = moov.readUInt32BE(sizes.start + 8)
  if (runs.reduce((sum, run) => sum + run.count, 0) !== frames)
    throw new Mp4Fault('the video track counts its frames in two ways')
  const sync = find(moov, table, 'stss')
  const keyFrames =
    sync === undefined
      ? []
      : Array.from(
          { length: moov.readUInt32BE(sync.start + 4) },
          (_, index) => moov.readUInt32BE(sync.start + 8 + index * 4) - 1,
        )
  const ticks = new Set(runs.map((run) => run.ticks))
  const placement = need(moov, track, 'tkhd')
  const matrix = placement.start + (moov.readUInt8(placement.start) === 1 ? 52 : 40)
  return {
    codec: entry.type,
    width: moov.readUInt16BE(entry.start + 24),
    height: moov.readUInt16BE(entry.start + 26),
    frames,
    frameSeconds: ticks.size === 1 ? (runs[0]?.ticks ?? 0) / mediaTimeScale(moov, mdia) : undefined,
    seconds: presentedSeconds(moov, track, mdia, timeScale),
    squarePixels: aspect === undefined || moov.readUInt32BE(aspect.start) === moov.readUInt32BE(aspect.start + 4),
    profile,
    level: configuration === undefined ? 0 : moov.readUInt8(configuration.start + 3),
    chromaFormat,
    bitDepth,
    keyFrames,
    rotated: moov.readUInt32BE(matrix) !== 0x0001_0000 || moov.readUInt32BE(matrix + 16) !== 0x0001_0000,
  }
}

/**
 * High profiles tell chroma format and bit depth behind the parameter sets;
 * Main and Baseline are always 4:2:0 of 8 bits.
 */
function highProfileFormat(
  moov: Buffer,
  configuration: Box,
  profile: number,
): { chromaFormat: number; bitDepth: number } {
  if (![100, 110, 122, 144, 244].includes(profile)) return { chromaFormat: 1, bitDepth: 8 }
  let at = configuration.start + 5
  for (const mask of [0x1f, 0xff]) {
    const count = moov.readUInt8(at) & mask
    at += 1
    for (let index = 0; index < count; index++) at += 2 + moov.readUInt16BE(at)
  }
  if (at + 2 > configuration.end) return { chromaFormat: 1, bitDepth: 8 }
  return { chromaFormat: moov.readUInt8(at) & 3, bitDepth: (moov.readUInt8(at + 1) & 7) + 8 }
}

function readAudio(moov: Buffer, track: Box, mdia: Box, timeScale: number): AudioTrack {
  const descriptions = need(moov, mdia, 'minf', 'stbl', 'stsd')
  const entry = boxes(moov, descriptions, 8)[0]
  if (entry === undefined) throw new Mp4Fault('the sound track is not described')
  const descriptor = boxes(moov, entry, 28).find(({ type }) => type === 'esds')
  return {
    codec: entry.type,
    objectType: descriptor === undefined ? undefined : aacObjectType(moov, descriptor),
    sampleRate: moov.readUInt16BE(entry.start + 24),
    channels: moov.readUInt16BE(entry.start + 16),
    seconds: presentedSeconds(moov, track, mdia, timeScale),
  }
}

/** The first five bits of the decoder's own configuration, which lies two descriptors deep. */
function aacObjectType(moov: Buffer, descriptor: Box): number | undefined {
  let at = descriptor.start + 4
  while (at < descriptor.end) {
    const tag = moov.readUInt8(at++)
    let byte: number
    do byte = moov.readUInt8(at++)
    while ((byte & 0x80) !== 0 && at < descriptor.end)
    if (tag === 3) at += 3
    else if (tag === 4) at += 13
    else if (tag === 5) return moov.readUInt8(at) >> 3
    else return undefined
  }
  return undefined
}
