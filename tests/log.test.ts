/** What stands on stderr: lines for people or JSON, never both; and trouble that goes on is told once a minute. */
import { tmpdir } from 'node:os'
import { Writable } from 'node:stream'
import { pino } from 'pino'
import { expect, it } from 'vitest'
import { gatherTroubles } from '../src/log.ts'
import { runProgram } from './environment/program.ts'

function openTestLog() {
  const lines: Record<string, unknown>[] = []
  const clock = { ms: 0 }
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString('utf8')) as Record<string, unknown>)
      done()
    },
  })
  return {
    log: pino(
      {
        base: null,
        timestamp: false,
        formatters: { level: (level) => ({ level }) },
        hooks: { logMethod: gatherTroubles(() => clock.ms) },
      },
      stream,
    ),
    lines,
    clock,
  }
}

it('trouble is told at once, then once a minute with how often it was met, and when it is over', () => {
  const { log, lines, clock } = openTestLog()
  const met = (assetId: number) => log.warn({ trouble: 'step storage', step: 'storage', assetId }, 'out of order')
  for (let n = 1; n <= 100; n++) {
    met(n)
    clock.ms += 1_000
  }
  log.warn({ trouble: 'step voice', step: 'voice' }, 'out of order')
  log.info({ over: 'step storage', step: 'storage' }, 'works again')
  log.info({ over: 'step storage', step: 'storage' }, 'works again')
  met(101)
  expect(lines).toEqual([
    { level: 'warn', step: 'storage', assetId: 1, msg: 'out of order' },
    { level: 'warn', step: 'storage', assetId: 61, times: 60, msg: 'out of order' },
    { level: 'warn', step: 'voice', msg: 'out of order' },
    { level: 'info', step: 'storage', msg: 'works again' },
    { level: 'warn', step: 'storage', assetId: 101, msg: 'out of order' },
  ])
})

it('what is no trouble of that kind is told each time', () => {
  const { log, lines } = openTestLog()
  for (const assetId of [1, 1, 2]) log.warn({ assetId }, 'a video could not be made')
  log.warn('a word alone')
  expect(lines.map(({ assetId, msg }) => [assetId, msg])).toEqual([
    [1, 'a video could not be made'],
    [1, 'a video could not be made'],
    [2, 'a video could not be made'],
    [undefined, 'a word alone'],
  ])
})

it('a service off a terminal ends with a line of JSON, a command with one for people', async () => {
  const env = { PATH: process.env.PATH ?? '', HOME: tmpdir() }
  const service = await runProgram(['up'], { env })
  expect(service.code).toBe(2)
  const lines = service.stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { level: string; msg: string })
  expect(lines).toEqual([
    expect.objectContaining({ level: 'fatal', msg: expect.stringMatching(/^There is no bot to work with/) as string }),
  ])
  const command = await runProgram(['warm', '-'], { env, input: 'Маша\n' })
  expect(command.code).toBe(2)
  expect(command.stderr).toMatch(/^There is no bot to work with/)
})
