/**
 * The sandbox of a home: one server for all its commands, found, joined or started here, gone soon after the
 * last of them. See `instance.ts` for how no two ever serve one folder.
 */
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { childEnvironment } from '../../child-environment.ts'
import { builtScript } from '../../installation.ts'
import type { SandboxLog } from '../server.ts'
import { joinServer, lastInstance } from './instance.ts'
import type { Joined } from './instance.ts'
import type { ServeOrder } from './serve.ts'
import { readSettings } from './settings.ts'

/** A command's place in the sandbox. `close()` it. */
export interface Sandbox {
  /** the `apiRoot` */
  url: string
  /** the chat page, for a browser on this machine */
  pageUrl: string
  token: string
  botId: number
  /** a private channel in which the bot may post */
  storageChatId: string
  /** Leaves. Does not wait for the server to end. */
  close(): Promise<void>
}

export interface OpenSandboxOptions {
  /** where the sandbox keeps everything; made when missing */
  folder: string
  log: SandboxLog
  /** divides the server's waiting times, its end included; counts for whoever starts it */
  timeDivisor?: number
}

type Member = Extract<Joined, { status: 'member' }>

const patienceMs = 30_000

/**
 * Joins the server of a folder and starts it when there is none. While the result is open, a server that was
 * killed is started again, at its old address when that is free.
 * @throws when the server cannot be started, with the last lines it wrote
 */
export async function openSandbox({ folder, log, timeDivisor = 1 }: OpenSandboxOptions): Promise<Sandbox> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  let closed = false
  let member = await joinOrStart(folder, timeDivisor)
  const { url } = member.welcome
  const settings = readSettings(folder)
  if (settings === undefined) throw new Error(`The sandbox server in ${folder} has left no sandbox.json.`)
  const { token, storageChatId } = settings
  keep(member)

  function keep(now: Member): void {
    now.connection.socket.unref()
    now.connection.resume()
    now.connection.on('close', () => {
      if (!closed) void rejoin()
    })
  }

  async function rejoin(): Promise<void> {
    log.warn('the sandbox server is gone, starting it again')
    try {
      member = await joinOrStart(folder, timeDivisor)
      if (closed) member.connection.destroy()
      else keep(member)
      if (member.welcome.url !== url)
        log.warn({ url: member.welcome.url }, 'the sandbox server has another address now: start this command again')
    } catch (error) {
      log.error(
        { reason: error instanceof Error ? error.message : String(error) },
        'the sandbox server cannot be started again',
      )
    }
  }

  return {
    url,
    pageUrl: `${url}/`,
    token,
    botId: Number(token.split(':')[0]),
    storageChatId: String(storageChatId),
    close: async () => {
      closed = true
      member.connection.destroy()
    },
  }
}

async function joinOrStart(folder: string, timeDivisor: number): Promise<Member> {
  const started = Date.now()
  let starting: Started | undefined
  for (;;) {
    const last = lastInstance(folder)
    const joined: Joined = last === undefined ? { status: 'over' } : await joinServer(last, patienceMs)
    if (joined.status === 'member') return joined
    if (joined.status === 'over') {
      const after = last?.number ?? 0
      const failed = starting?.failed()
      if (failed !== undefined) throw new Error(failed)
      // Ours may still be on its way to that number, or about to say why it will not serve.
      const underWay =
        starting !== undefined && !starting.ended() && (starting.after === after || starting.pid === last?.pid)
      if (!underWay) starting = start({ folder, timeDivisor, after })
    }
    if (Date.now() - started > patienceMs) {
      const who = last === undefined ? 'no server' : `process ${last.pid}`
      throw new Error(
        `The sandbox server in ${folder} does not answer (${who}). If it hangs, stop it and run this again; ` +
          'what it wrote is in server.log there.',
      )
    }
    await sleep(15 + Math.random() * 20)
  }
}

interface Started {
  after: number
  pid: number | undefined
  ended: () => boolean
  /** why it will never serve; undefined when it runs, lost against another's, or was killed */
  failed: () => string | undefined
}

function start(order: ServeOrder): Started {
  const script = builtScript('sandbox/process/serve')
  const output = openSync(join(order.folder, 'server.log'), 'w', 0o600)
  try {
    const child = spawn(process.execPath, [script, JSON.stringify(order)], {
      detached: true,
      stdio: ['ignore', output, output],
      cwd: order.folder,
      env: childEnvironment(),
    })
    let problem: string | undefined
    child.on('error', (error) => (problem = error.message))
    child.unref()
    const failed = () => {
      const code = child.exitCode ?? 0
      if (problem === undefined && code === 0) return undefined
      const lines = readFileSync(join(order.folder, 'server.log'), 'utf8').trim().split('\n').slice(-5).join('\n')
      return `The sandbox server could not be started (${script}): ${problem ?? `exit ${code}`}\n${lines}`
    }
    return {
      after: order.after,
      pid: child.pid,
      ended: () => child.exitCode !== null || child.signalCode !== null,
      failed,
    }
  } finally {
    closeSync(output)
  }
}
