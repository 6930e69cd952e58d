/**
 * Draws `docs/pictures/conversation.jpg`: two people talk with the bot on the chat page of the sandbox. Starts a demo in
 * a home of its own, or in GREETINGS_HOME, where the videos may be ready. Needs chromium and a typeface with emoji
 * (Debian: fonts-noto-color-emoji). `npm run docs:conversation`
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { chromium, type BrowserContext, type Page } from 'playwright-core'
import { sandboxControl, type SandboxControl } from '../src/sandbox/client.ts'

const target = join(import.meta.dirname, '..', 'docs', 'pictures', 'conversation.jpg')
const patienceMs = 10 * 60_000

const talks = [
  {
    locale: 'en-US',
    person: { firstName: 'Kate', languageCode: 'en' },
    writes: ['Emmma', 'A video for my son Liam please!'],
  },
  {
    locale: 'ru-RU',
    person: { firstName: 'Оля', languageCode: 'ru' },
    writes: ['Маша и Лиза', 'Поздравьте, пожалуйста, Петю!'],
  },
]

const browserPath = (process.env.PATH ?? '')
  .split(delimiter)
  .flatMap((folder) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(folder, name)))
  .find((path) => existsSync(path))
if (browserPath === undefined) throw new Error('There is no chromium in PATH.')

/** What the demo prints first. */
async function addressOf(demo: ReturnType<typeof startDemo>): Promise<string> {
  let said = ''
  for await (const chunk of demo.stdout) {
    said += String(chunk)
    const [, address] = /The chat page: (\S+)\/\n/.exec(said) ?? []
    if (address !== undefined) return address
  }
  throw new Error('The demo ended before it said where its page is.')
}

function startDemo(home: string) {
  const program = join(import.meta.dirname, '..', 'bin', 'greetings.js')
  const env = { ...process.env, GREETINGS_HOME: home }
  return spawn(process.execPath, [program, 'demo', '--no-open'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
}

/** A person talks with the bot; a picture of their phone. */
async function talk(
  context: BrowserContext,
  sandbox: SandboxControl,
  { person, writes }: (typeof talks)[number],
  userId: number,
): Promise<string> {
  await sandbox.saveUser({ userId, ...person })
  const page = await context.newPage()
  // The same picture at any time of the day.
  await page.addInitScript({
    content: `localStorage.setItem('chat', '${userId}'); Date.prototype.toLocaleTimeString = () => '18:05'`,
  })
  await page.goto(sandbox.url)
  await page.waitForSelector('[data-ready]')
  for (const text of writes) {
    const before = (await answersIn(sandbox, userId)).length
    await page.fill('#words', text)
    await page.press('#words', 'Enter')
    // A note that the video is being made goes when the video comes.
    await sandbox.waitFor(
      async () => {
        const answers = await answersIn(sandbox, userId)
        return answers.length > before && (answers.at(-1)?.video !== undefined || text !== writes.at(-1))
      },
      { timeoutMs: patienceMs, what: `the answer to ${text}` },
    )
  }
  await page.waitForTimeout(1_000) // what moves has come to rest
  await page.evaluate(
    "document.querySelector('.film video').style.maxHeight = '370px';" +
      "document.querySelector('#phone').style.maxHeight = 'none';" +
      "document.querySelector('.chat').scrollTop = 1e6; document.activeElement.blur()",
  )
  const picture = await page.locator('#phone').screenshot()
  await page.close()
  return `data:image/png;base64,${picture.toString('base64')}`
}

async function answersIn(sandbox: SandboxControl, userId: number) {
  return (await sandbox.messages(userId)).filter(({ from }) => from?.is_bot === true)
}

/** Both phones beside each other. */
async function compose(page: Page, pictures: string[]): Promise<void> {
  await page.setContent(
    `<body style="margin:0;background:#0b1230;display:flex;gap:24px;padding:20px;width:max-content">
      ${pictures.map((picture) => `<img src="${picture}" style="display:block;border-radius:34px">`).join('')}
    </body>`,
  )
  await page.locator('body').screenshot({ path: target, type: 'jpeg', quality: 88 })
}

const temporary = await mkdtemp(join(tmpdir(), 'greetings-conversation-'))
const demo = startDemo(process.env.GREETINGS_HOME ?? join(temporary, 'home'))
try {
  const sandbox = sandboxControl(await addressOf(demo))
  const pictures: string[] = []
  const first = 10_000_000 + Math.floor(Date.now() / 1_000) * 10
  for (const [index, each] of talks.entries()) {
    const context = await chromium.launchPersistentContext(join(temporary, each.locale), {
      executablePath: browserPath,
      args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
      locale: each.locale,
      colorScheme: 'dark',
      viewport: { width: 1_280, height: 1_076 },
    })
    pictures.push(await talk(context, sandbox, each, first + index))
    if (index === talks.length - 1) await compose(await context.newPage(), pictures)
    await context.close()
  }
} finally {
  demo.kill('SIGTERM')
  if (demo.exitCode === null) await once(demo, 'exit')
  await rm(temporary, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 })
}
