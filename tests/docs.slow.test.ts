/** What the documents show is what the program prints: every command with its JSON or its lines, on one sandbox. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { packageRoot } from '../src/installation.ts'
import { runProgram, startProgram, type End, type Program } from './environment/program.ts'

// Some thirty commands one after the other: under a minute, but not on a busy machine.
vi.setConfig({ testTimeout: 600_000 })

let folder: string
let env: Record<string, string>
let up: Program | undefined
let databaseUrl: string

const documentOf = (file: string) => readFile(join(packageRoot, file), 'utf8')
/** Runs a line as it is shown, but for the number of names: two tell as much as twelve. */
const greetings = (line: string, cwd = folder): Promise<End> =>
  runProgram(
    line
      .replace('--limit 12', '--limit 2')
      .split(' ')
      .slice(2)
      .map((word) => word.replace(/^names\//, join(packageRoot, 'names/'))),
    { env, cwd },
  )

async function sql(text: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query(text)
  await client.end()
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'greetings-docs-'))
  env = {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    GREETINGS_HOME: join(folder, 'home'),
    TEMPLATES: 'tiny',
    TEMPLATES_FOLDER: join(import.meta.dirname, 'fixtures', 'templates'),
    TIME_DIVISOR: '10',
  }
  const [, list = ''] = /```csv\n([\s\S]*?)```/.exec(await documentOf('docs/json.md')) ?? []
  await writeFile(join(folder, 'names.csv'), list)
  // While it runs no command has to start it.
  expect(await greetings('$ greetings db start --sandbox')).toMatchObject({ code: 0 })
  databaseUrl = (await greetings('$ greetings db url --sandbox')).stdout.trim()
}, 120_000)
afterAll(async () => {
  up?.signal('SIGTERM')
  await up?.ended
  await greetings('$ greetings db stop --sandbox')
  await rm(folder, { recursive: true, force: true })
})

// ---- docs/json.md ----------------------------------------------------------------------------------

/** What is not alike: the place, and both sides. Values may differ; null may stand for anything. */
function unlike(shown: unknown, printed: unknown, path = '$'): string[] {
  if (shown === null || printed === null) return []
  if (Array.isArray(shown) && Array.isArray(printed)) {
    if (shown.length > 0 && printed.length === 0) return [`${path}: shown with elements, printed without`]
    return shown.length === 0 ? [] : unlike(shown[0], printed[0], `${path}[]`)
  }
  if (typeof shown !== 'object' || typeof printed !== 'object')
    return typeof shown === typeof printed ? [] : [`${path}: ${typeof shown} shown, ${typeof printed} printed`]
  const keys = (of: object) => Object.keys(of).sort().join(' ')
  if (keys(shown) !== keys(printed)) return [`${path}: {${keys(shown)}} shown, {${keys(printed)}} printed`]
  return Object.entries(shown).flatMap(([key, value]) =>
    unlike(value, (printed as Record<string, unknown>)[key], `${path}.${key}`),
  )
}

/** What has to be there before a command. */
const before: Record<string, () => Promise<unknown>> = {
  '$ greetings names --missed --sandbox --json': () =>
    sql(`
      INSERT INTO "User" ("id") VALUES (5);
      INSERT INTO "UserRequest" ("userId", "assetId", "chatId", "language", "botId", "updateId", "status", "finishedAt")
      SELECT 5, "id", 5, 'ru', "telegramBotId", 1, 'COMPLETED', now() FROM "VideoAsset" WHERE "display" = 'Петя'`),
  '$ greetings names --failed --sandbox --json': () =>
    sql(`
      INSERT INTO "VideoAsset" ("template", "name", "display", "status", "attempts", "errorClass", "errorText")
      VALUES ('tiny', 'оля', 'Оля', 'FAILED', 3, 'voice', 'The voice made no sound.')`),
}

