/** `doctor`: checks everything a run needs; what is wrong comes with its remedy. */
import { tmpdir } from 'node:os'
import { styleText } from 'node:util'
import { configOfProcess, type Config } from '../config.ts'
import { openDatabase, type Database, type Db } from '../db/database.ts'
import { disksOf, enough } from '../disk.ts'
import { currentOutages } from '../greetings/outages.ts'
import { botText, ownBot } from '../greetings/own-bot.ts'
import { liveBots, liveWorkers, rivalPollers } from '../greetings/workers.ts'
import { statistics } from '../greetings/reports/statistics.ts'
import { commandLine } from '../installation.ts'
import { openLog, type Log } from '../log.ts'
import { openQueue } from '../queue/index.ts'
import { openSandbox, type Sandbox } from '../sandbox/process/open-sandbox.ts'
import { openRecordings } from '../speech/recordings.ts'
import { openSpeaker } from '../speech/speaker.ts'
import { connectTelegram, whoAmI } from '../telegram/api.ts'
import { checkChannels } from '../telegram/channels.ts'
import { findFfmpeg } from '../ffmpeg/find.ts'
import { loadTemplates } from '../video/template.ts'
import { endOf, exitCode } from '../terminal/exit.ts'
import { nameRulesOf } from '../terminal/name-arguments.ts'
import { databaseFolders, openFolder, recordingsFolderOf, renderFolders } from '../app/folders.ts'
import { otherBotText } from '../greetings/own-bot.ts'

/** The outcome of one check. */
export interface Check {
  name: string
  state: 'pass' | 'warning' | 'failure'
  message: string
}

type Finding = { state: Check['state']; message: string } | string

const leastFreeBytes = 2_000_000_000
const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(bytes < 1e9 ? 2 : 1)} GB`

export async function doctor(options: { sandbox: boolean; json: boolean; logLevel?: string }): Promise<number> {
  const config = configOfProcess()
  const log = openLog(options.logLevel ?? 'error')
  const checks: Check[] = []
  const check = async (name: string, look: () => Promise<Finding>): Promise<void> => {
    const finding = await look().catch((error: unknown): Finding => ({
      state: 'failure',
      message: endOf(error).lines.join(' '),
    }))
    const outcome: Check = { name, ...(typeof finding === 'string' ? { state: 'pass', message: finding } : finding) }
    checks.push(outcome)
    if (!options.json)
      process.stdout.write(
        `${styleText(colour[outcome.state], mark[outcome.state])} ${name.padEnd(10)} ${outcome.message}\n`,
      )
  }
  await examine(config, log, options.sandbox, check)
  const failures = checks.filter(({ state }) => state === 'failure').length
  const warnings = checks.filter(({ state }) => state === 'warning').length
  if (options.json) process.stdout.write(`${JSON.stringify({ healthy: failures === 0, checks })}\n`)
  else
    process.stdout.write(
      failures === 0
        ? `Ready${warnings > 0 ? `, with ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}` : ''}.\n`
        : `${failures} ${failures === 1 ? 'thing needs' : 'things need'} attention.\n`,
    )
  return failures === 0 ? exitCode.done : exitCode.someFailed
}

const mark = { pass: '✓', warning: '!', failure: '✗' } as const
const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`

const colour = { pass: 'green', warning: 'yellow', failure: 'red' } as const

