/** Falling snow in depth: far flakes are small, slow and many, near ones large, soft and few. */
import { smooth } from './ease.ts'
import { dot, flake, shine, type Picture, type Rgb } from './light.ts'
import { between, random } from './random.ts'
import type { Camera } from './village.ts'

type Flake = { x: number; y: number; z: number; fall: number; sway: number; speed: number; phase: number; size: number }

const wide = 3400
const tall = 5600
const nearest = 0.3
const farthest = 4.4

export function makeSnow(count: number, seed: number): Flake[] {
  const chance = random(seed)
  return Array.from({ length: count }, () => ({
    x: chance() * wide,
    y: chance() * tall,
    z: nearest * (farthest / nearest) ** chance(),
    fall: between(chance, 62, 104),
    sway: between(chance, 8, 34),
    speed: between(chance, 0.5, 1.5),
    phase: chance() * 6.3,
    size: between(chance, 1.5, 2.7),
  }))
}

function wrapped(value: number, range: number): number {
  return (((value % range) + range) % range) - range / 2
}

/** Draws the flakes between two distances. */
export function drawSnow(
  picture: Picture,
  flakes: readonly Flake[],
  camera: Camera,
  time: number,
  light: Rgb,
  strength: number,
  from = nearest,
  to = farthest,
): void {
  if (strength <= 0.003) return
  const depth = farthest - nearest
  for (const item of flakes) {
    const z = ((((item.z - nearest - camera.z) % depth) + depth) % depth) + nearest
    if (z < from || z > to) continue
    const x =
      360 + wrapped(item.x + time * 16 + Math.sin(time * item.speed + item.phase) * item.sway - camera.x, wide) / z
    const y = 640 + camera.tilt + wrapped(item.y + time * item.fall - camera.y, tall) / z
    // Sharp at the distance of the village's first houses, softer before and behind.
    const blur = Math.abs(1 / z - 0.62) * 3.1
    const radius = item.size / z + blur + 0.7
    if (x < -radius || x > picture.width + radius || y < -radius || y > picture.height + radius) continue
    const core = item.size / z + 0.7
    const amount =
      ((strength * (core * core)) / (radius * radius)) *
      smooth(nearest, nearest + 0.12, z) *
      (1 - smooth(farthest - 0.8, farthest, z))
    shine(picture, x, y, radius, radius > 3.4 ? flake : dot, light, amount)
  }
}
