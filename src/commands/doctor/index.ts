/** `doctor`: checks everything a run needs; what is wrong comes with its remedy. */
import { tmpdir } from 'node:os'
import { styleText } from 'node:util'
import { openFolder } from '../../app/folders.ts'
import { configOfProcess, type Config } from '../../config.ts'
import { openDatabase, type Database } from '../../db/database.ts'
import { commandLine } from '../../installation.ts'
import { openLog, type Log } from '../../log.ts'
import { openSandbox, type Sandbox } from '../../sandbox/process/open-sandbox.ts'
import { endOf, exitCode } from '../../terminal/exit.ts'
import type { Check, Finding, RunCheck } from './check.ts'
import { examineDisk, examineFfmpeg, examineNames, examineRecordings, examineTemplates, examineVoice } from './host.ts'
import { examineCache, examineOutages, examineProcesses, examineQueue, examineServer } from './store.ts'
import { examineTelegram } from './telegram.ts'

const mark = { pass: '✓', warning: '!', failure: '✗' } as const
const colour = { pass: 'green', warning: 'yellow', failure: 'red' } as const

/** What `doctor` is asked for. */
export interface DoctorOptions {
  sandbox: boolean
  json: boolean
  /** the bot's name, descriptions and menus are set, whatever they are */
  setProfile: boolean
  logLevel?: string
}

export async function doctor(options: DoctorOptions): Promise<number> {
  const config = configOfProcess()
  const log = openLog(options.logLevel ?? 'error')
  const checks: Check[] = []
  const check: RunCheck = async (name, look) => {
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
  await examine(config, log, options, check)
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

async function examine(
  config: Config,
  log: Log,
  { sandbox: inSandbox, setProfile }: DoctorOptions,
  check: RunCheck,
): Promise<void> {
  let home = tmpdir()
  let database: Database | undefined
  let sandbox: Sandbox | undefined
  await check('command', async () => commandLine())
  await check('home', async () => (home = await openFolder(config, true)))
  await check('disk', () => examineDisk(config, home))
  await check('ffmpeg', () => examineFfmpeg(config, home))
  await check('templates', () => examineTemplates(config))
  await check('names', () => examineNames(config))
  await check('recordings', () => examineRecordings(config, home))
  await check('voice', () => examineVoice(config))
  await check('database', async () => {
    const { databaseUrl, keepFreeBytes } = config
    database = await openDatabase({ home, databaseUrl, keepFreeBytes, sandbox: inSandbox, role: 'doctor', log })
    return examineServer(database, config)
  })
  try {
    if (database !== undefined) await examineStore(database, config, log, inSandbox, check)
    if (inSandbox) {
      await check('sandbox', async () => {
        sandbox = await openSandbox({ folder: `${home}/sandbox`, log, timeDivisor: config.timeDivisor })
        return sandbox.url
      })
    }
    await examineTelegram(config, sandbox, inSandbox, database?.db, check, setProfile)
  } finally {
    await sandbox?.close()
    await database?.close()
  }
}

async function examineStore(
  database: Database,
  config: Config,
  log: Log,
  inSandbox: boolean,
  check: RunCheck,
): Promise<void> {
  const { db } = database
  await check('queue', () => examineQueue(database, config, log))
  await check('outages', () => examineOutages(db))
  await check('processes', () => examineProcesses(db, config))
  await check('cache', () => examineCache(db, config, inSandbox))
}
