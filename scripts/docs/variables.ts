/**
 * The table of variables. Which there are, and the defaults that are values, come from the schema in src/config.ts;
 * what they mean, and defaults that are found out, is written in the table itself and kept.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { packageRoot } from '../../src/installation.ts'
import { rowsOf, table } from './blocks.ts'

interface Variable {
  name: string
  /** as it would be written in a `.env` */
  defaultValue: string | undefined
}

/** The variables of the schema `environment`, in its order. */
function variables(): Variable[] {
  const file = join(packageRoot, 'src', 'config.ts')
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest)
  const found: Variable[] = []
  const look = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.name.text === 'environment') {
      const schema = node.initializer
      const shape = schema !== undefined && ts.isCallExpression(schema) ? schema.arguments[0] : undefined
      if (shape === undefined || !ts.isObjectLiteralExpression(shape))
        throw new Error('`environment` is no z.object({…})')
      for (const property of shape.properties) {
        if (!ts.isPropertyAssignment(property) || !ts.isIdentifier(property.name)) continue
        found.push({ name: property.name.text, defaultValue: defaultOf(property.initializer) })
      }
    }
    ts.forEachChild(node, look)
  }
  look(source)
  if (found.length === 0) throw new Error(`There is no \`environment\` in ${file}`)
  return found
}

/** The second argument of `withDefault(…)`. */
function defaultOf(value: ts.Expression): string | undefined {
  if (!ts.isCallExpression(value) || !ts.isIdentifier(value.expression) || value.expression.text !== 'withDefault')
    return undefined
  const given = value.arguments[1]
  return given !== undefined && (ts.isStringLiteral(given) || ts.isNumericLiteral(given)) ? given.text : undefined
}

/** The table, with the words of the one that is there. @throws when a variable has none, or is no variable */
export function variablesTable(written: string): string {
  const schema = variables()
  const rows = rowsOf(written)
  const nameOf = (row: string[]) => (row[0] ?? '').replaceAll('`', '')
  const missing = schema.filter(({ name }) => !rows.some((row) => nameOf(row) === name)).map(({ name }) => name)
  const unknown = rows.map(nameOf).filter((name) => !schema.some((variable) => variable.name === name))
  if (missing.length > 0) throw new Error(`docs/variables.md has no row for ${missing.join(', ')}: write one.`)
  if (unknown.length > 0) throw new Error(`docs/variables.md has rows for no variable: ${unknown.join(', ')}.`)
  return table(
    ['variable', 'default', 'means'],
    rows.map((row) => {
      const { defaultValue } = schema.find(({ name }) => name === nameOf(row)) ?? {}
      const words = row[1] ?? ''
      return [
        row[0] ?? '',
        defaultValue === undefined ? words.replace(/^`[^`]*`$/, '') : `\`${defaultValue}\``,
        row[2] ?? '',
      ]
    }),
  )
}
