/**
 * `npm run test:slow`: the slow tests. Beside them, one file at a time, those that mostly wait; what they write is shown
 * when they are done.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Runs one set of tests. Gives the exit code. */
async function run(set, options, stdio) {
  const reports = ['--reporter=default', '--reporter=json', `--outputFile.json=tmp/tests-${set}.json`]
  const child = spawn('npx', ['vitest', 'run', '--project', set, ...reports, ...options], { stdio })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => (output += text))
  const [code] = await once(child, 'close')
  process.stdout.write(output)
  return code
}

const codes = await Promise.all([
  run('slow', [], 'inherit'),
  run('waiting', ['--maxWorkers=1'], ['ignore', 'pipe', 'pipe']),
])
if (codes.some((code) => code !== 0)) process.exitCode = 1
