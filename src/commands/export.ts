/** `export`: the cache as JSON lines, to stdout or a file. */
import { resolve } from 'node:path'
import { configOfProcess } from '../config.ts'
import { cachedVideos, lastLine } from '../greetings/upkeep/export.ts'
import { openLog } from '../log.ts'
import { replacing, type Replacing } from '../replacing.ts'
import { exitCode, UsageFault } from '../terminal/exit.ts'
import { checkOutput, unwritable, writeOut } from '../terminal/output-file.ts'
import { openCount } from '../terminal/progress.ts'
import { listenForStop } from '../terminal/signals.ts'
import { openStore } from '../app/store.ts'

export interface ExportOptions {
  output?: string
  force: boolean
  sandbox: boolean
  json: boolean
  quiet: boolean
  logLevel?: string
}

export async function exportCache(options: ExportOptions): Promise<number> {
  const output = options.output === undefined || options.output === '-' ? undefined : resolve(options.output)
  if (options.json && output === undefined)
    throw new UsageFault('--json goes with -o FILE: without it stdout is the export itself, one JSON object a line.')
  const config = configOfProcess()
  const log = openLog(options.logLevel ?? config.logLevel)
  if (output !== undefined) await checkOutput(output, options.force, `${output}/cache.jsonl`)
  const stop = listenForStop()
  const store = await openStore({ config, log, sandbox: options.sandbox, role: 'export', create: false })
  const view = openCount({ quiet: options.quiet, label: 'exported' })
  let file: Replacing | undefined
  try {
    // It holds names: only its owner may read it.
    file = output === undefined ? undefined : await replacing(output)
    const write = async (text: string) => (file === undefined ? writeOut(text) : file.handle.appendFile(text))
    let videos = 0
    for await (const page of cachedVideos(store.db)) {
      if (stop.code !== undefined) return stop.code
      videos += page.length
      await write(page.map((video) => `${JSON.stringify(video)}\n`).join(''))
      view.show(videos)
    }
    await write(`${lastLine(videos)}\n`)
    view.close()
    if (output === undefined) {
      if (!options.quiet) process.stderr.write(`${videos} videos exported.\n`)
      return exitCode.done
    }
    await file?.keep()
    process.stdout.write(
      options.json
        ? `${JSON.stringify({ output, videos })}\n`
        : `${options.output}: ${videos} videos. \`greetings import\` takes them over.\n`,
    )
    return exitCode.done
  } catch (error) {
    throw file === undefined ? error : unwritable(error, options.output)
  } finally {
    view.close()
    await file?.close()
    await store.close()
    stop.close()
  }
}
