import { Bot, InputFile } from 'grammy'
import { describe, expect, it } from 'vitest'
import { token, clips, server, sandbox, api, refusal, useServer } from '../test-server.ts'

useServer()

describe('updates', () => {
  it('gives updates in order, again until an offset confirms them', async () => {
    const ids = await sandbox.sayAll(
      [1, 2, 3, 4].map((n) => ({
        userId: 10 + n,
        firstName: `N${n}`,
        languageCode: 'ru',
        text: n === 1 ? '/start abc' : `имя ${n}`,
      })),
    )
    const first = await api.getUpdates({ limit: 2 })
    expect(first.map((update) => update.update_id)).toEqual(ids.slice(0, 2))
    expect(first[0]).toMatchObject({
      message: {
        text: '/start abc',
        entities: [{ type: 'bot_command', offset: 0, length: 6 }],
        from: { id: 11, language_code: 'ru', is_bot: false },
      },
    })
    expect((await api.getUpdates({ limit: 2 })).map((update) => update.update_id)).toEqual(ids.slice(0, 2))
    expect((await api.getUpdates({ offset: (ids[1] ?? 0) + 1 })).map((update) => update.update_id)).toEqual(
      ids.slice(2),
    )
    expect((await api.getUpdates({ offset: -1 })).map((update) => update.update_id)).toEqual(ids.slice(3))
    expect((await sandbox.pending()).updateIds).toEqual(ids.slice(3))
  })

  it('tells confirmed updates again when asked to', async () => {
    const id = (await sandbox.say({ userId: 5, text: 'a' })) ?? 0
    await api.getUpdates()
    expect(await api.getUpdates({ offset: id + 1 })).toEqual([])
    expect(await sandbox.resend([id])).toBe(1)
    expect((await api.getUpdates({ offset: id + 1 })).map((update) => update.update_id)).toEqual([id])
    expect(await api.getUpdates({ offset: id + 1 })).toEqual([])
  })

  it('keeps a long poll open until something comes', async () => {
    const poll = api.getUpdates({ timeout: 30 })
    await sandbox.waitForCalls({ method: 'getUpdates' })
    await sandbox.say({ userId: 5, text: 'hello' })
    expect(await poll).toMatchObject([{ message: { text: 'hello' } }])
  })

  it('ends the first of two pollers with 409, and any poll while a webhook is set', async () => {
    const first = refusal(api.getUpdates({ timeout: 30 }))
    await sandbox.waitFor(async () => (await sandbox.pending()).polling)
    const second = api.getUpdates({ timeout: 30 })
    expect(await first).toMatchObject({
      code: 409,
      description: 'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running',
    })
    const id = (await sandbox.say({ userId: 5, text: 'hello' })) ?? 0
    expect(await second).toMatchObject([{ update_id: id }])
    await api.getUpdates({ offset: id + 1 })
    await api.setWebhook('http://127.0.0.1:9/hook')
    expect(await refusal(api.getUpdates())).toMatchObject({
      code: 409,
      description:
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    })
    expect(await api.getWebhookInfo()).toMatchObject({ url: 'http://127.0.0.1:9/hook', pending_update_count: 0 })
    await api.deleteWebhook()
    expect(await api.getUpdates()).toEqual([])
  })

  it('gives only the kinds that are asked for', async () => {
    await api.getUpdates({ allowed_updates: ['callback_query'] })
    expect(await sandbox.say({ userId: 5, text: 'a' })).toBeNull()
    await api.getUpdates({ allowed_updates: [] })
    expect(await sandbox.say({ userId: 5, text: 'b' })).not.toBeNull()
  })

  it('posts to a webhook with its secret, again until it answers 200', async () => {
    const { createServer } = await import('node:http')
    const got: { secret: unknown; text: string | undefined }[] = []
    const statuses = [500, 502]
    const hook = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        got.push({
          secret: request.headers['x-telegram-bot-api-secret-token'],
          text: (JSON.parse(body) as { message?: { text?: string } }).message?.text,
        })
        response
          .writeHead(statuses.shift() ?? 200, { 'content-type': 'application/json' })
          .end(got.length < 4 ? '' : JSON.stringify({ method: 'sendMessage', chat_id: 5, text: 'by reply' }))
      })
    })
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve))
    await api.setWebhook(`http://127.0.0.1:${(hook.address() as { port: number }).port}/`, {
      secret_token: 'se-cret_1',
    })
    await sandbox.sayAll([
      { userId: 5, text: 'one' },
      { userId: 5, text: 'two' },
    ])
    await sandbox.waitForMessage(5, (message) => message.text === 'by reply')
    expect(got.map(({ text }) => text)).toEqual(['one', 'one', 'one', 'two'])
    expect(got.every(({ secret }) => secret === 'se-cret_1')).toBe(true)
    expect((await api.getWebhookInfo()).pending_update_count).toBe(0)
    await new Promise((resolve) => hook.close(resolve))
  })

  it('runs an unmodified grammY bot', async () => {
    const bot = new Bot(token, { client: { apiRoot: server.url } })
    bot.command('start', (ctx) => ctx.reply(`welcome ${ctx.match}`))
    bot.on('message:text', async (ctx) => {
      await ctx.replyWithChatAction('upload_video')
      await ctx.replyWithVideo(new InputFile(clips.video, 'greeting.mp4'), { caption: ctx.message.text })
    })
    const running = bot.start()
    await sandbox.say({ userId: 5, text: '/start deep' })
    await sandbox.say({ userId: 5, text: 'Маша' })
    await sandbox.waitForMessage(5, (message) => message.caption === 'Маша')
    expect((await sandbox.messages(5)).map(({ text, video }) => text ?? video?.mime_type)).toEqual([
      '/start deep',
      'Маша',
      'welcome deep',
      'video/mp4',
    ])
    await bot.stop()
    await running
    expect((await sandbox.pending()).updateIds).toEqual([])
  })
})
