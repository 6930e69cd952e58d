/**
 * The house we come to: a log front in the moonlight, carved casings, one
 * lit window and what it lends its surroundings.
 */
import type { SKRSContext2D } from '@napi-rs/canvas'
import { clamp, mix, smooth } from './ease.ts'
import { blend, colour, layerOf, over, type Layer, type Rgb } from './light.ts'
import { hexMix, ledge, paint, type House, type Opening, type SnowPaint } from './paint.ts'
import { between, fractal, noise, random } from './random.ts'

type Rect = readonly [x: number, y: number, width: number, height: number, density: number]

/** The light of the room, as it falls on what is outside. */
const lamplight: Rgb = [1, 0.47, 0.13]
const moonlight: Rgb = [0.3, 0.4, 0.74]
const skylight: Rgb = [0.1, 0.14, 0.3]
const snow: SnowPaint = { light: '#c6daf9', middle: '#83a3d9', shade: '#4567ab' }

/** @param lit the window with the light, @param dark the one beside it, @param attic the small one in the gable */
export function paintLogHouse(rect: Rect, house: House, lit: Opening, dark: Opening, attic: Opening): Layer {
  const back = paint(...rect, (brush) => chimney(brush, house))
  const trim = paint(...rect, (brush) => {
    const chance = random(55)
    logEnds(brush, house)
    casing(brush, dark, false)
    casing(brush, lit, true)
    atticWindow(brush, attic)
    bargeboards(brush, house)
    roofSnow(brush, chance, house)
  })
  return over(back, logWall(rect, house, lit), trim)
}

function gableTop(house: House, x: number): number {
  const share = clamp(1 - Math.abs(x - (house.x + house.width / 2)) / (house.width / 2))
  return house.y - house.height - house.roof * share
}

const logCount = 12

/**
 * Round logs, grained and rimed: moonlight from the upper right, the snow's
 * light from below, the window's light around it.
 */
function logWall([x, y, width, height, density]: Rect, house: House, lit: Opening): Layer {
  const columns = Math.round(width * density)
  const rows = Math.round(height * density)
  const data = new Float32Array(columns * rows * 4)
  const pitch = house.height / logCount
  const top = house.y - house.height
  const chance = random(57)
  const knots = Array.from({ length: 60 }, () => ({
    x: between(chance, house.x, house.x + house.width),
    log: Math.floor(between(chance, -9, logCount)),
    v: between(chance, 0.3, 0.7),
    size: between(chance, 1.2, 2.2),
  }))
  const wood: [Rgb, Rgb] = [colour('#4f4340'), colour('#957a6c')]
  const rime: Rgb = [0.42, 0.5, 0.66]
  // Grain finer than a pixel would only flicker.
  const fineness = smooth(0.6, 2, density)
  for (let row = 0; row < rows; row++) {
    const py = y + (row + 0.5) / density
    if (py < top - house.roof - 2 || py > house.y) continue
    for (let column = 0; column < columns; column++) {
      const px = x + (column + 0.5) / density
      const below = py - gableTop(house, px)
      const cover =
        clamp(below * density + 0.5) *
        clamp((px - house.x) * density + 0.5) *
        clamp((house.x + house.width - px) * density + 0.5)
      if (cover === 0) continue
      const bent = py + 0.9 * (noise(px / 70, py / pitch / 1.7, 58) - 0.5)
      const log = Math.floor((bent - top) / pitch)
      const v = (bent - top) / pitch - log
      const round = v * 2 - 1
      const facing = Math.sqrt(Math.max(0.06, 1 - round * round * 0.94))
      let along = v
      let knot = 0
      for (const one of knots) {
        if (one.log !== log) continue
        const dx = (px - one.x) / (one.size * 2.2)
        const dy = ((v - one.v) * pitch) / one.size
        const near = dx * dx * 0.3 + dy * dy
        if (near > 9) continue
        along += (Math.sign(dy) * 0.12 * Math.exp(-near * 0.6) * one.size) / 2
        knot = Math.max(knot, Math.exp(-(dx * dx * 2.2 + dy * dy * 1.6)))
      }
      const strands = fractal(px / 46 + log * 13, along * 7.5, 59 + log, 2)
      const fibres = fractal(px / 30 + log * 7, along * 26, 75 + log, 2) - 0.5
      const crack =
        Math.exp(-(((noise(px / 55, log * 3.1 + along * 2.2, 63) - 0.5) / 0.012) ** 2)) *
        smooth(0.5, 0.62, noise(px / 38, log * 5.7, 64)) *
        facing
      const tone = clamp(0.16 + 0.62 * strands + fibres * 0.75 * fineness + 0.22 * (noise(log * 3.7, 1.5, 65) - 0.5))
      const bare = blend(wood[0], wood[1], tone)
      const worn = (1 - 0.6 * knot) * (1 - 0.6 * crack * fineness)
      // Between two logs lies a groove; snow and rime keep to the shoulder just below it.
      const groove = smooth(0, 0.13, v) * smooth(0, 0.1, 1 - v)
      const drifted = 0.05 + 0.34 * Math.max(0, fractal(px / 25, log * 9.1, 66, 3) - 0.5) * smooth(-4, 9, log + 2) * 1.5
      const caught =
        smooth(drifted, drifted * 0.55, v) *
        smooth(0.44, 0.56, fractal(px / 25, log * 9.1, 66, 3)) *
        smooth(14, 46, below)
      const breathed =
        clamp(fractal(px / 5, py / 3.4, 67, 2) * 2.2 - 0.85) *
        0.34 *
        smooth(0.85, 0.05, v) *
        (0.4 + 0.6 * noise(px / 60, py / 40, 68))
      const eaves = 0.3 + 0.7 * smooth(4, 62, below)
      const moon =
        Math.max(0, 0.72 * facing - 0.62 * round) * eaves * (0.55 + 0.45 * smooth(house.x, house.x + house.width, px))
      const sky = (0.5 + 0.5 * Math.max(0, round)) * (0.5 + 0.5 * eaves)
      // The lamp reaches the wall by way of the ledge and of the snow before the house.
      const aside = Math.hypot(
        Math.max(0, lit.x - 8 - px, px - lit.x - lit.width - 8),
        Math.max(0, lit.y - 6 - py, py - lit.y - lit.height - 4),
      )
      const across = (px - lit.x - lit.width / 2) / 92
      const risen = smooth(lit.y + 10, house.y - 6, py) * Math.exp(-across * across)
      const lamp =
        0.52 * Math.exp(-aside / 22) * (0.35 + 0.65 * facing) + 0.36 * risen * Math.max(0.1, 0.45 + 0.75 * round)
      const frosty = clamp(caught + breathed)
      const at = (row * columns + column) * 4
      for (let channel = 0; channel < 3; channel++) {
        const light = moonlight[channel]! * moon * 0.5 + skylight[channel]! * sky + lamplight[channel]! * lamp
        const surface = mix(bare[channel]! * worn * (0.14 + 0.86 * groove), rime[channel]!, frosty)
        data[at + channel] = surface * light * cover
      }
      data[at + 3] = cover
    }
  }
  return layerOf(columns, rows, data, x, y, density)
}

