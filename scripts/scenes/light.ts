/**
 * Pictures in linear light. A picture is what the camera sees (RGB), a layer is what stands before
 * it (RGBA, premultiplied). Light adds up as it does in the world: a lamp may be ten times as bright
 * as paper, and only the last step, the film, brings it into what a screen can show.
 */
import type { Canvas } from '@napi-rs/canvas'

export type Rgb = readonly [number, number, number]

export type Picture = { readonly width: number; readonly height: number; readonly data: Float32Array }

/** `x`, `y`: where its top left corner lies in the plane; `density`: its pixels per unit of the plane. */
export type Layer = {
  readonly width: number
  readonly height: number
  readonly x: number
  readonly y: number
  readonly density: number
  readonly data: Float32Array
  /** First and last column of each row that is not empty (first > last: an empty row). */
  readonly spans: Int32Array
}

/** A plane's place on the screen: screen = plane × scale + (x, y). */
export type Place = { scale: number; x: number; y: number }

const linearOf = new Float32Array(256)
for (let value = 0; value < 256; value++) {
  const share = value / 255
  linearOf[value] = share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
}

/** Linear light of a colour as the web writes it, `#rrggbb`. */
export function colour(hex: string, strength = 1): Rgb {
  const value = Number.parseInt(hex.slice(1), 16)
  return [
    linearOf[value >> 16]! * strength,
    linearOf[(value >> 8) & 255]! * strength,
    linearOf[value & 255]! * strength,
  ]
}

export function blend(from: Rgb, to: Rgb, share: number): Rgb {
  return [from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share, from[2] + (to[2] - from[2]) * share]
}

export function scaled(light: Rgb, strength: number): Rgb {
  return [light[0] * strength, light[1] * strength, light[2] * strength]
}

export function newPicture(width: number, height: number): Picture {
  return { width, height, data: new Float32Array(width * height * 3) }
}

export function layerOf(width: number, height: number, data: Float32Array, x = 0, y = 0, density = 1): Layer {
  const spans = new Int32Array(height * 2)
  for (let row = 0; row < height; row++) {
    let first = width
    let last = -1
    for (let column = 0, at = row * width * 4; column < width; column++, at += 4) {
      if (data[at + 3]! > 0.0004 || data[at]! > 0.0004) {
        if (first === width) first = column
        last = column
      }
    }
    spans[row * 2] = first
    spans[row * 2 + 1] = last
  }
  return { width, height, x, y, density, data, spans }
}

/** A painted canvas as a layer. */
export function layerFromCanvas(canvas: Canvas, x = 0, y = 0, density = 1): Layer {
  const { width, height } = canvas
  const bytes = canvas.getContext('2d').getImageData(0, 0, width, height).data
  const data = new Float32Array(width * height * 4)
  for (let at = 0; at < bytes.length; at += 4) {
    const alpha = bytes[at + 3]! / 255
    if (alpha === 0) continue
    data[at] = linearOf[bytes[at]!]! * alpha
    data[at + 1] = linearOf[bytes[at + 1]!]! * alpha
    data[at + 2] = linearOf[bytes[at + 2]!]! * alpha
    data[at + 3] = alpha
  }
  return layerOf(width, height, data, x, y, density)
}

/** Layers of one size on top of each other, as one. */
export function over(bottom: Layer, ...tops: Layer[]): Layer {
  const data = bottom.data.slice()
  for (const top of tops) {
    for (let at = 0; at < data.length; at += 4) {
      const keep = 1 - top.data[at + 3]!
      for (let channel = 0; channel < 4; channel++)
        data[at + channel] = data[at + channel]! * keep + top.data[at + channel]!
    }
  }
  return layerOf(bottom.width, bottom.height, data, bottom.x, bottom.y, bottom.density)
}

