/** A tiny real video with sound and its thumbnail, made by the bundled ffmpeg. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { VideoFile } from '../../src/telegram/storage.ts'
import { findFfmpeg } from '../../src/ffmpeg/find.ts'

export type Clip = VideoFile

/** 64×64, one second. */
export async function makeClip(folder: string): Promise<Clip> {
  const ffmpeg = await findFfmpeg({ cacheFolder: folder })
  const path = join(folder, 'clip.mp4')
  const thumbnailPath = join(folder, 'clip.jpg')
  const run = (...args: string[]) => promisify(execFile)(ffmpeg.path, ['-nostdin', '-y', '-loglevel', 'error', ...args])
  await run(
    '-f',
    'lavfi',
    '-i',
    'testsrc=s=64x64:r=10:d=1',
    '-f',
    'lavfi',
    '-i',
    'sine=d=1',
    '-c:v',
    'libx264',
    '-pix_fmt',
    'yuv420p',
    '-c:a',
    'aac',
    '-movflags',
    '+faststart',
    path,
  )
  await run('-i', path, '-frames:v', '1', '-update', '1', thumbnailPath)
  return { path, thumbnailPath, width: 64, height: 64, durationSeconds: 1 }
}
