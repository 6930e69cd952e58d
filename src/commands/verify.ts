/**
 * `verify`: do the stored file_ids still work? `--repair` mends those that do
 * not, `--new-bot` takes all over for another bot.
 */
import { configOfProcess } from '../config.ts'
import { openLog } from '../log.ts'
import { countDueFiles } from '../greetings/upkeep/due-files.ts'
import { verify, type Verified } from '../telegram/verify.ts'
import { exitCode } from '../terminal/exit.ts'
import { openCount } from '../terminal/progress.ts'
import { listenForStop } from '../terminal/signals.ts'
import { openServices } from '../app/services.ts'

export interface VerifyOptions {
  repair: boolean
  newBot: boolean
  rate?: number
  limit?: number
  /** milliseconds */
  olderThan?: number
  sandbox: boolean
  json: boolean
  quiet: boolean
  logLevel?: string
}

const gentleRate = 10

export async function verifyCache(options: VerifyOptions): Promise<number> {
  const config = configOfProcess()
  // Each mended id would be a line.
  const log = openLog(options.logLevel ?? (config.logLevel === 'info' ? 'error' : config.logLevel))
  const stop = listenForStop()
  const { olderThan = 0, limit } = options
  try {
    const services = await openServices({
      config,
      log,
      sandbox: options.sandbox,
      role: 'verify',
      create: false,
      newBot: options.newBot,
      channels: 'usable',
    })
    const { delivery, storage } = services
    const view = openCount({
      quiet: options.quiet,
      label: 'checked',
      total: Math.min(await countDueFiles(delivery.db, olderThan), limit ?? Infinity),
    })
    try {
      const result = await verify(delivery, {
        repair: options.repair || options.newBot,
        rate: options.rate ?? gentleRate,
        limit,
        olderThanMs: olderThan,
        postsPerMinute: storage.ratePerMinute,
        signal: stop.asked,
        onProgress: (verified) => view.show(sum(verified), remark(verified)),
      })
      view.close()
      const checked = sum(result)
      process.stdout.write(
        options.json ? `${JSON.stringify({ checked, ...result })}\n` : asText(checked, result, options),
      )
      return stop.code ?? (result.dead > 0 ? exitCode.someFailed : exitCode.done)
    } finally {
      view.close()
      await services.close()
    }
  } finally {
    stop.close()
  }
}

const sum = ({ alive, dead, unknown, repaired, requeued }: Verified) => alive + dead + unknown + repaired + requeued

function remark({ repaired, requeued, dead, unknown }: Verified): string {
  const parts = [
    repaired > 0 ? `${repaired} repaired` : '',
    requeued > 0 ? `${requeued} queued again` : '',
    dead > 0 ? `${dead} dead` : '',
    unknown > 0 ? `${unknown} unknown` : '',
  ]
  return parts.filter((part) => part !== '').join(', ')
}

function asText(checked: number, verified: Verified, { repair, newBot }: VerifyOptions): string {
  const { alive, dead, unknown, requeued } = verified
  const others = remark(verified)
  const lines = [
    `${checked} ${checked === 1 ? 'video' : 'videos'} checked: ${alive} alive${others === '' ? '' : `, ${others}`}.`,
    dead > 0 && !repair && !newBot
      ? '`greetings verify --repair` mends the dead ones; else they are mended when somebody asks for them.'
      : '',
    requeued > 0 ? 'A running worker uploads what was queued: greetings worker, or up.' : '',
    unknown > 0 ? 'Of the unknown ones Telegram gave no clear answer: run it again.' : '',
  ]
  return `${lines.filter((line) => line !== '').join('\n')}\n`
}
