/**
 * A template: a designed clip with windows in which the name is shown, a place where it is spoken, and music.
 * It is a folder with `template.json` (the manifest, described below), the clip and the music.
 *
 * The clip shows everything but the name: H.264, exactly `seconds × fps` frames of `size`, BT.709, no sound.
 * The music is a FLAC or WAV file at least as long, without a voice. From name to name only the pixels inside
 * the windows' boxes and the sound change.
 *
 * Reading a template needs neither ffmpeg nor a voice.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, readdir, realpath, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, join, relative, resolve, sep } from 'node:path'
import { z } from 'zod'
import { templatesFolder } from '../installation.ts'
import { containerNames, containerOf } from '../ffmpeg/container.ts'
import { FontFault, missingGlyphs } from './glyphs.ts'

/** A template cannot be used as it is: what is wrong, where, and in which file. One line each. */
export class TemplateFault extends Error {
  override name = 'TemplateFault'
  readonly exitCode = 2
  constructor(readonly faults: string[]) {
    super(faults.join('\n'))
  }
}

const id = z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'must be small letters, digits and hyphens')
const language = z.string().regex(/^[a-z]{2,3}(-[A-Za-z0-9]+)*$/, 'must be a language, such as "ru" or "en"')
const colour = z.string().regex(/^#[0-9a-fA-F]{6}$/, 'must be a colour, such as "#fff4d6"')
const seconds = z.number().min(0)
const even = (what: string) =>
  z
    .number()
    .int()
    .positive()
    .refine((value) => value % 2 === 0, `${what} must be even: H.264 stores colour at half the size`)
/** a file of the template's folder; never outside it */
const ownFile = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, "must be the name of a file in the template's folder")

const window = z.strictObject({
  /** when the window opens and closes, seconds from the clip's start; whole frames */
  from: seconds,
  to: seconds,
  /** the safe area, in pixels of the frame: the name and its glow stay inside, centred; two lines of a long name must fit */
  box: z.strictObject({
    x: z.number().int().min(0),
    y: z.number().int().min(0),
    width: z.number().int().min(2),
    height: z.number().int().min(2),
  }),
  /** fonts, the best first; a name is set in the first that has all its characters. A file of an installed package ("@expo-google-fonts/…/….ttf") or of the template's folder */
  typefaces: z
    .array(
      z
        .string()
        .regex(
          /^(@[a-z0-9-]+\/)?[A-Za-z0-9][A-Za-z0-9._/-]*\.(ttf|otf)$/,
          "must be a .ttf or .otf file of an installed package or of the template's folder",
        )
        .refine((file) => !file.includes('..'), 'must not contain ".."'),
    )
    .min(1),
  /** height of a capital letter, in per cent of the frame's height: what short names get, and the least a long one is shrunk to before it is broken or tightened */
  capHeightPercent: z.strictObject({ ideal: z.number().positive().max(50), least: z.number().positive().max(50) }),
  /** `ink`: the letters; `glow`: the light around them; `halo`: the dark behind them, for contrast; `sparks`: what scatters from the tip */
  colours: z.strictObject({ ink: colour, glow: colour, halo: colour, sparks: colour }),
  /** `write`: a fingertip of light writes the name; `fade`: it appears as a whole. `after`: seconds from the window's opening */
  entrance: z.strictObject({ style: z.enum(['write', 'fade']), after: seconds, seconds: z.number().positive() }),
  /** the name is gone when the window closes: it fades in its last `seconds` */
  exit: z.strictObject({ style: z.literal('fade'), seconds: z.number().positive() }),
})

const speech = z.strictObject({
  /** when the voice begins, seconds from the clip's start */
  at: seconds,
  /** what it says; `{name}` stands for the name */
  text: z
    .string()
    .min(1)
    .max(200)
    .refine((text) => text.split('{name}').length === 2, 'must contain {name} once'),
  language,
  /** how much softer the music is at least while the voice speaks */
  duckDecibels: z.number().min(0).max(40),
})

