/** The window from near: the room behind it, the frost and the mist on the glass, the frame, the candle. */
import { createCanvas, type SKRSContext2D } from '@napi-rs/canvas'
import { clamp, mix, smooth, wander } from './ease.ts'
import {
  addStretched,
  blur,
  blurred,
  colour,
  coverOf,
  glow,
  halo,
  lamp,
  layerOf,
  newPicture,
  put,
  quartered,
  shine,
  type Layer,
  type Picture,
  type Place,
  type Rgb,
} from './light.ts'
import { paint, snowSlope } from './paint.ts'
import { between, fractal, noise, pick, random, type Random } from './random.ts'

const width = 720
const height = 1280
const whole: Place = { scale: 1, x: 0, y: 0 }

/** The three panes of glass, left, top, right, bottom. The name is written on the last. */
const panes = [
  [36, 44, 351, 292],
  [369, 44, 684, 292],
  [36, 314, 684, 1180],
] as const

/** Where the candle's flame stands. */
const flameAt = { x: 158, y: 962 }

type Bulb = { x: number; y: number; radius: number; light: Rgb; phase: number; speed: number; depth: number }

export type Pane = {
  room: Layer
  bulbs: Bulb[]
  candle: Layer
  sprig: Layer
  frost: Layer
  frame: Layer
  frameSoft: Layer
  frostSoft: Layer
  /** When the mist reaches a point, and when it leaves it: 0 first, 1 last. */
  comes: Float32Array
  goes: Float32Array
  /** The fine grain of the drops, around 1. */
  drops: Float32Array
}

function paintRoom(): Layer {
  const room = paint(-60, -60, 840, 1400, 0.5, (brush) => {
    const wall = brush.createRadialGradient(420, 760, 60, 400, 700, 900)
    wall.addColorStop(0, '#b8722e')
    wall.addColorStop(0.45, '#743c17')
    wall.addColorStop(1, '#2c1410')
    brush.fillStyle = wall
    brush.fillRect(-60, -60, 840, 1400)
    // a picture on the wall and a lamp beside the tree
    brush.fillStyle = '#3a1b10'
    brush.fillRect(92, 400, 150, 190)
    brush.fillStyle = '#8a5a34'
    brush.fillRect(106, 414, 122, 162)
    // the tree
    const needles = brush.createLinearGradient(200, 0, 700, 0)
    needles.addColorStop(0, '#20361f')
    needles.addColorStop(0.5, '#1a3320')
    needles.addColorStop(1, '#0c1d16')
    brush.fillStyle = needles
    for (let tier = 0; tier < 6; tier++) {
      const top = 340 + tier * 108
      const half = 70 + tier * 40
      brush.beginPath()
      brush.moveTo(440, top - 70)
      brush.quadraticCurveTo(440 + half * 0.4, top + 60, 440 + half, top + 120)
      brush.quadraticCurveTo(440, top + 175, 440 - half, top + 120)
      brush.quadraticCurveTo(440 - half * 0.4, top + 60, 440, top - 70)
      brush.fill()
    }
    // presents below it
    brush.fillStyle = '#8c1f2c'
    brush.fillRect(330, 1075, 120, 105)
    brush.fillStyle = '#d9a850'
    brush.fillRect(380, 1075, 18, 105)
    brush.fillStyle = '#c79a5a'
    brush.fillRect(470, 1110, 100, 80)
    brush.fillStyle = '#27405f'
    brush.fillRect(560, 1064, 96, 120)
    // curtains on both sides
    for (const [x, side] of [
      [-40, 1],
      [760, -1],
    ] as const) {
      const cloth = brush.createLinearGradient(x, 0, x + side * 190, 0)
      cloth.addColorStop(0, '#c08a4c')
      cloth.addColorStop(0.3, '#8a5426')
      cloth.addColorStop(0.5, '#b77e42')
      cloth.addColorStop(0.7, '#7b471f')
      cloth.addColorStop(1, '#a06a34')
      brush.fillStyle = cloth
      brush.beginPath()
      brush.moveTo(x, -60)
      brush.lineTo(x + side * 250, -60)
      brush.bezierCurveTo(x + side * 230, 360, x + side * 150, 620, x + side * 96, 760)
      brush.bezierCurveTo(x + side * 150, 900, x + side * 168, 1100, x + side * 176, 1340)
      brush.lineTo(x, 1340)
      brush.fill()
    }
  })
  return blurred(room, 16)
}

