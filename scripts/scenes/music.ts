/**
 * The music of the clip: a lullaby in D for music box, strings and bells, with wind before it and a
 * chime when the name is touched. Composed for this clip, synthesised here, note by note.
 *
 * Three beats in two seconds: bar n begins at 2(n − 1) seconds. Bars 5 and 6 leave room for the voice.
 */
import { clamp, mix, smooth } from './ease.ts'
import { seconds } from './clip.ts'
import { between, random } from './random.ts'

export const sampleRate = 44_100
const length = seconds * sampleRate
const beat = 2 / 3

type Track = { left: Float32Array; right: Float32Array }

function newTrack(): Track {
  return { left: new Float32Array(length), right: new Float32Array(length) }
}

const steps: Record<string, number> = { C: 0, D: 2, E: 4, F: 5, G: 7, A: 9, B: 11 }

/** Hertz of a note as written: `F#5`, A4 = 440. */
function pitch(note: string): number {
  const sharp = note.includes('#') ? 1 : 0
  const number = (steps[note[0] as string] as number) + sharp + (Number(note.at(-1)) + 1) * 12
  return 440 * 2 ** ((number - 69) / 12)
}

function add(track: Track, at: number, lasts: number, pan: number, wave: (time: number) => number): void {
  const first = Math.round(at * sampleRate)
  const last = Math.min(length, first + Math.round(lasts * sampleRate))
  const left = Math.cos((pan + 1) * (Math.PI / 4))
  const right = Math.sin((pan + 1) * (Math.PI / 4))
  for (let sample = Math.max(0, first); sample < last; sample++) {
    const value = wave((sample - first) / sampleRate)
    track.left[sample]! += value * left
    track.right[sample]! += value * right
  }
}

/** Partials of a struck thing: ratio to the fundamental, loudness, seconds to fade to a third. */
type Partials = readonly (readonly [number, number, number])[]

function strike(
  track: Track,
  at: number,
  frequency: number,
  loud: number,
  pan: number,
  partials: Partials,
  attack = 0.002,
): void {
  const lasts = Math.max(...partials.map(([, , fade]) => fade)) * 6.5
  const parts = partials
    .filter(([ratio]) => frequency * ratio < 16_000)
    .map(([ratio, part, fade], index) => ({ turn: 2 * Math.PI * frequency * ratio, part, fade, phase: index * 1.3 }))
  add(track, at, lasts, pan, (time) => {
    let sum = 0
    for (const { turn, part, fade, phase } of parts)
      sum += part * Math.exp(-time / fade) * Math.sin(turn * time + phase)
    return sum * loud * Math.min(1, time / attack) * clamp((lasts - time) / 0.05)
  })
}

function musicBox(track: Track, at: number, note: string, loud: number, pan = 0): void {
  const frequency = pitch(note)
  const ring = 0.62 * (660 / frequency) ** 0.35
  strike(track, at, frequency, loud, pan, [
    [1, 1, ring],
    [1.0012, 0.35, ring * 1.1],
    [2.003, 0.3, ring * 0.5],
    [3.01, 0.1, ring * 0.3],
    [6.27, 0.09, 0.05],
    [9.1, 0.03, 0.02],
  ])
}

function bell(track: Track, at: number, note: string, loud: number, pan = 0): void {
  strike(
    track,
    at,
    pitch(note),
    loud,
    pan,
    [
      [0.5, 0.25, 1.8],
      [1, 0.8, 1.35],
      [1.003, 0.4, 1.5],
      [2, 0.35, 0.8],
      [2.76, 0.22, 0.42],
      [4.07, 0.12, 0.25],
      [5.4, 0.07, 0.14],
    ],
    0.004,
  )
}

function glass(track: Track, at: number, note: string, loud: number, pan = 0): void {
  strike(
    track,
    at,
    pitch(note),
    loud,
    pan,
    [
      [1, 1, 0.7],
      [1.0025, 0.5, 0.8],
      [2.01, 0.18, 0.35],
      [2.93, 0.16, 0.22],
      [4.6, 0.06, 0.1],
    ],
    0.003,
  )
}

/** A saw without its harsh edge (the step is rounded over one sample each side). */
function saw(phase: number, step: number): number {
  let value = 2 * phase - 1
  if (phase < step) {
    const t = phase / step
    value -= t + t - t * t - 1
  } else if (phase > 1 - step) {
    const t = (phase - 1) / step
    value -= t * t + t + t + 1
  }
  return value
}

