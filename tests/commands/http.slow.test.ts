/** `--http` and `dashboard` of the built program: there from the start, gone at the end. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestEnvironment, until, type TestEnvironment } from '../environment/test-environment.ts'
import { runProgram, startProgram } from '../environment/program.ts'

let town: TestEnvironment
beforeAll(async () => (town = await openTestEnvironment()))
afterAll(() => town.close())

describe('--http', () => {
  it('answers while the program runs, counts what people do, and ends with it', async () => {
    const up = startProgram(['up', '--http', '0'], { env: town.env })
    const url = await up.waitForText(/"url":"(http:\/\/127\.0\.0\.1:\d+)"/)
    await until(async () => (await fetch(`${url}/readyz`)).status === 200, 'being ready')
    await town.telegram.say({ userId: 77, text: 'Маша', languageCode: 'ru' })
    await town.telegram.waitForMessage(77, (message) => message.video !== undefined)
    const text = await until(async () => {
      const figures = await (await fetch(`${url}/metrics`)).text()
      return figures.includes('greetings_deliveries_total{outcome="sent"} 1') && figures
    }, 'the delivery in the figures')
    expect(text).toMatch(/^greetings_requests_total\{outcome="started"\} 1$/m)
    expect(text).toMatch(/^greetings_render_seconds_count 1$/m)
    expect(text).toMatch(/^greetings_render_step_seconds_count\{step="encode"\} 1$/m)
    expect(text).toMatch(/^greetings_workers 1$/m)
    expect(text).not.toMatch(/маша/i)

    const taken = await runProgram(['bot', '--http', new URL(url).port], { env: town.env })
    expect(taken).toMatchObject({ code: 2, stdout: '' })
    expect(taken.stderr).toContain('another program listens there')

    const webhook = await runProgram(['bot'], {
      env: { ...town.env, WEBHOOK_URL: 'https://example.org/hook', PORT: new URL(url).port },
    })
    expect(webhook).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('another program listens there') as string,
    })

    up.signal('SIGTERM')
    expect((await up.ended).code).toBe(0)
    await expect(fetch(`${url}/healthz`)).rejects.toThrow()
  })

  it('an address that is none ends with 2 and says what it should be', async () => {
    const end = await runProgram(['up', '--http', 'nonsense'], { env: town.env })
    expect(end).toMatchObject({ code: 2, stdout: '' })
    expect(end.stderr).toContain('9464 or 0.0.0.0:9464')
  })
})

describe('dashboard', () => {
  it('shows until it is stopped', async () => {
    const dashboard = startProgram(['dashboard', '--port', '0'], { env: town.env })
    const url = await dashboard.waitForText(/^The dashboard: (http:\/\/127\.0\.0\.1:\d+\/)\n/)
    expect(await (await fetch(url)).text()).toContain(`@greetings_test_bot (${town.botId})`)
    expect((await fetch(`${url}queue/api/queues`)).status).toBe(200)
    dashboard.signal('SIGTERM')
    expect((await dashboard.ended).code).toBe(0)
  })

  it('is opened to others with a password only', async () => {
    const refused = await runProgram(['dashboard', '--host', '0.0.0.0', '--port', '0'], { env: town.env })
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(refused.stderr).toContain('Set DASHBOARD_PASSWORD')
    const open = startProgram(['dashboard', '--host', '0.0.0.0', '--port', '0'], {
      env: { ...town.env, DASHBOARD_PASSWORD: 'snow and stars' },
    })
    const port = await open.waitForText(/^The dashboard: http:\/\/0\.0\.0\.0:(\d+)\/\n/)
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(401)
    expect(
      (
        await fetch(`http://127.0.0.1:${port}/`, {
          headers: { authorization: `Basic ${Buffer.from('me:snow and stars').toString('base64')}` },
        })
      ).status,
    ).toBe(200)
    expect(open.output()).not.toContain('snow and stars')
    open.signal('SIGTERM')
    expect((await open.ended).code).toBe(0)
  })
})
