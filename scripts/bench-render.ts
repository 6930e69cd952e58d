/**
 * What one name costs in processor time and in waiting, against the least it could cost and against encoding the whole
 * clip for every name, all in one run: `npm run bench:render [template]`. Linux only: it reads /proc.
 *
 *   limit: drawing the frames of the windows, encoding them from raw, encoding the sound from PCM, same settings
 *   whole: decoding the clip, drawing the name, encoding every frame, mixing and encoding the sound
 *
 * Then names a minute with one and with two renders at a time, and the most memory they took together.
 */
import { mkdtemp, open, rm } from 'node:fs/promises'
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { templatesFolder } from '../src/installation.ts'
import { drawName } from '../src/video/drawing/index.ts'
import { frameBytes, partOptions, rawFrames, rawSound, soundOptions } from '../src/video/encoding.ts'
import { runFfmpeg } from '../src/ffmpeg/run.ts'
import { findFfmpeg } from '../src/ffmpeg/find.ts'
import { fill, frameStream, windowFrame } from '../src/video/frames.ts'
import { fixedParts } from '../src/video/parts.ts'
import { renderWhole } from '../src/video/render.ts'
import type { RenderJob } from '../src/video/render-job.ts'
import { openRenderer } from '../src/video/renderer.ts'
import { templateRevision } from '../src/video/load-templates.ts'
import { type Template, typefaceFor, windowFrames } from '../src/video/template.ts'

const voice = {
  engine: 'espeak',
  voice: undefined,
  url: undefined,
  apiKey: undefined,
  model: undefined,
  piperPath: undefined,
  piperModel: undefined,
} as const
const names = ['Маша', 'Анна-Мария', 'Владислав', 'Катя']
/** The first names of a process pay for the compiler's warming up; they are not counted. */
const warmingUp = ['Соня', 'Александра', 'Вероника']
const parallelNames = ['Ольга', 'Инна', 'Пётр', 'Юлия', 'Денис', 'Роман', 'Лидия', 'Семён']
const budget = { limit: 1.25, whole: 5 }

