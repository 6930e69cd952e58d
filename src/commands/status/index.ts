/**
 * `status`: what the cache, the queue, the workers and the bots are doing;
 * `--check` judges it, `--watch` keeps looking.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { openRecords, type Records } from '../../app/store.ts'
import { type Config, configOfProcess } from '../../config.ts'
import { isDatabaseTrouble } from '../../db/database.ts'
import type { ListedName } from '../../greetings/reports/coverage.ts'
import { usualLimits } from '../../greetings/reports/health.ts'
import { openLog } from '../../log.ts'
import type { NameRow } from '../../names/selection.ts'
import { exitCode, UsageFault } from '../../terminal/exit.ts'
import {
  askRulesOf,
  keysOf,
  type ListReading,
  nameOf,
  readLists,
  refuseDoubtful,
} from '../../terminal/name-arguments.ts'
import { listenForStop } from '../../terminal/signals.ts'
import { loadTemplates, templateRevisions } from '../../video/load-templates.ts'
import { askFromName, type AskRules } from '../../greetings/ask.ts'
import { check, limitsOf, unknown, type LimitOptions } from './check.ts'
import { nameReport, nameText } from './name.ts'
import { asText, jsonOf } from './output.ts'
import { placeJson, placeOf, placeText } from './place.ts'
import { createQueueReader, type Report, reportOf } from './report.ts'

export interface StatusOptions extends ListReading, LimitOptions {
  sandbox: boolean
  json: boolean
  csv?: string
  watch: boolean
  check: boolean
  logLevel?: string
}

const watchEveryMs = 2_000

/** With a name: about that name alone. */
export async function status(name: string | undefined, options: StatusOptions): Promise<number> {
  const limits = limitsOf(options)
  if (options.watch && options.check)
    throw new UsageFault('--watch and --check do not go together: a monitor runs --check again and again.')
  if (!options.check && limits !== undefined) throw new UsageFault('Limits are for --check: add it.')
  if (name !== undefined && (options.check || options.watch || options.csv !== undefined))
    throw new UsageFault('--check, --watch and --csv are about everything: leave the name out, or them.')
  const config = configOfProcess()
  const log = openLog(options.logLevel ?? config.logLevel)
  const templates = await loadTemplates(config.templatesFolder, config.templates)
  const askRules = await askRulesOf(config, templates)
  const rules = askRules.nameRules
  const asked = name === undefined ? [] : [nameOf(name, { ...rules, anyWord: true })]
  const list =
    options.csv === undefined ? undefined : await readLists([options.csv], { ...options, quiet: options.watch }, rules)
  if (list !== undefined) refuseDoubtful(list)
  const listed = list === undefined ? undefined : () => listedNames(list.select().batches(5_000), askRules)
  let records: Records
  try {
    records = await openRecords({ config, log, sandbox: options.sandbox, role: 'status', create: false })
  } catch (error) {
    if (!options.check || options.json) throw error
    return unknown(error)
  }
  const queue = createQueueReader(records, config)
  try {
    const place = await placeOf(records, config, options.sandbox)
    const revisions = await templateRevisions(templates)
    const [key] = await keysOf(records.db, asked, options)
    if (key !== undefined) {
      const report = await nameReport(records, { key, bot: place.bot, revisions })
      process.stdout.write(
        options.json
          ? `${JSON.stringify({ ...placeJson(place), ...report })}\n`
          : `${placeText(place)}\n${nameText(report)}`,
      )
      return exitCode.done
    }
    const look = () => reportOf(records.db, queue, { config, revisions, place, listed: listed?.() })
    if (options.watch) return await watch(look, config, options.json)
    const report = await look()
    if (options.check) return await check(records.db, report, limits ?? usualLimits, options.json)
    process.stdout.write(options.json ? `${JSON.stringify(jsonOf(report))}\n` : asText(report))
    return report.queue === null ? exitCode.unreachable : exitCode.done
  } catch (error) {
    if (!options.check || options.json || !isDatabaseTrouble(error)) throw error
    return unknown(error)
  } finally {
    await queue.close()
    await records.close()
  }
}

async function* listedNames(batches: AsyncIterable<NameRow[]>, rules: AskRules): AsyncGenerator<ListedName[]> {
  for await (const rows of batches) {
    yield rows.map(({ name, count }) => {
      const asked = askFromName(name, rules)
      return { template: asked.ok ? asked.ask.template : undefined, key: name.key, count }
    })
  }
}

/** Until a signal comes, which is how it is meant to end. */
async function watch(look: () => Promise<Report>, { timeDivisor }: Config, json: boolean): Promise<number> {
  const stop = listenForStop()
  const tty = process.stdout.isTTY && !json
  try {
    for (let first = true; !stop.asked.aborted; first = false) {
      try {
        const report = await look()
        if (json) process.stdout.write(`${JSON.stringify(jsonOf(report))}\n`)
        else if (tty)
          process.stdout.write(`${first ? '\x1b[2J' : ''}\x1b[H${asText(report).replaceAll('\n', '\x1b[K\n')}\x1b[J`)
        else process.stdout.write(`${first ? '' : '\n'}${asText(report)}`)
      } catch (error) {
        if (!isDatabaseTrouble(error)) throw error
        process.stderr.write('The database does not answer; looking again.\n')
      }
      await sleep(watchEveryMs / timeDivisor, undefined, { signal: stop.asked }).catch(() => undefined)
    }
    return exitCode.done
  } finally {
    stop.close()
  }
}
