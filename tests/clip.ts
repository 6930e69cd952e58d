/** A tiny real video with sound and its thumbnail, made by the bundled ffmpeg. */
import { join } from 'node:path'
import type { VideoFile } from '../src/telegram/storage.ts'
import { findFfmpeg, runFfmpeg } from '../src/video/ffmpeg.ts'

export type Clip = VideoFile

/** 64×64, one second. */
export async function makeClip(folder: string): Promise<Clip> {
  const ffmpeg = await findFfmpeg({ cacheFolder: folder })
  const path = join(folder, 'clip.mp4')
  const thumbnailPath = join(folder, 'clip.jpg')
  await runFfmpeg(ffmpeg, {
    inputs: [{ source: 'testsrc=s=64x64:r=10:d=1', options: ['-f', 'lavfi'] }, { source: 'sine=d=1', options: ['-f', 'lavfi'] }],
    options: ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-movflags', '+faststart'],
    output: path,
  })
  await runFfmpeg(ffmpeg, { inputs: [{ source: path }], options: ['-frames:v', '1', '-update', '1'], output: thumbnailPath })
  return { path, thumbnailPath, width: 64, height: 64, durationSeconds: 1 }
}