const folder = await mkdtemp(join(tmpdir(), 'greetings-bench-'))
try {
  const templateId = process.argv[2] ?? 'new-year-ru'
  const signal = new AbortController().signal
  const cacheFolder = join(folder, 'cache')
  const renderer = await openRenderer({
    rendersFolder: join(folder, 'renders'),
    cacheFolder,
    templatesFolder,
    templateIds: [templateId],
    voice,
  })
  const [template] = renderer.templates
  if (template === undefined) throw new Error('no template')
  await renderer.warmUp()
  const name = (display: string) => ({ key: display.toLowerCase(), display, say: null })
  for (const display of warmingUp) await renderer.make(template, name(display), { signal })

  /** So many renders at a time, until all names are made. */
  async function pace(atOnce: number, all: string[]): Promise<{ perMinute: number; peakBytes: number }> {
    let peakBytes = 0
    const watching = setInterval(() => (peakBytes = Math.max(peakBytes, treeBytes())), 200)
    const started = performance.now()
    const left = [...all]
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        for (let display = left.shift(); display !== undefined; display = left.shift())
          await renderer.make(template as Template, name(display), { signal })
      }),
    )
    clearInterval(watching)
    return { perMinute: (all.length / (performance.now() - started)) * 60_000, peakBytes }
  }
  let bytes = 0
  const steps = new Map<string, number>()
  const ours = await measured(names, async (display) => {
    const video = await renderer.make(template, name(display), {
      signal,
      onStep: (step, ms) => steps.set(step, (steps.get(step) ?? 0) + ms),
    })
    bytes += video.bytes
  })
  const paces: { atOnce: number; perMinute: number; peakBytes: number }[] = []
  for (const atOnce of [1, 2])
    paces.push({
      atOnce,
      ...(await pace(
        atOnce,
        parallelNames.map((display) => `${display} ${atOnce === 1 ? 'Анна' : 'Вера'}`),
      )),
    })
  await renderer.close()

  const ffmpeg = await findFfmpeg({ cacheFolder })
  const revision = await templateRevision(template)
  const parts = await fixedParts(ffmpeg, template, revision, cacheFolder, signal)
  const pcm = Buffer.from(readFileSync(parts.music))
  const least = async (display: string) => {
    for (const [index, window] of template.windows.entries()) {
      const { start, end } = windowFrames(template, window)
      const file = parts.windows[index] ?? ''
      const drawn = drawName(template, window, display, typefaceFor(template, index, display) ?? '', {
        frame: await windowFrame(file, template, 0),
      })
      const handle = await open(file, 'r')
      const frames = frameStream(end - start, frameBytes(template.size), async (frame, at) => {
        await fill(handle, frame, at * frame.length)
        drawn.drawInto(frame, at)
      })
      await runFfmpeg(ffmpeg, {
        inputs: [{ source: frames, options: rawFrames(template) }],
        options: partOptions(template, start),
        output: join(folder, 'window.ts'),
        signal,
      })
      await handle.close()
    }
    await runFfmpeg(ffmpeg, {
      inputs: [{ source: Readable.from([pcm], { objectMode: false }), options: rawSound }],
      options: [...soundOptions, '-f', 'mp4'],
      output: join(folder, 'sound.m4a'),
      signal,
    })
  }
  for (const display of warmingUp) await least(display)
  const limit = await measured(names, least)

  const whole = await measured(names.slice(0, 1), async (display) => {
    const job: RenderJob = {
      ffmpeg,
      template,
      templateRevision: revision,
      display,
      spoken: [],
      cacheFolder,
      workFolder: folder,
      videoFile: '',
      thumbnailFile: '',
    }
    await renderWhole(job, signal)
  })

  const line = (what: string, { cpu, wall }: Cost) =>
    console.log(`${what.padEnd(36)}${cpu.toFixed(2).padStart(9)}${wall.toFixed(2).padStart(9)}`)
  console.log(`${'seconds a name'.padEnd(36)}${'processor'.padStart(9)}${'waiting'.padStart(9)}`)
  line('one name, from name to checked file', ours)
  line('limit: draw, encode window, sound', limit)
  line('whole clip for every name', whole)
  for (const { atOnce, perMinute, peakBytes } of paces)
    console.log(
      `${`${atOnce} at a time`.padEnd(36)}${perMinute.toFixed(1).padStart(9)} names a minute, at most ` +
        `${Math.round(peakBytes / 1e6)} MB of memory`,
    )
  console.log(`${'processors here'.padEnd(36)}${String(availableParallelism()).padStart(9)}`)
  console.log(`file                                 ${(bytes / names.length / 1e6).toFixed(2)} MB`)
  console.log(
    'waiting time of its steps            ' +
      `${[...steps].map(([step, ms]) => `${step} ${Math.round(ms / names.length)} ms`).join(', ')}`,
  )
  const checks = [
    {
      what: `ours / limit  ${(ours.cpu / limit.cpu).toFixed(2)}  (processor; budget ≤ ${budget.limit})`,
      good: ours.cpu / limit.cpu <= budget.limit,
    },
    {
      what: `whole / ours  ${(whole.cpu / ours.cpu).toFixed(2)}  (processor; budget ≥ ${budget.whole})`,
      good: whole.cpu / ours.cpu >= budget.whole,
    },
    { what: `file < 10 MB`, good: bytes / names.length < 10e6 },
  ]
  for (const { what, good } of checks) console.log(`${good ? 'ok  ' : 'OVER'} ${what}`)
  if (checks.some(({ good }) => !good)) process.exitCode = 1
} finally {
  await rm(folder, { recursive: true, force: true })
}

interface Cost {
  /** seconds of all processors together */
  cpu: number
  /** seconds somebody waits */
  wall: number
}

/** Processor time, of this process and all it has started, resident ones included, and waiting time per item. */
async function measured<T>(items: T[], work: (item: T) => Promise<void>): Promise<Cost> {
  const before = treeTicks()
  const started = performance.now()
  for (const item of items) await work(item)
  return {
    cpu: (treeTicks() - before) / 100 / items.length,
    wall: (performance.now() - started) / 1_000 / items.length,
  }
}

/** Ticks of a hundredth of a second: of each living process below us, and through it of those that have ended. */
function treeTicks(): number {
  return tree().reduce(
    (sum, fields) => sum + fields.slice(11, 15).reduce((ticks, field) => ticks + Number(field), 0),
    0,
  )
}

/** Memory in use by this process and all below it, what they share counted for each; bytes. */
function treeBytes(): number {
  return tree().reduce((sum, fields) => sum + Number(fields[21]) * 4_096, 0)
}

/** The fields of `/proc/<pid>/stat` behind the program's name, of this process and all below it. */
function tree(): string[][] {
  const processes = new Map<number, string[]>()
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    try {
      // The program's name may hold blanks and brackets; fields are counted behind its last bracket.
      const text = readFileSync(`/proc/${entry}/stat`, 'utf8')
      processes.set(Number(entry), text.slice(text.lastIndexOf(')') + 2).split(' '))
    } catch {
      // It has ended meanwhile.
    }
  }
  const isOurs = (pid: number): boolean =>
    pid === process.pid || (pid > 1 && isOurs(Number(processes.get(pid)?.[1] ?? 0)))
  return [...processes].filter(([pid]) => isOurs(pid)).map(([, fields]) => fields)
}
