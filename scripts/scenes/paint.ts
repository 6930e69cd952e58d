/** The brush: snow, firs, houses. All of it is painted once, before the first frame. */
import { createCanvas, type SKRSContext2D } from '@napi-rs/canvas'
import { clamp, mix } from './ease.ts'
import { blend, layerFromCanvas, layerOf, type Layer, type Rgb } from './light.ts'
import { between, fractal, random, type Random } from './random.ts'

/** Paints in the units of the plane and gives back the layer. */
export function paint(
  x: number,
  y: number,
  width: number,
  height: number,
  density: number,
  draw: (brush: SKRSContext2D) => void,
): Layer {
  const canvas = createCanvas(Math.round(width * density), Math.round(height * density))
  const brush = canvas.getContext('2d')
  brush.scale(density, density)
  brush.translate(-x, -y)
  brush.lineJoin = 'round'
  brush.lineCap = 'round'
  draw(brush)
  return layerFromCanvas(canvas, x, y, density)
}

export function hexMix(from: string, to: string, share: number): string {
  const a = Number.parseInt(from.slice(1), 16)
  const b = Number.parseInt(to.slice(1), 16)
  const part = (shift: number) => Math.round(mix((a >> shift) & 255, (b >> shift) & 255, clamp(share)))
  return `#${((part(16) << 16) | (part(8) << 8) | part(0)).toString(16).padStart(6, '0')}`
}

export type SnowColours = { light: Rgb; middle: Rgb; shade: Rgb; deep: Rgb }

/**
 * A snowy slope under a crest line, modelled by noise that is lit from the upper right. `fade` is the
 * height over which it sinks into the deep colour.
 */
export function snowSlope(
  x: number,
  y: number,
  width: number,
  height: number,
  density: number,
  seed: number,
  colours: SnowColours,
  crest: (x: number) => number,
  fade: number,
  grain: number,
): Layer {
  const columns = Math.round(width * density)
  const rows = Math.round(height * density)
  const data = new Float32Array(columns * rows * 4)
  for (let column = 0; column < columns; column++) {
    const px = x + (column + 0.5) / density
    const top = crest(px)
    const lean = clamp((crest(px - 14) - crest(px + 14)) / 28 + 0.5, 0, 1)
    for (let row = Math.max(0, Math.floor((top - y) * density) - 2); row < rows; row++) {
      const py = y + (row + 0.5) / density
      const below = py - top
      const cover = clamp(below * density + 0.5)
      if (cover === 0) continue
      const wide = grain * (1 + below / 260)
      const drift = (u: number, v: number) => fractal(u / (wide * 3.4), v / wide, seed, 3)
      const relief =
        (drift(px + grain * 0.3, below - grain * 0.12) - drift(px - grain * 0.3, below + grain * 0.12)) * 2.6
      const fine = fractal(px / (grain * 0.16), below / (grain * 0.09), seed + 7, 2) - 0.5
      const lit = clamp(0.5 - relief + (lean - 0.5) * -0.7 + fine * 0.07)
      const base =
        lit < 0.5 ? blend(colours.shade, colours.middle, lit * 2) : blend(colours.middle, colours.light, lit * 2 - 1)
      const rim = Math.exp(-below / (grain * 0.16)) * 0.75
      const tone = blend(blend(base, colours.light, rim), colours.deep, clamp(below / fade) ** 1.2)
      const at = (row * columns + column) * 4
      data[at] = tone[0] * cover
      data[at + 1] = tone[1] * cover
      data[at + 2] = tone[2] * cover
      data[at + 3] = cover
    }
  }
  return layerOf(columns, rows, data, x, y, density)
}

export type FirColours = { dark: string; middle: string; snow: string; snowShade: string }

