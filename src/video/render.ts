/**
 * From a name and its spoken greeting to a finished file: draw → encode → join → check. Runs in a process of its own
 * (render-process.ts), for drawing keeps a processor busy.
 */
import { createCanvas } from '@napi-rs/canvas'
import { open, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { AssetFault, diskOutage, Outage } from '../errors.ts'
import type { Sound } from '../audio/sound.ts'
import { drawName, type NameDrawing } from './drawing/index.ts'
import { frameBytes, mp4Options, nameless, partOptions, rawFrames, rawSound, soundOptions } from './encoding.ts'
import { FfmpegMissing, type Ffmpeg } from '../ffmpeg/find.ts'
import { FfmpegFailed, runFfmpeg } from '../ffmpeg/run.ts'
import { fill, frameSource, frameStream, toSmallRgba, windowFrame } from './frames.ts'
import { checkVideo } from './check.ts'
import { mixSound, readyMusic, TooLong } from '../audio/mix.ts'
import type { Music } from '../audio/mix.ts'
import { fixedParts } from './parts.ts'
import type { Parts } from './parts.ts'
import { frameCount, TemplateFault, typefaceFor, windowFrames } from './template.ts'
import type { Template } from './template.ts'
import { joinTransportStreams } from './transport-stream.ts'

/**
 * `prepare`: what all videos of the template share was made, or waited for, before this one. `gate`: the check of the
 * finished file; dashboards know it by that name.
 */
export type Step = 'speech' | 'prepare' | 'draw' | 'encode' | 'join' | 'gate'

/** Everything a render needs. Plain data, so that it can be sent to another process. */
export interface RenderJob {
  ffmpeg: Ffmpeg
  template: Template
  templateRevision: string
  /** what is drawn */
  display: string
  /** what is heard: one sound per entry of the template's `speech`, or a recording alone in the place of the first */
  spoken: Sound[]
  cacheFolder: string
  /** an empty folder for unfinished files, on the same file system as `videoFile` */
  workFolder: string
  videoFile: string
  thumbnailFile: string
}

/** Longest side of a thumbnail, pixels. */
const thumbnailSide = 320

/**
 * Makes the video and its thumbnail. Both appear whole or not at all, the video last. `onNote` is told what had to be mended.
 * @throws AssetFault; Outage; the signal's reason when aborted
 */
export async function render(
  job: RenderJob,
  signal: AbortSignal,
  onStep: (step: Step, ms: number) => void,
  onNote: (text: string) => void = () => undefined,
): Promise<void> {
  try {
    const parts = await fixedParts(job.ffmpeg, job.template, job.templateRevision, job.cacheFolder, signal, (ms) =>
      onStep('prepare', Math.round(ms)),
    )
    const unfinished = join(job.workFolder, 'video.mp4')
    const sound = await mix(job, parts)
    const drawn = await drawAll(job, parts, onStep)
    let result = await attempt(async () => {
      const windows = await timed(onStep, 'encode', () => encodeWindows(job, parts, drawn, signal))
      await timed(onStep, 'join', () => joinParts(job, parts, windows, sound, unfinished, signal))
      return timed(onStep, 'gate', () => checkVideo(unfinished, job.template))
    })
    if (result.faults.length > 0) {
      // The slow way, without any seam: every frame of the clip through one encoder.
      onNote(`the joined file did not pass the check (${result.faults.join('; ')}); it is made as a whole`)
      await timed(onStep, 'encode', () => attempt(() => encodeWhole(job, drawn, sound, unfinished, signal)))
      const first = result
      result = await timed(onStep, 'gate', () => checkVideo(unfinished, job.template))
      if (result.faults.length > 0)
        throw new AssetFault(
          result.tooLarge ? 'too_large' : 'gate',
          `The finished file is not as it must be, neither joined (${first.faults.join('; ')}) nor made as a whole (${result.faults.join('; ')}).`,
        )
    }
    await writeFile(join(job.workFolder, 'thumbnail.jpg'), await thumbnail(job, parts, drawn))
    await publish(join(job.workFolder, 'thumbnail.jpg'), job.thumbnailFile)
    await publish(unfinished, job.videoFile)
  } catch (error) {
    throw signal.aborted ? signal.reason : asFault(error)
  }
}

/**
 * Makes the video the slow way, without any seam: every frame of the clip through one encoder. What `render` falls back to,
 * and what it is measured against. Writes `video.mp4` into the work folder. Errors are those of its steps.
 */
export async function renderWhole(job: RenderJob, signal: AbortSignal): Promise<void> {
  const parts = await fixedParts(job.ffmpeg, job.template, job.templateRevision, job.cacheFolder, signal)
  const drawn = await drawAll(job, parts, () => undefined)
  await encodeWhole(job, drawn, await mix(job, parts), join(job.workFolder, 'video.mp4'), signal)
}

/** Makes the template's fixed parts, or finds them made. Throws as `render` does. */
export async function prepare(
  job: Pick<RenderJob, 'ffmpeg' | 'template' | 'templateRevision' | 'cacheFolder'>,
  signal: AbortSignal,
  onStep: (step: Step, ms: number) => void,
): Promise<void> {
  try {
    await fixedParts(job.ffmpeg, job.template, job.templateRevision, job.cacheFolder, signal, (ms) =>
      onStep('prepare', Math.round(ms)),
    )
  } catch (error) {
    throw signal.aborted ? signal.reason : asFault(error)
  }
}

/** What a failure of a step means for the asset. */
function asFault(error: unknown): Error {
  if (error instanceof AssetFault || error instanceof Outage) return error
  if (error instanceof FfmpegMissing) return new Outage('ffmpeg', error.message, undefined, { cause: error })
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EROFS')
    return diskOutage(
      `The disk of the cache or the renders has no room or cannot be written to (${code}). Make room, or set GREETINGS_HOME to another disk.`,
      { cause: error },
    )
  if (error instanceof FfmpegFailed) {
    if (/no space left on device|disk quota exceeded/i.test(error.tail))
      return diskOutage('The disk has no room for a video. Make room, or set GREETINGS_HOME to another disk.', {
        cause: error,
      })
    if (/could not be run/.test(error.message))
      return new Outage(
        'ffmpeg',
        `${error.message}. It was there before: reinstall it, or set FFMPEG_PATH.`,
        undefined,
        { cause: error },
      )
    return new AssetFault('render', error.message, { cause: error })
  }
  if (error instanceof TooLong)
    return new AssetFault('voice', `The greeting is too long: ${error.message}.`, { cause: error })
  if (error instanceof TemplateFault) return new AssetFault('render', error.message, { cause: error })
  return new AssetFault('render', error instanceof Error ? `${error.name}: ${error.message}` : 'rendering failed', {
    cause: error,
  })
}

/** Twice when ffmpeg stood still: that is a hiccup of the machine, not of the video. */
async function attempt<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof FfmpegFailed && error.reason === 'stalled') return work()
    throw error
  }
}

