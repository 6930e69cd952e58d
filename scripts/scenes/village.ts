/**
 * The village under the night sky, in planes from far to near. A plane's `nearness` is 1 / its
 * distance: it says how much it shifts when the camera moves sideways and how fast it grows when the
 * camera comes closer.
 */
import { clamp, mix, smooth, wander } from './ease.ts'
import {
  blurred,
  colour,
  dot,
  glow,
  halo,
  layerOf,
  over,
  put,
  scaled,
  shine,
  type Layer,
  type Picture,
  type Place,
  type Rgb,
} from './light.ts'
import { lampOnSnow, paintLogHouse } from './log-house.ts'
import {
  fir,
  hexMix,
  litWindow,
  paint,
  paintHouse,
  snowman,
  snowSlope,
  type FirColours,
  type House,
  type Opening,
  type SnowColours,
  type SnowPaint,
} from './paint.ts'
import { between, fractal, pick, random } from './random.ts'

export const frameWidth = 720
export const frameHeight = 1280

/** Where the eye is: sideways, up and down, forward, and how far the view is tilted (pixels). */
export type Camera = { x: number; y: number; z: number; tilt: number }

/** Where a plane of that nearness lies on the screen. */
export function placeOf(camera: Camera, nearness: number): Place {
  const scale = 1 / (1 - camera.z * nearness)
  return {
    scale,
    x: 360 - (360 + camera.x * nearness) * scale,
    y: 640 - (640 + camera.y * nearness) * scale + camera.tilt,
  }
}

/** What lights the village: the night itself, a passing flash, how many windows are lit (0 to 1). */
export type Mood = { night: Rgb; flash: Rgb; lights: number; hero: boolean }

/** The pane of the house we come to, in its plane: 9 : 16, the close view fits it exactly. */
export const heroPane: Opening = { x: 408, y: 916, width: 84, height: (84 * 16) / 9 }
export const heroNearness = 0.7

const nearnessOf = { sky: 0.02, hills: 0.1, ridge: 0.2, village: 0.38, front: 1.25, rowan: 1.6, end: 0.62 }

const warm: Rgb = [1, 0.5, 0.13]

type Star = { x: number; y: number; radius: number; light: Rgb; phase: number; speed: number }
type Lamp = { layer: Layer; x: number; y: number; ground: number; size: number; onset: number; phase: number }

type Row = { layer: Layer; lamps: Lamp[] }

export type Village = {
  sky: Layer
  stars: Star[]
  hills: Layer
  ridge: Layer
  rows: Row[]
  hero: Layer[]
  front: Layer
  rowan: Layer
  end: Layer
}

function paintSky(): Layer {
  const x = -40
  const y = -760
  const width = 800
  const height = 1860
  const data = new Float32Array(width * height * 4)
  const stops: [number, Rgb][] = [
    [-760, colour('#040817')],
    [-250, colour('#081230')],
    [150, colour('#0d1f4c')],
    [450, colour('#1a3670')],
    [640, colour('#31568f')],
    [760, colour('#5a78ac')],
    [1100, colour('#6d86b4')],
  ]
  for (let row = 0; row < height; row++) {
    const py = y + row
    const next = Math.max(
      1,
      stops.findIndex(([level]) => level > py),
    )
    const [from, low] = stops[next - 1]!
    const [to, high] = stops[next]!
    const share = smooth(from, to, py) * 0.5 + clamp((py - from) / (to - from)) * 0.5
    for (let column = 0; column < width; column++) {
      const px = x + column
      // Thin veils of cloud, and a band of star dust across the upper sky.
      const veil =
        clamp(fractal(px / 420 + py / 900, py / 120 + px / 700, 3, 5) * 2.6 - 1.25) * smooth(-500, 350, py) * 0.42
      const across = (py + 330 + (px - 360) * 0.55) / 190
      const dust = Math.exp(-across * across) * clamp(fractal(px / 120, py / 120, 9, 5) * 2.2 - 0.7)
      const moon = Math.hypot(px - moonAt.x, py - moonAt.y)
      const ring = 0.05 * Math.exp(-moon / 150) + 0.02 * Math.exp(-moon / 420)
      const at = (row * width + column) * 4
      data[at] = mix(low[0], high[0], share) + veil * 0.03 + dust * 0.0055 + ring * 0.75
      data[at + 1] = mix(low[1], high[1], share) + veil * 0.046 + dust * 0.0095 + ring * 0.88
      data[at + 2] = mix(low[2], high[2], share) + veil * 0.082 + dust * 0.026 + ring * 1.1
      data[at + 3] = 1
    }
  }
  return layerOf(width, height, data, x, y, 1)
}

const moonAt = { x: 545, y: -190, radius: 34 }

function makeStars(): Star[] {
  const chance = random(11)
  const tints: Rgb[] = [
    [1, 1, 1],
    [0.75, 0.86, 1],
    [1, 0.9, 0.74],
    [0.82, 0.9, 1],
  ]
  return Array.from({ length: 420 }, () => {
    const y = between(chance, -740, 600)
    const bright = chance() ** 5
    const fade = 1 - smooth(150, 620, y) * 0.85
    return {
      x: between(chance, -30, 750),
      y,
      radius: 1.1 + bright * 1.9,
      light: scaled(pick(chance, tints), (0.1 + bright * 1.5) * fade),
      phase: chance() * 20,
      speed: between(chance, 0.8, 2.4),
    }
  })
}

