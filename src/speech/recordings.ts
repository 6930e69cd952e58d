/**
 * Recordings of a human voice. An operator puts one sound file per name into `<folder>/<template id>/`, called by the
 * name (`Маша.wav`); it takes the place of everything the template would have spoken. Files may come and go while a
 * worker runs.
 */
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { copyFile, readdir, realpath, rm, stat } from 'node:fs/promises'
import { basename, extname, join, sep } from 'node:path'
import { Writable } from 'node:stream'
import { AssetFault } from '../errors.ts'
import { parseNameOrSet } from '../names/set.ts'
import { FfmpegFailed } from '../ffmpeg/failure.ts'
import type { Ffmpeg } from '../ffmpeg/find.ts'
import { runFfmpeg } from '../ffmpeg/run.ts'
import { longestSpeech, trimmed, type Sound } from '../audio/sound.ts'

/** The recording of one name. */
export interface Recording {
  path: string
  /** content hash */
  revision: string
}

/** What lies in a template's folder of recordings. */
interface Listing {
  /** paths by the names' keys */
  byKey: Map<string, string>
  /** files that serve no name, and why; one line each, with the file's name */
  faults: string[]
}

/** A template as far as recordings are concerned. */
interface Spoken {
  id: string
  scripts: string[]
}

export interface Recordings {
  /** The recording for a name of a template, looked up by the name's key; undefined when there is none. */
  find(template: Spoken, key: string): Promise<Recording | undefined>
  /** Everything there is for a template; nothing when it has no folder. */
  list(template: Spoken): Promise<Listing>
}

const kinds = new Set(['.wav', '.flac', '.mp3', '.m4a', '.aac', '.ogg', '.opus', '.aif', '.aiff'])
const rate = 48_000

/** Recordings below a folder, which need not exist. */
export function openRecordings(folder: string): Recordings {
  const listings = new Map<string, { changed: number; listing: Listing }>()
  const hashes = new Map<string, { changed: string; revision: string }>()

  async function list(template: Spoken): Promise<Listing> {
    const own = join(folder, template.id)
    const found = await stat(own).catch(() => undefined)
    if (found?.isDirectory() !== true) return { byKey: new Map(), faults: [] }
    const known = listings.get(template.id)
    if (known?.changed === found.mtimeMs) return known.listing
    const listing = await readListing(folder, own, (await readdir(own)).sort(), template.scripts)
    listings.set(template.id, { changed: found.mtimeMs, listing })
    return listing
  }

  return {
    list,
    async find(template, key) {
      const path = (await list(template)).byKey.get(key)
      const file = path === undefined ? undefined : await stat(path).catch(() => undefined)
      if (path === undefined || file === undefined) return undefined
      const changed = `${file.size} ${file.mtimeMs}`
      let hash = hashes.get(path)
      if (hash?.changed !== changed) hashes.set(path, (hash = { changed, revision: await hashOf(path) }))
      return { path, revision: hash.revision }
    },
  }
}

async function readListing(root: string, folder: string, files: string[], scripts: string[]): Promise<Listing> {
  const listing: Listing = { byKey: new Map(), faults: [] }
  for (const file of files.filter((name) => !name.startsWith('.'))) {
    const kind = extname(file).toLowerCase()
    const parsed = parseNameOrSet(file.slice(0, file.length - kind.length), { extraScripts: scripts, anyWord: true })
    if (!kinds.has(kind)) listing.faults.push(`${file}: is no sound file; these are taken: ${[...kinds].join(' ')}`)
    else if (!parsed.ok) listing.faults.push(`${file}: is not called by a name (${parsed.reason})`)
    else if (listing.byKey.has(parsed.name.key))
      listing.faults.push(`${file}: another file is called by the same name, and that one is used`)
    else if (!(await isOrdinary(root, join(folder, file))))
      listing.faults.push(`${file}: is no ordinary file, or a link to one outside the folder of recordings`)
    else listing.byKey.set(parsed.name.key, join(folder, file))
  }
  return listing
}

/**
 * A file that lies below the root. A folder of recordings may have been unpacked from somebody's archive, and what
 * its links lead to would be heard by everybody.
 */
async function isOrdinary(root: string, path: string): Promise<boolean> {
  const real = await realpath(path).catch(() => undefined)
  return real !== undefined && real.startsWith((await realpath(root)) + sep) && (await stat(real)).isFile()
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex').slice(0, 32)
}

/**
 * The sound of a recording, without silence around it. ffmpeg is given a copy in `workFolder`, for the file is called
 * by a child's name.
 * @throws AssetFault 'voice' when it holds no sound; the signal's reason when aborted
 */
export async function soundOf(
  recording: Recording,
  ffmpeg: Ffmpeg,
  workFolder: string,
  signal: AbortSignal,
): Promise<Sound> {
  const copy = join(workFolder, `recording-${randomUUID()}${extname(recording.path).toLowerCase()}`)
  const chunks: Buffer[] = []
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk)
      done()
    },
  })
  try {
    await copyFile(recording.path, copy)
    await runFfmpeg(ffmpeg, {
      inputs: [{ source: copy }],
      options: ['-map', '0:a:0', '-t', String(longestSpeech), '-f', 'f32le', '-ar', String(rate), '-ac', '1'],
      output,
      signal,
    })
  } catch (error) {
    if (error instanceof FfmpegFailed && (error.reason === 'exit' || error.reason === 'input'))
      throw new AssetFault('voice', 'The recording of this name cannot be read as sound. Replace or remove the file.', {
        cause: error,
      })
    throw error
  } finally {
    await rm(copy, { force: true })
  }
  const bytes = Buffer.concat(chunks)
  const samples = new Float32Array(bytes.length >> 2)
  for (let index = 0; index < samples.length; index++) samples[index] = bytes.readFloatLE(index * 4)
  const sound = trimmed({ samples, rate })
  if (sound.samples.length < rate * 0.15)
    throw new AssetFault('voice', 'The recording of this name is silent. Replace or remove the file.')
  return sound
}

const heardAtOnce = 2

/**
 * Decodes recordings as a render would; gives a line, with the file's name, for each that is no sound.
 * @throws the signal's reason when aborted
 */
export async function unsoundRecordings(
  paths: readonly string[],
  ffmpeg: Ffmpeg,
  workFolder: string,
  signal: AbortSignal,
): Promise<string[]> {
  const faults = new Map<string, string>()
  const left = [...paths]
  async function hear() {
    for (let path = left.shift(); path !== undefined; path = left.shift()) {
      try {
        await soundOf({ path, revision: '' }, ffmpeg, workFolder, signal)
      } catch (error) {
        if (!(error instanceof AssetFault)) throw error
        faults.set(path, `${basename(path)}: ${error.message}`)
      }
    }
  }
  await Promise.all(Array.from({ length: heardAtOnce }, hear))
  return paths.flatMap((path) => faults.get(path) ?? [])
}