/** A group of string players on one note: several saws, a little apart, darkened by a filter that opens slowly. */
function strings(
  track: Track,
  at: number,
  lasts: number,
  note: string,
  loud: number,
  bright: number,
  swell = 0.7,
): void {
  const frequency = pitch(note)
  const chance = random(Math.round(frequency * 100) + Math.round(at * 10))
  for (const pan of [-0.7, -0.25, 0.3, 0.75]) {
    const drift = 2 ** (between(chance, -7, 7) / 1200)
    const rate = between(chance, 4.6, 5.6)
    let phase = chance()
    let low = 0
    let lower = 0
    const release = 0.9
    add(track, at, lasts + release, pan, (time) => {
      const vibrato = 1 + 0.0028 * Math.sin(2 * Math.PI * rate * time) * smooth(0.3, 1.1, time)
      const step = (frequency * drift * vibrato) / sampleRate
      phase += step
      if (phase >= 1) phase -= 1
      const open = smooth(0, swell, time) * (1 - smooth(lasts, lasts + release, time))
      const cutoff = 1 - Math.exp((-2 * Math.PI * bright * (0.35 + 0.65 * open)) / sampleRate)
      low += (saw(phase, step) - low) * cutoff
      lower += (low - lower) * cutoff
      return lower * open * loud * 0.5
    })
  }
}

/** Wind: noise through a slow, wandering resonance. */
function wind(track: Track): void {
  const chance = random(201)
  for (const side of [track.left, track.right]) {
    const phase = chance() * 6
    let low = 0
    let band = 0
    for (let sample = 0; sample < length; sample++) {
      const time = sample / sampleRate
      const gust = 0.55 + 0.3 * Math.sin(time * 0.9 + phase) + 0.15 * Math.sin(time * 2.3 + phase * 2)
      const centre = 340 + 300 * gust
      const tune = 2 * Math.sin((Math.PI * centre) / sampleRate)
      const high = (chance() * 2 - 1) * 0.5 - low - 0.5 * band
      band += tune * high
      low += tune * band
      const level =
        smooth(0, 1.2, time) * (1 - smooth(3.6, 7, time) * 0.86) * (1 - smooth(8, 8.6, time) * 0.6) +
        0.3 * smooth(15.5, 18, time)
      side[sample]! += band * gust * level * 0.13
    }
  }
}

/** A breath on the glass. */
function breath(track: Track, at: number): void {
  const chance = random(211)
  let low = 0
  let soft = 0
  let dull = 0
  add(track, at, 1.7, 0, (time) => {
    low += (chance() * 2 - 1 - low) * 0.09
    soft += (low - soft) * 0.12
    dull += (soft - dull) * 0.03
    return (soft - dull) * 0.16 * smooth(0, 0.55, time) * (1 - smooth(0.6, 1.6, time))
  })
}

/** Small sleigh bells, far away. */
function jingle(track: Track, at: number, loud: number): void {
  const chance = random(Math.round(at * 1000))
  for (let one = 0; one < 5; one++) {
    const frequency = between(chance, 4200, 7800)
    strike(
      track,
      at + between(chance, 0, 0.03),
      frequency,
      loud * between(chance, 0.5, 1),
      between(chance, -0.7, 0.7),
      [
        [1, 1, 0.05],
        [1.34, 0.5, 0.035],
      ],
      0.001,
    )
  }
}

/** A hall: eight delays that feed each other, each pass a little duller. */
function reverberate(dry: Track, wet: number, decay: number): Track {
  const sizes = [1423, 1637, 1877, 2083, 2311, 2593, 2861, 3163]
  const lines = sizes.map((size) => new Float32Array(size))
  const places = sizes.map(() => 0)
  const dull = new Float32Array(8)
  const gains = sizes.map((size) => 10 ** ((-3 * size) / sampleRate / decay))
  const out = newTrack()
  const early = Math.round(0.018 * sampleRate)
  const heard = new Float32Array(8)
  for (let sample = 0; sample < length; sample++) {
    const from = sample - early
    const left = from >= 0 ? dry.left[from]! : 0
    const right = from >= 0 ? dry.right[from]! : 0
    let sum = 0
    for (let line = 0; line < 8; line++) {
      const value = lines[line]![places[line]!]!
      dull[line] = dull[line]! + (value - dull[line]!) * 0.42
      heard[line] = dull[line]! * gains[line]!
      sum += heard[line]!
    }
    // A householder mix: every line hears all others.
    for (let line = 0; line < 8; line++) {
      lines[line]![places[line]!] = (line % 2 ? right : left) * 0.5 + heard[line]! - sum * 0.25
      places[line] = (places[line]! + 1) % sizes[line]!
    }
    out.left[sample] = dry.left[sample]! + wet * (heard[0]! + heard[2]! - heard[4]! + heard[6]!)
    out.right[sample] = dry.right[sample]! + wet * (heard[1]! + heard[3]! - heard[5]! + heard[7]!)
  }
  return out
}

