/** Sparks: what flies off the tip, flashes on the letters and rises when they go, and the light of the tip itself. */
import type { TemplateWindow } from '../template.ts'
import { smooth, type Yuv } from './colour.ts'
import { addLight, addStar, type Surface } from './stamp.ts'
import type { Tip } from './stroke.ts'

export interface Spark {
  x: number
  y: number
  driftX: number
  driftY: number
  born: number
  life: number
  size: number
  strength: number
  star: boolean
}

/** Frost that flies off the tip: slow, light, a little upwards first, then sinking. */
export function scatter(
  window: TemplateWindow,
  writingSeconds: number,
  tips: Tip[],
  unit: number,
  random: () => number,
): Spark[] {
  const sparks: Spark[] = []
  const count = 230
  for (let index = 0; index < count; index++) {
    const tip = tips[Math.floor((index / count) * tips.length)]
    if (tip === undefined || tip.lifted) continue
    const angle = random() * Math.PI * 2
    const speed = (20 + 150 * random() ** 2) * unit
    sparks.push({
      x: window.box.x + tip.x + (random() - 0.5) * 10 * unit,
      y: window.box.y + tip.y + (random() - 0.5) * 10 * unit,
      driftX: Math.cos(angle) * speed + 14 * unit,
      driftY: Math.sin(angle) * speed * 0.8 - 12 * unit,
      born: window.entrance.after + tip.at * writingSeconds,
      life: 0.35 + 0.85 * random(),
      size: (1.7 + 3.4 * random() ** 3) * unit,
      strength: 0.55 + 0.45 * random(),
      star: random() < 0.16,
    })
  }
  return sparks
}

/** Now and then a point of a letter flashes, as frost does. */
export function twinkle(
  window: TemplateWindow,
  writingSeconds: number,
  inks: Uint8Array[],
  unit: number,
  random: () => number,
): Spark[] {
  const { box } = window
  const points: number[] = []
  inks.forEach((ink) =>
    ink.forEach((value, index) => {
      if (value > 200 && index % 7 === 0) points.push(index)
    }),
  )
  const from = window.entrance.after + writingSeconds * 0.7
  const until = window.to - window.from - window.exit.seconds
  const sparks: Spark[] = []
  for (let born = from; born < until && points.length > 0; born += 0.13 + 0.12 * random()) {
    const point = points[Math.floor(random() * points.length)] ?? 0
    sparks.push({
      x: box.x + (point % box.width),
      y: box.y + Math.floor(point / box.width),
      driftX: 0,
      driftY: 0,
      born,
      life: 0.45 + 0.5 * random(),
      size: (2.2 + 2.6 * random()) * unit,
      strength: 0.9,
      star: true,
    })
  }
  return sparks
}

/** As the name fades, points of it come loose and rise a little, each gone before the window closes. */
export function glow(
  window: TemplateWindow,
  fps: number,
  inks: Uint8Array[],
  unit: number,
  random: () => number,
): Spark[] {
  const { box } = window
  const points = inks.flatMap((ink) =>
    [...ink.keys()].filter((index) => (ink[index] as number) > 200 && index % 31 === 0),
  )
  const end = window.to - window.from - 2 / fps
  const begin = end - window.exit.seconds
  const sparks: Spark[] = []
  for (let count = Math.min(46, points.length); count > 0; count--) {
    const point = points[Math.floor(random() * points.length)] ?? 0
    const born = begin + (0.05 + 0.4 * random()) * window.exit.seconds
    sparks.push({
      x: box.x + (point % box.width),
      y: box.y + Math.floor(point / box.width),
      driftX: (random() - 0.5) * 70 * unit,
      driftY: -(50 + 110 * random()) * unit,
      born,
      life: (end - born) * (0.6 + 0.4 * random()),
      size: (1.6 + 2.2 * random()) * unit,
      strength: 0.5 + 0.4 * random(),
      star: false,
    })
  }
  return sparks
}

export function drawSpark(
  surface: Surface,
  spark: Spark,
  time: number,
  presence: number,
  colour: Yuv,
  glow: Yuv,
): void {
  const age = (time - spark.born) / spark.life
  if (age <= 0 || age >= 1) return
  const seconds = time - spark.born
  // Air slows it down; its weight wins in the end.
  const way = (1 - Math.exp(-seconds * 2.2)) / 2.2
  const x = spark.x + spark.driftX * way
  const y = spark.y + spark.driftY * way + spark.size * 4 * seconds * seconds
  const still = spark.driftX === 0 && spark.driftY === 0
  const strength =
    spark.strength * presence * (still ? Math.sin(age * Math.PI) ** 2 : smooth(age / 0.08) * (1 - age) ** 1.3)
  addLight(surface, x, y, spark.size * 2.6, strength * 0.35, glow)
  addLight(surface, x, y, spark.size, strength, colour)
  if (spark.star) addStar(surface, x, y, spark.size * (still ? 5.5 : 4), strength * 0.9, colour)
}

export function drawTip(
  surface: Surface,
  tips: Tip[],
  writing: number,
  time: number,
  unit: number,
  colour: Yuv,
  glow: Yuv,
): void {
  // It comes down just before it writes and fades out as it lifts.
  const touch = smooth((writing + 0.12) / 0.12) * (1 - smooth((writing - 1) / 0.14))
  if (touch <= 0) return
  const along = Math.min(1, Math.max(0, writing))
  let index = tips.findIndex(({ at }) => at >= along)
  if (index === -1) index = tips.length - 1
  const tip = tips[index]
  if (tip === undefined) return
  const before = tips[Math.max(0, index - 1)] ?? tip
  const between = tip.at > before.at ? Math.min(1, Math.max(0, (along - before.at) / (tip.at - before.at))) : 1
  const x = surface.box.x + before.x + (tip.x - before.x) * between
  const y = surface.box.y + before.y + (tip.y - before.y) * between
  const strength = touch * (tip.lifted ? 0.25 : 1) * (0.93 + 0.07 * Math.sin(time * 40))
  addLight(surface, x, y, 84 * unit, strength * 0.3, glow)
  addLight(surface, x, y, 34 * unit, strength * 0.55, glow)
  addLight(surface, x, y, 14 * unit, strength, colour)
  addStar(surface, x, y, 62 * unit, strength * 0.75, colour)
}