const manifest = z.strictObject({
  id,
  /** by language, for people */
  title: z
    .record(language, z.string().min(1))
    .refine((titles) => Object.keys(titles).length > 0, 'must have a title in at least one language'),
  /** Unicode scripts it is made for, such as "Cyrillic" */
  scripts: z
    .array(z.string().regex(/^[A-Z][A-Za-z_]+$/, 'must be the name of a Unicode script, such as "Cyrillic"'))
    .min(1),
  size: z.strictObject({ width: even('width'), height: even('height') }),
  fps: z.number().int().min(1).max(60),
  seconds: z.number().positive().max(60),
  clip: ownFile,
  music: ownFile,
  /** letters of the longest name that every window holds at its least size or above; longer ones are not made with this template */
  longestName: z.number().int().min(2).max(40),
  /** the moment of the thumbnail: inside a window, with the whole name readable */
  posterSeconds: seconds,
  windows: z.array(window).min(1),
  speech: z.array(speech),
})

export type Manifest = z.infer<typeof manifest>
export type TemplateWindow = Manifest['windows'][number]

/** A manifest that was read and found good. Plain data: it may be sent to another process. */
export interface Template extends Manifest {
  /** the folder it lies in */
  folder: string
  clipFile: string
  musicFile: string
  /** the font files of each window, in order */
  typefaceFiles: string[][]
}

/**
 * Reads the templates with these ids, in this order.
 * @throws TemplateFault with every fault of all of them at once
 */
export async function loadTemplates(folder: string = templatesFolder, ids: string[]): Promise<Template[]> {
  const templates: Template[] = []
  const faults: string[] = []
  for (const wanted of new Set(ids)) {
    try {
      templates.push(await loadTemplate(folder, wanted))
    } catch (error) {
      if (!(error instanceof TemplateFault)) throw error
      faults.push(...error.faults)
    }
  }
  if (ids.length === 0) faults.push('No template is enabled. Set TEMPLATES to at least one id.')
  if (faults.length > 0) throw new TemplateFault(faults)
  return templates
}

/** The ids of the templates that lie in the folder, good or not, in alphabetical order. */
export async function listTemplateIds(folder: string = templatesFolder): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const found: string[] = []
  for (const entry of entries) {
    if (!entry.isDirectory()) continue
    const names = await readdir(join(folder, entry.name))
    if (names.includes('template.json')) found.push(entry.name)
  }
  return found.sort()
}

/** The first template that serves the script, a Unicode script name such as "Cyrillic", has room for the name and a glyph for each of its letters. */
export function templateFor(
  templates: Template[],
  { script, display }: { script: string; display: string },
): Template | undefined {
  return templates.find((template) => template.scripts.includes(script) && canShow(template, display))
}

/** Every script that one of the templates serves; a name in another is refused. */
export function scriptsOf(templates: Template[]): string[] {
  return [...new Set(templates.flatMap(({ scripts }) => scripts))]
}

/** The font file a name is set in inside a window: the first that has every character; undefined when none has. */
export function typefaceFor(template: Template, windowIndex: number, display: string): string | undefined {
  return (template.typefaceFiles[windowIndex] ?? []).find((file) => missingGlyphs(file, display).length === 0)
}

const letters = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** Whether every window of the template can show the name. */
function canShow(template: Template, display: string): boolean {
  // A letter has one code unit or more, so short names need no counting: lists are long.
  const fits = display.length <= template.longestName || [...letters.segment(display)].length <= template.longestName
  return fits && template.windows.every((_, index) => typefaceFor(template, index, display) !== undefined)
}

/** How many frames the template's videos have. */
export function frameCount(template: Manifest): number {
  return Math.round(template.seconds * template.fps)
}

/** A window in frames: the first frame inside, and the first after it. */
export function windowFrames(template: Manifest, window: TemplateWindow): { start: number; end: number } {
  return { start: Math.round(window.from * template.fps), end: Math.round(window.to * template.fps) }
}

