/** Sound as plain numbers: reading WAV files, changing the rate, filters. One channel, samples from -1 to 1. */
import { open } from 'node:fs/promises'

export interface Sound {
  samples: Float32Array
  /** samples a second */
  rate: number
}

/** Samples a second of every sound of ours, stereo in the video, mono while spoken. */
export const sampleRate = 48_000

/** The bytes are no WAV file that can be read. */
export class WavFault extends Error {
  override name = 'WavFault'
}

/** No greeting is longer than its clip, and no clip than a minute, seconds. */
export const longestSpeech = 61

/** A file of so much sound is not read: it would be `longestSpeech` even at 96 kHz, stereo, 24 bits. */
export const largestSoundBytes = 36_000_000

/** It goes on for longer than any greeting. */
export class SoundTooLong extends Error {
  override name = 'SoundTooLong'
  constructor() {
    super(`is longer than ${longestSpeech} s`)
  }
}

/**
 * Reads a WAV file that a program has written.
 * @throws WavFault; SoundTooLong, before anything is taken into memory; errors of the file system
 */
export async function readWavFile(path: string): Promise<Sound> {
  const file = await open(path, 'r')
  try {
    if ((await file.stat()).size > largestSoundBytes) throw new SoundTooLong()
    return readWav(await file.readFile())
  } finally {
    await file.close()
  }
}

/**
 * Reads a WAV file: PCM of 8, 16, 24 or 32 bits or 32-bit floating point, any number of channels (their mean is taken).
 * Lengths in the header that were never filled in, as programs leave them that write to a pipe, are tolerated.
 * @throws WavFault; SoundTooLong
 */
