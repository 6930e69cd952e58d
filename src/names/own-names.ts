/** The operator's own lists of what is a name and what is none, whatever the lists of offensive words say. */
import { readFile } from 'node:fs/promises'
import { describeRejection } from './explanations.ts'
import { parseName } from './name.ts'

/** Scripts a template may bring besides Cyrillic and Latin. */
const livingScripts = [
  'Greek',
  'Armenian',
  'Georgian',
  'Hebrew',
  'Arabic',
  'Devanagari',
  'Bengali',
  'Thai',
  'Hangul',
  'Han',
  'Hiragana',
  'Katakana',
  'Ethiopic',
  'Mongolian',
]
/** of one file's faults */
const shownFaults = 3

/** Keys, ready for `parseName`. */
export interface OwnNames {
  allowed: ReadonlySet<string>
  blocked: ReadonlySet<string>
}

/**
 * Reads the two files, each a name a line; blank lines and lines that begin with # are left out.
 *
 * @returns the names, and a sentence for each fault, with the variable that names the file
 */
export async function readOwnNames(files: {
  allowed: string | undefined
  blocked: string | undefined
}): Promise<{ names: OwnNames; faults: string[] }> {
  const faults: string[] = []
  const allowed = await keysOf('ALLOWED_NAMES', files.allowed, faults)
  const blocked = await keysOf('BLOCKED_NAMES', files.blocked, faults)
  for (const key of allowed)
    if (blocked.has(key))
      faults.push(`ALLOWED_NAMES and BLOCKED_NAMES both have “${key}”. Take it out of one of the two files.`)
  return { names: { allowed, blocked }, faults }
}

async function keysOf(variable: string, file: string | undefined, faults: string[]): Promise<Set<string>> {
  const keys = new Set<string>()
  if (file === undefined) return keys
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file))
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    faults.push(
      `${variable} names ${file}, which ${code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'is no text in UTF-8' : `cannot be read (${String(code)})`}. Correct it, or unset it.`,
    )
    return keys
  }
  let faulty = 0
  for (const [index, line] of text.split(/\r\n|\r|\n/).entries()) {
    const word = line.trim()
    if (word === '' || word.startsWith('#')) continue
    const parsed = parseName(word, { extraScripts: livingScripts, anyWord: true })
    if (parsed.ok) keys.add(parsed.name.key)
    else if (++faulty <= shownFaults)
      faults.push(`${variable}: line ${index + 1} of ${file} is not a name. ${describeRejection(parsed.reason)}`)
  }
  if (faulty > shownFaults) faults.push(`${variable}: ${faulty - shownFaults} more lines of ${file} are no names.`)
  return keys
}
