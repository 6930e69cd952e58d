/**
 * How loud a sound is to people (ITU-R BS.1770), and a limiter that keeps
 * its true peaks below a ceiling. Stereo, 48 kHz.
 */
import { filter } from './sound.ts'
import type { Biquad } from './sound.ts'
import { sampleRate } from './sound.ts'

export interface Stereo {
  left: Float32Array
  right: Float32Array
}

/** The two filters of BS.1770 at 48 kHz: the head's shadow, and the ear's weak bass. */
const head: Biquad = {
  b0: 1.53512485958697,
  b1: -2.69169618940638,
  b2: 1.19839281085285,
  a1: -1.69065929318241,
  a2: 0.73248077421585,
}
const bass: Biquad = { b0: 1, b1: -2, b2: 1, a1: -1.99004745483398, a2: 0.99007225036621 }

const stepSamples = sampleRate / 10

/**
 * Mean power of each tenth of a second as the ear weighs it, both channels added; the last,
 * incomplete one left out unless it is the only one.
 */
export function weightedPower({ left, right }: Stereo): Float64Array {
  const weighted = new Float32Array(left.length)
  const count = Math.max(1, Math.floor(left.length / stepSamples))
  const powers = new Float64Array(count)
  for (const channel of left === right ? [left] : [left, right]) {
    filter(filter(channel, head, weighted), bass)
    for (let step = 0; step < count; step++) {
      let sum = 0
      const end = Math.min(weighted.length, (step + 1) * stepSamples)
      for (let index = step * stepSamples; index < end; index++) sum += (weighted[index] as number) ** 2
      powers[step] = (powers[step] ?? 0) + sum / Math.max(1, end - step * stepSamples)
    }
  }
  return left === right ? powers.map((power) => power * 2) : powers
}

/**
 * Integrated loudness in LUFS: blocks of 400 ms, silence and what is 10 dB
 * below the rest left out; -Infinity for silence.
 */
export function integrated(powers: Float64Array): number {
  const blocks: number[] = []
  const width = Math.min(4, powers.length)
  for (let step = 0; step + width <= powers.length; step++) {
    let sum = 0
    for (let index = 0; index < width; index++) sum += powers[step + index] ?? 0
    blocks.push(sum / width)
  }
  const audible = blocks.filter((power) => toLufs(power) > -70)
  const threshold = toLufs(mean(audible)) - 10
  return toLufs(mean(audible.filter((power) => toLufs(power) > threshold)))
}

/** Loudness of a stretch of tenths of a second as it is, nothing left out. */
export function plainLoudness(powers: Float64Array): number {
  return toLufs(mean([...powers]))
}

const toLufs = (power: number) => -0.691 + 10 * Math.log10(power)
const mean = (values: number[]) =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length

export const toGain = (decibels: number) => 10 ** (decibels / 20)

/** Quarter-sample interpolation for true peaks: what lies between the samples, from six on each side. */
const between = [0.25, 0.5, 0.75].map((shift) =>
  Float64Array.from({ length: 12 }, (_, index) => {
    const x = index - 5 - shift
    const sinc = Math.sin(Math.PI * x) / (Math.PI * x)
    return sinc * (0.5 + 0.5 * Math.cos((Math.PI * x) / 6.5))
  }),
)

/** Turns the sound down, in place and for a few milliseconds only, wherever its true peak would pass the ceiling. */
export function limit(sound: Stereo, ceilingDecibels: number): void {
  const ceiling = toGain(ceilingDecibels)
  const count = sound.left.length
  let needed: Float32Array | undefined
  for (const channel of [sound.left, sound.right]) {
    for (let index = 0; index < count; index++) {
      const plain = Math.abs(channel[index] as number)
      // Between two samples a peak is rarely twice as high.
      if (plain < ceiling * 0.5) continue
      let peak = plain
      for (const taps of between) {
        let sum = 0
        for (let tap = 0; tap < 12; tap++) sum += (channel[index - 5 + tap] ?? 0) * (taps[tap] as number)
        peak = Math.max(peak, Math.abs(sum))
      }
      if (peak <= ceiling) continue
      needed ??= new Float32Array(count).fill(1)
      needed[index] = Math.min(needed[index] as number, ceiling / peak)
    }
  }
  if (needed === undefined) return
  const gain = softened(needed)
  for (let index = 0; index < count; index++) {
    sound.left[index] = (sound.left[index] as number) * (gain[index] as number)
    sound.right[index] = (sound.right[index] as number) * (gain[index] as number)
  }
}

/**
 * The least of the surroundings, then their mean: the gain is there in time,
 * arrives softly, and is never above what is needed.
 */
function softened(needed: Float32Array): Float32Array {
  const reach = Math.round(sampleRate * 0.004)
  const least = new Float32Array(needed.length).fill(1)
  for (let index = 0; index < needed.length; index++) {
    const value = needed[index] as number
    if (value === 1) continue
    for (let near = Math.max(0, index - reach); near <= Math.min(needed.length - 1, index + reach); near++) {
      if (value < (least[near] as number)) least[near] = value
    }
  }
  const soft = new Float32Array(needed.length)
  // A running sum; outside it goes on as at the ends.
  const at = (index: number) => least[Math.min(least.length - 1, Math.max(0, index))] as number
  let sum = 0
  for (let index = -reach; index <= reach; index++) sum += at(index)
  for (let index = 0; index < needed.length; index++) {
    soft[index] = Math.min(1, sum / (reach * 2 + 1))
    sum += at(index + reach + 1) - at(index - reach)
  }
  return soft
}
