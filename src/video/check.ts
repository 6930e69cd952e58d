/** The video check: what every finished file must be before anybody gets it. */
import { open } from 'node:fs/promises'
import { Mp4Fault, readMp4 } from './mp4.ts'
import { frameCount, windowFrames } from './template.ts'
import type { Template } from './template.ts'

/** From here on Telegram reads no metadata and shows a square tile. */
const sizeLimitBytes = 10_000_000

export interface CheckResult {
  /** what is wrong, one phrase each; empty when the file is good */
  faults: string[]
  /** the file is too large, whatever else it is */
  tooLarge: boolean
  bytes: number
}

/** Checks a finished file without decoding it: a few milliseconds. Errors of the file system are thrown. */
export async function checkVideo(file: string, template: Template): Promise<CheckResult> {
  let mp4
  try {
    mp4 = await readMp4(file)
  } catch (error) {
    if (error instanceof Mp4Fault) return { faults: [`no whole MP4 file: ${error.message}`], tooLarge: false, bytes: 0 }
    throw error
  }
  const faults: string[] = []
  const expect = (good: boolean, fault: string) => {
    if (!good) faults.push(fault)
  }
  const { video, audio } = mp4
  const frames = frameCount(template)
  const frameSeconds = 1 / template.fps
  expect(video !== undefined, 'no picture')
  if (video !== undefined) {
    expect(video.codec === 'avc1', `picture is ${video.codec}, not H.264`)
    expect(video.profile === 100, `H.264 profile ${video.profile}, not High`)
    expect(video.level <= 40, `H.264 level ${video.level / 10}, above 4.0`)
    expect(video.chromaFormat === 1 && video.bitDepth === 8, 'pixels are not 4:2:0 of 8 bits')
    expect(
      video.width === template.size.width && video.height === template.size.height,
      `${video.width}×${video.height} pixels, not ${template.size.width}×${template.size.height}`,
    )
    expect(video.squarePixels && !video.rotated, 'pixels are not square and upright')
    expect(video.frames === frames, `${video.frames} frames, not ${frames}`)
    expect(
      video.frameSeconds !== undefined && Math.abs(video.frameSeconds - frameSeconds) < 1e-4,
      'frames do not follow each other at a constant rate',
    )
    expect(
      Math.abs(video.seconds - template.seconds) <= frameSeconds,
      `picture of ${video.seconds.toFixed(3)} s, not ${template.seconds} s`,
    )
    const seams = template.windows
      .flatMap((window) => Object.values(windowFrames(template, window)))
      .filter((frame) => frame < frames)
    expect(
      [0, ...seams].every((frame) => video.keyFrames.includes(frame)),
      'a seam is not at a key frame',
    )
  }
  expect(audio !== undefined, 'no sound')
  if (audio !== undefined) {
    expect(audio.codec === 'mp4a' && audio.objectType === 2, 'sound is not AAC-LC')
    expect(audio.sampleRate === 48_000 || audio.sampleRate === 44_100, `sound of ${audio.sampleRate} Hz`)
    expect(
      video === undefined || Math.abs(audio.seconds - video.seconds) <= frameSeconds,
      `sound of ${audio.seconds.toFixed(3)} s beside a picture of ${video?.seconds.toFixed(3)} s`,
    )
  }
  expect(mp4.fastStart, 'index behind the media')
  const tooLarge = mp4.bytes >= sizeLimitBytes
  expect(!tooLarge, `${(mp4.bytes / 1e6).toFixed(1)} MB, not below ${sizeLimitBytes / 1e6}`)
  return { faults, tooLarge, bytes: mp4.bytes }
}

/** Whether the file begins and ends as a JPEG does and is small enough for a thumbnail. */
export async function isThumbnail(file: string): Promise<boolean> {
  const handle = await open(file, 'r').catch(() => undefined)
  if (handle === undefined) return false
  try {
    const { size } = await handle.stat()
    if (size < 100 || size >= 200_000) return false
    const ends = Buffer.alloc(4)
    await handle.read(ends, 0, 2, 0)
    await handle.read(ends, 2, 2, size - 2)
    return ends.toString('hex') === 'ffd8ffd9'
  } finally {
    await handle.close()
  }
}