/** The warm light that the window lays on the snow before the house: the shape of its panes, drawn long. */
export function lampOnSnow(ground: Layer, house: House, lit: Opening): Layer {
  const data = ground.data.slice()
  for (let row = 0, at = 0; row < ground.height; row++) {
    const py = ground.y + (row + 0.5) / ground.density
    if (py < house.y - 60) {
      at += ground.width * 4
      continue
    }
    for (let column = 0; column < ground.width; column++, at += 4) {
      const cover = data[at + 3]!
      if (cover === 0) continue
      const px = ground.x + (column + 0.5) / ground.density
      const uneven = fractal(px / 34, py / 10, 69, 3) - 0.5
      const away = (py - house.y + 22) / 140 + uneven * 0.07
      const half = lit.width * (0.54 + 0.86 * Math.max(0, away))
      const aside = (px - lit.x - lit.width / 2 + 18 * away) / half + uneven * 0.1
      // The farther the light falls, the softer its edges: the lamps of a tree are many.
      const soft = 0.2 + 0.34 * clamp(away)
      const bar = 0.045 + 0.03 * clamp(away)
      const shaft = smooth(1 + soft, 1 - soft, Math.abs(aside)) * smooth(-0.12, 0.16, away) * smooth(1.3, 0.6, away)
      const bars =
        (1 - 0.5 * Math.exp(-(((away - 0.62) / bar) ** 2))) *
        (1 - 0.4 * Math.exp(-((aside / (bar * 2.4)) ** 2)) * smooth(0.58, 0.7, away))
      const spread = Math.exp(-(((px - lit.x - lit.width / 2) / 140) ** 2) - (Math.max(0, away - 0.2) / 0.8) ** 2)
      const lamp = (0.36 * (shaft * bars)) / (0.75 + 0.9 * Math.max(0, away)) + 0.075 * spread
      if (lamp < 0.002) continue
      // Snow under the lamp is gold, not pink: the night's blue gives way.
      const relief = 0.2 + (2.6 * data[at + 1]!) / Math.max(0.05, cover)
      const keep = 1 - 0.82 * clamp(lamp * 2.4)
      data[at] = data[at]! * keep + lamplight[0] * lamp * relief * cover
      data[at + 1] = data[at + 1]! * keep + lamplight[1] * 1.2 * lamp * relief * cover
      data[at + 2] = data[at + 2]! * keep + lamplight[2] * 1.3 * lamp * relief * cover
    }
  }
  return layerOf(ground.width, ground.height, data, ground.x, ground.y, ground.density)
}

