import { execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { AssetFault, Outage } from '../../src/errors.ts'
import { builtScript } from '../../src/installation.ts'
import { checkVideo } from '../../src/video/check.ts'
import { readMp4 } from '../../src/video/mp4.ts'
import { cachedVideo } from '../../src/video/render-cache.ts'
import { openRenderer } from '../../src/video/renderer.ts'
import type { Renderer, RendererSettings } from '../../src/video/renderer.ts'
import type { Template } from '../../src/video/template.ts'
import { wav } from '../audio/wav.ts'
import {
  bundledVoice,
  changedTemplate,
  ffmpegOfTests,
  frameHashes,
  isRunning,
  loudnessOf,
  temporaryFolder,
  tinyTemplates,
} from './tiny.ts'

const folder = temporaryFolder()
const renders = join(folder, 'renders')
const cache = join(folder, 'cache')
const free = () => new AbortController().signal
const name = (display: string, say: string | null = null) => ({ key: display.toLowerCase(), display, say })

function settings(changes: Partial<RendererSettings> = {}): RendererSettings {
  return {
    rendersFolder: renders,
    cacheFolder: cache,
    templatesFolder: tinyTemplates,
    templateIds: ['tiny'],
    voice: bundledVoice,
    ...changes,
  }
}

const opened: Renderer[] = []
async function open(changes: Partial<RendererSettings> = {}): Promise<Renderer & { template: Template }> {
  const renderer = await openRenderer(settings(changes))
  opened.push(renderer)
  return { ...renderer, template: renderer.templates[0] as Template }
}
afterEach(async () => {
  for (const renderer of opened.splice(0)) await renderer.close()
})
beforeAll(() => mkdirSync(renders, { recursive: true }))

/** Process ids below this one whose arguments hold the text. */
function childrenWith(text: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      try {
        return (
          readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === String(process.pid) &&
          readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text)
        )
      } catch {
        return false
      }
    })
}

/** An ffmpeg that is the bundled one, but for what the script does with its arguments first. */
async function wrapped(file: string, script: string): Promise<string> {
  const { path } = await ffmpegOfTests()
  const wrapper = join(folder, file)
  writeFileSync(wrapper, `#!/bin/bash\nREAL=${path}\n${script}\nexec "$REAL" "$@"\n`)
  chmodSync(wrapper, 0o755)
  return wrapper
}

describe('a recording', () => {
  const recordingsFolder = join(folder, 'recordings')
  const own = join(recordingsFolder, 'tiny')
  /** A tone of so many hertz for a second, with silence around it. */
  const tone = (hertz: number) =>
    wav(
      Array.from({ length: 32_000 }, (_, at) =>
        at < 8_000 || at > 24_000 ? 0 : Math.sin((2 * Math.PI * hertz * at) / 16_000) * 0.3,
      ),
      { code: 1, bits: 16, channels: 2, rate: 16_000 },
    )
  beforeAll(() => mkdirSync(own, { recursive: true }))

  /** How many times a second the sound swings while the voice should speak. */
  async function pitchOf(file: string): Promise<number> {
    const { path } = await ffmpegOfTests()
    const bytes = execFileSync(path, [
      '-loglevel',
      'error',
      '-ss',
      '0.7',
      '-t',
      '0.6',
      '-i',
      file,
      '-vn',
      '-ac',
      '1',
      '-ar',
      '48000',
      '-f',
      's16le',
      '-',
    ])
    let swings = 0
    for (let at = 2; at + 1 < bytes.length; at += 2)
      if (bytes.readInt16LE(at - 2) < 0 && bytes.readInt16LE(at) >= 0) swings++
    return swings / (bytes.length / 2 / 48_000)
  }

  test('takes the place of the voice for its name alone, however the file is spelt, and is part of the revision', async () => {
    const { make, template, revisionOf } = await open({ recordingsFolder })
    const [before, other] = [await revisionOf(template, name('Рита')), await revisionOf(template, name('Нина'))]
    writeFileSync(join(own, ' РИТА.WAV'), tone(660))
    const video = await make(template, name('Рита'), { signal: free() })
    expect(video.revision).not.toBe(before)
    expect(await revisionOf(template, name('Нина'))).toBe(other)
    expect(Math.abs((await pitchOf(video.path)) - 660)).toBeLessThan(20)
    // Spoken text plays no part any more; another recording does.
    expect(await revisionOf(template, name('Рита', 'Ри-ита'))).toBe(video.revision)
    writeFileSync(join(own, ' РИТА.WAV'), tone(880))
    expect(await revisionOf(template, name('Рита'))).not.toBe(video.revision)
    rmSync(join(own, ' РИТА.WAV'))
    expect(await revisionOf(template, name('Рита'))).toBe(before)
  })

  test('reaches ffmpeg under a name that tells nothing', async () => {
    const log = join(folder, 'arguments.txt')
    writeFileSync(join(own, 'Любава.wav'), tone(440))
    const { make, template } = await open({
      recordingsFolder,
      rendersFolder: join(folder, 'quiet-renders'),
      ffmpegPath: await wrapped('telling', `echo "$@" >> ${log}`),
    })
    await make(template, name('Любава'), { signal: free() })
    expect(readFileSync(log, 'utf8')).toContain('recording-')
    expect(readFileSync(log, 'utf8')).not.toMatch(/любава/i)
  })

  test('that is no sound, or silent, is a fault of this name', async () => {
    const { make, template } = await open({ recordingsFolder })
    writeFileSync(join(own, 'Клара.mp3'), 'this is no sound')
    await expect(make(template, name('Клара'), { signal: free() })).rejects.toMatchObject({
      name: 'AssetFault',
      faultClass: 'voice',
      message: expect.stringContaining('cannot be read as sound') as string,
    })
    writeFileSync(
      join(own, 'Роза.wav'),
      wav(
        Array.from({ length: 16_000 }, () => 0),
        { code: 1, bits: 16, channels: 1, rate: 16_000 },
      ),
    )
    await expect(make(template, name('Роза'), { signal: free() })).rejects.toMatchObject({
      name: 'AssetFault',
      message: expect.stringContaining('silent') as string,
    })
  })
})