function hangBulbs(): Bulb[] {
  const chance = random(101)
  const tints: Rgb[] = [
    [1, 0.6, 0.2],
    [1, 0.6, 0.2],
    [1, 0.7, 0.34],
    [1, 0.48, 0.12],
    [1, 0.54, 0.16],
    [1, 0.07, 0.07],
    [0.12, 0.42, 0.9],
    [1, 0.6, 0.2],
  ]
  const bulbs: Bulb[] = []
  for (let at = 0; at < 110; at++) {
    const share = ((at + chance()) / 110) ** 0.72
    const angle = at * 2.4 + between(chance, -0.9, 0.9)
    const front = Math.cos(angle)
    if (front < -0.55) continue
    bulbs.push({
      x: 440 + Math.sin(angle) * (16 + 244 * share) * 0.92,
      y: mix(330, 1020, share) + front * 26 * share,
      radius: between(chance, 9, 15) + 9 * Math.max(0, front) * (0.4 + share * 0.6),
      light: pick(chance, tints),
      phase: chance() * 6.3,
      speed: between(chance, 0.7, 1.5),
      depth: front,
    })
  }
  return bulbs
}

/** A feather of frost: a stem with side branches, each with its own. */
function feather(
  brush: SKRSContext2D,
  chance: Random,
  x: number,
  y: number,
  angle: number,
  length: number,
  level: number,
): void {
  const steps = Math.max(3, Math.round(length / 5))
  const bend = between(chance, -0.5, 0.5) / steps
  let px = x
  let py = y
  let direction = angle
  for (let step = 0; step < steps; step++) {
    const share = step / steps
    const nx = px + (Math.cos(direction) * length) / steps
    const ny = py + (Math.sin(direction) * length) / steps
    brush.globalAlpha = (0.62 - 0.14 * level) * (1 - share * 0.72)
    brush.lineWidth = Math.max(0.5, (1.7 - level * 0.42) * (1 - share * 0.6))
    brush.beginPath()
    brush.moveTo(px, py)
    brush.lineTo(nx, ny)
    brush.stroke()
    if (level < 3 && step > 0 && chance() < 0.86) {
      const reach = length * between(chance, 0.3, 0.46) * (1 - share * 0.8)
      if (reach > 3.5) {
        feather(brush, chance, nx, ny, direction + between(chance, 0.7, 1.02), reach, level + 1)
        feather(brush, chance, nx, ny, direction - between(chance, 0.7, 1.02), reach, level + 1)
      }
    }
    px = nx
    py = ny
    direction += bend + between(chance, -0.05, 0.05)
  }
}