function chimney(brush: SKRSContext2D, { chimney: { x, y }, width, roof }: House): void {
  const wide = width * 0.09
  const brick = brush.createLinearGradient(x - wide / 2, 0, x + wide / 2, 0)
  brick.addColorStop(0, '#1f2140')
  brick.addColorStop(0.6, '#43436b')
  brick.addColorStop(1, '#5a5c86')
  brush.fillStyle = brick
  brush.fillRect(x - wide / 2, y, wide, roof * 0.8)
  brush.fillStyle = 'rgba(12, 14, 40, 0.4)'
  for (let course = 0; course < 18; course++) {
    brush.fillRect(x - wide / 2, y + 10 + course * 5.6, wide, 0.7)
    for (let joint = 0; joint < 4; joint++)
      brush.fillRect(x - wide / 2 + ((joint + (course % 2) / 2) * wide) / 3.5, y + 10 + course * 5.6, 0.7, 5.6)
  }
  brush.fillStyle = '#4d4f7b'
  brush.fillRect(x - wide * 0.58, y + 2, wide * 1.16, 7)
  brush.fillStyle = '#272a50'
  brush.fillRect(x - wide * 0.58, y + 8, wide * 1.16, 1.4)
  const cap = brush.createLinearGradient(x + wide / 2, y - 8, x - wide / 2, y + 4)
  cap.addColorStop(0, '#dfeafd')
  cap.addColorStop(1, snow.middle)
  brush.fillStyle = cap
  brush.beginPath()
  brush.moveTo(x - wide * 0.64, y + 3)
  brush.bezierCurveTo(x - wide * 0.6, y - 9, x + wide * 0.6, y - 10, x + wide * 0.64, y + 3)
  brush.quadraticCurveTo(x + wide * 0.3, y + 6.4, x, y + 4)
  brush.quadraticCurveTo(x - wide * 0.4, y + 6, x - wide * 0.64, y + 3)
  brush.fill()
}

/** Where the logs of the side walls come through at the corners. */
function logEnds(brush: SKRSContext2D, house: House): void {
  const pitch = house.height / logCount
  for (const [x, light] of [
    [house.x + 9, 0],
    [house.x + house.width - 9, 1],
  ] as const) {
    for (let log = 1; log <= logCount; log++) {
      const cy = house.y - house.height + (log - 0.5) * pitch
      const radius = pitch * 0.49
      const shade = 0.3 * smooth(5, 0, log)
      const end = brush.createRadialGradient(x + radius * 0.3, cy - radius * 0.35, 0, x, cy, radius)
      end.addColorStop(0, hexMix(light ? '#5e5664' : '#463f4e', '#10122c', shade))
      end.addColorStop(0.75, hexMix('#2f2a3a', '#10122c', shade))
      end.addColorStop(1, '#14142c')
      brush.fillStyle = end
      brush.beginPath()
      brush.arc(x, cy, radius, 0, Math.PI * 2)
      brush.fill()
      brush.lineWidth = 0.45
      for (let ring = 1; ring < 5; ring++) {
        brush.strokeStyle = `rgba(18, 16, 38, ${0.5 - ring * 0.06})`
        brush.beginPath()
        brush.ellipse(x + 0.5, cy - 0.4, (radius * ring) / 5.2, (radius * ring) / 5.6, 0.3, 0, Math.PI * 2)
        brush.stroke()
      }
      brush.beginPath()
      brush.moveTo(x, cy)
      brush.lineTo(x + radius * 0.7 * Math.cos(log * 2.3), cy + radius * 0.7 * Math.sin(log * 2.3))
      brush.stroke()
      const cap = brush.createLinearGradient(x + radius, 0, x - radius, 0)
      cap.addColorStop(0, '#88a5d8')
      cap.addColorStop(1, '#34508c')
      brush.fillStyle = cap
      brush.beginPath()
      brush.arc(x, cy, radius, Math.PI * 1.22, Math.PI * 1.78)
      brush.quadraticCurveTo(x, cy - radius * 0.74, x - radius * 0.77, cy - radius * 0.64)
      brush.fill()
    }
  }
}

const slopeSteps = 46

/** The carved boards along the edge of the roof, and the one that hangs from its peak. */
function bargeboards(brush: SKRSContext2D, house: House): void {
  const peakX = house.x + house.width / 2
  const peakY = house.y - house.height - house.roof
  const out = house.width * 0.09
  const deep = 10
  for (const side of [-1, 1] as const) {
    const endX = peakX + side * (house.width / 2 + out)
    const endY = house.y - house.height + out * 0.55 + 3
    const shades = brush.createLinearGradient(peakX, peakY, peakX + 8 * side, peakY + 10)
    shades.addColorStop(0, side === 1 ? '#4d5d92' : '#33416f')
    shades.addColorStop(1, side === 1 ? '#3b4a7e' : '#27345f')
    for (const [layer, reach, fill] of [
      ['shadow', deep + 4.5, 'rgba(5, 7, 22, 0.55)'],
      ['board', deep, shades],
    ] as const) {
      brush.fillStyle = fill
      brush.beginPath()
      brush.moveTo(peakX, peakY - 4)
      brush.lineTo(endX, endY - 4)
      for (let step = slopeSteps; step >= 0; step--) {
        const px = mix(peakX, endX, step / slopeSteps)
        const py = mix(peakY, endY, step / slopeSteps)
        const lobe = layer === 'board' ? (step % 2 ? 3.1 : 0) : 1.5
        brush.quadraticCurveTo(px + (endX - peakX) / slopeSteps / 2, py + reach + lobe + 1.2, px, py + reach + lobe)
      }
      brush.closePath()
      brush.fill()
    }
    for (let step = 1; step < slopeSteps; step += 2) {
      const px = mix(peakX, endX, step / slopeSteps)
      const py = mix(peakY, endY, step / slopeSteps) + deep - 1.4
      brush.fillStyle = 'rgba(6, 9, 28, 0.85)'
      brush.beginPath()
      brush.arc(px, py, 1.15, 0, Math.PI * 2)
      brush.fill()
    }
    brush.strokeStyle = side === 1 ? 'rgba(160, 186, 236, 0.4)' : 'rgba(120, 148, 206, 0.25)'
    brush.lineWidth = 0.7
    brush.beginPath()
    brush.moveTo(peakX, peakY + 5)
    brush.lineTo(endX, endY + 5)
    brush.stroke()
  }
  brush.fillStyle = '#3b4a7e'
  brush.beginPath()
  brush.moveTo(peakX - 6, peakY)
  brush.lineTo(peakX - 6, peakY + 30)
  brush.quadraticCurveTo(peakX, peakY + 34, peakX, peakY + 42)
  brush.quadraticCurveTo(peakX, peakY + 34, peakX + 6, peakY + 30)
  brush.lineTo(peakX + 6, peakY)
  brush.fill()
  rosette(brush, peakX, peakY + 24, 3.6)
}

