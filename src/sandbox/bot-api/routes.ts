/** The Bot API over HTTP: `/bot<token>/<method>` and `/file/bot<token>/<path>`. */
import { createReadStream } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { refuse, sendHtml, sendJson } from '../answers.ts'
import { Refusal } from '../refusal.ts'
import type { Context } from './context.ts'
import { readParameters, type Parameters } from './parameters.ts'
import { Hangup, runCall } from './run-call.ts'

const tokenShape = /^\d{1,16}:[A-Za-z0-9_-]{30,50}$/

/** Which call a path means; undefined: none. */
export function callAt(path: string): { token: string; method: string } | undefined {
  const [, token, method] = /^\/bot([^/]+)\/(?:test\/)?([^/]+)$/.exec(path) ?? []
  return token === undefined || method === undefined ? undefined : { token: decodeURIComponent(token), method }
}

/** Which file a path means; undefined: none. */
export function downloadAt(path: string): { token: string; path: string } | undefined {
  const [, token, file] = /^\/file\/bot([^/]+)\/(.+)$/.exec(path) ?? []
  return token === undefined || file === undefined ? undefined : { token: decodeURIComponent(token), path: file }
}

/** Answers one call. `closing`: the server gives up all that is open. */
export async function answerCall(
  context: Context,
  { token, method }: { token: string; method: string },
  request: IncomingMessage,
  response: ServerResponse,
  closing: AbortSignal,
): Promise<void> {
  const { faultPlans, local, state } = context
  const gone = new AbortController()
  response.on('close', () => gone.abort())
  closing.addEventListener('abort', () => gone.abort(), { signal: gone.signal })
  if (faultPlans.breaksUnread({ method, botId: state.tokens.get(token) ?? 0 })) {
    request.socket.resetAndDestroy()
    return
  }
  let parameters: Parameters | undefined
  try {
    const query = new URL(request.url ?? '/', 'http://127.0.0.1').searchParams
    parameters = await readParameters(request, query, state.incomingFolder, local)
    if (!tokenShape.test(token)) throw new Refusal(404, 'Not Found')
    const botId = state.tokens.get(token)
    if (botId === undefined) throw new Refusal(401, 'Unauthorized')
    const { result, html } = await runCall(context, botId, method, parameters, gone.signal)
    if (html !== undefined) sendHtml(response, html)
    else sendJson(response, 200, { ok: true, result })
  } catch (error) {
    if (error instanceof Hangup) request.socket.resetAndDestroy()
    else if (error instanceof Refusal) refuse(response, error)
    else if (!request.complete) request.socket.destroy()
    else throw error
  } finally {
    await parameters?.discard()
  }
}

/** Sends the content of a file, as `getFile` told where. */
export async function answerDownload(
  { local, state }: Context,
  { token, path }: { token: string; path: string },
  response: ServerResponse,
): Promise<void> {
  if (!state.tokens.has(token)) return refuse(response, new Refusal(401, 'Unauthorized'))
  // In local mode a file is read where it lies.
  const file = local ? undefined : state.files.get(path.split('/').pop() ?? '')
  if (file === undefined) return refuse(response, new Refusal(404, 'Not Found'))
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-length': file.size,
    'x-content-type-options': 'nosniff',
  })
  await pipeline(createReadStream(state.filePath(file.sha256)), response).catch(() => {})
}
