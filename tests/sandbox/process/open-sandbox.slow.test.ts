import { spawn } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { Api } from 'grammy'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { builtScript } from '../../../src/installation.ts'
import { sandboxControl } from '../../../src/sandbox/client.ts'
import { lastInstance, proofOf } from '../../../src/sandbox/process/instance.ts'
import { openSandbox } from '../../../src/sandbox/process/open-sandbox.ts'
import type { Sandbox } from '../../../src/sandbox/process/open-sandbox.ts'

const silent = { debug() {}, info() {}, warn() {}, error() {} }
let folder: string
let open: Sandbox[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sandbox-life-'))
  open = []
})

afterEach(async () => {
  for (const sandbox of open) await sandbox.close()
  await gone()
  await rm(folder, { recursive: true, force: true })
})

async function enter(): Promise<Sandbox> {
  const sandbox = await openSandbox({ folder, log: silent, timeDivisor: 20 })
  open.push(sandbox)
  return sandbox
}

const serverPid = () => lastInstance(folder)?.pid ?? 0

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // A killed child nobody has waited for still has a pid.
    return !(existsSync(`/proc/${pid}/stat`) && /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')))
  } catch {
    return false
  }
}

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const started = Date.now(); !(await condition()); await sleep(20)) {
    if (Date.now() - started > 15_000) throw new Error(`${what} did not happen`)
  }
}

/** Waits until the folder's server has ended by itself. */
async function gone(): Promise<void> {
  const pid = serverPid()
  if (pid !== 0) await until(() => !alive(pid), 'the end of the server')
}

