/**
 * The bundled eSpeak NG, compiled to WebAssembly (`@echogarden/espeak-ng-emscripten`, an optional dependency under the
 * GPL). It lives in a process of its own, which is kept: loading takes longer than a sentence.
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { childEnvironment } from '../child-environment.ts'
import type { Config } from '../config.ts'
import { AssetFault, Outage } from '../errors.ts'
import { builtScript } from '../installation.ts'
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
      `The bundled voice is not installed: the optional package ${packageName} is missing. Run \`npm install\` with optional dependencies, or choose another voice with TTS (piper, http).`,
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
  // A group of its own: Ctrl-C in a terminal reaches us, and we decide. It leaves when our end of the channel closes.
  const child = fork(builtScript('speech/espeak-process'), [], {
    env: childEnvironment(),
    detached: true,
    serialization: 'advanced',
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const open = new Map<number, { done: (sound: Sound) => void; fail: (error: Error) => void }>()
  let nextId = 1
  const gone = new Promise<void>((resolve) => {
    const end = () => {
      onGone()
      for (const { fail } of open.values())
        fail(
          new Outage(
            'voice',
            'The process of the bundled voice ended unexpectedly; it is started again for the next greeting.',
          ),
        )
      open.clear()
      resolve()
    }
    child.once('exit', end)
    child.once('error', end)
  })
  child.on('message', (answer: FromEspeak) => {
    const waiting = open.get(answer.id)
    open.delete(answer.id)
    settle(child, open.size)
    if (waiting === undefined) return
    if (answer.kind === 'sound') waiting.done({ samples: answer.samples, rate: answer.rate })
    else if (answer.kind === 'too long') waiting.fail(new SoundTooLong())
    else if (answer.kind === 'broken')
      waiting.fail(
        new Outage(
          'voice',
          `The bundled voice cannot be loaded: ${answer.message}. Reinstall ${packageName}, or choose another voice with TTS.`,
        ),
      )
    else
      waiting.fail(
        new AssetFault(
          'voice',
          'The bundled voice cannot read this greeting. Give another spelling in the "say" column.',
        ),
      )
  })
  settle(child, 0)
  return {
    ask: (question, signal) => {
      signal.throwIfAborted()
      const id = nextId++
      return new Promise<Sound>((done, fail) => {
        const clean = () => {
          clearTimeout(limit)
          signal.removeEventListener('abort', onAbort)
          open.delete(id)
          settle(child, open.size)
        }
        const limit = setTimeout(() => {
          clean()
          child.kill('SIGKILL')
          fail(new Outage('voice', `The bundled voice gave no answer for ${answerMs / 1000} s; it is started again.`))
        }, answerMs)
        const onAbort = () => {
          clean()
          fail(signal.reason as Error)
        }
        signal.addEventListener('abort', onAbort, { once: true })
        open.set(id, {
          done: (sound) => {
            clean()
            done(sound)
          },
          fail: (error) => {
            clean()
            fail(error)
          },
        })
        settle(child, open.size)
        child.send({ id, ...question } satisfies ToEspeak)
      })
    },
    stop: async () => {
      if (child.connected) child.disconnect()
      child.ref()
      await gone
    },
  }
}

/** Keeps this program alive only while an answer is due. */
function settle(child: ChildProcess, waiting: number): void {
  if (waiting > 0) {
    child.ref()
    child.channel?.ref()
  } else {
    child.unref()
    child.channel?.unref()
  }
}
