/**
 * The tests that prove each property. Those whose title names it (“property 4: …”) are found; others are added by hand
 * as a line of the list, and stay there with the file they are in. Moving
 * a test file needs no more than `npm run docs`.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { packageRoot } from '../../src/installation.ts'

/** A test or a group of tests. */
export interface Titled {
  file: string
  title: string
}

let all: Titled[] | undefined

/** The titles of all tests and groups, in the order of the files. Read once. */
export function titles(): Titled[] {
  all ??= readdirSync(join(packageRoot, 'tests'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `tests/${name.replaceAll('\\', '/')}`)
    .sort()
    .flatMap(titlesOf)
  return all
}

function titlesOf(file: string): Titled[] {
  const source = ts.createSourceFile(file, readFileSync(join(packageRoot, file), 'utf8'), ts.ScriptTarget.Latest)
  const found: Titled[] = []
  const look = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && isTest(node.expression)) {
      const [title] = node.arguments
      if (title !== undefined && ts.isStringLiteralLike(title)) found.push({ file, title: title.text })
    }
    ts.forEachChild(node, look)
  }
  look(source)
  return found
}

/** `it`, `describe.each(…)`, `it.skipIf(…)` and the like. */
function isTest(called: ts.Expression): boolean {
  if (ts.isIdentifier(called)) return ['it', 'describe', 'test'].includes(called.text)
  return (ts.isPropertyAccessExpression(called) || ts.isCallExpression(called)) && isTest(called.expression)
}

/** The numbers a title names: “properties 1, 2 and 3: …”. */
export function propertiesOf(title: string): number[] {
  const [, numbers = ''] = /^propert(?:y|ies) ([\d, and]+):/.exec(title) ?? []
  return [...numbers.matchAll(/\d+/g)].map(([number]) => Number(number))
}

const lineOf = ({ file, title }: Titled) => `- \`${file}\`: ${title}`

/** The list of one property. @throws when a title that was added by hand is no test’s, or nothing proves it */
export function proofsOf(property: number, written: string): string {
  const named = titles().filter(({ title }) => propertiesOf(title).includes(property))
  const added = [...written.matchAll(/^- `[^`]+`: (.*)$/gm)]
    .map(([, title = '']) => title)
    .filter((title) => propertiesOf(title).length === 0)
    .map((title) => {
      const test = titles().find((one) => one.title === title)
      if (test === undefined) throw new Error(`docs/properties.md, property ${property}: no test is called “${title}”.`)
      return test
    })
  if (named.length + added.length === 0) throw new Error(`No test proves property ${property} of docs/properties.md.`)
  return [...named, ...added].map(lineOf).join('\n')
}