describe('a video', () => {
  test('passes the gate, has a thumbnail, and lies among the renders under its revision', async () => {
    const { make, template, revisionOf } = await open()
    const steps: string[] = []
    const video = await make(template, name('Маша'), { signal: free(), onStep: (step) => steps.push(step) })
    expect(video).toMatchObject({
      path: join(renders, `${video.revision}.mp4`),
      thumbnailPath: join(renders, `${video.revision}.jpg`),
      width: 64,
      height: 64,
      durationSeconds: 4,
      bytes: statSync(video.path).size,
    })
    expect(video.revision).toBe(await revisionOf(template, name('Маша')))
    expect(await checkVideo(video.path, template)).toMatchObject({ faults: [] })
    expect(steps).toEqual(['speech', 'draw', 'encode', 'join', 'gate'])
    expect(
      readdirSync(renders).filter((file) => file.startsWith('tmp-') && readdirSync(join(renders, file)).length > 0),
    ).toEqual([])
    const { integrated, peak } = await loudnessOf(video.path)
    expect(integrated).toBeGreaterThan(-17.5)
    expect(integrated).toBeLessThan(-14.5)
    expect(peak).toBeLessThan(-1)
  })

  test('has B-frames, a key frame at every seam, and outside its window the frames of every other video', async () => {
    const { make, template } = await open()
    const [masha, petya] = [
      await make(template, name('Маша'), { signal: free() }),
      await make(template, name('Петя'), { signal: free() }),
    ]
    const [first, second] = [await frameHashes(masha.path), await frameHashes(petya.path)]
    expect(first).toHaveLength(40)
    const different = first.flatMap((hash, index) => (hash === second[index] ? [] : [index]))
    expect(different.every((index) => index >= 10 && index < 14)).toBe(true)
    expect(different.length).toBeGreaterThan(1)
    const { path } = await ffmpegOfTests()
    expect(
      execFileSync(
        path,
        [
          '-loglevel',
          'error',
          '-i',
          masha.path,
          '-vf',
          'select=eq(pict_type\\,B)',
          '-fps_mode',
          'vfr',
          '-an',
          '-f',
          'framemd5',
          '-',
        ],
        { encoding: 'utf8' },
      )
        .split('\n')
        .filter((line) => line.startsWith('0,')).length,
    ).toBeGreaterThan(5)
  })

  test('shows outside its window exactly what the encoded template shows', async () => {
    const { make, template } = await open()
    const video = await make(template, name('Маша'), { signal: free() })
    const hashes = await frameHashes(video.path)
    const parts = join(
      cache,
      'parts',
      readdirSync(join(cache, 'parts')).find((entry) => entry.startsWith('tiny-')) ?? '',
    )
    expect(hashes.slice(0, 10)).toEqual(await frameHashes(join(parts, 'fixed-0.ts')))
    expect(hashes.slice(14)).toEqual(await frameHashes(join(parts, 'fixed-1.ts')))
  })

  test('takes the right frames of the clip on both sides of each seam', async () => {
    const { make, template } = await open()
    const video = await make(template, name('Маша'), { signal: free() })
    const { path } = await ffmpegOfTests()
    const text = execFileSync(
      path,
      [
        '-hide_banner',
        '-nostats',
        '-i',
        video.path,
        '-i',
        template.clipFile,
        '-filter_complex',
        '[0:v][1:v]psnr=stats_file=-',
        '-f',
        'null',
        '-',
      ],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
    )
    const quality = text
      .trim()
      .split('\n')
      .map((line) => Number(/psnr_avg:(\S+)/.exec(line)?.[1]?.replace('inf', '99')))
    expect(quality).toHaveLength(40)
    for (const frame of [0, 9, 14, 39]) expect(quality[frame], `frame ${frame}`).toBeGreaterThan(36)
  })

  test('says nothing of a person, a host or a time in the file', async () => {
    const { make, template } = await open()
    const video = await make(template, name('Приметноеимя', 'Приметноеимя'), { signal: free() })
    const bytes = readFileSync(video.path)
    for (const text of ['Приметноеимя', 'Lavf', folder]) expect(bytes.includes(text), text).toBe(false)
    expect(readdirSync(renders).join()).not.toContain('Приметноеимя')
  })

  test('kept from earlier is not made again; a damaged one is', async () => {
    const { make, template } = await open()
    const cached = (revision: string) => cachedVideo(renders, revision)
    const { isNew, ...video } = await make(template, name('Соня'), { signal: free() })
    expect(isNew).toBe(true)
    const steps: string[] = []
    const again = await make(template, name('Соня'), { signal: free(), onStep: (step) => steps.push(step) })
    expect(again).toEqual({ ...video, isNew: false })
    expect(steps).toEqual([])
    expect(await cached(video.revision)).toEqual(video)
    truncateSync(video.path, video.bytes - 1)
    expect(await cached(video.revision)).toBeUndefined()
    expect((await make(template, name('Соня'), { signal: free() })).bytes).toBe(statSync(video.path).size)
    rmSync(video.thumbnailPath)
    expect(await cached(video.revision)).toBeUndefined()
  })

  test('has another revision with another name, spelling for the voice, voice or template, and only then', async () => {
    const { template, revisionOf } = await open()
    const first = await revisionOf(template, name('Маша'))
    expect(await (await open()).revisionOf(template, { ...name('Маша'), key: 'other' })).toBe(first)
    expect(await revisionOf(template, name('Даша'))).not.toBe(first)
    expect(await revisionOf(template, name('Маша', 'Маша-Маша'))).not.toBe(first)
    expect(
      await (await open({ voice: { ...bundledVoice, voice: 'ru+m3' } })).revisionOf(template, name('Маша')),
    ).not.toBe(first)
    const other = await open({ templatesFolder: changedTemplate((manifest) => void (manifest.posterSeconds = 1.25)) })
    expect(await other.revisionOf(other.template, name('Маша'))).not.toBe(first)
  })

  test('may have several windows, and none before the first or behind the last', async () => {
    const templatesFolder = changedTemplate((manifest) => {
      const [window] = manifest.windows
      if (window === undefined) return
      manifest.windows = [{ ...window, from: 0, to: 0.5 }, window, { ...window, from: 3.5, to: 4 }]
    })
    const { make, template } = await open({ templatesFolder })
    const [masha, petya] = [
      await make(template, name('Маша'), { signal: free() }),
      await make(template, name('Петя'), { signal: free() }),
    ]
    expect((await checkVideo(masha.path, template)).faults).toEqual([])
    expect((await readMp4(masha.path)).video?.keyFrames).toEqual(expect.arrayContaining([0, 5, 10, 14, 35]))
    const second = await frameHashes(petya.path)
    const different = (await frameHashes(masha.path)).flatMap((hash, index) => (hash === second[index] ? [] : [index]))
    expect(
      different.some((index) => index < 5) &&
        different.some((index) => index >= 10 && index < 14) &&
        different.some((index) => index >= 35),
    ).toBe(true)
    expect(different.every((index) => index < 5 || (index >= 10 && index < 14) || index >= 35)).toBe(true)
  })
})

