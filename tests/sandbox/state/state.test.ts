import { spawn } from 'node:child_process'
import { appendFile, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Api, InputFile } from 'grammy'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { builtScript } from '../../../src/installation.ts'
import { sandboxControl } from '../../../src/sandbox/client.ts'
import { startSandboxServer } from '../../../src/sandbox/server.ts'

const token = '7000000001:AAtesttokentesttokentesttokentestAB'
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sandbox-world-'))
})

afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

describe('what the sandbox remembers', () => {
  it('is all there after a restart, a torn line at the end notwithstanding', async () => {
    const first = await startSandboxServer({ folder })
    const before = sandboxControl(first.url)
    await before.registerBot({ token, username: 'one_bot' })
    const channel = await before.createChannel({ admins: [7_000_000_001] })
    const confirmed = (await before.say({ userId: 5, firstName: 'Оля', text: 'a' })) ?? 0
    await before.say({ userId: 5, text: 'b' })
    const api = new Api(token, { apiRoot: first.url })
    await api.getUpdates({ offset: confirmed + 1 })
    const posted = await api.sendVideo(channel, new InputFile(Buffer.from('a file'), 'a.txt'))
    await api.setMyCommands([{ command: 'start', description: 'Start' }])
    await api.editMessageText(5, (await api.sendMessage(5, 'old')).message_id, 'new')
    await before.block(5)
    await first.close()
    await appendFile(join(folder, 'journal.jsonl'), '{"e":"message","chat":"7000000001/5","mess')

    const second = await startSandboxServer({ folder })
    const after = sandboxControl(second.url)
    const again = new Api(token, { apiRoot: second.url })
    expect((await after.messages(5)).map(({ text }) => text)).toEqual(['a', 'b', 'new'])
    expect(await after.chats()).toMatchObject([
      { id: channel, messages: 1 },
      { id: 5, title: 'Оля', blocked: true },
    ])
    expect((await after.pending()).updateIds[0]).toBe(confirmed + 1)
    expect(await again.getMyCommands()).toEqual([{ command: 'start', description: 'Start' }])
    const file = (posted as { document?: { file_id: string } }).document?.file_id ?? ''
    expect(await again.sendVideo(channel, file)).toMatchObject({ message_id: 2, document: { file_name: 'a.txt' } })
    await after.unblock(5)
    expect((await again.sendMessage(5, 'next')).message_id).toBe(4)
    await second.close()

    // What was written after the torn line is readable too.
    const third = await startSandboxServer({ folder })
    expect((await sandboxControl(third.url).messages(5)).map(({ text }) => text)).toEqual(['a', 'b', 'new', 'next'])
    await third.close()
  })

  it('holds every message that was answered when the server is killed', async () => {
    const module = pathToFileURL(builtScript('sandbox/server')).href
    const program = `const { startSandboxServer } = await import(${JSON.stringify(module)}); console.log((await startSandboxServer({ folder: ${JSON.stringify(folder)} })).url)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = new Promise((resolve) => child.on('exit', resolve))
    const url = await new Promise<string>((resolve) =>
      child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().trim())),
    )
    const control = sandboxControl(url)
    await control.registerBot({ token, username: 'one_bot' })
    await control.say({ userId: 5, text: '/start' })
    const api = new Api(token, { apiRoot: url })
    const answered: string[] = []
    let number = 0
    let sending = true
    const sender = async () => {
      while (sending) {
        const text = `message ${++number}`
        await api.sendMessage(5, text).then(
          () => answered.push(text),
          () => (sending = false),
        )
        if (answered.length === 200) child.kill('SIGKILL')
      }
    }
    await Promise.all([sender(), sender(), sender(), sender()])
    await ended

    const server = await startSandboxServer({ folder })
    const kept = (await sandboxControl(server.url).messages(5)).map(({ text }) => text)
    expect(answered.length).toBeGreaterThanOrEqual(200)
    expect(answered.filter((text) => !kept.includes(text))).toEqual([])
    expect(kept.length - 1 - answered.length).toBeLessThanOrEqual(4)
    expect(await readdir(join(folder, 'incoming'))).toEqual([])
    await server.close()
  })
})