function roofSnow(brush: SKRSContext2D, chance: () => number, house: House): void {
  const thick = house.width * 0.05
  const out = house.width * 0.09
  const top = house.y - house.height
  const peak: [number, number] = [house.x + house.width / 2, top - house.roof - thick * 0.9]
  const low = top + out * 0.55 - thick * 0.9
  ledge(
    brush,
    chance,
    [[house.x - out, low], peak],
    thick * 1.2,
    { light: '#6f92d0', middle: '#5d80c2', shade: '#33549a' },
    [peak[0] - 60, peak[1] + 50, peak[0] - 46, peak[1] + 76],
  )
  ledge(
    brush,
    chance,
    [peak, [house.x + house.width + out, low]],
    thick * 1.2,
    { light: '#dce8fd', middle: '#b7cdf3', shade: '#6788c6' },
    [peak[0] + 62, peak[1] + 50, peak[0] + 48, peak[1] + 78],
  )
  const crown = brush.createRadialGradient(peak[0] + 5, peak[1] + 4, 1, peak[0], peak[1] + 12, 15)
  crown.addColorStop(0, '#e6effe')
  crown.addColorStop(1, '#9bb7e8')
  brush.fillStyle = crown
  brush.beginPath()
  brush.ellipse(peak[0] + 1, peak[1] + thick * 0.6, thick * 0.66, thick * 0.6, 0, 0, Math.PI * 2)
  brush.fill()
}

/** A carved flower: petals cut into the wood, each with a dark and a lit edge. */
function rosette(brush: SKRSContext2D, x: number, y: number, radius: number): void {
  for (let petal = 0; petal < 6; petal++) {
    const turn = (petal / 6) * Math.PI * 2 + Math.PI / 6
    for (const [shift, tint] of [
      [-0.25, 'rgba(8, 12, 38, 0.75)'],
      [0.25, 'rgba(156, 182, 234, 0.5)'],
    ] as const) {
      brush.strokeStyle = tint
      brush.lineWidth = radius * 0.2
      brush.beginPath()
      brush.moveTo(x + Math.cos(turn) * radius * 0.25 + shift * 0.6, y + Math.sin(turn) * radius * 0.25 + shift)
      brush.lineTo(x + Math.cos(turn) * radius * 0.92 + shift * 0.6, y + Math.sin(turn) * radius * 0.92 + shift)
      brush.stroke()
    }
  }
  brush.lineWidth = 0.5
  brush.strokeStyle = 'rgba(8, 12, 38, 0.6)'
  brush.beginPath()
  brush.arc(x, y, radius * 1.18, 0, Math.PI * 2)
  brush.stroke()
}

/** A shadow of what is filled inside `draw`, to the lower left: the moon stands to the right. */
function raised(brush: SKRSContext2D, soft: number, draw: () => void): void {
  const density = brush.getTransform().a
  brush.save()
  brush.shadowColor = 'rgba(3, 5, 18, 0.85)'
  brush.shadowBlur = soft * density
  brush.shadowOffsetX = -soft * 0.5 * density
  brush.shadowOffsetY = soft * 0.6 * density
  draw()
  brush.restore()
}

function crownOf(brush: SKRSContext2D, { x, width }: Opening, y: number, rise: number, out: number): void {
  brush.beginPath()
  brush.moveTo(x - out, y)
  brush.quadraticCurveTo(x - out + 8, y - rise * 0.5, x + width * 0.24, y - rise * 0.44)
  brush.quadraticCurveTo(x + width * 0.42, y - rise * 0.46, x + width / 2, y - rise)
  brush.quadraticCurveTo(x + width * 0.58, y - rise * 0.46, x + width * 0.76, y - rise * 0.44)
  brush.quadraticCurveTo(x + width + out - 8, y - rise * 0.5, x + width + out, y)
  brush.closePath()
}

