/**
 * Whether the tests notice when something small is broken: `npm run mutants`. Each break of `list.json` is made alone
 * in a copy of the tree; then the related tests run, fast ones first, until one fails. Takes an hour or more, and goes
 * on where it stopped: what was found stays true while the broken file and the tests that have to do with it do.
 */
import { createHash } from 'node:crypto'
import { spawn, execFileSync } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import ts from 'typescript'
import { packageRoot } from '../../src/installation.ts'
import { temporaryDatabase } from '../../tests/environment/temporary-database.ts'
import { apply, type Break } from './breaks.ts'
import { allBreaks, listedBreaks, sourceOf, writeList } from './list.ts'
import { relatedTests, type Related } from './related.ts'

const help = `npm run mutants -- [options]
  --list           write scripts/mutants/list.json anew from the sources, and end
  --all            try every break that can be made, not only those of the list
  --only REGEXP    breaks whose id, file, kind or text fits
  --since COMMIT   breaks of files that changed since then
  --tests REGEXP   ask only test files that fit, such as one just written
  --fast           leave out the slow tests
  --jobs N         at the same time (1)
  --seconds N      limit for each test file (200)
  --afresh         forget what was found before
  --summary        only show what was found`

const { values: options } = parseArgs({
  options: {
    list: { type: 'boolean' },
    all: { type: 'boolean' },
    only: { type: 'string', default: '' },
    since: { type: 'string' },
    tests: { type: 'string', default: '' },
    fast: { type: 'boolean' },
    jobs: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '200' },
    afresh: { type: 'boolean' },
    summary: { type: 'boolean' },
    help: { type: 'boolean' },
  },
})

/** What came of a break. */
interface Outcome {
  id: string
  /** of the broken file and of the tests that spoke, as they were */
  hash: string
  /** which tests noticed; `survived`: none; `fast survived`: none of the fast ones, and the slow ones were not asked */
  found: 'fast' | 'slow' | 'survived' | 'fast survived'
  /** the tests that speak for it */
  tests: string[]
  /** the test that failed */
  by?: string
  seconds: number
}

const folder = join(packageRoot, 'tmp', 'mutants')
const outcomesFile = join(folder, 'outcomes.jsonl')

// ---- a tree to break -------------------------------------------------------------------------------

/** A copy of the tree: what git knows or would take, what was generated, what was built. */
function copyTree(name: string): string {
  const tree = join(folder, name)
  rmSync(tree, { recursive: true, force: true })
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: packageRoot,
    encoding: 'utf8',
  }).split('\0')
  for (const file of [...files, 'src/db/generated', 'dist'])
    if (file !== '' && existsSync(join(packageRoot, file)))
      cpSync(join(packageRoot, file), join(tree, file), { recursive: true })
  symlinkSync(join(packageRoot, 'node_modules'), join(tree, 'node_modules'))
  return tree
}

const compilerOptions: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
}

/** Writes a source file, and what the build would make of it: tests start programs from `dist`. */
function write(tree: string, file: string, source: string): void {
  writeFileSync(join(tree, file), source)
  writeFileSync(
    join(tree, file.replace(/^src/, 'dist').replace(/\.ts$/, '.js')),
    ts.transpileModule(source, { compilerOptions, fileName: file }).outputText,
  )
}

// ---- tests -----------------------------------------------------------------------------------------

interface Failure {
  file: string
  test: string
  /** perhaps only the machine was slow */
  late: boolean
}

interface TestResults {
  testResults: {
    name: string
    status: string
    message: string
    assertionResults: { fullName: string; status: string; failureMessages: string[] }[]
  }[]
}