/** A drooping branch as a leaf-shaped stroke. */
function frond(brush: SKRSContext2D, x: number, y: number, dx: number, dy: number, thick: number): void {
  brush.beginPath()
  brush.moveTo(x, y - thick * 0.4)
  brush.quadraticCurveTo(x + dx * 0.55, y + dy * 0.25 - thick * 0.9, x + dx, y + dy)
  brush.quadraticCurveTo(x + dx * 0.5, y + dy * 0.6 + thick * 0.8, x, y + thick * 0.6)
  brush.fill()
}

/** A fir with snow on its branches, lit from the upper right. (x, y) is its foot. */
export function fir(
  brush: SKRSContext2D,
  chance: Random,
  x: number,
  y: number,
  height: number,
  colours: FirColours,
  snowiness = 0.75,
): void {
  const girth = height * between(chance, 0.21, 0.27)
  const tiers = Math.max(8, Math.round(Math.min(20, 7 + height / 16)))
  const lean = between(chance, -0.02, 0.02) * height
  brush.fillStyle = hexMix(colours.dark, '#000000', 0.3)
  brush.fillRect(x - height * 0.014, y - height * 0.14, height * 0.028, height * 0.14)
  for (let tier = 0; tier < tiers; tier++) {
    const share = tier / (tiers - 1)
    const level = y - height * (0.08 + 0.88 * share ** 0.94)
    const centre = x + lean * share
    const reach = girth * (1 - share) ** 0.86 * between(chance, 0.86, 1.12) + height * 0.008
    const droop = height * 0.07 * (1 - share * 0.75)
    const thick = Math.max(0.8, height * 0.02 * (1 - share * 0.6))
    const strokes = Math.max(5, Math.round(5 + reach / Math.max(2.2, height * 0.016)))
    for (let stroke = 0; stroke < strokes; stroke++) {
      // From the back (sides) to the front (middle), so that the nearest branch lies on top.
      const order = stroke / (strokes - 1)
      const side = (stroke % 2 ? 1 : -1) * (1 - order) ** 0.8
      const dx = reach * side * between(chance, 0.85, 1.1)
      const dy = droop * (0.7 + (1 - Math.abs(side)) * 0.75) * between(chance, 0.8, 1.25)
      const light = clamp(0.32 + side * 0.3 + between(chance, -0.16, 0.16))
      brush.fillStyle = hexMix(colours.dark, colours.middle, light)
      frond(brush, centre, level, dx, dy, thick * 1.5)
      if (chance() < snowiness) {
        brush.fillStyle = hexMix(colours.snowShade, colours.snow, clamp(0.38 + side * 0.5 + between(chance, -0.2, 0.2)))
        const start = between(chance, 0.2, 0.45)
        frond(
          brush,
          centre + dx * start,
          level + dy * start * 0.45 - thick * 0.7,
          dx * (0.92 - start),
          dy * (0.9 - start) - thick * 0.3,
          thick * 0.85,
        )
      }
    }
  }
  brush.fillStyle = colours.snow
  frond(brush, x + lean - height * 0.004, y - height * 0.955, height * 0.012, -height * 0.045, height * 0.008)
}

/** A lit opening of a house: where, and how big. */
export type Opening = { x: number; y: number; width: number; height: number }

export type House = {
  x: number
  y: number
  width: number
  height: number
  roof: number
  kind: 'gable' | 'long'
  seed: number
  wall: string
  openings: Opening[]
  chimney: { x: number; y: number }
}

export type SnowPaint = { light: string; middle: string; shade: string }

