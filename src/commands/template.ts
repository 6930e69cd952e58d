/**
 * `template list|check|build`: which templates there are, whether they can be used,
 * and what all their videos share made beforehand.
 */
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { configOfProcess, type Config } from '../config.ts'
import { findHome } from '../home.ts'
import { openRecordings, unsoundRecordings } from '../speech/recordings.ts'
import { findFfmpeg } from '../ffmpeg/find.ts'
import { bytesToMake, checkClip, fixedParts } from '../video/parts.ts'
import { openRoom } from '../video/room.ts'
import { listTemplateIds, loadTemplates, templateRevision } from '../video/load-templates.ts'
import { type Template, TemplateFault } from '../video/template.ts'
import { exitCode, UsageFault } from '../terminal/exit.ts'
import { listenForStop } from '../terminal/signals.ts'
import { openFolder, recordingsFolderOf, renderFolders } from '../app/folders.ts'

export interface TemplateOptions {
  json: boolean
  /** build */
  quiet?: boolean
}

/** A template that was looked at: usable, or with faults. */
interface Looked {
  id: string
  template: Template | undefined
  /** one line each, with the file and the key */
  faults: string[]
}

export async function template(
  verb: 'list' | 'check' | 'build',
  ids: string[],
  options: TemplateOptions,
): Promise<number> {
  const config = configOfProcess()
  if (verb === 'list') return list(config, options)
  return verb === 'check' ? check(config, ids, options) : build(config, ids, options)
}

async function list(config: Config, { json }: TemplateOptions): Promise<number> {
  const found: {
    id: string
    enabled: boolean
    usable: boolean
    title: string
    seconds: number | null
    size: string | null
    scripts: string[]
    windows: number
  }[] = []
  for (const { id, template, faults } of await look(config, [])) {
    const title = template?.title.en ?? Object.values(template?.title ?? {})[0] ?? ''
    found.push({
      id,
      enabled: config.templates.includes(id),
      usable: faults.length === 0,
      title,
      seconds: template?.seconds ?? null,
      size: template === undefined ? null : `${template.size.width}×${template.size.height}`,
      scripts: template?.scripts ?? [],
      windows: template?.windows.length ?? 0,
    })
  }
  if (json) process.stdout.write(`${JSON.stringify({ templates: found })}\n`)
  else {
    const width = Math.max(...found.map(({ id }) => id.length))
    for (const { id, enabled, usable, title, seconds, size, scripts } of found) {
      process.stdout.write(
        `${enabled ? '*' : ' '} ${id.padEnd(width)}  ` +
          (usable
            ? `${seconds} s, ${size}, ${scripts.join(' and ')}: ${title}`
            : 'cannot be used: greetings template check') +
          '\n',
      )
    }
    process.stdout.write('* named in TEMPLATES\n')
  }
  return exitCode.done
}

async function check(config: Config, ids: string[], { json }: TemplateOptions): Promise<number> {
  const looked = await look(config, ids)
  const recordings = openRecordings(
    recordingsFolderOf(config, (await findHome({ explicit: config.home, cwd: process.cwd() })).folder),
  )
  const templates: { id: string; faults: string[]; recordings: number; recordingFaults: string[] }[] = []
  const stop = listenForStop()
  try {
    for (const { id, template, faults } of looked) {
      const { byKey, faults: unused } =
        template === undefined ? { byKey: new Map<string, string>(), faults: [] } : await recordings.list(template)
      const unsound = await hear([...byKey.values()], config, stop.asked)
      templates.push({
        id,
        faults,
        recordings: byKey.size - unsound.length,
        recordingFaults: [...unused, ...unsound].map((fault) => `recordings/${id}/${fault}`),
      })
    }
  } catch (error) {
    if (stop.code !== undefined) return stop.code
    throw error
  } finally {
    stop.close()
  }
  const faulty = templates.some(({ faults, recordingFaults }) => faults.length + recordingFaults.length > 0)
  if (json) process.stdout.write(`${JSON.stringify({ healthy: !faulty, templates })}\n`)
  else {
    for (const { id, faults, recordings: count, recordingFaults } of templates) {
      process.stdout.write(
        faults.length === 0
          ? `✓ ${id}${count > 0 ? `, with ${count} ${count === 1 ? 'recording' : 'recordings'}` : ''}\n`
          : `✗ ${id}\n${faults.map((fault) => `  ${fault}\n`).join('')}`,
      )
      for (const fault of recordingFaults) process.stdout.write(`  ! ${fault}\n`)
    }
  }
  return faulty ? exitCode.someFailed : exitCode.done
}

