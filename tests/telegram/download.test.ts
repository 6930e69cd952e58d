/** Files read back from Telegram: within limits of time and size, whatever the other end does. */
import { createServer, type RequestListener, type Server } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { waitingTimes } from '../../src/config.ts'
import { connectTelegram } from '../../src/telegram/api.ts'
import { download } from '../../src/telegram/download.ts'
import { closeServer, listenAt } from '../../src/http/address.ts'

let server: Server
let apiRoot = ''
let path = 'videos/one'
let asked: (string | undefined)[] = []
let serve: RequestListener = () => undefined
const token = '1:secret'

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url)
    if (request.url === `/bot${token}/getFile`)
      response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify({ ok: true, result: { file_id: 'f', file_unique_id: 'u', file_path: path } }))
    else serve(request, response)
  })
  apiRoot = `http://127.0.0.1:${await listenAt(server, { host: '127.0.0.1', port: 0 })}`
})
afterEach(() => {
  path = 'videos/one'
  asked = []
})
afterAll(() => closeServer(server))

async function fetched({
  range,
  local,
  signal = new AbortController().signal,
  answerMs = 10_000,
}: { range?: string; local?: boolean; signal?: AbortSignal; answerMs?: number } = {}) {
  const settings = { token, apiRoot, local: local === true, times: { ...waitingTimes(50), answerMs } }
  return download(connectTelegram(settings), settings, 'f', range, signal)
}
const bodyOf = (found: Awaited<ReturnType<typeof fetched>>) =>
  found !== undefined && 'body' in found ? buffer(found.body) : Promise.reject(new Error('There is no body.'))

describe('a file that Telegram keeps', () => {
  it('is read by its address, and only headers of its length and part are passed on', async () => {
    serve = (_request, response) =>
      response.writeHead(200, { 'content-length': 5, 'set-cookie': 'a=b', 'x-token': token }).end('hello')
    const found = await fetched()
    expect(found).toMatchObject({ status: 200, headers: { 'content-length': '5' } })
    expect(JSON.stringify(found !== undefined && 'headers' in found && found.headers)).not.toMatch(/cookie|secret/)
    expect((await bodyOf(found)).toString()).toBe('hello')
    expect(asked).toEqual([`/bot${token}/getFile`, `/file/bot${token}/videos/one`])
  })

  it('is read in part, and nothing but a part is asked for', async () => {
    const ranges: (string | undefined)[] = []
    serve = (request, response) => {
      ranges.push(request.headers.range)
      response.writeHead(206, { 'content-range': 'bytes 1-2/5' }).end('el')
    }
    expect(await fetched({ range: 'bytes=1-2' })).toMatchObject({
      status: 206,
      headers: { 'content-range': 'bytes 1-2/5' },
    })
    await fetched({ range: 'bytes=0-0,2-2' })
    expect(ranges).toEqual(['bytes=1-2', undefined])
  })

  it.each([
    ['is not there', (_request, response) => response.writeHead(404).end()],
    [
      'says that it is longer than a video can be',
      (_request, response) => response.writeHead(200, { 'content-length': 50_000_001 }).end(),
    ],
    ['leads elsewhere', (_request, response) => response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end()],
  ] as [string, RequestListener][])('counts as none when it %s', async (_what, listener) => {
    serve = listener
    expect(await fetched()).toBeUndefined()
  })

  it('counts as none when it does not come in time', async () => {
    let isAsked = false
    serve = () => (isAsked = true)
    expect(await fetched({ answerMs: 500 })).toBeUndefined()
    expect(isAsked).toBe(true)
  })

  it('is cut off where it is longer than a video can be, though it said nothing of it', async () => {
    const piece = Buffer.alloc(1_000_000)
    let sent = 0
    serve = (_request, response) => {
      const more = (): void => void response.write(piece, (error) => error == null && (sent += 1) < 1_000 && more())
      more()
    }
    await expect(bodyOf(await fetched())).rejects.toThrow('longer than a video can be')
    expect(sent).toBeLessThan(100)
  })

  it('ends with the one who asked for it', async () => {
    serve = (_request, response) => response.write('and so on')
    const gone = new AbortController()
    const found = await fetched({ signal: gone.signal })
    setImmediate(() => gone.abort())
    await expect(bodyOf(found)).rejects.toThrow(/abort/i)
  })

  it('lies where a server in local mode says, and no other server can say so', async () => {
    path = '/etc/hostname'
    serve = (_request, response) => response.writeHead(404).end()
    expect(await fetched({ local: true })).toEqual({ file: '/etc/hostname' })
    expect(await fetched()).toBeUndefined()
  })
})