/** How much of a canvas is covered, pixel by pixel, 0 to 1. */
export function coverOf(canvas: Canvas): Float32Array {
  const { width, height } = canvas
  const bytes = canvas.getContext('2d').getImageData(0, 0, width, height).data
  return Float32Array.from({ length: width * height }, (_, at) => bytes[at * 4 + 3]! / 255)
}

function boxRows(
  source: Float32Array,
  target: Float32Array,
  width: number,
  height: number,
  channels: number,
  radius: number,
): void {
  const share = 1 / (2 * radius + 1)
  for (let row = 0; row < height; row++) {
    for (let channel = 0; channel < channels; channel++) {
      const start = row * width * channels + channel
      const last = start + (width - 1) * channels
      let sum = source[start]! * (radius + 1)
      for (let step = 1; step <= radius; step++) sum += source[Math.min(start + step * channels, last)]!
      for (let column = 0, at = start; column < width; column++, at += channels) {
        target[at] = sum * share
        sum += source[Math.min(at + (radius + 1) * channels, last)]! - source[Math.max(at - radius * channels, start)]!
      }
    }
  }
}

function boxColumns(
  source: Float32Array,
  target: Float32Array,
  width: number,
  height: number,
  channels: number,
  radius: number,
): void {
  const share = 1 / (2 * radius + 1)
  const line = width * channels
  const sums = new Float32Array(line)
  for (let at = 0; at < line; at++) sums[at] = source[at]! * (radius + 1)
  for (let step = 1; step <= radius; step++) {
    const from = Math.min(step, height - 1) * line
    for (let at = 0; at < line; at++) sums[at]! += source[from + at]!
  }
  for (let row = 0; row < height; row++) {
    const enters = Math.min(row + radius + 1, height - 1) * line
    const leaves = Math.max(row - radius, 0) * line
    const here = row * line
    for (let at = 0; at < line; at++) {
      target[here + at] = sums[at]! * share
      sums[at]! += source[enters + at]! - source[leaves + at]!
    }
  }
}

/** A soft blur in place: three box blurs, close to a Gaussian of that deviation. */
export function blur(data: Float32Array, width: number, height: number, channels: number, deviation: number): void {
  const radius = Math.max(1, Math.round(deviation * 0.94))
  const other = new Float32Array(data.length)
  for (let pass = 0; pass < 3; pass++) {
    boxRows(data, other, width, height, channels, radius)
    boxColumns(other, data, width, height, channels, radius)
  }
}

export function blurred(layer: Layer, deviation: number): Layer {
  const data = layer.data.slice()
  blur(data, layer.width, layer.height, 4, deviation * layer.density)
  return layerOf(layer.width, layer.height, data, layer.x, layer.y, layer.density)
}

/** Half as many pixels each way, averaged. */
export function halved(layer: Layer): Layer {
  const width = layer.width >> 1
  const height = layer.height >> 1
  const data = new Float32Array(width * height * 4)
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const from = (row * 2 * layer.width + column * 2) * 4
      const below = from + layer.width * 4
      const to = (row * width + column) * 4
      for (let channel = 0; channel < 4; channel++) {
        data[to + channel] =
          (layer.data[from + channel]! +
            layer.data[from + 4 + channel]! +
            layer.data[below + channel]! +
            layer.data[below + 4 + channel]!) /
          4
      }
    }
  }
  return layerOf(width, height, data, layer.x, layer.y, layer.density / 2)
}

/**
 * Puts a layer before what is there. `gain` is the light that falls on it. With `additive` its
 * colours are light of their own and hide nothing.
 */
