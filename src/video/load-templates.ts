/** Templates read from their folders and checked: all that is wrong with one is reported together. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, join, relative, resolve, sep } from 'node:path'
import { containerNames, containerOf } from '../ffmpeg/container.ts'
import { templatesFolder } from '../installation.ts'
import { FontFault, missingGlyphs } from './glyphs.ts'
import { manifest, type Manifest, type Template, TemplateFault } from './template.ts'

/**
 * Reads the templates with these ids, in this order.
 * @throws TemplateFault with every fault of all of them at once
 */
export async function loadTemplates(folder: string = templatesFolder, ids: string[]): Promise<Template[]> {
  const templates: Template[] = []
  const faults: string[] = []
  for (const wanted of new Set(ids)) {
    try {
      templates.push(await loadTemplate(folder, wanted))
    } catch (error) {
      if (!(error instanceof TemplateFault)) throw error
      faults.push(...error.faults)
    }
  }
  if (ids.length === 0) faults.push('No template is enabled. Set TEMPLATES to at least one id.')
  if (faults.length > 0) throw new TemplateFault(faults)
  return templates
}

/** The ids of the templates that lie in the folder, good or not, in alphabetical order. */
export async function listTemplateIds(folder: string = templatesFolder): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const found: string[] = []
  for (const entry of entries) {
    if (!entry.isDirectory()) continue
    const names = await readdir(join(folder, entry.name))
    if (names.includes('template.json')) found.push(entry.name)
  }
  return found.sort()
}

/** Content hash of the manifest and every file it names, fonts included. */
export async function templateRevision(template: Template): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(manifest.parse(stripPaths(template))))
  for (const file of [template.clipFile, template.musicFile, ...template.typefaceFiles.flat()]) {
    hash.update(`\n${basename(file)}\n`)
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  }
  return hash.digest('hex').slice(0, 32)
}

function stripPaths(template: Template): Manifest {
  const { folder: _folder, clipFile: _clip, musicFile: _music, typefaceFiles: _typefaces, ...rest } = template
  return rest
}

async function loadTemplate(folder: string, wanted: string): Promise<Template> {
  const home = join(folder, wanted)
  const file = join(home, 'template.json')
  const shown = shownPath(file)
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw new TemplateFault([`${shown}: cannot be read: ${(error as Error).message}`])
    const known = await listTemplateIds(folder).catch(() => [])
    throw new TemplateFault([
      `There is no template "${wanted}" in ${shownPath(folder)}. ` +
        (known.length > 0 ? `There are: ${known.join(', ')}.` : 'It holds no template at all.'),
    ])
  }
  let raw: unknown
  try {
    raw = JSON.parse(text)
  } catch (error) {
    throw new TemplateFault([`${shown}: is not JSON: ${(error as Error).message}`])
  }
  const parsed = manifest.safeParse(raw)
  if (!parsed.success)
    throw new TemplateFault(parsed.error.issues.map(({ path, message }) => `${shown}: ${shownKey(path)}${message}`))
  const faults = logicFaults(parsed.data, wanted)
  const template: Template = {
    ...parsed.data,
    folder: home,
    clipFile: join(home, parsed.data.clip),
    musicFile: join(home, parsed.data.music),
    typefaceFiles: parsed.data.windows.map((one) => one.typefaces.map((reference) => typefaceFile(home, reference))),
  }
  faults.push(...(await fileFaults(template)))
  if (faults.length > 0) throw new TemplateFault(faults.map((fault) => `${shown}: ${fault}`))
  return template
}

