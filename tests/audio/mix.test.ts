import { describe, expect, test } from 'vitest'
import { integrated, limit, plainLoudness, weightedPower } from '../../src/audio/loudness.ts'
import { mixSound, readyMusic, TooLong } from '../../src/audio/mix.ts'

const rate = 48_000

/** A tone with a slow swell, interleaved stereo. */
function music(seconds: number, level: number): Float32Array {
  const samples = new Float32Array(seconds * rate * 2)
  for (let index = 0; index < samples.length / 2; index++) {
    const value = level * Math.sin(index * 0.04) * (0.8 + 0.2 * Math.sin(index / rate))
    samples[index * 2] = value
    samples[index * 2 + 1] = value * 0.9
  }
  return samples
}

function voice(seconds: number, level = 0.3, of = 22_050) {
  return {
    samples: Float32Array.from(
      { length: seconds * of },
      (_, index) => level * Math.sin(index * 0.12) * Math.abs(Math.sin(index * 0.0009)),
    ),
    rate: of,
  }
}

function stretch(interleaved: Float32Array, from: number, to: number) {
  const [left, right] = [new Float32Array((to - from) * rate), new Float32Array((to - from) * rate)]
  for (let index = 0; index < left.length; index++) {
    left[index] = interleaved[(Math.round(from * rate) + index) * 2] ?? 0
    right[index] = interleaved[(Math.round(from * rate) + index) * 2 + 1] ?? 0
  }
  return { left, right }
}

const loudness = (interleaved: Float32Array, from: number, to: number) =>
  plainLoudness(weightedPower(stretch(interleaved, from, to)))

describe('the mix', () => {
  test.each([[0.02], [0.2], [0.9]])('is at -16 LUFS whatever the level of the music (%d)', (level) => {
    const mix = mixSound(readyMusic(music(10, level), 10), [{ at: 4, duckDecibels: 12, sound: voice(2) }])
    expect(mix).toHaveLength(10 * rate * 2)
    expect(integrated(weightedPower(stretch(mix, 0, 10)))).toBeCloseTo(-16, 0)
  })

  test('keeps the voice at least 10 dB above the music while it speaks', () => {
    const withVoice = mixSound(readyMusic(music(10, 0.5), 10), [{ at: 4, duckDecibels: 6, sound: voice(2) }])
    const voiceOnly = mixSound(readyMusic(new Float32Array(0), 10), [{ at: 4, duckDecibels: 6, sound: voice(2) }])
    const share = scaleBetween(withVoice, voiceOnly)
    const musicAlone = withVoice.map((value, index) => value - (voiceOnly[index] ?? 0) * share)
    expect(loudness(withVoice, 4.2, 5.8) - loudness(musicAlone, 4.2, 5.8)).toBeGreaterThan(10)
  })

  test('turns the music down before the voice and back up behind it', () => {
    const mix = mixSound(readyMusic(music(10, 0.5), 10), [{ at: 4, duckDecibels: 12, sound: voice(1) }])
    expect(loudness(mix, 7, 9)).toBeCloseTo(loudness(mix, 1, 3), 0)
  })

  test('takes the same music for one video after the other', () => {
    const tune = readyMusic(music(6, 0.3), 6)
    const first = mixSound(tune, [{ at: 2, duckDecibels: 12, sound: voice(1) }])
    mixSound(tune, [{ at: 3, duckDecibels: 20, sound: voice(2) }])
    const again = mixSound(tune, [{ at: 2, duckDecibels: 12, sound: voice(1) }])
    expect(Buffer.from(again.buffer).equals(Buffer.from(first.buffer))).toBe(true)
  })

  test('of silent music is the voice alone, and nothing in it is not a number', () => {
    const mix = mixSound(readyMusic(new Float32Array(0), 4), [{ at: 1, duckDecibels: 12, sound: voice(1) }])
    expect(mix.every(Number.isFinite)).toBe(true)
    expect(loudness(mix, 1, 2)).toBeGreaterThan(-24)
    expect(mixSound(readyMusic(new Float32Array(0), 1), []).every((value) => value === 0)).toBe(true)
  })

  test('refuses a greeting that outlasts the video', () => {
    expect(() => mixSound(readyMusic(music(4, 0.3), 4), [{ at: 3, duckDecibels: 12, sound: voice(2) }])).toThrow(
      TooLong,
    )
  })
})

/** Least squares over the stretch in which the voice dominates. */
function scaleBetween(mix: Float32Array, alone: Float32Array): number {
  let [both, own] = [0, 0]
  for (let index = 4 * rate * 2; index < 6 * rate * 2; index++) {
    both += (mix[index] ?? 0) * (alone[index] ?? 0)
    own += (alone[index] ?? 0) ** 2
  }
  return both / own
}

test('the limiter lowers peaks between samples too, and leaves the rest alone', () => {
  // A quarter of the rate, sampled beside its crests: the true peak is 3 dB above the samples.
  const left = Float32Array.from(
    { length: rate },
    (_, index) => (index > rate / 2 ? 0.9 : 0.1) * Math.sin(index * (Math.PI / 2) + Math.PI / 4) * 1.4,
  )
  const sound = { left: left.slice(), right: left.slice() }
  limit(sound, -2)
  expect(Math.max(...sound.left.subarray(rate * 0.6))).toBeLessThan(10 ** (-2 / 20) * Math.SQRT1_2 + 0.01)
  expect(sound.left.subarray(0, rate * 0.4).every((value, index) => Math.abs(value - (left[index] ?? 0)) < 1e-6)).toBe(
    true,
  )
})