function paintHills(): Layer {
  const colours: SnowColours = {
    light: colour('#7d9acb'),
    middle: colour('#5f80b8'),
    shade: colour('#4a6aa4'),
    deep: colour('#6a86b8'),
  }
  const far = snowSlope(
    -140,
    480,
    1000,
    420,
    1,
    21,
    colours,
    (x) => 620 + 52 * Math.sin(x / 150 + 1.1) + 26 * Math.sin(x / 61 + 2) - 34 * Math.exp(-(((x - 250) / 120) ** 2)),
    220,
    60,
  )
  const nearer: SnowColours = {
    light: colour('#6c8cc2'),
    middle: colour('#4e70aa'),
    shade: colour('#3b5b95'),
    deep: colour('#5f7db2'),
  }
  const near = snowSlope(
    -140,
    480,
    1000,
    420,
    1,
    22,
    nearer,
    (x) => 690 + 34 * Math.sin(x / 190 + 3.4) + 14 * Math.sin(x / 73),
    200,
    50,
  )
  return over(far, near)
}

function paintRidge(): Layer {
  const chance = random(31)
  const back: FirColours = { dark: '#2a4679', middle: '#365690', snow: '#6f90c6', snowShade: '#4a6ba6' }
  const fore: FirColours = { dark: '#162c57', middle: '#22406f', snow: '#7d9dd0', snowShade: '#42629c' }
  const colours: SnowColours = {
    light: colour('#6488c4'),
    middle: colour('#466aa8'),
    shade: colour('#335590'),
    deep: colour('#4a6ca6'),
  }
  const line = (x: number) => 742 + 22 * Math.sin(x / 160 + 0.6) + 8 * Math.sin(x / 47)
  const ground = snowSlope(-140, 560, 1000, 440, 1, 32, colours, line, 160, 40)
  const firs = paint(-140, 560, 1000, 440, 1, (brush) => {
    for (let x = -140; x < 860; x += between(chance, 9, 20))
      fir(brush, chance, x, line(x) + between(chance, -4, 4), between(chance, 44, 92), back, 0.5)
    for (let x = -140; x < 860; x += between(chance, 15, 40)) {
      const edge = Math.abs(x - 340) / 420
      fir(
        brush,
        chance,
        x,
        line(x) + between(chance, 8, 22),
        between(chance, 54, 92) * (0.75 + edge * 0.65),
        fore,
        0.62,
      )
    }
  })
  const haze = new Float32Array(1000 * 440 * 4)
  for (let row = 0; row < 440; row++) {
    for (let column = 0; column < 1000; column++) {
      const amount = smooth(690, 790, 560 + row) * (0.25 + 0.3 * fractal(column / 170, row / 60, 33, 3))
      const at = (row * 1000 + column) * 4
      haze[at] = 0.1 * amount
      haze[at + 1] = 0.19 * amount
      haze[at + 2] = 0.4 * amount
      haze[at + 3] = amount
    }
  }
  return over(ground, firs, maskedBy(layerOf(1000, 440, haze, -140, 560, 1), over(ground, firs)))
}

function maskedBy(layer: Layer, mask: Layer): Layer {
  const data = layer.data.slice()
  for (let at = 0; at < data.length; at += 4) {
    const cover = mask.data[at + 3]!
    for (let channel = 0; channel < 4; channel++) data[at + channel]! *= cover
  }
  return layerOf(layer.width, layer.height, data, layer.x, layer.y, layer.density)
}

const snowPaint: SnowPaint = { light: '#b4cdf2', middle: '#6f92cb', shade: '#3a5b9a' }
const groundColours: SnowColours = {
  light: colour('#8fb0e2'),
  middle: colour('#4d72b4'),
  shade: colour('#2c4f90'),
  deep: colour('#1f3c78'),
}
const villageFirs: FirColours = { dark: '#0c1c3f', middle: '#1a3563', snow: '#a3bfea', snowShade: '#3e5f9e' }

function houseAt(seed: number, x: number, y: number, width: number, kind: House['kind'], wall: string): House {
  const chance = random(seed)
  const height = width * (kind === 'gable' ? 0.56 : 0.4)
  const roof = width * (kind === 'gable' ? 0.44 : 0.34)
  const count = kind === 'gable' ? 2 : 3
  const size = width * (kind === 'gable' ? 0.17 : 0.125)
  const openings: Opening[] = []
  for (let at = 0; at < count; at++) {
    const middle = x + width * ((at + 0.5) / count + (0.5 - (at + 0.5) / count) * 0.18)
    openings.push({ x: middle - size / 2, y: y - height * 0.72, width: size, height: size * 1.35 })
  }
  if (kind === 'gable')
    openings.push({
      x: x + width / 2 - size * 0.32,
      y: y - height - roof * 0.3,
      width: size * 0.64,
      height: size * 0.76,
    })
  const along = kind === 'gable' ? pick(chance, [0.24, 0.76]) : between(chance, 0.3, 0.7)
  const slope = kind === 'gable' ? Math.abs(along - 0.5) * 2 : 0
  return {
    x,
    y,
    width,
    height,
    roof,
    kind,
    seed,
    wall,
    openings,
    chimney: { x: x + width * along, y: y - height - roof * (1 - slope) - width * (kind === 'gable' ? 0.2 : 0.14) },
  }
}

