/**
 * Which server process serves a folder. Every server that ever did took a turn (see numbered-lock.ts), whose file
 * holds its port and secret, so no two serve at once. A server listens before it takes its turn, so whatever does not
 * answer at the port of the highest number, or cannot prove to know the secret, is over.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { lastTurn, takeTurn } from '../../numbered-lock.ts'

/** Of the guard that answers members, not of the Bot API. */
export interface Instance {
  number: number
  port: number
  pid: number
  secret: string
}

/** The newest one, dead or alive; undefined in a fresh folder. */
export function lastInstance(folder: string): Instance | undefined {
  const number = lastTurn(serversOf(folder))
  if (number === 0) return undefined
  try {
    const text = readFileSync(join(serversOf(folder), String(number)), 'utf8')
    return { number, ...(JSON.parse(text) as Omit<Instance, 'number'>) }
  } catch {
    return undefined // tidied away in between; whoever comes back finds a higher number
  }
}

/** Makes the caller the server that follows `before`; false when another process was faster. */
export function becomeNext(folder: string, before: number, self: Omit<Instance, 'number'>): boolean {
  mkdirSync(serversOf(folder), { recursive: true, mode: 0o700 })
  return takeTurn(serversOf(folder), before + 1, JSON.stringify(self))
}

const serversOf = (folder: string) => join(folder, 'servers')

/**
 * What shows that a server, or who asks it, knows the secret, without telling
 * it. Neither side's proof is one of the other.
 */
export function proofOf(secret: string, side: 'server' | 'member', nonce: string): string {
  return createHmac('sha256', secret).update(`${side} ${nonce}`).digest('hex')
}

/**
 * The request comes from a program that can read the folder: others are told nothing, a page in a browser least of all.
 */
export function mayJoin(
  { method, url, headers }: IncomingMessage,
  { port, secret }: Pick<Instance, 'port' | 'secret'>,
): { nonce: string } | undefined {
  const { pathname, searchParams } = new URL(url ?? '/', 'http://127.0.0.1')
  const nonce = searchParams.get('nonce') ?? ''
  if (
    method !== 'GET' ||
    pathname !== '/member' ||
    headers.host !== `127.0.0.1:${port}` ||
    headers.origin !== undefined
  )
    return undefined
  return isSame(searchParams.get('proof') ?? '', proofOf(secret, 'member', nonce)) ? { nonce } : undefined
}

function isSame(told: string, expected: string): boolean {
  const [one, other] = [Buffer.from(told), Buffer.from(expected)]
  return one.length === other.length && timingSafeEqual(one, other)
}

/** What a member is told when it joins. The token it reads in the folder. */
export interface Welcome {
  proof: string
  url: string
}

/** A look at a server: we are its member now, or why not. */
export type Joined =
  | { status: 'member'; welcome: Welcome; connection: IncomingMessage }
  /** it takes no more members and will be gone soon */
  | { status: 'leaving' }
  /** nobody listens there, or somebody else */
  | { status: 'over' }
  /** somebody listens there but says nothing */
  | { status: 'silent' }

/** Joins a server. Membership lasts as long as the connection, so a killed member leaves by itself. */
export function joinServer(server: Instance, timeoutMs: number): Promise<Joined> {
  const nonce = randomBytes(16).toString('hex')
  return new Promise((resolve) => {
    const asked = request({
      host: '127.0.0.1',
      port: server.port,
      path: `/member?nonce=${nonce}&proof=${proofOf(server.secret, 'member', nonce)}`,
      agent: false,
    })
    const timer = setTimeout(() => {
      asked.destroy()
      resolve({ status: 'silent' })
    }, timeoutMs)
    const done = (joined: Joined) => {
      clearTimeout(timer)
      if (joined.status !== 'member') asked.destroy()
      resolve(joined)
    }
    asked.on('error', () => done({ status: 'over' }))
    asked.on('response', (response) => {
      let text = ''
      const heard = (chunk: string) => {
        text += chunk
        const end = text.indexOf('\n')
        if (end === -1 && text.length < 10_000) return
        response.off('data', heard)
        done(understand(response, text.slice(0, end), proofOf(server.secret, 'server', nonce)))
      }
      response.setEncoding('utf8')
      response.on('data', heard)
      response.on('error', () => {})
      response.on('close', () => done({ status: 'over' }))
    })
    asked.end()
  })
}

function understand(response: IncomingMessage, line: string, proof: string): Joined {
  try {
    const welcome = JSON.parse(line) as Welcome
    if (!isSame(String(welcome.proof), proof)) return { status: 'over' }
    return response.statusCode === 200 ? { status: 'member', welcome, connection: response } : { status: 'leaving' }
  } catch {
    return { status: 'over' }
  }
}