describe('when something goes wrong', () => {
  /** Without a voice to load, which takes longer than all the rest. */
  const templatesFolder = changedTemplate((manifest) => void (manifest.speech = []))

  test('parts that were damaged in the cache are caught by the gate, and the video is made as a whole', async () => {
    const cacheFolder = join(folder, 'damaged-cache')
    const notes: string[] = []
    const { make, template, warmUp } = await open({
      templatesFolder,
      cacheFolder,
      rendersFolder: join(folder, 'damaged-renders'),
      log: { warn: (text) => notes.push(text) },
    })
    await warmUp()
    const parts = join(cacheFolder, 'parts', readdirSync(join(cacheFolder, 'parts'))[0] ?? '')
    // Of the right size, so that it is taken for whole, but its second half holds no picture.
    const bytes = readFileSync(join(parts, 'fixed-1.ts'))
    const half = Math.floor(bytes.length / 2 / 188) * 188
    for (let at = half; at < bytes.length; at += 188) bytes.writeUInt16BE(0x1fff, at + 1)
    writeFileSync(join(parts, 'fixed-1.ts'), bytes)
    const steps: string[] = []
    const video = await make(template, name('Маша'), { signal: free(), onStep: (step) => steps.push(step) })
    expect(steps.filter((step) => step === 'gate')).toHaveLength(2)
    expect(notes).toEqual([expect.stringMatching(/did not pass the check \(.*frames, not 40.*made as a whole/)])
    expect(await checkVideo(video.path, template)).toMatchObject({ faults: [] })
  })

  test('a file that is wrong even when made as a whole is a fault of the gate, and nothing is published', async () => {
    const rendersFolder = join(folder, 'gate-renders')
    const ffmpegPath = await wrapped(
      'no-faststart',
      'args=(); for one in "$@"; do [ "$one" = +faststart ] && one=+write_colr; args+=("$one"); done; set -- "${args[@]}"',
    )
    const { make, template } = await open({ templatesFolder, ffmpegPath, rendersFolder })
    await expect(make(template, name('Маша'), { signal: free() })).rejects.toMatchObject({
      name: 'AssetFault',
      faultClass: 'gate',
      message: expect.stringContaining('index behind the media') as string,
    })
    expect(readdirSync(rendersFolder).filter((file) => !file.startsWith('tmp-'))).toEqual([])
  })

  test('an ffmpeg that is missing is an outage that says so', async () => {
    await expect(openRenderer(settings({ ffmpegPath: join(folder, 'nowhere') }))).rejects.toMatchObject({
      name: 'Outage',
      step: 'ffmpeg',
      message: expect.stringContaining('Correct it, or unset it') as string,
    })
    const ffmpegPath = await wrapped('vanishing', '')
    const { make, template } = await open({
      templatesFolder,
      ffmpegPath,
      rendersFolder: join(folder, 'vanishing-renders'),
    })
    rmSync(ffmpegPath)
    const error: unknown = await make(template, name('Маша'), { signal: free() }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(Outage)
    expect(error).toMatchObject({ step: 'ffmpeg' })
  })

  test('an ffmpeg that fails is a fault of the render, with its last lines and without the folders', async () => {
    const ffmpegPath = await wrapped(
      'failing',
      `case " $* " in *" mpegts "*) case " $* " in *rawvideo*) echo "[libx264] something about ${folder}/x.ts broke" >&2; exit 1;; esac;; esac`,
    )
    const { make, template } = await open({
      templatesFolder,
      ffmpegPath,
      rendersFolder: join(folder, 'failing-renders'),
    })
    const error: unknown = await make(template, name('Маша'), { signal: free() }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    expect(error).toMatchObject({
      name: 'AssetFault',
      faultClass: 'render',
      message: expect.stringMatching(/exited with code 1: .*something about …\/x\.ts broke/) as string,
    })
    expect((error as Error).message).not.toContain(folder)
  })

  test('a disk without room is an outage', async () => {
    const ffmpegPath = await wrapped(
      'full',
      'case " $* " in *" mp4 "*) echo "av_interleaved_write_frame(): No space left on device" >&2; exit 1;; esac',
    )
    const { make, template } = await open({ templatesFolder, ffmpegPath, rendersFolder: join(folder, 'full-renders') })
    await expect(make(template, name('Маша'), { signal: free() })).rejects.toMatchObject({
      name: 'Outage',
      step: 'disk',
    })
  })

  test('an aborted render ends with the reason, and leaves no process and no file behind', async () => {
    const rendersFolder = join(folder, 'aborted-renders')
    const ffmpegPath = await wrapped('slow', `case " $* " in *" mp4 "*) echo $$ > ${folder}/slow.pid; sleep 60;; esac`)
    const { make, template, close } = await open({ templatesFolder, ffmpegPath, rendersFolder })
    const abort = new AbortController()
    const reason = new Error('enough')
    const outcome = expect(make(template, name('Маша'), { signal: abort.signal })).rejects.toBe(reason)
    const pid = await untilWritten(join(folder, 'slow.pid'))
    abort.abort(reason)
    await outcome
    expect(isRunning(pid)).toBe(false)
    await close()
    expect(readdirSync(rendersFolder)).toEqual([])
  })

  /** An ffmpeg that for the last step keeps busy without end, as often as there are files to be written. */
  const endless = (...files: string[]) =>
    wrapped(
      `endless-${files.join('-')}`,
      `case " $* " in *" mp4 "*) for FILE in ${files.map((file) => `${folder}/${file}`).join(' ')}; do [ -e $FILE ] || { echo $$ > $FILE; exec "$REAL" -loglevel error -re -f lavfi -i testsrc2 -f null -; }; done;; esac`,
    )
  const end = (file: string) => process.kill(Number(readFileSync(join(folder, file), 'utf8')), 'SIGKILL')

  test('a render process that dies is replaced and its work begun again; when it dies once more that is a fault of the render', async () => {
    const notes: string[] = []
    const { make, template } = await open({
      templatesFolder,
      ffmpegPath: await endless('first.pid', 'second.pid', 'third.pid'),
      rendersFolder: join(folder, 'dying-renders'),
      log: { warn: (text) => notes.push(text) },
    })
    const die = async (file: string) => {
      await untilWritten(join(folder, file))
      for (const pid of childrenWith('render-process')) process.kill(pid, 'SIGKILL')
    }
    const outcome = expect(make(template, name('Маша'), { signal: free() })).rejects.toBeInstanceOf(AssetFault)
    await die('first.pid')
    await die('second.pid')
    await outcome
    const mended = make(template, name('Маша'), { signal: free() })
    await die('third.pid')
    expect((await mended).durationSeconds).toBe(4)
    expect(notes).toEqual(
      Array.from({ length: 2 }, () => 'the render process ended unexpectedly; its work is begun again'),
    )
    for (const file of ['first.pid', 'second.pid', 'third.pid']) end(file)
  })

  test('a render process that stands still for ten seconds is killed and its work begun again', async () => {
    const notes: string[] = []
    const { make, template } = await open({
      templatesFolder,
      ffmpegPath: await endless('still.pid'),
      rendersFolder: join(folder, 'still-renders'),
      log: { warn: (text) => notes.push(text) },
    })
    const video = make(template, name('Маша'), { signal: free() })
    await untilWritten(join(folder, 'still.pid'))
    for (const pid of childrenWith('render-process')) process.kill(pid, 'SIGSTOP')
    expect((await video).durationSeconds).toBe(4)
    expect(notes).toEqual(['the render process stood still for 10 s; its work is begun again'])
    end('still.pid')
  })

  test('a greeting longer than the video is a fault of the voice', async () => {
    const { make, template } = await open()
    await expect(make(template, name('Маша', 'Маша '.repeat(20)), { signal: free() })).rejects.toMatchObject({
      name: 'AssetFault',
      faultClass: 'voice',
    })
  })

  test('a name no typeface has every character of is never drawn', async () => {
    const { make, template } = await open()
    await expect(make(template, name('太郎', 'Таро'), { signal: free() })).rejects.toMatchObject({
      name: 'AssetFault',
      faultClass: 'render',
      message: expect.not.stringContaining('太郎') as string,
    })
  })

  test('a clip or music that does not fit the manifest is named when the studio warms up', async () => {
    const long = changedTemplate((manifest) => void (manifest.seconds = 5))
    await expect((await open({ templatesFolder: long })).warmUp()).rejects.toThrow(
      "templates/tiny: clip.mp4: has 40 frames, the manifest's 5 s at 10 fps are 50",
    )
    const large = changedTemplate((manifest) => void (manifest.size = { width: 128, height: 64 }))
    await expect((await open({ templatesFolder: large })).warmUp()).rejects.toThrow(
      'templates/tiny: clip.mp4: is 64×64, the manifest says 128×64',
    )
  })
})

describe('several processes', () => {
  test('make the same and other videos at once from one cache', async () => {
    const [cacheFolder, rendersFolder] = [join(folder, 'shared-cache'), join(folder, 'shared-renders')]
    const script = join(folder, 'process.mjs')
    writeFileSync(
      script,
      `
      const { openRenderer } = await import(${JSON.stringify(builtScript('video/renderer'))})
      const renderer = await openRenderer(${JSON.stringify(settings({ cacheFolder, rendersFolder }))})
      const videos = await Promise.all(['Маша', process.argv[2]].map((display) => renderer.make(renderer.templates[0], { key: display, display, say: null }, { signal: new AbortController().signal })))
      console.log(JSON.stringify(videos.map(({ path }) => path)))
      await renderer.close()
    `,
    )
    const run = (other: string) =>
      new Promise<string[]>((done, fail) => {
        const child = spawn(process.execPath, [script, other], { stdio: ['ignore', 'pipe', 'inherit'] })
        let output = ''
        child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
        child.once('close', (code) =>
          code === 0 ? done(JSON.parse(output) as string[]) : fail(new Error(`ended with ${code}`)),
        )
      })
    const [one, two] = await Promise.all([run('Петя'), run('Даша')])
    expect(one?.[0]).toBe(two?.[0])
    const { template } = await open()
    for (const path of [...(one ?? []), ...(two ?? [])]) expect((await checkVideo(path, template)).faults).toEqual([])
    expect(readdirSync(join(cacheFolder, 'parts'))).toHaveLength(1)
    expect(readdirSync(rendersFolder).filter((file) => file.startsWith('tmp-'))).toEqual([])
  })

  test('that have died leave nothing: their folders go when the next studio opens, a lock of theirs is taken over', async () => {
    const [cacheFolder, rendersFolder] = [join(folder, 'left-cache'), join(folder, 'left-renders')]
    const first = await open({ cacheFolder, rendersFolder })
    const made: string[] = []
    for (let times = 0; times < 2; times++) await first.warmUp(undefined, (id, ms) => made.push(`${id} ${ms > 0}`))
    expect(made).toEqual(['tiny true'])
    const own = readdirSync(rendersFolder).find((file) => file.startsWith('tmp-')) ?? ''
    const dead = own.replace(`-${process.pid}-`, '-4194303-')
    mkdirSync(join(rendersFolder, dead))
    const [parts = ''] = readdirSync(join(cacheFolder, 'parts'))
    rmSync(join(cacheFolder, 'parts', parts), { recursive: true })
    mkdirSync(join(cacheFolder, 'parts', `${parts}.lock`))
    const longAgo = new Date(Date.now() - 60_000)
    utimesSync(join(cacheFolder, 'parts', `${parts}.lock`), longAgo, longAgo)
    const { warmUp } = await open({ cacheFolder, rendersFolder })
    expect(readdirSync(rendersFolder)).not.toContain(dead)
    expect(readdirSync(rendersFolder)).toContain(own)
    await warmUp()
    expect(readdirSync(join(cacheFolder, 'parts'))).toEqual([parts])
  })
})

test('a program that is killed without warning leaves no process behind', async () => {
  const script = join(folder, 'killed.mjs')
  // ffmpeg keeps still in the middle of its work, so that all processes are there when the program is killed.
  const ffmpegPath = await wrapped(
    'keeping-still',
    `case " $* " in *" mp4 "*) echo $$ > ${folder}/keeping-still.pid; sleep 60;; esac`,
  )
  writeFileSync(
    script,
    `
    const { openRenderer } = await import(${JSON.stringify(builtScript('video/renderer'))})
    const renderer = await openRenderer(${JSON.stringify(settings({ ffmpegPath, rendersFolder: join(folder, 'killed-renders') }))})
    await renderer.make(renderer.templates[0], { key: 'маша', display: 'Маша', say: null }, { signal: new AbortController().signal })
  `,
  )
  const program = spawn(process.execPath, [script], { stdio: 'ignore' })
  const ffmpeg = await untilWritten(join(folder, 'keeping-still.pid'))
  const below = descendants(program.pid ?? 0)
  expect(below.length).toBeGreaterThanOrEqual(3)
  expect(below).toContain(ffmpeg)
  program.kill('SIGKILL')
  for (let tries = 0; below.some(isRunning); tries++) {
    if (tries > 250) throw new Error('some are still running')
    await new Promise((go) => setTimeout(go, 20))
  }
})

test('an ffmpeg that stood still when everything above it was killed ends at the next start', async () => {
  const script = join(folder, 'frozen.mjs')
  const rendersFolder = join(folder, 'frozen-renders')
  const ffmpegPath = await wrapped(
    'freezing',
    `case " $* " in *" mp4 "*) echo $$ > ${folder}/freezing.pid; kill -STOP $$;; esac`,
  )
  writeFileSync(
    script,
    `
    const { openRenderer } = await import(${JSON.stringify(builtScript('video/renderer'))})
    const renderer = await openRenderer(${JSON.stringify(settings({ ffmpegPath, rendersFolder }))})
    await renderer.make(renderer.templates[0], { key: 'маша', display: 'Маша', say: null }, { signal: new AbortController().signal })
  `,
  )
  const program = spawn(process.execPath, [script], { stdio: 'ignore' })
  const frozen = await untilWritten(join(folder, 'freezing.pid'))
  const below = descendants(program.pid ?? 0).filter((pid) => pid !== frozen)
  // It has written its number a moment before it stands still, and would notice what happens in that moment.
  for (let tries = 0; !/\) T /.test(readFileSync(`/proc/${frozen}/stat`, 'utf8')); tries++) {
    if (tries > 250) throw new Error('it does not stand still')
    await new Promise((go) => setTimeout(go, 20))
  }
  // Its process is on record before anything can happen to us.
  for (
    let tries = 0;
    readdirSync(rendersFolder, { recursive: true, encoding: 'utf8' }).every(
      (file) => !file.endsWith(`ffmpeg-${frozen}`),
    );
    tries++
  ) {
    if (tries > 250) throw new Error('it is not on record')
    await new Promise((go) => setTimeout(go, 20))
  }
  const ended = once(program, 'exit')
  program.kill('SIGKILL')
  for (const pid of below) process.kill(pid, 'SIGKILL')
  await ended
  for (let tries = 0; below.some(isRunning); tries++) {
    if (tries > 250) throw new Error('some are still running')
    await new Promise((go) => setTimeout(go, 20))
  }
  expect(isRunning(frozen)).toBe(true)
  await open({ rendersFolder })
  for (let tries = 0; isRunning(frozen); tries++) {
    if (tries > 250) throw new Error('it is still running')
    await new Promise((go) => setTimeout(go, 20))
  }
  expect(readdirSync(rendersFolder).filter((file) => file.includes(`-${program.pid}-`))).toEqual([])
})

test('a closed studio leaves no process behind', async () => {
  const { make, template, close } = await open()
  await make(template, name('Вера'), { signal: free() })
  expect(childrenWith('render-process').length).toBeGreaterThan(0)
  await close()
  expect(childrenWith('render-process')).toEqual([])
  expect(childrenWith('espeak-process')).toEqual([])
})

afterAll(() => expect(childrenWith('render-process')).toEqual([]))

/** Process ids of everything a process has started, and what that has started. */
function descendants(pid: number): number[] {
  const own = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((other) => {
      try {
        return readFileSync(`/proc/${other}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1] === String(pid)
      } catch {
        return false
      }
    })
  return own.flatMap((child) => [child, ...descendants(child)])
}

async function untilWritten(file: string): Promise<number> {
  for (let tries = 0; ; tries++) {
    try {
      const text = readFileSync(file, 'utf8')
      if (text.endsWith('\n')) return Number(text)
    } catch {
      // Not yet.
    }
    if (tries > 500) throw new Error('waited in vain')
    await new Promise((go) => setTimeout(go, 20))
  }
}
