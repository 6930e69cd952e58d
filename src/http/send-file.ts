/** A file over HTTP, whole or the part that a player asks for. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'

/** Answers with the file; false, and nothing is answered, when there is none. */
export async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  file: string,
  type: string,
): Promise<boolean> {
  const found = await stat(file).catch(() => undefined)
  if (found?.isFile() !== true) return false
  const part = partOf(request.headers.range, found.size)
  const headers = { 'content-type': type, 'accept-ranges': 'bytes' }
  if (part === 'none') response.writeHead(416, { ...headers, 'content-range': `bytes */${found.size}` }).end()
  else {
    const { start, end } = part ?? { start: 0, end: found.size - 1 }
    response.writeHead(part === undefined ? 200 : 206, {
      ...headers,
      'content-length': end - start + 1,
      ...(part === undefined ? {} : { 'content-range': `bytes ${start}-${end}/${found.size}` }),
    })
    if (request.method === 'HEAD') response.end()
    // A player that has enough closes, and asks for another part.
    else await pipeline(createReadStream(file, { start, end }), response).catch(() => undefined)
  }
  return true
}

/**
 * Undefined: all of it; `none`: there is no such part. What is no single
 * part of bytes is not understood, and all is sent.
 */
function partOf(range: string | undefined, size: number): { start: number; end: number } | 'none' | undefined {
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(range ?? '') ?? []
  if (from === '' && to === '') return undefined
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from)
  const end = from === '' || to === '' ? size - 1 : Math.min(size - 1, Number(to))
  return start > end ? 'none' : { start, end }
}
