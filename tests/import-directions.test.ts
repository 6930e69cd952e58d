/** The linter's guard over imports: it must be seen to fail, and to let pass what is allowed. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { ESLint } from 'eslint'
import ts from 'typescript'
import eslintTs from 'typescript-eslint'
import { expect, it } from 'vitest'
import { importDirections, imports } from '../scripts/import-directions.js'
import { packageRoot } from '../src/installation.ts'

const linter = new ESLint({
  cwd: packageRoot,
  overrideConfigFile: true,
  // Only the rules on imports, which need no types: a moment instead of minutes.
  overrideConfig: [{ files: ['**/*.ts'], languageOptions: { parser: eslintTs.parser } }, ...importDirections],
})

async function complaints(file: string, ...imports: string[]): Promise<string[]> {
  const [result] = await linter.lintText(imports.map((from, n) => `import { a as a${n} } from '${from}'`).join('\n'), {
    filePath: file,
  })
  return (result?.messages ?? []).map(({ message, line }) => `${imports[line - 1] ?? ''}: ${message}`)
}

const forbidden: [file: string, from: string, why: RegExp][] = [
  ['src/bot/features/greeting.ts', '../../queue/processors/worker.ts', /renders nothing/],
  ['src/bot/index.ts', '../video/renderer.ts', /renders nothing/],
  ['src/bot/index.ts', '../speech/speaker.ts', /renders nothing/],
  ['src/bot/index.ts', '../app/services.ts', /renders nothing/],
  ['src/queue/processors/worker.ts', '../../bot/index.ts', /does not know the bot/],
  ['src/queue/processors/worker.ts', '../../sandbox/process/open-sandbox.ts', /does not know the bot/],
  ['src/greetings/request.ts', '../queue/processors/worker.ts', /who calls it/],
  ['src/telegram/api.ts', '../bot/index.ts', /who calls it/],
  ['src/video/renderer.ts', '../terminal/exit.ts', /who calls it/],
  ['src/video/renderer.ts', '../cli.ts', /who calls it/],
  ['src/video/drawing/index.ts', '../../queue/index.ts', /who calls it/],
  ['src/speech/recordings.ts', '../video/parts.ts', /neither video/],
  ['src/speech/speaker.ts', '../greetings/request.ts', /neither video/],
  ['src/audio/mix.ts', '../video/encoding.ts', /nothing of ours/],
  ['src/audio/mix.ts', '../speech/speaker.ts', /nothing of ours/],
  ['src/ffmpeg/run.ts', '../video/template.ts', /nothing of ours/],
  ['src/ffmpeg/run.ts', '../config.ts', /nothing of ours/],
  ['src/resident-process.ts', './video/render-process.ts', /who calls it/],
  ['src/numbered-lock.ts', './db/embedded/index.ts', /who calls it/],
  ['src/home.ts', './config.ts', /who calls it/],
  ['src/speech/speaker.ts', '../disk.ts', /neither video/],
  ['src/video/renderer.ts', '../child-environment.ts', /who calls it/],
  ['src/sandbox/page.ts', '../config.ts', /nothing of ours/],
  ['src/config.ts', './home.ts', /nothing of ours/],
  ['src/variables.ts', './config.ts', /nothing of ours/],
  ['src/names/name.ts', '../config.ts', /nothing of ours/],
  ['src/understanding/understand.ts', '../greetings/request.ts', /nothing else/],
  ['src/understanding/known-names.ts', '../db/database.ts', /nothing else/],
  ['src/events.ts', './metrics.ts', /who calls it/],
  ['src/bot/index.ts', '../metrics.ts', /renders nothing/],
  ['src/http/health.ts', '../app/services.ts', /only looks/],
  ['src/dashboard/server.ts', '../telegram/api.ts', /only looks/],
  ['src/metrics.ts', './bot/index.ts', /only looks/],
  ['src/db/database.ts', '../greetings/request.ts', /at the bottom/],
  ['src/queue/index.ts', './processors/worker.ts', /at the bottom/],
  ['src/sandbox/process/open-sandbox.ts', '../../db/database.ts', /nothing of ours/],
  ['src/sandbox/page.ts', '../db/database.ts', /nothing of ours/],
  ['src/sandbox/browser/page.js', '../contract.ts', /nothing but this folder/],
  ['src/dashboard/browser/page.js', '../view.ts', /nothing but this folder/],
]
it.each(forbidden)('%s may not import %s', async (file, from, why) => {
  const found = await complaints(file, from)
  expect(found).toHaveLength(1)
  expect(found[0]).toMatch(why)
})

