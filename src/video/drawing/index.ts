/**
 * Draws a name into the frames of a window: a fingertip of light writes it, sparks scatter from the tip, a glow
 * settles, and the letters keep a slow shimmer until they fade.
 *
 * The name is set once, whole, with its kerning and joins; its light and shade are turned into layers of plain numbers.
 * What moves from frame to frame is arithmetic on the few pixels that the layers touch, straight in the frame's own
 * YUV 4:2:0 planes: no picture is drawn, converted or copied per frame. Nothing outside the window's box is touched.
 *
 * All lengths are meant for a frame 1,280 pixels high; `unit` scales them.
 */
import { createHash } from 'node:crypto'
import { layOut, type Layout } from '../layout.ts'
import type { Template, TemplateWindow } from '../template.ts'
import { smooth, yuv } from './colour.ts'
import { blend, fillShimmer, haloStrength, layers, shimmerLength, type Background, type Plane } from './light.ts'
import { drawSpark, drawTip, glow, scatter, twinkle } from './sparks.ts'
import { arrivals, fillTables, steps, tipPath, writingTime } from './stroke.ts'
import { capHeightOf, inkOfLine, measureLine, registerFont, spaceFor } from './type.ts'

/** A name ready to be drawn into a window's frames. */
export interface NameDrawing {
  layout: Layout
  /** height of a capital letter, pixels */
  capHeight: number
  /** Draws frame `index` of the window, counted from its first, into the planes of a whole yuv420p frame. */
  drawInto(frame: Uint8Array, index: number): void
}

/**
 * @param typefaceFile a font file that has every character of the name
 * @throws DrawingFault
 */
export function drawName(
  template: Template,
  window: TemplateWindow,
  display: string,
  typefaceFile: string,
  background: Background,
): NameDrawing {
  const { width, height } = template.size
  const { box } = window
  const unit = height / 1280
  const font = registerFont(typefaceFile)
  const capital = capHeightOf(font)
  const layout = layOut(display, spaceFor(template, window, capital), (text) => measureLine(font, text))
  const inks = layout.lines.map((_, index) => inkOfLine(font, layout, index, box))
  const halo = haloStrength(template, window, inks, background)
  const random = randomNumbers(display)
  const writingSeconds = writingTime(window, display)
  const isWritten = window.entrance.style === 'write'
  const tips = tipPath(inks, box.width, box.height, layout.fontSize)
  const planes = inks.flatMap((ink, index) => {
    const own = tips.filter(({ line }) => line === index)
    const arrival = isWritten
      ? arrivals(own, box.width, box.height, layout.fontSize)
      : new Uint16Array(box.width * box.height)
    const others = inks.filter((_, other) => other !== index)
    return layers(template, window, ink, others, arrival, unit, halo)
  })
  const sparks = isWritten ? scatter(window, writingSeconds, tips, unit, random) : []
  const twinkles = twinkle(window, writingSeconds, inks, unit, random)
  const embers = glow(window, template.fps, inks, unit, random)
  const sparkColour = yuv(window.colours.sparks)
  const glowColour = yuv(window.colours.glow)
  const tables = emptyTables(window)

  return {
    layout,
    capHeight: layout.fontSize * capital,
    drawInto(frame, index) {
      const moment = momentOf(window, template.fps, writingSeconds, index)
      const { time, writing, presence } = moment
      if (presence <= 0) return
      drawLetters(frame, planes, tables, window, writingSeconds, moment)
      const surface = { frame, width, height, box }
      for (const spark of sparks) drawSpark(surface, spark, time, presence, sparkColour, glowColour)
      for (const spark of twinkles) drawSpark(surface, spark, time, presence, sparkColour, glowColour)
      for (const spark of embers) drawSpark(surface, spark, time, 1, glowColour, glowColour)
      if (isWritten) drawTip(surface, tips, writing, time, unit, sparkColour, glowColour)
    },
  }
}

/** Where a frame is in the life of the name. */
interface Moment {
  /** seconds since the window opened */
  time: number
  /** 0 when the tip touches, 1 when it lifts */
  writing: number
  /** 0 while the name stays, 1 when it is gone */
  leaving: number
  presence: number
}

function momentOf(window: TemplateWindow, fps: number, writingSeconds: number, index: number): Moment {
  const time = index / fps
  const length = window.to - window.from
  const leaving = smooth((time - (length - window.exit.seconds)) / Math.max(window.exit.seconds - 1 / fps, 1e-6))
  return { time, writing: (time - window.entrance.after) / writingSeconds, leaving, presence: 1 - leaving }
}

/** Filled for each frame: see `fillTables` and `fillShimmer`. */
interface Tables {
  shown: Uint16Array
  gain: Uint16Array
  colourShown: Uint16Array
  colourGain: Uint16Array
  shimmer: Uint16Array
}

function emptyTables({ box }: TemplateWindow): Tables {
  const perArrival = () => new Uint16Array(steps * 2 + 1)
  return {
    shown: perArrival(),
    gain: perArrival(),
    colourShown: perArrival(),
    colourGain: perArrival(),
    shimmer: new Uint16Array(shimmerLength(box)),
  }
}

function drawLetters(
  frame: Uint8Array,
  planes: Plane[],
  { shown, gain, colourShown, colourGain, shimmer }: Tables,
  window: TemplateWindow,
  writingSeconds: number,
  { time, writing, leaving, presence }: Moment,
): void {
  const isWritten = window.entrance.style === 'write'
  // It leaves as embers do: the white goes first, the amber glows on a little. White that faded alone would be grey.
  fillTables(isWritten, writingSeconds, writing, presence ** 1.5, 1, shown, gain)
  fillTables(isWritten, writingSeconds, writing, presence ** 0.55, 1 + 2.6 * leaving, colourShown, colourGain)
  fillShimmer(shimmer, time, window.box)
  for (const plane of planes) {
    if (plane.black === 16) blend(frame, plane, shown, gain, shimmer)
    else blend(frame, plane, colourShown, colourGain, shimmer)
  }
}

/** The same numbers for the same name, so that a video that is rendered again is the same video. */
function randomNumbers(display: string): () => number {
  let state = createHash('sha256').update(display).digest().readUInt32LE(0)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let value = Math.imul(state ^ (state >>> 15), 1 | state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296
  }
}
