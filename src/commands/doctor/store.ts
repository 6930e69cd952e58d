/** What database and queue hold. */
import type { Config } from '../../config.ts'
import type { Database, Db } from '../../db/database.ts'
import { currentOutages } from '../../greetings/outages.ts'
import { ownBot } from '../../greetings/own-bot.ts'
import { statistics } from '../../greetings/reports/statistics.ts'
import { liveBots, liveWorkers, rivalPollers } from '../../greetings/workers.ts'
import type { Log } from '../../log.ts'
import { openQueue } from '../../queue/index.ts'
import type { Finding } from './check.ts'

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`

export async function examineServer({ db }: Database, config: Config): Promise<Finding> {
  const [server] = await db.$queryRaw<{ version: string }[]>`SELECT current_setting('server_version') AS version`
  return `PostgreSQL ${server?.version ?? ''}${config.databaseUrl === undefined ? ', embedded' : ''}`
}

export async function examineQueue({ db, url }: Database, config: Config, log: Log): Promise<Finding> {
  const { queueId } = await db.installation.findUniqueOrThrow({ where: { id: 1 } })
  const queue = await openQueue({ databaseUrl: url, redisUrl: config.redisUrl, queueId, log })
  try {
    const { waiting, delayed } = await queue.counts()
    const policy = await queue.evictionPolicy()
    const where = config.redisUrl === undefined ? 'in PostgreSQL' : 'on Redis'
    if (policy !== null && policy !== 'noeviction')
      return {
        state: 'warning',
        message:
          `${where}, which may drop jobs when its memory is full (maxmemory-policy ` +
          `${policy}). Set it to noeviction.`,
      }
    return `${where}: ${waiting} waiting, ${delayed} delayed`
  } finally {
    await queue.close()
  }
}

export async function examineOutages(db: Db): Promise<Finding> {
  const outages = await currentOutages(db)
  return outages.length === 0
    ? 'none is noted'
    : {
        state: 'warning',
        message: outages.map(({ step, reason, since }) => `${step} since ${since.toISOString()}: ${reason}`).join(' '),
      }
}

/** Bots and workers that live. */
export async function examineProcesses(db: Db, config: Config): Promise<Finding> {
  const [workers, bots] = await Promise.all([liveWorkers(db, config.times), liveBots(db, config.times)])
  const rivals = rivalPollers(bots)
  if (rivals.length > 0)
    return {
      state: 'failure',
      message: `${rivals.length} bots fetch updates, and Telegram serves one: ${rivals.join(' and ')}. Stop all but one.`,
    }
  return `${counted(bots.length, 'bot')}, ${counted(workers.length, 'worker')}`
}

/** Videos, and whether the bot can send them. */
export async function examineCache(db: Db, config: Config, inSandbox: boolean): Promise<Finding> {
  const {
    assets: { available, otherBot },
  } = await statistics(db, new Map(), (await ownBot(db, inSandbox ? undefined : config.token))?.id ?? null)
  if (otherBot === 0) return counted(available, 'video')
  return {
    state: 'warning',
    message:
      `${otherBot} of ${counted(available + otherBot, 'video')} ${otherBot === 1 ? 'belongs' : 'belong'} ` +
      `to another bot, and this one cannot send ${otherBot === 1 ? 'it' : 'them'}. Make it an ` +
      'administrator of the storage channels and run `greetings verify --repair`: it takes them over. ' +
      'Otherwise each is uploaded again when somebody asks.',
  }
}
