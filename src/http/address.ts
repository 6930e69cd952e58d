/** Where a server of ours listens, and who may talk to it. */
import type { Server, ServerOptions } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An address to listen at. */
export interface Address {
  host: string
  /** 0: any free one */
  port: number
}

export const loopback = '127.0.0.1'

/**
 * `9464`, `0.0.0.0:9464`, `[::1]:9464` or `localhost:9464`; the loopback interface unless a
 * host is given. Undefined: it is none of these.
 */
export function parseAddress(text: string): Address | undefined {
  const match = /^(?:(?:\[([0-9a-f:.]+)\]|([\w.-]+)):)?(\d{1,5})$/i.exec(text.trim())
  if (match === null) return undefined
  const [, v6, plain, digits] = match
  if (v6 !== undefined && !URL.canParse(`http://[${v6}]`)) return undefined
  const port = Number(digits)
  return port > 65_535 ? undefined : { host: v6 ?? plain ?? loopback, port }
}

/** Nobody outside this machine can talk to a server at this host. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

/**
 * The `Host` header names this machine itself. A page of a stranger, whose name was made to point here, sends
 * its own name (DNS rebinding).
 */
export function namesLoopback(header: string | undefined): boolean {
  const host = /^(?:\[(.+)\]|([^:]+))(?::\d+)?$/.exec(header ?? '')
  return host !== null && isLoopback((host[1] ?? host[2] ?? '').toLowerCase())
}

/**
 * How long a client may take to say what it wants, looked at every few seconds: who connects and says nothing keeps no
 * connection. One that is kept between requests outlives the 60 seconds of the usual
 * reverse proxies, so that it is they who close it.
 */
export const timeLimits: ServerOptions = {
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  connectionsCheckingInterval: 2_000,
  keepAliveTimeout: 75_000,
}

/** The address is taken, is none of this machine, or may not be used. */
export class AddressUnusable extends Error {
  override name = 'AddressUnusable'
  readonly exitCode = 2
}

/** Begins to listen; the port that it became. @throws AddressUnusable */
export async function listenAt(server: Server, { host, port }: Address): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why =
        error.code === 'EADDRINUSE'
          ? 'another program listens there'
          : error.code === 'EACCES'
            ? 'ports below 1024 need more rights'
            : 'it is no address of this machine'
      reject(
        new AddressUnusable(`Cannot listen at ${urlOf({ host, port })}: ${why}. Choose another.`, { cause: error }),
      )
    })
    server.listen(port, host, resolve)
  })
  return (server.address() as AddressInfo).port
}

/** The address as a URL without a path. */
export function urlOf({ host, port }: Address): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** Ends the server, also for those who keep a connection open. */
export async function closeServer(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeAllConnections()
  await closed
}
