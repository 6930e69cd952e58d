/** Colours as the frames store them, and an ease. */

export interface Yuv {
  y: number
  u: number
  v: number
}

/** BT.709, limited range, relative to black: y from 0 to 219, u and v around 0. */
export function yuv(colour: string): Yuv {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255) as [
    number,
    number,
    number,
  ]
  const luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
  return { y: 219 * luma, u: (224 * (blue - luma)) / 1.8556, v: (224 * (red - luma)) / 1.5748 }
}

export function smooth(value: number): number {
  const inside = value < 0 ? 0 : value > 1 ? 1 : value
  return inside * inside * (3 - 2 * inside)
}
