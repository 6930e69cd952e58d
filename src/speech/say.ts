/**
 * The voice of the operating system, on macOS and Windows, through the package `say`. On macOS it hands the text to the
 * system's program as an argument: the one place where a name appears in a list of processes.
 */
import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { SpawnOptions } from 'node:child_process'
import say from 'say'
import { childEnvironment } from '../child-environment.ts'
import type { Config } from '../config.ts'
import { AssetFault, Outage } from '../errors.ts'
import { readWavFile, SoundTooLong } from '../audio/sound.ts'
import type { Engine } from './engine.ts'

const timeoutMs = 60_000

/** macOS speaks a language only with a voice of that language. */
const macVoices: Record<string, string> = { ru: 'Milena', en: 'Samantha', uk: 'Lesya' }

/** @throws Outage 'voice' on a platform without such a voice */
export async function openSay(voice: Config['voice'], workFolder: string): Promise<Engine> {
  const { platform } = process
  if (platform !== 'darwin' && platform !== 'win32')
    throw new Outage('voice', 'TTS=say works on macOS and Windows only. Use TTS=auto, espeak, piper or http.')
  if (voice.voice !== undefined && !/^[\p{L}\p{N} ()._-]{1,60}$/u.test(voice.voice))
    throw new Outage(
      'voice',
      'TTS_VOICE must be the name of an installed voice: letters, digits, blanks, brackets, dots and hyphens.',
    )
  withoutSecrets()
  const voiceOf = (language: string) =>
    voice.voice ?? (platform === 'darwin' ? macVoices[language.slice(0, 2)] : undefined)
  return {
    identity: (language) => `${platform}:${voiceOf(language) ?? 'default'}`,
    speak: async (text, language, signal) => {
      signal.throwIfAborted()
      const file = join(workFolder, `speech-${randomUUID()}.wav`)
      try {
        await exported(text, voiceOf(language), file, signal)
        return await readWavFile(file)
      } catch (error) {
        if (error instanceof Outage || error instanceof SoundTooLong || signal.aborted) throw error
        // The system's own message may repeat the text.
        throw new AssetFault(
          'voice',
          "The system's voice made no sound of this greeting. Check that the voice " +
            `"${voiceOf(language) ?? 'default'}" is installed, or set TTS_VOICE.`,
        )
      } finally {
        await rm(file, { force: true })
      }
    },
    close: async () => undefined,
  }
}

/** What the package keeps to itself: the program it is about to start. */
type Exporter = typeof say & { buildExportCommand(wanted: object): { options: SpawnOptions } }

/** The package starts its program with the whole of our environment, unless told otherwise here. */
function withoutSecrets(): void {
  const exporter = say as Exporter
  const build = (Object.getPrototypeOf(exporter) as Exporter).buildExportCommand
  exporter.buildExportCommand = (wanted) => {
    const command = build.call(exporter, wanted)
    return { ...command, options: { ...command.options, env: childEnvironment() } }
  }
}

/** A text that begins with a hyphen would be read as an option on macOS; a leading blank is not spoken. */
function exported(text: string, voice: string | undefined, file: string, signal: AbortSignal): Promise<void> {
  return new Promise((done, fail) => {
    const limit = setTimeout(
      () => fail(new Outage('voice', `The system's voice gave no answer for ${timeoutMs / 1000} s.`)),
      timeoutMs,
    )
    const onAbort = () => finish(() => fail(signal.reason as Error))
    const finish = (then: () => void) => {
      clearTimeout(limit)
      signal.removeEventListener('abort', onAbort)
      then()
    }
    signal.addEventListener('abort', onAbort, { once: true })
    say.export(` ${text}`, voice, 0.92, file, (error) => finish(() => (error ? fail(new Error('say failed')) : done())))
  })
}
