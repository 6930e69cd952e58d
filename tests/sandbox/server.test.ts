import { Api } from 'grammy'
import { describe, expect, it } from 'vitest'
import { token, otherToken, botId, server, sandbox, api, refusal, raw, useServer } from './test-server.ts'

useServer()

describe('tokens and methods', () => {
  it('knows the bot of a token, also of its rotated token', async () => {
    const rotated = '7000000001:BBtesttokentesttokentesttokentestXY'
    await sandbox.registerBot({ token: rotated })
    expect(await new Api(rotated, { apiRoot: server.url }).getMe()).toMatchObject({
      id: botId,
      is_bot: true,
      username: 'greetings_bot',
      first_name: 'Greetings',
      supports_inline_queries: true,
    })
    await sandbox.revokeToken(token)
    expect(await refusal(api.getMe())).toMatchObject({ code: 401, description: 'Unauthorized' })
  })

  it('refuses an unknown token with 401, a malformed one and an unknown method with 404', async () => {
    expect(await raw(`/bot${otherToken}/getMe`)).toEqual({
      status: 401,
      body: { ok: false, error_code: 401, description: 'Unauthorized' },
    })
    expect(await raw('/botnonsense/getMe')).toEqual({
      status: 404,
      body: { ok: false, error_code: 404, description: 'Not Found' },
    })
    expect(await raw(`/bot${token}/sendLove`)).toEqual({
      status: 404,
      body: { ok: false, error_code: 404, description: 'Not Found: method not found' },
    })
  })

  it('takes parameters as JSON, form, query and multipart alike', async () => {
    await sandbox.say({ userId: 5, text: '/start' })
    const form = new FormData()
    form.set('chat_id', '5')
    form.set('text', 'Привет')
    const ways: [string, RequestInit?][] = [
      [`/bot${token}/sendMessage?chat_id=5&text=${encodeURIComponent('Привет')}`],
      [
        `/bot${token}/SENDMESSAGE`,
        {
          method: 'POST',
          body: JSON.stringify({ chat_id: 5, text: 'Привет' }),
          headers: { 'content-type': 'application/json' },
        },
      ],
      [`/bot${token}/sendMessage`, { method: 'POST', body: new URLSearchParams({ chat_id: '5', text: 'Привет' }) }],
      [`/bot${token}/sendMessage`, { method: 'POST', body: form }],
    ]
    for (const [path, init] of ways)
      expect(await raw(path, init)).toMatchObject({
        status: 200,
        body: { ok: true, result: { text: 'Привет', chat: { id: 5, type: 'private' } } },
      })
    expect((await sandbox.messages(5)).map((message) => message.message_id)).toEqual([1, 2, 3, 4, 5])
  })

  it('refuses pages of other sites', async () => {
    const { request } = await import('node:http')
    const status = (headers: Record<string, string>) =>
      new Promise((resolve, reject) => {
        request(`${server.url}/sandbox/world`, { headers }, (response) => resolve(response.resume().statusCode))
          .on('error', reject)
          .end()
      })
    expect(await status({})).toBe(200)
    expect(await status({ host: 'rebound.example:80' })).toBe(403)
    expect(await status({ origin: 'https://evil.example' })).toBe(403)
    expect(await status({ origin: 'null' })).toBe(403)
    expect(await status({ 'sec-fetch-site': 'cross-site' })).toBe(403)
  })
})