async function examine(
  config: Config,
  log: Log,
  inSandbox: boolean,
  check: (name: string, look: () => Promise<Finding>) => Promise<void>,
): Promise<void> {
  let home = tmpdir()
  let database: Database | undefined
  let sandbox: Sandbox | undefined
  await check('command', async () => commandLine())
  await check('home', async () => {
    home = await openFolder(config, true)
    return home
  })
  await check('disk', async () => {
    const { rendersFolder, cacheFolder } = renderFolders(home)
    const disks = await disksOf(
      [rendersFolder, cacheFolder, ...(await databaseFolders(config, home))],
      config.keepFreeBytes,
    )
    const free = disks
      .map(
        ({ folders, freeBytes }) =>
          `${gigabytes(freeBytes)} free${disks.length > 1 ? ` for ${folders.join(' and ')}` : ''}`,
      )
      .join(', ')
    const tooSmall = disks.find(({ totalBytes, reserveBytes }) => reserveBytes * enough > totalBytes)
    if (tooSmall !== undefined)
      return {
        state: 'failure',
        message: `${free}. The disk of ${tooSmall.folders[0]} holds ${gigabytes(tooSmall.totalBytes)}, too little for ${gigabytes(tooSmall.reserveBytes)} to stay free: set KEEP_FREE_GB to less, or GREETINGS_HOME to a folder on a larger disk.`,
      }
    const short = disks.find(({ freeBytes, reserveBytes }) => freeBytes < reserveBytes)
    if (short !== undefined)
      return {
        state: 'failure',
        message: `${free}, and ${gigabytes(short.reserveBytes)} have to stay free on the disk of ${short.folders[0]} (KEEP_FREE_GB). Uploaded renders give way, then rendering rests: make room, or set GREETINGS_HOME to a folder on a larger disk.`,
      }
    const isPlenty = disks.every(
      ({ freeBytes, reserveBytes }) => freeBytes > Math.max(leastFreeBytes, reserveBytes * enough),
    )
    return isPlenty
      ? free
      : {
          state: 'warning',
          message: `${free}. Rendered files need about 5 MB each: make room, or point GREETINGS_HOME to a larger disk.`,
        }
  })
  await check('ffmpeg', async () => {
    const { version, path } = await findFfmpeg({
      path: config.ffmpegPath,
      cacheFolder: renderFolders(home).cacheFolder,
    })
    return `${version.split(' ').slice(0, 3).join(' ')}, ${path}`
  })
  await check('templates', async () => {
    // Reading a template opens its fonts and finds characters they lack.
    const templates = await loadTemplates(config.templatesFolder, config.templates)
    return templates.map(({ id, scripts }) => `${id} (${scripts.join(', ')})`).join(', ')
  })
  await check('names', async () => {
    const { allowed, blocked } = await nameRulesOf(config, [])
    return `${allowed?.size ?? 0} allowed and ${blocked?.size ?? 0} blocked by lists of your own`
  })
  await check('recordings', async () => {
    const recordings = openRecordings(recordingsFolderOf(config, home))
    const listings = []
    for (const template of await loadTemplates(config.templatesFolder, config.templates))
      listings.push({ id: template.id, ...(await recordings.list(template)) })
    const faults = listings.flatMap((listing) => listing.faults)
    if (faults.length > 0)
      return {
        state: 'warning',
        message: `${faults.length} ${faults.length === 1 ? 'file serves' : 'files serve'} no name: \`greetings template check\` tells which and why.`,
      }
    return listings.every(({ byKey }) => byKey.size === 0)
      ? 'none'
      : listings.map(({ id, byKey }) => `${byKey.size} for ${id}`).join(', ')
  })
  await check('voice', () => hearVoice(config))
  await check('database', async () => {
    database = await openDatabase({
      home,
      databaseUrl: config.databaseUrl,
      keepFreeBytes: config.keepFreeBytes,
      sandbox: inSandbox,
      role: 'doctor',
      log,
    })
    const [server] = await database.db.$queryRaw<
      { version: string }[]
    >`SELECT current_setting('server_version') AS version`
    return `PostgreSQL ${server?.version ?? ''}${config.databaseUrl === undefined ? ', embedded' : ''}`
  })
  try {
    if (database !== undefined) {
      const { db, url } = database
      await check('queue', async () => {
        const { queueId } = await db.installation.findUniqueOrThrow({ where: { id: 1 } })
        const queue = await openQueue({ databaseUrl: url, redisUrl: config.redisUrl, queueId, log })
        try {
          const { waiting, delayed } = await queue.counts()
          const policy = await queue.evictionPolicy()
          const where = config.redisUrl === undefined ? 'in PostgreSQL' : 'on Redis'
          if (policy !== null && policy !== 'noeviction')
            return {
              state: 'warning',
              message: `${where}, which may drop jobs when its memory is full (maxmemory-policy ${policy}). Set it to noeviction.`,
            }
          return `${where}: ${waiting} waiting, ${delayed} delayed`
        } finally {
          await queue.close()
        }
      })
      await check('outages', async () => {
        const outages = await currentOutages(db)
        return outages.length === 0
          ? 'none is noted'
          : {
              state: 'warning',
              message: outages
                .map(({ step, reason, since }) => `${step} since ${since.toISOString()}: ${reason}`)
                .join(' '),
            }
      })
      await check('processes', async () => {
        const [workers, bots] = await Promise.all([liveWorkers(db, config.times), liveBots(db, config.times)])
        const rivals = rivalPollers(bots)
        if (rivals.length > 0)
          return {
            state: 'failure',
            message: `${rivals.length} bots fetch updates, and Telegram serves one: ${rivals.join(' and ')}. Stop all but one.`,
          }
        return `${counted(bots.length, 'bot')}, ${counted(workers.length, 'worker')}`
      })
      await check('cache', async () => {
        const {
          assets: { available, otherBot },
        } = await statistics(db, new Map(), (await ownBot(db, inSandbox ? undefined : config.token))?.id ?? null)
        if (otherBot === 0) return counted(available, 'video')
        return {
          state: 'warning',
          message: `${otherBot} of ${counted(available + otherBot, 'video')} ${otherBot === 1 ? 'belongs' : 'belong'} to another bot, and this one cannot send ${otherBot === 1 ? 'it' : 'them'}. Make it an administrator of the storage channels and run \`greetings verify --repair\`: it takes them over. Otherwise each is uploaded anew when somebody asks.`,
        }
      })
    }
    if (inSandbox) {
      await check('sandbox', async () => {
        sandbox = await openSandbox({ folder: `${home}/sandbox`, log, timeDivisor: config.timeDivisor })
        return sandbox.url
      })
    }
    await examineTelegram(config, sandbox, inSandbox, database?.db, check)
  } finally {
    await sandbox?.close()
    await database?.close()
  }
}

