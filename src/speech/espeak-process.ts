/** The resident process of the bundled voice, started by espeak.ts. It leaves when the channel to its parent closes. */
import { longestSpeech, SoundTooLong } from '../audio/sound.ts'

/** One sentence to be spoken. */
export interface ToEspeak {
  id: number
  text: string
  /** a voice of eSpeak NG, with a variant: `ru+f4` */
  voice: string
  rate: number
  pitch: number
  range: number
}

export type FromEspeak =
  | { id: number; kind: 'sound'; samples: Float32Array; rate: number }
  /** this sentence or voice cannot be spoken */
  | { id: number; kind: 'failed' }
  /** it would go on for longer than any greeting */
  | { id: number; kind: 'too long' }
  /** the engine itself cannot be loaded */
  | { id: number; kind: 'broken'; message: string }

/** The part of the package's interface that is used; it ships no types. */
interface Espeak {
  set_voice(name: string): number
  set_rate(wordsPerMinute: number): void
  set_pitch(pitch: number): void
  set_range(range: number): void
  get_samplerate(): number
  synthesize(text: string, onAudio: (samples: Int16Array | null) => boolean): void
}

let loading: Promise<Espeak> | undefined

process.on('disconnect', () => process.exit(0))
process.on('message', (question: ToEspeak) => void answer(question))

async function answer(question: ToEspeak): Promise<void> {
  let espeak: Espeak
  try {
    loading ??= load()
    espeak = await loading
  } catch (error) {
    loading = undefined
    send({ id: question.id, kind: 'broken', message: error instanceof Error ? error.message : 'unknown reason' })
    return
  }
  try {
    send({ id: question.id, kind: 'sound', samples: speak(espeak, question), rate: espeak.get_samplerate() })
  } catch (error) {
    send({ id: question.id, kind: error instanceof SoundTooLong ? 'too long' : 'failed' })
  }
}

async function load(): Promise<Espeak> {
  // The name is no literal, for the package is optional and has no types.
  const packageName: string = '@echogarden/espeak-ng-emscripten'
  const { default: initialise } = (await import(packageName)) as {
    default: () => Promise<{ eSpeakNGWorker: new () => Espeak }>
  }
  const { eSpeakNGWorker: Worker } = await initialise()
  return new Worker()
}

function speak(espeak: Espeak, { text, voice, rate, pitch, range }: ToEspeak): Float32Array {
  if (espeak.set_voice(voice) !== 0) throw new Error('no such voice')
  espeak.set_rate(rate)
  espeak.set_pitch(pitch)
  espeak.set_range(range)
  const chunks: Int16Array[] = []
  let length = 0
  espeak.synthesize(text, (samples) => {
    if (samples !== null) chunks.push(samples.slice())
    length += samples?.length ?? 0
    // `true` ends it.
    return length > longestSpeech * espeak.get_samplerate()
  })
  if (length > longestSpeech * espeak.get_samplerate()) throw new SoundTooLong()
  const all = new Float32Array(length)
  let at = 0
  for (const chunk of chunks) for (const sample of chunk) all[at++] = sample / 32_768
  return all
}

function send(message: FromEspeak): void {
  if (process.connected) process.send?.(message)
}
