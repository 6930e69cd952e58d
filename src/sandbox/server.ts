/** A Bot API server on this machine alone: Telegram simulated at its HTTP edge, with a chat page and a control API. */
import { setMaxListeners } from 'node:events'
import { createReadStream } from 'node:fs'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import type { Logger } from 'pino'
import type { CallCounts, CallRecord, FaultAnswer, SandboxEvent } from './contract.ts'
import { control, ControlFault } from './control.ts'
import type { ControlDesk } from './control.ts'
import { fileParameter, methods } from './methods.ts'
import { readPage } from './page.ts'
import { readParameters } from './parameters.ts'
import type { Parameters } from './parameters.ts'
import { LimitKeeper, PlannedFaults } from './planned.ts'
import { Refusal, tooManyRequests } from './refusal.ts'
import { Updates } from './updates.ts'
import { World } from './world.ts'

/** As much of a logger as is needed. */
export type SandboxLog = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>

export interface SandboxOptions {
  /** where bots, chats, messages and files are kept; only one server at a time */
  folder: string
  /** 0: any free one */
  port?: number
  /** divides the server's own waiting times: floods, webhook retries. Announced seconds stay. Default 1 */
  timeDivisor?: number
  /** local mode, as a Bot API server of one's own has it: files of this machine by their address, up to 2,000 MB */
  local?: boolean
  log?: SandboxLog
}

export interface SandboxServer {
  /** `http://127.0.0.1:<port>`: the `apiRoot` for bots, the chat page, and the base of `/sandbox/` */
  url: string
  port: number
  /** Connections break and new ones are refused, until `comeBack`. */
  goAway(): Promise<void>
  /** listens again, at the same port */
  comeBack(): Promise<void>
  /** ends open polls, lets held calls go, waits for calls in hand */
  close(): Promise<void>
}

const keptCalls = 20_000
const tokenShape = /^\d{1,16}:[A-Za-z0-9_-]{30,50}$/

class Hangup extends Error {}

/**
 * Starts the server on 127.0.0.1.
 * @throws when the port is taken or the folder cannot be written
 */