/** A soft ledge of snow along a line, thicker in the middle, with a bulging lower edge. */
export function ledge(
  brush: SKRSContext2D,
  chance: Random,
  points: readonly (readonly [number, number])[],
  thick: number,
  paintOf: SnowPaint,
  ground?: [number, number, number, number],
): void {
  const first = points[0] as readonly [number, number]
  brush.beginPath()
  brush.moveTo(first[0], first[1])
  for (const [x, y] of points.slice(1)) brush.lineTo(x, y)
  const back = [...points].reverse()
  for (let at = 0; at < back.length; at++) {
    const [x, y] = back[at] as readonly [number, number]
    const next = back[at + 1]
    brush.lineTo(x, y + thick)
    if (!next) continue
    const bumps = Math.max(2, Math.round(Math.hypot(next[0] - x, next[1] - y) / (thick * 1.9)))
    for (let bump = 1; bump <= bumps; bump++) {
      const from = (bump - 1) / bumps
      const to = bump / bumps
      const swell = thick * between(chance, 0.05, 0.45)
      brush.quadraticCurveTo(
        mix(x, next[0], (from + to) / 2),
        mix(y, next[1], (from + to) / 2) + thick + swell,
        mix(x, next[0], to),
        mix(y, next[1], to) + thick * between(chance, 0.85, 1.05),
      )
    }
  }
  brush.closePath()
  const xs = points.map(([x]) => x)
  const ys = points.map(([, y]) => y)
  const [x0, y0, x1, y1] = ground ?? [Math.max(...xs), Math.min(...ys), Math.min(...xs), Math.max(...ys) + thick]
  const shades = brush.createLinearGradient(x0, y0, x1, y1)
  shades.addColorStop(0, paintOf.light)
  shades.addColorStop(0.5, paintOf.middle)
  shades.addColorStop(1, paintOf.shade)
  brush.fillStyle = shades
  brush.fill()
}