/** The stretches of frames outside all windows, in order; the one before the first window, between two, after the last. Empty ones are left out. */
export function fixedFrames(template: Manifest): { start: number; end: number }[] {
  const stretches: { start: number; end: number }[] = []
  let start = 0
  for (const window of template.windows) {
    const frames = windowFrames(template, window)
    if (frames.start > start) stretches.push({ start, end: frames.start })
    start = frames.end
  }
  if (start < frameCount(template)) stretches.push({ start, end: frameCount(template) })
  return stretches
}

/** Content hash of the manifest and every file it names, fonts included. */
export async function templateRevision(template: Template): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(manifest.parse(stripPaths(template))))
  for (const file of [template.clipFile, template.musicFile, ...template.typefaceFiles.flat()]) {
    hash.update(`\n${basename(file)}\n`)
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  }
  return hash.digest('hex').slice(0, 32)
}

function stripPaths(template: Template): Manifest {
  const { folder: _folder, clipFile: _clip, musicFile: _music, typefaceFiles: _typefaces, ...rest } = template
  return rest
}

async function loadTemplate(folder: string, wanted: string): Promise<Template> {
  const home = join(folder, wanted)
  const file = join(home, 'template.json')
  const shown = shownPath(file)
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw new TemplateFault([`${shown}: cannot be read: ${(error as Error).message}`])
    const known = await listTemplateIds(folder).catch(() => [])
    throw new TemplateFault([
      `There is no template "${wanted}" in ${shownPath(folder)}. ${known.length > 0 ? `There are: ${known.join(', ')}.` : 'It holds no template at all.'}`,
    ])
  }
  let raw: unknown
  try {
    raw = JSON.parse(text)
  } catch (error) {
    throw new TemplateFault([`${shown}: is not JSON: ${(error as Error).message}`])
  }
  const parsed = manifest.safeParse(raw)
  if (!parsed.success)
    throw new TemplateFault(parsed.error.issues.map(({ path, message }) => `${shown}: ${shownKey(path)}${message}`))
  const faults = logicFaults(parsed.data, wanted)
  const template: Template = {
    ...parsed.data,
    folder: home,
    clipFile: join(home, parsed.data.clip),
    musicFile: join(home, parsed.data.music),
    typefaceFiles: parsed.data.windows.map((one) => one.typefaces.map((reference) => typefaceFile(home, reference))),
  }
  faults.push(...(await fileFaults(template)))
  if (faults.length > 0) throw new TemplateFault(faults.map((fault) => `${shown}: ${fault}`))
  return template
}

/** What the shapes of the values cannot say. */
function logicFaults(template: Manifest, wanted: string): string[] {
  const faults: string[] = []
  const { width, height } = template.size
  const whole = (value: number) => Math.abs(value * template.fps - Math.round(value * template.fps)) < 1e-6
  if (template.id !== wanted) faults.push(`id: "${template.id}" is not the folder's name "${wanted}"`)
  if (!whole(template.seconds))
    faults.push(`seconds: ${template.seconds} s is no whole number of frames at ${template.fps} fps`)
  let free = 0
  template.windows.forEach((one, index) => {
    const at = `windows[${index}]`
    if (!whole(one.from)) faults.push(`${at}.from: ${one.from} s is no whole number of frames at ${template.fps} fps`)
    if (!whole(one.to)) faults.push(`${at}.to: ${one.to} s is no whole number of frames at ${template.fps} fps`)
    if (one.to > template.seconds) faults.push(`${at}.to: ${one.to} s is beyond the clip's ${template.seconds} s`)
    if (one.to <= one.from) faults.push(`${at}.to: ${one.to} s is not after its "from", ${one.from} s`)
    else if (one.entrance.after + one.entrance.seconds + one.exit.seconds > one.to - one.from + 1e-9)
      faults.push(`${at}: entrance and exit take longer than the window's ${round(one.to - one.from)} s`)
    if (one.from < free) faults.push(`${at}.from: ${one.from} s lies before the end of the window before it, ${free} s`)
    if (one.box.x + one.box.width > width)
      faults.push(`${at}.box: ends at x = ${one.box.x + one.box.width}, beyond the frame's width of ${width}`)
    if (one.box.y + one.box.height > height)
      faults.push(`${at}.box: ends at y = ${one.box.y + one.box.height}, beyond the frame's height of ${height}`)
    for (const side of ['x', 'y', 'width', 'height'] as const)
      if (one.box[side] % 2 !== 0)
        faults.push(
          `${at}.box.${side}: ${one.box[side]} is odd; it must be even, for colour is stored at half the size`,
        )
    if (one.capHeightPercent.least > one.capHeightPercent.ideal)
      faults.push(
        `${at}.capHeightPercent.least: ${one.capHeightPercent.least} is above "ideal", ${one.capHeightPercent.ideal}`,
      )
    free = Math.max(free, one.to)
  })
  template.speech.forEach((one, index) => {
    if (one.at >= template.seconds)
      faults.push(`speech[${index}].at: ${one.at} s is beyond the clip's ${template.seconds} s`)
  })
  if (
    !template.windows.some(
      (one) =>
        template.posterSeconds >= one.from + one.entrance.after + one.entrance.seconds &&
        template.posterSeconds <= one.to - one.exit.seconds,
    )
  ) {
    faults.push(`posterSeconds: ${template.posterSeconds} s is no moment at which a window shows the whole name`)
  }
  return faults
}