export function put(
  picture: Picture,
  layer: Layer,
  place: Place,
  gain: Rgb = [1, 1, 1],
  opacity = 1,
  additive = false,
): void {
  if (opacity <= 0.002) return
  const { width, height, data } = picture
  const source = layer.data
  const line = layer.width * 4
  const step = layer.density / place.scale
  const startX = ((0.5 - place.x) / place.scale - layer.x) * layer.density - 0.5
  const startY = ((0.5 - place.y) / place.scale - layer.y) * layer.density - 0.5
  const cover = additive ? 0 : opacity
  const red = gain[0] * opacity
  const green = gain[1] * opacity
  const blue = gain[2] * opacity
  // Half a pixel beyond the outermost centres belongs to the layer too.
  const firstRow = Math.max(0, Math.ceil((-0.5 - startY) / step))
  const lastRow = Math.min(height - 1, Math.floor((layer.height - 0.5 - startY) / step))
  const lowest = layer.height - 2
  const rightmost = layer.width - 2
  for (let row = firstRow; row <= lastRow; row++) {
    const sourceY = startY + row * step
    const top = Math.min(lowest, Math.max(0, Math.floor(sourceY)))
    const v = Math.min(1, Math.max(0, sourceY - top))
    const left = Math.min(layer.spans[top * 2]!, layer.spans[top * 2 + 2]!) - 1
    const right = Math.max(layer.spans[top * 2 + 1]!, layer.spans[top * 2 + 3]!) + 1
    if (left >= right) continue
    const first = Math.max(0, Math.ceil((Math.max(left, -0.5) - startX) / step))
    const last = Math.min(width - 1, Math.floor((Math.min(right, layer.width - 0.5) - startX) / step))
    let to = (row * width + first) * 3
    let sourceX = startX + first * step
    const base = top * line
    for (let column = first; column <= last; column++, to += 3, sourceX += step) {
      const whole = Math.min(rightmost, sourceX | 0)
      const u = Math.min(1, Math.max(0, sourceX - whole))
      const a = base + whole * 4
      const b = a + line
      const w11 = u * v
      const w10 = u - w11
      const w01 = v - w11
      const w00 = 1 - u - w01
      const keep =
        1 - cover * (source[a + 3]! * w00 + source[a + 7]! * w10 + source[b + 3]! * w01 + source[b + 7]! * w11)
      data[to] =
        data[to]! * keep + red * (source[a]! * w00 + source[a + 4]! * w10 + source[b]! * w01 + source[b + 4]! * w11)
      data[to + 1] =
        data[to + 1]! * keep +
        green * (source[a + 1]! * w00 + source[a + 5]! * w10 + source[b + 1]! * w01 + source[b + 5]! * w11)
      data[to + 2] =
        data[to + 2]! * keep +
        blue * (source[a + 2]! * w00 + source[a + 6]! * w10 + source[b + 2]! * w01 + source[b + 6]! * w11)
    }
  }
}

/** How light falls off from the middle (0) to the rim (1) of a round thing; index = square of the distance. */
export type Falloff = Float32Array

function falloff(shape: (distance: number) => number): Falloff {
  const table = new Float32Array(1025)
  for (let at = 0; at < 1024; at++) table[at] = shape(Math.sqrt(at / 1023))
  return table
}

/** A halo: bright core, long tail. */
export const halo = falloff((d) => (1 - d) ** 2 * (0.25 + 0.75 * Math.exp(-d * d * 9)))
/** A wide, even glow. */
export const glow = falloff((d) => (1 - d * d) ** 3)
/** A point, slightly soft. */
export const dot = falloff((d) => Math.exp(-d * d * 4.5) * (1 - d ** 4))
/** A lamp out of focus: a flat disc, its rim a little brighter. */
export const lamp = falloff((d) => (d > 0.96 ? Math.max(0, (1 - d) / 0.04) : 1) * (0.72 + 0.28 * d ** 4))
/** A flake out of focus: a flat disc with a soft rim. */
export const flake = falloff((d) => (d < 0.45 ? 1 : Math.cos(((d - 0.45) / 0.55) * (Math.PI / 2)) ** 2))

/**
 * Adds a round light. `stretch` > 1 makes it taller than wide. `hides` (0 to 1) takes away from what is
 * there as much as the light covers, so that warm light on blue snow is gold and not pink.
 */
