/** Piper, a neural voice that runs on this host. The text goes in by stdin, the sound comes out as a file. */
import { spawn } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { childEnvironment } from '../child-environment.ts'
import type { Config } from '../config.ts'
import { AssetFault, Outage } from '../errors.ts'
import { killGroup } from '../process-group.ts'
import { largestSoundBytes, readWavFile, SoundTooLong } from '../audio/sound.ts'
import type { Engine } from './engine.ts'

const timeoutMs = 60_000

/** @throws Outage 'voice' when no model is configured or it cannot be read */
export async function openPiper(voice: Config['voice'], workFolder: string): Promise<Engine> {
  const program = voice.piperPath ?? 'piper'
  const model = voice.piperModel
  if (model === undefined)
    throw new Outage('voice', 'PIPER_MODEL is missing. TTS=piper needs the path of a voice model (.onnx).')
  const content = await hashOf(model)
  return {
    identity: () => `${basename(model)}:${content}:${voice.voice ?? ''}`,
    speak: async (text, _language, signal) => {
      const file = join(workFolder, `speech-${randomUUID()}.wav`)
      try {
        await run(
          program,
          ['--model', model, '--output_file', file, ...(voice.voice === undefined ? [] : ['--speaker', voice.voice])],
          text,
          file,
          signal,
        )
        return await readWavFile(file)
      } catch (error) {
        if (error instanceof Outage || error instanceof SoundTooLong || signal.aborted) throw error
        throw new AssetFault(
          'voice',
          'Piper made no sound of this greeting. Give another spelling in the "say" column.',
          { cause: error },
        )
      } finally {
        await rm(file, { force: true })
      }
    },
    close: async () => undefined,
  }
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  } catch (error) {
    throw new Outage(
      'voice',
      `PIPER_MODEL names ${file}, which cannot be read (${(error as NodeJS.ErrnoException).code ?? 'no code'}).`,
    )
  }
  return hash.digest('hex').slice(0, 16)
}

/**
 * Runs to its end in a process group of its own, with the text on its input; what it
 * prints is dropped, for it may repeat the text.
 */
function run(program: string, args: string[], text: string, file: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  return new Promise((done, fail) => {
    const child = spawn(program, args, {
      env: childEnvironment(),
      detached: process.platform !== 'win32',
      windowsHide: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    const kill = () => killGroup(child.pid)
    const limit = AbortSignal.timeout(timeoutMs)
    const tooLong = new AbortController()
    const either = AbortSignal.any([signal, limit, tooLong.signal])
    // One that never stops would fill the disk before its time is up.
    const watch = setInterval(
      () =>
        void stat(file).then(
          ({ size }) => size > largestSoundBytes && tooLong.abort(),
          () => undefined,
        ),
      200,
    )
    either.addEventListener('abort', kill, { once: true })
    child.once('error', (error: NodeJS.ErrnoException) =>
      fail(new Outage('voice', `Piper cannot be started (${error.code ?? 'no code'}). Install it, or set PIPER_PATH.`)),
    )
    child.once('close', (code) => {
      either.removeEventListener('abort', kill)
      clearInterval(watch)
      if (signal.aborted) fail(signal.reason as Error)
      else if (tooLong.signal.aborted) fail(new SoundTooLong())
      else if (limit.aborted) fail(new Outage('voice', `Piper gave no answer for ${timeoutMs / 1000} s.`))
      else if (code === 0) done()
      else fail(new Error(`piper ended with ${code}`))
    })
    child.stdin.on('error', () => undefined)
    // One line is one sentence.
    child.stdin.end(`${text.replace(/\s+/g, ' ')}\n`)
  })
}
