/** Fireworks of gold that open without a sound, and the sparks the name leaves behind. */
import { clamp, mix, smooth } from './ease.ts'
import { blend, dot, glow, halo, shine, type Picture, type Place, type Rgb } from './light.ts'
import { between, random } from './random.ts'

type Burst = {
  at: number
  x: number
  y: number
  radius: number
  count: number
  seed: number
  young: Rgb
  old: Rgb
  willow: number
  rise: number
}

const gold: Rgb = [1, 0.66, 0.26]
const paleGold: Rgb = [1, 0.84, 0.56]
const ember: Rgb = [1, 0.3, 0.06]
const berry: Rgb = [1, 0.13, 0.16]

/** Places are those of a far plane: see `drawVillage`. */
const bursts: Burst[] = [
  { at: 12.75, x: 250, y: 420, radius: 150, count: 90, seed: 1, young: paleGold, old: gold, willow: 0.3, rise: 0.9 },
  { at: 13.35, x: 500, y: 330, radius: 200, count: 104, seed: 2, young: gold, old: ember, willow: 1, rise: 1 },
  { at: 13.95, x: 180, y: 250, radius: 170, count: 100, seed: 3, young: paleGold, old: gold, willow: 0.5, rise: 1 },
  { at: 14.5, x: 540, y: 520, radius: 110, count: 66, seed: 4, young: berry, old: ember, willow: 0.2, rise: 0.8 },
  { at: 14.95, x: 365, y: 200, radius: 235, count: 120, seed: 5, young: paleGold, old: ember, willow: 1.1, rise: 1.1 },
  { at: 15.7, x: 140, y: 480, radius: 120, count: 70, seed: 6, young: gold, old: ember, willow: 0.5, rise: 0.9 },
  { at: 16.3, x: 590, y: 430, radius: 135, count: 80, seed: 7, young: paleGold, old: gold, willow: 0.6, rise: 0.9 },
  { at: 16.9, x: 84, y: 410, radius: 62, count: 44, seed: 8, young: gold, old: ember, willow: 0.5, rise: 0.7 },
]

/** Rises within `rise` seconds and dies away. */
function strengthOf(age: number, rise: number): number {
  return smooth(0, rise, age) * Math.exp(-Math.max(0, age - rise) * 1.7)
}

/** The light all fireworks together throw on the land. */
export function flashAt(time: number): Rgb {
  let light: Rgb = [0, 0, 0]
  for (const burst of bursts) {
    const age = time - burst.at
    if (age < 0 || age > 4) continue
    // Slower than the burst itself: the land must glow, not flicker.
    const amount = strengthOf(age, 0.36) * (burst.radius / 200) * 1.2
    const tint = blend(burst.young, burst.old, clamp(age / 1.6))
    light = [light[0] + tint[0] * amount, light[1] + tint[1] * amount * 0.9, light[2] + tint[2] * amount * 0.7]
  }
  // Gold on snow: the land's own blue must not turn it grey.
  return [light[0] * 1.35, light[1] * 0.72, light[2] * 0.2]
}

/** How far a particle has flown `age` seconds after the burst: air slows it, then it sinks. */
function flown(burst: Burst, age: number): [number, number] {
  const reach = burst.radius * (1 - Math.exp(-age * 2.7))
  return [reach, 26 * burst.willow * age ** 1.8 + 7 * age]
}

export function drawFireworks(picture: Picture, place: Place, time: number, strength: number): void {
  for (const burst of bursts) {
    const age = time - burst.at
    const life = 1.7 + burst.willow * 0.8
    if (age < -burst.rise || age > life) continue
    const size = place.scale
    const originX = burst.x * size + place.x
    const originY = burst.y * size + place.y
    if (age < 0) {
      // the rocket: a spark that climbs and slows
      for (let trail = 0; trail < 14; trail++) {
        const share = clamp(1 + (age - trail * 0.022) / burst.rise)
        if (share <= 0) break
        const climbed = 1 - (1 - share) ** 2.2
        const x =
          originX + Math.sin(share * 5 + burst.seed) * 4 * (1 - share) + (1 - climbed) * (burst.seed % 2 ? -34 : 30)
        const y = mix(700 * size + place.y, originY, climbed)
        shine(
          picture,
          x,
          y,
          3.2,
          dot,
          gold,
          1.1 * (1 - trail / 14) ** 2 * strength * smooth(0, 0.2, share) * (1 - smooth(0.85, 1, share) * 0.7),
        )
      }
      continue
    }
    const lit = strengthOf(age, 0.14)
    shine(picture, originX, originY, burst.radius * 2.1 * size, halo, burst.young, 0.28 * lit * strength)
    shine(
      picture,
      originX,
      originY,
      burst.radius * 0.5 * size,
      glow,
      paleGold,
      0.9 * Math.exp(-age * 9) * smooth(0, 0.05, age) * strength,
    )
    const chance = random(burst.seed * 7919)
    for (let particle = 0; particle < burst.count; particle++) {
      const z = between(chance, -1, 1)
      const turn = chance() * Math.PI * 2
      const flat = Math.sqrt(1 - z * z)
      const dx = Math.cos(turn) * flat
      const dy = Math.sin(turn) * flat
      const eager = between(chance, 0.82, 1.04)
      const lasts = life * between(chance, 0.72, 1)
      const phase = chance() * 6.3
      const share = age / lasts
      if (share >= 1) continue
      const fade = (1 - share) ** 1.3
      const glitter = mix(1, 0.5 + 0.5 * Math.sin(time * 26 + phase), smooth(0.35, 0.8, share))
      const tint = blend(burst.young, burst.old, smooth(0.15, 0.95, share))
      const tail = Math.round(13 + burst.willow * 9)
      for (let step = 0; step < tail; step++) {
        const then = age - step * (0.011 + 0.006 * burst.willow) * (0.5 + step / tail)
        if (then <= 0) break
        const [reach, sunk] = flown(burst, then)
        const x = originX + dx * reach * eager * size
        const y = originY + (dy * reach * eager + sunk) * size
        const weak = (1 - step / tail) ** 1.7
        shine(
          picture,
          x,
          y,
          step === 0 ? 3.4 : 2.5,
          dot,
          tint,
          (step === 0 ? 3.4 * glitter : 1.05 * weak) * fade * strength,
        )
      }
    }
  }
}

/** From `from` on, sparks rise from where the name stood and fly up into the night. */
export function drawRisingSparks(picture: Picture, time: number, from: number): void {
  const age = time - from
  if (age < 0 || age > 2.3) return
  const chance = random(4242)
  for (let spark = 0; spark < 90; spark++) {
    const x = between(chance, 110, 610)
    const y = between(chance, 530, 670)
    const starts = between(chance, 0, 0.6)
    const lasts = between(chance, 0.9, 1.6)
    const phase = chance() * 6.3
    const swing = between(chance, 8, 30)
    const share = (age - starts) / lasts
    if (share <= 0 || share >= 1) continue
    const up = 40 * share + 400 * share ** 2.4
    const px = x + Math.sin(share * 4 + phase) * swing * share + (360 - x) * share ** 2 * 0.25
    const amount = smooth(0, 0.18, share) * (1 - share) ** 1.1 * (0.75 + 0.25 * Math.sin(time * 18 + phase))
    shine(picture, px, y - up, 3.1, dot, paleGold, 1.5 * amount)
    shine(picture, px, y - up, 15, halo, gold, 0.16 * amount)
  }
}
