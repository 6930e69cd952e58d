/** How fast the command line begins, beside what Node itself takes. */
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { expect, it } from 'vitest'
import { packageRoot } from '../src/installation.ts'

const bin = join(packageRoot, 'bin', 'greetings.js')
const env = { PATH: process.env.PATH ?? '', HOME: tmpdir(), GREETINGS_HOME: join(tmpdir(), 'greetings-never') }

it('begins within three times of what Node itself takes', () => {
  const time = (args: string[]) => {
    const started = performance.now()
    spawnSync(process.execPath, args, { env, stdio: 'ignore' })
    return performance.now() - started
  }
  const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
  const ratio = () => {
    const ours: number[] = []
    const nodes: number[] = []
    // Side by side, so that a busy moment meets both.
    for (let n = 0; n < 9; n++) {
      nodes.push(time(['-e', '0']))
      ours.push(time([bin, '--help']))
    }
    process.stdout.write(`--help ${median(ours).toFixed(0)} ms, node -e 0 ${median(nodes).toFixed(0)} ms\n`)
    return median(ours) / median(nodes)
  }
  time([bin, '--help'])
  // What else is busy on the machine can only add to it.
  let best = ratio()
  for (let round = 1; round < 3 && best > 3; round++) best = Math.min(best, ratio())
  expect(best).toBeLessThanOrEqual(3)
})
