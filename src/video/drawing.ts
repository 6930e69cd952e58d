/**
 * Draws a name into the frames of a window: a fingertip of light writes it, sparks scatter from the tip, a glow settles,
 * and the letters keep a slow shimmer until they fade.
 *
 * The name is set once, whole, with its kerning and joins; its light and shade are turned into layers of plain numbers.
 * What moves from frame to frame is arithmetic on the few pixels that the layers touch, straight in the frame's own
 * YUV 4:2:0 planes: no picture is drawn, converted or copied per frame. Nothing outside the window's box is touched.
 */
import { createCanvas, GlobalFonts } from '@napi-rs/canvas'
import type { SKRSContext2D } from '@napi-rs/canvas'
import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { missingGlyphs } from './glyphs.ts'
import { layOut } from './layout.ts'
import type { Layout, Space } from './layout.ts'
import type { Template, TemplateWindow } from './template.ts'

/** A name ready to be drawn into a window's frames. */
export interface NameDrawing {
  layout: Layout
  /** height of a capital letter, pixels */
  capHeight: number
  /** Draws frame `index` of the window, counted from its first, into the planes of a whole yuv420p frame. */
  drawInto(frame: Uint8Array, index: number): void
}

/** A frame of the window without the name, to choose the halo by. */
export interface Background {
  frame: Uint8Array
}

/** A font has no outline for a capital letter, or another part of the set-up that must never fail. */
class DrawingFault extends Error {
  override name = 'DrawingFault'
}

interface Yuv {
  y: number
  u: number
  v: number
}

/** What a line does to the pixels of one plane. Arrays run in parallel, one element per touched pixel. */
interface Plane {
  /** offset in the frame */
  at: Uint32Array
  /** how much of what lies behind is covered, 0 to 255 */
  cover: Uint8Array
  /** light that is added, relative to the plane's black */
  light: Int16Array
  /** when the tip has passed, in steps of the writing */
  arrival: Uint16Array
  /** place in the table of the shimmer */
  shimmer: Uint16Array
  black: number
}

interface Tip {
  x: number
  y: number
  /** 0 to 1 over the whole writing */
  at: number
  /** the tip is between lines: no light */
  lifted: boolean
}

interface Spark {
  x: number
  y: number
  driftX: number
  driftY: number
  born: number
  life: number
  size: number
  strength: number
  star: boolean
}

/** Resolution of arrival times; the writing takes this many steps. */
const steps = 1024