/** A carved window casing with snow on it, as village houses wear them. */
function casing(brush: SKRSContext2D, pane: Opening, lit: boolean): void {
  const board = 12
  const { x, y, width, height } = pane
  const right = x + width
  const foot = y + height
  const paintOfBoards = (x0: number, y0: number, x1: number, y1: number) => {
    const paintOf = brush.createLinearGradient(x0, y0, x1, y1)
    paintOf.addColorStop(0, '#2f3d6d')
    paintOf.addColorStop(0.5, '#465689')
    paintOf.addColorStop(1, '#5f70a6')
    return paintOf
  }
  // the apron below the ledge, its lower edge carved
  raised(brush, 3, () => {
    brush.fillStyle = paintOfBoards(x, foot, x + 20, foot + 30)
    brush.beginPath()
    brush.moveTo(x - board, foot + 6)
    brush.lineTo(x - board, foot + 17)
    const lobes = 7
    for (let lobe = 0; lobe < lobes; lobe++) {
      const from = x - board + ((width + 2 * board) * lobe) / lobes
      const to = x - board + ((width + 2 * board) * (lobe + 1)) / lobes
      brush.quadraticCurveTo((from + to) / 2, foot + 17 + (lobe === 3 ? 17 : 10), to, foot + 17)
    }
    brush.lineTo(right + board, foot + 6)
    brush.fill()
  })
  for (let lobe = 0; lobe < 7; lobe++)
    rosette(brush, x - board + ((width + 2 * board) * (lobe + 0.5)) / 7, foot + 15.5, 2.4)
  // the posts
  raised(brush, 4, () => {
    brush.fillStyle = '#33416f'
    brush.fillRect(x - board, y - board, width + board * 2, height + board * 2)
  })
  for (const [left, side] of [
    [x - board, -1],
    [right, 1],
  ] as const) {
    const round = brush.createLinearGradient(left, 0, left + board, 0)
    const stops: readonly (readonly [number, string])[] = [
      [0, '#2a3765'],
      [0.1, '#5c6ea6'],
      [0.2, '#33426f'],
      [0.28, '#1f2a54'],
      [0.36, '#42528a'],
      [0.6, '#50619a'],
      [0.7, '#3a497d'],
      [0.78, '#1f2a54'],
      [0.86, '#56679f'],
      [1, '#27335e'],
    ]
    for (const [at, tint] of stops) round.addColorStop(at, tint)
    brush.fillStyle = round
    brush.fillRect(left, y - board, board, height + board * 2)
    // fine strands of the brush and of the weather
    const chance = random(56 + side)
    for (let line = 0; line < 46; line++) {
      brush.fillStyle = `rgba(${chance() < 0.6 ? '10, 15, 44' : '150, 174, 226'}, ${between(chance, 0.05, 0.16)})`
      brush.fillRect(
        left + between(chance, 0.4, board - 0.8),
        between(chance, y - board, foot),
        0.35,
        between(chance, 8, 44),
      )
    }
    // carved lozenges up the post, a flower in the middle, a block at head and foot
    const middle = left + board * 0.53
    for (let at = y + 12; at < foot - 6; at += 11.4) {
      if (Math.abs(at - (y + height * 0.5)) < 8) continue
      for (const [tint, turn] of [
        ['rgba(9, 13, 40, 0.7)', -1],
        ['rgba(150, 176, 230, 0.5)', 1],
      ] as const) {
        brush.strokeStyle = tint
        brush.lineWidth = 0.6
        brush.beginPath()
        brush.moveTo(middle - 1.9, at)
        brush.lineTo(middle, at + turn * 3.6)
        brush.lineTo(middle + 1.9, at)
        brush.stroke()
      }
    }
    rosette(brush, middle, y + height * 0.5, 3)
    for (const at of [y - board, foot - 2]) {
      const block = brush.createLinearGradient(left, at, left + board, at + 13)
      block.addColorStop(0, '#3b4a7e')
      block.addColorStop(1, '#61729f')
      brush.fillStyle = block
      brush.fillRect(left - 0.8, at, board + 1.6, 13)
      brush.strokeStyle = 'rgba(9, 13, 40, 0.6)'
      brush.lineWidth = 0.6
      brush.strokeRect(left + 1.6, at + 2.2, board - 3.2, 8.6)
      rosette(brush, middle, at + 6.5, 2.3)
    }
  }
  // the depth of the wall around the glass
  brush.fillStyle = '#0d1330'
  brush.fillRect(x - 3.4, y - 3.4, width + 6.8, height + 6.8)
  if (lit) {
    for (const [x0, y0, x1, y1, strength] of [
      [x - 3.4, 0, x, 0, 0.75],
      [right + 3.4, 0, right, 0, 0.75],
      [0, foot + 3.4, 0, foot, 0.9],
      [0, y - 3.4, 0, y, 0.5],
    ] as const) {
      const reveal = brush.createLinearGradient(x0, y0, x1, y1)
      reveal.addColorStop(0, `rgba(92, 44, 22, ${strength})`)
      reveal.addColorStop(1, `rgba(246, 158, 74, ${strength})`)
      brush.fillStyle = reveal
      brush.beginPath()
      if (y0 === 0) {
        brush.moveTo(x0, y - 3.4)
        brush.lineTo(x1, y)
        brush.lineTo(x1, foot)
        brush.lineTo(x0, foot + 3.4)
      } else {
        brush.moveTo(x - 3.4, y0)
        brush.lineTo(x, y1)
        brush.lineTo(right, y1)
        brush.lineTo(right + 3.4, y0)
      }
      brush.fill()
    }
  }
  glass(brush, pane, lit)
  // the carved board above: a back board, a cornice with teeth, a front board with half a sun
  const head = y - board + 3
  raised(brush, 5, () => {
    brush.fillStyle = '#2a376a'
    crownOf(brush, pane, head, 33, board + 8)
    brush.fill()
  })
  brush.fillStyle = paintOfBoards(x, head - 24, right, head)
  crownOf(brush, pane, head - 4, 25, board + 4)
  brush.fill()
  brush.strokeStyle = 'rgba(150, 176, 230, 0.45)'
  brush.lineWidth = 0.7
  brush.stroke()
  const sun = { x: x + width / 2, y: head - 5 }
  for (let ray = 0; ray <= 12; ray++) {
    const turn = Math.PI * (1 + ray / 12)
    const reach = 8 + 7 * Math.abs(Math.sin(turn)) ** 3
    for (const [shift, tint] of [
      [-0.35, 'rgba(8, 12, 38, 0.8)'],
      [0.35, 'rgba(168, 192, 240, 0.5)'],
    ] as const) {
      brush.strokeStyle = tint
      brush.lineWidth = 0.7
      brush.beginPath()
      brush.moveTo(sun.x + Math.cos(turn) * 4.4 + shift, sun.y + Math.sin(turn) * 4.4)
      brush.lineTo(sun.x + Math.cos(turn) * reach + shift, sun.y + Math.sin(turn) * reach)
      brush.stroke()
    }
  }
  brush.fillStyle = '#2a376a'
  brush.beginPath()
  brush.arc(sun.x, sun.y, 3.6, Math.PI, 0)
  brush.fill()
  for (const from of [-1, 1])
    for (let leaf = 0; leaf < 3; leaf++)
      rosette(brush, sun.x + from * (21 + leaf * 11), head - 9.2 + leaf * 1.1, 2.9 - leaf * 0.35)
  raised(brush, 2.4, () => {
    brush.fillStyle = paintOfBoards(x, head - 4, x + 12, head + 4)
    brush.fillRect(x - board - 6, head - 4, width + board * 2 + 12, 4.6)
    for (let tooth = x - board - 3; tooth < right + board + 2; tooth += 5) {
      brush.beginPath()
      brush.moveTo(tooth, head + 0.4)
      brush.lineTo(tooth + 3.6, head + 0.4)
      brush.lineTo(tooth + 1.8, head + 4.6)
      brush.fill()
    }
  })
  brush.fillStyle = 'rgba(160, 186, 238, 0.45)'
  brush.fillRect(x - board - 6, head - 4, width + board * 2 + 12, 0.7)
  // the ledge
  raised(brush, 3.4, () => {
    const shelf = brush.createLinearGradient(0, foot + 5, 0, foot + 12)
    shelf.addColorStop(0, lit ? '#8d7a7a' : '#65769f')
    shelf.addColorStop(1, '#323f6b')
    brush.fillStyle = shelf
    brush.fillRect(x - board - 5, foot + 5, width + board * 2 + 10, 6.6)
  })
  if (lit) warmth(brush, pane, board)
  // snow on the board and on the ledge
  const above = brush.createLinearGradient(right, head - 40, x, head)
  above.addColorStop(0, '#dfeafd')
  above.addColorStop(0.55, '#a9c3ee')
  above.addColorStop(1, '#5f80bd')
  brush.fillStyle = above
  brush.beginPath()
  brush.moveTo(x - board - 9, head + 0.4)
  brush.quadraticCurveTo(x - board + 2, head - 23, x + width * 0.25, head - 20)
  brush.quadraticCurveTo(x + width * 0.42, head - 22, x + width / 2, head - 41)
  brush.quadraticCurveTo(x + width * 0.58, head - 22, x + width * 0.75, head - 20)
  brush.quadraticCurveTo(right + board - 2, head - 23, right + board + 9, head + 0.4)
  brush.quadraticCurveTo(right + board + 1, head - 9, right + board - 7, head - 12)
  brush.quadraticCurveTo(x + width * 0.86, head - 11, x + width * 0.74, head - 13.5)
  brush.quadraticCurveTo(x + width * 0.6, head - 13, x + width / 2, head - 31)
  brush.quadraticCurveTo(x + width * 0.41, head - 14, x + width * 0.27, head - 13)
  brush.quadraticCurveTo(x + width * 0.1, head - 14, x - board + 6, head - 11)
  brush.quadraticCurveTo(x - board - 3, head - 8, x - board - 9, head + 0.4)
  brush.fill()
  const pillow = brush.createLinearGradient(0, foot - 3, 0, foot + 9)
  if (lit) {
    pillow.addColorStop(0, '#f7d3a4')
    pillow.addColorStop(0.4, '#c9a897')
    pillow.addColorStop(1, '#6078b0')
  } else {
    pillow.addColorStop(0, '#c3d6f7')
    pillow.addColorStop(1, '#5b7ab8')
  }
  brush.fillStyle = pillow
  brush.beginPath()
  brush.moveTo(x - board - 7, foot + 7.6)
  brush.bezierCurveTo(x - board - 3, foot + 1, x + width * 0.2, foot - 1.6, x + width * 0.46, foot + 0.6)
  brush.bezierCurveTo(x + width * 0.74, foot - 2.6, right + board, foot + 0.6, right + board + 7, foot + 7.6)
  brush.quadraticCurveTo(x + width * 0.8, foot + 9.6, x + width * 0.62, foot + 8)
  brush.quadraticCurveTo(x + width * 0.3, foot + 10.4, x - board - 7, foot + 7.6)
  brush.fill()
  if (lit) {
    for (const [at, reach] of [
      [x - board - 7, 22],
      [right + board + 7, -22],
    ] as const) {
      const cool = brush.createLinearGradient(at, 0, at + reach, 0)
      cool.addColorStop(0, 'rgba(128, 158, 216, 0.95)')
      cool.addColorStop(1, 'rgba(128, 158, 216, 0)')
      brush.fillStyle = cool
      brush.save()
      brush.clip()
      brush.fillRect(Math.min(at, at + reach), foot - 4, 22, 16)
      brush.restore()
    }
  }
}

