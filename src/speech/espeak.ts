/**
 * The bundled eSpeak NG, compiled to WebAssembly (`@echogarden/espeak-ng-emscripten`, an optional dependency under the
 * GPL). It lives in a process of its own, which is kept: loading takes longer than a sentence.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { AssetFault, Outage } from '../errors.ts'
import { startResidentProcess, type ResidentProcess } from '../resident-process.ts'
import type { FromEspeak, ToEspeak } from './espeak-process.ts'
import { bell, filter, highPass, highShelf, SoundTooLong } from '../audio/sound.ts'
import type { Sound } from '../audio/sound.ts'
import type { Engine } from './engine.ts'

const packageName = '@echogarden/espeak-ng-emscripten'

/** Slower than its habit and a little higher: warmer, and names are understood. Words a minute; 0 to 99; 0 to 99. */
const delivery = { rate: 132, pitch: 52, range: 62 }

/** What is added to the language when no voice is named: a female timbre with little buzz. */
const variant = 'f4'

/** A sentence takes a tenth of a second; a process that is silent for so long hangs. Loading included. */
const answerMs = 20_000

/** @throws Outage 'voice' when the package is not installed */
export async function openEspeak(voice: Config['voice']): Promise<Engine> {
  const version = installedVersion()
  let running: Running | undefined
  const start = () => {
    running ??= run(() => {
      running = undefined
    })
    return running
  }
  const voiceOf = (language: string) => voice.voice ?? `${language.toLowerCase()}+${variant}`
  return {
    identity: (language) => `${version}:${voiceOf(language)}:${Object.values(delivery).join(',')}:soft1`,
    speak: async (text, language, signal) => {
      const { samples, rate } = await start().ask({ text, voice: voiceOf(language), ...delivery }, signal)
      return softened({ samples, rate })
    },
    close: async () => running?.stop(),
  }
}

function installedVersion(): string {
  try {
    const file = createRequire(import.meta.url).resolve(`${packageName}/package.json`)
    return (JSON.parse(readFileSync(join(file), 'utf8')) as { version: string }).version
  } catch {
    throw new Outage(
      'voice',
      `The bundled voice is not installed: the optional package ${packageName} is missing. Run ` +
        '`npm install` with optional dependencies, or choose another voice with TTS (piper, http).',
    )
  }
}

/** Takes away the buzz and the sharp edges, gives it some chest. */
function softened({ samples, rate }: Sound): Sound {
  filter(samples, highPass(rate, 90))
  filter(samples, bell(rate, 260, 2.5, 0.8))
  filter(samples, bell(rate, 3_600, -3, 1.1))
  filter(samples, highShelf(rate, 6_000, -5))
  return { samples, rate }
}

interface Running {
  ask(question: Omit<ToEspeak, 'id'>, signal: AbortSignal): Promise<Sound>
  stop(): Promise<void>
}

function run(onGone: () => void): Running {
  const resident = startResidentProcess<ToEspeak, FromEspeak>('speech/espeak-process', { gone: onGone })
  return { ask: (question, signal) => ask(resident, question, signal), stop: resident.stop }
}

function ask(
  resident: ResidentProcess<ToEspeak, FromEspeak>,
  question: Omit<ToEspeak, 'id'>,
  signal: AbortSignal,
): Promise<Sound> {
  signal.throwIfAborted()
  return new Promise<Sound>((done, fail) => {
    const end = (then: () => void) => {
      clearTimeout(limit)
      signal.removeEventListener('abort', onAbort)
      close()
      then()
    }
    const failed = (error: Error) => end(() => fail(error))
    const limit = setTimeout(() => {
      resident.kill()
      failed(new Outage('voice', `The bundled voice gave no answer for ${answerMs / 1000} s; it is started again.`))
    }, answerMs)
    const onAbort = () => failed(signal.reason as Error)
    signal.addEventListener('abort', onAbort, { once: true })
    const { id, close } = resident.begin({
      onAnswer: (answer) => {
        if (answer.kind === 'sound') end(() => done({ samples: answer.samples, rate: answer.rate }))
        else failed(faultOf(answer))
      },
      onGone: () =>
        failed(
          new Outage(
            'voice',
            'The process of the bundled voice ended unexpectedly; it is started again for the next greeting.',
          ),
        ),
    })
    resident.send({ id, ...question })
  })
}

/** What an answer without a sound means. */
function faultOf(answer: Exclude<FromEspeak, { kind: 'sound' }>): Error {
  switch (answer.kind) {
    case 'too long':
      return new SoundTooLong()
    case 'broken':
      return new Outage(
        'voice',
        `The bundled voice cannot be loaded: ${answer.message}. Reinstall ${packageName}, or ` +
          'choose another voice with TTS.',
      )
    case 'failed':
      return new AssetFault(
        'voice',
        'The bundled voice cannot read this greeting. Give another spelling in the "say" column.',
      )
  }
}
