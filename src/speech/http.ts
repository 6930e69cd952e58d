/** A voice behind an OpenAI-compatible `/v1/audio/speech` endpoint. */
import type { Config } from '../config.ts'
import { AssetFault, Outage } from '../errors.ts'
import { largestSoundBytes, readWav, SoundTooLong, WavFault } from '../audio/sound.ts'
import type { Engine } from './engine.ts'

const timeoutMs = 60_000

/** @throws Outage 'voice' when no address is configured */
export async function openHttpVoice(voice: Config['voice']): Promise<Engine> {
  if (voice.url === undefined)
    throw new Outage(
      'voice',
      'TTS_URL is missing. TTS=http needs the address of an OpenAI-compatible /v1/audio/speech endpoint.',
    )
  const url = endpoint(voice.url)
  const model = voice.model ?? 'tts-1'
  const name = voice.voice ?? 'nova'
  return {
    // Another server may speak differently under the same names; another key does not.
    identity: (language) => `${url}:${model}:${name}:${language}`,
    speak: async (text, _language, signal) => {
      const limit = AbortSignal.timeout(timeoutMs)
      let response: Response
      let bytes: Buffer
      try {
        response = await fetch(url, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            ...(voice.apiKey === undefined ? {} : { authorization: `Bearer ${voice.apiKey}` }),
          },
          body: JSON.stringify({ model, voice: name, input: text, response_format: 'wav' }),
          signal: AbortSignal.any([signal, limit]),
          redirect: 'error',
        })
        bytes = response.ok ? await readBody(response) : Buffer.alloc(0)
        if (!response.ok) await response.body?.cancel()
      } catch (error) {
        if (signal.aborted) throw signal.reason
        if (error instanceof SoundTooLong) throw error
        const code = ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code
        throw new Outage(
          'voice',
          `The voice at ${new URL(url).origin} cannot be reached ` +
            `(${limit.aborted ? `no answer for ${timeoutMs / 1000} s` : (code ?? 'the connection failed')}). ` +
            'Check TTS_URL.',
        )
      }
      if (!response.ok) throw refusal(response, url)
      try {
        return readWav(bytes)
      } catch (error) {
        if (!(error instanceof WavFault)) throw error
        throw new Outage(
          'voice',
          `The voice at ${new URL(url).origin} answered with something that ${error.message}. It must ` +
            'understand "response_format": "wav".',
        )
      }
    },
    close: async () => undefined,
  }
}

/** `TTS_URL` may be the server's root, its `/v1`, or the whole path. */
function endpoint(url: string): string {
  const base = url.replace(/\/+$/, '')
  if (base.endsWith('/audio/speech')) return base
  return base.endsWith('/v1') ? `${base}/audio/speech` : `${base}/v1/audio/speech`
}

/** The body of a refusal is never kept: it may repeat the text. */
function refusal({ status, headers }: Response, url: string): Error {
  const { origin } = new URL(url)
  if (status === 400 || status === 413 || status === 422)
    return new AssetFault('voice', `The voice at ${origin} does not read this greeting (HTTP ${status}).`)
  if (status === 401 || status === 403)
    return new Outage('voice', `The voice at ${origin} refuses us (HTTP ${status}). Check TTS_API_KEY.`)
  if (status === 404)
    return new Outage('voice', `There is no voice at ${url} (HTTP 404). Check TTS_URL, TTS_MODEL and TTS_VOICE.`)
  const seconds = Number(headers.get('retry-after'))
  return new Outage(
    'voice',
    `The voice at ${origin} is not working (HTTP ${status}).`,
    Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : undefined,
  )
}

/** Stops at the first byte too many, and before the first where the length is announced. @throws SoundTooLong */
async function readBody(response: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  if (Number(response.headers.get('content-length') ?? 0) > largestSoundBytes) {
    await response.body?.cancel()
    throw new SoundTooLong()
  }
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length
    if (bytes > largestSoundBytes) throw new SoundTooLong()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