/** What the lamp lends the carving around it. */
function warmth(brush: SKRSContext2D, { x, y, width, height }: Opening, board: number): void {
  brush.save()
  brush.globalCompositeOperation = 'lighter'
  for (const [from, to] of [
    [x - 3.4, x - board - 1],
    [x + width + 3.4, x + width + board + 1],
  ] as const) {
    const side = brush.createLinearGradient(from, 0, to, 0)
    side.addColorStop(0, 'rgba(255, 152, 62, 0.42)')
    side.addColorStop(0.35, 'rgba(226, 118, 46, 0.2)')
    side.addColorStop(1, 'rgba(200, 96, 36, 0.02)')
    brush.fillStyle = side
    brush.fillRect(Math.min(from, to), y - 2, Math.abs(to - from), height + 4)
  }
  // what reaches the underside of the board above fades to all sides
  brush.translate(x + width / 2, y - 3.4)
  brush.scale(1, 0.42)
  const under = brush.createRadialGradient(0, 0, 0, 0, 0, width * 0.62)
  under.addColorStop(0, 'rgba(255, 152, 62, 0.42)')
  under.addColorStop(0.6, 'rgba(240, 134, 54, 0.16)')
  under.addColorStop(1, 'rgba(226, 118, 46, 0)')
  brush.fillStyle = under
  brush.beginPath()
  brush.arc(0, 0, width * 0.62, Math.PI, 0)
  brush.fill()
  brush.restore()
}