function growFrost(): Layer {
  const chance = random(111)
  const canvas = createCanvas(width, height)
  const brush = canvas.getContext('2d')
  brush.lineCap = 'round'
  brush.strokeStyle = '#ffffff'
  for (const [left, top, right, bottom] of panes) {
    brush.save()
    brush.beginPath()
    brush.rect(left, top, right - left, bottom - top)
    brush.clip()
    const around = 2 * (right - left + bottom - top)
    for (let at = 0; at < around; at += between(chance, 10, 24)) {
      const w = right - left
      const h = bottom - top
      const [x, y, inward] =
        at < w
          ? [left + at, top, Math.PI / 2]
          : at < w + h
            ? [right, top + at - w, Math.PI]
            : at < 2 * w + h
              ? [right - (at - w - h), bottom, -Math.PI / 2]
              : [left, bottom - (at - 2 * w - h), 0]
      const corner = Math.min(
        Math.hypot(x - left, y - top),
        Math.hypot(x - right, y - top),
        Math.hypot(x - left, y - bottom),
        Math.hypot(x - right, y - bottom),
      )
      const grand = right - left > 400
      // Long in the corners and at the foot; short beside the place where the name is written.
      const beside = grand ? smooth(360, 470, y) * (1 - smooth(760, 900, y)) : 0
      const length =
        (between(chance, 18, 46) +
          between(chance, 40, 120) * Math.exp(-corner / (grand ? 130 : 70)) +
          (y > bottom - 4 && grand ? 16 : 0)) *
        (grand ? 1 : 0.62) *
        (1 - 0.6 * beside)
      const patch = clamp(noise(at / 70, left, 112) * 2.3 - 0.5, 0, 1.3)
      if (patch > 0.3) feather(brush, chance, x, y, inward + between(chance, -0.85, 0.85), length * patch, 0)
    }
    brush.restore()
  }
  const lines = coverOf(canvas)
  const soft = lines.slice()
  blur(soft, width, height, 1, 9)
  const data = new Float32Array(width * height * 4)
  for (const [left, top, right, bottom] of panes) {
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) {
        const edge = Math.min(x - left, right - x, y - top, bottom - y)
        const rim = Math.exp(-edge / 15) * (0.35 + 0.5 * noise(x / 26, y / 26, 5))
        const at = y * width + x
        const grain = 0.8 + 0.4 * noise(x / 2.2, y / 2.2, 6)
        const cover = clamp((lines[at]! * 0.85 + soft[at]! * 1.15 * grain + rim * 0.75 * grain) * 0.8, 0, 0.88)
        const light = 0.62 + 0.55 * lines[at]! + 0.2 * (1 - y / height)
        data[at * 4] = 0.3 * light * cover
        data[at * 4 + 1] = 0.42 * light * cover
        data[at * 4 + 2] = 0.66 * light * cover
        data[at * 4 + 3] = cover
      }
    }
  }
  return layerOf(width, height, data)
}

function paintFrame(): Layer {
  const chance = random(121)
  const wood = paint(0, 0, width, height, 1, (brush) => {
    const board = (x: number, y: number, w: number, h: number, across: boolean) => {
      const shades = across ? brush.createLinearGradient(0, y, 0, y + h) : brush.createLinearGradient(x, 0, x + w, 0)
      shades.addColorStop(0, '#2a3152')
      shades.addColorStop(0.16, '#54608a')
      shades.addColorStop(0.34, '#2a3052')
      shades.addColorStop(0.72, '#1d2340')
      shades.addColorStop(1, '#0f1228')
      brush.fillStyle = shades
      brush.fillRect(x, y, w, h)
      for (let line = 0; line < (across ? w : h) / 14; line++) {
        brush.fillStyle = `rgba(10, 12, 36, ${between(chance, 0.04, 0.2)})`
        const along = between(chance, 0, 1)
        const reach = between(chance, 40, 190)
        if (across) brush.fillRect(x + along * w, y + between(chance, 0, h), reach, 1)
        else brush.fillRect(x + between(chance, 0, w), y + along * h, 1, reach)
      }
    }
    board(0, 0, 36, height, false)
    board(684, 0, 36, height, false)
    board(351, 0, 18, 300, false)
    board(0, 0, width, 44, true)
    board(0, 292, width, 22, true)
    board(0, 1180, width, 100, true)
    // the warm edge where the light of the room touches the wood
    for (const [left, top, right, bottom] of panes) {
      brush.strokeStyle = 'rgba(255, 176, 92, 0.5)'
      brush.lineWidth = 2
      brush.strokeRect(left - 1, top - 1, right - left + 2, bottom - top + 2)
      brush.strokeStyle = 'rgba(8, 8, 24, 0.5)'
      brush.lineWidth = 1.5
      brush.strokeRect(left - 3.5, top - 3.5, right - left + 7, bottom - top + 7)
    }
    // snow that lies on the bar, heaped in the corners
    for (const [from, to] of [
      [36, 351],
      [369, 684],
    ] as const) {
      const snow = brush.createLinearGradient(to, 262, from, 296)
      snow.addColorStop(0, '#dfeafd')
      snow.addColorStop(1, '#7894cb')
      brush.fillStyle = snow
      brush.beginPath()
      brush.moveTo(from, 296)
      for (let x = from; x <= to; x += 3) {
        const near = Math.min(x - from, to - x)
        brush.lineTo(x, 291 - 22 * Math.exp(-near / 26) - 5 * noise(x / 24, 3, 7) - 2)
      }
      brush.lineTo(to, 296)
      brush.fill()
    }
  })
  const clear = wood.data
  for (const [left, top, right, bottom] of panes) {
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) {
        // Keep the snow on the bar, open the rest.
        if (bottom === 292 && y > 250) continue
        clear.fill(0, (y * width + x) * 4, (y * width + x) * 4 + 4)
      }
    }
  }
  const bank = snowSlope(
    0,
    1000,
    width,
    280,
    1,
    122,
    { light: colour('#c3d6f6'), middle: colour('#6d8ecb'), shade: colour('#3b5ca0'), deep: colour('#1c3572') },
    (x) =>
      1176 -
      46 * Math.exp(-x / 90) -
      58 * Math.exp(-(width - x) / 120) +
      10 * Math.sin(x / 120 + 1) +
      4 * Math.sin(x / 41),
    190,
    34,
  )
  const data = clear.slice()
  for (let at = 0; at < bank.data.length; at += 4) {
    const to = at + 1000 * width * 4
    const keep = 1 - bank.data[at + 3]!
    for (let channel = 0; channel < 4; channel++)
      data[to + channel] = data[to + channel]! * keep + bank.data[at + channel]!
  }
  return layerOf(width, height, data)
}

