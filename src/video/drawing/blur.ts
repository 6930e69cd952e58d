/** Blurs of the letters, as plain numbers. */
import type { TemplateWindow } from '../template.ts'

/**
 * Three box blurs are nearly a Gaussian. Values 0 to 1. A wide blur is made of a smaller picture:
 * nothing finer than the blur is left in it anyway.
 */
export function blurred(ink: Uint8Array, box: TemplateWindow['box'], sigma: number): Float32Array {
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
