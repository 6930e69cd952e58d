import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { token, folder, server, sandbox, raw, useServer } from '../test-server.ts'

useServer()

it('refuses an upload that is not what it says it is', async () => {
  const answer = await raw(`/bot${token}/sendVideo`, {
    method: 'POST',
    body: '--other\r\nnothing',
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
  })
  expect(answer).toMatchObject({ status: 400, body: { ok: false } })
})

it('forgets an upload whose sender hung up in the middle', async () => {
  const { port } = new URL(server.url)
  const head = [
    `POST /bot${token}/sendVideo HTTP/1.1`,
    'host: 127.0.0.1',
    'content-type: multipart/form-data; boundary=b',
    'content-length: 100000',
    '',
    '',
  ]
  const part = [
    '--b',
    'content-disposition: form-data; name="video"; filename="greeting.mp4"',
    'content-type: video/mp4',
    '',
    'the beginning',
  ]
  const socket = connect(Number(port), '127.0.0.1')
  await once(socket, 'connect')
  socket.write([...head, ...part].join('\r\n'))
  const arriving = async () => (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.part'))
  await expect.poll(arriving).toHaveLength(1)
  socket.destroy()
  await expect.poll(arriving).toHaveLength(0)
  expect((await sandbox.calls({})).length).toBe(0)
})
