/** `export`: the cache as JSON lines, to stdout or a file. */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { finished } from 'node:stream/promises'
import { configOfProcess } from '../config.ts'
import { cachedVideos } from '../greetings/cache-file.ts'
import { openLog } from '../log.ts'
import { exitCode, UsageFault } from './exit.ts'
import { checkOutput } from './output.ts'
import { openCount } from './progress.ts'
import { listenForStop } from './stop.ts'
import { openStore } from './world.ts'

export interface ExportOptions {
  output?: string
  force?: boolean
  sandbox?: boolean
  json?: boolean
  quiet?: boolean
  logLevel?: string
}

export async function exportCache(options: ExportOptions): Promise<number> {
  if (options.json === true && options.output === undefined) throw new UsageFault('--json goes with -o FILE: without it stdout is the export itself, one JSON object a line.')
  const config = configOfProcess()
  const log = openLog(options.logLevel ?? config.logLevel)
  const output = options.output === undefined ? undefined : resolve(options.output)
  if (output !== undefined) await checkOutput(output, options.force === true, `${output}/cache.jsonl`)
  const stop = listenForStop()
  const store = await openStore({ config, log, sandbox: options.sandbox === true, role: 'export', create: false })
  const view = openCount({ quiet: options.quiet === true, label: 'exported' })
  const part = `${output}.${process.pid}.part`
  try {
    // It holds names: only its owner may read it.
    const stream = output === undefined ? process.stdout : createWriteStream(part, { mode: 0o600, flags: 'wx' })
    let videos = 0
    for await (const page of cachedVideos(store.db)) {
      if (stop.code !== undefined) return stop.code
      videos += page.length
      if (!stream.write(page.map((video) => `${JSON.stringify(video)}\n`).join(''))) await once(stream, 'drain')
      view.show(videos)
    }
    view.close()
    if (output === undefined) {
      if (options.quiet !== true) process.stderr.write(`${videos} videos exported.\n`)
      return exitCode.done
    }
    stream.end()
    await finished(stream)
    await rename(part, output)
    process.stdout.write(options.json === true ? `${JSON.stringify({ output, videos })}\n` : `${options.output}: ${videos} videos. \`greetings import\` takes them over.\n`)
    return exitCode.done
  } finally {
    view.close()
    if (output !== undefined) await rm(part, { force: true })
    await store.close()
    stop.close()
  }
}