export function readWav(bytes: Buffer): Sound {
  if (bytes.length < 12 || bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE')
    throw new WavFault('is no WAV file')
  let format: { code: number; channels: number; rate: number; bits: number } | undefined
  for (let at = 12; at + 8 <= bytes.length;) {
    const type = bytes.toString('latin1', at, at + 4)
    const length = Math.min(bytes.readUInt32LE(at + 4), bytes.length - at - 8)
    const start = at + 8
    if (type === 'fmt ' && length >= 16) {
      const code = bytes.readUInt16LE(start)
      // "Extensible" keeps the real code in its sub-format.
      format = {
        code: code === 0xfffe && length >= 26 ? bytes.readUInt16LE(start + 24) : code,
        channels: bytes.readUInt16LE(start + 2),
        rate: bytes.readUInt32LE(start + 4),
        bits: bytes.readUInt16LE(start + 14),
      }
    }
    if (type === 'data') {
      if (format === undefined) throw new WavFault('has no format before its samples')
      return decode(bytes.subarray(start, start + length), format)
    }
    at = start + length + (length % 2)
  }
  throw new WavFault('holds no samples')
}

function decode(
  data: Buffer,
  { code, channels, rate, bits }: { code: number; channels: number; rate: number; bits: number },
): Sound {
  const read = sampleReader(data, code, bits)
  if (read === undefined || channels < 1 || channels > 8 || rate < 4_000 || rate > 384_000)
    throw new WavFault(`has a format that is not read (code ${code}, ${bits} bits, ${channels} channels, ${rate} Hz)`)
  const bytesPerSample = bits / 8
  const count = Math.floor(data.length / (bytesPerSample * channels))
  // A megabyte may be minutes, and grows tenfold on its way to our rate: length is judged by time.
  if (count > longestSpeech * rate) throw new SoundTooLong()
  const samples = new Float32Array(count)
  for (let index = 0; index < samples.length; index++) {
    let sum = 0
    for (let channel = 0; channel < channels; channel++) sum += read((index * channels + channel) * bytesPerSample)
    samples[index] = sum / channels
  }
  return { samples, rate }
}

function sampleReader(data: Buffer, code: number, bits: number): ((at: number) => number) | undefined {
  if (code === 3 && bits === 32) return (at) => data.readFloatLE(at)
  if (code !== 1) return undefined
  if (bits === 8) return (at) => (data.readUInt8(at) - 128) / 128
  if (bits === 16) return (at) => data.readInt16LE(at) / 32_768
  if (bits === 24) return (at) => data.readIntLE(at, 3) / 8_388_608
  if (bits === 32) return (at) => data.readInt32LE(at) / 2_147_483_648
  return undefined
}

/** The same sound at another rate, by a windowed sinc. */
export function resampled({ samples, rate }: Sound, to: number): Sound {
  if (rate === to) return { samples, rate }
  const ratio = rate / to
  const cutoff = Math.min(1, to / rate) * 0.97
  const reach = Math.ceil(16 / cutoff)
  // The kernel is looked up, not computed: 512 places between two samples are finer than anybody hears.
  const places = 512
  const kernel = new Float32Array((reach * 2 + 1) * places + 1)
  for (let index = 0; index < kernel.length; index++) {
    const x = index / places - reach
    const sinc = x === 0 ? 1 : Math.sin(Math.PI * cutoff * x) / (Math.PI * cutoff * x)
    kernel[index] = Math.abs(x) >= reach ? 0 : cutoff * sinc * (0.5 + 0.5 * Math.cos((Math.PI * x) / reach))
  }
  const result = new Float32Array(Math.round(samples.length / ratio))
  for (let index = 0; index < result.length; index++) {
    const centre = index * ratio
    const first = Math.max(0, Math.ceil(centre - reach))
    const last = Math.min(samples.length - 1, Math.floor(centre + reach))
    let place = Math.round((first - centre + reach) * places)
    let sum = 0
    for (let at = first; at <= last; at++) {
      sum += (samples[at] as number) * (kernel[place] as number)
      place += places
    }
    result[index] = sum
  }
  return { samples: result, rate: to }
}

/**
 * Without the silence before and after, and with ends too short to hear as
 * clicks. Empty when there is nothing but silence.
 */
export function trimmed({ samples, rate }: Sound): Sound {
  const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
  if (peak < 0.001) return { samples: new Float32Array(0), rate }
  const threshold = peak * 0.012
  let start = 0
  while (Math.abs(samples[start] ?? 1) < threshold) start += 1
  let end = samples.length
  while (end > start && Math.abs(samples[end - 1] ?? 1) < threshold) end -= 1
  const margin = Math.round(rate * 0.012)
  const kept = samples.slice(Math.max(0, start - margin), Math.min(samples.length, end + margin * 3))
  const ramp = Math.min(margin, kept.length >> 1)
  for (let index = 0; index < ramp; index++) {
    kept[index] = (kept[index] ?? 0) * (index / ramp)
    kept[kept.length - 1 - index] = (kept[kept.length - 1 - index] ?? 0) * (index / ramp)
  }
  return { samples: kept, rate }
}

/** Coefficients of a second-order filter, normalised. */
export interface Biquad {
  b0: number
  b1: number
  b2: number
  a1: number
  a2: number
}

/** Runs the filter over the samples, in place when `to` is left out. */
export function filter(
  samples: Float32Array,
  { b0, b1, b2, a1, a2 }: Biquad,
  to: Float32Array = samples,
): Float32Array {
  let [x1, x2, y1, y2] = [0, 0, 0, 0]
  for (let index = 0; index < samples.length; index++) {
    const x = samples[index] as number
    const y = b0 * x + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2
    x2 = x1
    x1 = x
    y2 = y1
    y1 = y
    to[index] = y
  }
  return to
}

/** Lets through what lies above the frequency, in Hz. */
export function highPass(rate: number, frequency: number, q = 0.707): Biquad {
  const { cos, alpha } = angle(rate, frequency, q)
  return normal((1 + cos) / 2, -(1 + cos), (1 + cos) / 2, 1 + alpha, -2 * cos, 1 - alpha)
}

/** Raises or lowers a region around the frequency by so many decibels. */
export function bell(rate: number, frequency: number, decibels: number, q: number): Biquad {
  const { cos, alpha } = angle(rate, frequency, q)
  const gain = 10 ** (decibels / 40)
  return normal(1 + alpha * gain, -2 * cos, 1 - alpha * gain, 1 + alpha / gain, -2 * cos, 1 - alpha / gain)
}

/** Raises or lowers everything above the frequency by so many decibels. */
export function highShelf(rate: number, frequency: number, decibels: number): Biquad {
  const { cos, alpha } = angle(rate, frequency, 0.707)
  const gain = 10 ** (decibels / 40)
  const root = 2 * Math.sqrt(gain) * alpha
  return normal(
    gain * (gain + 1 + (gain - 1) * cos + root),
    -2 * gain * (gain - 1 + (gain + 1) * cos),
    gain * (gain + 1 + (gain - 1) * cos - root),
    gain + 1 - (gain - 1) * cos + root,
    2 * (gain - 1 - (gain + 1) * cos),
    gain + 1 - (gain - 1) * cos - root,
  )
}

function angle(rate: number, frequency: number, q: number): { cos: number; alpha: number } {
  const omega = (2 * Math.PI * Math.min(frequency, rate * 0.49)) / rate
  return { cos: Math.cos(omega), alpha: Math.sin(omega) / (2 * q) }
}

function normal(b0: number, b1: number, b2: number, a0: number, a1: number, a2: number): Biquad {
  return { b0: b0 / a0, b1: b1 / a0, b2: b2 / a0, a1: a1 / a0, a2: a2 / a0 }
}