/** Settled letters are a little below full brightness, so that the shimmer has room to brighten them. */
const settled = 0.93

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
  // All lengths below are meant for a frame 1,280 pixels high.
  const unit = height / 1280
  const font = registerFont(typefaceFile)
  const capital = capHeightOf(font)
  const layout = layOut(display, spaceFor(template, window, capital), (text) => measureLine(font, text))
  const inks = layout.lines.map((_, index) => inkOfLine(font, layout, index, box))
  const halo = haloStrength(template, window, inks, background)
  const random = randomNumbers(display)
  const writingSeconds = writingTime(window, display)
  const planesOfLines: Plane[][] = []
  const tips = tipPath(inks, box.width, box.height, layout.fontSize)
  for (const [index, ink] of inks.entries()) {
    const arrival =
      window.entrance.style === 'write'
        ? arrivals(
            tips.filter(({ line }) => line === index),
            box.width,
            box.height,
            layout.fontSize,
          )
        : new Uint16Array(box.width * box.height)
    const others = inks.filter((_, other) => other !== index)
    planesOfLines.push(layers(template, window, ink, others, arrival, unit, halo))
  }
  const planes = planesOfLines.flat()
  const sparks = window.entrance.style === 'write' ? scatter(window, writingSeconds, tips, unit, random) : []
  const twinkles = twinkle(window, writingSeconds, inks, unit, random)
  const embers = glow(window, template.fps, inks, unit, random)
  const sparkColour = yuv(window.colours.sparks)
  const glowColour = yuv(window.colours.glow)
  const shimmerTable = new Uint16Array(shimmerLength(box))
  const shown = new Uint16Array(steps * 2 + 1)
  const gain = new Uint16Array(steps * 2 + 1)
  const colourShown = new Uint16Array(steps * 2 + 1)
  const colourGain = new Uint16Array(steps * 2 + 1)

  return {
    layout,
    capHeight: layout.fontSize * capital,
    drawInto(frame, index) {
      const time = index / template.fps
      const length = window.to - window.from
      const leaving = smooth(
        (time - (length - window.exit.seconds)) / Math.max(window.exit.seconds - 1 / template.fps, 1e-6),
      )
      const presence = 1 - leaving
      if (presence <= 0) return
      const writing = (time - window.entrance.after) / writingSeconds
      // It leaves as embers do: the white goes first, the amber glows on a little. White that faded alone would be grey.
      fillTables(window.entrance.style === 'write', writingSeconds, writing, presence ** 1.5, 1, shown, gain)
      fillTables(
        window.entrance.style === 'write',
        writingSeconds,
        writing,
        presence ** 0.55,
        1 + 2.6 * leaving,
        colourShown,
        colourGain,
      )
      fillShimmer(shimmerTable, time, box)
      for (const plane of planes) {
        if (plane.black === 16) blend(frame, plane, shown, gain, shimmerTable)
        else blend(frame, plane, colourShown, colourGain, shimmerTable)
      }
      const canvas = { frame, width, height, box }
      for (const spark of sparks) drawSpark(canvas, spark, time, presence, sparkColour, glowColour)
      for (const spark of twinkles) drawSpark(canvas, spark, time, presence, sparkColour, glowColour)
      for (const spark of embers) drawSpark(canvas, spark, time, 1, glowColour, glowColour)
      if (window.entrance.style === 'write') drawTip(canvas, tips, writing, time, unit, sparkColour, glowColour)
    },
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Setting the type

/** What the letters may fill, with room for their glow around them. `capital`: height of a capital letter at a font size of 1. */
function spaceFor({ size: { height } }: Template, { box, capHeightPercent }: TemplateWindow, capital: number): Space {
  const unit = height / 1280
  return {
    width: box.width - 2 * Math.min(34 * unit, box.width * 0.1),
    height: box.height - 2 * Math.min(26 * unit, box.height * 0.1),
    idealSize: ((capHeightPercent.ideal / 100) * height) / capital,
    leastSize: ((capHeightPercent.least / 100) * height) / capital,
  }
}

/** Wide letters, and syllables as names have them, of the scripts we know. */
const wideNames: Record<string, { capital: string; syllables: string[] }> = {
  Cyrillic: { capital: 'Щ', syllables: ['ша', 'мо', 'ща', 'жи'] },
  Latin: { capital: 'W', syllables: ['ma', 'wo', 'mo', 'ga'] },
}

/**
 * Windows that do not hold a long name as the manifest says, one line each with its place: set in wide letters as one
 * word and as two, it would be smaller than the least size, or narrowed by more than a tenth.
 */
export function layoutFaults(template: Template): string[] {
  const faults: string[] = []
  template.windows.forEach((window, index) =>
    template.typefaceFiles[index]?.forEach((file, typeface) => {
      const font = registerFont(file)
      const space = spaceFor(template, window, capHeightOf(font))
      for (const script of template.scripts) {
        const wide = wideNames[script]
        if (wide === undefined) continue
        const one = word(wide, template.longestName)
        const two = `${word(wide, Math.ceil(template.longestName / 2))} ${word(wide, Math.max(1, Math.floor(template.longestName / 2) - 1))}`
        if (missingGlyphs(file, one).length > 0) continue
        const bad = [one, two].find((name) => {
          const { fontSize, narrowing } = layOut(name, space, (text) => measureLine(font, text))
          return narrowing < 0.9 || fontSize < space.leastSize * 0.999
        })
        if (bad !== undefined)
          faults.push(
            `windows[${index}].box: a name of ${template.longestName} letters (longestName) does not fit at the least size in ${basename(template.windows[index]?.typefaces[typeface] ?? file)}: enlarge the box, or lower "least" or "longestName"`,
          )
      }
    }),
  )
  return faults
}

function word({ capital, syllables }: { capital: string; syllables: string[] }, length: number): string {
  return (capital + syllables.join('').repeat(Math.ceil(length / 8))).slice(0, length)
}

const families = new Map<string, string>()

function registerFont(file: string): string {
  let family = families.get(file)
  if (family === undefined) {
    // A family of its own per file: a family's other weights never stand in.
    family = `face-${createHash('sha256').update(file).digest('hex').slice(0, 12)}`
    if (GlobalFonts.registerFromPath(file, family) === null) throw new DrawingFault('the font file cannot be used')
    families.set(file, family)
  }
  return family
}

const measuring = createCanvas(8, 8).getContext('2d')
/** Sizes are measured large and scaled: hinting at small sizes would round them. */
const measuredAt = 200

function capHeightOf(font: string): number {
  measuring.font = `${measuredAt}px "${font}"`
  const { actualBoundingBoxAscent } = measuring.measureText('H')
  if (!(actualBoundingBoxAscent > 0)) throw new DrawingFault('the font has no capital letters')
  return actualBoundingBoxAscent / measuredAt
}

function measureLine(font: string, text: string): { width: number; ascent: number; descent: number } {
  measuring.font = `${measuredAt}px "${font}"`
  const size = measuring.measureText(text)
  return {
    width: Math.max(size.width, size.actualBoundingBoxLeft + size.actualBoundingBoxRight) / measuredAt,
    ascent: size.actualBoundingBoxAscent / measuredAt,
    descent: size.actualBoundingBoxDescent / measuredAt,
  }
}

/** How much each pixel of the box is covered by the letters of a line, 0 to 255. */
function inkOfLine(font: string, layout: Layout, line: number, box: TemplateWindow['box']): Uint8Array {
  const canvas = createCanvas(box.width, box.height)
  const context = canvas.getContext('2d')
  context.font = `${layout.fontSize}px "${font}"`
  context.fillStyle = '#fff'
  const text = layout.lines[line] ?? ''
  const first = measureLine(font, layout.lines[0] ?? '')
  const last = measureLine(font, layout.lines.at(-1) ?? '')
  const blockHeight = (first.ascent + last.descent) * layout.fontSize + (layout.lines.length - 1) * layout.lineHeight
  const baseline = (box.height - blockHeight) / 2 + first.ascent * layout.fontSize + line * layout.lineHeight
  drawCentred(context, text, box.width / 2, baseline, layout.narrowing)
  const { data } = context.getImageData(0, 0, box.width, box.height)
  const ink = new Uint8Array(box.width * box.height)
  for (let index = 0; index < ink.length; index++) ink[index] = data[index * 4 + 3] ?? 0
  return ink
}

/** Centred by what is seen, not by the advance: swashes reach beyond it. */
function drawCentred(context: SKRSContext2D, text: string, centre: number, baseline: number, narrowing: number): void {
  const { actualBoundingBoxLeft, actualBoundingBoxRight } = context.measureText(text)
  context.translate(centre, baseline)
  context.scale(narrowing, 1)
  context.fillText(text, (actualBoundingBoxLeft - actualBoundingBoxRight) / 2, 0)
}

// ---------------------------------------------------------------------------------------------------------------------
// Light and shade

/**
 * How dark the halo must be, 0 to 1, for a contrast of 4.5 : 1 and a little more between the letters and the brighter
 * parts of what lies behind them.
 */
function haloStrength(template: Template, window: TemplateWindow, inks: Uint8Array[], { frame }: Background): number {
  const { box } = window
  const values: number[] = []
  for (let y = 0; y < box.height; y += 3) {
    for (let x = 0; x < box.width; x += 3) {
      if (!inks.some((ink) => (ink[y * box.width + x] ?? 0) > 0)) continue
      values.push(Math.max(0, ((frame[(box.y + y) * template.size.width + box.x + x] ?? 16) - 16) / 219))
    }
  }
  values.sort((a, b) => a - b)
  const bright = values[Math.floor(values.length * 0.9)] ?? 0
  const ink = yuv(window.colours.ink).y / 219
  // Contrast is a ratio of light, not of signal: (ink + 0.05) / (behind + 0.05), with signal ^ 2.2 as light. The glow adds
  // some light of its own.
  const allowed = Math.max(0.1, ((ink ** 2.2 + 0.05) / 7 - 0.05) ** (1 / 2.2) - 0.18)
  return Math.min(0.95, Math.max(0.4, 1 - allowed / Math.max(bright, 1e-6)))
}

function layers(
  template: Template,
  window: TemplateWindow,
  ink: Uint8Array,
  others: Uint8Array[],
  arrival: Uint16Array,
  unit: number,
  haloStrengthOfName: number,
): Plane[] {
  const { box, colours } = window
  const { width: frameWidth, height: frameHeight } = template.size
  const size = box.width * box.height
  const core = blurred(ink, box, 1.6 * unit)
  const near = blurred(ink, box, 3.6 * unit)
  const middle = blurred(ink, box, 11 * unit)
  const wide = blurred(ink, box, 27 * unit)
  const inkColour = yuv(colours.ink)
  const glowColour = yuv(colours.glow)
  const haloColour = yuv(colours.halo)
  const [top, bottom] = extent(ink, box)
  // Against something bright a glow is no light, only haze.
  const glowing = 1 - 0.8 * Math.min(1, (haloStrengthOfName - 0.4) / 0.4)
  const cover = new Float32Array(size)
  const light = { y: new Float32Array(size), u: new Float32Array(size), v: new Float32Array(size) }
  for (let y = 0; y < box.height; y++) {
    // Letters are whiter above and more golden below, as if lit from the tip.
    const low = Math.min(1, Math.max(0, (y - top) / Math.max(1, bottom - top)))
    for (let x = 0; x < box.width; x++) {
      const index = y * box.width + x
      const [n, m, w] = [near[index] as number, middle[index] as number, wide[index] as number]
      if (n + m + w < 0.002) continue
      const strokes = (ink[index] as number) / 255
      const edge = edgeFade(x, y, box, unit)
      let otherStrokes = 0
      for (const other of others) otherStrokes = Math.max(otherStrokes, (other[index] as number) / 255)
      const dark = haloStrengthOfName * Math.min(1, 1.1 * n + 2.6 * m + 2 * w) * edge * (1 - otherStrokes)
      const glow = Math.min(1, 0.22 * n + 0.28 * m + 0.8 * w) * edge * glowing
      // A stroke of light is white in its middle and golden at its rim.
      const gold = Math.min(0.75, 0.22 * low + 0.6 * (1 - smooth(((core[index] as number) - 0.45) / 0.45)))
      cover[index] = 1 - (1 - dark) * (1 - strokes)
      const [letterShare, glowShare] = [strokes * (1 - 0.45 * gold), strokes * 0.45 * gold + (1 - strokes) * glow]
      const haloShare = (1 - strokes) * dark
      light.y[index] = inkColour.y * letterShare + glowColour.y * glowShare + haloColour.y * haloShare
      light.u[index] = inkColour.u * letterShare + glowColour.u * glowShare + haloColour.u * haloShare
      light.v[index] = inkColour.v * letterShare + glowColour.v * glowShare + haloColour.v * haloShare
    }
  }
  const lumaSize = frameWidth * frameHeight
  return [
    plane(box, 1, cover, light.y, arrival, 16, (x, y) => (box.y + y) * frameWidth + box.x + x),
    plane(
      box,
      2,
      cover,
      light.u,
      arrival,
      128,
      (x, y) => lumaSize + (box.y / 2 + y) * (frameWidth / 2) + box.x / 2 + x,
    ),
    plane(
      box,
      2,
      cover,
      light.v,
      arrival,
      128,
      (x, y) => lumaSize * 1.25 + (box.y / 2 + y) * (frameWidth / 2) + box.x / 2 + x,
    ),
  ]
}

/** Keeps what a line does to one plane where it does anything at all; `scale` 2 averages four pixels into one of colour. */
function plane(
  box: TemplateWindow['box'],
  scale: 1 | 2,
  cover: Float32Array,
  light: Float32Array,
  arrival: Uint16Array,
  black: number,
  offset: (x: number, y: number) => number,
): Plane {
  const width = box.width / scale
  const height = box.height / scale
  const at = new Uint32Array(width * height)
  const covers = new Uint8Array(width * height)
  const lights = new Int16Array(width * height)
  const arrivals = new Uint16Array(width * height)
  const shimmers = new Uint16Array(width * height)
  let count = 0
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const index = y * scale * box.width + x * scale
      const [c, l] =
        scale === 1
          ? [cover[index] ?? 0, light[index] ?? 0]
          : [quad(cover, index, box.width), quad(light, index, box.width)]
      const c8 = Math.round(c * 255)
      const l16 = Math.round(l * 16)
      if (c8 < 2 && Math.abs(l16) < 12) continue
      at[count] = offset(x, y)
      covers[count] = c8
      lights[count] = l16
      arrivals[count] = arrival[index] ?? 0
      shimmers[count] = shimmerPlace(x * scale, y * scale)
      count += 1
    }
  }
  return {
    at: at.slice(0, count),
    cover: covers.slice(0, count),
    light: lights.slice(0, count),
    arrival: arrivals.slice(0, count),
    shimmer: shimmers.slice(0, count),
    black,
  }
}