export async function startSandboxServer({
  folder,
  port = 0,
  timeDivisor = 1,
  local = false,
  log,
}: SandboxOptions): Promise<SandboxServer> {
  const world = new World(folder)
  const watchers: ControlDesk['watchers'] = new Set()
  const tell = (event: SandboxEvent) => {
    for (const watch of watchers) watch(event)
  }
  const page = readPage()
  const limits = new LimitKeeper(timeDivisor)
  const updates = new Updates(world, timeDivisor, (botId, method, values) => {
    void runCall(
      botId,
      method,
      { values, uploads: new Map(), bodyBytes: 0, discard: async () => {} },
      AbortSignal.timeout(60_000),
    ).catch(() => {})
  })
  const faults = new PlannedFaults(timeDivisor, (fault) => tell({ type: 'fault', fault }))
  const calls: CallRecord[] = []
  const counts: CallCounts = { total: 0, methods: {}, succeeded: {}, uploads: 0, early: 0 }
  const clear = () => {
    calls.length = 0
    Object.assign(counts, { total: 0, methods: {}, succeeded: {}, uploads: 0, early: 0 })
  }
  const desk: ControlDesk = {
    world,
    updates,
    limits,
    faults,
    watchers,
    local,
    tell,
    ledger: { calls, counts, clear },
    queries: { callbacks: new Map(), inline: new Map() },
  }
  let lastCall = 0

  function noteCall(botId: number, method: string, parameters: Parameters): CallRecord {
    const chat = parameters.values.chat_id
    const file =
      method === 'sendVideo' || method === 'sendDocument'
        ? fileParameter(parameters, method === 'sendVideo' ? 'video' : 'document', local)
        : undefined
    const record: CallRecord = {
      n: ++lastCall,
      at: Date.now(),
      botId,
      method,
      chatId: chat === undefined || Number.isNaN(Number(chat)) ? undefined : Number(chat),
      upload:
        file === undefined
          ? 'none'
          : 'upload' in file
            ? 'multipart'
            : 'address' in file
              ? 'path'
              : 'url' in file
                ? 'url'
                : 'file_id',
      bodyBytes: parameters.bodyBytes,
      uploadBytes: file !== undefined && 'upload' in file ? file.upload.size : undefined,
      fileUniqueId: undefined,
      thumbnail: undefined,
      parameters: parameters.values,
      status: undefined,
      description: undefined,
      messageId: undefined,
      fault: undefined,
      early: false,
    }
    calls.push(record)
    if (calls.length > keptCalls * 1.25) calls.splice(0, calls.length - keptCalls)
    counts.total += 1
    counts.methods[method] = (counts.methods[method] ?? 0) + 1
    return record
  }

  function closeCall(record: CallRecord, status: number | undefined, description: string | undefined): void {
    record.status = status
    record.description = description
    if (record.early) counts.early += 1
    if (status === 200) {
      counts.succeeded[record.method] = (counts.succeeded[record.method] ?? 0) + 1
    }
    // Taken, whether or not anybody heard the answer.
    if (
      record.method === 'sendVideo' &&
      record.messageId !== undefined &&
      (record.upload === 'multipart' || record.upload === 'path')
    )
      counts.uploads += 1
    tell({ type: 'call', call: record })
  }

  /** Runs one call through planned faults. Gives the result, throws a Refusal, or a Hangup when nothing is to be answered. */
  async function runCall(
    botId: number,
    methodName: string,
    parameters: Parameters,
    gone: AbortSignal,
  ): Promise<{ result: unknown; html?: number }> {
    const method = methods[methodName.toLowerCase()]
    if (method === undefined) throw new Refusal(404, 'Not Found: method not found')
    const bot = world.bots.get(botId)
    if (bot === undefined) throw new Refusal(401, 'Unauthorized')
    const record = noteCall(botId, method.name, parameters)
    tell({ type: 'call', call: record })
    const plan = faults.meet(record)
    try {
      if (plan !== undefined) {
        const html = await before(plan.answer, plan.hold, record, gone)
        if (html !== undefined) return { result: undefined, html }
      }
      const result = await method.run({ ...desk, bot, parameters, record, gone })
      if (plan !== undefined) await after(plan.answer, plan.hold, record, gone)
      // Who hung up meanwhile gets no answer.
      closeCall(record, gone.aborted ? undefined : 200, undefined)
      return { result }
    } catch (error) {
      if (error instanceof Refusal) closeCall(record, error.code, error.description)
      else if (!(error instanceof Hangup)) closeCall(record, 500, 'Internal Server Error')
      throw error
    }
  }

  async function before(
    answer: FaultAnswer,
    hold: (gone: AbortSignal) => Promise<void>,
    record: CallRecord,
    gone: AbortSignal,
  ): Promise<number | undefined> {
    switch (answer.kind) {
      case 'flood':
        throw tooManyRequests(answer.retryAfter)
      case 'refuse':
        throw new Refusal(answer.code, answer.description, answer.parameters)
      case 'html':
        closeCall(record, answer.code, 'HTML')
        return answer.code
      case 'drop-before':
        closeCall(record, undefined, undefined)
        throw new Hangup()
      case 'silence':
        return silence(record, gone)
      case 'hold':
        await hold(gone)
        if (gone.aborted) return silence(record, gone)
        return undefined
      default:
        return undefined
    }
  }

  async function after(
    answer: FaultAnswer,
    hold: (gone: AbortSignal) => Promise<void>,
    record: CallRecord,
    gone: AbortSignal,
  ): Promise<void> {
    if (answer.kind === 'hold-after') await hold(gone)
    if (answer.kind === 'silence-after') await silence(record, gone)
    if (answer.kind !== 'drop-after') return
    closeCall(record, undefined, undefined)
    throw new Hangup()
  }

  // Until the caller or the server gives up.
  async function silence(record: CallRecord, gone: AbortSignal): Promise<never> {
    closeCall(record, undefined, undefined)
    if (!gone.aborted) await new Promise((resolve) => gone.addEventListener('abort', resolve, { once: true }))
    throw new Hangup()
  }

  async function botApi(
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    token: string,
    method: string,
  ): Promise<void> {
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    closing.signal.addEventListener('abort', () => gone.abort(), { signal: gone.signal })
    let parameters: Parameters | undefined
    if (faults.breaksUnread({ method, botId: world.tokens.get(token) ?? 0 })) {
      request.socket.resetAndDestroy()
      return
    }
    try {
      parameters = await readParameters(request, url.searchParams, world.incomingFolder, local)
      if (!tokenShape.test(token)) throw new Refusal(404, 'Not Found')
      const botId = world.tokens.get(token)
      if (botId === undefined) throw new Refusal(401, 'Unauthorized')
      const { result, html } = await runCall(botId, method, parameters, gone.signal)
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

  async function download(response: ServerResponse, token: string, path: string): Promise<void> {
    const botId = world.tokens.get(token)
    if (botId === undefined) return refuse(response, new Refusal(401, 'Unauthorized'))
    // In local mode a file is read where it lies.
    const file = local ? undefined : world.files.get(path.split('/').pop() ?? '')
    if (file === undefined) return refuse(response, new Refusal(404, 'Not Found'))
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-length': file.size,
      'x-content-type-options': 'nosniff',
    })
    await pipeline(createReadStream(world.filePath(file.sha256)), response).catch(() => {})
  }

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!fromHere(request)) {
      request.resume()
      response.writeHead(403, { 'content-type': 'text/plain' }).end('This server answers only to this machine.\n')
      return
    }
    const url = new URL(request.url ?? '/', 'http://127.0.0.1')
    const call = /^\/bot([^/]+)\/(?:test\/)?([^/]+)$/.exec(url.pathname)
    if (call !== null) return botApi(request, response, url, decodeURIComponent(call[1] ?? ''), call[2] ?? '')
    const file = /^\/file\/bot([^/]+)\/(.+)$/.exec(url.pathname)
    if (file !== null) return download(response, decodeURIComponent(file[1] ?? ''), file[2] ?? '')
    if (url.pathname.startsWith('/sandbox/')) return control(desk, request, response, url)
    const asset = page.get(url.pathname)
    request.resume()
    if (asset === undefined) return refuse(response, new Refusal(404, 'Not Found'))
    response.writeHead(200, asset.headers).end(request.method === 'HEAD' ? undefined : asset.body)
  }

  const closing = new AbortController()
  setMaxListeners(0, closing.signal) // every open call listens
  const running = new Set<Promise<void>>()
  const server = createServer((request, response) => {
    const one = route(request, response).catch((error: unknown) => {
      if (error instanceof ControlFault || error instanceof SyntaxError) sendText(response, 400, error.message)
      else {
        log?.error({ err: error }, 'sandbox: a request failed')
        if (response.headersSent) response.destroy()
        else sendJson(response, 500, { ok: false, error_code: 500, description: 'Internal Server Error' })
      }
    })
    running.add(one)
    void one.finally(() => running.delete(one))
  })
  // Clients keep connections; one closed while a request is on its way would look like a lost answer.
  server.keepAliveTimeout = 120_000
  server.requestTimeout = 0
  await listen(server, port)
  updates.resume()
  const address = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    goAway: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
    comeBack: () => listen(server, address.port),
    close: async () => {
      closing.abort()
      updates.close()
      faults.close()
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeIdleConnections()
      await Promise.race([Promise.allSettled(running), new Promise((resolve) => setTimeout(resolve, 500).unref())])
      server.closeAllConnections()
      await Promise.allSettled(running)
      await closed
      world.close()
    },
  }
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject)
      resolve()
    })
  })
}