it('docs/json.md: every object has the keys that are shown, and no other', async () => {
  const blocks = (await documentOf('docs/json.md')).matchAll(
    /```\n(\$ greetings [^\n]+)\n```\n+(?:[^`\n][^\n]*\n+)*```json\n([\s\S]*?)```/g,
  )
  let seen = 0
  for (const [, line = '', json = ''] of blocks) {
    seen++
    await before[line]?.()
    const end = await greetings(line)
    expect([0, 1], `${line}\n${end.stderr}`).toContain(end.code)
    const [printed = ''] = end.stdout.split('\n')
    expect(unlike(JSON.parse(json), JSON.parse(printed)), `${line}\n${printed}`).toEqual([])
  }
  expect(seen).toBe((await documentOf('docs/json.md')).split('```json').length - 1)
})

it('a key that is missing, new or of another kind is noticed', () => {
  expect(unlike({ a: 1, b: [{ c: 1 }] }, { a: 2, b: [{ c: 3 }, { c: 4 }] })).toEqual([])
  expect(unlike({ a: 1 }, { a: 1, b: 2 })).toHaveLength(1)
  expect(unlike({ a: [{ b: 1 }] }, { a: [{ b: '1' }] })).toHaveLength(1)
  expect(unlike({ a: [1] }, { a: [] })).toHaveLength(1)
})

// ---- the sessions of the other documents -----------------------------------------------------------

interface Step {
  line: string
  shown: string[]
}

/** Commands and what they print, as a document shows them. */
async function sessionOf(file: string): Promise<Step[]> {
  const steps: Step[] = []
  for (const [, block = ''] of (await documentOf(file)).matchAll(/^ *```\n([\s\S]*?)```/gm)) {
    for (const text of block.split('\n').map((text) => text.trim())) {
      if (text.startsWith('$ greetings ')) steps.push({ line: text, shown: [] })
      else if (text !== '' && block.includes('$ greetings ')) steps.at(-1)?.shown.push(text)
    }
  }
  return steps
}

/** What a line begins with: `home`, `✓ disk`, `WARNING`. Numbers may differ. */
const labelsOf = (lines: string[]) => [
  ...new Set(
    lines.flatMap((line) =>
      (/^(\S+(?: \S+)*?)(?: {2,}|: )/.exec(line)?.slice(1) ?? []).map((label) => label.replaceAll(/\d+/g, '0')),
    ),
  ),
]

describe('docs/operating.md', () => {
  it('every command prints the lines that are shown', async () => {
    await runProgram(['warm', '-', '--sandbox', '--quiet'], { env, cwd: folder, input: 'Агриппина\n' })
    up = startProgram(['up', '--sandbox'], { env, cwd: folder })
    await up.waitForText(/up is running/)
    const cwd = join(folder, 'operating')
    await mkdir(cwd)
    let checks = 0
    for (const { line, shown } of await sessionOf('docs/operating.md')) {
      if (line.startsWith('$ greetings db ')) {
        up?.signal('SIGTERM')
        await up?.ended
        up = undefined
        await greetings('$ greetings db stop --sandbox')
      }
      // The second check meets the outage that the text speaks of, the third does not any more.
      if (line.includes('--check') && ++checks === 2)
        await sql(
          `INSERT INTO "Outage" ("step", "reason", "until") VALUES ('voice', 'The voice is away.', now() + interval '1 hour')`,
        )
      if (line.includes('--check') && checks === 3) await sql(`DELETE FROM "Outage"`)
      const end = await greetings(line, cwd)
      expect(end.code, `${line}\n${end.stdout}${end.stderr}`).toBe(shown[0]?.startsWith('WARNING') ? 1 : 0)
      const printed = labelsOf((end.stdout + end.stderr).split('\n'))
      expect(
        labelsOf(shown).filter((label) => !printed.includes(label)),
        `${line}\n${end.stdout}${end.stderr}`,
      ).toEqual([])
    }
  })
})
