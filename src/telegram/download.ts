/** Files that Telegram keeps, read back: for whoever shows them. */
import { createReadStream } from 'node:fs'
import { isAbsolute } from 'node:path'
import { pipeline, Readable, Transform } from 'node:stream'
import type { Api, TelegramSettings } from './api.ts'

/** A file on its way. `status` is 200, or 206 for the part that was asked for. */
export interface Download {
  status: number
  /** those of the answer that tell of its length and part */
  headers: Record<string, string>
  body: Readable
}

const told = ['content-length', 'content-range', 'accept-ranges']

/** What a bot may send, and so the most that a video of ours can have. */
const mostBytes = 50_000_000
/** A player that pauses leaves the rest where it is. So long it may, then it asks for that part again. */
const longestMs = 600_000

/**
 * Begins to read a file, or the part of it that `range` (of HTTP) names; of a server in local mode, where it lies.
 * Undefined when Telegram gives no such file; bots get those up to 20 MB. The address holds the token,
 * so it is made and used here and told to nobody.
 */
export async function download(
  api: Api,
  { token, apiRoot = 'https://api.telegram.org', local, times }: TelegramSettings,
  fileId: string,
  range: string | undefined,
  signal: AbortSignal,
): Promise<Download | { file: string } | undefined> {
  const silence = new AbortController()
  const timer = setTimeout(() => silence.abort(), times.answerMs)
  try {
    const { file_path: path } = await api.getFile(fileId)
    if (path === undefined) return undefined
    if (local === true && isAbsolute(path)) return { file: path }
    const headers: Record<string, string> = range !== undefined && /^bytes=\d*-\d*$/.test(range) ? { range } : {}
    const response = await fetch(`${apiRoot}/file/bot${token}/${path}`, {
      headers,
      signal: AbortSignal.any([signal, silence.signal, AbortSignal.timeout(longestMs)]),
      redirect: 'error',
    })
    if (
      (response.status !== 200 && response.status !== 206) ||
      response.body === null ||
      Number(response.headers.get('content-length') ?? 0) > mostBytes
    ) {
      await response.body?.cancel()
      return undefined
    }
    return {
      status: response.status,
      headers: Object.fromEntries([...response.headers].filter(([name]) => told.includes(name))),
      body: pipeline(Readable.fromWeb(response.body), upTo(mostBytes), () => undefined),
    }
  } catch {
    return undefined
  } finally {
    clearTimeout(timer)
  }
}

/**
 * A whole file of at most so many bytes. Undefined: Telegram gives no such file now. What a server in local mode keeps is
 * read where it says: the path is the server's, never one that a person named.
 */
export async function downloadWhole(
  api: Api,
  settings: TelegramSettings,
  fileId: string,
  mostBytes: number,
  signal: AbortSignal,
): Promise<Buffer | 'too_large' | undefined> {
  const found = await download(api, settings, fileId, undefined, signal)
  if (found === undefined) return undefined
  const body = 'file' in found ? createReadStream(found.file, { end: mostBytes }) : found.body
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > mostBytes) return 'too_large'
      chunks.push(chunk)
    }
  } catch {
    return undefined
  } finally {
    body.destroy()
  }
  return Buffer.concat(chunks)
}

/** Passes on so many bytes, and fails at the next. */
function upTo(most: number): Transform {
  let left = most
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      left -= chunk.length
      if (left < 0) done(new Error('The file is longer than a video can be.'))
      else done(null, chunk)
    },
  })
}