const villageHouses: House[] = [
  houseAt(401, 56, 792, 74, 'gable', '#34406e'),
  houseAt(402, 196, 786, 88, 'long', '#3b3c64'),
  houseAt(403, 352, 790, 70, 'gable', '#3a4270'),
  houseAt(404, 500, 784, 84, 'long', '#343e6a'),
  houseAt(405, 634, 796, 76, 'gable', '#403c60'),
  houseAt(406, -34, 866, 112, 'long', '#3a3f6c'),
  houseAt(407, 132, 878, 104, 'gable', '#45405f'),
  houseAt(408, 440, 874, 108, 'gable', '#39426f'),
  houseAt(409, 612, 870, 122, 'long', '#42405f'),
]
const onsets = [0.62, 0.3, 0.85, 0.12, 0.5, 0.74, 0, 0.2, 0.42]

function lampsOf(house: House, onset: number, density: number, openings: Opening[]): Lamp {
  const x = house.x - 2
  const y = house.y - house.height - house.roof
  const layer = paint(x, y, house.width + 4, house.height + house.roof + 4, density, (brush) => {
    for (const opening of openings) litWindow(brush, opening, '#e08a34', '#ffd58a')
  })
  return {
    layer,
    x: house.x + house.width / 2,
    y: house.y - house.height * 0.5,
    ground: house.y,
    size: house.width,
    onset,
    phase: house.seed % 17,
  }
}

/** The rows of the village from back to front, each with the houses that stand in it. */
function paintRows(): Row[] {
  const chance = random(41)
  const rects = [
    [-140, 640, 1000, 240, 1.6],
    [-140, 690, 1000, 290, 1.6],
    [-140, 740, 1000, 660, 1.6],
  ] as const
  const backLine = (x: number) => 776 + 10 * Math.sin(x / 120 + 0.8) + 4 * Math.sin(x / 37)
  const middleLine = (x: number) => 836 + 14 * Math.sin(x / 170 + 2.2) + 5 * Math.sin(x / 52 + 1)
  const foreLine = (x: number) => 908 + 20 * Math.sin(x / 210 + 4.4) + 6 * Math.sin(x / 66)
  const backHouses = paint(...rects[0], (brush) => {
    for (const x of [20, 158, 172, 300, 326, 448, 470, 600, 618, 742, 770, -40, -80])
      fir(
        brush,
        chance,
        x + between(chance, -8, 8),
        784 + between(chance, -4, 4),
        between(chance, 62, 112),
        villageFirs,
      )
    for (const house of villageHouses.slice(0, 5)) paintHouse(brush, house, snowPaint)
  })
  const middleHouses = paint(...rects[1], (brush) => {
    for (const x of [98, 262, 292, 316, 404, 568, 590, 764, -70, 812])
      fir(
        brush,
        chance,
        x + between(chance, -6, 6),
        858 + between(chance, -6, 6),
        between(chance, 76, 142),
        villageFirs,
      )
    for (const house of villageHouses.slice(5)) paintHouse(brush, house, snowPaint)
    for (const x of [336, 262]) fir(brush, chance, x, 884, between(chance, 46, 64), villageFirs)
  })
  const foreFirs = paint(...rects[2], (brush) => {
    for (const [x, size] of [
      [20, 150],
      [-50, 190],
      [62, 92],
      [700, 130],
      [752, 196],
      [810, 160],
      [382, 70],
      [576, 84],
    ] as const)
      fir(brush, chance, x, foreLine(x) + 22, size, villageFirs)
    fence(brush, 90, 300, (x) => foreLine(x) + 4)
    snowman(brush, 346, 938, 54, snowPaint)
    footprints(
      brush,
      [
        [446, 1016],
        [462, 990],
        [466, 962],
        [484, 936],
        [505, 914],
        [503, 897],
      ],
      5,
      2,
    )
  })
  const lamps = villageHouses.map((house, index) => lampsOf(house, onsets[index] as number, 1.6, house.openings))
  return [
    { layer: over(snowSlope(...rects[0], 42, groundColours, backLine, 200, 26), backHouses), lamps: lamps.slice(0, 5) },
    {
      layer: over(snowSlope(...rects[1], 43, groundColours, middleLine, 240, 32), middleHouses),
      lamps: lamps.slice(5),
    },
    { layer: over(snowSlope(...rects[2], 44, groundColours, foreLine, 330, 46), foreFirs), lamps: [] },
  ]
}