/**
 * The glass and its bars. Behind the dark one the last of the lamp from the next
 * room, curtains, and somebody who watches the snow.
 */
function glass(brush: SKRSContext2D, { x, y, width, height }: Opening, lit: boolean): void {
  const night = brush.createLinearGradient(x, y, x + width * 0.7, y + height)
  night.addColorStop(0, '#16224c')
  night.addColorStop(0.6, '#0f1838')
  night.addColorStop(1, '#181a36')
  brush.fillStyle = night
  brush.fillRect(x, y, width, height)
  if (!lit) {
    brush.save()
    brush.beginPath()
    brush.rect(x, y, width, height)
    brush.clip()
    const door = brush.createRadialGradient(
      x + width * 0.2,
      y + height * 0.86,
      2,
      x + width * 0.2,
      y + height * 0.8,
      92,
    )
    door.addColorStop(0, 'rgba(224, 136, 62, 0.62)')
    door.addColorStop(0.45, 'rgba(150, 84, 46, 0.3)')
    door.addColorStop(1, 'rgba(90, 50, 40, 0)')
    brush.fillStyle = door
    brush.fillRect(x, y, width, height)
    for (const side of [0, 1]) {
      const edge = side ? x + width : x
      const inward = side ? -1 : 1
      const cloth = brush.createLinearGradient(edge, 0, edge + inward * 32, 0)
      for (let fold = 0; fold <= 6; fold++) cloth.addColorStop(fold / 6, fold % 2 ? '#46486c' : '#2c3054')
      brush.fillStyle = cloth
      brush.beginPath()
      brush.moveTo(edge, y)
      brush.lineTo(edge + inward * 36, y)
      brush.bezierCurveTo(edge + inward * 33, y + 46, edge + inward * 20, y + 78, edge + inward * 9, y + 92)
      brush.bezierCurveTo(edge + inward * 15, y + 112, edge + inward * 17, y + 130, edge + inward * 18, y + height)
      brush.lineTo(edge, y + height)
      brush.fill()
    }
    const cat = '#090c20'
    brush.fillStyle = cat
    brush.strokeStyle = cat
    const [cx, foot] = [x + width * 0.6, y + height - 4]
    brush.beginPath()
    brush.moveTo(cx - 8, foot + 6)
    brush.bezierCurveTo(cx - 10, foot - 10, cx - 7, foot - 20, cx - 4.4, foot - 24)
    brush.bezierCurveTo(cx - 8.4, foot - 28, cx - 7.6, foot - 34, cx - 6.8, foot - 37)
    brush.lineTo(cx - 3.4, foot - 34.2)
    brush.lineTo(cx + 1.6, foot - 34.2)
    brush.lineTo(cx + 4.8, foot - 37)
    brush.bezierCurveTo(cx + 6, foot - 33, cx + 6.2, foot - 28, cx + 3.4, foot - 25)
    brush.bezierCurveTo(cx + 11, foot - 18, cx + 14, foot - 6, cx + 12, foot + 6)
    brush.fill()
    brush.lineWidth = 2.6
    brush.beginPath()
    brush.moveTo(cx + 10, foot + 2)
    brush.bezierCurveTo(cx + 20, foot + 4, cx + 24, foot - 6, cx + 19, foot - 11)
    brush.stroke()
    brush.strokeStyle = 'rgba(236, 150, 76, 0.6)'
    brush.lineWidth = 0.7
    brush.beginPath()
    brush.moveTo(cx - 8, foot + 4)
    brush.bezierCurveTo(cx - 10, foot - 10, cx - 7, foot - 20, cx - 4.8, foot - 23.6)
    brush.bezierCurveTo(cx - 8.4, foot - 28, cx - 7.6, foot - 34, cx - 6.8, foot - 37)
    brush.stroke()
    // the sky in the glass
    const sheen = brush.createLinearGradient(x, y + height * 0.1, x + width, y + height * 0.7)
    sheen.addColorStop(0.3, 'rgba(120, 152, 220, 0)')
    sheen.addColorStop(0.44, 'rgba(120, 152, 220, 0.2)')
    sheen.addColorStop(0.52, 'rgba(120, 152, 220, 0.05)')
    sheen.addColorStop(0.56, 'rgba(120, 152, 220, 0.14)')
    sheen.addColorStop(0.66, 'rgba(120, 152, 220, 0)')
    brush.fillStyle = sheen
    brush.fillRect(x, y, width, height)
    // frost creeps in from the corners
    for (const [px, py, radius] of [
      [x, y + height, 34],
      [x + width, y + height, 40],
      [x, y, 24],
      [x + width, y, 24],
      [x + width / 2, y + height, 24],
    ] as const) {
      const frost = brush.createRadialGradient(px, py, 0, px, py, radius)
      frost.addColorStop(0, 'rgba(176, 200, 242, 0.5)')
      frost.addColorStop(0.5, 'rgba(150, 178, 232, 0.16)')
      frost.addColorStop(1, 'rgba(150, 178, 232, 0)')
      brush.fillStyle = frost
      brush.fillRect(x, y, width, height)
    }
    brush.restore()
  }
  for (const [bx, by, bw, bh] of [
    [x, y + height * 0.235, width, 3],
    [x + width / 2 - 1.2, y, 2.4, height * 0.235],
    [x, y, 3, height],
    [x + width - 3, y, 3, height],
    [x, y, width, 3],
    [x, y + height - 4, width, 4],
  ] as const) {
    const bar = bw > bh ? brush.createLinearGradient(0, by, 0, by + bh) : brush.createLinearGradient(bx, 0, bx + bw, 0)
    bar.addColorStop(0, '#5f6f9f')
    bar.addColorStop(1, '#252f58')
    brush.fillStyle = bar
    brush.fillRect(bx, by, bw, bh)
  }
}

