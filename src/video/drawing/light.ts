/** Light and shade of the letters, as layers of plain numbers, and how they are laid over a frame. */
import type { Template, TemplateWindow } from '../template.ts'
import { blurred } from './blur.ts'
import { smooth, yuv } from './colour.ts'

/** A frame of the window without the name, to choose the halo by. */
export interface Background {
  frame: Uint8Array
}

/** What a line does to the pixels of one plane. Arrays run in parallel, one element per touched pixel. */
export interface Plane {
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

/**
 * How dark the halo must be, 0 to 1, for a contrast of 4.5 : 1 and a little more between the letters and the brighter
 * parts of what lies behind them.
 */
export function haloStrength(
  template: Template,
  window: TemplateWindow,
  inks: Uint8Array[],
  { frame }: Background,
): number {
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
  // Contrast is a ratio of light, not of signal: (ink + 0.05) / (behind + 0.05), with signal ^ 2.2
  // as light. The glow adds some light of its own.
  const allowed = Math.max(0.1, ((ink ** 2.2 + 0.05) / 7 - 0.05) ** (1 / 2.2) - 0.18)
  return Math.min(0.95, Math.max(0.4, 1 - allowed / Math.max(bright, 1e-6)))
}

/** What a line does to the three planes of a frame. */
export function layers(
  template: Template,
  window: TemplateWindow,
  ink: Uint8Array,
  others: Uint8Array[],
  arrival: Uint16Array,
  unit: number,
  haloStrengthOfName: number,
): Plane[] {
  const { box } = window
  const { width: frameWidth, height: frameHeight } = template.size
  const { cover, light } = lightOf(window, ink, others, unit, haloStrengthOfName)
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

/** For each pixel of the box: how much is covered, and what light is added, each from 0 to 1 or as a colour. */
function lightOf(
  window: TemplateWindow,
  ink: Uint8Array,
  others: Uint8Array[],
  unit: number,
  haloStrengthOfName: number,
): { cover: Float32Array; light: Record<'y' | 'u' | 'v', Float32Array> } {
  const { box, colours } = window
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
  return { cover, light }
}

/**
 * Keeps what a line does to one plane where it does anything at all; `scale` 2 averages four pixels into one of colour.
 */
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

const shimmerPlace = (x: number, y: number) => Math.round(x + y * 0.45)
export const shimmerLength = (box: TemplateWindow['box']) => shimmerPlace(box.width, box.height) + 2

/** A soft band of light that crosses the letters every few seconds, over a slow breath. */
export function fillShimmer(table: Uint16Array, time: number, box: TemplateWindow['box']): void {
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
export function blend(
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