/** Where a child and a grown-up walked through the snow, from near to far: hollows with a dark side and a lit rim. */
function footprints(
  brush: Parameters<Parameters<typeof paint>[5]>[0],
  way: readonly (readonly [number, number])[],
  nearSize: number,
  farSize: number,
): void {
  const chance = random(78)
  for (const [aside, size, stride] of [
    [-1, 1, 2.5],
    [1.15, 0.62, 1.9],
  ] as const) {
    let left = true
    for (let leg = 0; leg < way.length - 1; leg++) {
      const [x0, y0] = way[leg]!
      const [x1, y1] = way[leg + 1]!
      const scale = mix(nearSize, farSize, leg / Math.max(1, way.length - 2))
      const steps = Math.max(1, Math.round(Math.hypot(x1 - x0, (y1 - y0) * 2) / (scale * stride * 1.9)))
      for (let step = 0; step < steps; step++) {
        const share = (step + (aside > 0 ? 0.4 : 0)) / steps
        const px =
          mix(x0, x1, share) +
          aside * scale * 1.7 +
          (left ? -0.55 : 0.55) * scale * size +
          between(chance, -0.2, 0.2) * scale
        const py = mix(y0, y1, share) + between(chance, -0.15, 0.15) * scale
        const lean = Math.atan2(x1 - x0, y0 - y1) * 0.5
        for (const [dx, dy, tint, grow] of [
          [-0.16, 0.1, 'rgba(196, 216, 250, 0.5)', 1.14],
          [0, 0, 'rgba(24, 48, 104, 0.62)', 1],
          [-0.14, 0.1, 'rgba(52, 84, 150, 0.5)', 0.62],
        ] as const) {
          brush.fillStyle = tint
          brush.beginPath()
          brush.ellipse(
            px + dx * scale,
            py + dy * scale,
            scale * 0.5 * size * grow,
            scale * 0.62 * size * grow,
            lean,
            0,
            Math.PI * 2,
          )
          brush.fill()
        }
        left = !left
      }
    }
  }
}

function fence(
  brush: Parameters<Parameters<typeof paint>[5]>[0],
  from: number,
  to: number,
  line: (x: number) => number,
): void {
  const chance = random(77)
  for (let x = from; x < to; x += 11) {
    const tall = between(chance, 13, 17)
    brush.fillStyle = '#1a2850'
    brush.fillRect(x, line(x) - tall, 3.4, tall + 4)
    brush.fillStyle = '#a9c4ee'
    brush.beginPath()
    brush.ellipse(x + 1.7, line(x) - tall, 2.8, 1.9, 0, 0, Math.PI * 2)
    brush.fill()
  }
  for (const height of [5, 11]) {
    brush.strokeStyle = height === 5 ? '#15224a' : '#1d2d58'
    brush.lineWidth = 2
    brush.beginPath()
    for (let x = from - 3; x <= to; x += 8) brush.lineTo(x, line(x) - height)
    brush.stroke()
  }
}

const heroHouse: House = {
  ...houseAt(501, 336, 1112, 378, 'gable', '#46456e'),
  height: 226,
  roof: 178,
  openings: [{ x: 500, y: 790, width: 50, height: 58 }],
  chimney: { x: 632, y: 702 },
}

function paintHero(x: number, y: number, width: number, height: number, density: number): Layer {
  const chance = random(51)
  const colours: SnowColours = {
    light: colour('#9dbcec'),
    middle: colour('#5279bd'),
    shade: colour('#2b4f93'),
    deep: colour('#17306a'),
  }
  const line = (px: number) =>
    1092 + 14 * Math.sin(px / 170 + 1.9) + 5 * Math.sin(px / 53) + 20 * Math.exp(-(((px - 40) / 150) ** 2)) * -1
  const firs: FirColours = { dark: '#0a1838', middle: '#1a3664', snow: '#b2cdf5', snowShade: '#3f62a4' }
  const behind = paint(x, y, width, height, density, (brush) => {
    for (const [px, size] of [
      [322, 300],
      [742, 420],
      [694, 330],
      [282, 210],
      [800, 380],
    ] as const)
      fir(brush, chance, px, 1112, size, firs)
  })
  const house = paintLogHouse(
    [x, y, width, height, density],
    heroHouse,
    heroPane,
    { ...heroPane, x: heroPane.x + 152 },
    heroHouse.openings[0] as Opening,
  )
  const ground = lampOnSnow(snowSlope(x, y, width, height, density, 52, colours, line, 330, 62), heroHouse, heroPane)
  const before = paint(x, y, width, height, density, (brush) => {
    for (const [px, size] of [
      [352, 92],
      [196, 150],
      [120, 236],
      [44, 180],
      [704, 120],
      [-30, 260],
    ] as const)
      fir(brush, chance, px, line(px) + 16, size, firs)
  })
  return over(behind, house, ground, before)
}

function paintFront(): Layer {
  const chance = random(61)
  const colours: SnowColours = {
    light: colour('#7ea2dc'),
    middle: colour('#3d64aa'),
    shade: colour('#223f80'),
    deep: colour('#0f2250'),
  }
  const rect = [-300, 380, 1320, 1300, 0.5] as const
  const line = (x: number) => 1262 + 34 * Math.sin(x / 300 + 0.4) - 60 * Math.exp(-(((x + 60) / 200) ** 2))
  const firs: FirColours = { dark: '#050d22', middle: '#0e2146', snow: '#7f9fd6', snowShade: '#28457f' }
  const trees = paint(...rect, (brush) => {
    for (const [px, size] of [
      [-130, 900],
      [22, 560],
      [-20, 380],
      [830, 700],
      [120, 210],
    ] as const)
      fir(brush, chance, px, line(px) + 40, size, firs, 0.7)
  })
  return blurred(over(trees, snowSlope(...rect, 62, colours, line, 300, 80)), 5)
}