function paintCandle(): Layer {
  return blurred(
    paint(90, 940, 140, 260, 1, (brush) => {
      const wax = brush.createLinearGradient(132, 0, 186, 0)
      wax.addColorStop(0, '#8a4e22')
      wax.addColorStop(0.35, '#e9bd83')
      wax.addColorStop(0.6, '#f0cd98')
      wax.addColorStop(1, '#7d431d')
      brush.fillStyle = wax
      brush.beginPath()
      brush.moveTo(134, 1200)
      brush.lineTo(134, 1000)
      brush.bezierCurveTo(136, 990, 150, 1000, 158, 998)
      brush.bezierCurveTo(168, 1000, 180, 986, 184, 998)
      brush.lineTo(184, 1200)
      brush.fill()
      const shine = brush.createLinearGradient(0, 992, 0, 1130)
      shine.addColorStop(0, 'rgba(255, 214, 140, 0.95)')
      shine.addColorStop(0.4, 'rgba(255, 160, 70, 0.35)')
      shine.addColorStop(1, 'rgba(60, 20, 10, 0.55)')
      brush.globalCompositeOperation = 'source-atop'
      brush.fillStyle = shine
      brush.fillRect(120, 980, 80, 230)
      brush.globalCompositeOperation = 'source-over'
      brush.fillStyle = '#2a120a'
      brush.fillRect(157, 982, 2.6, 17)
    }),
    1.2,
  )
}

