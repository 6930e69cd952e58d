/**
 * From frames and sound to a file: the windows beside the template's fixed parts, or every frame through one encoder.
 */
import { open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { runFfmpeg } from '../ffmpeg/run.ts'
import type { NameDrawing } from './drawing/index.ts'
import { frameBytes, mp4Options, nameless, partOptions, rawFrames, rawSound, soundOptions } from './encoding.ts'
import { fill, frameSource, frameStream } from './frames.ts'
import type { Parts } from './parts.ts'
import type { RenderJob } from './render-job.ts'
import { frameCount, windowFrames } from './template.ts'
import { joinTransportStreams } from './transport-stream.ts'

/** One transport stream per window. */
export async function encodeWindows(
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

/** The parts in the order of the clip, and the sound, as one MP4 file. */
export async function joinParts(
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
export async function encodeWhole(
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