/** The small window under the roof: plain boards, a cross of bars, a pillow of snow. */
function atticWindow(brush: SKRSContext2D, { x, y, width, height }: Opening): void {
  const board = 6
  raised(brush, 4, () => {
    const boards = brush.createLinearGradient(x, y, x + width, y + height)
    boards.addColorStop(0, '#2f3d6d')
    boards.addColorStop(1, '#55669c')
    brush.fillStyle = boards
    brush.beginPath()
    brush.moveTo(x - board, y + height + board)
    brush.lineTo(x - board, y - board + 2)
    brush.lineTo(x + width / 2, y - board - 13)
    brush.lineTo(x + width + board, y - board + 2)
    brush.lineTo(x + width + board, y + height + board)
    brush.fill()
  })
  rosette(brush, x + width / 2, y - board - 2, 3.4)
  brush.strokeStyle = 'rgba(9, 13, 40, 0.6)'
  brush.lineWidth = 0.8
  brush.strokeRect(x - board + 2, y - board + 4, width + board * 2 - 4, height + board * 2 - 6)
  brush.fillStyle = '#0d1330'
  brush.fillRect(x - 2, y - 2, width + 4, height + 4)
  const night = brush.createLinearGradient(x, y, x + width, y + height)
  night.addColorStop(0, '#131d44')
  night.addColorStop(0.45, '#1d2f64')
  night.addColorStop(0.55, '#121b40')
  night.addColorStop(1, '#1a1c3c')
  brush.fillStyle = night
  brush.fillRect(x, y, width, height)
  brush.fillStyle = '#46558a'
  brush.fillRect(x + width / 2 - 1.3, y, 2.6, height)
  brush.fillRect(x, y + height * 0.44, width, 2.6)
  const above = brush.createLinearGradient(x + width, y - 24, x, y)
  above.addColorStop(0, '#d5e3fb')
  above.addColorStop(1, '#6b8bc6')
  brush.fillStyle = above
  brush.beginPath()
  brush.moveTo(x - board - 4, y - board + 4)
  brush.quadraticCurveTo(x + width * 0.2, y - board - 11, x + width / 2, y - board - 20)
  brush.quadraticCurveTo(x + width * 0.8, y - board - 11, x + width + board + 4, y - board + 4)
  brush.quadraticCurveTo(x + width * 0.85, y - board - 4, x + width / 2, y - board - 12)
  brush.quadraticCurveTo(x + width * 0.15, y - board - 4, x - board - 4, y - board + 4)
  brush.fill()
  brush.fillStyle = '#3a4877'
  brush.fillRect(x - board - 2, y + height + board - 3, width + board * 2 + 4, 4)
  brush.fillStyle = above
  brush.beginPath()
  brush.moveTo(x - board - 4, y + height + board - 1)
  brush.bezierCurveTo(x, y + height - 2, x + width * 0.4, y + height + 1, x + width / 2, y + height)
  brush.bezierCurveTo(
    x + width * 0.8,
    y + height - 2,
    x + width + 2,
    y + height,
    x + width + board + 4,
    y + height + board - 1,
  )
  brush.quadraticCurveTo(x + width / 2, y + height + board + 3, x - board - 4, y + height + board - 1)
  brush.fill()
}