/** When a beat of a bar sounds, counted from 1, with a player's small freedom. */
function moment(bar: number, count: number): number {
  return (bar - 1) * 2 + (count - 1) * beat
}

type Note = readonly [bar: number, count: number, note: string, loud: number]

const melody: Note[] = [
  [1, 1.6, 'F#5', 0.5],
  [1, 3, 'A5', 0.62],
  [2, 1, 'D6', 0.8],
  [2, 2.5, 'C#6', 0.6],
  [2, 3, 'A5', 0.62],
  [3, 1, 'B5', 0.78],
  [3, 2.5, 'A5', 0.58],
  [3, 3, 'G5', 0.62],
  [4, 1, 'A5', 0.8],
  [4, 3, 'E5', 0.56],
  [5, 1, 'F#5', 0.42],
  [6, 1, 'G5', 0.34],
  [6, 3, 'A5', 0.4],
  [6, 3.5, 'B5', 0.5],
  [7, 1, 'D6', 0.9],
  [7, 2, 'F#6', 0.95],
  [7, 3.5, 'E6', 0.72],
  [8, 1, 'D6', 0.9],
  [8, 2.5, 'C#6', 0.7],
  [8, 3, 'B5', 0.78],
  [9, 1, 'A5', 0.7],
  [9, 1.5, 'D6', 0.76],
  [9, 2, 'F#6', 0.88],
  [9, 3, 'E6', 0.76],
  [10, 1.06, 'D6', 0.86],
]

/** The rocking left hand of the music box. */
const below: Note[] = [
  [2, 1, 'B4', 0.3],
  [2, 2, 'F#5', 0.22],
  [3, 1, 'G4', 0.32],
  [3, 2, 'D5', 0.26],
  [3, 3, 'B4', 0.2],
  [4, 1, 'A4', 0.34],
  [4, 1.5, 'E5', 0.22],
  [4, 2, 'D5', 0.26],
  [4, 2.5, 'E5', 0.2],
  [4, 3, 'C#5', 0.28],
  [7, 1, 'D4', 0.42],
  [7, 1.5, 'A4', 0.3],
  [7, 2, 'D5', 0.32],
  [7, 2.5, 'A4', 0.28],
  [7, 3, 'F#4', 0.3],
  [7, 3.5, 'A4', 0.26],
  [8, 1, 'G4', 0.42],
  [8, 1.5, 'D5', 0.3],
  [8, 2, 'G5', 0.32],
  [8, 2.5, 'D5', 0.28],
  [8, 3, 'B4', 0.3],
  [8, 3.5, 'D5', 0.26],
  [9, 1, 'A4', 0.42],
  [9, 1.5, 'F#5', 0.28],
  [9, 2, 'D5', 0.3],
  [9, 2.5, 'A4', 0.26],
  [9, 3, 'C#5', 0.32],
  [9, 3.5, 'G5', 0.24],
  [10, 1, 'D4', 0.4],
  [10, 1.16, 'A4', 0.34],
  [10, 1.32, 'D5', 0.34],
  [10, 1.48, 'F#5', 0.34],
  [10, 1.66, 'A5', 0.3],
  [10, 2.5, 'D7', 0.14],
  [10, 3, 'A6', 0.1],
]

/** Chords of the strings: bar and beat, beats long, notes, loudness, brightness in hertz. */
const chords: readonly (readonly [number, number, number, string, number, number])[] = [
  [2, 2, 2, 'B2 F#3 D4', 0.32, 700],
  [3, 1, 3, 'G2 D3 B3 D4', 0.46, 850],
  [4, 1, 1.6, 'A2 E3 A3 D4', 0.54, 950],
  [4, 2.5, 1.5, 'A2 E3 A3 C#4', 0.52, 950],
  [5, 1, 3, 'F#2 D3 A3 D4', 0.4, 720],
  [6, 1, 2, 'E2 B2 G3 D4', 0.38, 720],
  [6, 3, 1, 'A2 E3 G3 C#4', 0.46, 950],
  [7, 1, 3, 'D2 A2 D3 A3 F#4 A4', 0.54, 2400],
  [8, 1, 3, 'G2 D3 G3 B3 D4 B4', 0.55, 2400],
  [9, 1, 2, 'A2 D3 A3 D4 F#4 A4', 0.54, 2200],
  [9, 3, 1, 'A2 E3 G3 C#4 E4 G4', 0.54, 2200],
  [10, 1, 2, 'D2 A2 D3 A3 D4 F#4', 0.54, 1200],
]

