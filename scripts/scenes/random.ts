/** Seeded chance and smooth noise: the same seed paints the same picture on every machine. */

export type Random = () => number

/** Numbers in [0, 1) from a 32-bit seed (mulberry32). */
export function random(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** A number in [from, to). */
export function between(chance: Random, from: number, to: number): number {
  return from + (to - from) * chance()
}

/** One of the items. */
export function pick<T>(chance: Random, items: readonly T[]): T {
  return items[Math.floor(chance() * items.length)] as T
}

function lattice(x: number, y: number, seed: number): number {
  let hash = Math.imul(x, 374761393) ^ Math.imul(y, 668265263) ^ Math.imul(seed, 1274126177)
  hash = Math.imul(hash ^ (hash >>> 13), 1274126177)
  return ((hash ^ (hash >>> 16)) >>> 0) / 4294967296
}

/** Smooth noise in [0, 1]. */
export function noise(x: number, y: number, seed: number): number {
  const column = Math.floor(x)
  const row = Math.floor(y)
  const u = x - column
  const v = y - row
  const su = u * u * u * (u * (u * 6 - 15) + 10)
  const sv = v * v * v * (v * (v * 6 - 15) + 10)
  const a = lattice(column, row, seed)
  const b = lattice(column + 1, row, seed)
  const c = lattice(column, row + 1, seed)
  const d = lattice(column + 1, row + 1, seed)
  return a + (b - a) * su + (c - a) * sv + (a - b - c + d) * su * sv
}

/** Several octaves of noise, in [0, 1], around 0.5. */
export function fractal(x: number, y: number, seed: number, octaves = 4): number {
  let sum = 0
  let weight = 0.5
  let total = 0
  let frequency = 1
  for (let octave = 0; octave < octaves; octave++) {
    sum += weight * noise(x * frequency, y * frequency, seed + octave * 101)
    total += weight
    weight *= 0.5
    frequency *= 2.03
  }
  return sum / total
}
