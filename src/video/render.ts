/**
 * From a name and its spoken greeting to a finished file: draw → encode → join → check. Runs in a process of its own
 * (render-process.ts), for drawing keeps a processor busy.
 */
import { open, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { mixSound, readyMusic, TooLong, type Music } from '../audio/mix.ts'
import { AssetFault, diskOutage, Outage } from '../errors.ts'
import { FfmpegFailed } from '../ffmpeg/failure.ts'
import { FfmpegMissing } from '../ffmpeg/find.ts'
import { encodeWhole, encodeWindows, joinParts } from './assemble.ts'
import { checkVideo } from './check.ts'
import { drawName, type NameDrawing } from './drawing/index.ts'
import { windowFrame } from './frames.ts'
import { fixedParts, type Parts } from './parts.ts'
import type { RenderJob, Step } from './render-job.ts'
import { TemplateFault, typefaceFor } from './template.ts'
import { thumbnailOf } from './thumbnail.ts'

/**
 * Makes the video and its thumbnail. Both appear whole or not at all, the video
 * last. `onNote` is told what had to be mended.
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
          `The finished file is not as it must be, neither spliced (${first.faults.join('; ')}) nor rendered ` +
            `whole (${result.faults.join('; ')}).`,
        )
    }
    await writeFile(join(job.workFolder, 'thumbnail.jpg'), await thumbnailOf(job.template, parts, drawn))
    await publish(join(job.workFolder, 'thumbnail.jpg'), job.thumbnailFile)
    await publish(unfinished, job.videoFile)
  } catch (error) {
    throw signal.aborted ? signal.reason : asFault(error)
  }
}

/**
 * Makes the video the slow way, without any seam: every frame of the clip through one encoder. What `render` falls back
 * to, and what it is measured against. Writes `video.mp4` into the work folder. Errors are those of its steps.
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
      `The disk of the cache or the renders is full or cannot be written to (${code}). Free up space, or ` +
        'set GREETINGS_HOME to another disk.',
      { cause: error },
    )
  if (error instanceof FfmpegFailed) {
    if (/no space left on device|disk quota exceeded/i.test(error.tail))
      return diskOutage('The disk has no room for a video. Free up space, or set GREETINGS_HOME to another disk.', {
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
