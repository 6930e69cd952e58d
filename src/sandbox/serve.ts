/**
 * The process behind `--sandbox`: one server for all commands of a home. Started by `openSandbox` with one
 * argument, JSON of `ServeOrder`. Members hold a connection to its guard; when the last one has been gone for
 * a while the process ends.
 */
import { randomBytes, randomInt } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { sandboxControl } from './client.ts'
import { makeToken } from './control.ts'
import { becomeNext, proofOf } from './incarnation.ts'
import type { Welcome } from './incarnation.ts'
import { startSandboxServer } from './server.ts'
import type { SandboxServer } from './server.ts'
import { writeWhole } from './world.ts'

export interface ServeOrder {
  folder: string
  timeDivisor: number
  /** number of the server that is over */
  after: number
}

interface Furniture {
  token: string
  storageChatId: number
  /** of the Bot API and the chat page: the same at every start when it is free, so that open pages and bots find it */
  port: number
}

async function serve({ folder, timeDivisor, after }: ServeOrder): Promise<void> {
  const secret = randomBytes(32).toString('hex')
  const lingerMs = Math.max(150, 1_500 / timeDivisor)
  const members = new Set<ServerResponse>()
  let leaving = false
  let ready: (about: Omit<Welcome, 'proof'>) => void = () => {}
  const about = new Promise<Omit<Welcome, 'proof'>>((resolve) => (ready = resolve))
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
    const nonce = new URL(request.url ?? '/', 'http://127.0.0.1').searchParams.get('nonce') ?? ''
    const proof = proofOf(secret, nonce)
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
    void about.then((known) => response.write(`${JSON.stringify({ proof, ...known })}\n`))
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

  const furniture = readFurniture(folder)
  const server = await startAtUsualPort(folder, furniture, timeDivisor)
  await furnish(server.url, furniture)
  ready({ url: server.url, token: furniture.token, botId: Number(furniture.token.split(':')[0]), storageChatId: String(furniture.storageChatId) })
  await left
  // The guard goes last: as long as it answers, no other server starts on this folder.
  await server.close()
  guard.close()
  guard.closeAllConnections()
}

function readFurniture(folder: string): Furniture {
  const path = join(folder, 'sandbox.json')
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as Furniture
  const made: Furniture = { token: makeToken(), storageChatId: -1_000_000_000_000 - randomInt(1_000_000_000, 3_999_999_999), port: 0 }
  writeWhole(path, JSON.stringify(made))
  return made
}

async function startAtUsualPort(folder: string, furniture: Furniture, timeDivisor: number): Promise<SandboxServer> {
  const start = (port: number) => startSandboxServer({ folder, port, timeDivisor })
  const server = await start(furniture.port).catch((error: unknown) => {
    if (furniture.port !== 0 && (error as NodeJS.ErrnoException).code === 'EADDRINUSE') return start(0)
    throw error
  })
  if (server.port !== furniture.port) writeWhole(join(folder, 'sandbox.json'), JSON.stringify({ ...furniture, port: server.port }))
  return server
}

// Each step may have been done before a kill.
async function furnish(url: string, { token, storageChatId }: Furniture): Promise<void> {
  const control = sandboxControl(url)
  const { id } = await control.registerBot({ token, username: 'greetings_sandbox_bot', firstName: 'Greetings' })
  const chats = await control.chats()
  if (!chats.some((chat) => chat.id === storageChatId)) await control.createChannel({ id: storageChatId, title: 'Storage', admins: [id] })
  if ((await control.users()).length === 0) await control.saveUser({ userId: 1_000_001, firstName: 'Оля', lastName: 'Снегирёва', username: 'olya', languageCode: 'ru' })
}

void serve(JSON.parse(process.argv[2] ?? '{}') as ServeOrder).then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    process.exit(1)
  },
)