/** Runs test files until one fails; undefined when all pass. */
async function run(tree: string, project: 'fast' | 'slow', files: readonly string[]): Promise<Failure | undefined> {
  if (files.length === 0) return undefined
  const report = join(tree, 'tmp', 'report.json')
  rmSync(report, { force: true })
  // A group of its own, so that everything it started ends with it.
  const child = spawn(
    process.execPath,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      ...(project === 'slow' ? ['slow', 'waiting'] : [project]).flatMap((each) => ['--project', each]),
      '--bail',
      '1',
      '--reporter',
      'json',
      '--outputFile',
      report,
      ...files,
    ],
    { cwd: tree, stdio: 'ignore', detached: true },
  )
  running.add(child.pid ?? 0)
  let isLate = false
  const limit = setTimeout(
    () => {
      isLate = true
      end(child.pid)
    },
    Number(options.seconds) * 1_000 * files.length,
  )
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve))
  clearTimeout(limit)
  end(child.pid)
  running.delete(child.pid ?? 0)
  if (isLate) return { file: '', test: `${files.join(', ')} did not end`, late: true }
  if (code === 0) return undefined
  // Killed from outside, as when the run is stopped: nothing is known then.
  if (code === null) throw new Error(`the tests were killed (${files.join(', ')})`)
  if (!existsSync(report)) return { file: '', test: `vitest ended with ${code}`, late: false }
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as TestResults
  for (const { name, status, message, assertionResults } of testResults) {
    const failed = assertionResults.find((each) => each.status === 'failed')
    const file = name.slice(tree.length + 1)
    if (failed !== undefined)
      return {
        file,
        test: failed.fullName,
        late: /timed out|did not happen within|waited in vain/i.test(failed.failureMessages.join()),
      }
    if (status === 'failed') return { file, test: message.slice(0, 200), late: /timed out/i.test(message) }
  }
  return { file: '', test: `vitest ended with ${code}`, late: false }
}

const running = new Set<number>()
function end(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}

/** Whether a test file passes where nothing is broken; asked once. */
const sound = new Map<string, Promise<boolean>>()

/**
 * The test that notices, of these; one that fails without the break too, or only for want of time, has noticed nothing.
 */
async function noticed(
  tree: string,
  project: 'fast' | 'slow',
  files: readonly string[],
  unbroken: <T>(work: () => Promise<T>) => Promise<T>,
): Promise<Failure | undefined> {
  for (let left = files; ;) {
    const failure = await run(tree, project, left)
    if (failure === undefined || failure.file === '') return failure
    const { file } = failure
    if (!sound.has(file))
      sound.set(
        file,
        unbroken(async () => (await run(tree, project, [file])) === undefined),
      )
    if (await sound.get(file)) {
      if (!failure.late || (await run(tree, project, [file])) !== undefined) return failure
    } else console.log(`  ${file} fails without a break too (${failure.test}): it is left out`)
    left = left.filter((each) => each !== file)
  }
}

async function tryBreak(tree: string, each: Break, { own, near, far, slow }: Related): Promise<Outcome> {
  const started = performance.now()
  const source = sourceOf(each.file)
  const broken = apply(source, each)
  const unbroken = async <T>(work: () => Promise<T>): Promise<T> => {
    write(tree, each.file, source)
    return work().finally(() => write(tree, each.file, broken))
  }
  write(tree, each.file, broken)
  try {
    const outcome = (found: Outcome['found'], tests: readonly string[], by?: string): Outcome => ({
      id: each.id,
      hash: hashOf(each.file, tests),
      found,
      tests: [...tests],
      by,
      seconds: Math.round((performance.now() - started) / 1_000),
    })
    for (const go of [own, ...near.map((test) => [test]), far]) {
      const failure = await noticed(tree, 'fast', go, unbroken)
      if (failure !== undefined)
        return outcome('fast', failure.file === '' ? go : [failure.file], `${failure.file} ${failure.test}`)
    }
    if (options.fast === true) return outcome('fast survived', [...own, ...near, ...far])
    for (const test of slow) {
      const failure = await noticed(tree, 'slow', [test], unbroken)
      if (failure !== undefined) return outcome('slow', [test], `${failure.file} ${failure.test}`)
    }
    return outcome('survived', [...own, ...near, ...far, ...slow])
  } finally {
    write(tree, each.file, source)
  }
}

// ---- what was found --------------------------------------------------------------------------------

function hashOf(file: string, tests: readonly string[]): string {
  const hash = createHash('sha256')
  for (const each of [file, ...tests]) hash.update(existsSync(join(packageRoot, each)) ? sourceOf(each) : '')
  return hash.digest('hex').slice(0, 12)
}

/** What was found before and is still true. */
function knownOutcomes(breaks: readonly Break[], related: (file: string) => Related): Map<string, Outcome> {
  if (!existsSync(outcomesFile)) return new Map()
  const outcomes = readFileSync(outcomesFile, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Outcome)
  const fileOf = new Map(breaks.map(({ id, file }) => [id, file]))
  return new Map(
    outcomes.flatMap((outcome) => {
      const file = fileOf.get(outcome.id)
      if (file === undefined || (outcome.found === 'fast survived' && options.fast !== true)) return []
      const { own, near, far, slow } = related(file)
      const now =
        outcome.found === 'survived'
          ? [...own, ...near, ...far, ...slow]
          : outcome.found === 'fast survived'
            ? [...own, ...near, ...far]
            : outcome.tests
      return hashOf(file, now) === outcome.hash ? [[outcome.id, outcome]] : []
    }),
  )
}

