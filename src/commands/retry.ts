/** `retry`: queues what was given up again. */
import { configOfProcess } from '../config.ts'
import { retryFailed } from '../greetings/retry.ts'
import { openLog } from '../log.ts'
import { readNames } from '../names/csv.ts'
import { explainRejection, parseName } from '../names/name.ts'
import { loadTemplates, scriptsOf } from '../video/template.ts'
import { exitCode, UsageFault } from './exit.ts'
import { openStore } from './world.ts'

export interface RetryOptions {
  all?: boolean
  sandbox?: boolean
  json?: boolean
  column?: string
  delimiter?: string
  encoding?: string
  logLevel?: string
}

/** Each of `what` is a name, or a list: no name has a dot or a slash in it. */
export async function retry(what: string[], options: RetryOptions): Promise<number> {
  if ((what.length === 0) === (options.all !== true)) throw new UsageFault('Say what is tried again: names, files with names, or --all.')
  const config = configOfProcess()
  const log = openLog(options.logLevel ?? config.logLevel)
  const extraScripts = scriptsOf(await loadTemplates(config.templatesFolder, config.templates))
  const files = what.filter((each) => each === '-' || /[./\\]/.test(each))
  const keys = what.filter((each) => !files.includes(each)).map((name) => keyOf(name, extraScripts))
  const list = files.length === 0 ? undefined : await readNames(files, { ...options, extraScripts })
  const store = await openStore({ config, log, sandbox: options.sandbox === true, role: 'retry', create: false })
  try {
    let retried = options.all === true ? await retryFailed(store) : await retryFailed(store, keys)
    if (list !== undefined) for await (const names of list.select().batches(1_000)) retried += await retryFailed(store, names.map(({ name }) => name.key))
    if (options.json === true) process.stdout.write(`${JSON.stringify({ retried })}\n`)
    else process.stdout.write(`${retried} failed ${retried === 1 ? 'name' : 'names'} queued again.${retried > 0 ? ' A running worker makes them: greetings worker, or up.' : ''}\n`)
    return exitCode.done
  } finally {
    await store.close()
  }
}

function keyOf(text: string, extraScripts: readonly string[]): string {
  const parsed = parseName(text, { extraScripts })
  if (!parsed.ok) throw new UsageFault(`“${text}” is no name: ${explainRejection(parsed.reason, 'en')} A file is named with its ending or path, such as ./list.`)
  return parsed.name.key
}