/** A rowan twig with berries under snow: the one red thing of the night. */
function paintRowan(): Layer {
  const chance = random(71)
  const layer = paint(250, -260, 620, 620, 1, (brush) => {
    const twig = (points: readonly [number, number][], thick: number) => {
      brush.strokeStyle = '#1a1730'
      brush.lineWidth = thick
      brush.beginPath()
      points.forEach(([px, py], at) => (at ? brush.lineTo(px, py) : brush.moveTo(px, py)))
      brush.stroke()
      brush.strokeStyle = '#b8cff4'
      brush.lineWidth = thick * 0.6
      brush.beginPath()
      points.forEach(([px, py], at) => (at ? brush.lineTo(px, py - thick * 0.6) : brush.moveTo(px, py - thick * 0.6)))
      brush.stroke()
    }
    twig(
      [
        [880, -120],
        [760, -70],
        [650, -50],
        [560, -10],
        [500, 50],
      ],
      13,
    )
    twig(
      [
        [700, -60],
        [640, 10],
        [610, 70],
      ],
      8,
    )
    twig(
      [
        [790, -84],
        [760, 10],
        [742, 90],
      ],
      8,
    )
    twig(
      [
        [600, -30],
        [520, -50],
        [450, -30],
      ],
      6,
    )
    const cluster = (px: number, py: number, size: number) => {
      const berries = Array.from({ length: 34 }, () => {
        const angle = between(chance, 0, Math.PI * 2)
        const far = Math.sqrt(chance())
        return {
          x: px + Math.cos(angle) * far * size * 1.15,
          y: py + Math.sin(angle) * far * size * 0.62 + size * 0.34 * (1 - far),
          radius: between(chance, 7.5, 10.5),
        }
      }).sort((one, other) => one.y - other.y)
      brush.strokeStyle = '#3a2436'
      brush.lineWidth = 1.8
      for (const berry of berries) {
        brush.beginPath()
        brush.moveTo(px, py - size * 1.15)
        brush.quadraticCurveTo(mix(px, berry.x, 0.35), berry.y - size * 0.5, berry.x, berry.y)
        brush.stroke()
      }
      for (const { x: bx, y: by, radius } of berries) {
        const berry = brush.createRadialGradient(bx + radius * 0.4, by - radius * 0.45, radius * 0.1, bx, by, radius)
        berry.addColorStop(0, '#f2776a')
        berry.addColorStop(0.32, '#b81d30')
        berry.addColorStop(1, '#3d0515')
        brush.fillStyle = berry
        brush.beginPath()
        brush.arc(bx, by, radius, 0, Math.PI * 2)
        brush.fill()
      }
      // a little snow caught on the upper berries
      for (const { x: bx, y: by, radius } of berries.slice(0, 13)) {
        brush.fillStyle = hexMix('#7f9cd4', '#e4edfd', clamp((bx - px) / size / 2 + 0.5))
        brush.beginPath()
        brush.ellipse(bx + 1, by - radius * 0.62, radius * 0.98, radius * 0.5, 0, 0, Math.PI * 2)
        brush.fill()
      }
    }
    cluster(500, 108, 50)
    cluster(612, 138, 56)
    cluster(744, 156, 56)
    cluster(446, 30, 38)
  })
  return blurred(layer, 2.4)
}

/** The lantern beside the sledge. */
const lanternAt = { x: 405, y: 921 }