async function timed<T>(onStep: (step: Step, ms: number) => void, step: Step, work: () => Promise<T>): Promise<T> {
  const start = performance.now()
  try {
    return await work()
  } finally {
    onStep(step, Math.round(performance.now() - start))
  }
}

/** The music that was read last: a resident process makes one video of a template after the other. */
let ready: { file: string; music: Music } | undefined

async function readMusic(file: string, seconds: number): Promise<Music> {
  if (ready?.file !== file) {
    const bytes = await readFile(file)
    ready = { file, music: readyMusic(new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4), seconds) }
  }
  return ready.music
}

async function mix(job: RenderJob, parts: Parts): Promise<Buffer> {
  const music = await readMusic(parts.music, job.template.seconds)
  const spoken = job.spoken.flatMap((sound, index) => {
    const place = job.template.speech[index]
    return place === undefined ? [] : [{ at: place.at, duckDecibels: place.duckDecibels, sound }]
  })
  const sound = mixSound(music, spoken)
  return Buffer.from(sound.buffer, sound.byteOffset, sound.byteLength)
}

async function drawAll(job: RenderJob, parts: Parts, onStep: (step: Step, ms: number) => void): Promise<NameDrawing[]> {
  return timed(onStep, 'draw', async () => {
    const drawn: NameDrawing[] = []
    for (const [index, window] of job.template.windows.entries()) {
      const typeface = typefaceFor(job.template, index, job.display)
      if (typeface === undefined)
        throw new AssetFault(
          'render',
          `No typeface of the template "${job.template.id}" has every character of the name.`,
        )
      const middle = Math.floor(((window.to - window.from) * job.template.fps) / 2)
      drawn.push(
        drawName(job.template, window, job.display, typeface, {
          frame: await windowFrame(parts.windows[index] ?? '', job.template, middle),
        }),
      )
    }
    return drawn
  })
}

