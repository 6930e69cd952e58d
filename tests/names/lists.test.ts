import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
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

test('several names in a row are refused, or together one name', async () => {
  const rows = 'Маша\nПетя и Маша\nМаша, Петя\nОля & Emily\n'
  const read = (together: boolean) =>
    readNames(['-'], { together, stdin: Readable.from([Buffer.from(rows)]) as AsyncIterable<Uint8Array> })
  expect(await read(false)).toMatchObject({ distinct: 1, rejectedBy: { several_names: 3 } })
  const list = await read(true)
  expect(list).toMatchObject({ distinct: 2, duplicates: 1, rejectedBy: { mixed_scripts: 1 } })
  const found: unknown[] = []
  for await (const batch of list.select().batches()) found.push(...batch.map(({ name }) => name))
  expect(found[1]).toEqual({ key: 'маша & петя', display: 'Маша и Петя', script: 'Cyrillic' })
})