async function hearVoice(config: Config): Promise<Finding> {
  const speaker = await openSpeaker(config.voice, tmpdir())
  try {
    const { samples, rate } = await speaker.speak('Маша', 'ru', AbortSignal.timeout(30_000))
    return `${speaker.identity('ru').split(':')[0] ?? ''}, says “Маша” in ${(samples.length / rate).toFixed(1)} s`
  } finally {
    await speaker.close()
  }
}

async function examineTelegram(
  config: Config,
  sandbox: Sandbox | undefined,
  inSandbox: boolean,
  db: Db | undefined,
  check: (name: string, look: () => Promise<Finding>) => Promise<void>,
): Promise<void> {
  const token = sandbox?.token ?? config.token
  if (inSandbox && sandbox === undefined) return
  if (token === undefined) {
    return check('token', async () => ({
      state: 'failure',
      message: 'TELEGRAM_BOT_TOKEN is not set. Ask @BotFather for a token (/newbot), or use --sandbox.',
    }))
  }
  const api = connectTelegram({ token, apiRoot: sandbox?.url ?? config.apiRoot, times: config.times })
  let botId: bigint | undefined
  await check('token', async () => {
    const bot = await whoAmI(api)
    botId = bot.id
    const known = db === undefined ? null : await ownBot(db)
    return known === null || known.id === bot.id
      ? botText(bot)
      : { state: 'failure', message: otherBotText(known.id, botText(bot)) }
  })
  const id = botId
  if (id === undefined) return
  const chatIds = sandbox === undefined ? config.storageChatIds : [sandbox.storageChatId]
  if (chatIds.length === 0) {
    return check('storage', async () => ({
      state: 'warning',
      message:
        'No storage channel: the bot works, `warm` does not. Create a private channel, make the bot an administrator who may post, and set STORAGE_CHAT_IDS.',
    }))
  }
  const findings = chatIds.map((chatId) => ({ chatId, faults: checkChannels(api, [chatId], id) }))
  const outcomes = await Promise.allSettled(findings.map(({ faults }) => faults))
  // Every command goes on with the channels that are left.
  const othersGoOn = outcomes.some((outcome) => outcome.status === 'fulfilled' && outcome.value.length === 0)
  for (const { chatId, faults } of findings) {
    await check('storage', async () => {
      const [fault] = await faults
      if (fault === undefined) return `the bot may post to ${chatId}`
      const remedy = 'Make the bot an administrator with the right to post messages, or correct STORAGE_CHAT_IDS.'
      return {
        state: othersGoOn ? 'warning' : 'failure',
        message: `${chatId}: ${fault.problem}. ${othersGoOn ? 'It is left out. ' : ''}${remedy}`,
      }
    })
  }
}
