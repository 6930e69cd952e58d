import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { packageRoot } from '../../src/installation.ts'
import { readNames } from '../../src/names/lists.ts'
import type { NameRow } from '../../src/names/selection.ts'

test.each([
  ['ru', 'Cyrillic'],
  ['en', 'Latin'],
])('names/%s.csv is clean, and most frequent first', async (language, script) => {
  const path = join(packageRoot, 'names', `${language}.csv`)
  const list = await readNames([path])
  expect(list).toMatchObject({ blank: 0, rejected: 0, duplicates: 0 })
  expect(list.distinct).toBeGreaterThanOrEqual(500)

  const written = (await readFile(path, 'utf8'))
    .trim()
    .split('\n')
    .slice(1)
    .map((row) => row.split(',')[0])
  const rows: NameRow[] = []
  for await (const batch of list.select().batches()) rows.push(...batch)
  expect(rows.map(({ name }) => name.display)).toEqual(written)
  expect(new Set(rows.map(({ name }) => name.script))).toEqual(new Set([script]))
  const counts = rows.map(({ count }) => count ?? 0)
  expect(counts).toEqual([...counts].sort((a, b) => b - a))
  for (const gender of ['f', 'm']) expect(rows.filter((row) => row.gender === gender).length).toBeGreaterThan(200)
})
