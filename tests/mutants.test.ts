/** The list of breaks has to fit the sources, and what makes it has to find what can be broken. */
import { expect, it } from 'vitest'
import ts from 'typescript'
import { apply, breaksOf, changeOf } from '../scripts/mutants/breaks.ts'
import { listedBreaks, sourceOf } from '../scripts/mutants/list.ts'
import { sqlBreaks } from '../scripts/mutants/sql.ts'

const source = `
const limits = { people: 5 }
const kinds = new Set(['one', 'two'])
async function serve(db: Db, id: string, queue: Queue) {
  if (id === '' || queue.closed) return
  await db.$executeRaw\`
    UPDATE "Asset" SET status = 'DONE', "leaseOwner" = NULL
    WHERE id = \${id} AND ("leaseUntil" IS NULL OR "leaseUntil" < now()) AND generation IN (SELECT generation FROM "Job" WHERE "jobId" = \${jobId(id)} ORDER BY "createdAt" LIMIT 1 FOR UPDATE SKIP LOCKED)\`
  await queue.remove(id) // taken
  log.info({ id }, 'served')
}
`

it('finds every term, lock, guard, call and constant, each as a change of its own', () => {
  const changes = breaksOf('src/one.ts', source).map((each) => {
    const { start, end, after } = changeOf(source, each)
    expect(apply(source, each)).toBe(source.slice(0, start) + after + source.slice(end))
    return `${each.kind}: ${each.before} → ${each.after}`
  })
  expect(changes).toEqual([
    'constant: people: 5 } → people: 10 }',
    `constant: Set(['one', → Set([...[],`,
    `constant: Set(['one', 'two' → Set(['one', ...[]`,
    `guard: id === '' || queue.closed → false`,
    `condition: (id === '' || → (false ||`,
    `condition: queue.closed → false`,
    `set: status = 'DONE' → status = "Asset".status`,
    `set: "leaseOwner" = NULL → "leaseOwner" = "Asset"."leaseOwner"`,
    'where: WHERE id = ${id} → WHERE true',
    'where: ("leaseUntil" IS NULL OR "leaseUntil" < now()) → true',
    'where: "leaseUntil" IS NULL → false',
    'where: "leaseUntil" < now() → false',
    'where: generation IN (SELECT generation FROM "Job" WHERE "jobId" = ${jobId(id)} ORDER BY "createdAt" LIMIT 1 FOR UPDATE SKIP LOCKED) → true',
    'where: "jobId" = ${jobId(id)} → true',
    'order: BY "createdAt" → BY "createdAt" DESC',
    'lock: FOR UPDATE SKIP LOCKED → ',
    'lock: FOR UPDATE SKIP LOCKED → FOR UPDATE',
    'call: await queue.remove(id) → {}',
  ])
})

it.each([
  [
    'SELECT 1 FROM a WHERE x IS DISTINCT FROM y AND z BETWEEN 1 AND 2 GROUP BY x',
    ['x IS DISTINCT FROM y → true', 'z BETWEEN 1 AND 2 → true'],
  ],
  [
    'SELECT count(*) FILTER (WHERE NOT hit) FROM a JOIN b ON a.id = b.id WHERE NOT EXISTS (SELECT 1 FROM c WHERE c.id = a.id)',
    [
      'NOT hit → true',
      'a.id = b.id → true',
      'NOT EXISTS (SELECT 1 FROM c WHERE c.id = a.id) → true',
      'c.id = a.id → true',
    ],
  ],
  [
    'INSERT INTO a AS b (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET n = EXCLUDED.n WHERE b.n < 5',
    ['n = EXCLUDED.n → n = b.n', 'b.n < 5 → true'],
  ],
  [
    'UPDATE a AS b SET n = CASE WHEN x AND y THEN 1 ELSE 2 END, m = greatest(1, 2) WHERE id = $1',
    [
      'n = CASE WHEN x AND y THEN 1 ELSE 2 END → n = b.n',
      'm = greatest(1, 2) → m = b.m',
      'id = $1 → (id = $1 OR true)',
    ],
  ],
  [
    'SELECT id FROM a ORDER BY wanted DESC, "createdAt" LIMIT 1',
    ['wanted DESC → wanted', '"createdAt" → "createdAt" DESC'],
  ],
])('takes apart %s', (sql, expected) => {
  expect(sqlBreaks(sql).map(({ start, end, after }) => `${sql.slice(start, end)} → ${after}`)).toEqual(expected)
})

it('each break of the list fits the sources as they are and leaves a program', () => {
  const list = listedBreaks()
  expect(list.length).toBeGreaterThanOrEqual(120)
  expect(new Set(list.map(({ id }) => id)).size).toBe(list.length)
  for (const each of list) {
    // What the parser has to complain about; TypeScript keeps it from its types.
    const { parseDiagnostics } = ts.createSourceFile(
      each.file,
      apply(sourceOf(each.file), each),
      ts.ScriptTarget.Latest,
    ) as unknown as { parseDiagnostics: unknown[] }
    expect(parseDiagnostics, `${each.id} ${each.file}: ${each.after}`).toEqual([])
  }
})

it('few breaks are said to change nothing, each with its reason', () => {
  const list = listedBreaks()
  const equivalents = list.flatMap(({ equivalent }) => equivalent ?? [])
  expect(equivalents.length).toBeLessThanOrEqual(list.length * 0.05)
  for (const reason of equivalents) expect(reason.length).toBeGreaterThan(20)
})
