/** Small lights, straight in the planes of a frame. */
import type { TemplateWindow } from '../template.ts'
import type { Yuv } from './colour.ts'

export interface Surface {
  frame: Uint8Array
  width: number
  height: number
  box: TemplateWindow['box']
}

/** A Gaussian by the square of the distance; the last place is where it has sunk to nothing. */
const falloff = Float32Array.from({ length: 257 }, (_, place) =>
  Math.max(0, (Math.exp(-place * 0.0293) - Math.exp(-7.5)) / (1 - Math.exp(-7.5))),
)

/**
 * A soft round light: pixels move towards its colour. `radius` is where it has sunk to an
 * eighth. Written out, for the tip's light is large.
 */
export function addLight(
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
export function addStar(surface: Surface, x: number, y: number, length: number, strength: number, colour: Yuv): void {
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
