/** `bot`, `worker`, `up` and `demo`: what runs until it is stopped. */
import { peopleConnections, startBot, type RunningBot } from '../bot/index.ts'
import { configOfProcess, type Config } from '../config.ts'
import { placeOf } from '../errors.ts'
import { watchListedNames } from '../greetings/known.ts'
import { liveBots, liveWorkers } from '../greetings/workers.ts'
import type { Address } from '../http/address.ts'
import type { HealthServer } from '../http/health.ts'
import { version } from '../installation.ts'
import { openLog, type Log } from '../log.ts'
import type { AskRules } from '../greetings/ask.ts'
import type { RunningWorker } from '../queue/processors/worker.ts'
import { takeBackChannels, usableChannels } from '../telegram/channels.ts'
import { parseNames } from '../names/name.ts'
import { loadShippedNames, type KnownNames } from '../understanding/known-names.ts'
import { loadTemplates } from '../video/load-templates.ts'
import { exitCode } from '../terminal/exit.ts'
import { askRulesOf } from '../terminal/name-arguments.ts'
import { openPage } from '../terminal/browser.ts'
import { listenForStop, whenAborted } from '../terminal/signals.ts'
import { openRendererOf } from '../app/renderer.ts'
import { openServices, startWorkerIn, type Services } from '../app/services.ts'
import { prepareNames } from './demo-names.ts'

/** The page of a demo opens then, whether or not its first names are ready. */
const longestPreparationMs = 90_000

export interface ServeOptions {
  sandbox: boolean
  newBot: boolean
  /** demo: open the browser */
  open?: boolean
  /** where health and figures are told; nowhere when left out */
  http?: Address
  logLevel?: string
}

/** Runs until SIGINT, SIGTERM or SIGHUP, or until it cannot go on. */
export async function serve(verb: 'bot' | 'worker' | 'up' | 'demo', options: ServeOptions): Promise<number> {
  const config = configOfProcess()
  const log = openLog(options.logLevel ?? config.logLevel, { isService: true })
  // Manifests only: the process that answers people renders nothing.
  const templates = await loadTemplates(config.templatesFolder, config.templates)
  const askRules = await askRulesOf(config, templates)
  const known = verb === 'worker' ? undefined : await loadShippedNames(config.knownNames)
  const stop = listenForStop()
  const health = options.http === undefined ? undefined : await startHealth(options.http, verb, log)
  const services = await openServices({
    config,
    log,
    sandbox: options.sandbox,
    role: verb,
    create: true,
    newBot: options.newBot,
  }).catch(async (error: unknown) => {
    await health?.close()
    throw error
  })
  let bot: RunningBot | undefined
  let worker: RunningWorker | undefined
  let closeRenderer = async () => {}
  const { storage } = services
  const over = new AbortController()
  let preparing = Promise.resolve()
  const takingBack = takeBackChannels(storage, { ...storage, botId: services.bot.id, log }, over.signal)
  try {
    if (verb !== 'bot') {
      const renderer = await openRendererOf(config, services.home, { db: services.db, log })
      closeRenderer = () => renderer.close()
      worker = await startWorkerIn(services, renderer, config, log, { prepares: true })
    }
    if (known !== undefined) bot = await startBotIn(services, { ...askRules, known }, config, log)
    if (health !== undefined) watchState(health, services, config)
    log.info(
      { bot: services.bot.username, sandbox: options.sandbox, channels: usableChannels(storage).length },
      `${verb} is running`,
    )
    if (services.sandbox !== undefined && bot !== undefined)
      process.stdout.write(`The chat page: ${services.sandbox.pageUrl}\n`)
    if (verb === 'demo' && known !== undefined)
      preparing = startDemo({ services, askRules, known, log }, options.open !== false, over.signal)

    await Promise.race([whenAborted(stop.asked), ...[bot?.ended, worker?.ended].filter((ended) => ended !== undefined)])
    log.info({}, 'stopping')
    return exitCode.done
  } finally {
    health?.stopping()
    over.abort()
    const abortNow = () => [bot, worker].forEach((running) => running?.abortNow())
    if (stop.abortedNow.aborted) abortNow()
    stop.abortedNow.addEventListener('abort', abortNow, { once: true })
    // At the same time: while people's answers go out, no new work is begun.
    await Promise.all([bot?.stop(config.stopMs), worker?.stop(config.stopMs)])
    await closeRenderer()
    await Promise.all([takingBack, preparing])
    await services.close()
    await health?.close()
    stop.close()
  }
}

async function startHealth(address: Address, role: string, log: Log): Promise<HealthServer> {
  const { startHealthServer } = await import('../http/health.ts')
  const server = await startHealthServer(address, { version: version(), role })
  log.info({ url: server.url }, 'health and figures: /healthz, /readyz, /metrics')
  return server
}

/** Over a connection of its own: however often the figures are asked for, nobody else waits for one. */
function watchState(health: HealthServer, services: Services, { times }: Config): void {
  const db = services.openPool(1)
  health.watch({
    db,
    queue: services.queue,
    workers: async () => (await liveWorkers(db, times)).length,
    bots: async () => (await liveBots(db, times)).length,
  })
}

async function startBotIn(
  services: Services,
  understanding: AskRules & { known: KnownNames },
  config: Config,
  log: Log,
): Promise<RunningBot> {
  const { nameRules, known } = understanding
  const watching = await watchListedNames(services.db, config.times, (displays) =>
    // Rules change, and so what was a name may be none any more. How frequent it is, is not known.
    known.add(parseNames(displays, nameRules).map((name) => ({ name, count: 0 }))),
  )
  const bot = await startBot({
    token: services.token,
    apiRoot: services.apiRoot,
    webhook:
      config.webhook === undefined || services.sandbox !== undefined
        ? undefined
        : { ...config.webhook, port: config.port },
    door: { ...services.door, db: services.openPool(peopleConnections) },
    delivery: services.delivery,
    channels: { usable: () => usableChannels(services.storage), ratePerMinute: services.storage.ratePerMinute },
    ...understanding,
    adminIds: config.adminIds.map(Number),
    storage: services.storage,
    apiLocal: config.apiLocal && services.sandbox === undefined,
    times: config.times,
    log,
  }).catch(async (error: unknown) => {
    await watching.close()
    throw error
  })
  return { ...bot, stop: async (stopMs) => void (await Promise.all([bot.stop(stopMs), watching.close()])) }
}

/** Opens the page once there are names to tap, or when that takes long. */
async function startDemo(demo: Parameters<typeof prepareNames>[0], open: boolean, stop: AbortSignal): Promise<void> {
  let isOpen = !open
  const show = () => {
    if (!isOpen && demo.services.sandbox !== undefined) void openPage(demo.services.sandbox.pageUrl)
    isOpen = true
  }
  const patience = setTimeout(show, longestPreparationMs)
  try {
    await prepareNames(demo, show, stop)
  } catch (error) {
    // Without names to tap, people write.
    if (!stop.aborted) demo.log.warn({ error: placeOf(error) }, 'the first names could not be prepared')
  } finally {
    clearTimeout(patience)
    if (!stop.aborted) show()
  }
}
