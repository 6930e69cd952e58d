/**
 * What of a template is the same in every video, made once and kept in the cache: the fixed stretches of the clip,
 * encoded; the frames of the windows without a name, raw; the music, decoded. They belong to the template's content,
 * the encoder's settings and the very build of ffmpeg: parts of two builds never meet in one video.
 */
import { createHash, randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { encodingRevision, frameBytes, partOptions, rawSound } from './encoding.ts'
import { sampleRate } from '../audio/sound.ts'
import type { Ffmpeg } from '../ffmpeg/find.ts'
import { runFfmpeg } from '../ffmpeg/run.ts'
import { Mp4Fault, readMp4 } from './mp4.ts'
import { fixedFrames, frameCount, TemplateFault, windowFrames } from './template.ts'
import type { Template } from './template.ts'

/** Files of the cache, in the order of the clip. */
export interface Parts {
  /** one transport stream per fixed stretch, with the stretch's first frame */
  fixed: { file: string; start: number }[]
  /** raw yuv420p frames, one file per window */
  windows: string[]
  /** interleaved stereo, 32-bit floating point, 48 kHz */
  music: string
}

interface Listing {
  files: Record<string, number>
}

/** Parts nobody used for so long are removed when new ones are made, milliseconds. */
const unusedMs = 7 * 24 * 3_600_000
/** A builder touches its lock this often; one that did not for `lockStaleMs` is gone. */
const lockTouchMs = 2_000
const lockStaleMs = 15_000

/**
 * The parts of a template, from the cache or made now. Of several processes that want the same parts one makes them and
 * the others wait; a maker that dies is replaced.
 * `onMade` is told how long that took, or the wait for it, unless they were there.
 * @throws TemplateFault when the clip or the music does not fit the manifest; FfmpegFailed; errors of the file system
 */
export async function fixedParts(
  ffmpeg: Ffmpeg,
  template: Template,
  revision: string,
  cacheFolder: string,
  signal: AbortSignal,
  onMade: (ms: number) => void = () => undefined,
): Promise<Parts> {
  const folder = partsFolder(ffmpeg, template, revision, cacheFolder)
  const started = performance.now()
  let wasThere = true
  await mkdir(join(cacheFolder, 'parts'), { recursive: true })
  for (;;) {
    signal.throwIfAborted()
    if (await isWhole(folder)) {
      await utimes(folder, new Date(), new Date()).catch(() => undefined)
      if (!wasThere) onMade(performance.now() - started)
      return inFolder(folder, template)
    }
    wasThere = false
    const release = await lock(`${folder}.lock`)
    if (release === undefined) {
      await sleep(150, undefined, { signal })
      continue
    }
    try {
      if (!(await isWhole(folder))) await build(ffmpeg, template, folder, signal)
    } finally {
      await release()
    }
    await removeUnused(join(cacheFolder, 'parts'))
  }
}

/** Whether they are there, so that the next video need not wait for them. */
export function areMade(ffmpeg: Ffmpeg, template: Template, revision: string, cacheFolder: string): Promise<boolean> {
  return isWhole(partsFolder(ffmpeg, template, revision, cacheFolder))
}

/**
 * About how many bytes making them will take, 0 when they are there: nearly all
 * of it are frames of windows and decoded music.
 */
export async function bytesToMake(
  ffmpeg: Ffmpeg,
  template: Template,
  revision: string,
  cacheFolder: string,
): Promise<number> {
  if (await areMade(ffmpeg, template, revision, cacheFolder)) return 0
  const frames = template.windows
    .map((window) => windowFrames(template, window))
    .reduce((sum, { start, end }) => sum + end - start, 0)
  return frames * frameBytes(template.size) + template.seconds * sampleRate * 8
}

function partsFolder(ffmpeg: Ffmpeg, template: Template, revision: string, cacheFolder: string): string {
  return join(cacheFolder, 'parts', `${template.id}-${partsKey(ffmpeg, template, revision)}`)
}

function partsKey(ffmpeg: Ffmpeg, template: Template, revision: string): string {
  return createHash('sha256')
    .update(JSON.stringify([revision, encodingRevision, partOptions(template, 0), ffmpeg.version]))
    .digest('hex')
    .slice(0, 24)
}

function inFolder(folder: string, template: Template): Parts {
  return {
    fixed: fixedFrames(template).map(({ start }, index) => ({ file: join(folder, `fixed-${index}.ts`), start })),
    windows: template.windows.map((_, index) => join(folder, `window-${index}.yuv`)),
    music: join(folder, 'music.f32'),
  }
}

/** Every file the listing names is there with its size. The listing is written last. */
async function isWhole(folder: string): Promise<boolean> {
  try {
    const { files } = JSON.parse(await readFile(join(folder, 'parts.json'), 'utf8')) as Listing
    for (const [name, bytes] of Object.entries(files)) {
      if ((await stat(join(folder, name))).size !== bytes) return false
    }
    return true
  } catch {
    return false
  }
}

async function build(ffmpeg: Ffmpeg, template: Template, folder: string, signal: AbortSignal): Promise<void> {
  await checkClip(template)
  const unfinished = `${folder}.${randomUUID()}`
  await mkdir(unfinished)
  try {
    const parts = inFolder(unfinished, template)
    for (const [index, stretch] of fixedFrames(template).entries()) {
      await toFile(
        ffmpeg,
        { source: template.clipFile, options: seekOptions(template, stretch) },
        [...stretchOptions(template, stretch), ...partOptions(template, stretch.start)],
        parts.fixed[index]?.file ?? '',
        signal,
      )
    }
    for (const [index, file] of parts.windows.entries()) await buildWindow(ffmpeg, template, index, file, signal)
    await buildMusic(ffmpeg, template, parts.music, signal)
    const files: Record<string, number> = {}
    for (const name of await readdir(unfinished)) files[name] = (await stat(join(unfinished, name))).size
    await writeFile(join(unfinished, 'parts.json'), JSON.stringify({ files } satisfies Listing))
    await rm(folder, { recursive: true, force: true })
    await rename(unfinished, folder)
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
}

async function buildWindow(
  ffmpeg: Ffmpeg,
  template: Template,
  index: number,
  file: string,
  signal: AbortSignal,
): Promise<void> {
  const stretch = windowFrames(template, template.windows[index] as Template['windows'][number])
  await toFile(
    ffmpeg,
    { source: template.clipFile, options: seekOptions(template, stretch) },
    [...stretchOptions(template, stretch), '-an', '-r', String(template.fps), '-pix_fmt', 'yuv420p', '-f', 'rawvideo'],
    file,
    signal,
  )
  const { size } = await stat(file)
  const expected = stretch.end - stretch.start
  if (size !== expected * frameBytes(template.size))
    throw new TemplateFault([
      `templates/${template.id}: ${template.clip}: has ${size / frameBytes(template.size)} frames of the ` +
        `right size in windows[${index}], ${expected} were expected`,
    ])
}

async function buildMusic(ffmpeg: Ffmpeg, template: Template, file: string, signal: AbortSignal): Promise<void> {
  await toFile(
    ffmpeg,
    { source: template.musicFile },
    ['-map', '0:a:0', '-t', String(template.seconds), ...rawSound],
    file,
    signal,
  )
  const seconds = (await stat(file)).size / 8 / sampleRate
  if (seconds < template.seconds - 0.05)
    throw new TemplateFault([
      `templates/${template.id}: ${template.music}: is ${seconds.toFixed(2)} s long, shorter ` +
        `than the clip's ${template.seconds} s`,
    ])
}

/** Looks into the clip without decoding it. @throws TemplateFault when it does not fit the manifest */
export async function checkClip(template: Template): Promise<void> {
  const at = `templates/${template.id}: ${template.clip}`
  try {
    const { video } = await readMp4(template.clipFile)
    if (video === undefined) throw new TemplateFault([`${at}: has no picture`])
    const faults: string[] = []
    if (video.width !== template.size.width || video.height !== template.size.height)
      faults.push(
        `${at}: is ${video.width}×${video.height}, the manifest says ${template.size.width}×${template.size.height}`,
      )
    if (video.frames !== frameCount(template))
      faults.push(
        `${at}: has ${video.frames} frames, the manifest's ${template.seconds} s at ` +
          `${template.fps} fps are ${frameCount(template)}`,
      )
    if (faults.length > 0) throw new TemplateFault(faults)
  } catch (error) {
    if (error instanceof Mp4Fault) throw new TemplateFault([`${at}: is no readable MP4 file: ${error.message}`])
    throw error
  }
}

interface Stretch {
  start: number
  end: number
}

/** Half a frame before the first one, so that rounding never skips it. */
const seekOptions = (template: Template, { start }: Stretch) =>
  start === 0 ? [] : ['-ss', ((start - 0.5) / template.fps).toFixed(6)]

const stretchOptions = (template: Template, { start, end }: Stretch) => [
  '-map',
  '0:v:0',
  '-vf',
  `trim=end_frame=${end - start},setpts=N/${template.fps}/TB`,
]

/** Through a pipe of ours: should we be killed, ffmpeg has nowhere to write to and ends. */
async function toFile(
  ffmpeg: Ffmpeg,
  input: { source: string; options?: string[] },
  options: string[],
  file: string,
  signal: AbortSignal,
): Promise<void> {
  // It may decode for a while before the first frame leaves it, on a busy machine for long.
  await runFfmpeg(ffmpeg, { inputs: [input], options, output: createWriteStream(file), signal, stallMs: 60_000 })
}

/**
 * Takes the lock, a folder that one process can make; undefined when another one has it.
 * Whoever has it touches it; one that nobody has touched for a while is taken over.
 */
async function lock(path: string): Promise<(() => Promise<void>) | undefined> {
  try {
    await mkdir(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const touched = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => undefined,
    )
    if (touched !== undefined && Date.now() - touched > lockStaleMs) {
      // Of several that see it stale one can move it away; the parts themselves are
      // renamed into place, so even two builders do no harm.
      const aside = `${path}.${randomUUID()}`
      await rename(path, aside).catch(() => undefined)
      await rm(aside, { recursive: true, force: true })
    }
    return undefined
  }
  const touching = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => undefined), lockTouchMs)
  return async () => {
    clearInterval(touching)
    await rm(path, { recursive: true, force: true })
  }
}

async function removeUnused(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name)
    const used = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => Infinity,
    )
    if (Date.now() - used > unusedMs) await rm(path, { recursive: true, force: true })
  }
}
