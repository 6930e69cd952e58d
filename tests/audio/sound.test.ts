import { describe, expect, test } from 'vitest'
import { readWav, resampled, trimmed, WavFault } from '../../src/audio/sound.ts'
import { wav } from './wav.ts'

describe('a WAV file', () => {
  test.each([
    [1, 16, 1],
    [1, 16, 2],
    [1, 24, 1],
    [1, 32, 1],
    [1, 8, 1],
    [3, 32, 2],
  ])('of code %d, %d bits, %d channels is read', (code, bits, channels) => {
    const { samples, rate } = readWav(wav([0, 0.5, -0.5, 0.25], { code, bits, channels, rate: 22_050 }))
    expect(rate).toBe(22_050)
    expect([...samples]).toHaveLength(4)
    ;[0, 0.5, -0.5, 0.25].forEach((value, index) => expect(samples[index]).toBeCloseTo(value, 1))
  })

  test('written to a pipe has lengths nobody filled in', () => {
    const bytes = wav([0.5, 0.5, 0.5], { code: 1, bits: 16, channels: 1, rate: 16_000 })
    bytes.writeUInt32LE(0xffffffff, 4)
    bytes.writeUInt32LE(0xffffffff, 40)
    expect(readWav(bytes).samples).toHaveLength(3)
  })

  test.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('this is no sound at all, but text that is long enough')],
    ['a header alone', wav([], { code: 1, bits: 16, channels: 1, rate: 16_000 }).subarray(0, 30)],
    ['an unknown code', wav([0.5], { code: 85, bits: 16, channels: 1, rate: 16_000 })],
    ['no channels', wav([0.5], { code: 1, bits: 16, channels: 0, rate: 16_000 })],
    ['a rate of nothing', wav([0.5], { code: 1, bits: 16, channels: 1, rate: 0 })],
  ])('is refused when it is %s', (_what, bytes) => {
    expect(() => readWav(bytes)).toThrow(WavFault)
  })
})

test('a tone keeps its pitch and level at another rate', () => {
  const samples = Float32Array.from(
    { length: 22_050 },
    (_, index) => 0.5 * Math.sin((2 * Math.PI * 1_000 * index) / 22_050),
  )
  const { samples: result, rate } = resampled({ samples, rate: 22_050 }, 48_000)
  expect(rate).toBe(48_000)
  expect(result).toHaveLength(48_000)
  for (let index = 2_000; index < 46_000; index += 37)
    expect(result[index]).toBeCloseTo(0.5 * Math.sin((2 * Math.PI * 1_000 * index) / 48_000), 2)
})

test('silence around a sound is taken away, and all of what is silent', () => {
  const samples = new Float32Array(48_000)
  for (let index = 20_000; index < 30_000; index++) samples[index] = 0.4 * Math.sin(index)
  const { samples: kept } = trimmed({ samples, rate: 48_000 })
  expect(kept.length).toBeGreaterThan(10_000)
  expect(kept.length).toBeLessThan(13_000)
  expect(trimmed({ samples: new Float32Array(48_000), rate: 48_000 }).samples).toHaveLength(0)
})
