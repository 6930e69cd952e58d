/** The writing: the way of the fingertip, and when it reaches each pixel. */
import type { TemplateWindow } from '../template.ts'
import { smooth } from './colour.ts'

export interface Tip {
  x: number
  y: number
  /** 0 to 1 over the whole writing */
  at: number
  /** the tip is between lines: no light */
  lifted: boolean
}

/** Resolution of arrival times; the writing takes this many steps. */
export const steps = 1024

/** Settled letters are a little below full brightness, so that the shimmer has room to brighten them. */
const settled = 0.93

/**
 * The way of the fingertip: along each line it swings between the top and the foot of the letters, about once per
 * letter, as a hand does. Times follow the length of the way, with an ease at both ends.
 */
export function tipPath(
  inks: Uint8Array[],
  width: number,
  height: number,
  fontSize: number,
): (Tip & { line: number })[] {
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
export function writingTime(window: TemplateWindow, display: string): number {
  if (window.entrance.style !== 'write') return window.entrance.seconds
  return window.entrance.seconds * Math.min(1, 0.5 + display.length / 14)
}

/**
 * When each pixel of the box is reached, in steps: once the tip has passed,
 * and a little later the farther off it passed.
 */
export function arrivals(path: Tip[], width: number, height: number, fontSize: number): Uint16Array {
  // A coarse grid is enough: arrival changes slowly from pixel to pixel.
  const cell = Math.max(1, Math.round(fontSize / 28))
  const columns = Math.ceil(width / cell) + 1
  const rows = Math.ceil(height / cell) + 1
  const coarse = new Float32Array(columns * rows).fill(Infinity)
  const first = path[0]
  const last = path.at(-1)
  if (first === undefined || last === undefined) return new Uint16Array(width * height)
  // Ahead of the tip the delay grows faster than the tip moves, else letters would appear before it is there. Above,
  // below and behind it only as much as makes the edge round.
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

/**
 * For every arrival: how much of the letter is there, and how bright it is.
 * `writing` is 0 when the tip touches, 1 when it lifts.
 */
export function fillTables(
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