export function shine(
  picture: Picture,
  x: number,
  y: number,
  radius: number,
  shape: Falloff,
  light: Rgb,
  strength = 1,
  stretch = 1,
  hides = 0,
): void {
  const { width, height, data } = picture
  const tall = radius * stretch
  const firstRow = Math.max(0, Math.ceil(y - tall - 0.5))
  const lastRow = Math.min(height - 1, Math.floor(y + tall - 0.5))
  const left = Math.max(0, Math.ceil(x - radius - 0.5))
  const right = Math.min(width - 1, Math.floor(x + radius - 0.5))
  const red = light[0] * strength
  const green = light[1] * strength
  const blue = light[2] * strength
  const share = 1023 / (radius * radius)
  for (let row = firstRow; row <= lastRow; row++) {
    const dy = (row + 0.5 - y) / stretch
    const dy2 = dy * dy * share
    for (let column = left, to = (row * width + left) * 3; column <= right; column++, to += 3) {
      const dx = column + 0.5 - x
      const index = dx * dx * share + dy2
      if (index >= 1023) continue
      const amount = shape[index | 0]!
      const keep = 1 - hides * amount
      data[to] = data[to]! * keep + red * amount
      data[to + 1] = data[to + 1]! * keep + green * amount
      data[to + 2] = data[to + 2]! * (keep - hides * amount * 0.12) + blue * amount
    }
  }
}

/** The picture at a quarter of its size each way, averaged. */
export function quartered(picture: Picture): Picture {
  const small = newPicture(picture.width >> 2, picture.height >> 2)
  for (let row = 0; row < small.height; row++) {
    for (let column = 0; column < small.width; column++) {
      let red = 0
      let green = 0
      let blue = 0
      for (let y = 0; y < 4; y++) {
        let from = ((row * 4 + y) * picture.width + column * 4) * 3
        for (let x = 0; x < 4; x++, from += 3) {
          red += picture.data[from]!
          green += picture.data[from + 1]!
          blue += picture.data[from + 2]!
        }
      }
      const to = (row * small.width + column) * 3
      small.data[to] = red / 16
      small.data[to + 1] = green / 16
      small.data[to + 2] = blue / 16
    }
  }
  return small
}

/** Adds a small picture, stretched smoothly over the whole of the large one. */
export function addStretched(picture: Picture, small: Picture, strength: number): void {
  const { width, height, data } = picture
  const stepX = small.width / width
  const stepY = small.height / height
  for (let row = 0; row < height; row++) {
    const y = Math.min(Math.max((row + 0.5) * stepY - 0.5, 0), small.height - 1.001)
    const top = Math.floor(y)
    const v = y - top
    for (let column = 0, to = row * width * 3; column < width; column++, to += 3) {
      const x = Math.min(Math.max((column + 0.5) * stepX - 0.5, 0), small.width - 1.001)
      const left = Math.floor(x)
      const u = x - left
      const a = (top * small.width + left) * 3
      const b = a + small.width * 3
      const w11 = u * v * strength
      const w10 = u * strength - w11
      const w01 = v * strength - w11
      const w00 = strength - w10 - w01 - w11
      data[to]! += small.data[a]! * w00 + small.data[a + 3]! * w10 + small.data[b]! * w01 + small.data[b + 3]! * w11
      data[to + 1]! +=
        small.data[a + 1]! * w00 + small.data[a + 4]! * w10 + small.data[b + 1]! * w01 + small.data[b + 4]! * w11
      data[to + 2]! +=
        small.data[a + 2]! * w00 + small.data[a + 5]! * w10 + small.data[b + 2]! * w01 + small.data[b + 5]! * w11
    }
  }
}