function summarize(breaks: readonly Break[], outcomes: ReadonlyMap<string, Outcome>): void {
  const files = [...new Set(breaks.map(({ file }) => file))]
  const rows = [...files, 'together'].map((file) => {
    const ofFile = file === 'together' ? breaks : breaks.filter((each) => each.file === file)
    const of = (...found: Outcome['found'][]) =>
      ofFile.filter(
        ({ id, equivalent }) => equivalent === undefined && found.includes(outcomes.get(id)?.found ?? ('' as never)),
      ).length
    const tried = of('fast', 'slow', 'survived', 'fast survived')
    return {
      file,
      breaks: ofFile.length,
      fast: of('fast'),
      slow: of('slow'),
      survived: of('survived', 'fast survived'),
      equivalent: ofFile.filter(({ equivalent }) => equivalent !== undefined).length,
      noticed: tried === 0 ? '' : `${((of('fast', 'slow') / tried) * 100).toFixed(0)} %`,
    }
  })
  console.table(rows)
  for (const each of breaks) {
    if (each.equivalent !== undefined)
      console.log(
        `equivalent ${each.id} ${each.file}: ${each.before}\n   → ` +
          `${each.after || '(removed)'}\n   as ${each.equivalent}`,
      )
    else if (outcomes.get(each.id)?.found.endsWith('survived'))
      console.log(`survived ${each.id} ${each.file} (${each.kind}): ${each.before}\n   → ${each.after || '(removed)'}`)
  }
}

// ---- all of it -------------------------------------------------------------------------------------

function chosen(): Break[] {
  const pattern = new RegExp(options.only)
  const changed =
    options.since === undefined
      ? undefined
      : new Set(
          execFileSync('git', ['diff', '--name-only', options.since], { cwd: packageRoot, encoding: 'utf8' }).split(
            '\n',
          ),
        )
  return (options.all === true ? allBreaks() : listedBreaks())
    .filter(({ file }) => changed === undefined || changed.has(file))
    .filter(({ id, file, kind, before }) => pattern.test(`${id} ${file} ${kind} ${before}`))
}

async function main(): Promise<void> {
  if (options.help === true) return console.log(help)
  if (options.list === true)
    return console.log(`${writeList().length} breaks of ${allBreaks().length} in scripts/mutants/list.json`)
  const breaks = chosen()
  const all = relatedTests()
  const asked = (files: readonly string[]) => files.filter((file) => new RegExp(options.tests).test(file))
  const related = (file: string): Related => {
    const { own, near, far, slow } = all(file)
    return { own: asked(own), near: asked(near), far: asked(far), slow: asked(slow) }
  }
  const outcomes = options.afresh === true ? new Map<string, Outcome>() : knownOutcomes(breaks, related)
  if (options.summary === true) return summarize(breaks, outcomes)
  mkdirSync(folder, { recursive: true })
  const open = breaks.filter(({ id, equivalent }) => equivalent === undefined && !outcomes.has(id))
  console.log(`${breaks.length} breaks, ${open.length} to try`)
  // The database server of the tests would start and stop with each of them.
  const server = await temporaryDatabase()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      for (const pid of running) end(pid)
      void server.close().finally(() => process.exit(1))
    })
  }
  try {
    await Promise.all(
      Array.from({ length: Number(options.jobs) }, async (_, n) => {
        const tree = copyTree(`tree-${n + 1}`)
        mkdirSync(join(tree, 'tmp'), { recursive: true })
        for (let each = open.shift(); each !== undefined; each = open.shift()) {
          const outcome = await tryBreak(tree, each, related(each.file))
          outcomes.set(each.id, outcome)
          appendFileSync(outcomesFile, `${JSON.stringify(outcome)}\n`)
          console.log(
            `${outcome.found.padEnd(8)} ${String(outcome.seconds).padStart(4)} s  ${each.id} ${each.file} ` +
              `${each.before.slice(0, 60)} → ${each.after.slice(0, 60) || '(removed)'}` +
              (outcome.by === undefined ? '' : `\n                 ${outcome.by.slice(0, 160)}`),
          )
        }
      }),
    )
  } finally {
    await server.close()
  }
  summarize(breaks, outcomes)
}

await main()
