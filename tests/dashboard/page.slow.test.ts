/** The dashboard in a real browser: it breaks none of its own rules, refreshes itself and fits a phone. */
import { existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { chromium, type BrowserContext, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { queueBoard } from '../../src/dashboard/queue-board.ts'
import { startDashboard, type Dashboard } from '../../src/dashboard/server.ts'
import { look, search, videoOf } from '../../src/dashboard/view.ts'
import { makeClip } from '../environment/clip.ts'
import { openTestEnvironment, quietLog, until, type TestEnvironment } from '../environment/test-environment.ts'

const browserPath = (process.env.PATH ?? '')
  .split(delimiter)
  .flatMap((folder) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(folder, name)))
  .find((path) => existsSync(path))
if (browserPath === undefined)
  console.warn('Skipped tests/dashboard/page.slow.test.ts: there is no chromium in PATH to open the dashboard with.')

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
const hostile = '<img src=x onerror="document.title=1"> & <b>Маша</b>'
const revision = '0123456789abcdef'

describe.skipIf(browserPath === undefined)('the dashboard in a browser', () => {
  let town: TestEnvironment
  let folder: string
  let dashboard: Dashboard
  let browser: BrowserContext
  let page: Page
  let isAway = false
  const complaints: string[] = []

  beforeAll(async () => {
    town = await openTestEnvironment()
    const { db, queue, times, telegram: _, botId } = town
    folder = await mkdtemp(join(tmpdir(), 'dashboard-page-'))
    await mkdir(join(folder, 'renders'))
    const { path, thumbnailPath } = await makeClip(town.folder)
    await copyFile(path, join(folder, 'renders', `${revision}.mp4`))
    await copyFile(thumbnailPath, join(folder, 'renders', `${revision}.jpg`))
    const now = new Date()
    await db.videoAsset.createMany({
      data: [
        {
          template: 'tiny',
          name: 'one',
          display: hostile,
          status: 'AVAILABLE',
          telegramFileId: 'f',
          telegramBotId: botId,
          queuedAt: now,
          availableAt: now,
          revision,
        },
        {
          template: 'tiny',
          name: 'two',
          display: hostile,
          status: 'FAILED',
          queuedAt: now,
          errorClass: 'voice',
          errorText: hostile,
        },
        {
          template: 'new-year-ru',
          name: 'маша',
          display: 'Маша',
          status: 'AVAILABLE',
          telegramFileId: 'g',
          telegramBotId: botId,
          queuedAt: now,
          availableAt: new Date(now.getTime() - 60_000),
          revision,
        },
        {
          template: 'tiny',
          name: 'three',
          display: 'Серафима-Александра',
          status: 'GENERATING',
          queuedAt: now,
          leaseUntil: new Date(Date.now() + 3_600_000),
        },
      ],
    })
    await db.outage.create({ data: { step: 'voice', reason: 'The voice does not answer.', until: now } })
    await db.requestCount.createMany({
      data: Array.from({ length: 24 }, (_each, n) => ({
        hour: new Date((Math.floor(Date.now() / 3_600_000) - n) * 3_600_000),
        status: 'COMPLETED' as const,
        hit: n % 3 > 0,
        waitBucket: 20 + n,
        count: 5 + n,
      })),
    })
    const looked = {
      db,
      queue,
      rendersFolder: join(folder, 'renders'),
      templateRevisions: new Map([['tiny', 'x']]),
      times,
    }
    dashboard = await startDashboard({
      address: { host: '127.0.0.1', port: 0 },
      password: undefined,
      world: 'sandbox',
      sandbox: true,
      rendersFolder: looked.rendersFolder,
      look: () => (isAway ? Promise.reject(new Error('away')) : look(looked)),
      search: (text) => search(db, looked.rendersFolder, text),
      video: (id) => videoOf(db, looked.rendersFolder, id),
      board: queueBoard(queue),
      log: quietLog,
    })
    browser = await chromium.launchPersistentContext(join(folder, 'profile'), {
      executablePath: browserPath,
      args: flags,
      timezoneId: 'Asia/Omsk',
      viewport: { width: 1280, height: 900 },
    })
    page = await browser.newPage()
    page.on('request', (request) => {
      if (!request.url().startsWith(dashboard.url)) complaints.push(`asked ${request.url()}`)
    })
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(error.message))
    await page.goto(dashboard.url)
    await page.waitForSelector('html[data-ready]')
  })

  afterAll(async () => {
    await browser.close()
    await dashboard.close()
    await town.close()
    await rm(folder, { recursive: true, force: true })
  })

  it('shows names as text, the poster, the charts', async () => {
    expect(await page.textContent('.posters b')).toBe(hostile)
    expect(await page.$$('main b b, main img[src="x"]')).toEqual([])
    expect(await page.title()).toBe('Greetings · dashboard')
    await page.waitForFunction(() => {
      const { document } = globalThis as unknown as {
        document: { querySelector(selector: string): { naturalWidth: number } | null }
      }
      return (document.querySelector('.posters img')?.naturalWidth ?? 0) > 0
    })
    expect(await page.$$('.asked .chart g')).toHaveLength(24)
    expect(await page.$$('.waits .chart circle')).toHaveLength(24)
    expect(await page.textContent('.faults code')).toContain('greetings retry ')
  })

  it.each([
    ['desktop', 1280],
    ['phone', 390],
    ['narrow phone', 320],
  ])('fits a %s', async (_name, width) => {
    await page.setViewportSize({ width, height: 844 })
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme })
      const { scroll, inner } = await page.evaluate(() => {
        const window = globalThis as unknown as {
          document: { documentElement: { scrollWidth: number } }
          innerWidth: number
        }
        return { scroll: window.document.documentElement.scrollWidth, inner: window.innerWidth }
      })
      expect(scroll).toBeLessThanOrEqual(inner)
    }
  })

  it('stands straight: one left edge, names of templates on one line, failures above the posters', async () => {
    await page.setViewportSize({ width: 390, height: 844 })
    const measured = await page.evaluate(() => {
      interface Box {
        getBoundingClientRect(): { left: number; right: number; top: number; height: number }
        getClientRects(): { length: number }
      }
      const all = (selector: string) => [
        ...(
          globalThis as unknown as { document: { querySelectorAll(selector: string): Iterable<Box> } }
        ).document.querySelectorAll(selector),
      ]
      const sides = (selector: string) =>
        all(selector).map((each) => [
          Math.round(each.getBoundingClientRect().left),
          Math.round(each.getBoundingClientRect().right),
        ])
      const top = (selector: string) => all(selector)[0]?.getBoundingClientRect().top ?? 0
      return {
        sections: sides('main > section'),
        figures: sides('.figures dl'),
        names: all('.templates b').map((each) => each.getBoundingClientRect().height),
        failed: top('.failed'),
        made: top('.made'),
      }
    })
    expect(new Set(measured.sections.map(String)).size).toBe(1)
    expect(measured.figures).toEqual([measured.sections[0]])
    expect(Math.max(...measured.names)).toBeLessThan(30)
    expect(measured.failed).toBeLessThan(measured.made)
    await page.setViewportSize({ width: 1280, height: 900 })
  })

  it('tells times as they are where the viewer is', async () => {
    const { utc, shown } = await page.evaluate(() => {
      const clock = (
        globalThis as unknown as {
          document: { querySelector(selector: string): { dataset: { moment: string }; textContent: string } }
        }
      ).document.querySelector('.clock time')
      return { utc: clock.dataset.moment, shown: clock.textContent }
    })
    expect(shown).toBe(new Date(utc).toLocaleTimeString('en-GB', { timeZone: 'Asia/Omsk' }))
  })

  it('finds a name, and plays its video within the page', async () => {
    await page.fill('.search input', 'МАША')
    await page.press('.search input', 'Enter')
    await page.waitForSelector('.found .results')
    expect(await page.textContent('.found .results b')).toBe('Маша')
    expect(await page.inputValue('.search input')).toBe('МАША')
    await page.click('.found .play')
    await page.waitForFunction(() => {
      const video = (
        globalThis as unknown as {
          document: { querySelector(selector: string): { currentTime: number; videoWidth: number } }
        }
      ).document.querySelector('#cinema video')
      return video.currentTime > 0 && video.videoWidth === 64
    })
    await page.keyboard.press('Escape')
    expect(await page.isVisible('#cinema')).toBe(false)
    expect(await page.isVisible('#cinema p')).toBe(false)
    await page.goto(dashboard.url)
    await page.waitForSelector('html[data-ready]')
  })

  it('refreshes itself, and says when it cannot', async () => {
    await town.db.outage.deleteMany()
    await town.db.videoAsset.updateMany({ where: { name: 'three' }, data: { display: 'Ульяна' } })
    await page.waitForSelector('.making b:text-is("Ульяна")')
    expect(await page.$$('.findings b')).toEqual([])
    expect(complaints).toEqual([])
    isAway = true
    await page.waitForSelector('#offline:not([hidden])')
    expect(await page.textContent('#offline')).toContain('The database or the queue does not answer. Looking again…')
    expect(await page.textContent('.making b')).toBe('Ульяна')
    isAway = false
    await page.waitForSelector('#offline', { state: 'hidden' })
    // The browser itself notes the answer 503, and nothing else.
    await until(async () => complaints.length > 0, 'the note')
    expect(complaints.every((text) => text.includes('503'))).toBe(true)
  })

  it('says so where a video cannot be played', async () => {
    await town.db.videoAsset.updateMany({ where: { name: 'маша' }, data: { revision: null } })
    await page.goto(`${dashboard.url}?name=${encodeURIComponent('маша')}`)
    await page.waitForSelector('html[data-ready]')
    await page.click('.found .play')
    await page.waitForSelector('#cinema p:not([hidden])')
    expect(await page.isVisible('#cinema video')).toBe(false)
    await page.click('#cinema button')
    expect(await page.isVisible('#cinema')).toBe(false)
  })

  it('leads to the queue, which loads nothing from elsewhere', async () => {
    const foreign: string[] = []
    const board = await browser.newPage()
    board.on('request', (request) => {
      if (!request.url().startsWith(dashboard.url)) foreign.push(request.url())
    })
    await board.goto(`${dashboard.url}queue/`)
    await board.waitForSelector('text=People wait')
    expect(foreign).toEqual([])
    await board.click('.to-dashboard')
    await board.waitForSelector('.figures')
    expect(board.url()).toBe(dashboard.url)
    await board.close()
  })
})
