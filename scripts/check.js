/**
 * `npm run check`: everything that can be said of the tree without running it, two
 * checks at a time, as each uses one processor.
 */
import { spawn } from 'node:child_process'
import { performance } from 'node:perf_hooks'

const lanes = [
  ['types', 'unused'],
  ['lint', 'format:check', 'subjects'],
]

/** Runs one script of package.json; what it wrote is shown when it fails. */
function check(script) {
  const started = performance.now()
  const child = spawn('npm', ['run', '-s', script], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
  return new Promise((resolve) =>
    child.on('close', (code) => {
      console.log(
        `${code === 0 ? 'ok    ' : 'FAILED'} ${script} (${Math.round((performance.now() - started) / 1_000)} s)`,
      )
      if (code !== 0) console.log(output)
      resolve(code === 0)
    }),
  )
}

const results = await Promise.all(
  lanes.map(async (lane) => {
    const passed = []
    for (const script of lane) passed.push(await check(script))
    return passed
  }),
)
if (results.flat().includes(false)) process.exitCode = 1