const allowed: [file: string, imports: string[]][] = [
  ['src/cli.ts', ['./command-table/index.ts', './installation.ts', './terminal/exit.ts']],
  ['src/command-table/index.ts', ['commander', '../installation.ts']],
  [
    'src/commands/warm/index.ts',
    [
      '../../config.ts',
      '../../queue/processors/worker.ts',
      '../../sandbox/process/open-sandbox.ts',
      '../../terminal/exit.ts',
    ],
  ],
  [
    'src/bot/features/greeting.ts',
    ['grammy', '../context.ts', '../../greetings/request.ts', '../../telegram/delivery.ts'],
  ],
  ['src/queue/processors/worker.ts', ['../index.ts', '../../video/renderer.ts', '../../telegram/storage.ts']],
  ['src/queue/index.ts', ['bullmq', 'ioredis', '../config.ts']],
  ['src/video/renderer.ts', ['./parts.ts', '../ffmpeg/find.ts', '../speech/speaker.ts', '../errors.ts']],
  ['src/speech/recordings.ts', ['../audio/sound.ts', '../ffmpeg/run.ts', '../names/name.ts', '../config.ts']],
  ['src/ffmpeg/command.ts', ['fluent-ffmpeg', 'node:fs', './container.ts', '../child-environment.ts']],
  ['src/names/csv.ts', ['csv-parse', './name.ts']],
  ['src/texts.ts', ['@fluent/bundle']],
  [
    'src/dashboard/queue-board.ts',
    ['express', '@bull-board/api', '@bull-board/api/bullMQAdapter', '@bull-board/express', '../queue/index.ts'],
  ],
  ['src/dashboard/view.ts', ['../queue/processors/worker.ts', '../greetings/reports/statistics.ts']],
  ['src/metrics.ts', ['prom-client', './greetings/reports/statistics.ts', './queue/index.ts']],
  ['src/sandbox/process/open-sandbox.ts', ['../../installation.ts', '../server.ts']],
  ['src/sandbox/page.ts', ['../browser-files.ts']],
  ['src/sandbox/browser/page.js', ['./dom.js']],
]
it.each(allowed)('%s may import %j', async (file, imports) => {
  expect(await complaints(file, ...imports)).toEqual([])
})

// A file of each folder, as the directions must not switch the owners off.
const folders = [
  'src/bot/index.ts',
  'src/commands/warm/index.ts',
  'src/db/database.ts',
  'src/greetings/request.ts',
  'src/names/name.ts',
  'src/queue/processors/worker.ts',
  'src/sandbox/server.ts',
  'src/telegram/api.ts',
  'src/video/renderer.ts',
  'src/config.ts',
  'src/log.ts',
]
it.each(folders)('%s uses no library that belongs to another file', async (file) => {
  const libraries = [
    'bullmq',
    'ioredis',
    'fluent-ffmpeg',
    'commander',
    'csv-parse',
    'csv-parse/sync',
    '@fluent/bundle',
    'prom-client',
    'express',
    '@bull-board/api',
    '@bull-board/api/bullMQAdapter',
    '@bull-board/express',
  ]
  expect((await complaints(file, ...libraries)).map((text) => text.split(':')[0])).toEqual(libraries)
})

it('an owner uses its own library and no other; types count too', async () => {
  expect(await complaints('src/queue/index.ts', 'bullmq', 'ioredis', 'commander')).toEqual([
    expect.stringMatching(/^commander: .*only src\/command-table/),
  ])
  const [result] = await linter.lintText("import type { Job } from 'bullmq'", { filePath: 'src/greetings/request.ts' })
  expect(result?.errorCount).toBe(1)
})

