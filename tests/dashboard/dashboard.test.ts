/** The dashboard over real HTTP, in an environment whose database holds hostile names. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { InputFile } from 'grammy'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { queueBoard } from '../../src/dashboard/queue-board.ts'
import { startDashboard, type Dashboard, type DashboardSettings } from '../../src/dashboard/server.ts'
import { look, search, videoOf } from '../../src/dashboard/view.ts'
import { request } from '../../src/greetings/request.ts'
import type { NameRules } from '../../src/names/name.ts'
import { download } from '../../src/telegram/download.ts'
import { makeClip } from '../environment/clip.ts'
import {
  openTestEnvironment,
  quietLog,
  person,
  ask,
  until,
  type TestEnvironment,
} from '../environment/test-environment.ts'

const hostile = `<img src=x onerror="document.title='taken'">'"&`
const revision = 'abcdef0123456789abcdef0123456789'

describe.each(['postgresql', 'redis'] as const)('the dashboard, with the queue on %s', (queueMode) => {
  let town: TestEnvironment
  let settings: DashboardSettings
  let dashboard: Dashboard

  beforeAll(async () => {
    town = await openTestEnvironment({ queueMode })
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
        {
          ...base,
          name: 'two',
          display: hostile,
          status: 'AVAILABLE',
          telegramFileId: 'g',
          availableAt: now,
          revision: '../secret',
        },
        {
          ...base,
          name: 'three',
          display: `${hostile}3`,
          status: 'GENERATING',
          leaseUntil: new Date(Date.now() + 3_600_000),
        },
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
      search: (text) => search(db, rendersFolder, text),
      video: (id) => videoOf(db, rendersFolder, id),
      download: (fileId, range, signal) =>
        download(town.api, { token: town.token, apiRoot: town.server.url, times }, fileId, range, signal),
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
      for (const path of [
        '/queue/%',
        '/queue/static/%E0%A4%A',
        '/queue/queue/%E0%A4%A',
        '/queue/api/queues/%E0%A4%A',
        '/queue/api/queues/%E0%A4%A/1',
        '/queue/api/queues/x/y/logs',
        '/queue/nowhere/at/all',
      ]) {
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
    expect(
      text.match(/&lt;img src=x onerror=&quot;document.title=&#39;taken&#39;&quot;&gt;/g)?.length,
    ).toBeGreaterThanOrEqual(4)
    expect(text).not.toMatch(/<img src=x|<b>"|O'Connor <b>/)
    expect(text.match(/<script/g)).toHaveLength(1)
    expect(text).not.toContain('secret')
    // Nothing that the policy would forbid.
    expect(text).not.toMatch(/ style=| on\w+="/)
    expect(response.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self';/,
    )
    expect(response.headers.get('content-security-policy')).not.toContain('unsafe')
  })

  it('tells how to try again, in a way a shell takes', async () => {
    const text = await (await get('/')).text()
    expect(text).toContain(
      `greetings retry ${`'O'\\''Connor <b>'`.replaceAll("'", '&#39;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')}</code>`,
    )
    expect(text).toContain('greetings retry --all</code>')
  })

  it('shows no chat and no person', async () => {
    expect(await (await get('/')).text()).not.toContain('4711000111')
  })

  it('shows pictures of renders and no other file', async () => {
    expect(await (await get(`/poster/${revision}.jpg`)).text()).toBe('a picture')
    for (const path of [
      '/poster/..%2fsecret.jpg',
      '/poster/../secret.jpg',
      '/poster/00000000.jpg',
      `/poster/${revision}.mp4`,
      '/poster/.jpg',
    ])
      expect((await get(path)).status).toBe(404)
  })

  it('shows the queue, read-only', async () => {
    const response = await get('/queue/')
    expect(response.status).toBe(200)
    expect(await response.text()).toContain('Greetings · queue')
    expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'/)
    const { queues } = await until(async () => {
      const found = (await (await get('/queue/api/queues')).json()) as {
        queues: { name: string; readOnlyMode: boolean; counts: Record<string, number> }[]
      }
      return found.queues.some(({ counts }) => (counts.waiting ?? 0) > 0) && found
    }, 'the job')
    expect(queues.map(({ readOnlyMode }) => readOnlyMode)).toEqual([true, true, true])
    expect(queues.map(({ name }) => name)).toEqual(['People wait', 'People wait for many', 'Warming'])
    const text = await (
      await get(
        `/queue/api/queues?activeQueue=${encodeURIComponent('People wait')}&status=waiting&page=1&jobsPerPage=10`,
      )
    ).text()
    expect(text).toContain('"assetId"')
    expect(text).not.toMatch(/петя|4711000111/i)
  })

  it('gives the queue our looks, a way back, and nothing of another host', async () => {
    for (const path of ['/queue/', '/queue/queue/Warming']) {
      const text = await (await get(path)).text()
      expect(text).toContain('<link rel="stylesheet" href="/queue.css">')
      expect(text).toContain('<a class="to-dashboard" href="/">← Dashboard</a>')
      expect(text).not.toMatch(/(?:src|href)="(?:https?:)?\/\//)
    }
    expect((await get('/queue.css')).headers.get('content-type')).toBe('text/css; charset=utf-8')
  })

  it('finds a name however it is written, and names that begin so', async () => {
    const found = async (name: string) => (await get(`/?name=${encodeURIComponent(name)}`)).text()
    await town.db.videoAsset.create({
      data: {
        template: 'tiny',
        name: 'агриппина',
        display: 'Агриппина',
        status: 'FAILED',
        errorClass: 'voice',
        errorText: 'Nothing was heard.',
      },
    })
    const text = await found('  АГРИППИНА ')
    expect(text).toContain('Looked for “АГРИППИНА”')
    expect(text).toContain('could not be made')
    expect(text).toContain('<code>greetings retry Агриппина</code>')
    expect(await found('агри')).toMatch(
      /There is no video of this name yet\.[^]*<a dir="auto" href="\/\?name=%D0%90[^"]*">Агриппина<\/a>/,
    )
    expect(await found('%')).not.toContain('Names that begin so')
    expect(await found('12345')).toContain('This name cannot be served: digits.')
    const hostileText = await found(hostile)
    expect(hostileText).not.toContain(hostile)
    expect(hostileText).toContain(`value="${'&lt;img src=x'}`)
    for (const odd of ['\0', 'а\0', '\uD83D', `${'я'.repeat(199)}\u{1F600}`, '\\', "'", '../../etc/passwd'])
      expect((await get(`/?${new URLSearchParams({ name: odd }).toString()}`)).status, odd).toBe(200)
    expect((await get('/?name=%ED%A0%80%00')).status).toBe(200)
    await town.db.videoAsset.deleteMany({ where: { name: 'агриппина' } })
  })

  it('finds what was made of a name that is refused now, and says why it is', async () => {
    const { db } = town
    await db.videoAsset.create({ data: { template: 'tiny', name: 'siska', display: 'Siska', status: 'PENDING' } })
    const found = (rules: NameRules) => search(db, settings.rendersFolder, 'Siska', rules)
    expect(await found({ blocked: new Set(['siska']) })).toMatchObject({
      rejection: 'blocked',
      videos: [{ display: 'Siska' }],
    })
    expect(await found({ allowed: new Set(['siska']) })).toMatchObject({
      rejection: undefined,
      videos: [{ display: 'Siska' }],
    })
    const open = await startDashboard({ ...settings, search: () => found({ blocked: new Set(['siska']) }) })
    const text = await (await fetch(`${open.url}?name=Siska`)).text()
    await open.close()
    expect(text).toContain('Nobody gets it now: a blocked word.')
    expect(text).toContain('waits to be made')
    await db.videoAsset.deleteMany({ where: { name: 'siska' } })
  })

  it('shows the rest where the queue gives no answer', async () => {
    const { db, queue, times } = town
    const away = { ...queue, counts: () => Promise.reject(new Error('away')) }
    const open = await startDashboard({
      ...settings,
      look: () => look({ db, queue: away, rendersFolder: settings.rendersFolder, templateRevisions: new Map(), times }),
    })
    const text = (await (await fetch(open.url)).text()).replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ')
    await open.close()
    expect(text).toContain('the queue does not answer')
    expect(text).toContain('1 being made')
    expect(text).not.toMatch(/jobs? waits?/)
  })

  it('plays a video of this host, in parts as a player asks, and no other file', async () => {
    await writeFile(join(settings.rendersFolder, `${revision}.mp4`), '0123456789')
    const [one, two] = await Promise.all(
      ['one', 'two'].map(async (name) => (await town.db.videoAsset.findFirstOrThrow({ where: { name } })).id),
    )
    const whole = await get(`/video/${one}.mp4`)
    expect([
      whole.status,
      whole.headers.get('content-type'),
      whole.headers.get('accept-ranges'),
      await whole.text(),
    ]).toEqual([200, 'video/mp4', 'bytes', '0123456789'])
    for (const [range, status, text, told] of [
      ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
      ['bytes=7-', 206, '789', 'bytes 7-9/10'],
      ['bytes=-2', 206, '89', 'bytes 8-9/10'],
      ['bytes=5-99', 206, '56789', 'bytes 5-9/10'],
      ['bytes=10-', 416, '', 'bytes */10'],
      ['lines=1-2', 200, '0123456789', null],
    ] as const) {
      const part = await get(`/video/${one}.mp4`, { headers: { range } })
      expect([range, part.status, await part.text(), part.headers.get('content-range')]).toEqual([
        range,
        status,
        text,
        told,
      ])
    }
    const head = await get(`/video/${one}.mp4`, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '10', ''])
    // Its revision is no revision, and its id one that Telegram does not know.
    for (const path of [`/video/${two}.mp4`, '/video/nobody.mp4', '/video/..%2fone.mp4', `/video/${revision}.mp4`])
      expect((await get(path)).status, path).toBe(404)
  })

  it('plays a video that only Telegram has, without telling the token to anybody', async () => {
    const { path } = await makeClip(town.folder)
    const { video } = await town.api.sendVideo(town.channelId, new InputFile(path), {
      width: 64,
      height: 64,
      duration: 1,
    })
    await town.db.installation.update({ where: { id: 1 }, data: { botId: town.botId } })
    const { id } = await town.db.videoAsset.create({
      data: {
        template: 'tiny',
        name: 'far',
        display: 'Далеко',
        status: 'AVAILABLE',
        telegramFileId: video.file_id,
        telegramBotId: town.botId,
      },
    })
    const played = await get(`/video/${id}.mp4`)
    expect(played.status).toBe(200)
    expect(Buffer.from(await played.arrayBuffer()).equals(await readFile(path))).toBe(true)
    expect(JSON.stringify([...played.headers])).not.toContain(town.token)
    await town.db.videoAsset.update({ where: { id }, data: { telegramBotId: 1n } })
    const foreign = await get(`/video/${id}.mp4`)
    expect([foreign.status, await foreign.text()]).toEqual([
      404,
      'This video is neither on this host, nor can it be had from Telegram.\n',
    ])
    await town.db.videoAsset.delete({ where: { id } })
  })

  it('tells when the queue is empty, what the channels take, what was missed and what was refused', async () => {
    const { db } = town
    const now = Date.now()
    await db.workerProcess.create({
      data: { id: 'w', host: 'render-1', pid: 1, concurrency: 2, seenAt: new Date(now + 600_000) },
    })
    await db.videoAsset.createMany({
      data: Array.from({ length: 6 }, (_, n) => ({
        template: 'tiny',
        name: `made${n}`,
        display: 'x',
        status: 'AVAILABLE' as const,
        telegramBotId: town.botId,
        availableAt: new Date(now - n * 12_000),
      })),
    })
    await db.floodBucket.createMany({
      data: [
        { key: 'channel:-1001', posts: Array.from({ length: 7 }, () => new Date(now + 100)) },
        {
          key: 'channel:-1002',
          restUntil: new Date(now + 60_000),
          halvedUntil: new Date(now + 600_000),
          posts: [new Date(now + 100)],
        },
        { key: 'bulk', restUntil: new Date(now + 60_000) },
      ],
    })
    const { id } = await db.videoAsset.findFirstOrThrow({ where: { name: 'one' } })
    await db.soundReport.create({
      data: { id: 'r', userId: 7n, assetId: id, chatId: 7n, language: 'ru', stress: 1, revision, updateId: 1 },
    })
    await db.understoodCount.create({ data: { hour: new Date(now), outcome: 'talk', reason: 'thanks', count: 4_321 } })
    await db.user.create({ data: { id: 7n } })
    await db.userRequest.createMany({
      data: [1, 2, 3].map((updateId) => ({
        userId: 7n,
        assetId: id,
        chatId: 7n,
        language: 'ru',
        botId: 1n,
        updateId,
        status: 'COMPLETED' as const,
      })),
    })
    await db.refusalCount.create({ data: { hour: new Date(now), reason: 'several_names', count: 41 } })
    const open = await startDashboard({ ...settings, channelRate: 20, sandbox: true })
    const text = (await (await fetch(open.url)).text()).replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ')
    await open.close()
    expect(text).toMatch(/\d+ videos? to make: empty at about \d\d:\d\d UTC , in \d+ s/)
    expect(text).toMatch(/\d+ being made .* made a minute/)
    expect(text).toContain('-1001 7 of 20 a minute no 429 yet')
    expect(text).toMatch(/-1002 1 of 10 a minute 429: rests for (1 min|[56]\d s)/)
    expect(text).toContain('Telegram asked for rest: nothing goes in bulk for')
    expect(text).toContain('Маша ready now 3 ')
    expect(text).toContain('greetings names --missed --since 7d --sandbox | greetings warm - --sandbox')
    expect(text).toContain('several names at once 41')
    expect(text).toContain('talk, answered in words 4,321')
    expect(text).toContain('Sounds wrong Маша Маша\u0301 1 1 ')
    expect(text).toContain('Worker render-1, pid 1 · 0 of 2 rendering, 0 uploading')
    await db.videoAsset.deleteMany({ where: { name: { startsWith: 'made' } } })
  })

  it('takes nothing but GET and HEAD, the queue included', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      for (const path of ['/', '/queue/api/queues/x/pause', '/base.css'])
        expect((await get(path, { method })).status).toBe(405)
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
        })
          .on('error', reject)
          .end()
      })
    expect(await as('localhost:1')).toBe(200)
    expect(await as('evil.example')).toBe(403)
    expect(await as('127.0.0.1.evil.example')).toBe(403)
  })

  it('with a password lets in who knows it, under any name', async () => {
    const closed = await startDashboard({ ...settings, password: 'снег и звёзды' })
    const as = (authorization: string, path = '/') =>
      fetch(new URL(path, closed.url), { headers: authorization === '' ? {} : { authorization } })
    const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`
    for (const wrong of [
      '',
      'Basic',
      basic('x'),
      basic('x:снег'),
      basic('x:'),
      `Bearer ${Buffer.from('x:снег и звёзды').toString('base64')}`,
    ]) {
      for (const path of ['/', '/queue/', `/poster/${revision}.jpg`]) expect((await as(wrong, path)).status).toBe(401)
    }
    expect((await as('')).headers.get('www-authenticate')).toMatch(/^Basic /)
    expect((await as(basic('x:снег и звёзды'))).status).toBe(200)
    await closed.close()
  })

  it('is not opened to others without a password', async () => {
    await expect(startDashboard({ ...settings, address: { host: '0.0.0.0', port: 0 } })).rejects.toThrow(
      /DASHBOARD_PASSWORD/,
    )
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
