import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { openRenderPool } from '../../src/video/render-pool.ts'
import { loadTemplates } from '../../src/video/load-templates.ts'
import { temporaryFolder, tinyTemplates } from './tiny.ts'

vi.mock('node:os', async (original) => ({
  ...(await original<typeof import('node:os')>()),
  availableParallelism: () => 2,
}))

const folder = temporaryFolder()

/** Render processes of ours. */
function renderProcesses(): number {
  return readdirSync('/proc').filter((pid) => {
    try {
      return (
        readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1] === String(process.pid) &&
        readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('render-process')
      )
    } catch {
      return false
    }
  }).length
}

test('there is one more process whenever all are busy, and never more than there are processors', async () => {
  const [template] = await loadTemplates(tinyTemplates, ['tiny'])
  if (template === undefined) throw new Error('no template')
  const pool = openRenderPool(() => undefined)
  // No ffmpeg is there, so all of it fails soon after it has begun.
  const job = {
    ffmpeg: { path: join(folder, 'none'), version: '' },
    template,
    templateRevision: 't',
    cacheFolder: folder,
  }
  const counts: number[] = []
  const works = Array.from({ length: 5 }, () => {
    const work = pool.run({ kind: 'prepare', job }, new AbortController().signal, () => undefined)
    counts.push(renderProcesses())
    return work
  })
  const outcomes = await Promise.allSettled(works)
  expect(outcomes.map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => 'rejected'))
  await pool.close()
  expect(counts).toEqual([1, 2, 2, 2, 2])
})