/** What of the recordings is no sound. Nothing is left behind, not even a home. */
async function hear(paths: string[], config: Config, signal: AbortSignal): Promise<string[]> {
  if (paths.length === 0) return []
  const workFolder = await mkdtemp(join(tmpdir(), 'greetings-check-'))
  try {
    return await unsoundRecordings(
      paths,
      await findFfmpeg({ path: config.ffmpegPath, cacheFolder: workFolder }),
      workFolder,
      signal,
    )
  } finally {
    await rm(workFolder, { recursive: true, force: true })
  }
}

async function build(config: Config, ids: string[], { json, quiet }: TemplateOptions): Promise<number> {
  const templates = await loadTemplates(config.templatesFolder, ids.length === 0 ? config.templates : ids)
  const { rendersFolder, cacheFolder } = renderFolders(await openFolder(config, true))
  const room = openRoom({ rendersFolder, cacheFolder, keepFreeBytes: config.keepFreeBytes })
  const ffmpeg = await findFfmpeg({ path: config.ffmpegPath, cacheFolder })
  const stop = listenForStop()
  const built: { id: string; bytes: number; seconds: number }[] = []
  try {
    for (const template of templates) {
      if (!quiet && !json) process.stderr.write(`${template.id}: preparing what its videos share…\n`)
      const started = performance.now()
      const revision = await templateRevision(template)
      const leaveRoom = await room.take(stop.asked, () => bytesToMake(ffmpeg, template, revision, cacheFolder))
      const parts = await fixedParts(ffmpeg, template, revision, cacheFolder, stop.asked).finally(leaveRoom)
      const files = [...parts.fixed.map(({ file }) => file), ...parts.windows, parts.music]
      let bytes = 0
      for (const file of files) bytes += (await stat(file)).size
      const seconds = Number(((performance.now() - started) / 1_000).toFixed(2))
      built.push({ id: template.id, bytes, seconds })
      if (!json)
        process.stdout.write(`${template.id}: ready, ${(bytes / 1e6).toFixed(0)} MB in the cache, ${seconds} s\n`)
    }
  } catch (error) {
    if (stop.code !== undefined) return stop.code
    throw error
  } finally {
    stop.close()
  }
  if (json) process.stdout.write(`${JSON.stringify({ templates: built })}\n`)
  return exitCode.done
}

/**
 * Reads these templates, or all there are, and looks into their clips.
 * @throws UsageFault for an id that does not exist
 */
async function look(config: Config, ids: string[]): Promise<Looked[]> {
  const known = await listTemplateIds(config.templatesFolder).catch(() => {
    throw new UsageFault(
      `The folder of templates ${config.templatesFolder ?? ''} cannot be read. Correct TEMPLATES_FOLDER.`,
    )
  })
  const unknown = ids.filter((id) => !known.includes(id))
  if (unknown.length > 0)
    throw new UsageFault(
      `There is no template ${unknown.join(', ')}. There ${known.length === 1 ? 'is' : 'are'}: ${known.join(', ')}.`,
    )
  const looked: Looked[] = []
  for (const id of ids.length === 0 ? known : ids) {
    let template: Template | undefined
    let faults: string[] = []
    try {
      ;[template] = await loadTemplates(config.templatesFolder, [id])
      if (template === undefined) continue
      // Drawing loads the canvas, which nothing else here needs.
      const { layoutFaults } = await import('../video/drawing/type.ts')
      faults = layoutFaults(template).map((fault) => `templates/${id}/template.json: ${fault}`)
      await checkClip(template)
    } catch (error) {
      if (!(error instanceof TemplateFault)) throw error
      faults = [...faults, ...error.faults]
    }
    looked.push({ id, template, faults })
  }
  return looked
}