/** Paints one house with dark windows; the lights are put in later, by `litWindow`. */
export function paintHouse(brush: SKRSContext2D, house: House, snow: SnowPaint): void {
  const chance = random(house.seed)
  const { x, y, width, height, roof } = house
  const top = y - height
  const overhang = width * 0.09
  const thick = Math.max(3, width * 0.05)
  const wall = brush.createLinearGradient(x, 0, x + width, 0)
  wall.addColorStop(0, hexMix(house.wall, '#060a1c', 0.45))
  wall.addColorStop(1, house.wall)
  // chimney
  const cw = width * 0.09
  brush.fillStyle = hexMix(house.wall, '#171c38', 0.4)
  brush.fillRect(house.chimney.x - cw / 2, house.chimney.y, cw, roof * 0.8)
  brush.fillStyle = hexMix(house.wall, '#5a6690', 0.35)
  brush.fillRect(house.chimney.x + cw * 0.1, house.chimney.y, cw * 0.4, roof * 0.8)
  brush.fillStyle = snow.light
  brush.beginPath()
  brush.ellipse(house.chimney.x, house.chimney.y, cw * 0.6, cw * 0.24, 0, Math.PI, 0)
  brush.ellipse(house.chimney.x, house.chimney.y, cw * 0.6, cw * 0.1, 0, 0, Math.PI)
  brush.fill()
  brush.fillStyle = wall
  brush.beginPath()
  if (house.kind === 'gable') {
    brush.moveTo(x, y)
    brush.lineTo(x, top)
    brush.lineTo(x + width / 2, top - roof)
    brush.lineTo(x + width, top)
    brush.lineTo(x + width, y)
  } else brush.rect(x, top, width, height)
  brush.closePath()
  brush.fill()
  // logs
  brush.save()
  brush.clip()
  const logs = Math.max(5, Math.round(height / Math.max(4, height * 0.085)))
  for (let log = -8; log <= logs; log++) {
    const level = top + (log / logs) * height
    brush.fillStyle = 'rgba(4, 7, 22, 0.38)'
    brush.fillRect(x, level, width, height * 0.017)
    brush.fillStyle = 'rgba(150, 176, 230, 0.07)'
    brush.fillRect(x, level + height * 0.02, width, height * 0.016)
  }
  const under = brush.createLinearGradient(0, top - roof * 0.1, 0, top + height * 0.42)
  under.addColorStop(0, 'rgba(3, 6, 20, 0.7)')
  under.addColorStop(1, 'rgba(3, 6, 20, 0)')
  brush.fillStyle = under
  brush.fillRect(x, top - roof, width, roof + height)
  brush.restore()
  // roof snow
  if (house.kind === 'gable') {
    const peak: [number, number] = [x + width / 2, top - roof - thick * 0.9]
    const slopeLeft: [number, number][] = [[x - overhang, top + overhang * 0.55 - thick * 0.9], peak]
    const slopeRight: [number, number][] = [peak, [x + width + overhang, top + overhang * 0.55 - thick * 0.9]]
    ledge(brush, chance, slopeLeft, thick * 1.25, { light: snow.middle, middle: snow.shade, shade: snow.shade })
    ledge(brush, chance, slopeRight, thick * 1.25, { light: snow.light, middle: snow.light, shade: snow.middle })
    brush.fillStyle = snow.light
    brush.beginPath()
    brush.ellipse(peak[0] + thick * 0.1, peak[1] + thick * 0.62, thick * 0.62, thick * 0.62, 0, 0, Math.PI * 2)
    brush.fill()
  } else {
    const slant = width * 0.1
    const points: [number, number][] = [
      [x - overhang, top - thick * 0.4],
      [x + slant * 0.6, top - roof],
      [x + width - slant * 0.6, top - roof - thick * 0.1],
      [x + width + overhang, top - thick * 0.4],
    ]
    brush.beginPath()
    brush.moveTo(points[0]![0], points[0]![1])
    brush.quadraticCurveTo(
      points[1]![0] - slant * 0.4,
      points[1]![1] + roof * 0.1,
      points[1]![0] + slant * 0.5,
      points[1]![1],
    )
    brush.lineTo(points[2]![0] - slant * 0.5, points[2]![1])
    brush.quadraticCurveTo(points[2]![0] + slant * 0.4, points[2]![1] + roof * 0.1, points[3]![0], points[3]![1])
    brush.closePath()
    const shades = brush.createLinearGradient(x + width, top - roof, x, top)
    shades.addColorStop(0, snow.light)
    shades.addColorStop(0.55, snow.middle)
    shades.addColorStop(1, snow.shade)
    brush.fillStyle = shades
    brush.fill()
    ledge(brush, chance, [points[0]!, points[3]!], thick * 0.9, snow, [x + width, top, x, top + thick])
  }
  // windows, dark
  for (const opening of house.openings) {
    const rim = Math.max(1, opening.width * 0.12)
    brush.fillStyle = hexMix(house.wall, '#7f8fbe', 0.42)
    brush.fillRect(opening.x - rim, opening.y - rim, opening.width + rim * 2, opening.height + rim * 2)
    brush.fillStyle = '#0a1130'
    brush.fillRect(opening.x, opening.y, opening.width, opening.height)
    brush.fillStyle = snow.middle
    brush.beginPath()
    brush.ellipse(
      opening.x + opening.width / 2,
      opening.y + opening.height + rim * 0.7,
      opening.width * 0.66,
      rim * 0.95,
      0,
      0,
      Math.PI * 2,
    )
    brush.fill()
  }
}

/** The light in a window, with its bars; to be added. */
export function litWindow(brush: SKRSContext2D, opening: Opening, warm: string, hot: string): void {
  const light = brush.createRadialGradient(
    opening.x + opening.width / 2,
    opening.y + opening.height * 0.68,
    0,
    opening.x + opening.width / 2,
    opening.y + opening.height * 0.6,
    opening.height * 0.8,
  )
  light.addColorStop(0, hot)
  light.addColorStop(1, warm)
  brush.fillStyle = light
  brush.fillRect(opening.x, opening.y, opening.width, opening.height)
  brush.globalCompositeOperation = 'destination-out'
  brush.globalAlpha = 0.85
  const bar = Math.max(0.7, opening.width * 0.08)
  brush.fillRect(opening.x + opening.width / 2 - bar / 2, opening.y, bar, opening.height)
  brush.fillRect(opening.x, opening.y + opening.height * 0.38, opening.width, bar)
  brush.globalAlpha = 1
  brush.globalCompositeOperation = 'source-over'
}

