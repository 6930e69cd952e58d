/** A sandbox server for the tests of a file, and what they all do with it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Api, GrammyError, InputFile } from 'grammy'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { sandboxControl, type SandboxControl } from '../../src/sandbox/client.ts'
import { startSandboxServer, type SandboxServer } from '../../src/sandbox/server.ts'
import { makeClips, type Clips } from './clips.ts'

export const token = '7000000001:AAtesttokentesttokentesttokentestAB'
export const otherToken = '7000000002:AAtesttokentesttokentesttokentestCD'
export const botId = 7_000_000_001
export const otherBotId = 7_000_000_002

export let clips: Clips
export let folder: string
export let server: SandboxServer
export let sandbox: SandboxControl
export let api: Api

/** Each test of the file has a new server with one bot; call this once. */
export function useServer(): void {
  beforeAll(async () => {
    clips = await makeClips()
  })

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sandbox-'))
    server = await startSandboxServer({ folder, timeDivisor: 20 })
    sandbox = sandboxControl(server.url)
    await sandbox.registerBot({ token, username: 'greetings_bot', firstName: 'Greetings' })
    api = new Api(token, { apiRoot: server.url })
  })

  afterEach(async () => {
    await server.close()
    await rm(folder, { recursive: true, force: true })
  })

  afterAll(async () => {
    await rm(join(clips.video, '..'), { recursive: true, force: true })
  })
}

/** What a call was refused with. */
export async function refusal(
  call: Promise<unknown>,
): Promise<{ code: number; description: string; parameters?: unknown }> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof GrammyError)) throw new Error('expected a refusal', { cause: error })
  return { code: error.error_code, description: error.description, parameters: error.parameters }
}

export async function raw(path: string, init?: RequestInit): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${server.url}${path}`, init)
  return { status: response.status, body: await response.json() }
}

export async function channel(): Promise<number> {
  return sandbox.createChannel({ title: 'Storage', admins: [botId] })
}

export const upload = (chat: number) =>
  api.sendVideo(chat, new InputFile(clips.video, 'greeting.mp4'), {
    width: 720,
    height: 1280,
    duration: 18,
    supports_streaming: true,
    thumbnail: new InputFile(clips.picture, 'poster.jpg'),
  })
