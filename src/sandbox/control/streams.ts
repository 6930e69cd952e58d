/** The control API's streams: events as they happen, and the content of files. */
import { createReadStream } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { SandboxEvent } from '../contract.ts'
import { ControlError, type ControlContext } from './context.ts'

export function streamEvents(
  context: ControlContext,
  request: IncomingMessage,
  response: ServerResponse,
  types: string | undefined,
): void {
  const wanted = types === undefined ? undefined : new Set(types.split(','))
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  response.write(': hello\n\n')
  const watch = (event: SandboxEvent) => {
    if (wanted !== undefined && !wanted.has(event.type)) return
    // A watcher that does not read is let go rather than kept in memory.
    if (response.writableLength > 16 * 1024 * 1024) response.destroy()
    else response.write(`data: ${JSON.stringify(event)}\n\n`)
  }
  const beat = setInterval(() => response.write(': still here\n\n'), 15_000)
  context.watchers.add(watch)
  response.on('close', () => {
    clearInterval(beat)
    context.watchers.delete(watch)
  })
  request.resume()
}

// With ranges: browsers ask for them before they play a video.
export async function sendContent(
  { state }: ControlContext,
  request: IncomingMessage,
  response: ServerResponse,
  unique: string,
): Promise<void> {
  const file = state.files.get(unique)
  if (file === undefined) throw new ControlError('no such file')
  const range = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '')
  const [from, to] = range === null ? [undefined, undefined] : [range[1], range[2]]
  const start =
    from === undefined || from === ''
      ? to === undefined || to === ''
        ? 0
        : Math.max(0, file.size - Number(to))
      : Number(from)
  const end =
    from === undefined || from === '' || to === undefined || to === ''
      ? file.size - 1
      : Math.min(file.size - 1, Number(to))
  if (start > end) {
    response.writeHead(416, { 'content-range': `bytes */${file.size}` }).end()
    return
  }
  // Only what a browser shows and never runs goes out under its own type.
  const shown = ['video/mp4', 'image/jpeg'].includes(file.mimeType) || /^audio\/[a-z0-9]+$/.test(file.mimeType)
  response.writeHead(range === null ? 200 : 206, {
    'content-type': shown ? file.mimeType : 'application/octet-stream',
    'content-length': end - start + 1,
    'accept-ranges': 'bytes',
    'x-content-type-options': 'nosniff',
    'cache-control': 'private, max-age=3_600',
    ...(range === null ? {} : { 'content-range': `bytes ${start}-${end}/${file.size}` }),
    ...(shown ? {} : { 'content-disposition': 'attachment' }),
  })
  await pipeline(createReadStream(state.filePath(file.sha256), { start, end }), response).catch(() => {
    // The browser has enough: it closes and asks for another part.
  })
}
