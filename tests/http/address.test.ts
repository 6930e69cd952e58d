import { createServer } from 'node:http'
import { describe, expect, it } from 'vitest'
import {
  AddressUnusable,
  closeServer,
  isLoopback,
  listenAt,
  namesLoopback,
  parseAddress,
  urlOf,
} from '../../src/http/address.ts'

describe('an address to listen at', () => {
  it.each([
    ['9464', { host: '127.0.0.1', port: 9464 }],
    ['0.0.0.0:9464', { host: '0.0.0.0', port: 9464 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['[::1]:80', { host: '::1', port: 80 }],
  ])('%s', (text, address) => expect(parseAddress(text)).toEqual(address))

  it.each(['', 'x', ':80', '80:', '65536', 'host:port', '[nonsense]:80', '::1:80', '127.0.0.1', '-1'])(
    '%j is none',
    (text) => expect(parseAddress(text)).toBeUndefined(),
  )

  it('is loopback only where nobody outside can come in', () => {
    expect(['127.0.0.1', '127.8.0.1', '::1', 'localhost'].map(isLoopback)).toEqual([true, true, true, true])
    expect(['0.0.0.0', '::', '10.0.0.1', '127.evil.example', 'example.org'].map(isLoopback)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ])
  })

  it('a Host header of this machine, and none of another', () => {
    expect(['127.0.0.1:8090', 'localhost', 'LOCALHOST:1', '[::1]:8090'].map(namesLoopback)).toEqual([
      true,
      true,
      true,
      true,
    ])
    expect(
      [undefined, '', 'evil.example:8090', 'localhost.evil.example', '127.0.0.1.evil.example', '10.0.0.1'].map(
        namesLoopback,
      ),
    ).toEqual([false, false, false, false, false, false])
  })

  it('says in one sentence that a port is taken', async () => {
    const [one, other] = [createServer(), createServer()]
    const port = await listenAt(one, { host: '127.0.0.1', port: 0 })
    await expect(listenAt(other, { host: '127.0.0.1', port })).rejects.toThrow(AddressUnusable)
    await expect(listenAt(other, { host: '127.0.0.1', port })).rejects.toThrow(
      `Cannot listen at ${urlOf({ host: '127.0.0.1', port })}: another program listens there`,
    )
    await closeServer(one)
  })
})
