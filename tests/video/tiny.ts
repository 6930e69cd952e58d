/** The tiny template of the tests, and what the tests need to look into a video: 64 × 64 pixels, 4 s at 10 fps. */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'
import type { Config } from '../../src/config.ts'
import { findFfmpeg, type Ffmpeg } from '../../src/ffmpeg/find.ts'
import type { Manifest } from '../../src/video/template.ts'

export const tinyTemplates = fileURLToPath(new URL('../fixtures/templates', import.meta.url))

export const bundledVoice: Config['voice'] = {
  engine: 'espeak',
  voice: undefined,
  url: undefined,
  apiKey: undefined,
  model: undefined,
  piperPath: undefined,
  piperModel: undefined,
}

/** A folder that goes when the file's tests are over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'greetings-video-'))
  folders.push(folder)
  return folder
}

// Said once, here: a hook that a running test asks for is not kept.
const folders: string[] = []
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** A templates folder with a copy of the tiny template whose manifest was changed. */
export function changedTemplate(change: (manifest: Manifest) => void, id = 'tiny'): string {
  const folder = temporaryFolder()
  mkdirSync(join(folder, id))
  cpSync(join(tinyTemplates, 'tiny'), join(folder, id), { recursive: true })
  const manifest = JSON.parse(readFileSync(join(folder, id, 'template.json'), 'utf8')) as Manifest
  change(manifest)
  writeFileSync(join(folder, id, 'template.json'), JSON.stringify(manifest))
  return folder
}

let found: Promise<Ffmpeg> | undefined

export function ffmpegOfTests(): Promise<Ffmpeg> {
  found ??= findFfmpeg({ cacheFolder: tmpdir() })
  return found
}

/** A hash per decoded frame, in order. */
export async function frameHashes(file: string): Promise<string[]> {
  const { path } = await ffmpegOfTests()
  const text = execFileSync(path, ['-loglevel', 'error', '-i', file, '-map', '0:v:0', '-f', 'framemd5', '-'], {
    encoding: 'utf8',
  })
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(',').at(-1)?.trim() ?? '')
}

/** What ffmpeg says of a file's loudness: integrated, LUFS, and true peak, dB. */
export async function loudnessOf(file: string): Promise<{ integrated: number; peak: number }> {
  const { path } = await ffmpegOfTests()
  const { stderr: text } = spawnSync(
    path,
    [
      '-hide_banner',
      '-nostats',
      '-i',
      file,
      '-map',
      '0:a:0',
      '-af',
      'ebur128=peak=true:framelog=quiet',
      '-f',
      'null',
      '-',
    ],
    { encoding: 'utf8' },
  )
  return {
    integrated: Number(/I:\s*(-?[\d.]+) LUFS/.exec(text)?.[1]),
    peak: Number(/Peak:\s*(-?[\d.]+) dBFS/.exec(text)?.[1]),
  }
}

/** Makes a file with ffmpeg for a test. */
export async function made(file: string, ...options: string[]): Promise<string> {
  const { path } = await ffmpegOfTests()
  execFileSync(path, ['-y', '-loglevel', 'error', ...options, file])
  return file
}

/** Whether a process with this id runs; one that has ended but was not waited for does not. */
export function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