const quad = (values: Float32Array, index: number, width: number) =>
  ((values[index] ?? 0) + (values[index + 1] ?? 0) + (values[index + width] ?? 0) + (values[index + width + 1] ?? 0)) /
  4

/** The glow ends softly before the box does. */
function edgeFade(x: number, y: number, box: TemplateWindow['box'], unit: number): number {
  const distance = Math.min(x + 1, y + 1, box.width - x, box.height - y)
  return smooth(distance / (20 * unit + 1))
}

/** The first and last row with ink. */
function extent(ink: Uint8Array, box: TemplateWindow['box']): [number, number] {
  let top = box.height
  let bottom = 0
  for (let index = 0; index < ink.length; index++) {
    if ((ink[index] ?? 0) < 128) continue
    const y = Math.floor(index / box.width)
    top = Math.min(top, y)
    bottom = y
  }
  return [Math.min(top, bottom), bottom]
}

/**
 * Three box blurs are nearly a Gaussian. Values 0 to 1. A wide blur is made of a smaller picture: nothing finer than the
 * blur is left in it anyway.
 */
function blurred(ink: Uint8Array, box: TemplateWindow['box'], sigma: number): Float32Array {
  const factor = sigma >= 16 ? 4 : sigma >= 6 ? 2 : 1
  const width = Math.ceil(box.width / factor)
  const height = Math.ceil(box.height / factor)
  const radius = Math.max(1, Math.round(sigma / factor))
  const from = new Float32Array(width * height)
  for (let y = 0; y < box.height; y++) {
    const row = Math.floor(y / factor) * width
    for (let x = 0; x < box.width; x++) {
      const value = ink[y * box.width + x] as number
      if (value !== 0)
        from[row + Math.floor(x / factor)] =
          (from[row + Math.floor(x / factor)] as number) + value / (255 * factor * factor)
    }
  }
  const to = new Float32Array(from.length)
  for (let pass = 0; pass < 3; pass++) {
    blurLines(from, to, height, width, width, 1, radius)
    blurLines(to, from, width, height, 1, width, radius)
  }
  return factor === 1 ? from : enlarged(from, width, height, box, factor)
}

