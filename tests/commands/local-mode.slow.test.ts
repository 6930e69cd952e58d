/** The built program beside a Bot API server in local mode, in a home whose path has to be encoded. */
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sandboxControl, type SandboxControl } from '../../src/sandbox/client.ts'
import { startSandboxServer, type SandboxServer } from '../../src/sandbox/server.ts'
import { openTestEnvironment, type TestEnvironment } from '../environment/test-environment.ts'
import { jsonOf, runProgram } from '../environment/program.ts'

let town: TestEnvironment
let server: SandboxServer
let telegram: SandboxControl
let env: Record<string, string>
beforeAll(async () => {
  town = await openTestEnvironment()
  server = await startSandboxServer({ folder: join(town.folder, 'local server'), timeDivisor: 50, local: true })
  telegram = sandboxControl(server.url)
  const bot = await telegram.registerBot({ token: town.token })
  const channelId = await telegram.createChannel({ admins: [bot.id] })
  env = {
    ...town.env,
    TELEGRAM_API_ROOT: server.url,
    TELEGRAM_API_LOCAL: '1',
    STORAGE_CHAT_IDS: String(channelId),
    GREETINGS_HOME: join(town.folder, 'мой дом #1'),
  }
})
afterAll(async () => {
  await server.close()
  // The sandbox server goes by itself a moment after its last command, and may write meanwhile.
  await rm(env.GREETINGS_HOME ?? '', { recursive: true, force: true, maxRetries: 20, retryDelay: 250 })
  await town.close()
})

describe('TELEGRAM_API_LOCAL=1', () => {
  it('warm has the server read each video where it was rendered', async () => {
    const end = await runProgram(['warm', '-', '--json'], { env, input: 'Маша\nПетя\n' })
    expect(end.code, end.stderr).toBe(0)
    expect(jsonOf(end)).toMatchObject({ names: 2, available: 2 })
    const calls = await telegram.calls({ method: 'sendVideo' })
    expect(calls).toMatchObject([1, 2].map(() => ({ upload: 'path', thumbnail: 'taken', status: 200 })))
    const renders = await readdir(join(env.GREETINGS_HOME ?? '', 'renders'), { recursive: true })
    for (const { parameters } of calls) {
      const path = fileURLToPath(String(parameters.video))
      expect(renders.map((file) => join(env.GREETINGS_HOME ?? '', 'renders', file))).toContain(path)
      expect(path).not.toMatch(/маша|петя/i)
    }
  })

  it('with a server that is not in local mode nothing fails: the outage is named and the names stay queued', async () => {
    const wrong = { ...env, TELEGRAM_API_ROOT: town.server.url, STORAGE_CHAT_IDS: String(town.channelId) }
    const end = await runProgram(['warm', '-', '--json', '--timeout', '10s'], { env: wrong, input: 'Оля\n' })
    expect(end.code, end.stderr).toBe(1)
    expect(jsonOf(end)).toMatchObject({ names: 1, available: 0, failed: 0, pending: 1 })
    const status = await runProgram(['status'], { env: wrong })
    expect(status.stdout).toMatch(/outage\s+storage: .*Unsupported URL protocol.*--local.*TELEGRAM_API_LOCAL/)
  })

  it('leaves the sandbox as it is', async () => {
    const end = await runProgram(['warm', '-', '--sandbox', '--json'], { env, input: 'Маша\n' })
    expect(end.code, end.stderr).toBe(0)
    expect(jsonOf(end)).toMatchObject({ names: 1, available: 1 })
  })
})