/** What the shapes of the values cannot say. */
function logicFaults(template: Manifest, wanted: string): string[] {
  const faults: string[] = []
  const { width, height } = template.size
  const whole = (value: number) => Math.abs(value * template.fps - Math.round(value * template.fps)) < 1e-6
  if (template.id !== wanted) faults.push(`id: "${template.id}" is not the folder's name "${wanted}"`)
  if (!whole(template.seconds))
    faults.push(`seconds: ${template.seconds} s is no whole number of frames at ${template.fps} fps`)
  let free = 0
  template.windows.forEach((one, index) => {
    const at = `windows[${index}]`
    if (!whole(one.from)) faults.push(`${at}.from: ${one.from} s is no whole number of frames at ${template.fps} fps`)
    if (!whole(one.to)) faults.push(`${at}.to: ${one.to} s is no whole number of frames at ${template.fps} fps`)
    if (one.to > template.seconds) faults.push(`${at}.to: ${one.to} s is beyond the clip's ${template.seconds} s`)
    if (one.to <= one.from) faults.push(`${at}.to: ${one.to} s is not after its "from", ${one.from} s`)
    else if (one.entrance.after + one.entrance.seconds + one.exit.seconds > one.to - one.from + 1e-9)
      faults.push(`${at}: entrance and exit take longer than the window's ${round(one.to - one.from)} s`)
    if (one.from < free) faults.push(`${at}.from: ${one.from} s lies before the end of the window before it, ${free} s`)
    if (one.box.x + one.box.width > width)
      faults.push(`${at}.box: ends at x = ${one.box.x + one.box.width}, beyond the frame's width of ${width}`)
    if (one.box.y + one.box.height > height)
      faults.push(`${at}.box: ends at y = ${one.box.y + one.box.height}, beyond the frame's height of ${height}`)
    for (const side of ['x', 'y', 'width', 'height'] as const)
      if (one.box[side] % 2 !== 0)
        faults.push(
          `${at}.box.${side}: ${one.box[side]} is odd; it must be even, for colour is stored at half the size`,
        )
    if (one.capHeightPercent.least > one.capHeightPercent.ideal)
      faults.push(
        `${at}.capHeightPercent.least: ${one.capHeightPercent.least} is above "ideal", ${one.capHeightPercent.ideal}`,
      )
    free = Math.max(free, one.to)
  })
  template.speech.forEach((one, index) => {
    if (one.at >= template.seconds)
      faults.push(`speech[${index}].at: ${one.at} s is beyond the clip's ${template.seconds} s`)
  })
  if (
    !template.windows.some(
      (one) =>
        template.posterSeconds >= one.from + one.entrance.after + one.entrance.seconds &&
        template.posterSeconds <= one.to - one.exit.seconds,
    )
  ) {
    faults.push(`posterSeconds: ${template.posterSeconds} s is no moment at which a window shows the whole name`)
  }
  return faults
}

async function fileFaults(template: Template): Promise<string[]> {
  const faults: string[] = []
  for (const [key, file] of [
    ['clip', template.clipFile],
    ['music', template.musicFile],
  ] as const) {
    const found = await stat(file).catch(() => undefined)
    if (found === undefined || !found.isFile()) faults.push(`${key}: there is no file ${basename(file)} beside it`)
    else if (found.size === 0) faults.push(`${key}: ${basename(file)} is empty`)
    else if (!(await liesWithin(template.folder, file)))
      faults.push(`${key}: ${basename(file)} is a link to a file outside the template's folder`)
    else if ((await containerOf(file)) === undefined)
      faults.push(`${key}: ${basename(file)} is in no format that is read (${containerNames})`)
  }
  template.typefaceFiles.forEach((files, window) =>
    files.forEach((file, index) => {
      try {
        missingGlyphs(file, 'a')
      } catch (error) {
        const reason =
          error instanceof FontFault
            ? error.message
            : "there is no such file in an installed package or in the template's folder"
        faults.push(
          `windows[${window}].typefaces[${index}]: ${template.windows[window]?.typefaces[index] ?? file}: ${reason}`,
        )
      }
    }),
  )
  return faults
}

/**
 * Links may lead anywhere within the folder. A template comes from somebody
 * else, and what its files show goes to everybody.
 */
async function liesWithin(folder: string, file: string): Promise<boolean> {
  return (await realpath(file)).startsWith((await realpath(folder)) + sep)
}

/**
 * A file of an installed package when the reference has a folder in it, else a file of the
 * template's folder. Its existence is not checked here.
 */
function typefaceFile(home: string, reference: string): string {
  const within = resolve(home, reference)
  if (!reference.includes('/')) return within
  const [scopeOrName = '', second = ''] = reference.split('/')
  const packageName = scopeOrName.startsWith('@') ? `${scopeOrName}/${second}` : scopeOrName
  try {
    const packageFolder = join(createRequire(import.meta.url).resolve(`${packageName}/package.json`), '..')
    const file = resolve(packageFolder, reference.slice(packageName.length + 1))
    return file.startsWith(packageFolder + sep) ? file : within
  } catch {
    return within
  }
}

/** `templates/new-year-ru/template.json`, whatever the folder's own path. */
function shownPath(file: string): string {
  const path = relative(join(templatesFolder, '..'), file)
  return path.startsWith('..') ? file : path.split(sep).join('/')
}

function shownKey(path: PropertyKey[]): string {
  const key = path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`))
    .join('')
  return key === '' ? '' : `${key}: `
}

const round = (value: number) => Math.round(value * 1000) / 1000

/** The revision of each template, by its id. */
export async function templateRevisions(templates: readonly Template[]): Promise<Map<string, string>> {
  const revisions = new Map<string, string>()
  for (const template of templates) revisions.set(template.id, await templateRevision(template))
  return revisions
}
