/** `completion`: the scripts, and what bash makes of one. */
import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { runProgram } from '../environment/program.ts'

vi.setConfig({ testTimeout: 60_000 })

const env = { PATH: process.env.PATH ?? '', HOME: tmpdir() }
const has = (shell: string) => spawnSync(shell, ['--version']).status === 0
const missing = ['bash', 'zsh', 'fish'].filter((shell) => !has(shell))
if (missing.length > 0)
  process.stdout.write(`not installed, so their completion is not run here: ${missing.join(', ')}\n`)

let folder: string
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'greetings-completion-'))))
afterAll(() => rm(folder, { recursive: true }))

/** The shell's script in a file of its own. */
async function scriptOf(shell: string): Promise<string> {
  const file = join(folder, `_greetings.${shell}`)
  await writeFile(file, (await runProgram(['completion', shell], { env })).stdout)
  return file
}

/** What bash offers for a line, whose last word is being typed. */
async function offered(words: string[]): Promise<string[]> {
  const script = (await runProgram(['completion', 'bash'], { env })).stdout
  const line = ['greetings', ...words]
  const run = spawnSync(
    'bash',
    [
      '--norc',
      '-c',
      `${script}\nCOMP_WORDS=(${line.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${line.length - 1}; _greetings; printf '%s\\n' "\${COMPREPLY[@]}"`,
    ],
    { encoding: 'utf8' },
  )
  expect(run.stderr).toBe('')
  return run.stdout.split('\n').filter((word) => word !== '')
}

it.skipIf(missing.includes('bash'))('bash completes commands, subcommands, options and fixed values', async () => {
  expect(await offered(['wa'])).toEqual(['warm'])
  expect(await offered(['--log'])).toEqual(['--log-level'])
  expect(await offered(['db', ''])).toEqual([
    'start',
    'stop',
    'url',
    'backup',
    'restore',
    '--log-level',
    '--env-file',
    '-h',
    '--help',
  ])
  expect(await offered(['db', 'backup', '--f'])).toEqual(['--force'])
  expect(await offered(['warm', '--sandbox', '--no-w'])).toEqual(['--no-wait', '--no-work'])
  expect(await offered(['completion', 'f'])).toEqual(['fish'])
  // A file or free text follows: bash's own business.
  expect(await offered(['warm', '--rejects', ''])).toEqual([])
  expect(await offered(['status', '--max-o'])).toEqual(['--max-oldest'])
})

it.skipIf(missing.includes('fish'))('fish completes commands and options', async () => {
  const file = await scriptOf('fish')
  const completed = (line: string) => {
    const run = spawnSync('fish', ['--no-config', '-c', `source ${file}\ncomplete -C '${line}'`], { encoding: 'utf8' })
    expect(run.stderr).toBe('')
    return run.stdout
      .split('\n')
      .flatMap((row) => row.split('\t')[0] ?? [])
      .filter((word) => word !== '')
  }
  expect(completed('greetings wa')).toEqual(['warm'])
  expect(completed('greetings db ba')).toEqual(['backup'])
  expect(completed('greetings status --max-o')).toEqual(['--max-oldest'])
})

it.skipIf(missing.includes('zsh'))('zsh completes commands and options, as they are typed', async () => {
  const file = await scriptOf('zsh')
  const line = join(folder, 'line')
  // A zsh at a terminal, as zsh completes nothing elsewhere; Ctrl-X writes down what the line has become.
  const typing = `
    zmodload zsh/zpty
    zpty terminal zsh -f -i
    zpty -w terminal 'autoload -U compinit; compinit -u -D; source ${file}; show() { print -rn -- $BUFFER > ${line} }; zle -N show; bindkey "^X" show; print rea""dy'
    zpty -r terminal seen '*ready*'
    zpty -w -n terminal $'greetings stat\\t--max-old\\t\\x18'
    until [[ -s ${line} ]] do zpty -rt terminal seen; sleep 0.05; done
    zpty -d terminal`
  const run = spawnSync('zsh', ['-f', '-c', typing], {
    encoding: 'utf8',
    env: { ...env, TERM: 'xterm' },
    timeout: 30_000,
  })
  expect([run.status, run.stderr]).toEqual([0, ''])
  expect(await readFile(line, 'utf8')).toBe('greetings status --max-oldest ')
})

it.each(['bash', 'zsh', 'fish'])('%s: the script names every command and is one the shell can read', async (shell) => {
  const end = await runProgram(['completion', shell], { env })
  expect([end.code, end.stderr]).toEqual([0, ''])
  for (const word of ['warm', 'status', 'forget', 'restore', 'dry-run']) expect(end.stdout).toContain(word)
  if (missing.includes(shell)) return
  const read = spawnSync(shell, ['-n', await scriptOf(shell)], { encoding: 'utf8' })
  expect([read.status, read.stderr]).toEqual([0, ''])
})

it('another shell: 2', async () => {
  expect(await runProgram(['completion', 'tcsh'], { env })).toMatchObject({ code: 2, stdout: '' })
})