/** A sledge somebody left on the way home: its load a present, its lantern still alight. (x, y) is where it stands. */
function sledge(brush: Parameters<Parameters<typeof paint>[5]>[0], x: number, y: number): void {
  const wood = { dark: '#241b2e', middle: '#4d3a46', light: '#8d7580' }
  const shadow = brush.createRadialGradient(x + 20, y, 2, x + 20, y, 46)
  shadow.addColorStop(0, 'rgba(14, 28, 74, 0.6)')
  shadow.addColorStop(1, 'rgba(14, 28, 74, 0)')
  brush.save()
  brush.translate(x - 8, y + 1)
  brush.scale(1, 0.14)
  brush.translate(-x, -y)
  brush.fillStyle = shadow
  brush.fillRect(x - 40, y - 60, 120, 120)
  brush.restore()
  const runner = (dx: number, dy: number, tint: string, rim: string) => {
    for (const [tone, thick, up] of [
      [tint, 2.1, 0],
      [rim, 0.6, -0.8],
    ] as const) {
      brush.strokeStyle = tone
      brush.lineWidth = thick
      brush.beginPath()
      brush.moveTo(x + 52 + dx, y - 0.4 + dy + up)
      brush.lineTo(x + 6 + dx, y + 0.4 + dy + up)
      brush.bezierCurveTo(x - 6 + dx, y + dy + up, x - 11 + dx, y - 7 + dy + up, x - 8 + dx, y - 15 + dy + up)
      brush.stroke()
    }
    brush.strokeStyle = tint
    brush.lineWidth = 1.8
    for (const post of [8, 26, 44]) {
      brush.beginPath()
      brush.moveTo(x + post + dx, y + dy)
      brush.lineTo(x + post + dx, y - 11 + dy)
      brush.stroke()
    }
  }
  runner(5, -5, '#1a1526', '#4a4a6c')
  runner(0, 0, wood.dark, '#8695bd')
  // the seat: three boards in perspective, then what the snow left on them
  for (let slat = 0; slat < 3; slat++) {
    const back = slat * 1.9
    const board = brush.createLinearGradient(x - 6, 0, x + 56, 0)
    board.addColorStop(0, wood.light)
    board.addColorStop(0.3, wood.middle)
    board.addColorStop(1, wood.light)
    brush.fillStyle = board
    brush.beginPath()
    brush.moveTo(x - 7 + back, y - 11 - back)
    brush.lineTo(x + 53 + back, y - 12 - back)
    brush.lineTo(x + 54.6 + back, y - 13.5 - back)
    brush.lineTo(x - 5.4 + back, y - 12.5 - back)
    brush.fill()
  }
  brush.fillStyle = wood.dark
  brush.fillRect(x - 7, y - 11.2, 60, 1.5)
  const pillow = brush.createLinearGradient(x + 58, y - 22, x, y - 11)
  pillow.addColorStop(0, '#dfe9fd')
  pillow.addColorStop(1, '#6d8fce')
  brush.fillStyle = pillow
  brush.beginPath()
  brush.moveTo(x - 6, y - 12)
  brush.bezierCurveTo(x - 4, y - 18.6, x + 10, y - 17.6, x + 18, y - 18)
  brush.bezierCurveTo(x + 34, y - 20, x + 56, y - 21, x + 58, y - 15)
  brush.quadraticCurveTo(x + 50, y - 11.4, x + 30, y - 12.4)
  brush.quadraticCurveTo(x + 10, y - 10.8, x - 6, y - 12)
  brush.fill()
  // the present
  const [left, top, wide, tall] = [x + 19, y - 36, 23, 19]
  const red = brush.createLinearGradient(left, 0, left + wide, 0)
  red.addColorStop(0, '#6f1224')
  red.addColorStop(0.6, '#a81d31')
  red.addColorStop(1, '#c8373f')
  brush.fillStyle = red
  brush.fillRect(left, top, wide, tall)
  brush.fillStyle = '#7d1527'
  brush.beginPath()
  brush.moveTo(left, top)
  brush.lineTo(left + 4, top - 3.4)
  brush.lineTo(left + wide + 3, top - 3.4)
  brush.lineTo(left + wide, top)
  brush.fill()
  const ribbon = '#e8bd6a'
  brush.fillStyle = ribbon
  brush.fillRect(left + wide * 0.43, top, 3.2, tall)
  brush.fillRect(left, top + tall * 0.46, wide, 2.4)
  brush.strokeStyle = ribbon
  brush.lineWidth = 1.3
  for (const side of [-1, 1]) {
    brush.beginPath()
    brush.ellipse(left + wide * 0.5 + side * 3.6, top - 4.6, 3.6, 2.1, side * -0.5, 0, Math.PI * 2)
    brush.stroke()
  }
  brush.fillStyle = '#d3e1fa'
  brush.beginPath()
  brush.moveTo(left + wide * 0.6, top - 1.6)
  brush.quadraticCurveTo(left + wide * 0.8, top - 6.4, left + wide + 3.4, top - 3)
  brush.quadraticCurveTo(left + wide * 0.9, top + 0.8, left + wide * 0.6, top - 1.6)
  brush.fill()
  // the rope lies in the snow
  brush.strokeStyle = '#4c4260'
  brush.lineWidth = 0.9
  brush.beginPath()
  brush.moveTo(x - 8, y - 14)
  brush.bezierCurveTo(x - 16, y - 2, x - 26, y + 4, x - 40, y + 4.6)
  brush.bezierCurveTo(x - 52, y + 5, x - 50, y + 9, x - 40, y + 9)
  brush.stroke()
}

function lantern(brush: Parameters<Parameters<typeof paint>[5]>[0], { x, y }: { x: number; y: number }): void {
  const iron = '#15152c'
  const flame = brush.createRadialGradient(x, y + 1, 0, x, y, 7)
  flame.addColorStop(0, '#fff0c4')
  flame.addColorStop(0.4, '#ffb751')
  flame.addColorStop(1, '#8f4a1c')
  brush.fillStyle = flame
  brush.fillRect(x - 4.6, y - 6, 9.2, 12.6)
  brush.fillStyle = iron
  brush.fillRect(x - 6, y + 6, 12, 3)
  for (const bar of [-5, -0.4, 4.2]) brush.fillRect(x + bar, y - 6.4, 0.9, 13)
  brush.beginPath()
  brush.moveTo(x - 6.4, y - 6)
  brush.lineTo(x, y - 12)
  brush.lineTo(x + 6.4, y - 6)
  brush.fill()
  brush.strokeStyle = iron
  brush.lineWidth = 0.9
  brush.beginPath()
  brush.arc(x, y - 14.4, 2.8, 0, Math.PI * 2)
  brush.stroke()
  brush.fillStyle = '#cfdefa'
  brush.beginPath()
  brush.moveTo(x - 5.4, y - 7)
  brush.quadraticCurveTo(x - 1, y - 13.4, x + 0.6, y - 12.8)
  brush.quadraticCurveTo(x + 4.6, y - 11, x + 6, y - 6.6)
  brush.quadraticCurveTo(x, y - 9.6, x - 5.4, y - 7)
  brush.fill()
}

