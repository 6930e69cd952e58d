/**
 * The process behind `--sandbox`: one server for all commands of a home. Started by `openSandbox` with one
 * argument, JSON of `ServeOrder`. Members hold a connection to its guard; when the last one has been gone for
 * a while the process ends.
 */
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sandboxControl } from '../client.ts'
import { startSandboxServer } from '../server.ts'
import type { SandboxServer } from '../server.ts'
import { becomeNext, mayJoin, proofOf } from './instance.ts'
import type { Welcome } from './instance.ts'
import { createSettings, readSettings, writeSettings, type SandboxSettings } from './settings.ts'

export interface ServeOrder {
  folder: string
  timeDivisor: number
  /** number of the server that is over */
  after: number
}

async function serve({ folder, timeDivisor, after }: ServeOrder): Promise<void> {
  const guard = await openGuard(Math.max(150, 1_500 / timeDivisor))
  if (!becomeNext(folder, after, { port: guard.port, pid: process.pid, secret: guard.secret })) return guard.close()
  guard.expectMembers()
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => guard.leave())

  const settings = readSettings(folder) ?? createSettings(folder)
  const server = await startAtUsualPort(folder, settings, timeDivisor)
  await prepare(server.url, settings)
  guard.welcome(server.url)
  await guard.left
  // The guard goes last: as long as it answers, no other server starts on this folder.
  await server.close()
  guard.close()
}

/** Answers members, and knows when none is left. */
interface Guard {
  port: number
  /** what members prove to know */
  secret: string
  /** Ends the process unless a member comes: whoever started it may be gone before it joins. */
  expectMembers(): void
  /** Tells all members, now and later, where the server is. */
  welcome(url: string): void
  /** Takes no more members. */
  leave(): void
  /** the last member has been gone for a while, or `leave` was called */
  left: Promise<void>
  close(): void
}

async function openGuard(lingerMs: number): Promise<Guard> {
  const secret = randomBytes(32).toString('hex')
  const members = new Set<ServerResponse>()
  const [left, finish] = signal<void>()
  const [about, welcome] = signal<string>()
  let leaving = false
  const leave = () => {
    leaving = true
    finish()
  }
  let idle: NodeJS.Timeout | undefined
  const countDown = (ms: number) => {
    clearTimeout(idle)
    idle = setTimeout(leave, ms)
  }

  const guard = createServer((request, response) => {
    const known = mayJoin(request, { port: portOf(guard), secret })
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
  const close = () => {
    guard.close()
    guard.closeAllConnections()
  }
  return { port: portOf(guard), secret, expectMembers: () => countDown(10_000), welcome, leave, left, close }
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

function signal<T>(): [promise: Promise<T>, give: (value: T) => void] {
  let give: (value: T) => void = () => {}
  return [new Promise<T>((resolve) => (give = resolve)), (value) => give(value)]
}

async function startAtUsualPort(
  folder: string,
  settings: SandboxSettings,
  timeDivisor: number,
): Promise<SandboxServer> {
  const start = (port: number) => startSandboxServer({ folder, port, timeDivisor })
  const server = await start(settings.port).catch((error: unknown) => {
    if (settings.port !== 0 && (error as NodeJS.ErrnoException).code === 'EADDRINUSE') return start(0)
    throw error
  })
  if (server.port !== settings.port) writeSettings(folder, { ...settings, port: server.port })
  return server
}

// Each step may have been done before a kill.
async function prepare(url: string, { token, storageChatId }: SandboxSettings): Promise<void> {
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
