/** The engines of the voice, seen from outside. */
import type { Sound } from '../audio/sound.ts'

/** What an engine must do. */
export interface Engine {
  /**
   * the engine, its version, its voice for this language and how it is
   * set: whatever changes the sound, and nothing else
   */
  identity(language: string): string
  /**
   * The sentence as it comes out of the engine.
   * @throws Outage 'voice' when the engine is out of order; AssetFault
   * 'voice' when it fails on this sentence; SoundTooLong
   */
  speak(text: string, language: string, signal: AbortSignal): Promise<Sound>
  close(): Promise<void>
}