/** What a lens does to bright things: they spill a little light around them. */
export function bloom(picture: Picture, strength: number): void {
  const small = quartered(picture)
  for (let at = 0; at < small.data.length; at++) {
    const over = small.data[at]! - 0.45
    small.data[at] = over > 0 ? over / (1 + over * 0.12) : 0
  }
  const wide = { ...small, data: small.data.slice() }
  blur(small.data, small.width, small.height, 3, 3)
  blur(wide.data, small.width, small.height, 3, 14)
  for (let at = 0; at < small.data.length; at++) small.data[at] = small.data[at]! * 0.5 + wide.data[at]! * 0.5
  addStretched(picture, small, strength)
}

const filmSize = 16384
const filmRange = 4
/** Index: square root of the light × (size / range). Straight in the shadows, a shoulder for the lights. */
const film = new Float32Array(filmSize + 1)
for (let at = 0; at <= filmSize; at++) {
  const light = ((at / filmSize) * filmRange) ** 2
  const knee = 0.5
  const shown = light < knee ? light : knee + (1 - knee) * (1 - Math.exp(-(light - knee) / (1 - knee) / 1.6))
  film[at] = shown <= 0.0031308 ? shown * 12.92 : 1.055 * shown ** (1 / 2.4) - 0.055
}

/** Darker corners. */
export function vignette(width: number, height: number, strength: number): Float32Array {
  const map = new Float32Array(width * height)
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const x = (column + 0.5) / width - 0.5
      const y = ((row + 0.5) / height - 0.5) * 0.92
      map[row * width + column] = 1 - strength * Math.min(1, (x * x + y * y) * 2.2) ** 1.4
    }
  }
  return map
}

/** Thresholds in [-0.5, 0.5] that spread rounding errors finely and stand still from frame to frame. */
const thresholdSide = 256
const thresholds = new Float32Array(thresholdSide * thresholdSide)
for (let row = 0, at = 0; row < thresholdSide; row++) {
  for (let column = 0; column < thresholdSide; column++, at++) {
    const value = 52.9829189 * ((0.06711056 * column + 0.00583715 * row) % 1)
    thresholds[at] = value - Math.floor(value) - 0.5
  }
}

function threshold(column: number, row: number): number {
  return thresholds[((row & 255) << 8) | (column & 255)]!
}

/** The picture as planes of Y, U and V (BT.709, limited range, 4:2:0), rounded with the same fine threshold. */
export function developYuv(picture: Picture, corners: Float32Array, exposure: number, out: Uint8Array): void {
  const { width, height, data } = picture
  const toIndex = filmSize / filmRange
  const half = width >> 1
  const blueDifference = new Float32Array(half)
  const redDifference = new Float32Array(half)
  const startU = width * height
  const startV = startU + half * (height >> 1)
  for (let row = 0, at = 0, from = 0; row < height; row++) {
    if ((row & 1) === 0) {
      blueDifference.fill(0)
      redDifference.fill(0)
    }
    for (let column = 0; column < width; column++, at++, from += 3) {
      const light = corners[at]! * exposure
      const red = film[Math.min(filmSize, (Math.sqrt(Math.max(0, data[from]! * light)) * toIndex) | 0)]!
      const green = film[Math.min(filmSize, (Math.sqrt(Math.max(0, data[from + 1]! * light)) * toIndex) | 0)]!
      const blue = film[Math.min(filmSize, (Math.sqrt(Math.max(0, data[from + 2]! * light)) * toIndex) | 0)]!
      const luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
      out[at] = 16.5 + 219 * luma + threshold(column, row)
      blueDifference[column >> 1]! += blue - luma
      redDifference[column >> 1]! += red - luma
    }
    if ((row & 1) === 1) {
      const line = (row >> 1) * half
      for (let column = 0; column < half; column++) {
        const grain = threshold(column + 31, row + 17)
        out[startU + line + column] = 128.5 + (blueDifference[column]! / 4 / 1.8556) * 224 + grain
        out[startV + line + column] = 128.5 + (redDifference[column]! / 4 / 1.5748) * 224 + grain
      }
    }
  }
}
