/** `render <name> -o FILE`: one video to a file, without Telegram and without a database. */
import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import { performance } from 'node:perf_hooks'
import { configOfProcess } from '../config.ts'
import { openLog } from '../log.ts'
import { describeRejection } from '../names/explanations.ts'
import { askFromText, type AskResult } from '../greetings/ask.ts'
import { replacing, type Replacing } from '../replacing.ts'
import type { Template } from '../video/template.ts'
import { exitCode, UsageFault } from '../terminal/exit.ts'
import { askRulesOf } from '../terminal/name-arguments.ts'
import { checkOutput, unwritable, writeOut } from '../terminal/output-file.ts'
import { listenForStop } from '../terminal/signals.ts'
import { openFolder } from '../app/folders.ts'
import { openRendererOf } from '../app/renderer.ts'

export interface RenderOptions {
  output: string
  template?: string
  say?: string
  force: boolean
  together: boolean
  json: boolean
  quiet: boolean
  logLevel?: string
}

export async function render(raw: string, options: RenderOptions): Promise<number> {
  const config = configOfProcess()
  const log = openLog(options.logLevel ?? (options.quiet ? 'error' : config.logLevel))
  const output = options.output === '-' ? undefined : resolve(options.output)
  if (options.json && output === undefined)
    throw new UsageFault('--json goes with -o FILE: with -o - stdout is the video.')
  if (output !== undefined) await checkOutput(output, options.force, `${output}/greeting.mp4`)
  const stop = listenForStop()
  const started = performance.now()
  const home = await openFolder(config, true)
  const renderer = await openRendererOf(
    options.template === undefined ? config : { ...config, templates: [options.template] },
    home,
  )
  let file: Replacing | undefined
  try {
    const forced = options.template !== undefined
    const asked = askFromText(raw, await askRulesOf(config, renderer.templates, { forced }), options)
    if (!asked.ok) throw new UsageFault(refusalOf(raw, asked))
    const { template } = asked
    const { key, display } = asked.ask
    if (!options.quiet) process.stderr.write('rendering…\n')
    const video = await renderer.make(
      template,
      { key, display, say: options.say ?? null },
      { signal: stop.asked, onStep: (step, ms) => log.debug({ step, ms: Math.round(ms) }, 'step') },
    )
    file = output === undefined ? undefined : await replacing(output, 0o644)
    for await (const piece of createReadStream(video.path) as AsyncIterable<Buffer>)
      await (file === undefined ? writeOut(piece) : file.handle.appendFile(piece))
    await file?.keep()
    const seconds = (performance.now() - started) / 1_000
    if (options.json)
      process.stdout.write(
        `${JSON.stringify({ output, template: template.id, display, width: video.width, height: video.height, durationSeconds: video.durationSeconds, bytes: video.bytes, revision: video.revision, seconds: Number(seconds.toFixed(2)) })}\n`,
      )
    else
      (output === undefined ? process.stderr : process.stdout).write(
        options.quiet && output === undefined
          ? ''
          : `${output === undefined ? 'stdout' : options.output}: “${display}”, ` +
              `${video.durationSeconds.toFixed(1)} s, ${video.width}×${video.height}, ` +
              `${(video.bytes / 1e6).toFixed(1)} MB, made in ${seconds.toFixed(1)} s\n`,
      )
    return exitCode.done
  } catch (error) {
    if (stop.code !== undefined) return stop.code
    throw file === undefined ? error : unwritable(error, options.output)
  } finally {
    await file?.close()
    await renderer.close()
    stop.close()
  }
}

function refusalOf(raw: string, asked: Extract<AskResult<Template>, { ok: false }>): string {
  return asked.reason === 'no_template'
    ? `No enabled template serves ${asked.name.script} names with these letters. Add one to TEMPLATES, ` +
        'or choose one with --template.'
    : `“${raw}” is not a name: ${describeRejection(asked.reason)}` +
        (asked.reason === 'several_names' ? ' Two or three names share one video with --together.' : '')
}
