import { join } from 'node:path'
import { Api, GrammyError, HttpError } from 'grammy'
import { beforeEach, describe, expect, it } from 'vitest'
import { sandboxControl } from '../../src/sandbox/client.ts'
import { startSandboxServer } from '../../src/sandbox/server.ts'
import { token, folder, sandbox, api, refusal, channel, upload, useServer } from './test-server.ts'

useServer()

describe('planned faults', () => {
  beforeEach(async () => {
    for (const userId of [5, 6]) await sandbox.say({ userId, text: '/start' })
  })

  it('floods until the announced seconds, divided, are over', async () => {
    await sandbox.fault({ method: 'sendMessage', answer: { kind: 'flood', retryAfter: 14 } })
    expect(await refusal(api.sendMessage(5, 'a'))).toEqual({
      code: 429,
      description: 'Too Many Requests: retry after 14',
      parameters: { retry_after: 14 },
    })
    expect((await refusal(api.sendMessage(6, 'a'))).code).toBe(429)
    await new Promise((resolve) => setTimeout(resolve, 14_000 / 20 + 5))
    expect(await api.sendMessage(5, 'a')).toMatchObject({ text: 'a' })
    expect((await sandbox.calls({ method: 'sendMessage' })).map(({ early }) => early)).toEqual([false, true, false])
  })

  it('refuses in any wording, only the calls that are meant, after those to be skipped', async () => {
    await sandbox.fault({
      method: 'sendMessage',
      chatId: 5,
      skip: 1,
      times: 2,
      answer: { kind: 'refuse', code: 403, description: 'Forbidden: bot was blocked by the user' },
    })
    const outcomes: unknown[] = []
    for (const chat of [6, 5, 5, 6, 5, 5])
      outcomes.push(
        await api.sendMessage(chat, 'a').then(
          () => 'sent',
          (error: GrammyError) => error.error_code,
        ),
      )
    expect(outcomes).toEqual(['sent', 'sent', 403, 'sent', 403, 'sent'])
    await sandbox.fault({ answer: { kind: 'refuse', code: 500, description: 'Internal Server Error' } })
    expect(await refusal(api.getMe())).toMatchObject({ code: 500 })
  })

  it('answers with HTML, or breaks the connection before or after it took the message', async () => {
    await sandbox.fault({ answer: { kind: 'html', code: 502 } })
    await expect(api.sendMessage(5, 'html')).rejects.toBeInstanceOf(HttpError)
    await sandbox.fault({ answer: { kind: 'drop-before' } })
    await expect(api.sendMessage(5, 'before')).rejects.toBeInstanceOf(HttpError)
    await sandbox.fault({ answer: { kind: 'drop-after' } })
    await expect(api.sendMessage(5, 'after')).rejects.toBeInstanceOf(HttpError)
    expect((await sandbox.messages(5)).map(({ text }) => text)).toEqual(['/start', 'after'])
  })

  it('can stay silent, with and without taking the message', async () => {
    for (const kind of ['silence', 'silence-after'] as const) {
      const stopped = new AbortController()
      await sandbox.fault({ method: 'sendMessage', answer: { kind } })
      const call = api.sendMessage(5, kind, {}, stopped.signal as never).then(
        () => 'answered',
        () => 'gave up',
      )
      await sandbox.waitFor(async () =>
        (await sandbox.faults()).some((fault) => fault.answer.kind === kind && fault.hits === 1),
      )
      if (kind === 'silence-after') await sandbox.waitForMessage(5, (message) => message.text === kind)
      stopped.abort()
      expect(await call).toBe('gave up')
    }
    expect((await sandbox.messages(5)).map(({ text }) => text)).toEqual(['/start', 'silence-after'])
  })

  it('tells whose answer nobody heard', async () => {
    const { id } = await sandbox.fault({ method: 'sendMessage', answer: { kind: 'hold-after' } })
    const stopped = new AbortController()
    const call = api.sendMessage(5, 'taken', {}, stopped.signal as never).catch(() => undefined)
    await sandbox.waitForHeld(id, 1)
    stopped.abort()
    await call
    await sandbox.waitFor(async () => (await sandbox.faults()).some((fault) => fault.id === id && fault.holding === 0))
    await sandbox.release()
    await api.sendMessage(5, 'heard')
    expect(
      (await sandbox.calls({ method: 'sendMessage' })).map(({ status, messageId }) => [
        status,
        messageId !== undefined,
      ]),
    ).toEqual([
      [undefined, true],
      [200, true],
    ])
  })

  it('can be slow: a call waits so long, divided, and a release ends the waiting', async () => {
    const { id } = await sandbox.fault({ method: 'sendMessage', times: 0, answer: { kind: 'slow', seconds: 2 } })
    const started = performance.now()
    await api.sendMessage(5, 'a')
    expect(performance.now() - started).toBeGreaterThan(2_000 / 20 - 2)
    await sandbox.release(id)
    const { id: endless } = await sandbox.fault({ method: 'sendMessage', answer: { kind: 'slow', seconds: 9_999 } })
    const sending = api.sendMessage(5, 'b')
    await sandbox.waitForHeld(endless)
    await sandbox.release(endless)
    expect(await sending).toMatchObject({ text: 'b' })
  })

  it('holds calls until they are released, one or all', async () => {
    const { id } = await sandbox.fault({ method: 'sendMessage', answer: { kind: 'hold' } })
    const done: string[] = []
    const calls = ['a', 'b', 'c'].map((text) => api.sendMessage(5, text).then(() => done.push(text)))
    await sandbox.waitForHeld(id, 3)
    expect((await sandbox.messages(5)).length).toBe(1)
    await sandbox.releaseOne(id)
    await sandbox.waitFor(async () => (await sandbox.messages(5)).length === 2)
    expect((await sandbox.faults())[0]).toMatchObject({ holding: 2, hits: 3, over: false })
    await sandbox.release(id)
    await Promise.all(calls)
    expect(done.length).toBe(3)
  })

  it('keeps limits when they are switched on', async () => {
    const id = await channel()
    await sandbox.limit({ channelPerMinute: 2, sameSizeSeconds: 10 })
    await api.sendMessage(id, 'a')
    await api.sendMessage(id, 'b')
    expect(await refusal(api.sendMessage(id, 'c'))).toMatchObject({
      code: 429,
      parameters: { retry_after: expect.any(Number) as unknown },
    })
    await sandbox.limit({ sameSizeSeconds: 100 })
    const second = await channel()
    await upload(second)
    expect(await refusal(upload(second))).toMatchObject({ code: 429, parameters: { retry_after: 60 } })
    // Its second is not divided: under load three calls need more than a twentieth of one.
    const unhurried = await startSandboxServer({ folder: join(folder, 'unhurried') })
    const control = sandboxControl(unhurried.url)
    await control.registerBot({ token })
    await control.say({ userId: 5, text: '/start' })
    await control.limit({ overallPerSecond: 2 })
    const other = new Api(token, { apiRoot: unhurried.url })
    const sent = await Promise.all(
      [1, 2, 3].map((n) =>
        other.sendMessage(5, `${n}`).then(
          () => 200,
          (error: GrammyError) => error.error_code,
        ),
      ),
    )
    await unhurried.close()
    expect(sent.sort()).toEqual([200, 200, 429])
  })
})
