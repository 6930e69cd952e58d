/**
 * The voice: turns a sentence into sound, by the engine the configuration names. A sentence reaches every engine as
 * plain text through a pipe, a file or the body of a request, never as an argument (`say` on macOS is the exception).
 */
import type { Config } from '../config.ts'
import { AssetFault } from '../errors.ts'
import { keyJoint, partsOfDisplay, spokenTogether } from '../names/set.ts'
import { openEspeak } from './espeak.ts'
import { openHttpVoice } from './http.ts'
import { openPiper } from './piper.ts'
import { openSay } from './say.ts'
import { SoundTooLong, trimmed } from '../audio/sound.ts'
import type { Sound } from '../audio/sound.ts'
import { yoSpelling } from '../names/yo.ts'
import { respelled } from './pronunciation.ts'
import type { Engine } from './engine.ts'

export interface Speaker {
  /** part of a video's revision: two equal ones make the same sound of the same sentence */
  identity(language: string): string
  /**
   * The sentence that is spoken for a name: `say` as the operator gave it, else the name as this engine says it best, with ё
   * where it is that name.
   */
  sentence(pattern: string, name: { display: string; say: string | null }, language: string): string
  /**
   * The sentence without silence around it.
   * @throws Outage 'voice'; AssetFault 'voice'; the signal's reason when aborted
   */
  speak(text: string, language: string, signal: AbortSignal): Promise<Sound>
  close(): Promise<void>
}

/** Which engine `auto` stands for on this platform. */
function resolvedEngine(
  engine: Config['voice']['engine'],
  platform: NodeJS.Platform = process.platform,
): Exclude<Config['voice']['engine'], 'auto'> {
  if (engine !== 'auto') return engine
  return platform === 'darwin' || platform === 'win32' ? 'say' : 'espeak'
}

/**
 * @param workFolder where an engine may put files for the time of one sentence
 * @throws Outage 'voice' when the engine is not there
 */
export async function openSpeaker(voice: Config['voice'], workFolder: string): Promise<Speaker> {
  const kind = resolvedEngine(voice.engine)
  const [engine, withYo] = await Promise.all([openEngine(kind, voice, workFolder), yoSpelling()])
  return {
    identity: (language) => `${kind}:${engine.identity(language)}`,
    sentence: (pattern, name, language) => {
      const spoken = spokenName(name, language, (display) => {
        const written = withYo(display)
        return kind === 'espeak' ? respelled(written, language) : written
      })
      // A function, for `$&` in a name must stay what it is.
      return pattern.replace('{name}', () => spoken)
    },
    speak: async (text, language, signal) => {
      const sound = trimmed(
        await engine.speak(text, language, signal).catch((error: unknown) => {
          throw error instanceof SoundTooLong
            ? new AssetFault(
                'voice',
                `What the voice says ${error.message}. Give another spelling in the "say" column, or check the voice.`,
              )
            : error
        }),
      )
      if (sound.samples.length < sound.rate * 0.15)
        throw new AssetFault(
          'voice',
          'The voice says nothing when it reads this greeting. Give another spelling in the "say" column.',
        )
      return sound
    },
    close: () => engine.close(),
  }
}

/** Of a set each part as its own video says it, or as the engine says it best, unless the set's `say` is a text of its own. */
function spokenName(
  { display, say }: { display: string; say: string | null },
  language: string,
  atBest: (display: string) => string,
): string {
  const parts = partsOfDisplay(display)
  if (parts === undefined) return say ?? atBest(display)
  const says = say?.split(keyJoint)
  if (says !== undefined && says.length !== parts.length) return say ?? ''
  return spokenTogether(
    parts.map((part, place) => says?.[place]?.trim() || atBest(part)),
    language,
  )
}

function openEngine(
  kind: ReturnType<typeof resolvedEngine>,
  voice: Config['voice'],
  workFolder: string,
): Promise<Engine> {
  switch (kind) {
    case 'say':
      return openSay(voice, workFolder)
    case 'espeak':
      return openEspeak(voice)
    case 'piper':
      return openPiper(voice, workFolder)
    case 'http':
      return openHttpVoice(voice)
  }
}
