/** Whoever connects to a server of ours and says nothing, or half of it, keeps no connection. */
import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { startHealthServer } from '../../src/http/health.ts'

it.each([
  { what: 'nothing', bytes: '' },
  { what: 'half a header', bytes: 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n' },
  { what: 'half a body', bytes: 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nabc' },
])(
  'is closed after a while: $what',
  async ({ bytes }) => {
    const server = await startHealthServer({ host: '127.0.0.1', port: 0 }, { version: '0', role: 'test' })
    try {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
      socket.on('data', () => undefined).on('error', () => undefined)
      const closed = new Promise((resolve) => socket.on('close', resolve))
      socket.on('connect', () => bytes !== '' && socket.write(bytes))
      const begun = Date.now()
      await closed
      expect(Date.now() - begun).toBeLessThan(25_000)
    } finally {
      await server.close()
    }
  },
  40_000,
)