/** One transport stream per window. */
async function encodeWindows(
  job: RenderJob,
  parts: Parts,
  drawn: NameDrawing[],
  signal: AbortSignal,
): Promise<{ file: string; start: number }[]> {
  const encoded: { file: string; start: number }[] = []
  for (const [index, window] of job.template.windows.entries()) {
    const { start, end } = windowFrames(job.template, window)
    const file = join(job.workFolder, `window-${index}.ts`)
    const handle = await open(parts.windows[index] ?? '', 'r')
    try {
      const frames = frameStream(end - start, frameBytes(job.template.size), async (frame, at) => {
        await fill(handle, frame, at * frame.length)
        drawn[index]?.drawInto(frame, at)
      })
      await runFfmpeg(job.ffmpeg, {
        pidFolder: job.workFolder,
        inputs: [{ source: frames, options: rawFrames(job.template) }],
        options: partOptions(job.template, start),
        output: file,
        signal,
      })
    } finally {
      await handle.close()
    }
    encoded.push({ file, start })
  }
  return encoded
}

async function joinParts(
  job: RenderJob,
  parts: Parts,
  windows: { file: string; start: number }[],
  sound: Buffer,
  file: string,
  signal: AbortSignal,
): Promise<void> {
  const inOrder = [...parts.fixed, ...windows].sort((a, b) => a.start - b.start)
  const joined = join(job.workFolder, 'joined.ts')
  await writeFile(joined, joinTransportStreams(await Promise.all(inOrder.map((part) => readFile(part.file)))))
  await runFfmpeg(job.ffmpeg, {
    pidFolder: job.workFolder,
    inputs: [{ source: joined }, { source: Readable.from([sound], { objectMode: false }), options: rawSound }],
    options: ['-map', '0:v:0', '-map', '1:a:0', '-c:v', 'copy', ...soundOptions, ...nameless, ...mp4Options],
    output: file,
    signal,
  })
}

/** Every frame from the clip itself, those of the windows with the name drawn in, through one encoder. */
async function encodeWhole(
  job: RenderJob,
  drawn: NameDrawing[],
  sound: Buffer,
  file: string,
  signal: AbortSignal,
): Promise<void> {
  const { template } = job
  const picture = join(job.workFolder, 'whole.ts')
  const bytes = frameBytes(template.size)
  const clip = frameSource(bytes)
  const failed = new AbortController()
  const either = AbortSignal.any([signal, failed.signal])
  const decoding = runFfmpeg(job.ffmpeg, {
    pidFolder: job.workFolder,
    inputs: [{ source: template.clipFile }],
    options: ['-map', '0:v:0', '-an', '-r', String(template.fps), '-pix_fmt', 'yuv420p', '-f', 'rawvideo'],
    output: clip.sink,
    signal: either,
  })
  const frames = frameStream(frameCount(template), bytes, async (frame, at) => {
    ;(await clip.next()).copy(frame)
    template.windows.forEach((window, index) => {
      const { start, end } = windowFrames(template, window)
      if (at >= start && at < end) drawn[index]?.drawInto(frame, at - start)
    })
  })
  const seams = template.windows.flatMap((window) => [window.from, window.to])
  const encoding = runFfmpeg(job.ffmpeg, {
    pidFolder: job.workFolder,
    inputs: [{ source: frames, options: rawFrames(template) }],
    options: ['-force_key_frames', seams.join(','), ...partOptions(template, 0)],
    output: picture,
    signal: either,
  })
  try {
    await Promise.all([decoding, encoding])
  } catch (error) {
    failed.abort(error)
    await Promise.allSettled([decoding, encoding])
    throw error
  }
  await joinParts(job, { fixed: [{ file: picture, start: 0 }], windows: [], music: '' }, [], sound, file, signal)
}

async function thumbnail(job: RenderJob, parts: Parts, drawn: NameDrawing[]): Promise<Buffer> {
  const { template } = job
  const at = Math.round(template.posterSeconds * template.fps)
  const index = template.windows.findIndex(
    (window) => at >= windowFrames(template, window).start && at < windowFrames(template, window).end,
  )
  const window = template.windows[index]
  if (window === undefined) throw new TemplateFault([`templates/${template.id}: posterSeconds lies in no window`])
  const place = at - windowFrames(template, window).start
  const frame = await windowFrame(parts.windows[index] ?? '', template, place)
  drawn[index]?.drawInto(frame, place)
  const { width, height } = template.size
  const factor = Math.max(1, Math.ceil(Math.max(width, height) / thumbnailSide))
  const small = { width: Math.floor(width / factor), height: Math.floor(height / factor) }
  const canvas = createCanvas(small.width, small.height)
  const picture = canvas.getContext('2d').createImageData(small.width, small.height)
  toSmallRgba(frame, template.size, factor, small, picture.data)
  canvas.getContext('2d').putImageData(picture, 0, 0)
  return canvas.encode('jpeg', 90)
}

/** On the disk to the last byte, then in its place. */
async function publish(from: string, to: string): Promise<void> {
  const handle = await open(from, 'r+')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(from, to)
}
