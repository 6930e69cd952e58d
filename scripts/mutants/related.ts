/**
 * Which tests have to do with a source file: those that load it, the nearest first, and slow ones that start programs.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import ts from 'typescript'
import { packageRoot } from '../../src/installation.ts'

/** Test files in the order in which they are worth trying, and slow ones for what none of these notices. */
export interface Related {
  /** named like the source */
  own: string[]
  /** of the same folder */
  near: string[]
  far: string[]
  slow: string[]
}

/** A test that needs more steps than this to get to a file tests something else. */
const mostSteps = 2

/**
 * Slow tests load little of what they test: they start the built program. The
 * part of the source's path, and what tests it.
 */
const slowTests: [source: RegExp, tests: string[]][] = [
  [
    /^src\/(greetings\/(assets|reconcile|request)|queue)/,
    ['queue/recovery', 'queue/storm', 'queue/stopping', 'queue/full-channels'],
  ],
  [/^src\/(bot|queue\/index|telegram\/delivery|greetings\/request)/, ['bot/kill']],
  [/^src\/telegram\/(storage|flood)/, ['queue/full-channels', 'commands/rights']],
  [/^src\/telegram\/(delivery|errors|storage)/, ['commands/verify', 'queue/storm']],
  [/^src\/greetings\/(request|outages|upkeep\/(cancel|retry|forget|purge))/, ['commands/json', 'commands/warm']],
  [/^src\/(audio|ffmpeg|video)/, ['video/shipped']],
]

export function relatedTests(): (source: string) => Related {
  const tests = readdirSync(join(packageRoot, 'tests'), { recursive: true, encoding: 'utf8' })
    .map((file) => join('tests', file))
    .filter((file) => file.endsWith('.test.ts'))
  const imports = new Map<string, string[]>()
  const steps = new Map(tests.map((test) => [test, stepsFrom(test, imports)]))
  return (source) => {
    const far = (test: string) => steps.get(test)?.get(source) ?? Infinity
    // What loads less tests less beside it.
    const reach = (test: string) => steps.get(test)?.size ?? 0
    const fast = tests
      .filter((test) => !test.endsWith('.slow.test.ts') && far(test) <= mostSteps)
      .sort((one, other) => far(one) - far(other) || reach(one) - reach(other))
    const isOwn = (test: string) => basename(test) === `${basename(source, '.ts')}.test.ts`
    const isNear = (test: string) =>
      !isOwn(test) && far(test) === 1 && dirname(test) === dirname(source).replace(/^src/, 'tests')
    const mapped = slowTests.flatMap(([pattern, names]) =>
      pattern.test(source) ? names.map((name) => `tests/${name}.slow.test.ts`) : [],
    )
    const slow = [
      ...new Set([...tests.filter((test) => test.endsWith('.slow.test.ts') && far(test) === 1), ...mapped]),
    ].filter((test) => tests.includes(test))
    return {
      own: fast.filter(isOwn),
      near: fast.filter(isNear),
      far: fast.filter((test) => !isOwn(test) && !isNear(test)),
      slow,
    }
  }
}

/** How many imports lead from a file to each other one. */
function stepsFrom(start: string, imports: Map<string, string[]>): Map<string, number> {
  const found = new Map([[start, 0]])
  for (const [file, steps] of found) {
    for (const next of importsOf(file, imports)) if (!found.has(next)) found.set(next, steps + 1)
  }
  return found
}

/** What a file loads of ours; types load nothing. */
function importsOf(file: string, known: Map<string, string[]>): string[] {
  const before = known.get(file)
  if (before !== undefined) return before
  let text = ''
  try {
    text = readFileSync(join(packageRoot, file), 'utf8')
  } catch {
    // generated, or no file of ours
  }
  const loaded = ts.createSourceFile(file, text, ts.ScriptTarget.Latest).statements.flatMap((statement) => {
    if (
      !(ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement)) ||
      statement.moduleSpecifier === undefined
    )
      return []
    const { text: from } = statement.moduleSpecifier as ts.StringLiteral
    const bindings = ts.isImportDeclaration(statement) ? statement.importClause?.namedBindings : undefined
    const isType = ts.isImportDeclaration(statement)
      ? statement.importClause?.isTypeOnly === true ||
        (bindings !== undefined && ts.isNamedImports(bindings) && bindings.elements.every((each) => each.isTypeOnly))
      : statement.isTypeOnly
    return !from.startsWith('.') || isType ? [] : [join(dirname(file), from)]
  })
  known.set(file, loaded)
  return loaded
}
