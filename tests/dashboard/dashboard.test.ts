/** The dashboard over real HTTP, on a town whose database holds hostile names. */
import { mkdir, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { queueBoard } from '../../src/dashboard/queue-board.ts'
import { startDashboard, type Dashboard, type DashboardSettings } from '../../src/dashboard/server.ts'
import { look } from '../../src/dashboard/view.ts'
import { request } from '../../src/greetings/request.ts'
import { openTown, quietLog, person, ask, until, type Town } from '../town.ts'

const hostile = `<img src=x onerror="document.title='taken'">'"&`
const revision = 'abcdef0123456789abcdef0123456789'

describe.each(['postgresql', 'redis'] as const)('the dashboard, with the queue on %s', (queueMode) => {
  let town: Town
  let settings: DashboardSettings
  let dashboard: Dashboard

  beforeAll(async () => {
    town = await openTown({ queueMode })
    const { db, queue, times } = town
    const rendersFolder = join(town.folder, 'renders')
    await mkdir(rendersFolder, { recursive: true })
    await writeFile(join(rendersFolder, `${revision}.jpg`), 'a picture')
    await writeFile(join(town.folder, 'secret.jpg'), 'a secret')
    const now = new Date()
    const base = { template: 'tiny', queuedAt: now, telegramBotId: town.botId }
    await db.videoAsset.createMany({
      data: [
        { ...base, name: 'one', display: 'Маша', status: 'AVAILABLE', telegramFileId: 'f', availableAt: now, revision },
        { ...base, name: 'two', display: hostile, status: 'AVAILABLE', telegramFileId: 'g', availableAt: now, revision: '../secret' },
        { ...base, name: 'three', display: `${hostile}3`, status: 'GENERATING', leaseUntil: new Date(Date.now() + 3_600_000) },
        { ...base, name: 'four', display: "O'Connor <b>", status: 'FAILED', errorClass: 'voice', errorText: hostile },
      ],
    })
    await db.outage.create({ data: { step: 'voice', reason: hostile, until: now } })
    await request(town.door, [{ ...ask('Петя') }], person(4_711_000_111))
    settings = {
      address: { host: '127.0.0.1', port: 0 },
      password: undefined,
      world: 'bot 1',
      sandbox: false,
      rendersFolder,
      look: () => look({ db, queue, rendersFolder, templateRevisions: new Map([['tiny', 'x']]), times }),
      board: queueBoard(queue),
      log: quietLog,
    }
    dashboard = await startDashboard(settings)
  })
  afterAll(async () => {
    await dashboard.close()
    await town.close()
  })

  it('shows no stack where the jobs cannot be shown, whatever NODE_ENV says', async () => {
    for (const environment of ['', 'development', 'test', 'production']) {
      vi.stubEnv('NODE_ENV', environment)
      for (const path of ['/queue/%', '/queue/static/%E0%A4%A', '/queue/queue/%E0%A4%A', '/queue/api/queues/%E0%A4%A', '/queue/api/queues/%E0%A4%A/1', '/queue/api/queues/x/y/logs', '/queue/nowhere/at/all']) {
        const response = await get(path)
        const text = await response.text()
        expect(response.status, path).toBeGreaterThanOrEqual(400)
        expect(text).not.toMatch(/\n\s+at |node_modules|\/work|file:\/\/|URIError/)
      }
    }
    vi.unstubAllEnvs()
  })

  const get = (path: string, init?: RequestInit) => fetch(new URL(path, dashboard.url), init)

  it('shows names as text, wherever they stand', async () => {
    const response = await get('/')
    const text = await response.text()
    expect(response.status).toBe(200)
    expect(text).toContain('Маша')
    expect(text.match(/&lt;img src=x onerror=&quot;document.title=&#39;taken&#39;&quot;&gt;/g)?.length).toBeGreaterThanOrEqual(4)
    expect(text).not.toMatch(/<img src=x|<b>"|O'Connor <b>/)
    expect(text.match(/<script/g)).toHaveLength(1)
    expect(text).not.toContain('secret')
    // Nothing that the policy would forbid.
    expect(text).not.toMatch(/ style=| on\w+="/)
    expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/)
    expect(response.headers.get('content-security-policy')).not.toContain('unsafe')
  })

  it('tells how to try again, in a way a shell takes', async () => {
    const text = await (await get('/')).text()
    expect(text).toContain(`greetings retry ${`'O'\\''Connor <b>'`.replaceAll("'", '&#39;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')}</code>`)
    expect(text).toContain('greetings retry --all</code>')
  })

  it('shows no chat and no person', async () => {
    expect(await (await get('/')).text()).not.toContain('4711000111')
  })

  it('shows pictures of renders and no other file', async () => {
    expect(await (await get(`/poster/${revision}.jpg`)).text()).toBe('a picture')
    for (const path of ['/poster/..%2fsecret.jpg', '/poster/../secret.jpg', '/poster/00000000.jpg', `/poster/${revision}.mp4`, '/poster/.jpg']) expect((await get(path)).status).toBe(404)
  })

  it('shows the queue, read-only', async () => {
    const response = await get('/queue/')
    expect(response.status).toBe(200)
    expect(await response.text()).toContain('Greetings · queue')
    expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'/)
    const { queues } = await until(async () => {
      const found = (await (await get('/queue/api/queues')).json()) as { queues: { name: string; readOnlyMode: boolean; counts: Record<string, number> }[] }
      return found.queues.some(({ counts }) => (counts.waiting ?? 0) > 0) && found
    }, 'the job')
    expect(queues.map(({ readOnlyMode }) => readOnlyMode)).toEqual([true, true])
    const people = queues.find(({ name }) => name.endsWith('-people'))?.name ?? ''
    const text = await (await get(`/queue/api/queues?activeQueue=${people}&status=waiting&page=1&jobsPerPage=10`)).text()
    expect(text).toContain('"assetId"')
    expect(text).not.toMatch(/петя|4711000111/i)
  })

  it('takes nothing but GET and HEAD, the queue included', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      for (const path of ['/', '/queue/api/queues/x/pause', '/page.css']) expect((await get(path, { method })).status).toBe(405)
    }
    const head = await get('/', { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
  })

  it('answers under a name of this machine only', async () => {
    const as = (host: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        const { port } = new URL(dashboard.url)
        httpRequest({ host: '127.0.0.1', port, path: '/', headers: { host } }, (response) => {
          response.resume()
          resolve(response.statusCode)
        }).on('error', reject).end()
      })
    expect(await as('localhost:1')).toBe(200)
    expect(await as('evil.example')).toBe(403)
    expect(await as('127.0.0.1.evil.example')).toBe(403)
  })

  it('with a password lets in who knows it, under any name', async () => {
    const closed = await startDashboard({ ...settings, password: 'снег и звёзды' })
    const as = (authorization: string, path = '/') => fetch(new URL(path, closed.url), { headers: authorization === '' ? {} : { authorization } })
    const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`
    for (const wrong of ['', 'Basic', basic('x'), basic('x:снег'), basic('x:'), `Bearer ${Buffer.from('x:снег и звёзды').toString('base64')}`]) {
      for (const path of ['/', '/queue/', `/poster/${revision}.jpg`]) expect((await as(wrong, path)).status).toBe(401)
    }
    expect((await as('')).headers.get('www-authenticate')).toMatch(/^Basic /)
    expect((await as(basic('x:снег и звёзды'))).status).toBe(200)
    await closed.close()
  })

  it('is not opened to others without a password', async () => {
    await expect(startDashboard({ ...settings, address: { host: '0.0.0.0', port: 0 } })).rejects.toThrow(/DASHBOARD_PASSWORD/)
    const open = await startDashboard({ ...settings, address: { host: '0.0.0.0', port: 0 }, password: 'long enough' })
    await open.close()
  })

  it('says when it cannot look', async () => {
    const away = await startDashboard({ ...settings, look: () => Promise.reject(new Error('gone')) })
    const response = await fetch(away.url)
    expect(response.status).toBe(503)
    expect(await response.text()).toContain('The database or the queue does not answer.')
    await away.close()
  })
})