describe('the life of the sandbox', () => {
  it('is furnished and one for all, keeps everything and ends with its last member', async () => {
    const first = await enter()
    const second = await enter()
    expect(second).toMatchObject({
      url: first.url,
      token: first.token,
      botId: first.botId,
      storageChatId: first.storageChatId,
      pageUrl: `${first.url}/`,
    })
    const api = new Api(first.token, { apiRoot: first.url })
    expect(await api.getChatMember(first.storageChatId, first.botId)).toMatchObject({
      status: 'administrator',
      can_post_messages: true,
    })
    expect(await sandboxControl(first.url).users()).toMatchObject([{ languageCode: 'ru' }])
    const posted = await api.sendMessage(first.storageChatId, 'kept')
    const pid = serverPid()
    await first.close()
    expect((await api.getMe()).id).toBe(first.botId)
    await second.close()
    await until(() => !alive(pid), 'the end of the server')

    const later = await enter()
    expect(serverPid()).not.toBe(pid)
    expect(later).toMatchObject({ url: first.url, token: first.token, storageChatId: first.storageChatId })
    expect(await sandboxControl(later.url).messages(later.storageChatId)).toMatchObject([
      { message_id: posted.message_id, text: 'kept' },
    ])
  })

  it('starts again for its members when the server is killed, at the same address', async () => {
    const sandbox = await enter()
    const api = new Api(sandbox.token, { apiRoot: sandbox.url })
    await api.sendMessage(sandbox.storageChatId, 'before')
    const pid = serverPid()
    process.kill(pid, 'SIGKILL')
    await until(
      async () =>
        serverPid() !== pid &&
        (await api.getMe().then(
          () => true,
          () => false,
        )),
      'the next server',
    )
    await api.sendMessage(sandbox.storageChatId, 'after')
    expect((await sandboxControl(sandbox.url).messages(sandbox.storageChatId)).map(({ text }) => text)).toEqual([
      'before',
      'after',
    ])
  })

  it('adopts no stranger who listens at a dead server’s port', async () => {
    const stranger = createServer((_request, response) =>
      response.end('{"proof":"guess","url":"http://127.0.0.1:1"}\n'),
    )
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve))
    const first = await enter()
    const { number } = lastInstance(folder) as { number: number }
    await first.close()
    await gone()
    await writeFile(
      join(folder, 'servers', String(number)),
      JSON.stringify({ port: (stranger.address() as AddressInfo).port, pid: process.pid, secret: 'x' }),
    )
    const second = await enter()
    expect(second.url).toBe(first.url)
    expect(lastInstance(folder)?.number).toBe(number + 1)
    await new Promise((resolve) => stranger.close(resolve))
  })

  it('is told of by its guard to nobody but programs that can read its folder', async () => {
    const sandbox = await enter()
    const guard = lastInstance(folder)
    if (guard === undefined) throw new Error('no server')
    const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
      new Promise<{ status: number | undefined; text: string }>((done, fail) => {
        const asked = request(
          { host: '127.0.0.1', port: guard.port, path, headers, method, agent: false },
          (response) => {
            let text = ''
            const end = () => {
              asked.destroy()
              done({ status: response.statusCode, text })
            }
            response.setEncoding('utf8')
            // A member's answer has no end.
            response.on('data', (chunk: string) => (text += chunk)).on('end', end)
            response.once('data', end)
          },
        )
        asked.on('error', fail)
        asked.end()
      })
    const proof = (side: 'server' | 'member', nonce: string, secret = guard.secret) =>
      `/member?nonce=${nonce}&proof=${proofOf(secret, side, nonce)}`
    const nothing = { status: 403, text: '' }
    expect(await ask('/member?nonce=x')).toEqual(nothing)
    expect(await ask(proof('member', 'x', 'guessed'))).toEqual(nothing)
    // What it says of itself opens nothing.
    expect(await ask(proof('server', 'x'))).toEqual(nothing)
    // A page in a browser, under a name that was made to point here, or from another site.
    expect(await ask(proof('member', 'x'), { host: `evil.example:${guard.port}` })).toEqual(nothing)
    expect(await ask(proof('member', 'x'), { origin: 'http://evil.example' })).toEqual(nothing)
    expect(await ask(proof('member', 'x').replace('/member', '/'))).toEqual(nothing)
    expect(await ask(proof('member', 'x'), {}, 'POST')).toEqual(nothing)
    const member = await ask(proof('member', 'x'))
    expect(member.status).toBe(200)
    expect(JSON.parse(member.text)).toEqual({ proof: proofOf(guard.secret, 'server', 'x'), url: sandbox.url })
    // Nor do the page and what it reads.
    for (const path of [
      '/',
      '/page.js',
      '/sandbox/world',
      '/sandbox/bots',
      '/sandbox/chats',
      '/sandbox/calls',
      '/sandbox/users',
    ]) {
      const answer = await fetch(`${sandbox.url}${path}`)
      expect(answer.status, path).toBe(200)
      expect(await answer.text(), path).not.toContain(sandbox.token.split(':')[1])
      expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([])
    }
    for (const file of ['sandbox.json', 'servers', `servers/${guard.number}`])
      expect(statSync(join(folder, file)).mode & 0o077, file).toBe(0)
  })

  it('says why a server cannot be started', async () => {
    await writeFile(join(folder, 'sandbox.json'), 'not json')
    await expect(enter()).rejects.toThrow(/could not be started[^]*JSON/)
  })

  it('survives many short commands that come, go and are killed', { timeout: 120_000 }, async () => {
    const life = pathToFileURL(builtScript('sandbox/process/open-sandbox')).href
    // A command: joins, asks who the bot is, stays a moment, leaves.
    const program = `
      import { openSandbox } from ${JSON.stringify(life)}
      const silent = { debug() {}, info() {}, warn() {}, error() {} }
      const sandbox = await openSandbox({ folder: ${JSON.stringify(folder)}, log: silent, timeDivisor: 20 })
      const answer = await (await fetch(sandbox.url + '/bot' + sandbox.token + '/getMe')).json()
      if (answer.ok !== true) throw new Error(JSON.stringify(answer))
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 250))
      await sandbox.close()`
    const command = (kill: boolean) =>
      new Promise<{ kill: boolean; code: number | null; text: string }>((resolve) => {
        const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
          stdio: ['ignore', 'ignore', 'pipe'],
        })
        let text = ''
        child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()))
        if (kill) setTimeout(() => child.kill('SIGKILL'), 150 + Math.random() * 200)
        child.on('exit', (code) => resolve({ kill, code, text }))
      })
    const rows = [0, 1].map(async (row) => {
      const outcomes = []
      for (let i = 0; i < 5; i++) {
        outcomes.push(await command(i === 2))
        // Long enough, now and then, for the server to begin to leave.
        await sleep(Math.random() * (row === 0 ? 250 : 120))
      }
      return outcomes
    })
    const outcomes = (await Promise.all(rows)).flat()
    expect(outcomes.filter(({ kill, code }) => !kill && code !== 0)).toEqual([])
    await gone()
  })
})
