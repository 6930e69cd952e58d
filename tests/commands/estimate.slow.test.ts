/**
 * The estimate of `warm --dry-run` beside the run it is for. The worker is in this process and makes each video in a
 * time that is planned, so that a busy machine is not what is measured; everything else is real.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { packageRoot } from '../../src/installation.ts'
import { startWorker, type RunningWorker } from '../../src/queue/processors/worker.ts'
import { plannedRenderer, workerParts } from '../environment/worker-parts.ts'
import { openTestEnvironment, until, type TestEnvironment } from '../environment/test-environment.ts'
import { jsonOf, runProgram } from '../environment/program.ts'

let town: TestEnvironment
let worker: RunningWorker | undefined
/** nothing is made before it */
let gate = Promise.resolve()
beforeAll(async () => {
  town = await openTestEnvironment({ channels: 2, home: true })
}, 120_000)
afterAll(() => town.close())
beforeEach(async () => {
  await town.db.$executeRaw`TRUNCATE "VideoAsset", "UserRequest", "SoundReport", "WorkerProcess", "StepPace"`
})
afterEach(stopWorker)

async function stopWorker() {
  await worker?.stop(10_000)
  worker = undefined
}

/** Of the list that ships: `count` names from the `from`-th on. */
function someNames(from: number, count: number): string {
  const lines = readFileSync(join(packageRoot, 'names', 'ru.csv'), 'utf8')
    .split('\n')
    .slice(1 + from, 1 + from + count)
  return lines.map((line) => `${line.split(',')[0] ?? ''}\n`).join('')
}

/**
 * One of two places that make a video in `ms`; `channels` of the town's take `postsPerMinute`
 * each. Gives what the program must know of it.
 */
async function work({
  ms,
  channels,
  postsPerMinute,
}: {
  ms: number
  channels: number
  postsPerMinute: number
}): Promise<Record<string, string>> {
  await stopWorker()
  const renderer = await plannedRenderer(town, async (_display, signal) => {
    await gate
    await sleep(ms, undefined, { signal })
  })
  const chatIds = town.storage.chatIds.slice(0, channels)
  worker = await startWorker(
    { ...workerParts(town, renderer), storage: { ...town.storage, chatIds, ratePerMinute: postsPerMinute } },
    2,
  )
  return { ...town.env, STORAGE_CHAT_IDS: chatIds.join(','), CHANNEL_RATE: String(postsPerMinute) }
}

const warm = (args: string[], env: Record<string, string>, input: string) =>
  runProgram(['warm', '-', '--no-work', ...args], { env, input })

async function warmed(env: Record<string, string>, input: string): Promise<void> {
  const end = await warm(['--quiet'], env, input)
  expect(end.code, end.stderr).toBe(0)
}

/**
 * Plans the names, warms them, and compares: the plan may be off by a
 * quarter. `onQueued` is called when all are queued.
 */
async function planAndRun(env: Record<string, string>, input: string, onQueued = () => {}) {
  const planned = await warm(['--dry-run', '--json'], env, input)
  expect(planned.code, planned.stderr).toBe(0)
  const plan = jsonOf(planned) as {
    misses: number
    ahead: number
    estimatedSeconds: number
    renderSeconds: number
    uploadSeconds: number
  }
  const running = warm(['--json', '--quiet'], env, input)
  await until(
    async () =>
      (await town.db.videoAsset.count({ where: { display: { in: input.trim().split('\n') } } })) === plan.misses,
    'the names to be queued',
    100_000,
  )
  onQueued()
  const run = await running
  expect(run.code, run.stderr).toBe(0)
  const { seconds, made } = jsonOf(run) as { seconds: number; made: number }
  expect(made).toBe(plan.misses)
  const [least, most] = [seconds * 0.75, seconds * 1.25]
  expect(plan.estimatedSeconds, `the run took ${seconds} s: ${planned.stdout}`).toBeGreaterThan(least)
  expect(plan.estimatedSeconds, `the run took ${seconds} s: ${planned.stdout}`).toBeLessThan(most)
  return plan
}

describe('the estimate of 30 names is within a quarter of the truth', () => {
  it('where rendering is the slower one: alone, and behind a queue', async () => {
    const env = await work({ ms: 700, channels: 1, postsPerMinute: 6_000 })
    const unknown = await warm(['--dry-run'], env, someNames(0, 8))
    expect([unknown.code, unknown.stdout]).toEqual([
      0,
      expect.stringMatching(/^rendering {6}unknown until .*\n(.*\n)*in all {9}unknown/m),
    ])
    expect(jsonOf(await warm(['--dry-run', '--json'], env, someNames(0, 8)))).toMatchObject({
      renderSeconds: null,
      estimatedSeconds: null,
    })

    await warmed(env, someNames(0, 8))
    expect(await planAndRun(env, someNames(8, 30))).toMatchObject({ misses: 30, ahead: 0 })

    // The queue stands still until the run has joined it.
    let open = () => {}
    gate = new Promise((resolve) => (open = resolve))
    expect((await warm(['--no-wait', '--quiet'], env, someNames(38, 20))).code).toBe(0)
    expect(await planAndRun(env, someNames(58, 30), open)).toMatchObject({ misses: 30, ahead: 20 })
  })

  it('where the channels are the slower ones: one, and then two', async () => {
    const slow = await work({ ms: 150, channels: 1, postsPerMinute: 2 })
    await warmed(slow, someNames(0, 6))
    const one = await planAndRun(slow, someNames(6, 30))
    expect(one.uploadSeconds).toBeGreaterThan(one.renderSeconds)
    // What was seen of the channel is not taken for rendering: a second one helps.
    const two = await planAndRun(await work({ ms: 150, channels: 2, postsPerMinute: 2 }), someNames(36, 30))
    expect(two.uploadSeconds).toBeLessThan(0.6 * one.uploadSeconds)
    expect(two.estimatedSeconds).toBeLessThan(one.estimatedSeconds)
  })
})
