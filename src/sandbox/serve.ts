/**
 * The process behind `--sandbox`: one server for all commands of a home. Started by `openSandbox` with one
 * argument, JSON of `ServeOrder`. Members hold a connection to its guard; when the last one has been gone for
 * a while the process ends.
 */
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sandboxControl } from './client.ts'
import { furnishFolder, readFurniture, writeFurniture, type Furniture } from './furniture.ts'
import { becomeNext, mayJoin, proofOf } from './incarnation.ts'
import type { Welcome } from './incarnation.ts'
import { startSandboxServer } from './server.ts'
import type { SandboxServer } from './server.ts'

export interface ServeOrder {
  folder: string
  timeDivisor: number
  /** number of the server that is over */
  after: number
}

async function serve({ folder, timeDivisor, after }: ServeOrder): Promise<void> {
  const secret = randomBytes(32).toString('hex')
  const lingerMs = Math.max(150, 1_500 / timeDivisor)
  const members = new Set<ServerResponse>()
  let leaving = false
  let ready: (url: string) => void = () => {}
  const about = new Promise<string>((resolve) => (ready = resolve))
  let idle: NodeJS.Timeout | undefined
  let leave = () => {}
  const left = new Promise<void>((resolve) => (leave = resolve))
  const countDown = (ms: number) => {
    clearTimeout(idle)
    idle = setTimeout(() => {
      leaving = true
      leave()
    }, ms)
  }

  const guard = createServer((request, response) => {
    const known = mayJoin(request, { port: (guard.address() as AddressInfo).port, secret })
    if (known === undefined) {
      response.writeHead(403).end()
      return
    }
    const proof = proofOf(secret, 'server', known.nonce)
    if (leaving) {
      response.writeHead(503).end(`${JSON.stringify({ proof })}\n`)
      return
    }
    members.add(response)
    clearTimeout(idle)
    response.on('close', () => {
      members.delete(response)
      if (members.size === 0) countDown(lingerMs)
    })
    void about.then((url) => response.write(`${JSON.stringify({ proof, url } satisfies Welcome)}\n`))
  })
  guard.requestTimeout = 0
  await new Promise<void>((resolve) => guard.listen(0, '127.0.0.1', resolve))
  if (!becomeNext(folder, after, { port: (guard.address() as AddressInfo).port, pid: process.pid, secret })) {
    guard.close()
    return
  }
  // Whoever started this process may be gone before it joins.
  countDown(10_000)
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      leaving = true
      leave()
    })
  }

  const furniture = readFurniture(folder) ?? furnishFolder(folder)
  const server = await startAtUsualPort(folder, furniture, timeDivisor)
  await furnish(server.url, furniture)
  ready(server.url)
  await left
  // The guard goes last: as long as it answers, no other server starts on this folder.
  await server.close()
  guard.close()
  guard.closeAllConnections()
}

async function startAtUsualPort(folder: string, furniture: Furniture, timeDivisor: number): Promise<SandboxServer> {
  const start = (port: number) => startSandboxServer({ folder, port, timeDivisor })
  const server = await start(furniture.port).catch((error: unknown) => {
    if (furniture.port !== 0 && (error as NodeJS.ErrnoException).code === 'EADDRINUSE') return start(0)
    throw error
  })
  if (server.port !== furniture.port) writeFurniture(folder, { ...furniture, port: server.port })
  return server
}

// Each step may have been done before a kill.
async function furnish(url: string, { token, storageChatId }: Furniture): Promise<void> {
  const control = sandboxControl(url)
  const { id } = await control.registerBot({ token, username: 'greetings_sandbox_bot', firstName: 'Greetings' })
  const chats = await control.chats()
  if (!chats.some((chat) => chat.id === storageChatId))
    await control.createChannel({ id: storageChatId, title: 'Storage', admins: [id] })
  if ((await control.users()).length === 0)
    await control.saveUser({
      userId: 1_000_001,
      firstName: 'Оля',
      lastName: 'Снегирёва',
      username: 'olya',
      languageCode: 'ru',
    })
}

void serve(JSON.parse(process.argv[2] ?? '{}') as ServeOrder).then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    process.exit(1)
  },
)