/** Every file of `src` with those of ours it imports; types count too. */
function importsOfAll(): Map<string, string[]> {
  const files = readdirSync(join(packageRoot, 'src'), { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.ts') && !file.startsWith('db/generated/'))
  return new Map(
    files.map((file) => {
      const text = readFileSync(join(packageRoot, 'src', file), 'utf8')
      const paths = [...text.matchAll(/(?:from |import\()'(\.[^']+)'/g)].map(([, path = '']) => path)
      return [file, paths.map((path) => normalize(join(dirname(file), path)).replaceAll('\\', '/'))]
    }),
  )
}

/** The folder of a file, or the file itself where it lies in none. The queue and its workers are two. */
function roomOf(file: string): string {
  return file.startsWith('queue/processors/') ? 'queue/processors' : (file.split('/')[0] ?? file)
}

/** Circles among the nodes of a graph, each once: `a > b > a`. */
function circlesOf(edges: ReadonlyMap<string, readonly string[]>): string[] {
  const circles: string[] = []
  const done = new Set<string>()
  const follow = (node: string, way: string[]) => {
    if (way.includes(node)) return void circles.push([...way.slice(way.indexOf(node)), node].join(' > '))
    if (done.has(node)) return
    for (const next of edges.get(node) ?? []) follow(next, [...way, node])
    done.add(node)
  }
  for (const node of edges.keys()) follow(node, [])
  return circles
}

/** Every folder with the others it imports, and files in none likewise. */
function roomsOf(files: ReadonlyMap<string, readonly string[]>): Map<string, string[]> {
  const rooms = new Map<string, string[]>()
  for (const [file, imports] of files) {
    const others = imports.map(roomOf).filter((room) => room !== roomOf(file))
    rooms.set(roomOf(file), [...new Set([...(rooms.get(roomOf(file)) ?? []), ...others])].sort())
  }
  return rooms
}

it('each folder imports what the table says, and nothing else', () => {
  const table = Object.entries(imports).map(([room, others]) => [room, others.split(' ').filter(Boolean).sort()])
  const found = (files: ReadonlyMap<string, readonly string[]>) =>
    Object.fromEntries([...roomsOf(files)].filter(([room, others]) => others.length > 0 || room in imports))
  const files = importsOfAll()
  expect(found(files)).toEqual(Object.fromEntries(table))
  // One import that the table does not have is seen, and so is one that nobody makes any more.
  expect(found(new Map([...files, ['names/new.ts', ['db/database.ts']]]))).not.toEqual(Object.fromEntries(table))
  expect(found(new Map([...files].filter(([file]) => file !== 'home-owner.ts')))).not.toEqual(Object.fromEntries(table))
})

/** The files of ours, and the libraries, that are loaded with a file, whatever they are needed for later. */
function loadedWith(start: string): { files: Set<string>; libraries: Set<string> } {
  const [files, libraries] = [new Set<string>(), new Set<string>()]
  const load = (file: string) => {
    if (files.has(file)) return
    files.add(file)
    const source = ts.createSourceFile(
      file,
      readFileSync(join(packageRoot, 'src', file), 'utf8'),
      ts.ScriptTarget.Latest,
    )
    for (const statement of source.statements) {
      if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) continue
      const from = statement.moduleSpecifier
      if (from === undefined || !ts.isStringLiteral(from) || isTypeOnly(statement)) continue
      if (from.text.startsWith('.')) load(normalize(join(dirname(file), from.text)).replaceAll('\\', '/'))
      else if (!from.text.startsWith('node:')) libraries.add(from.text)
    }
  }
  load(start)
  return { files, libraries }
}

function isTypeOnly(statement: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(statement)) return statement.isTypeOnly
  const clause = statement.importClause
  if (clause === undefined) return false
  const names = clause.namedBindings
  const onlyTypes =
    clause.name === undefined &&
    names !== undefined &&
    ts.isNamedImports(names) &&
    names.elements.every((each) => each.isTypeOnly)
  return clause.isTypeOnly || onlyTypes
}

// What a command loads before it begins. `cli.ts` and the table come on top, the same for all.
const cheap: [file: string, most: number][] = [
  ['commands/db.ts', 10],
  ['commands/names.ts', 54],
  ['commands/status/index.ts', 82],
  ['dashboard/server.ts', 46],
  ['commands/dashboard.ts', 107],
  ['cli.ts', 15],
]
it.each(cheap)('%s loads few files, and nothing that talks to Telegram, renders or speaks', (file, most) => {
  const { files, libraries } = loadedWith(file)
  expect(files.size).toBeLessThanOrEqual(most)
  expect([...libraries].filter((name) => /grammy|fluent-ffmpeg|^say$|canvas|echogarden/.test(name))).toEqual([])
})

it('what loads Telegram and the renderer is seen to', () => {
  expect([...loadedWith('bot/index.ts').libraries]).toContain('grammy')
  expect([...loadedWith('video/render-process.ts').libraries]).toContain('fluent-ffmpeg')
})

it('no two files and no two folders depend on each other', () => {
  const files = importsOfAll()
  // Inside the sandbox a few types go round.
  expect(circlesOf(files).filter((circle) => !circle.startsWith('sandbox/'))).toEqual([])
  const rooms = roomsOf(files)
  expect(rooms.get('video')).toEqual(expect.arrayContaining(['audio', 'ffmpeg', 'speech']))
  expect(circlesOf(rooms)).toEqual([])
  // One import in the wrong direction is seen.
  expect(circlesOf(rooms.set('audio', ['video']))).not.toEqual([])
  expect(circlesOf(new Map(Object.entries({ a: ['b'], b: ['c'], c: ['a'] })))).toEqual(['a > b > c > a'])
})
