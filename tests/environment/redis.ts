/** A real Redis for tests, from PATH. Where there is none, tests of that mode skip with one visible line. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'

/** A Redis server of this test file alone. */
export interface TestRedis {
  url: string
  pid: number
  /** Killed and started again; `while` it is away, something may be done. What it held is kept with `keep` only. */
  restart(whileAway?: () => Promise<void>): Promise<void>
  /** It takes connections and answers nothing for so long. */
  hang(ms: number): Promise<void>
  /** FLUSHALL */
  empty(): Promise<void>
  close(): Promise<void>
}

const found = spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0

/** The queue's two modes, of which Redis is left out, visibly, where it is not installed. */
export const queueModes: ('postgresql' | 'redis')[] = found ? ['postgresql', 'redis'] : ['postgresql']
if (!found) process.stderr.write('skipped: tests of the queue on Redis, as there is no redis-server in PATH\n')

/** Starts `redis-server` on a free port of the loopback interface; `keep`: it writes down every change. */
export async function startRedis({ keep = false }: { keep?: boolean } = {}): Promise<TestRedis> {
  const port = await freePort()
  const folder = await mkdtemp(join(tmpdir(), 'greetings-redis-'))
  let running = await startServer(port, folder, keep)
  const end = async () => {
    running.child.kill('SIGKILL')
    await running.ended
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    get pid() {
      return running.child.pid ?? 0
    },
    async restart(whileAway) {
      await end()
      await whileAway?.()
      running = await startServer(port, folder, keep)
    },
    async hang(ms) {
      running.child.kill('SIGSTOP')
      await sleep(ms)
      running.child.kill('SIGCONT')
    },
    async empty() {
      const client = new Redis(port, '127.0.0.1')
      await client.flushall()
      client.disconnect()
    },
    async close() {
      await end()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function startServer(port: number, folder: string, keep: boolean) {
  const child = spawn(
    'redis-server',
    [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      keep ? 'yes' : 'no',
      '--appendfsync',
      'always',
      '--dir',
      folder,
      '--maxmemory-policy',
      'noeviction',
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  const ended = once(child, 'exit')
  let text = ''
  for await (const chunk of child.stdout) {
    text += String(chunk)
    if (text.includes('Ready to accept connections')) break
  }
  if (child.exitCode !== null) throw new Error(`redis-server ended: ${text}`)
  return { child, ended }
}

/** A port of this machine that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