/** The firs that frame the last view, and what stands in the snow before it. */
function paintEnd(): Layer {
  const chance = random(81)
  const colours: SnowColours = {
    light: colour('#8fb1e6'),
    middle: colour('#456cb2'),
    shade: colour('#284a8e'),
    deep: colour('#132a62'),
  }
  const rect = [-60, 500, 840, 800, 1.6] as const
  const line = (x: number) =>
    912 + 9 * Math.sin(x / 110 + 5) - 26 * Math.exp(-(((x - 150) / 90) ** 2)) - 22 * Math.exp(-(((x - 580) / 80) ** 2))
  const firs: FirColours = { dark: '#071330', middle: '#132b54', snow: '#a9c5f2', snowShade: '#33549a' }
  const trees = paint(...rect, (brush) => {
    for (const [px, size] of [
      [176, 150],
      [128, 236],
      [560, 172],
      [520, 104],
      [226, 72],
      [606, 260],
      [470, 50],
      [80, 300],
      [660, 320],
    ] as const)
      fir(brush, chance, px, line(px) + 26, size, firs)
  })
  const left = paint(...rect, (brush) => {
    footprints(
      brush,
      [
        [352, 972],
        [372, 952],
        [396, 940],
        [420, 928],
        [440, 917],
      ],
      5.6,
      4.4,
    )
    sledge(brush, 438, 938)
    lantern(brush, lanternAt)
  })
  return over(blurred(over(snowSlope(...rect, 82, colours, line, 300, 70), trees), 1.2), blurred(left, 0.45))
}

/** Paints everything once. Takes some seconds. */
export function makeVillage(): Village {
  return {
    sky: paintSky(),
    stars: makeStars(),
    hills: paintHills(),
    ridge: paintRidge(),
    rows: paintRows(),
    hero: [paintHero(-60, 600, 860, 1000, 1), paintHero(240, 640, 500, 640, 2), paintHero(290, 690, 300, 500, 4)],
    front: paintFront(),
    rowan: paintRowan(),
    end: paintEnd(),
  }
}

function at(place: Place, x: number, y: number): [number, number] {
  return [x * place.scale + place.x, y * place.scale + place.y]
}

function plus(night: Rgb, flash: Rgb, share: number): Rgb {
  return [night[0] + flash[0] * share, night[1] + flash[1] * share, night[2] + flash[2] * share]
}

/** Draws sky, hills and houses, with what shines in them. */
export function drawVillage(
  picture: Picture,
  village: Village,
  camera: Camera,
  mood: Mood,
  time: number,
  behindHills?: (place: Place) => void,
): void {
  const sky = placeOf(camera, nearnessOf.sky)
  put(picture, village.sky, sky, plus(mood.night, mood.flash, 0.35))
  for (const star of village.stars) {
    const [x, y] = at(sky, star.x, star.y)
    if (y < -4 || y > 1284) continue
    const twinkle = 0.72 + 0.28 * Math.sin(time * star.speed * 2.2 + star.phase) + 0.12 * wander(time * 2, star.phase)
    shine(picture, x, y, star.radius * 1.5, dot, star.light, twinkle * mood.night[2])
    if (star.radius > 2.2) shine(picture, x, y, star.radius * 7, halo, star.light, 0.12 * twinkle)
  }
  drawMoon(picture, sky, mood)
  behindHills?.(placeOf(camera, nearnessOf.hills))
  put(picture, village.hills, placeOf(camera, nearnessOf.hills), plus(mood.night, mood.flash, 0.5))
  put(picture, village.ridge, placeOf(camera, nearnessOf.ridge), plus(mood.night, mood.flash, 0.8))
  const place = placeOf(camera, nearnessOf.village)
  for (const row of village.rows) {
    put(picture, row.layer, place, plus(mood.night, mood.flash, 1))
    for (const lamp of row.lamps) {
      const lit = smooth(lamp.onset, lamp.onset + 0.12, mood.lights)
      if (lit <= 0) continue
      const flicker = 1 + 0.05 * wander(time * 1.6, lamp.phase)
      put(picture, lamp.layer, place, [2.3, 2, 1.5], lit * flicker, true)
      const [x, y] = at(place, lamp.x, lamp.y)
      shine(picture, x, y, lamp.size * 1.4 * place.scale, halo, warm, 0.2 * lit * flicker)
      const [, ground] = at(place, lamp.x, lamp.ground + 7)
      shine(picture, x, ground, lamp.size * 0.9 * place.scale, glow, warm, 0.42 * lit * flicker, 0.24, 0.6 * lit)
    }
  }
  const smokers = mood.hero ? [1, 7] : [1, 4, 6, 7]
  for (const index of smokers) {
    const house = villageHouses[index] as House
    smoke(
      picture,
      place,
      house.chimney.x,
      house.chimney.y - 4,
      0.5,
      time + index * 3.1,
      plus(mood.night, mood.flash, 1),
    )
  }
}

