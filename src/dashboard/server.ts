/**
 * The operator's page over HTTP. It shows names, so it answers this machine only, or whoever knows the
 * password. It only reads: nothing but GET and HEAD is taken.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { readBrowserFiles, type BrowserFile } from '../browser-files.ts'
import {
  AddressUnusable,
  closeServer,
  isLoopback,
  listenAt,
  namesLoopback,
  timeLimits,
  urlOf,
  type Address,
} from '../http/address.ts'
import { sendFile } from '../http/send-file.ts'
import { shared } from '../shared.ts'
import { emptyPage, page } from './page.ts'
import type { PageSettings } from './pieces.ts'
import { queuePath, queuePolicy } from './queue-board.ts'
import { posterFile, type Found, type View } from './view.ts'

/** A file on its way from Telegram. */
interface Download {
  status: number
  headers: Record<string, string>
  body: Readable
}

/** What the dashboard shows, and to whom. */
export interface DashboardSettings extends PageSettings {
  address: Address
  /** without one only this machine is answered */
  password: string | undefined
  rendersFolder: string
  look: () => Promise<View>
  /** what is known of a name */
  search: (text: string) => Promise<Found>
  /** where a video can be had, by the id of its asset */
  video: (id: string) => Promise<{ file: string } | { fileId: string } | undefined>
  /** a file that Telegram keeps, or a part of it; left out where there is no bot to ask */
  download?:
    | ((
        fileId: string,
        range: string | undefined,
        signal: AbortSignal,
      ) => Promise<Download | { file: string } | undefined>)
    | undefined
  board: RequestListener
  log: { warn(fields: object, message: string): void }
}

/** The running page. */
export interface Dashboard {
  url: string
  close(): Promise<void>
}

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; " +
  "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
const headers = {
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
}
// However many look, the database is asked this often.
const freshMs = 1_000

/** Begins to answer. @throws AddressUnusable, also for an address others can reach without a password */
export async function startDashboard(settings: DashboardSettings): Promise<Dashboard> {
  const { address, password, log } = settings
  if (password === undefined && !isLoopback(address.host)) {
    throw new AddressUnusable(
      `The dashboard shows names, and others could reach it at ${address.host}. Set DASHBOARD_PASSWORD to ` +
        'let in who knows it, or leave --host out and come through SSH: ssh -L ' +
        `${address.port}:127.0.0.1:${address.port} ` +
        `${address.host === '0.0.0.0' || address.host === '::' ? 'this-machine' : address.host}`,
    )
  }
  const sources: Sources = {
    settings,
    look: shared(settings.look, freshMs),
    files: readBrowserFiles(new URL('./browser/', import.meta.url)),
  }
  const server = createServer(timeLimits, (request, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD')
      return refuse(response, 405, 'The dashboard only shows: GET and HEAD.')
    }
    if (password === undefined && !namesLoopback(request.headers.host))
      return refuse(
        response,
        403,
        'Open the dashboard as http://127.0.0.1 or http://localhost, or set DASHBOARD_PASSWORD.',
      )
    if (password !== undefined && !knows(request, password)) {
      response.setHeader('www-authenticate', 'Basic realm="Greetings", charset="UTF-8"')
      return refuse(response, 401, 'The password, please. Any user name will do.')
    }
    answer(sources, request, response).catch((error: unknown) => {
      log.warn({ error }, 'the dashboard could not answer')
      if (!response.headersSent) refuse(response, 500, 'That did not work.')
      else response.destroy()
    })
  })
  const port = await listenAt(server, address)
  return { url: `${urlOf({ ...address, port })}/`, close: () => closeServer(server) }
}

/** What a request is answered from. */
interface Sources {
  settings: DashboardSettings
  look: () => Promise<View>
  /** of `browser/`, by name */
  files: ReadonlyMap<string, BrowserFile>
}

async function answer(sources: Sources, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { settings, files } = sources
  const [path = '/', query] = (request.url ?? '/').split('?')
  const send = (code: number, type: string, body: string | Buffer) =>
    void response.writeHead(code, { 'content-type': type }).end(request.method === 'HEAD' ? undefined : body)
  if (path === queuePath || path.startsWith(`${queuePath}/`)) {
    response.setHeader('content-security-policy', queuePolicy)
    return void settings.board(request, response)
  }
  if (path === '/') {
    const { code, text } = await render(sources, new URLSearchParams(query).get('name') ?? '')
    return send(code, 'text/html; charset=utf-8', text)
  }
  const revision = /^\/poster\/([^/]+)\.jpg$/.exec(path)?.[1]
  if (revision !== undefined) {
    const file = posterFile(settings.rendersFolder, revision)
    const picture = file === undefined ? undefined : await readFile(file).catch(() => undefined)
    if (picture === undefined) return refuse(response, 404, 'There is no such picture.')
    // Called by its content, so it never changes.
    response.setHeader('cache-control', 'private, max-age=86400, immutable')
    return send(200, 'image/jpeg', picture)
  }
  const asset = /^\/video\/([\w-]{1,64})\.mp4$/.exec(path)?.[1]
  if (asset !== undefined) return sendVideo(settings, asset, request, response)
  const file = files.get(path === '/favicon.ico' ? 'icon.svg' : path.slice(1))
  if (file === undefined) return refuse(response, 404, 'There is nothing here. The dashboard is at /')
  send(200, file.type.startsWith('text/') ? `${file.type}; charset=utf-8` : file.type, file.body)
}

/** The page as it is now. `search`: a name to look for, when there is one. */
async function render({ settings, look }: Sources, search: string): Promise<{ code: number; text: string }> {
  const name = search.trim().slice(0, 200)
  const looked = Promise.all([look(), name === '' ? undefined : settings.search(name)])
  const [view, found] = await looked.catch((error: unknown) => {
    settings.log.warn({ error }, 'the dashboard cannot look now')
    return []
  })
  return view === undefined
    ? { code: 503, text: emptyPage('The database or the queue does not answer.', settings) }
    : { code: 200, text: page(view, settings, found) }
}

/** From this host where it lies here, else from Telegram, through us: its address there holds the token. */
async function sendVideo(
  { video, download }: DashboardSettings,
  id: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const found = await video(id)
  if (found !== undefined && 'file' in found && (await sendFile(request, response, found.file, 'video/mp4'))) return
  if (found !== undefined && 'fileId' in found) {
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    const sent = await download?.(found.fileId, request.headers.range, gone.signal)
    if (sent !== undefined && 'file' in sent) {
      if (await sendFile(request, response, sent.file, 'video/mp4')) return
    } else if (sent !== undefined) {
      response.writeHead(sent.status, { ...sent.headers, 'content-type': 'video/mp4' })
      if (request.method !== 'HEAD') return pipeline(sent.body, response).catch(() => undefined)
      sent.body.destroy()
      return void response.end()
    }
  }
  refuse(response, 404, 'This video is neither on this host, nor can it be had from Telegram.')
}

function refuse(response: ServerResponse, code: number, why: string): void {
  response.writeHead(code, { 'content-type': 'text/plain; charset=utf-8' }).end(`${why}\n`)
}

/** The request brings the password. It takes as long for any wrong one. */
function knows(request: IncomingMessage, password: string): boolean {
  const [scheme, credentials = ''] = (request.headers.authorization ?? '').split(' ')
  const given = Buffer.from(credentials, 'base64').toString('utf8')
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(given.slice(given.indexOf(':') + 1)), hash(password)) && scheme?.toLowerCase() === 'basic'
}
