/** The estimate of `warm --dry-run` where rendering is slower than the channels. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { wav } from '../speech/wav.ts'
import { openTown, type Town } from '../town.ts'
import { comparePlan, someNames } from './estimated.ts'
import { jsonOf, runProgram } from './program.ts'

/** A voice that takes its time, however busy the machine is. */
const spokenMs = 1_200

let town: Town
let voice: Server
let env: Record<string, string>
beforeAll(async () => {
  town = await openTown()
  const tone = wav(Array.from({ length: 8_000 }, (_, at) => Math.sin(at / 8) * 0.5), { code: 1, bits: 16, channels: 1, rate: 16_000 })
  voice = createServer((request, response) => {
    request.resume()
    void sleep(spokenMs).then(() => response.end(tone))
  })
  await new Promise<void>((resolve) => voice.listen(0, '127.0.0.1', resolve))
  env = { ...town.env, TTS: 'http', TTS_URL: `http://127.0.0.1:${(voice.address() as AddressInfo).port}`, RENDER_CONCURRENCY: '4' }
}, 120_000)
afterAll(async () => {
  voice.close()
  await town.close()
})

it('is unknown at first, and then true: for names alone, and behind a queue', async () => {
  const unknown = await runProgram(['warm', '-', '--dry-run'], { env, input: someNames(0, 8) })
  expect([unknown.code, unknown.stdout]).toEqual([0, expect.stringMatching(/^rendering {6}unknown until .*\n(.*\n)*in all {9}unknown/m)])
  expect(jsonOf(await runProgram(['warm', '-', '--dry-run', '--json'], { env, input: someNames(0, 8) }))).toMatchObject({ renderSeconds: null, prepareSeconds: null, estimatedSeconds: null })

  const first = await runProgram(['warm', '-', '--quiet'], { env, input: someNames(0, 8) })
  expect(first.code, first.stderr).toBe(0)
  expect(await comparePlan(someNames(8, 30), env)).toMatchObject({ misses: 30, ahead: 0, prepareSeconds: 0 })

  const queued = await runProgram(['warm', '-', '--no-wait', '--quiet'], { env, input: someNames(38, 20) })
  expect(queued.code, queued.stderr).toBe(0)
  expect(await comparePlan(someNames(58, 30), env)).toMatchObject({ misses: 30, ahead: 20 })
  // The clip was prepared once, which is known for the next time.
  expect(await town.db.stepPace.count({ where: { step: 'prepare', template: 'tiny' } })).toBe(1)
})