async function fileFaults(template: Template): Promise<string[]> {
  const faults: string[] = []
  for (const [key, file] of [
    ['clip', template.clipFile],
    ['music', template.musicFile],
  ] as const) {
    const found = await stat(file).catch(() => undefined)
    if (found === undefined || !found.isFile()) faults.push(`${key}: there is no file ${basename(file)} beside it`)
    else if (found.size === 0) faults.push(`${key}: ${basename(file)} is empty`)
    else if (!(await liesWithin(template.folder, file)))
      faults.push(`${key}: ${basename(file)} is a link to a file outside the template's folder`)
    else if ((await containerOf(file)) === undefined)
      faults.push(`${key}: ${basename(file)} is in no format that is read (${containerNames})`)
  }
  template.typefaceFiles.forEach((files, window) =>
    files.forEach((file, index) => {
      try {
        missingGlyphs(file, 'a')
      } catch (error) {
        const reason =
          error instanceof FontFault
            ? error.message
            : "there is no such file in an installed package or in the template's folder"
        faults.push(
          `windows[${window}].typefaces[${index}]: ${template.windows[window]?.typefaces[index] ?? file}: ${reason}`,
        )
      }
    }),
  )
  return faults
}

/** Links may lead anywhere within the folder. A template comes from somebody else, and what its files show goes to everybody. */
async function liesWithin(folder: string, file: string): Promise<boolean> {
  return (await realpath(file)).startsWith((await realpath(folder)) + sep)
}

/** A file of an installed package when the reference has a folder in it, else a file of the template's folder. Its existence is not checked here. */
function typefaceFile(home: string, reference: string): string {
  const within = resolve(home, reference)
  if (!reference.includes('/')) return within
  const [scopeOrName = '', second = ''] = reference.split('/')
  const packageName = scopeOrName.startsWith('@') ? `${scopeOrName}/${second}` : scopeOrName
  try {
    const packageFolder = join(createRequire(import.meta.url).resolve(`${packageName}/package.json`), '..')
    const file = resolve(packageFolder, reference.slice(packageName.length + 1))
    return file.startsWith(packageFolder + sep) ? file : within
  } catch {
    return within
  }
}

/** `templates/new-year-ru/template.json`, whatever the folder's own path. */
function shownPath(file: string): string {
  const path = relative(join(templatesFolder, '..'), file)
  return path.startsWith('..') ? file : path.split(sep).join('/')
}

function shownKey(path: PropertyKey[]): string {
  const key = path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`))
    .join('')
  return key === '' ? '' : `${key}: `
}

const round = (value: number) => Math.round(value * 1000) / 1000