/** A twig of fir and red berries on the snow before the window. */
function paintSprig(): Layer {
  const chance = random(131)
  return blurred(
    paint(400, 1000, 320, 220, 1, (brush) => {
      const twig = (x: number, y: number, angle: number, length: number) => {
        for (let at = 0; at < 46; at++) {
          const share = at / 46
          const px = x + Math.cos(angle) * length * share
          const py = y + Math.sin(angle) * length * share - Math.sin(share * 2.6) * 14
          for (const side of [-1, 1]) {
            const lean = angle + side * between(chance, 0.55, 0.95)
            const reach = between(chance, 24, 36) * (1 - share * 0.55)
            brush.strokeStyle = pick(chance, ['#16301f', '#244a2c', '#3a6438', '#5b7c42'])
            brush.lineWidth = between(chance, 1.4, 2.4)
            brush.beginPath()
            brush.moveTo(px, py)
            brush.quadraticCurveTo(
              px + Math.cos(lean) * reach * 0.6,
              py + Math.sin(lean) * reach * 0.6 + 2,
              px + Math.cos(lean) * reach,
              py + Math.sin(lean) * reach + 5,
            )
            brush.stroke()
          }
        }
      }
      twig(690, 1150, Math.PI * 1.03, 190)
      twig(700, 1140, Math.PI * 1.16, 150)
      twig(690, 1160, Math.PI * 0.97, 170)
      for (const [bx, by, radius] of [
        [566, 1122, 15],
        [592, 1108, 14],
        [604, 1134, 16],
        [580, 1146, 14],
        [628, 1116, 13],
        [548, 1148, 12],
        [634, 1146, 14],
      ] as const) {
        const berry = brush.createRadialGradient(bx - radius * 0.35, by - radius * 0.4, 1, bx, by, radius)
        berry.addColorStop(0, '#ff8a70')
        berry.addColorStop(0.3, '#d4202f')
        berry.addColorStop(1, '#560a18')
        brush.fillStyle = berry
        brush.beginPath()
        brush.arc(bx, by, radius, 0, Math.PI * 2)
        brush.fill()
      }
    }),
    1.1,
  )
}

export function makePane(): Pane {
  const comes = new Float32Array(width * height)
  const goes = new Float32Array(width * height)
  const drops = new Float32Array(width * height)
  const grain = random(141)
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      const rough = fractal(x / 90, y / 90, 142, 4) - 0.5
      comes[at] = clamp(Math.hypot((x - 380) / 420, (y - 720) / 700) * 0.86 + rough * 0.42)
      goes[at] = clamp(Math.hypot((x - 360) / 450, (y - 560) / 760) * 0.84 + rough * 0.5)
      drops[at] = 1 + (grain() - 0.5) * 0.1 + (noise(x / 3.1, y / 3.1, 143) - 0.5) * 0.16
    }
  }
  const frame = paintFrame()
  const frost = growFrost()
  return {
    room: paintRoom(),
    bulbs: hangBulbs(),
    candle: paintCandle(),
    sprig: paintSprig(),
    frost,
    frame,
    frameSoft: blurred(frame, 12),
    frostSoft: blurred(frost, 12),
    comes,
    goes,
    drops,
  }
}

/**
 * The room as one sees it through the glass. `near`: 0 from afar, 1 from close by; `strength` is that of the
 * lights, `wall` that of all else.
 */
export function drawRoom(
  picture: Picture,
  pane: Pane,
  time: number,
  near: number,
  strength: number,
  wall = strength,
): void {
  const size = mix(1.1, 1, near)
  const place = { scale: size, x: 360 - 360 * size, y: 640 - 640 * size }
  const breath = 1 + 0.05 * wander(time * 0.8, 2)
  put(picture, pane.room, place, [0.62 * wall * breath, 0.6 * wall * breath, 0.6 * wall * breath])
  const at = (x: number, y: number, depth: number): [number, number] => [
    360 + (x - 360) * (size + depth * 0.02 * (1 - near)),
    640 + (y - 640) * size,
  ]
  const [starX, starY] = at(440, 262, 0)
  shine(picture, starX, starY, 210, halo, [1, 0.66, 0.28], 0.5 * strength)
  shine(picture, starX, starY, 30, lamp, [1, 0.82, 0.5], (1.15 + 0.2 * wander(time, 7)) * strength)
  for (const bulb of pane.bulbs) {
    const [x, y] = at(bulb.x, bulb.y, bulb.depth)
    const wave = 0.5 + 0.5 * Math.sin(time * bulb.speed * 1.9 + bulb.phase)
    const amount = (0.3 + 0.7 * wave * wave) * strength * mix(0.55, 1.25, (bulb.depth + 0.5) / 1.5)
    shine(picture, x, y, bulb.radius * 1.25, lamp, bulb.light, amount)
    shine(picture, x, y, bulb.radius * 4, halo, bulb.light, amount * 0.16)
  }
}

