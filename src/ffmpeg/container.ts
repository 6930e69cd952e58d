/**
 * Which container a media file is, told by its first bytes. ffmpeg itself guesses among hundreds of
 * formats, and some of them are lists of other files: an HLS or DASH playlist, a concat script, an SDP
 * description or a picture sequence called `clip.mp4` makes it read any file of this host, or call an
 * address. So we guess, among few, and tell ffmpeg the answer.
 */
import { open, stat } from 'node:fs/promises'

/**
 * The containers that are read, by the names of ffmpeg's demuxers. None of them can refer
 * to another file; `mov` can, and is told not to.
 */
export type Container = 'mov' | 'matroska' | 'mpegts' | 'wav' | 'aiff' | 'flac' | 'ogg' | 'mp3' | 'aac'

/** For people: what may be in a file that `containerOf` does not know. */
export const containerNames = 'MP4, MOV, M4A, Matroska, WebM, MPEG-TS, WAV, AIFF, FLAC, Ogg, MP3, AAC'

const packetBytes = 188

/**
 * The container of a file; undefined when it is none of those that are read, or no ordinary file.
 * @throws errors of the file system
 */
export async function containerOf(path: string): Promise<Container | undefined> {
  // Opening a named pipe would wait for a writer, for ever.
  if (!(await stat(path)).isFile()) return undefined
  const file = await open(path, 'r')
  try {
    const head = Buffer.alloc(packetBytes * 2 + 1)
    const look = async (at: number) => head.subarray(0, (await file.read(head, 0, head.length, at)).bytesRead)
    const start = await look(0)
    const tagBytes = id3Bytes(start)
    if (tagBytes === 0) return known(start)
    // An ID3 tag may stand before MP3, AAC and FLAC; behind it may be any padding.
    const behind = known(await look(tagBytes))
    return behind === 'flac' || behind === 'aac' ? behind : 'mp3'
  } finally {
    await file.close()
  }
}

function known(head: Buffer): Container | undefined {
  if (head.length < 12) return undefined
  const text = (start: number, end: number) => head.toString('latin1', start, end)
  if (text(4, 8) === 'ftyp') return 'mov'
  if (head.readUInt32BE(0) === 0x1a45_dfa3) return 'matroska'
  if (text(0, 4) === 'fLaC') return 'flac'
  if (text(0, 4) === 'OggS') return 'ogg'
  if (['RIFF', 'RF64'].includes(text(0, 4)) && text(8, 12) === 'WAVE') return 'wav'
  if (text(0, 4) === 'FORM' && ['AIFF', 'AIFC'].includes(text(8, 12))) return 'aiff'
  if (
    head.length > packetBytes &&
    [0, packetBytes, packetBytes * 2].every((at) => at >= head.length || head[at] === 0x47)
  )
    return 'mpegts'
  // A frame's sync word: in AAC the two bits of the layer are 0, in MP3 they are not.
  const sync = head.readUInt16BE(0)
  if ((sync & 0xfff6) === 0xfff0) return 'aac'
  if ((sync & 0xffe0) === 0xffe0 && (sync & 0x0006) !== 0) return 'mp3'
  return undefined
}

/** How long an ID3 tag at the start is; 0: there is none. */
function id3Bytes(head: Buffer): number {
  if (head.length < 10 || head.toString('latin1', 0, 3) !== 'ID3') return 0
  const size = [6, 7, 8, 9].reduce((sum, at) => sum * 128 + (head.readUInt8(at) & 0x7f), 0)
  const footer = (head.readUInt8(5) & 0x10) === 0 ? 0 : 10
  return 10 + size + footer
}
