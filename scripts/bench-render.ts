/**
 * What one name costs in processor time, against the least it could cost and against encoding the whole clip for every
 * name, all in one run: `npm run bench:render [template]`. Linux only: it reads /proc.
 *
 *   limit: drawing the frames of the windows, encoding them from raw, encoding the sound from PCM, same settings
 *   whole: decoding the clip, drawing the name, encoding every frame, mixing and encoding the sound
 */
import { mkdtemp, open, rm } from 'node:fs/promises'
import { readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { templatesFolder } from '../src/installation.ts'
import { drawName } from '../src/video/drawing.ts'
import { frameBytes, partOptions, rawFrames, rawSound, soundOptions } from '../src/video/encoding.ts'
import { findFfmpeg, runFfmpeg } from '../src/video/ffmpeg.ts'
import { fill, frameStream, windowFrame } from '../src/video/frames.ts'
import { fixedParts } from '../src/video/parts.ts'
import { renderWhole } from '../src/video/render.ts'
import type { RenderJob } from '../src/video/render.ts'
import { openStudio } from '../src/video/studio.ts'
import { templateRevision, typefaceFor, windowFrames } from '../src/video/template.ts'

const voice = { engine: 'espeak', voice: undefined, url: undefined, apiKey: undefined, model: undefined, piperPath: undefined, piperModel: undefined } as const
const names = ['Маша', 'Анна-Мария', 'Владислав', 'Катя']
/** The first names of a process pay for the compiler's warming up; they are not counted. */
const warmingUp = ['Соня', 'Александра', 'Вероника']
const budget = { limit: 1.25, whole: 5 }

const folder = await mkdtemp(join(tmpdir(), 'greetings-bench-'))
try {
  const templateId = process.argv[2] ?? 'new-year-ru'
  const signal = new AbortController().signal
  const cacheFolder = join(folder, 'cache')
  const studio = await openStudio({ rendersFolder: join(folder, 'renders'), cacheFolder, templatesFolder, templateIds: [templateId], voice })
  const [template] = studio.templates
  if (template === undefined) throw new Error('no template')
  await studio.warmUp()
  const name = (display: string) => ({ key: display.toLowerCase(), display, say: null })
  for (const display of warmingUp) await studio.make(template, name(display), { signal })
  let bytes = 0
  const steps = new Map<string, number>()
  const ours = await cpuSeconds(names, async (display) => {
    const video = await studio.make(template, name(display), { signal, onStep: (step, ms) => steps.set(step, (steps.get(step) ?? 0) + ms) })
    bytes += video.bytes
  })
  await studio.close()

  const ffmpeg = await findFfmpeg({ cacheFolder })
  const revision = await templateRevision(template)
  const parts = await fixedParts(ffmpeg, template, revision, cacheFolder, signal)
  const pcm = Buffer.from(readFileSync(parts.music))
  const least = async (display: string) => {
    for (const [index, window] of template.windows.entries()) {
      const { start, end } = windowFrames(template, window)
      const file = parts.windows[index] ?? ''
      const drawn = drawName(template, window, display, typefaceFor(template, index, display) ?? '', { frame: await windowFrame(file, template, 0) })
      const handle = await open(file, 'r')
      const frames = frameStream(end - start, frameBytes(template.size), async (frame, at) => {
        await fill(handle, frame, at * frame.length)
        drawn.drawInto(frame, at)
      })
      await runFfmpeg(ffmpeg, { inputs: [{ source: frames, options: rawFrames(template) }], options: partOptions(template, start), output: join(folder, 'window.ts'), signal })
      await handle.close()
    }
    await runFfmpeg(ffmpeg, { inputs: [{ source: Readable.from([pcm], { objectMode: false }), options: rawSound }], options: [...soundOptions, '-f', 'mp4'], output: join(folder, 'sound.m4a'), signal })
  }
  for (const display of warmingUp) await least(display)
  const limit = await cpuSeconds(names, least)

  const whole = await cpuSeconds(names.slice(0, 1), async (display) => {
    const job: RenderJob = { ffmpeg, template, templateRevision: revision, display, spoken: [], cacheFolder, workFolder: folder, videoFile: '', thumbnailFile: '' }
    await renderWhole(job, signal)
  })

  const line = (what: string, seconds: number) => console.log(`${what.padEnd(34)}${seconds.toFixed(2).padStart(7)} s of processor time`)
  line('one name, from name to checked file', ours)
  line('limit: draw, encode window, sound', limit)
  line('whole clip for every name', whole)
  console.log(`file                                 ${(bytes / names.length / 1e6).toFixed(2)} MB`)
  console.log(`waiting time of its steps            ${[...steps].map(([step, ms]) => `${step} ${Math.round(ms / names.length)} ms`).join(', ')}`)
  const checks = [
    { what: `ours / limit  ${(ours / limit).toFixed(2)}  (budget ≤ ${budget.limit})`, good: ours / limit <= budget.limit },
    { what: `whole / ours  ${(whole / ours).toFixed(2)}  (budget ≥ ${budget.whole})`, good: whole / ours >= budget.whole },
    { what: `file < 10 MB`, good: bytes / names.length < 10e6 },
  ]
  for (const { what, good } of checks) console.log(`${good ? 'ok  ' : 'OVER'} ${what}`)
  if (checks.some(({ good }) => !good)) process.exitCode = 1
} finally {
  await rm(folder, { recursive: true, force: true })
}

/** Processor time per item of this process and all it has started, resident ones included. */
async function cpuSeconds<T>(items: T[], work: (item: T) => Promise<void>): Promise<number> {
  const before = treeTicks()
  for (const item of items) await work(item)
  return (treeTicks() - before) / 100 / items.length
}

/** Ticks of a hundredth of a second: of each living process below us, and through it of those that have ended. */
function treeTicks(): number {
  const processes = new Map<number, { parent: number; ticks: number }>()
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    try {
      // The program's name may hold blanks and brackets; fields are counted behind its last bracket.
      const text = readFileSync(`/proc/${entry}/stat`, 'utf8')
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
      processes.set(Number(entry), { parent: Number(fields[1]), ticks: fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) })
    } catch {
      // It has ended meanwhile.
    }
  }
  let sum = 0
  for (const [pid, { ticks }] of processes) {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = processes.get(at)?.parent) {
      if (at !== process.pid) continue
      sum += ticks
      break
    }
  }
  return sum
}
