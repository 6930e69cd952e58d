/** A plan beside the run it is for. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { packageRoot } from '../../src/installation.ts'
import { jsonOf, runProgram } from './program.ts'

/** Names in turn, of the list that ships: `count` of them from the `from`-th on. */
export function someNames(from: number, count: number): string {
  const lines = readFileSync(join(packageRoot, 'names', 'ru.csv'), 'utf8').split('\n').slice(1 + from, 1 + from + count)
  return lines.map((line) => `${line.split(',')[0] ?? ''}\n`).join('')
}

/** Plans the names, warms them, and compares: the estimate may be off by a quarter. Gives the plan. */
export async function comparePlan(input: string, env: Record<string, string>): Promise<Record<string, unknown>> {
  const planned = await runProgram(['warm', '-', '--dry-run', '--json'], { env, input })
  expect(planned.code, planned.stderr).toBe(0)
  const plan = jsonOf(planned)
  const run = await runProgram(['warm', '-', '--json', '--quiet'], { env, input })
  expect(run.code, run.stderr).toBe(0)
  const { seconds, made } = jsonOf(run) as { seconds: number; made: number }
  expect(made).toBe(plan.misses)
  expect(plan.estimatedSeconds, `the run took ${seconds} s: ${planned.stdout}`).toBeGreaterThan(seconds * 0.75)
  expect(plan.estimatedSeconds, `the run took ${seconds} s: ${planned.stdout}`).toBeLessThan(seconds * 1.25)
  return plan
}
