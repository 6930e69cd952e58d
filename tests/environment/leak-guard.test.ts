import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { findLeaks } from './leak-guard.ts'

const nothingLeft = () => vi.waitFor(() => expect(findLeaks()).toEqual([]), { timeout: 5_000 })

it('finds temporary folders until they are removed', async () => {
  const folders = [mkdtempSync(join(tmpdir(), 'greetings-leak-')), await mkdtemp(join(tmpdir(), 'greetings-leak-'))]
  expect(findLeaks()).toEqual(folders.map((folder) => `folder ${folder}`))
  for (const folder of folders) rmSync(folder, { recursive: true })
  expect(findLeaks()).toEqual([])
})

it('finds servers and sockets until they are closed', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1').resume()
  const [[accepted]] = (await Promise.all([once(server, 'connection'), once(client, 'connect')])) as [[Socket], unknown]
  expect(findLeaks()).toEqual(['1 × TCPServerWrap', '2 × TCPSocketWrap'])
  accepted.destroy()
  server.close()
  await nothingLeft()
})

it.skipIf(process.platform !== 'linux')('finds processes until they end, their own sessions included', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'greetings-leak-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const child = spawn('sleep', ['60'], { stdio: 'ignore' })
  // Its parent ends at once; what tells is the folder in its environment.
  const orphanage = spawn('sh', ['-c', 'sleep 60 & exit'], {
    stdio: 'ignore',
    detached: true,
    env: { ...process.env, HOME: folder },
  })
  await once(orphanage, 'exit')
  await vi.waitFor(() => expect(findLeaks().filter((leak) => /^process \d+: sleep 60 $/.test(leak))).toHaveLength(2))
  child.kill()
  process.kill(-(orphanage.pid ?? 0))
  rmSync(folder, { recursive: true })
  await nothingLeft()
})
