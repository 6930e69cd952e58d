/** Which ffmpeg there is. */
import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access, chmod, copyFile, mkdir, rename, rm, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { childEnvironment } from '../child-environment.ts'

/** No usable ffmpeg was found. The message says where it was looked for and what to do. */
export class FfmpegMissing extends Error {
  override name = 'FfmpegMissing'
  readonly exitCode = 3
}

/** An ffmpeg that was found and has answered. Plain data. */
export interface Ffmpeg {
  path: string
  /** the first line of `ffmpeg -version` */
  version: string
}

/**
 * Finds ffmpeg: `path` when given and nothing else, otherwise the build in npm's platform package, otherwise PATH.
 * npm runs no install scripts here, so the bundled file may not be executable: it is made so, or copied into
 * `cacheFolder` when the package's folder cannot be written to.
 * @throws FfmpegMissing
 */
export async function findFfmpeg(options: { path?: string | undefined; cacheFolder: string }): Promise<Ffmpeg> {
  if (options.path !== undefined) {
    const given = await answering(options.path)
    if (given !== undefined) return given
    throw new FfmpegMissing(
      `FFMPEG_PATH names ${options.path}, which does not run as ffmpeg. Correct it, or ` +
        'unset it to use the bundled one.',
    )
  }
  const binary = process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg'
  for (const packageName of [
    `@ffmpeg-binary/${process.platform}-${process.arch}`,
    `@ffmpeg-installer/${process.platform}-${process.arch}`,
  ]) {
    const file = fileOfPackage(packageName, binary)
    const found = file === undefined ? undefined : await answering(await executable(file, options.cacheFolder))
    if (found !== undefined) return found
  }
  const onPath = await answering(binary)
  if (onPath !== undefined) return onPath
  throw new FfmpegMissing(
    'There is no ffmpeg: neither the optional packages @ffmpeg-binary and @ffmpeg-installer brought ' +
      'one for this platform, nor does PATH hold one. Run `npm install` with optional dependencies, ' +
      'install ffmpeg, or set FFMPEG_PATH.',
  )
}

function fileOfPackage(packageName: string, file: string): string | undefined {
  try {
    return join(createRequire(import.meta.url).resolve(`${packageName}/package.json`), '..', file)
  } catch {
    return undefined
  }
}

/** The file itself when it may be executed or be made executable, else an executable copy in the cache. */
async function executable(file: string, cacheFolder: string): Promise<string> {
  const isExecutable = async (path: string) =>
    access(path, constants.X_OK).then(
      () => true,
      () => false,
    )
  if (await isExecutable(file)) return file
  await chmod(file, 0o755).catch(() => undefined)
  if (await isExecutable(file)) return file
  const found = await stat(file).catch(() => undefined)
  if (found === undefined) return file
  const copy = join(
    cacheFolder,
    'bin',
    `ffmpeg-${found.size}-${Math.round(found.mtimeMs)}${process.platform === 'win32' ? '.exe' : ''}`,
  )
  if (await isExecutable(copy)) return copy
  const unfinished = `${copy}.${process.pid}`
  await mkdir(join(cacheFolder, 'bin'), { recursive: true })
  try {
    await copyFile(file, unfinished)
    await chmod(unfinished, 0o755)
    await rename(unfinished, copy)
  } finally {
    await rm(unfinished, { force: true })
  }
  return copy
}

async function answering(path: string): Promise<Ffmpeg | undefined> {
  try {
    const { stdout } = await promisify(execFile)(path, ['-hide_banner', '-version'], {
      timeout: 10000,
      env: childEnvironment(),
    })
    const version = stdout.split('\n')[0]?.trim() ?? ''
    return version.startsWith('ffmpeg') ? { path, version } : undefined
  } catch {
    return undefined
  }
}
