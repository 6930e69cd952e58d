/** `completion`: the scripts, and what bash makes of one. */
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { expect, it, vi } from 'vitest'
import { runProgram } from './program.ts'

vi.setConfig({ testTimeout: 60_000 })

const env = { PATH: process.env.PATH ?? '', HOME: tmpdir() }
const has = (shell: string) => spawnSync(shell, ['--version']).status === 0
const hasBash = has('bash')
if (!hasBash) process.stdout.write('bash is not installed: its completion is not run here\n')

/** What bash offers for a line, whose last word is being typed. */
async function offered(words: string[]): Promise<string[]> {
  const script = (await runProgram(['completion', 'bash'], { env })).stdout
  const line = ['greetings', ...words]
  const run = spawnSync('bash', ['--norc', '-c', `${script}\nCOMP_WORDS=(${line.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${line.length - 1}; _greetings; printf '%s\\n' "\${COMPREPLY[@]}"`], { encoding: 'utf8' })
  expect(run.stderr).toBe('')
  return run.stdout.split('\n').filter((word) => word !== '')
}

it.runIf(hasBash)('bash completes commands, subcommands, options and fixed values', async () => {
  expect(await offered(['wa'])).toEqual(['warm'])
  expect(await offered(['--log'])).toEqual(['--log-level'])
  expect(await offered(['db', ''])).toEqual(['start', 'stop', 'url', 'backup', 'restore', '--log-level', '-h', '--help'])
  expect(await offered(['db', 'backup', '--f'])).toEqual(['--force'])
  expect(await offered(['warm', '--sandbox', '--no-w'])).toEqual(['--no-wait', '--no-work'])
  expect(await offered(['completion', 'f'])).toEqual(['fish'])
  // A file or free text follows: bash's own business.
  expect(await offered(['warm', '--rejects', ''])).toEqual([])
  expect(await offered(['status', '--max-o'])).toEqual(['--max-oldest'])
})

it.each(['bash', 'zsh', 'fish'])('%s: the script names every command and is one the shell can read', async (shell) => {
  const end = await runProgram(['completion', shell], { env })
  expect([end.code, end.stderr]).toEqual([0, ''])
  for (const word of ['warm', 'status', 'forget', 'restore', 'dry-run']) expect(end.stdout).toContain(word)
  if (!has(shell)) return
  const read = spawnSync(shell, ['-n'], { input: end.stdout, encoding: 'utf8' })
  expect([read.status, read.stderr]).toEqual([0, ''])
})

it('another shell: 2', async () => {
  expect(await runProgram(['completion', 'tcsh'], { env })).toMatchObject({ code: 2, stdout: '' })
})
