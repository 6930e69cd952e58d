import { execFile } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { builtScript } from '../../src/installation.ts'

/** Reads a list in a process of its own, walks through all its names, and says what that took. */
const reader = `
  import { readNames } from ${JSON.stringify(pathToFileURL(builtScript('names/lists')).href)}
  const begin = performance.now()
  const list = await readNames([process.argv[1]])
  const seconds = (performance.now() - begin) / 1000
  let walked = 0
  for await (const batch of list.select().batches()) walked += batch.length
  const { user, system } = process.cpuUsage()
  console.log(JSON.stringify({ distinct: list.distinct, rejected: list.rejected, walked, seconds, cpuSeconds: (user + system) / 1e6, peakMegabytes: process.resourceUsage().maxRSS / 1000 }))
`

test('a million distinct names are read in 200 MB', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'million-'))
  try {
    const path = join(folder, 'million.csv')
    await pipeline(Readable.from(millionRows()), createWriteStream(path))
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', reader, path])
    const result = JSON.parse(stdout) as {
      distinct: number
      rejected: number
      walked: number
      peakMegabytes: number
      cpuSeconds: number
    }
    console.log(stdout.trim())
    expect(result).toMatchObject({ distinct: 1_000_000, rejected: 0, walked: 1_000_000 })
    expect(result.peakMegabytes).toBeLessThan(200)
    expect(result.cpuSeconds).toBeLessThan(60)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

function* millionRows(): Generator<string> {
  const letters = 'абвгдежзик'
  yield 'name,count\n'
  for (let block = 0; block < 1_000; block++) {
    let rows = ''
    for (let n = block * 1_000; n < (block + 1) * 1_000; n++)
      rows += `Ан${[...String(n).padStart(6, '0')].map((digit) => letters.charAt(Number(digit))).join('')}на,${n % 977}\n`
    yield rows
  }
}
