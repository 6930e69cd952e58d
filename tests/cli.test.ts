/** The command line as a whole: help, wrong usage, a reader that goes away. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { expect, it, vi } from 'vitest'
import { commandTable } from '../src/command-table/index.ts'
import { duration } from '../src/command-table/values.ts'
import { packageRoot } from '../src/installation.ts'
import { runProgram } from './environment/program.ts'

vi.setConfig({ testTimeout: 300_000 })

const bin = join(packageRoot, 'bin', 'greetings.js')
const env = { PATH: process.env.PATH ?? '', HOME: tmpdir(), GREETINGS_HOME: join(tmpdir(), 'greetings-never') }

function helpOf(command: Command): string {
  let text = ''
  command.configureOutput({ writeOut: (part) => (text += part) })
  command.outputHelp()
  return text
}

it('the help of every command has examples that name it', () => {
  const table = commandTable(() => undefined)
  const commands = table.commands.flatMap((command) =>
    command.commands.length > 0 ? [...command.commands] : [command],
  )
  expect(commands.length).toBeGreaterThan(10)
  for (const command of commands) {
    const path = command.parent === table ? command.name() : `${command.parent?.name() ?? ''} ${command.name()}`
    expect(helpOf(command)).toMatch(new RegExp(`Examples:\\n(.*\\n)*?  \\$ .*greetings ${path}`))
  }
})

it('prints help to stdout with 0, and wrong usage to stderr with 2', async () => {
  const help = await runProgram(['--help'], { env })
  expect(help).toMatchObject({ code: 0, stderr: '' })
  expect(help.stdout).toMatch(/^Usage: greetings/)
  for (const args of [
    ['dance'],
    ['warm', 'x.csv', '--fly'],
    ['warm'],
    ['warm', 'x.csv', '--limit', 'many'],
    ['warm', 'x.csv', '--timeout', 'soon'],
    ['warm', 'x.csv', '--timeout', '5'],
    ['status', '--log-level', 'loud'],
    ['render', 'Маша'],
  ]) {
    const end = await runProgram(args, { env })
    expect(end, args.join(' ')).toMatchObject({ code: 2, stdout: '' })
    expect(end.stderr).toMatch(/^error: /)
    expect(end.stderr).toContain('--help')
  }
})

it('a number is no duration, and a word that is no level names the levels', async () => {
  expect((await runProgram(['warm', 'x.csv', '--timeout', '5'], { env })).stderr).toContain(
    'It needs a unit: 5s for seconds, 5m for minutes',
  )
  expect((await runProgram(['status', '--log-level', 'loud'], { env })).stderr).toContain(
    'trace, debug, info, warn, error, silent',
  )
})

it('survives a reader that goes away', async () => {
  const child = spawn(process.execPath, [bin, '--help'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.destroy()
  let stderr = ''
  child.stderr.on('data', (text: Buffer) => (stderr += String(text)))
  const [code] = (await once(child, 'close')) as [number]
  expect([code, stderr]).toEqual([0, ''])
})

it('reports every fault of the environment at once: 2', async () => {
  const end = await runProgram(['status'], {
    env: { ...env, PORT: 'x', TELEGRAM_BOT_TOKEN: 'hunter2', DATABASE_URL: 'nowhere' },
  })
  expect(end).toMatchObject({ code: 2, stdout: '' })
  for (const name of ['PORT', 'TELEGRAM_BOT_TOKEN', 'DATABASE_URL']) expect(end.stderr).toContain(name)
  expect(end.stderr).not.toContain('hunter2')
})

it('reads durations', () => {
  expect(['90s', '1.5m', '8h', '250ms', ' 2 s ', '90d'].map(duration)).toEqual([
    90_000, 90_000, 28_800_000, 250, 2_000, 7_776_000_000,
  ])
  for (const text of ['', 'soon', '-1s', '1w']) expect(() => duration(text)).toThrow(/duration/)
  for (const text of ['5', '1.5']) expect(() => duration(text)).toThrow(/unit/)
})