function drawMoon(picture: Picture, sky: Place, mood: Mood): void {
  const [x, y] = at(sky, moonAt.x, moonAt.y)
  if (y < -80) return
  const { width, data } = picture
  const radius = moonAt.radius
  for (let row = Math.max(0, Math.floor(y - radius - 2)); row < Math.min(picture.height, y + radius + 2); row++) {
    for (let column = Math.max(0, Math.floor(x - radius - 2)); column < Math.min(width, x + radius + 2); column++) {
      const dx = column + 0.5 - x
      const dy = row + 0.5 - y
      const disc = clamp(radius - Math.hypot(dx, dy) + 0.5)
      if (disc === 0) continue
      const cut = clamp((Math.hypot(dx + radius * 0.52, dy + radius * 0.2) - radius * 0.93) / 3.5 + 0.5)
      const sea = 0.82 + 0.3 * (fractal(dx / 13 + 9, dy / 13, 91, 3) - 0.5)
      const light = (0.012 + 1.25 * cut * sea) * disc * mood.night[2]
      const to = (row * width + column) * 3
      data[to]! += light * 0.97
      data[to + 1]! += light * 0.95
      data[to + 2]! += light * 0.9
    }
  }
  shine(picture, x + radius * 0.3, y, radius * 4.6, halo, [0.75, 0.85, 1], 0.16 * mood.night[2])
}

/** Smoke from a chimney: puffs that rise, lean with the wind, widen and vanish. */
function smoke(picture: Picture, place: Place, x: number, y: number, size: number, time: number, light: Rgb): void {
  const life = 7
  for (let puff = 0; puff < 22; puff++) {
    const age = (time + (puff * life) / 22) % life
    const share = age / life
    const sway = Math.sin(age * 0.9 + puff * 0.35) * 9 * share + 34 * share ** 1.6
    const [px, py] = at(place, x + sway * size * 2, y - 150 * share ** 0.85 * size)
    const radius = (5 + 34 * share) * size * place.scale
    const strength = 0.075 * smooth(0, 0.08, share) * (1 - share) ** 1.6
    shine(picture, px, py, radius * 1.5, glow, [light[0] * 0.42, light[1] * 0.6, light[2]], strength)
  }
}

/** The house we come to. `inside` is the close view of its window, in three sizes. */
export function drawHero(
  picture: Picture,
  village: Village,
  camera: Camera,
  mood: Mood,
  time: number,
  inside: (place: Place) => void,
): void {
  const place = placeOf(camera, heroNearness)
  const gain = plus(mood.night, mood.flash, 1)
  put(picture, village.hero[0] as Layer, place, gain)
  if (place.scale > 1.2) put(picture, village.hero[1] as Layer, place, gain, smooth(1.2, 1.6, place.scale))
  if (place.scale > 2) put(picture, village.hero[2] as Layer, place, gain, smooth(2, 2.8, place.scale))
  smoke(picture, place, heroHouse.chimney.x, heroHouse.chimney.y - 8, 1.15, time, gain)
  inside(place)
  const flicker = 1 + 0.06 * wander(time * 2, 3)
  const [x, y] = at(place, heroPane.x + heroPane.width / 2, heroPane.y + heroPane.height / 2)
  const far = 1 - smooth(1.6, 7.5, place.scale)
  shine(picture, x, y, 190 * place.scale, halo, warm, 0.3 * flicker * far)
  const [, ground] = at(place, 0, 1126)
  shine(
    picture,
    x - 4 * place.scale,
    ground,
    120 * place.scale,
    glow,
    warm,
    (0.04 + 0.5 * (flicker - 1)) * far,
    0.3,
    0.04,
  )
}

/** What stands nearest: firs out of focus, a snowbank, the rowan twig. They pass the camera as it comes closer. */
export function drawNear(picture: Picture, village: Village, camera: Camera, mood: Mood): void {
  const gain = plus(mood.night, mood.flash, 0.8)
  for (const [layer, nearness] of [
    [village.front, nearnessOf.front],
    [village.rowan, nearnessOf.rowan],
  ] as const) {
    if (camera.z * nearness > 0.85) continue
    const place = placeOf(camera, nearness)
    put(picture, layer, place, gain, 1 - smooth(2.2, 4.2, place.scale))
  }
}

/** The firs and the snow that frame the last view, and the lantern's light on them. */
export function drawEnd(picture: Picture, village: Village, camera: Camera, mood: Mood, time: number): void {
  const place = placeOf(camera, nearnessOf.end)
  put(picture, village.end, place, plus(mood.night, mood.flash, 0.9))
  const flicker = 1 + 0.06 * wander(time * 2.4, 5)
  const [x, y] = at(place, lanternAt.x, lanternAt.y)
  shine(picture, x, y + 10 * place.scale, 74 * place.scale, glow, warm, 0.17 * flicker, 0.26, 0.34)
  shine(picture, x, y, 34 * place.scale, halo, warm, 0.4 * flicker)
  shine(picture, x, y + place.scale, 4.4 * place.scale, glow, [1, 0.62, 0.24], 1.7 * flicker, 1.5)
}
