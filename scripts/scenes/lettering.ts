/** Lettering of light: it gathers from drifting sparks, letter by letter from the left, and keeps a slow shimmer. */
import { createRequire } from 'node:module'
import { createCanvas, GlobalFonts } from '@napi-rs/canvas'
import { clamp, mix, settle, smooth } from './ease.ts'
import { blend, blur, colour, coverOf, dot, halo, shine, type Picture, type Rgb } from './light.ts'
import { between, noise, random } from './random.ts'

const width = 720
const height = 1280

const require = createRequire(import.meta.url)
GlobalFonts.registerFromPath(
  require.resolve('@expo-google-fonts/great-vibes/400Regular/GreatVibes_400Regular.ttf'),
  'greeting',
)
GlobalFonts.registerFromPath(
  require.resolve('@expo-google-fonts/marck-script/400Regular/MarckScript_400Regular.ttf'),
  'wish',
)

export type Line = {
  text: string
  baseline: number
  size: number
  face: 'greeting' | 'wish'
  from: number
  seconds: number
  weight: number
}

type Spark = {
  x: number
  y: number
  startX: number
  startY: number
  turn: number
  arrives: number
  flight: number
  phase: number
}

export type Lettering = {
  /** The first row it touches. */
  top: number
  cover: Float32Array
  near: Float32Array
  far: Float32Array
  /** When a pixel lights up, in seconds of the clip. */
  when: Float32Array
  /** Height within its line, 0 top to 1 bottom. */
  level: Float32Array
  sparks: Spark[]
  glints: { x: number; y: number; phase: number }[]
}

const upper = colour('#fff0cf', 2.1)
const lower = colour('#ffbe55', 1.5)
const gold: Rgb = [1, 0.62, 0.22]
const pale: Rgb = [1, 0.86, 0.6]

/** Sets a line, centred. Type that would be wider than the safe area is set smaller. */
export function setLine(line: Line, seed: number, sparkCount: number): Lettering {
  const chance = random(seed)
  const top = Math.floor(line.baseline - line.size * 1.35)
  const rows = Math.ceil(line.size * 2.2)
  const canvas = createCanvas(width, rows)
  const brush = canvas.getContext('2d')
  brush.translate(0, -top)
  brush.fillStyle = '#ffffff'
  brush.strokeStyle = '#ffffff'
  brush.lineJoin = 'round'
  const wordGap = line.face === 'wish' ? -0.12 : 0
  const setIn = (size: number) => {
    brush.font = `${size}px ${line.face}`
    brush.wordSpacing = `${size * wordGap}px`
    return brush.measureText(line.text)
  }
  const size = line.size * Math.min(1, 590 / setIn(line.size).width)
  const metrics = setIn(size)
  const left = 360 - (metrics.actualBoundingBoxRight - metrics.actualBoundingBoxLeft) / 2
  brush.fillText(line.text, left, line.baseline)
  if (line.weight > 0) {
    brush.lineWidth = line.weight
    brush.strokeText(line.text, left, line.baseline)
  }
  const cover = coverOf(canvas)
  const near = cover.slice()
  blur(near, width, rows, 1, size * 0.04)
  const far = cover.slice()
  blur(far, width, rows, 1, size * 0.16)
  const when = new Float32Array(width * rows)
  const level = new Float32Array(width * rows)
  const inked: number[] = []
  const start = left - metrics.actualBoundingBoxLeft
  const length = metrics.actualBoundingBoxRight + metrics.actualBoundingBoxLeft
  for (let at = 0; at < cover.length; at++) {
    const x = at % width
    const y = top + (at - x) / width
    when[at] = line.from + clamp((x - start) / length) * line.seconds + (noise(x / 30, y / 30, seed) - 0.5) * 0.16
    level[at] = clamp((y - line.baseline + size * 0.75) / (size * 1.05))
    if (cover[at]! > 0.75) inked.push(at)
  }
  const sparks = Array.from({ length: sparkCount }, () => {
    const at = inked[Math.floor(chance() * inked.length)]!
    const x = at % width
    const y = top + (at - x) / width
    const angle = between(chance, 0, Math.PI * 2)
    const far = between(chance, 60, 330)
    return {
      x,
      y,
      startX: x + Math.cos(angle) * far * 0.9 - 60,
      startY: y + Math.sin(angle) * far * 0.6 - 150 * chance(),
      turn: between(chance, -90, 90),
      arrives: when[at]! + between(chance, -0.1, 0.22),
      flight: between(chance, 0.9, 1.7),
      phase: chance() * 6.3,
    }
  })
  const glints = Array.from({ length: line.face === 'greeting' ? 6 : 0 }, (_, glint) => {
    const at = inked[Math.floor(((glint + chance()) / 6) * inked.length)]!
    return { x: at % width, y: top + Math.floor(at / width), phase: chance() * 4 }
  })
  return { top, cover, near, far, when, level, sparks, glints }
}

