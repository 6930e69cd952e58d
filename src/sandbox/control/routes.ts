/** The control API under `/sandbox/`: what people do in Telegram, what tests want to know, and faults to come. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { readBody } from '../bot-api/parameters.ts'
import { change } from './changes.ts'
import { ControlError, type ControlContext } from './context.ts'
import { read } from './reads.ts'
import { sendContent, streamEvents } from './streams.ts'
import type { Body } from './values.ts'

/** Answers one request below `/sandbox/`. */
export async function control(
  context: ControlContext,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const path = url.pathname.slice('/sandbox/'.length)
  const query = Object.fromEntries(url.searchParams)
  if (request.method === 'GET') {
    if (path === 'events') return streamEvents(context, request, response, query.types)
    if (path.startsWith('files/')) return sendContent(context, request, response, path.slice('files/'.length))
    return answer(response, read(context, path, query))
  }
  if (request.method !== 'POST') throw new ControlError('GET or POST')
  // Only pages of our own may send JSON: a foreign one would have to ask first and is refused.
  if (!/^application\/json/i.test(request.headers['content-type'] ?? ''))
    throw new ControlError('the body must be application/json')
  const text = await readBody(request)
  const body = text === '' ? {} : (JSON.parse(text) as Body)
  answer(response, await change(context, path, body))
}

function answer(response: ServerResponse, result: unknown): void {
  const text = JSON.stringify(result ?? null)
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text)
}
