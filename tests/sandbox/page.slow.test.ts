import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { Bot, InputFile } from 'grammy'
import { chromium } from 'playwright-core'
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sandboxControl } from '../../src/sandbox/client.ts'
import type { SandboxControl } from '../../src/sandbox/client.ts'
import { startSandboxServer } from '../../src/sandbox/server.ts'
import type { SandboxServer } from '../../src/sandbox/server.ts'
import { makeClips } from './clips.ts'
import type { Clips } from './clips.ts'

const browserPath = (process.env.PATH ?? '')
  .split(delimiter)
  .flatMap((folder) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(folder, name)))
  .find((path) => existsSync(path))
if (browserPath === undefined)
  console.warn('Skipped tests/sandbox/page.slow.test.ts: there is no chromium in PATH to open the chat page with.')

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
]
const hostile = '<img src=x onerror="document.title=1"> & <b>Маша</b>'

describe.skipIf(browserPath === undefined)('the chat page', () => {
  let folder: string
  let clips: Clips
  let server: SandboxServer
  let sandbox: SandboxControl
  let bot: Bot
  let running: Promise<void>
  let browser: BrowserContext
  let page: Page
  const complaints: string[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sandbox-page-'))
    clips = await makeClips()
    server = await startSandboxServer({ folder: join(folder, 'world') })
    sandbox = sandboxControl(server.url)
    const { token, id } = await sandbox.registerBot({ username: 'greetings_bot', firstName: 'Greetings' })
    const channel = await sandbox.createChannel({ title: 'Storage', admins: [id] })
    await sandbox.saveUser({ userId: 5, firstName: 'Оля', languageCode: 'ru' })
    bot = new Bot(token, { client: { apiRoot: server.url } })
    bot.command('start', (ctx) => ctx.reply('Напишите имя'))
    bot.on('callback_query:data', async (ctx) => {
      await ctx.answerCallbackQuery()
      await ctx.reply(`pressed ${ctx.callbackQuery.data}`)
    })
    bot.on('message:text', async (ctx) => {
      await ctx.replyWithChatAction('upload_video')
      const posted = await ctx.api.sendVideo(channel, new InputFile(clips.video, 'greeting.mp4'), {
        width: 64,
        height: 96,
        duration: 2,
        thumbnail: new InputFile(clips.picture, 'poster.jpg'),
      })
      await ctx.replyWithVideo(posted.video.file_id, {
        caption: ctx.message.text,
        reply_markup: { inline_keyboard: [[{ text: 'Ещё', callback_data: 'more' }]] },
      })
    })
    running = bot.start()
    browser = await chromium.launchPersistentContext(join(folder, 'profile'), {
      executablePath: browserPath,
      args: flags,
      locale: 'ru-RU',
      viewport: { width: 390, height: 844 },
    })
    page = await browser.newPage()
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(error.message))
    await page.goto(server.url)
    await page.waitForSelector('[data-ready]')
  })

  afterAll(async () => {
    await browser.close()
    await bot.stop()
    await running
    await server.close()
    await rm(dirname(clips.video), { recursive: true, force: true })
    await rm(folder, { recursive: true, force: true })
  })

  it('starts a chat and shows what the bot answers', async () => {
    await page.click('.empty .primary')
    await page.waitForSelector('.bubble:not(.mine) .words')
    expect(await page.textContent('.bubble:not(.mine) .words')).toBe('Напишите имя')
    expect(await page.textContent('.bubble.mine .words')).toBe('/start')
  })

  it('shows what was typed as text, and a film that plays', async () => {
    await page.fill('#words', hostile)
    await page.press('#words', 'Enter')
    await page.waitForSelector('.bubble.film')
    expect(await page.textContent('.bubble.film .words')).toBe(hostile)
    expect(await page.$$('.bubble img, .bubble .words b')).toEqual([])
    expect(await page.title()).toBe('Greetings · sandbox')
    expect(await page.getAttribute('.film video', 'poster')).toMatch(/^\/sandbox\/files\//)
    await page.click('.film .play')
    await page.waitForFunction(() => {
      const { document } = globalThis as unknown as {
        document: { querySelector(selector: string): { currentTime: number; videoWidth: number } }
      }
      const { currentTime, videoWidth } = document.querySelector('.film video')
      return currentTime > 0.2 && videoWidth === 64
    })
  })

  it('presses buttons', async () => {
    await page.click('.buttons button')
    await page.waitForSelector('text=pressed more')
  })

  it('shows the storage channel as a second chat', async () => {
    await page.click('#channels .row')
    await page.waitForSelector('.tile img')
    expect((await page.$$('.tile')).length).toBe(1)
    await page.click('.tile')
    await page.waitForSelector('#cinema[open]')
    await page.click('#cinema-close')
  })

  it('lets another person write', async () => {
    await page.click('#new-person')
    await page.fill('#person-name', 'Bob <i>')
    await page.click('#person menu button:last-child')
    await page.waitForSelector('.empty .primary')
    expect(await page.textContent('#as')).toContain('Bob <i>')
    await page.click('.empty .primary')
    await page.waitForSelector('.bubble:not(.mine)')
    expect((await sandbox.users()).map(({ firstName }) => firstName)).toEqual(['Оля', 'Bob <i>'])
  })

  it('breaks none of its own rules', () => {
    expect(complaints).toEqual([])
  })
})