export function drawCandle(picture: Picture, pane: Pane, time: number, strength: number, place: Place = whole): void {
  if (strength <= 0.004) return
  put(picture, pane.candle, place, [1.15, 1, 0.9], strength)
  const flicker = 1 + 0.07 * wander(time * 5.2, 1) + 0.05 * wander(time * 2.1, 4)
  const sway = 2.2 * wander(time * 2.3, 9)
  const x = flameAt.x * place.scale + place.x
  const y = flameAt.y * place.scale + place.y
  const size = place.scale
  shine(picture, x, y, 330 * size, halo, [1, 0.5, 0.16], 0.34 * flicker * strength)
  shine(
    picture,
    x + sway * 0.5,
    y + 4 * size,
    21 * size,
    glow,
    [1, 0.42, 0.1],
    1.7 * flicker * strength,
    2.1 + 0.2 * flicker,
  )
  shine(picture, x + sway * 0.35, y + 10 * size, 13 * size, glow, [1, 0.72, 0.3], 3.4 * flicker * strength, 2)
  shine(picture, x + sway * 0.2, y + 14 * size, 8 * size, glow, [1, 0.9, 0.66], 3.2 * strength, 1.8)
}

/** The twig of berries on the snow before the window. */
export function drawSprig(picture: Picture, pane: Pane, place: Place, strength: number): void {
  put(picture, pane.sprig, place, [0.8, 0.8, 0.86], strength)
}

/** The picture out of focus, as a misted glass shows it. */
export function throughMist(picture: Picture): Picture {
  const small = quartered(picture)
  blur(small.data, small.width, small.height, 3, 9)
  return small
}

const misted = newPicture(width, height)

/**
 * Lays mist over what is behind the glass. `coming` from 0 to 1 it grows from the middle, `going` from
 * 0 to 1 it clears from the middle.
 */
export function layMist(picture: Picture, pane: Pane, behind: Picture, coming: number, going: number, tint: Rgb): void {
  misted.data.fill(0)
  addStretched(misted, behind, 0.62)
  const edge = 0.34
  const grown = coming * (1 + edge)
  const gone = going * (1 + edge)
  for (let at = 0, to = 0; at < pane.comes.length; at++, to += 3) {
    let amount = smooth(0, edge, grown - pane.comes[at]!)
    if (going > 0) amount *= 1 - smooth(0, edge, gone - pane.goes[at]!)
    if (amount <= 0.002) continue
    const drop = pane.drops[at]!
    const row = (at / width) | 0
    const fall = 1.35 - (row / height) * 0.7
    // Darker and calmer where the name will be written.
    const calm = 1 - 0.5 * smooth(300, 460, row) * (1 - smooth(740, 930, row))
    for (let channel = 0; channel < 3; channel++) {
      const fog = (misted.data[to + channel]! * calm + tint[channel]! * fall) * drop
      picture.data[to + channel] = picture.data[to + channel]! * (1 - amount) + fog * amount
    }
  }
}

/** Frost and frame, over everything behind them. `soft` from 0 to 1 they go out of focus. */
export function drawFrame(
  picture: Picture,
  pane: Pane,
  place: Place,
  frost: number,
  soft: number,
  glassLight: Rgb,
  woodLight: Rgb,
  opacity = 1,
): void {
  if (soft < 0.99) {
    put(picture, pane.frost, place, glassLight, frost * (1 - soft) * opacity)
    put(picture, pane.frame, place, woodLight, (1 - smooth(0.5, 1, soft)) * opacity)
  }
  if (soft > 0.01) {
    put(picture, pane.frostSoft, place, glassLight, frost * soft * opacity)
    put(picture, pane.frameSoft, place, woodLight, smooth(0, 0.5, soft) * opacity)
  }
}