/** A snowman with a red scarf; (x, y) is its foot. */
export function snowman(brush: SKRSContext2D, x: number, y: number, height: number, snow: SnowPaint): void {
  const unit = height / 100
  const ball = (px: number, py: number, radius: number) => {
    const shades = brush.createRadialGradient(
      px + radius * 0.45,
      py - radius * 0.5,
      radius * 0.1,
      px,
      py,
      radius * 1.15,
    )
    shades.addColorStop(0, '#dfeafe')
    shades.addColorStop(0.45, snow.light)
    shades.addColorStop(0.8, snow.middle)
    shades.addColorStop(1, snow.shade)
    brush.fillStyle = shades
    brush.beginPath()
    brush.arc(px, py, radius, 0, Math.PI * 2)
    brush.fill()
  }
  const stroke = (points: readonly (readonly [number, number])[], thick: number, tint: string) => {
    brush.strokeStyle = tint
    brush.lineWidth = thick * unit
    brush.beginPath()
    points.forEach(([px, py], at) =>
      at ? brush.lineTo(x + px * unit, y - py * unit) : brush.moveTo(x + px * unit, y - py * unit),
    )
    brush.stroke()
  }
  brush.fillStyle = 'rgba(20, 40, 92, 0.4)'
  brush.beginPath()
  brush.ellipse(x - 14 * unit, y - 2 * unit, 46 * unit, 8 * unit, 0, 0, Math.PI * 2)
  brush.fill()
  stroke(
    [
      [-20, 50],
      [-44, 66],
      [-50, 76],
    ],
    2.2,
    '#1c1a30',
  )
  stroke(
    [
      [-44, 66],
      [-54, 68],
    ],
    1.8,
    '#1c1a30',
  )
  stroke(
    [
      [20, 50],
      [42, 60],
      [50, 72],
    ],
    2.2,
    '#1c1a30',
  )
  ball(x, y - 22 * unit, 29 * unit)
  ball(x + unit, y - 56 * unit, 21 * unit)
  ball(x + 2 * unit, y - 84 * unit, 15 * unit)
  stroke(
    [
      [-10, 71],
      [2, 68],
      [14, 71],
    ],
    7.5,
    '#a3182c',
  )
  stroke(
    [
      [10, 70],
      [15, 58],
      [13, 50],
    ],
    6,
    '#8c1326',
  )
  stroke(
    [
      [-10, 73],
      [2, 70],
      [14, 73],
    ],
    1.6,
    '#d8414c',
  )
  for (const [px, py] of [
    [-4, 88],
    [7, 88],
    [1, 60],
    [1, 51],
  ] as const) {
    brush.fillStyle = '#141830'
    brush.beginPath()
    brush.arc(x + px * unit, y - py * unit, 1.9 * unit, 0, Math.PI * 2)
    brush.fill()
  }
  brush.fillStyle = '#d8772c'
  brush.beginPath()
  brush.moveTo(x + 0.5 * unit, y - 85.5 * unit)
  brush.lineTo(x + 14 * unit, y - 82 * unit)
  brush.lineTo(x + 0.5 * unit, y - 81 * unit)
  brush.fill()
  brush.fillStyle = '#27305a'
  brush.beginPath()
  brush.moveTo(x - 11 * unit, y - 94 * unit)
  brush.lineTo(x - 7 * unit, y - 114 * unit)
  brush.lineTo(x + 12 * unit, y - 113 * unit)
  brush.lineTo(x + 15 * unit, y - 93 * unit)
  brush.closePath()
  brush.fill()
  brush.fillStyle = snow.light
  brush.beginPath()
  brush.ellipse(x + 2.5 * unit, y - 114 * unit, 10 * unit, 3 * unit, -0.05, 0, Math.PI * 2)
  brush.fill()
}
