/**
 * `--http`: whether this process lives and may be given work, and its figures. It only answers, and changes nothing.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Db } from '../db/database.ts'
import { openMetrics, type Metrics } from '../metrics.ts'
import type { GreetingsQueue } from '../queue/index.ts'
import { closeServer, listenAt, timeLimits, urlOf, type Address } from './address.ts'
import { shared } from '../shared.ts'

/** What is looked at, over a connection of its own: whoever asks for figures takes none from people. */
export interface Watched {
  db: Db
  queue: GreetingsQueue
  workers: () => Promise<number>
  bots: () => Promise<number>
}

/** The server of one process. */
export interface HealthServer {
  url: string
  /** from now on there is something to look at */
  watch(watched: Watched): void
  /** `/readyz` says so from now on */
  stopping(): void
  close(): Promise<void>
}

const answerMs = 3_000

/** Begins to answer; until `watch` it says that it is starting. @throws AddressUnusable */
export async function startHealthServer(
  address: Address,
  about: { version: string; role: string },
): Promise<HealthServer> {
  const metrics = openMetrics(about)
  let watched: Watched | undefined
  let isStopping = false

  const silent = shared(async () => {
    if (watched === undefined) return []
    const { db, queue } = watched
    const [database, jobs] = await Promise.all([answers(db.$queryRaw`SELECT 1`), answers(queue.counts())])
    return [...(database ? [] : ['the database does not answer']), ...(jobs ? [] : ['the queue does not answer'])]
  })
  const reasonsNotReady = async () => (isStopping ? ['stopping'] : watched === undefined ? ['starting'] : silent())

  const server = createServer(timeLimits, (request, response) => respond(request, response, metrics, reasonsNotReady))
  let port: number
  try {
    port = await listenAt(server, address)
  } catch (error) {
    metrics.close()
    throw error
  }
  return {
    url: urlOf({ ...address, port }),
    watch: (now) => {
      watched = now
      metrics.watch(now)
    },
    stopping: () => (isStopping = true),
    async close() {
      await closeServer(server)
      metrics.close()
    },
  }
}

function respond(
  request: IncomingMessage,
  response: ServerResponse,
  metrics: Metrics,
  reasonsNotReady: () => Promise<string[]>,
): void {
  const answer = (code: number, type: string, body: string, more: Record<string, string> = {}) =>
    response
      .writeHead(code, {
        'content-type': type,
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        ...more,
      })
      .end(request.method === 'HEAD' ? undefined : body)
  const json = (code: number, body: object, more?: Record<string, string>) =>
    answer(code, 'application/json', `${JSON.stringify(body)}\n`, more)
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return void json(405, { error: 'only GET and HEAD' }, { allow: 'GET, HEAD' })
  const path = (request.url ?? '/').split('?')[0]
  switch (path) {
    case '/healthz':
      return void json(200, { alive: true })
    case '/readyz':
      return void reasonsNotReady().then((reasons) =>
        json(reasons.length === 0 ? 200 : 503, { ready: reasons.length === 0, reasons }),
      )
    case '/metrics':
      return void metrics.text().then(
        (text) => answer(200, metrics.contentType, text),
        () => json(500, { error: 'the figures cannot be read' }),
      )
    default:
      return void json(404, { error: 'there are /healthz, /readyz and /metrics' })
  }
}

/** Whether it answers, and soon. */
async function answers(work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), answerMs)))
  try {
    return await Promise.race([
      work.then(
        () => true,
        () => false,
      ),
      late,
    ])
  } finally {
    clearTimeout(timer)
  }
}
