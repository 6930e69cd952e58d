/** `dashboard`: the operator's page. It changes nothing. */
import { configOfProcess } from '../config.ts'
import { queueBoard } from '../dashboard/queue-board.ts'
import { startDashboard } from '../dashboard/server.ts'
import { look } from '../dashboard/view.ts'
import { botText, ownBot } from '../greetings/own-bot.ts'
import { loopback } from '../http/address.ts'
import { openLog } from '../log.ts'
import { loadTemplates, templateRevision } from '../video/template.ts'
import { exitCode } from './exit.ts'
import { openPage } from './open-page.ts'
import { listenForStop, whenAborted } from './stop.ts'
import { openStore, studioFolders } from './world.ts'

export interface DashboardOptions {
  port?: number
  host?: string
  sandbox?: boolean
  /** open the browser */
  open?: boolean
  logLevel?: string
}

const usualPort = 8090

/** Runs until SIGINT, SIGTERM or SIGHUP. */
export async function dashboard(options: DashboardOptions): Promise<number> {
  const config = configOfProcess()
  const log = openLog(options.logLevel ?? config.logLevel, { isService: true })
  const sandbox = options.sandbox === true
  const templateRevisions = new Map<string, string>()
  for (const template of await loadTemplates(config.templatesFolder, config.templates)) templateRevisions.set(template.id, await templateRevision(template))
  const stop = listenForStop()
  const store = await openStore({ config, log, sandbox, role: 'dashboard', create: false })
  try {
    const { db, queue, home } = store
    const { rendersFolder } = studioFolders(home)
    const token = sandbox ? undefined : config.token
    const bot = await ownBot(db, token)
    const page = await startDashboard({
      address: { host: options.host ?? loopback, port: options.port ?? usualPort },
      password: config.dashboardPassword,
      world: sandbox ? 'sandbox' : bot === null ? 'no bot yet' : botText(bot),
      sandbox,
      rendersFolder,
      look: () => look({ db, queue, rendersFolder, templateRevisions, token, times: config.times }),
      board: queueBoard(queue),
      log,
    })
    process.stdout.write(`The dashboard: ${page.url}\n`)
    if (options.open !== false) await openPage(page.url)
    await whenAborted(stop.asked)
    await page.close()
    return exitCode.done
  } finally {
    await store.close()
    stop.close()
  }
}