/** Draws it at a moment; `strength` fades the whole. */
export function drawLettering(picture: Picture, lettering: Lettering, time: number, strength: number): void {
  const { data } = picture
  const { top, cover, near, far, when, level } = lettering
  const sweep = (time - 16.2) / 1.3
  for (let at = 0; at < cover.length; at++) {
    if (far[at]! < 0.002) continue
    const shown = smooth(0, 0.42, time - when[at]!) * strength
    if (shown <= 0.002) continue
    const to = (top * width + at) * 3
    if (to < 0 || to >= height * width * 3) continue
    const fresh = 1 + 1.6 * Math.exp(-Math.max(0, time - when[at]! - 0.2) * 2.6)
    const dark = 1 - Math.min(0.5, far[at]! * 1.5) * shown
    const spill = (near[at]! * 0.3 + far[at]! * 0.42) * shown * fresh
    const x = at % width
    const band = Math.exp(-(((x + level[at]! * 90) / width - mix(-0.3, 1.4, sweep)) ** 2) / 0.006)
    const ink = cover[at]! * shown
    const tone = blend(upper, lower, level[at]! ** 1.4)
    const light =
      (0.94 + 0.07 * Math.sin(time * 1.8 - x / 70)) * (fresh * 0.4 + 0.6) + (sweep > 0 && sweep < 1 ? band * 0.6 : 0)
    for (let channel = 0; channel < 3; channel++) {
      const behind = data[to + channel]! * dark + gold[channel]! * spill
      data[to + channel] = behind + (tone[channel]! * light - behind) * ink
    }
  }
  for (const spark of lettering.sparks) {
    const share = (time - spark.arrives + spark.flight) / spark.flight
    if (share <= 0 || share > 1.5) continue
    const way = settle(0, 1, share, 2.4)
    const arc = Math.sin(way * Math.PI) * spark.turn
    const x = mix(spark.startX, spark.x, way) + arc * 0.4
    const y = mix(spark.startY, spark.y, way) + arc
    const amount =
      smooth(0, 0.3, share) *
      (1 - smooth(0.95, 1.5, share)) *
      (0.7 + 0.3 * Math.sin(time * 15 + spark.phase)) *
      strength
    shine(picture, x, y, 2.6, dot, pale, 0.95 * amount)
    if (spark.phase < 1.6) shine(picture, x, y, 11, halo, gold, 0.16 * amount)
  }
  for (const glint of lettering.glints) {
    const shown = smooth(0.4, 1, time - when[(glint.y - top) * width + glint.x]!) * strength
    if (shown <= 0) continue
    const wave = Math.max(0, Math.sin(time * 1.55 + glint.phase * 1.57)) ** 10
    if (wave < 0.02) continue
    shine(picture, glint.x, glint.y, 20, halo, pale, 0.8 * wave * shown)
    shine(picture, glint.x, glint.y, 2.2, dot, pale, 1.1 * wave * shown, 9)
    for (let side = -4; side <= 4; side++)
      shine(picture, glint.x + side * 3.4, glint.y, 2.4, dot, pale, 0.8 * wave * shown * (1 - Math.abs(side) / 5))
  }
}
