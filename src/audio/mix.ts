/**
 * The sound of one video: the template's music, turned down softly while the voice speaks, the voice with a little
 * room around it, and the whole at the loudness people are used to. Stereo, 48 kHz.
 */
import { bell, filter, highPass, resampled } from './sound.ts'
import type { Sound } from './sound.ts'
import { sampleRate } from './sound.ts'
import { integrated, limit, plainLoudness, toGain, weightedPower } from './loudness.ts'
import type { Stereo } from './loudness.ts'

/** Integrated loudness of a finished video, LUFS. */
const loudness = -16
/** True peaks stay below this, dB; AAC may add a little. */
const ceiling = -2
/** Loudness of the voice while it speaks, LUFS. */
const voiceLoudness = -14.5
/** The voice stands at least so far above the music while it speaks, dB. */
const clearance = 11.5
const attackSeconds = 0.35
const releaseSeconds = 0.8
/** how long the room answers */
const tailSeconds = 0.9

export interface Spoken {
  /** when it begins, seconds */
  at: number
  /** the music is turned down at least so far, dB */
  duckDecibels: number
  sound: Sound
}

/** What is spoken does not end before the video does. */
export class TooLong extends Error {
  override name = 'TooLong'
}

/** A template's music with what is the same in every mix. Use one for one mix at a time. */
export interface Music {
  left: Float32Array
  right: Float32Array
  /** see `weightedPower` */
  powers: Float64Array
  /** room for a mix, kept from one to the next: fresh megabytes for every video would keep the collector busy */
  room: { mix: Stereo; gains: Float32Array }
}

/**
 * Measures the music once for all mixes.
 * @param samples interleaved stereo at 48 kHz, at least `seconds` long but for a few samples
 */
export function readyMusic(samples: Float32Array, seconds: number): Music {
  const count = Math.round(seconds * sampleRate)
  const [left, right] = [new Float32Array(count), new Float32Array(count)]
  for (let index = 0; index < Math.min(count, samples.length >> 1); index++) {
    left[index] = samples[index * 2] as number
    right[index] = samples[index * 2 + 1] as number
  }
  const room = {
    mix: { left: new Float32Array(count), right: new Float32Array(count) },
    gains: new Float32Array(count),
  }
  return { left, right, powers: weightedPower({ left, right }), room }
}

/**
 * @returns interleaved stereo at 48 kHz, exactly as long as the music
 * @throws TooLong
 */
export function mixSound(music: Music, spoken: Spoken[]): Float32Array {
  const count = music.left.length
  const musicLoudness = integrated(music.powers)
  // Ready music is a little softer than the whole, for the voice adds to it.
  const musicGain = Number.isFinite(musicLoudness) ? toGain(loudness - 0.5 - musicLoudness) : 1
  const voices = spoken.map((one) => prepare(one, count))
  const { mix, gains } = music.room
  gains.fill(musicGain)
  for (const voice of voices) duck(gains, music.powers, musicGain, voice)
  multiply(music.left, gains, mix.left)
  multiply(music.right, gains, mix.right)
  for (const voice of voices) addVoice(mix, voice)

  const finalLoudness = integrated(powersOfMix(mix, music.powers, musicGain, voices))
  const gain = Number.isFinite(finalLoudness) ? toGain(Math.max(-6, Math.min(6, loudness - finalLoudness))) : 1
  scale(mix.left, gain)
  scale(mix.right, gain)
  limit(mix, ceiling)
  return interleaved(mix)
}

function multiply(samples: Float32Array, gains: Float32Array, to: Float32Array): void {
  for (let index = 0; index < to.length; index++) to[index] = (samples[index] as number) * (gains[index] as number)
}

function scale(samples: Float32Array, gain: number): void {
  for (let index = 0; index < samples.length; index++) samples[index] = (samples[index] as number) * gain
}

function interleaved({ left, right }: Stereo): Float32Array {
  const both = new Float32Array(left.length * 2)
  for (let index = 0; index < left.length; index++) {
    both[index * 2] = left[index] as number
    both[index * 2 + 1] = right[index] as number
  }
  return both
}

