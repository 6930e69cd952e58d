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
      const isLoud = ctx.callbackQuery.data === 'loud'
      await ctx.answerCallbackQuery({ text: `heard ${ctx.callbackQuery.data}`, show_alert: isLoud })
      if (isLoud) return
      await ctx.editMessageReplyMarkup({
        reply_markup: { inline_keyboard: [[{ text: 'Громко', callback_data: 'loud' }]] },
      })
    })
    bot.on('inline_query', (ctx) =>
      ctx.answerInlineQuery(
        [{ type: 'article', id: '1', title: ctx.inlineQuery.query, input_message_content: { message_text: 'a film' } }],
        { cache_time: 0, button: { text: 'More', start_parameter: 'more' } },
      ),
    )
    bot.on(['message:photo', 'message:voice', 'message:contact'], (ctx) =>
      ctx.reply(`got ${Object.keys(ctx.message).at(ctx.message.caption === undefined ? -1 : -2) ?? ''}`),
    )
    bot.chatType(['group', 'supergroup']).on('message:text', (ctx) => ctx.reply(`read: ${ctx.message.text}`))
    bot.on('message:text', async (ctx) => {
      if (ctx.message.via_bot !== undefined || /^\d+$/.test(ctx.message.text)) return
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

  it('lets a button wait for its answer, and changes buttons without touching the film', async () => {
    const { id } = await sandbox.fault({ method: 'answerCallbackQuery', answer: { kind: 'hold' } })
    await page.evaluate("document.querySelector('.film video').dataset.mark = 'same'")
    await page.click('.buttons button')
    await page.waitForSelector('.buttons [aria-busy=true]')
    await sandbox.release(id)
    await page.waitForSelector('#toast >> text=heard more')
    await page.click('.buttons >> text=Громко')
    await page.waitForSelector('#alert[open] >> text=heard loud')
    await page.click('#alert button')
    expect(await page.$$('.film video[data-mark=same]')).toHaveLength(1)
  })

  it('closes the commands with Escape, and gives the focus back', async () => {
    await page.click('#menu')
    await page.waitForSelector('#commands button')
    await page.keyboard.press('Escape')
    expect(await page.isHidden('#commands')).toBe(true)
    expect(await page.evaluate('document.activeElement.id')).toBe('menu')
  })

  it('changes a person’s language, and lets them block the bot and allow it again', async () => {
    await page.click('#as')
    await page.selectOption('#language', 'uk')
    await sandbox.waitFor(async () => (await sandbox.users()).some(({ languageCode }) => languageCode === 'uk'))
    await page.check('#blocked')
    await page.keyboard.press('Escape')
    await page.waitForSelector('#blocked-note')
    await expect(bot.api.sendMessage(5, 'are you there?')).rejects.toThrow('bot was blocked by the user')
    await page.click('#unblock')
    await page.waitForSelector('#blocked-note', { state: 'hidden' })
    await bot.api.sendMessage(5, 'good to see you')
  })

  it('makes Telegram refuse, says so, and lets it work again', async () => {
    await page.click('#as')
    await page.selectOption('#telegram', 'refuses')
    await page.waitForSelector('#mood')
    await expect(bot.api.sendMessage(5, 'hello')).rejects.toThrow('500')
    await page.selectOption('#telegram', 'works')
    await page.waitForSelector('#mood', { state: 'hidden' })
    await bot.api.sendMessage(5, 'hello')
    await page.keyboard.press('Escape')
  })

  it('sends a photo, a voice message and a contact', async () => {
    const attach = async (kind: string) => {
      await page.click('#clip')
      await page.click(`[data-kind=${kind}]`)
    }
    await attach('photo')
    await page.setInputFiles('#attach-file', clips.picture)
    await page.fill('#attach-caption', 'Маша')
    await page.waitForSelector('#attach-preview:not([hidden])')
    await page.press('#attach-caption', 'Enter')
    await page.waitForSelector('text=got photo')
    expect(await page.getAttribute('.picture img', 'src')).toMatch(/^\/sandbox\/files\//)
    await attach('voice')
    await page.setInputFiles('#attach-file', { name: 'a.ogg', mimeType: 'audio/ogg', buffer: Buffer.from('OggS') })
    await page.click('#attach menu button:last-child')
    await page.waitForSelector('text=got voice')
    await attach('contact')
    await page.fill('#contact-name', 'Петя')
    await page.click('#attach menu button:last-child')
    await page.waitForSelector('text=got contact')
  })

  it('offers what the bot offers inline, and posts what is chosen', async () => {
    await page.fill('#words', '@greetings_bot Маша')
    await page.waitForSelector('#results >> text=More')
    await page.click('#results >> text=Маша')
    await page.waitForSelector('.bubble.mine >> text=a film')
    expect(await page.isHidden('#results')).toBe(true)
    expect(await page.inputValue('#words')).toBe('')
  })

  it('has groups of several people, in which the bot hears only what is meant for it', async () => {
    await page.click('#new-group')
    await page.waitForSelector('text=теперь в группе')
    await page.fill('#words', 'Кого поздравим?')
    await page.press('#words', 'Enter')
    await page.click('#as')
    await page.selectOption('#writer', { label: 'Дима' })
    await page.keyboard.press('Escape')
    await page.fill('#words', '@greetings_bot')
    await page.press('#words', 'Enter')
    await page.waitForSelector('text=read: @greetings_bot')
    expect(await page.$$('text=read: Кого')).toEqual([])
    expect(await page.textContent('.entry:not(.mine) .sender')).toBe('Оля')
    await page.click('#as')
    await page.uncheck('#bot-is-in')
    await sandbox.waitFor(async () =>
      (await sandbox.chats()).some(({ type, members }) => type === 'supergroup' && members?.length === 0),
    )
    await page.keyboard.press('Escape')
    await page.click('#people .row')
  })

  it('shows the newest messages, and earlier ones on demand', async () => {
    await sandbox.sayAll(Array.from({ length: 210 }, (_, n) => ({ userId: 5, text: String(n) })))
    await page.reload()
    await page.waitForSelector('.earlier')
    expect(await page.$$('.entry')).toHaveLength(200)
    await page.click('.earlier')
    await page.waitForSelector('.earlier', { state: 'detached' })
    expect(await page.textContent('.entry >> nth=0')).toContain('/start')
  })

  it('shows the storage channel as a second chat', async () => {
    await page.click('#channels .row')
    await page.waitForSelector('.tile img')
    expect((await page.$$('.tile')).length).toBe(1)
    await page.click('.tile')
    await page.waitForSelector('#cinema[open]')
    await page.setViewportSize({ width: 1280, height: 900 })
    const screen = await (await page.$('#cinema-video'))?.boundingBox()
    expect((screen?.x ?? 0) + (screen?.width ?? 0) / 2).toBeCloseTo(640, 0)
    await page.setViewportSize({ width: 390, height: 844 })
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
    expect((await sandbox.users()).map(({ firstName }) => firstName)).toEqual([
      'Оля',
      'Дима',
      'Бабушка Вера',
      'Bob <i>',
    ])
  })

  it('breaks none of its own rules', () => {
    expect(complaints).toEqual([])
  })
})
