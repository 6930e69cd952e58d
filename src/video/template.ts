/**
 * A template: a designed clip with windows in which the name is shown, a place where it is spoken, and music.
 * It is a folder with `template.json` (the manifest, described below), the clip and the music.
 *
 * The clip shows everything but the name: H.264, exactly `seconds × fps` frames of `size`, BT.709, no sound.
 * The music is a FLAC or WAV file at least as long, without a voice. From name to name only the pixels inside
 * the windows' boxes and the sound change.
 *
 * Reading a template (`load-templates.ts`) needs neither ffmpeg nor a voice.
 */
import { z } from 'zod'
import { displayIn, partsOf } from '../names/set.ts'
import type { Name } from '../names/name.ts'
import { missingGlyphs } from './glyphs.ts'

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
  /**
   * the safe area, in pixels of the frame: the name and its glow stay
   * inside, centred; two lines of a long name must fit
   */
  box: z.strictObject({
    x: z.number().int().min(0),
    y: z.number().int().min(0),
    width: z.number().int().min(2),
    height: z.number().int().min(2),
  }),
  /**
   * fonts, the best first; a name is set in the first that has all its characters. A file of an installed package
   * ("@expo-google-fonts/…/….ttf") or of the template's folder
   */
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
  /**
   * height of a capital letter, in per cent of the frame's height: what short names get, and the least a long one
   * is shrunk to before it is broken or tightened
   */
  capHeightPercent: z.strictObject({ ideal: z.number().positive().max(50), least: z.number().positive().max(50) }),
  /**
   * `ink`: the letters; `glow`: the light around them; `halo`: the dark behind them, for
   * contrast; `sparks`: what scatters from the tip
   */
  colours: z.strictObject({ ink: colour, glow: colour, halo: colour, sparks: colour }),
  /**
   * `write`: a fingertip of light writes the name; `fade`: it appears as a
   * whole. `after`: seconds from the window's opening
   */
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

/** The contract of `template.json`. */
export const manifest = z.strictObject({
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
  /**
   * letters of the longest name that every window holds at its least size or
   * above; longer ones are not made with this template
   */
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

/** The first template that serves the name's script, has room for the name and a glyph for each of its letters. */
export function templateFor(templates: Template[], name: Name): Template | undefined {
  return templates.find((template) => template.scripts.includes(name.script) && canShow(template, name))
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
function canShow(template: Template, name: Name): boolean {
  const display = displayIn(name, template.speech[0]?.language)
  // A letter has one code unit or more, so short names need no counting: lists are long. What joins the parts of a set is
  // not counted.
  const fits =
    display.length <= template.longestName ||
    [...letters.segment(partsOf(name.key).join(''))].length <= template.longestName
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

/**
 * The stretches of frames outside all windows, in order; the one before the first window, between
 * two, after the last. Empty ones are left out.
 */
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