/** The mix is measured again only around the voices: elsewhere it is the music, softer or louder as a whole. */
function powersOfMix(mix: Stereo, musicPowers: Float64Array, musicGain: number, voices: Voice[]): Float64Array {
  const step = sampleRate / 10
  const powers = musicPowers.map((power) => power * musicGain * musicGain)
  for (const { start, end } of voices) {
    const first = Math.max(0, Math.floor((start - attackSeconds * sampleRate) / step) - 1)
    const last = Math.min(powers.length, Math.ceil((end + Math.max(releaseSeconds, tailSeconds) * sampleRate) / step))
    // One step more before, for the filters to settle.
    const from = Math.max(0, first - 1)
    const part = weightedPower({
      left: mix.left.subarray(from * step, last * step),
      right: mix.right.subarray(from * step, last * step),
    })
    for (let index = first; index < last; index++) powers[index] = part[index - from] ?? 0
  }
  return powers
}

interface Voice {
  /** first and last sample in the video */
  start: number
  end: number
  duckDecibels: number
  samples: Float32Array
}

/** At our rate, without rumble, at its loudness. */
function prepare({ at, duckDecibels, sound }: Spoken, count: number): Voice {
  const samples = Float32Array.from(resampled(sound, sampleRate).samples)
  const start = Math.round(at * sampleRate)
  if (start + samples.length > count)
    throw new TooLong(
      `what is spoken takes ${(samples.length / sampleRate).toFixed(1)} s, the video ends ` +
        `${((count - start) / sampleRate).toFixed(1)} s after it begins`,
    )
  filter(samples, highPass(sampleRate, 85))
  filter(samples, bell(sampleRate, 3_200, 1.5, 0.9))
  const now = integrated(weightedPower({ left: samples, right: samples }))
  const gain = Number.isFinite(now) ? toGain(voiceLoudness - now) : 1
  for (let index = 0; index < samples.length; index++) samples[index] = (samples[index] as number) * gain
  return { start, end: start + samples.length, duckDecibels, samples }
}

/** Turns the music down around the voice: as far as the template asks, and farther where the music is loud there. */
function duck(
  gains: Float32Array,
  musicPowers: Float64Array,
  musicGain: number,
  { start, end, duckDecibels }: Voice,
): void {
  const step = sampleRate / 10
  const under =
    plainLoudness(
      musicPowers.slice(Math.floor(start / step), Math.max(Math.floor(start / step) + 1, Math.ceil(end / step))),
    ) +
    20 * Math.log10(musicGain)
  const depth = Math.min(34, Math.max(duckDecibels, Number.isFinite(under) ? under + clearance - voiceLoudness : 0))
  const attack = attackSeconds * sampleRate
  const release = releaseSeconds * sampleRate
  for (let index = Math.max(0, Math.floor(start - attack)); index < Math.min(gains.length, end + release); index++) {
    const share = index < start ? (index - (start - attack)) / attack : index < end ? 1 : 1 - (index - end) / release
    const eased = share * share * (3 - 2 * share)
    gains[index] = Math.min(gains[index] as number, musicGain * toGain(-depth * eased))
  }
}

/** The voice in the middle, and behind it the soft answer of a small room, different on each side. */
function addVoice(mix: Stereo, { start, samples }: Voice): void {
  const tail = Math.round(sampleRate * tailSeconds)
  for (const [channel, spread] of [
    [mix.left, 0],
    [mix.right, 37],
  ] as const) {
    const room = reverberated(samples, tail, spread)
    for (let index = 0; index < room.length && start + index < channel.length; index++) {
      channel[start + index] =
        (channel[start + index] as number) + (samples[index] ?? 0) + (room[index] as number) * 0.11
    }
  }
}

/** Four damped echoes in a loop and two that blur them, after Schroeder. */
function reverberated(samples: Float32Array, tail: number, spread: number): Float32Array {
  const length = samples.length + tail
  const wet = new Float32Array(length)
  for (const delay of [1_687, 1_811, 2_053, 2_251]) {
    const line = new Float32Array(delay + spread)
    let place = 0
    let damped = 0
    for (let index = 0; index < length; index++) {
      const out = line[place] as number
      damped = out * 0.62 + damped * 0.38
      line[place] = (samples[index - 720] ?? 0) * 0.25 + damped * 0.8
      wet[index] = (wet[index] as number) + out
      place = place + 1 === line.length ? 0 : place + 1
    }
  }
  for (const delay of [347, 113]) {
    const line = new Float32Array(delay + spread)
    let place = 0
    for (let index = 0; index < length; index++) {
      const echo = line[place] as number
      const value = (wet[index] as number) + echo * 0.5
      line[place] = value
      wet[index] = echo - value * 0.5
      place = place + 1 === line.length ? 0 : place + 1
    }
  }
  return wet
}
