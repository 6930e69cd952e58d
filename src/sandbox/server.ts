/** A Bot API server on this machine alone: Telegram simulated at its HTTP edge, with a chat page and a control API. */
import { setMaxListeners } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger } from 'pino'
import { refuse, sendJson, sendText } from './answers.ts'
import { CallLog } from './bot-api/call-log.ts'
import { plainParameters } from './bot-api/parameters.ts'
import { answerCall, answerDownload, callAt, downloadAt } from './bot-api/routes.ts'
import { runCall } from './bot-api/run-call.ts'
import { UpdateQueue } from './bot-api/update-queue.ts'
import type { SandboxEvent } from './contract.ts'
import { ControlError, type ControlContext } from './control/context.ts'
import { control } from './control/routes.ts'
import { FaultPlans } from './fault-plans.ts'
import { LimitKeeper } from './limits.ts'
import { readPage } from './page.ts'
import { Refusal } from './refusal.ts'
import { SandboxState } from './state/state.ts'

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

/**
 * Starts the server on 127.0.0.1.
 * @throws when the port is taken or the folder cannot be written
 */
export async function startSandboxServer(options: SandboxOptions): Promise<SandboxServer> {
  const { port = 0, log } = options
  const context = openContext(options)
  const { faultPlans, state, updates } = context
  const page = readPage()
  const closing = new AbortController()
  setMaxListeners(0, closing.signal) // every open call listens
  const running = new Set<Promise<void>>()
  const server = createServer((request, response) => {
    const one = route({ context, page, closing: closing.signal }, request, response).catch((error: unknown) => {
      if (error instanceof ControlError || error instanceof SyntaxError) sendText(response, 400, error.message)
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
      faultPlans.close()
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeIdleConnections()
      await Promise.race([Promise.allSettled(running), new Promise((resolve) => setTimeout(resolve, 500).unref())])
      server.closeAllConnections()
      await Promise.allSettled(running)
      await closed
      state.close()
    },
  }
}

function openContext({ folder, timeDivisor = 1, local = false }: SandboxOptions): ControlContext {
  const state = new SandboxState(folder)
  const watchers: ControlContext['watchers'] = new Set()
  const tell = (event: SandboxEvent) => {
    for (const watch of watchers) watch(event)
  }
  const runReply = (botId: number, method: string, values: Record<string, unknown>) => {
    void runCall(context, botId, method, plainParameters(values), AbortSignal.timeout(60_000)).catch(() => {})
  }
  const context: ControlContext = {
    state,
    updates: new UpdateQueue(state, timeDivisor, runReply),
    limits: new LimitKeeper(timeDivisor),
    faultPlans: new FaultPlans(timeDivisor, (fault) => tell({ type: 'fault', fault })),
    callLog: new CallLog(local, tell),
    queries: { callbacks: new Map(), inline: new Map(), guests: new Map(), cached: new Map() },
    timeDivisor,
    watchers,
    local,
    tell,
  }
  return context
}

interface Served {
  context: ControlContext
  page: ReturnType<typeof readPage>
  closing: AbortSignal
}

async function route(
  { context, page, closing }: Served,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!fromHere(request)) {
    request.resume()
    response.writeHead(403, { 'content-type': 'text/plain' }).end('This server answers only to this machine.\n')
    return
  }
  const url = new URL(request.url ?? '/', 'http://127.0.0.1')
  const call = callAt(url.pathname)
  if (call !== undefined) return answerCall(context, call, request, response, closing)
  const download = downloadAt(url.pathname)
  if (download !== undefined) return answerDownload(context, download, response)
  if (url.pathname.startsWith('/sandbox/')) return control(context, request, response, url)
  const asset = page.get(url.pathname)
  request.resume()
  if (asset === undefined) return refuse(response, new Refusal(404, 'Not Found'))
  response.writeHead(200, asset.headers).end(request.method === 'HEAD' ? undefined : asset.body)
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

// A page of another site reaches a local server by its own name (DNS
// rebinding) or by a plain request: both are refused.
function fromHere({ headers }: IncomingMessage): boolean {
  const local = (host: string) => /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/i.test(host)
  if (!local(headers.host ?? '')) return false
  if (headers.origin !== undefined && headers.origin !== `http://${headers.host ?? ''}`) return false
  const site = headers['sec-fetch-site']
  return site === undefined || site === 'same-origin' || site === 'none'
}
