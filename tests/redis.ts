/** A real Redis for tests, from PATH. Where there is none, tests of that mode skip with one visible line. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A Redis server of this test file alone. */
export interface TestRedis {
  url: string
  pid: number
  close(): Promise<void>
}

const found = spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0

/** The queue's two modes, of which Redis is left out, visibly, where it is not installed. */
export const queueModes: ('postgresql' | 'redis')[] = found ? ['postgresql', 'redis'] : ['postgresql']
if (!found) process.stderr.write('skipped: tests of the queue on Redis, as there is no redis-server in PATH\n')

/** Starts `redis-server` on a free port of the loopback interface, without persistence. */
export async function startRedis(): Promise<TestRedis> {
  const port = await freePort()
  const folder = await mkdtemp(join(tmpdir(), 'greetings-redis-'))
  const child = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder, '--maxmemory-policy', 'noeviction'], { stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = once(child, 'exit')
  let text = ''
  for await (const chunk of child.stdout) {
    text += String(chunk)
    if (text.includes('Ready to accept connections')) break
  }
  if (child.exitCode !== null) throw new Error(`redis-server ended: ${text}`)
  return {
    url: `redis://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    async close() {
      child.kill('SIGKILL')
      await ended
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