/** The whole piece, stereo, samples interleaved, exactly as long as the clip. */
export function composeMusic(): Float32Array {
  const chance = random(221)
  const struck = newTrack()
  const bowed = newTrack()
  const air = newTrack()
  const human = () => between(chance, -0.006, 0.006)

  for (const [bar, count, note, loud] of melody) musicBox(struck, moment(bar, count) + human(), note, loud * 0.2, 0.12)
  for (const [bar, count, note, loud] of below) musicBox(struck, moment(bar, count) + human(), note, loud * 0.2, -0.22)

  for (const [bar, count, beats, notes, loud, bright] of chords) {
    const names = notes.split(' ')
    for (const [index, note] of names.entries())
      strings(
        bowed,
        moment(bar, count) - 0.12,
        beats * beat,
        note,
        loud * (index === 0 ? 0.075 : 0.085),
        bright,
        bar === 7 ? 0.4 : 0.7,
      )
  }

  // The chime of the touch, and a glimmer that follows the writing.
  for (const [index, note] of ['A5', 'D6', 'F#6', 'A6', 'D7'].entries())
    glass(struck, nameTouch + index * 0.055, note, 0.085 - index * 0.009, -0.3 + index * 0.15)
  const glimmer = ['D7', 'E7', 'F#7', 'A7', 'B6', 'A6', 'F#6']
  for (let at = nameTouch + 0.35; at < nameTouch + 1.6; at += between(chance, 0.06, 0.13)) {
    glass(
      struck,
      at,
      glimmer[Math.floor(chance() * glimmer.length)] as string,
      0.016 * (1 - smooth(nameTouch + 0.6, nameTouch + 1.6, at) * 0.7),
      mix(-0.6, 0.6, (at - nameTouch) / 1.6),
    )
  }

  // The glass clears: a run upwards into the seventh bar.
  for (const [index, note] of ['A4', 'B4', 'D5', 'E5', 'F#5', 'A5', 'B5', 'D6', 'E6', 'F#6', 'A6'].entries())
    musicBox(struck, 11.42 + index * 0.052, note, 0.03 + index * 0.006, -0.5 + index * 0.1)

  for (const [bar, count, note, loud, pan] of [
    [7, 1, 'D5', 1, 0],
    [7, 1, 'F#5', 0.7, 0.3],
    [7, 2, 'A5', 0.5, -0.3],
    [8, 1, 'G4', 0.9, 0],
    [8, 1, 'D5', 0.7, 0.3],
    [8, 3, 'B5', 0.4, -0.3],
    [9, 1, 'A4', 0.8, 0],
    [9, 2, 'F#5', 0.5, 0.3],
    [9, 3, 'C#5', 0.5, -0.2],
    [10, 1, 'D5', 0.9, 0],
    [10, 1, 'D4', 0.6, 0],
  ] as const) {
    bell(struck, moment(bar, count) + human(), note, loud * 0.085, pan)
  }
  for (let bar = 7; bar <= 9; bar++) {
    for (const [count, loud] of [
      [1, 1],
      [1.5, 0.5],
      [2, 0.75],
      [2.5, 0.45],
      [3, 0.75],
      [3.5, 0.5],
    ] as const)
      jingle(struck, moment(bar, count) + human(), loud * 0.012)
  }

  wind(air)
  breath(air, 6.05)

  const dry = newTrack()
  for (let sample = 0; sample < length; sample++) {
    dry.left[sample] = struck.left[sample]! + bowed.left[sample]! * 1.25 + air.left[sample]! * 0.9
    dry.right[sample] = struck.right[sample]! + bowed.right[sample]! * 1.25 + air.right[sample]! * 0.9
  }
  const hall = reverberate(dry, 0.5, 2.4)
  const out = new Float32Array(length * 2)
  for (let sample = 0; sample < length; sample++) {
    const time = sample / sampleRate
    const fade = smooth(0, 0.25, time) * (1 - smooth(18.4, 19.93, time))
    out[sample * 2] = Math.tanh(hall.left[sample]! * loudness) * fade
    out[sample * 2 + 1] = Math.tanh(hall.right[sample]! * loudness) * fade
  }
  return out
}

/** Seconds at which the fingertip touches the glass: the start of the window and the manifest's `entrance.after`. */
const nameTouch = 8.15
/** Brings the whole to about −19 LUFS. */
const loudness = 1.25
