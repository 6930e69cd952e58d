/** Names as commands are given them: written out, in files, or all there are. */
import type { Config } from '../config.ts'
import { readNames } from '../names/csv.ts'
import { explainRejection, parseName } from '../names/name.ts'
import { loadTemplates, scriptsOf } from '../video/template.ts'
import { UsageFault } from './exit.ts'

/** What commands that take such names have in common. */
export interface GivenNamesOptions {
  all?: boolean
  sandbox?: boolean
  json?: boolean
  column?: string
  delimiter?: string
  encoding?: string
  logLevel?: string
}

/**
 * The keys of the names, in batches; of `undefined`, which stands for all, one batch. Each of `given` is a name, or a
 * file: no name has a dot or a slash in it, and `-` is standard input. Files are read before this returns.
 * @throws UsageFault when something is no name, when nothing is given, and when both names and `--all` are; what `readNames` throws
 */
export async function givenNames(given: string[], options: GivenNamesOptions, { templatesFolder, templates }: Config): Promise<AsyncIterable<string[] | undefined>> {
  if ((given.length === 0) === (options.all !== true)) throw new UsageFault('Say which names: names, files with names, or --all.')
  const extraScripts = scriptsOf(await loadTemplates(templatesFolder, templates))
  const files = given.filter((each) => each === '-' || /[./\\]/.test(each))
  const keys = given.filter((each) => !files.includes(each)).map((name) => keyOf(name, extraScripts, ' A file is named with its ending or path, such as ./list.'))
  const list = files.length === 0 ? undefined : await readNames(files, { ...options, extraScripts })
  return (async function* () {
    if (options.all === true) yield undefined
    if (keys.length > 0) yield keys
    if (list !== undefined) for await (const names of list.select().batches(1_000)) yield names.map(({ name }) => name.key)
  })()
}

/** The key of a name that is written out. `hint` follows the reason why it is none. @throws UsageFault */
export function keyOf(text: string, extraScripts: readonly string[], hint = ''): string {
  const parsed = parseName(text, { extraScripts })
  if (!parsed.ok) throw new UsageFault(`“${text}” is no name: ${explainRejection(parsed.reason, 'en')}${hint}`)
  return parsed.name.key
}
