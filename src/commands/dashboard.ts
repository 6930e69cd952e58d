/** `dashboard`: the operator's page. It changes nothing. */
import { join } from 'node:path'
import { configOfProcess } from '../config.ts'
import { queueBoard } from '../dashboard/queue-board.ts'
import { startDashboard } from '../dashboard/server.ts'
import { look, mostMissed, search, videoOf } from '../dashboard/view.ts'
import { botText, ownBot } from '../greetings/own-bot.ts'
import { loopback } from '../http/address.ts'
import { shared } from '../shared.ts'
import { openLog } from '../log.ts'
import { openSandbox, type Sandbox } from '../sandbox/process/open-sandbox.ts'
import { loadTemplates, templateRevisions } from '../video/load-templates.ts'
import { exitCode } from '../terminal/exit.ts'
import { nameRulesOf } from '../terminal/name-arguments.ts'
import { openPage } from '../terminal/browser.ts'
import { listenForStop, whenAborted } from '../terminal/signals.ts'
import { renderFolders } from '../app/folders.ts'
import { openStore } from '../app/store.ts'
import { telegramRatePerMinute } from '../telegram/flood.ts'

export interface DashboardOptions {
  port?: number
  host?: string
  sandbox: boolean
  /** open the browser */
  open: boolean
  logLevel?: string
}

const usualPort = 8090
/** Names that were missed are counted over a week, so they are not counted often. */
const missedMs = 60_000

/** Runs until SIGINT, SIGTERM or SIGHUP. */
export async function dashboard(options: DashboardOptions): Promise<number> {
  const config = configOfProcess()
  const log = openLog(options.logLevel ?? config.logLevel, { isService: true })
  const { sandbox } = options
  const templates = await loadTemplates(config.templatesFolder, config.templates)
  const rules = await nameRulesOf(config, templates)
  const revisions = await templateRevisions(templates)
  const stop = listenForStop()
  let room: Sandbox | undefined
  const store = await openStore({ config, log, sandbox, role: 'dashboard', create: false })
  try {
    const { db, queue, home } = store
    const { rendersFolder } = renderFolders(home)
    const token = sandbox ? undefined : config.token
    const bot = await ownBot(db, token)
    const missed = shared(() => mostMissed(db), missedMs)
    // Only when somebody plays a video that is not on this host.
    const connected = shared(async () => {
      if (sandbox) room = await openSandbox({ folder: join(home, 'sandbox'), log, timeDivisor: config.timeDivisor })
      const settings = {
        token: room?.token ?? config.token ?? '',
        apiRoot: room?.url ?? config.apiRoot,
        local: !sandbox && config.apiLocal,
        times: config.times,
      }
      if (settings.token === '') return undefined
      // Only who plays a video that no disk here has needs Telegram.
      const [{ connectTelegram }, { download }] = await Promise.all([
        import('../telegram/api.ts'),
        import('../telegram/download.ts'),
      ])
      const api = connectTelegram(settings)
      return (...file: [fileId: string, range: string | undefined, signal: AbortSignal]) =>
        download(api, settings, ...file)
    }, Infinity)
    const page = await startDashboard({
      address: { host: options.host ?? loopback, port: options.port ?? usualPort },
      password: config.dashboardPassword,
      world: sandbox ? 'sandbox' : bot === null ? 'no bot yet' : botText(bot),
      sandbox,
      rendersFolder,
      channelRate: config.channelRatePerMinute ?? (sandbox ? undefined : telegramRatePerMinute),
      look: () => look({ db, queue, rendersFolder, templateRevisions: revisions, token, times: config.times, missed }),
      search: (text) => search(db, rendersFolder, text, rules),
      video: (id) => videoOf(db, rendersFolder, id),
      download: async (...file) => (await connected())?.(...file),
      board: queueBoard(queue),
      log,
    })
    process.stdout.write(`The dashboard: ${page.url}\n`)
    if (options.open !== false) await openPage(page.url)
    await whenAborted(stop.asked)
    await page.close()
    return exitCode.done
  } finally {
    await room?.close()
    await store.close()
    stop.close()
  }
}