/** Back to the box's size, linear between the small picture's pixels. */
function enlarged(
  small: Float32Array,
  width: number,
  height: number,
  box: TemplateWindow['box'],
  factor: number,
): Float32Array {
  const large = new Float32Array(box.width * box.height)
  for (let y = 0; y < box.height; y++) {
    const v = Math.min(height - 1, Math.max(0, (y + 0.5) / factor - 0.5))
    const top = Math.floor(v) * width
    const bottom = Math.min(height - 1, Math.floor(v) + 1) * width
    const down = v - Math.floor(v)
    for (let x = 0; x < box.width; x++) {
      const u = Math.min(width - 1, Math.max(0, (x + 0.5) / factor - 0.5))
      const left = Math.floor(u)
      const right = Math.min(width - 1, left + 1)
      const across = u - left
      const above = (small[top + left] as number) * (1 - across) + (small[top + right] as number) * across
      const below = (small[bottom + left] as number) * (1 - across) + (small[bottom + right] as number) * across
      large[y * box.width + x] = above * (1 - down) + below * down
    }
  }
  return large
}

function blurLines(
  from: Float32Array,
  to: Float32Array,
  lines: number,
  length: number,
  lineStride: number,
  stride: number,
  radius: number,
): void {
  const share = 1 / (radius * 2 + 1)
  for (let line = 0; line < lines; line++) {
    const start = line * lineStride
    let sum = 0
    for (let index = 0; index < Math.min(radius, length); index++) sum += from[start + index * stride] ?? 0
    for (let index = 0; index < length; index++) {
      if (index + radius < length) sum += from[start + (index + radius) * stride] ?? 0
      if (index - radius - 1 >= 0) sum -= from[start + (index - radius - 1) * stride] ?? 0
      to[start + index * stride] = sum * share
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// The writing

/**
 * The way of the fingertip: along each line it swings between the top and the foot of the letters, about once per
 * letter, as a hand does. Times follow the length of the way, with an ease at both ends.
 */
function tipPath(inks: Uint8Array[], width: number, height: number, fontSize: number): (Tip & { line: number })[] {
  const path: (Tip & { line: number; way: number })[] = []
  let way = 0
  inks.forEach((ink, line) => {
    const columns = columnExtents(ink, width, height, fontSize)
    const [left, right] = columns.reach
    let phase = -Math.PI / 2
    for (let x = left; x <= right; x += 2) {
      const { top, bottom } = columns.at(x)
      phase += (2 / (fontSize * 0.36)) * Math.PI * 2
      const y = (top + bottom) / 2 + ((bottom - top) / 2) * 0.8 * Math.sin(phase)
      const before = path.at(-1)
      const lifted = before !== undefined && before.line !== line
      // Between lines the hand moves fast.
      if (before !== undefined) way += Math.hypot(x - before.x, y - before.y) * (lifted ? 0.2 : 1)
      path.push({ x, y, at: 0, lifted, line, way })
    }
  })
  for (const tip of path) {
    const share = way === 0 ? 0 : tip.way / way
    // The inverse of a gentle ease in and out.
    tip.at = share + 0.06 * Math.sin(share * Math.PI * 2)
  }
  return path
}

function columnExtents(
  ink: Uint8Array,
  width: number,
  height: number,
  fontSize: number,
): { reach: [number, number]; at: (x: number) => { top: number; bottom: number } } {
  const tops = new Float32Array(width).fill(NaN)
  const bottoms = new Float32Array(width).fill(NaN)
  let left = width
  let right = 0
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      if ((ink[y * width + x] ?? 0) < 100) continue
      if (Number.isNaN(tops[x])) tops[x] = y
      bottoms[x] = y
    }
    if (!Number.isNaN(tops[x])) {
      left = Math.min(left, x)
      right = Math.max(right, x)
    }
  }
  const reach = Math.max(2, Math.round(fontSize * 0.1))
  return {
    reach: [left, Math.max(left, right)],
    at: (x) => {
      let [top, bottom, count] = [0, 0, 0]
      for (let near = Math.max(0, x - reach); near <= Math.min(width - 1, x + reach); near++) {
        if (Number.isNaN(tops[near])) continue
        top += tops[near] ?? 0
        bottom += bottoms[near] ?? 0
        count += 1
      }
      return count === 0 ? { top: height / 2, bottom: height / 2 } : { top: top / count, bottom: bottom / count }
    },
  }
}

/** A short name is written in less time than the template allows: a hand has its speed. */
function writingTime(window: TemplateWindow, display: string): number {
  if (window.entrance.style !== 'write') return window.entrance.seconds
  return window.entrance.seconds * Math.min(1, 0.5 + display.length / 14)
}

/** When each pixel of the box is reached, in steps: once the tip has passed, and a little later the farther off it passed. */
function arrivals(path: Tip[], width: number, height: number, fontSize: number): Uint16Array {
  // A coarse grid is enough: arrival changes slowly from pixel to pixel.
  const cell = Math.max(1, Math.round(fontSize / 28))
  const columns = Math.ceil(width / cell) + 1
  const rows = Math.ceil(height / cell) + 1
  const coarse = new Float32Array(columns * rows).fill(Infinity)
  const first = path[0]
  const last = path.at(-1)
  if (first === undefined || last === undefined) return new Uint16Array(width * height)
  // Ahead of the tip the delay grows faster than the tip moves, else letters would appear before it is there. Above, below
  // and behind it only as much as makes the edge round.
  const ahead = ((last.at - first.at) / Math.max(1, last.x - first.x)) * 1.3
  const aside = Math.min(ahead, 0.09 / (fontSize * 0.4))
  for (let column = 0; column < columns; column++) {
    const x = column * cell
    // Only the part of the way that passes nearby can be the first to reach a pixel.
    const from = Math.max(0, Math.floor((x - first.x - fontSize * 0.7) / 2))
    const to = Math.min(path.length, Math.ceil((x - first.x + fontSize * 0.7) / 2) + 1)
    const candidates = from < to ? path.slice(from, to) : [x < first.x ? first : last]
    for (let row = 0; row < rows; row++) {
      const y = row * cell
      let earliest = Infinity
      for (const tip of candidates) {
        const across = (x - tip.x) * (x > tip.x ? ahead : aside)
        const down = (y - tip.y) * aside
        earliest = Math.min(earliest, tip.at + Math.sqrt(across * across + down * down))
      }
      coarse[row * columns + column] = earliest
    }
  }
  const fine = new Uint16Array(width * height)
  for (let y = 0; y < height; y++) {
    const row = Math.floor(y / cell)
    const down = y / cell - row
    for (let x = 0; x < width; x++) {
      const column = Math.floor(x / cell)
      const across = x / cell - column
      const index = row * columns + column
      const above = (coarse[index] ?? 1) * (1 - across) + (coarse[index + 1] ?? 1) * across
      const below = (coarse[index + columns] ?? above) * (1 - across) + (coarse[index + columns + 1] ?? above) * across
      fine[y * width + x] = Math.min(steps * 2, Math.max(0, Math.round((above * (1 - down) + below * down) * steps)))
    }
  }
  return fine
}

/** For every arrival: how much of the letter is there, and how bright it is. `writing` is 0 when the tip touches, 1 when it lifts. */
function fillTables(
  written: boolean,
  writingSeconds: number,
  writing: number,
  presence: number,
  strength: number,
  shown: Uint16Array,
  gain: Uint16Array,
): void {
  const soft = written ? 0.085 : 1
  for (let step = 0; step < shown.length; step++) {
    const since = writing - step / steps
    shown[step] = Math.round(smooth(since / soft) * presence * 256)
    const seconds = since * writingSeconds
    // Fresh strokes are bright and cool down.
    const heat = written && since > 0 ? Math.exp(-seconds / 0.38) * 1.0 : 0
    gain[step] = Math.round((settled + heat) * strength * 256)
  }
}

const shimmerPlace = (x: number, y: number) => Math.round(x + y * 0.45)
const shimmerLength = (box: TemplateWindow['box']) => shimmerPlace(box.width, box.height) + 2

/** A soft band of light that crosses the letters every few seconds, over a slow breath. */
function fillShimmer(table: Uint16Array, time: number, box: TemplateWindow['box']): void {
  const length = table.length
  const period = 2.6
  const band = length * 0.13
  const centre = (((time / period) % 1) * 1.5 - 0.25) * length
  const breath = 0.035 * Math.sin(time * 2.4)
  for (let place = 0; place < length; place++) {
    const distance = (place - centre) / band
    const ripple = 0.03 * Math.sin((place / Math.max(1, box.width)) * 19 - time * 3.1)
    table[place] = Math.round((1 + 0.26 * Math.exp(-distance * distance) + breath + ripple) * 256)
  }
}

/** The innermost loop: behind is covered, light is added, each by how much of the letter is there. */
function blend(
  frame: Uint8Array,
  { at, cover, light, arrival, shimmer, black }: Plane,
  shown: Uint16Array,
  gain: Uint16Array,
  shimmerTable: Uint16Array,
): void {
  const most = black === 16 ? 235 : 240
  for (let index = 0; index < at.length; index++) {
    const step = arrival[index] as number
    const share = shown[step] as number
    if (share === 0) continue
    const place = at[index] as number
    const behind = frame[place] as number
    // Whole numbers only: light counts sixteenths of a level, gain and shimmer 256ths; 257 / 4096 is 16 / 255.
    const added =
      ((light[index] as number) *
        (((gain[step] as number) * (shimmerTable[shimmer[index] as number] as number)) >> 8)) >>
      8
    const covered = ((cover[index] as number) * (behind - black) * 257) >> 12
    const value = behind + (((added - covered) * share + 2048) >> 12)
    frame[place] = value < 16 ? 16 : value > most ? most : value
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Sparks

interface Surface {
  frame: Uint8Array
  width: number
  height: number
  box: TemplateWindow['box']
}

/** Frost that flies off the tip: slow, light, a little upwards first, then sinking. */
function scatter(
  window: TemplateWindow,
  writingSeconds: number,
  tips: Tip[],
  unit: number,
  random: () => number,
): Spark[] {
  const sparks: Spark[] = []
  const count = 230
  for (let index = 0; index < count; index++) {
    const tip = tips[Math.floor((index / count) * tips.length)]
    if (tip === undefined || tip.lifted) continue
    const angle = random() * Math.PI * 2
    const speed = (20 + 150 * random() ** 2) * unit
    sparks.push({
      x: window.box.x + tip.x + (random() - 0.5) * 10 * unit,
      y: window.box.y + tip.y + (random() - 0.5) * 10 * unit,
      driftX: Math.cos(angle) * speed + 14 * unit,
      driftY: Math.sin(angle) * speed * 0.8 - 12 * unit,
      born: window.entrance.after + tip.at * writingSeconds,
      life: 0.35 + 0.85 * random(),
      size: (1.7 + 3.4 * random() ** 3) * unit,
      strength: 0.55 + 0.45 * random(),
      star: random() < 0.16,
    })
  }
  return sparks
}

/** Now and then a point of a letter flashes, as frost does. */
function twinkle(
  window: TemplateWindow,
  writingSeconds: number,
  inks: Uint8Array[],
  unit: number,
  random: () => number,
): Spark[] {
  const { box } = window
  const points: number[] = []
  inks.forEach((ink) =>
    ink.forEach((value, index) => {
      if (value > 200 && index % 7 === 0) points.push(index)
    }),
  )
  const from = window.entrance.after + writingSeconds * 0.7
  const until = window.to - window.from - window.exit.seconds
  const sparks: Spark[] = []
  for (let born = from; born < until && points.length > 0; born += 0.13 + 0.12 * random()) {
    const point = points[Math.floor(random() * points.length)] ?? 0
    sparks.push({
      x: box.x + (point % box.width),
      y: box.y + Math.floor(point / box.width),
      driftX: 0,
      driftY: 0,
      born,
      life: 0.45 + 0.5 * random(),
      size: (2.2 + 2.6 * random()) * unit,
      strength: 0.9,
      star: true,
    })
  }
  return sparks
}

/** As the name fades, points of it come loose and rise a little, each gone before the window closes. */
function glow(window: TemplateWindow, fps: number, inks: Uint8Array[], unit: number, random: () => number): Spark[] {
  const { box } = window
  const points = inks.flatMap((ink) =>
    [...ink.keys()].filter((index) => (ink[index] as number) > 200 && index % 31 === 0),
  )
  const end = window.to - window.from - 2 / fps
  const begin = end - window.exit.seconds
  const sparks: Spark[] = []
  for (let count = Math.min(46, points.length); count > 0; count--) {
    const point = points[Math.floor(random() * points.length)] ?? 0
    const born = begin + (0.05 + 0.4 * random()) * window.exit.seconds
    sparks.push({
      x: box.x + (point % box.width),
      y: box.y + Math.floor(point / box.width),
      driftX: (random() - 0.5) * 70 * unit,
      driftY: -(50 + 110 * random()) * unit,
      born,
      life: (end - born) * (0.6 + 0.4 * random()),
      size: (1.6 + 2.2 * random()) * unit,
      strength: 0.5 + 0.4 * random(),
      star: false,
    })
  }
  return sparks
}

function drawSpark(surface: Surface, spark: Spark, time: number, presence: number, colour: Yuv, glow: Yuv): void {
  const age = (time - spark.born) / spark.life
  if (age <= 0 || age >= 1) return
  const seconds = time - spark.born
  // Air slows it down; its weight wins in the end.
  const way = (1 - Math.exp(-seconds * 2.2)) / 2.2
  const x = spark.x + spark.driftX * way
  const y = spark.y + spark.driftY * way + spark.size * 4 * seconds * seconds
  const still = spark.driftX === 0 && spark.driftY === 0
  const strength =
    spark.strength * presence * (still ? Math.sin(age * Math.PI) ** 2 : smooth(age / 0.08) * (1 - age) ** 1.3)
  addLight(surface, x, y, spark.size * 2.6, strength * 0.35, glow)
  addLight(surface, x, y, spark.size, strength, colour)
  if (spark.star) addStar(surface, x, y, spark.size * (still ? 5.5 : 4), strength * 0.9, colour)
}

function drawTip(
  surface: Surface,
  tips: Tip[],
  writing: number,
  time: number,
  unit: number,
  colour: Yuv,
  glow: Yuv,
): void {
  // It comes down just before it writes and fades out as it lifts.
  const touch = smooth((writing + 0.12) / 0.12) * (1 - smooth((writing - 1) / 0.14))
  if (touch <= 0) return
  const along = Math.min(1, Math.max(0, writing))
  let index = tips.findIndex(({ at }) => at >= along)
  if (index === -1) index = tips.length - 1
  const tip = tips[index]
  if (tip === undefined) return
  const before = tips[Math.max(0, index - 1)] ?? tip
  const between = tip.at > before.at ? Math.min(1, Math.max(0, (along - before.at) / (tip.at - before.at))) : 1
  const x = surface.box.x + before.x + (tip.x - before.x) * between
  const y = surface.box.y + before.y + (tip.y - before.y) * between
  const strength = touch * (tip.lifted ? 0.25 : 1) * (0.93 + 0.07 * Math.sin(time * 40))
  addLight(surface, x, y, 84 * unit, strength * 0.3, glow)
  addLight(surface, x, y, 34 * unit, strength * 0.55, glow)
  addLight(surface, x, y, 14 * unit, strength, colour)
  addStar(surface, x, y, 62 * unit, strength * 0.75, colour)
}

/** A Gaussian by the square of the distance; the last place is where it has sunk to nothing. */
const falloff = Float32Array.from({ length: 257 }, (_, place) =>
  Math.max(0, (Math.exp(-place * 0.0293) - Math.exp(-7.5)) / (1 - Math.exp(-7.5))),
)

/** A soft round light: pixels move towards its colour. `radius` is where it has sunk to an eighth. Written out, for the tip's light is large. */
function addLight(
  { frame, width, height, box }: Surface,
  x: number,
  y: number,
  radius: number,
  strength: number,
  colour: Yuv,
): void {
  const reach = radius * 1.9
  const scale = 256 / (reach * reach)
  const left = Math.max(box.x, Math.floor(x - reach))
  const right = Math.min(box.x + box.width - 1, Math.ceil(x + reach))
  const top = Math.max(box.y, Math.floor(y - reach))
  const bottom = Math.min(box.y + box.height - 1, Math.ceil(y + reach))
  const luma = colour.y + 16
  for (let row = top; row <= bottom; row++) {
    const down = (row - y) * (row - y)
    for (let column = left; column <= right; column++) {
      const place = ((column - x) * (column - x) + down) * scale
      if (place >= 256) continue
      const at = row * width + column
      const behind = frame[at] as number
      frame[at] = behind + (luma - behind) * strength * (falloff[place | 0] as number) + 0.5
    }
  }
  const [blue, red] = [colour.u + 128, colour.v + 128]
  const chroma = width * height
  for (let row = top & ~1; row <= bottom; row += 2) {
    const down = (row + 0.5 - y) * (row + 0.5 - y)
    for (let column = left & ~1; column <= right; column += 2) {
      const place = ((column + 0.5 - x) * (column + 0.5 - x) + down) * scale
      if (place >= 256) continue
      const share = strength * (falloff[place | 0] as number)
      const at = chroma + (row >> 1) * (width >> 1) + (column >> 1)
      const u = frame[at] as number
      frame[at] = u + (blue - u) * share + 0.5
      const v = frame[at + (chroma >> 2)] as number
      frame[at + (chroma >> 2)] = v + (red - v) * share + 0.5
    }
  }
}

/** Two thin crossed rays. */
function addStar(surface: Surface, x: number, y: number, length: number, strength: number, colour: Yuv): void {
  const thin = Math.max(0.55, length * 0.035)
  const ray = (along: number, across: number) => {
    const left = 1 - Math.abs(along) / length
    return left <= 0 ? 0 : left * left * Math.exp(-(across * across) / (thin * thin))
  }
  const half = thin * 2.5
  stamp(surface, x, y, length, half, colour, (dx, dy) => strength * ray(dx, dy))
  stamp(surface, x, y, half, length, colour, (dx, dy) => strength * ray(dy, dx))
}

/** Moves the pixels around a point towards a colour, by the share `at` gives for each; never outside the box. */
function stamp(
  { frame, width, height, box }: Surface,
  x: number,
  y: number,
  reachX: number,
  reachY: number,
  colour: Yuv,
  at: (dx: number, dy: number) => number,
): void {
  const left = Math.max(box.x, Math.floor(x - reachX))
  const right = Math.min(box.x + box.width - 1, Math.ceil(x + reachX))
  const top = Math.max(box.y, Math.floor(y - reachY))
  const bottom = Math.min(box.y + box.height - 1, Math.ceil(y + reachY))
  const luma = colour.y + 16
  for (let row = top; row <= bottom; row++) {
    for (let column = left; column <= right; column++) {
      const share = at(column - x, row - y)
      if (share < 0.004) continue
      const place = row * width + column
      const behind = frame[place] as number
      frame[place] = behind + (luma - behind) * share + 0.5
    }
  }
  const chroma = width * height
  const halfWidth = width / 2
  const red = (width * height) / 4
  for (let row = top & ~1; row <= bottom; row += 2) {
    for (let column = left & ~1; column <= right; column += 2) {
      const share = at(column + 0.5 - x, row + 0.5 - y)
      if (share < 0.01) continue
      const place = chroma + (row / 2) * halfWidth + column / 2
      const u = frame[place] as number
      const v = frame[place + red] as number
      frame[place] = u + (colour.u + 128 - u) * share + 0.5
      frame[place + red] = v + (colour.v + 128 - v) * share + 0.5
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------

/** BT.709, limited range, relative to black: y from 0 to 219, u and v around 0. */
function yuv(colour: string): Yuv {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255) as [
    number,
    number,
    number,
  ]
  const luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
  return { y: 219 * luma, u: (224 * (blue - luma)) / 1.8556, v: (224 * (red - luma)) / 1.5748 }
}

function smooth(value: number): number {
  const inside = value < 0 ? 0 : value > 1 ? 1 : value
  return inside * inside * (3 - 2 * inside)
}

/** The same numbers for the same name, so that a video made again is the same video. */
function randomNumbers(display: string): () => number {
  let state = createHash('sha256').update(display).digest().readUInt32LE(0)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let value = Math.imul(state ^ (state >>> 15), 1 | state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296
  }
}
