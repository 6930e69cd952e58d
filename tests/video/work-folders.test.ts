import { mkdirSync, readdirSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { removeAbandoned, workPrefix } from '../../src/video/work-folders.ts'
import { temporaryFolder } from './tiny.ts'

const folder = temporaryFolder()

test('a work folder of a process that lives, or of another host, is left alone for six hours', async () => {
  const hours = { 'of-today': 5.9, 'of-yesterday': 6.1 }
  for (const whose of [workPrefix(), 'tmp-another-1-']) {
    for (const [name, age] of Object.entries(hours)) {
      const path = join(folder, `${whose}${name}`)
      mkdirSync(path)
      const changed = new Date(Date.now() - age * 3_600_000)
      utimesSync(path, changed, changed)
    }
  }
  await removeAbandoned(folder)
  expect(readdirSync(folder).sort()).toEqual([`${workPrefix()}of-today`, 'tmp-another-1-of-today'].sort())
})