// A page of another site reaches a local server by its own name (DNS rebinding) or by a plain request: both are refused.
function fromHere({ headers }: IncomingMessage): boolean {
  const local = (host: string) => /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/i.test(host)
  if (!local(headers.host ?? '')) return false
  if (headers.origin !== undefined && headers.origin !== `http://${headers.host ?? ''}`) return false
  const site = headers['sec-fetch-site']
  return site === undefined || site === 'same-origin' || site === 'none'
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body)
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    .end(text)
}

function refuse(response: ServerResponse, { code, description, parameters }: Refusal): void {
  sendJson(response, code, {
    ok: false,
    error_code: code,
    description,
    ...(parameters === undefined ? {} : { parameters }),
  })
}

function sendText(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent) response.destroy()
  else response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(text)
}

function sendHtml(response: ServerResponse, code: number): void {
  const names: Record<number, string> = {
    500: 'Internal Server Error',
    502: 'Bad Gateway',
    503: 'Service Unavailable',
    504: 'Gateway Time-out',
  }
  const title = `${code} ${names[code] ?? 'Error'}`
  const body = `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n<hr><center>nginx/1.18.0</center>\r\n</body>\r\n</html>\r\n`
  response.writeHead(code, { 'content-type': 'text/html', 'content-length': Buffer.byteLength(body) }).end(body)
}
