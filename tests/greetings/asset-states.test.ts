/**
 * The drawing of the states of an asset, in `greetings/assets.ts`, against the
 * statements; and that these stand nowhere else.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { expect, it } from 'vitest'
import { packageRoot } from '../../src/installation.ts'

const owners = { VideoAsset: 'src/greetings/assets.ts', UserRequest: 'src/greetings/requests.ts' }
const source = (file: string) => readFileSync(join(packageRoot, file), 'utf8')

interface Step {
  by: string
  to: string
  generation: string
  clears: string
}

/** What the drawing says, a step a line. */
function drawn(text: string): Step[] {
  const header = text.slice(0, text.indexOf('*/'))
  const [titles = '', ...lines] = header.split('\n').filter((line) => /^ \* {3}\S/.test(line))
  const columns = [...titles.matchAll(/\S+( by)?/g)].map(({ index }) => index)
  return lines.map((line) => {
    const [, , to = '', by = '', generation = '', clears = ''] = columns.map((at, n) =>
      line.slice(at, columns[n + 1]).trim(),
    )
    return { by, to, generation, clears: clears === '-' ? '' : clears }
  })
}

const cleared: [word: string, pattern: RegExp][] = [
  ['lease', /"leaseOwner" = NULL, "leaseUntil" = NULL/],
  ['queued', /"queuedAt" = NULL/],
  ['attempts', /attempts = 0/],
  ['error', /"errorClass" = NULL, "errorText" = NULL/],
  ['retry', /"retryAfter" = NULL/],
]

/** The statements on assets that change `status` or `generation`, add a row or remove one. */
function written(file: string, text: string): Step[] {
  const steps: Step[] = []
  const visit = (node: ts.Node, by: string) => {
    const name = ts.isFunctionDeclaration(node) ? (node.name?.text ?? by) : by
    if (ts.isTemplateExpression(node) || ts.isNoSubstitutionTemplateLiteral(node))
      steps.push(...stepsOf(node.getText().replace(/\s+/g, ' '), name))
    ts.forEachChild(node, (child) => visit(child, name))
  }
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true), '')
  return steps
}

function stepsOf(sql: string, by: string): Step[] {
  if (/DELETE FROM "VideoAsset"/.test(sql)) return [{ by, to: '-', generation: '', clears: '' }]
  if (/INSERT INTO "VideoAsset"/.test(sql))
    return [{ by, to: sql.includes("'AVAILABLE'") ? 'AVAILABLE' : 'PENDING', generation: '', clears: '' }]
  const set = /UPDATE "VideoAsset"(?: AS \w+)? SET (.*?) (?:FROM|WHERE) /.exec(sql)?.[1]
  if (set === undefined || !/\b(status|generation) =/.test(set)) return []
  return [
    {
      by,
      to: /'(PENDING|GENERATING|AVAILABLE|FAILED)'/.exec(set.replace(/IN \([^)]*\)/, ''))?.[1] ?? '',
      generation: /generation \+ 1/.test(set) ? '+' : '',
      clears: cleared.flatMap(([word, pattern]) => (pattern.test(set) ? [word] : [])).join(' '),
    },
  ]
}

const sorted = (steps: readonly Step[]) =>
  steps.map(({ by, to, generation, clears }) => `${by} → ${to} ${generation} ${clears}`).sort()

it('draws every step of an asset as the statements make it', () => {
  const text = source(owners.VideoAsset)
  expect(sorted(drawn(text))).toEqual(sorted(written(owners.VideoAsset, text)))
})

it('notices a step that is not drawn, and one that is drawn otherwise', () => {
  const text = source(owners.VideoAsset)
  const more = `${text}\nfunction lose() { db.$executeRaw\`UPDATE "VideoAsset" SET status = 'FAILED' WHERE true\` }`
  expect(sorted(written('a.ts', more))).toContain('lose → FAILED  ')
  expect(sorted(written('a.ts', text.replace('generation = generation + 1', 'generation = generation')))).not.toEqual(
    sorted(drawn(text)),
  )
  expect(sorted(drawn(text.replace(/^.* claim .*\n/m, '')))).not.toEqual(sorted(drawn(text)))
})

const writes = (table: string) => {
  const model = `${table[0]?.toLowerCase()}${table.slice(1)}`
  return new RegExp(
    `(UPDATE|INSERT INTO|DELETE FROM)\\s+"${table}"|\\b${model}\\s*\\.\\s*(create|update|upsert|delete)`,
  )
}

const sources = readdirSync(join(packageRoot, 'src'), { recursive: true, encoding: 'utf8' })
  .map((file) => join('src', file))
  .filter((file) => file.endsWith('.ts') && !file.startsWith('src/db/generated'))

it.each(Object.entries(owners))('%s is changed in %s only', (table, owner) => {
  expect(sources.filter((file) => writes(table).test(source(file)))).toEqual([owner])
  expect(writes(table).test(`UPDATE "${table}" SET`)).toBe(true)
})

it('both tables are read in greetings only', () => {
  const reads = /"(VideoAsset|UserRequest)"|\.(videoAsset|userRequest)\b/
  const readers = sources.filter((file) => reads.test(source(file)))
  expect(readers.length).toBeGreaterThan(5)
  expect(readers.filter((file) => !file.startsWith('src/greetings/'))).toEqual([])
})
