/** Names as commands are given them: written out, in files, or all there are. */
import { ConfigFault, type Config } from '../config.ts'
import type { Db } from '../db/database.ts'
import type { AskRules } from '../greetings/ask.ts'
import { thatExist } from '../greetings/reports/one-name.ts'
import { type ListedColumn, type NameList, readNames } from '../names/lists.ts'
import { describeRejection } from '../names/explanations.ts'
import type { Name, NameRules } from '../names/name.ts'
import { isSet, parseNameOrSet } from '../names/set.ts'
import { readOwnNames } from '../names/own-names.ts'
import { loadTemplates } from '../video/load-templates.ts'
import { scriptsOf, templateFor, type Template } from '../video/template.ts'
import { UsageFault } from './exit.ts'

/** How a command was told to read its lists. */
export interface ListReading {
  column?: string
  headerRow?: number
  header: boolean
  delimiter?: string
  encoding?: string
  /** several names are one video */
  together: boolean
}

/** What commands that take such names have in common. */
export interface GivenNamesOptions extends ListReading {
  all: boolean
  sandbox: boolean
  json: boolean
  logLevel?: string
}

/** A list of which hardly anything is a name: the command ends with 1 and has done nothing. */
export class DoubtfulList extends Error {
  override name = 'DoubtfulList'
  readonly exitCode = 1
}

/** What is a name in this installation. @throws ConfigFault when a file of the operator's cannot be used */
export async function nameRulesOf(config: Config, templates: Template[]): Promise<NameRules> {
  const { names, faults } = await readOwnNames({ allowed: config.allowedNames, blocked: config.blockedNames })
  if (faults.length > 0) throw new ConfigFault(faults)
  return { ...names, extraScripts: scriptsOf(templates) }
}

/**
 * Reads lists as a command was told to, and says on a terminal what was taken for the names.
 * @throws UsageFault; what `readNames` throws
 */
export async function readLists(
  files: string[],
  options: ListReading & { quiet?: boolean; rejects?: string },
  rules: NameRules,
): Promise<NameList> {
  const { column, headerRow, header, delimiter, encoding, together, rejects } = options
  if (headerRow !== undefined && header === false)
    throw new UsageFault('--header-row and --no-header contradict each other: leave one out.')
  const list = await readNames(files, { ...rules, column, headerRow, header, delimiter, encoding, together, rejects })
  if (process.stderr.isTTY && !options.quiet)
    process.stderr.write(list.lists.map((each) => `${listedText(each)}\n`).join(''))
  return list
}

/** What was taken for the names of a list, for people. */
export function listedText({ file, column, header, headerLine, names }: ListedColumn): string {
  const where = header === null ? 'no header' : `“${header}” in line ${headerLine}`
  return (
    `${file === '-' ? 'standard input' : file}: column ${column}, ${where}: ` +
    `${names.length === 0 ? 'no names' : names.join(', ')}`
  )
}

/** @throws DoubtfulList */
export function refuseDoubtful({ doubt }: NameList): void {
  if (doubt !== undefined) throw new DoubtfulList(doubt)
}

/**
 * The keys of the names, in batches, with `anyWord` also of those nobody may ask for; of `undefined`, which stands
 * for all, one batch. Each of `given` is a name, or a file: no name has a dot or a slash in it, and `-` is
 * standard input. Files are read before this returns; the database then tells which names together there are.
 * @throws UsageFault when something is no name, when nothing is given, and when both names and `--all` are;
 *   DoubtfulList; what `readNames` throws
 */
export async function givenNames(
  given: string[],
  options: GivenNamesOptions,
  config: Config,
  { anyWord = false } = {},
): Promise<(db: Db) => AsyncIterable<string[] | undefined>> {
  if (given.length > 0 === options.all) throw new UsageFault('Say which names: names, files with names, or --all.')
  const rules = {
    ...(await nameRulesOf(config, await loadTemplates(config.templatesFolder, config.templates))),
    anyWord,
  }
  const files = given.filter((each) => each === '-' || /[./\\]/.test(each))
  const names = given
    .filter((each) => !files.includes(each))
    .map((name) => nameOf(name, rules, ' A file is named with its ending or path, such as ./list.'))
  const list = files.length === 0 ? undefined : await readLists(files, options, rules)
  if (list !== undefined) refuseDoubtful(list)
  return async function* (db) {
    if (options.all) yield undefined
    if (names.length > 0) yield await keysOf(db, names, options)
    if (list !== undefined)
      for await (const names of list.select().batches(1_000)) yield names.map(({ name }) => name.key)
  }
}

/** How names become asks with these templates. `forced`: the first of them serves every name. */
export async function askRulesOf(
  config: Config,
  templates: Template[],
  { forced = false } = {},
): Promise<AskRules<Template>> {
  return {
    nameRules: await nameRulesOf(config, templates),
    templateFor: (name) => (forced ? templates[0] : templateFor(templates, name)),
  }
}

/** A name that is written out, or several. `hint` follows the reason why it is none. @throws UsageFault */
export function nameOf(text: string, rules: NameRules, hint = ''): Name {
  const parsed = parseNameOrSet(text, rules)
  if (!parsed.ok) throw new UsageFault(`“${text}” is not a name: ${describeRejection(parsed.reason)}${hint}`)
  return parsed.name
}

/**
 * The keys of names that are written out. Several names stand for their video together where there is one, or where that was
 * said; otherwise they were perhaps meant one by one.
 * @throws UsageFault
 */
export async function keysOf(
  db: Db,
  names: readonly Name[],
  { together }: Pick<ListReading, 'together'>,
): Promise<string[]> {
  const keys = names.map(({ key }) => key)
  const sets = together ? [] : keys.filter(isSet)
  const known = sets.length === 0 ? [] : await thatExist(db, sets)
  const unknown = names.find(({ key }) => sets.includes(key) && !known.includes(key))
  if (unknown !== undefined)
    throw new UsageFault(
      `“${unknown.display}” is several names, and there is no video of them together. Give them one by one, or say --together.`,
    )
  return keys
}
