/** A reader that goes away, as `| head` does: the program ends quietly. A disk that is full: it says so. */
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { packageRoot } from '../../src/installation.ts'
import { openTestEnvironment, type TestEnvironment } from '../environment/test-environment.ts'

vi.setConfig({ testTimeout: 120_000 })

// Several times what a pipe holds, so that the program still writes when the reader has gone.
const many = 5_000

let town: TestEnvironment
beforeAll(async () => {
  town = await openTestEnvironment({ home: true })
  await town.db.installation.update({ where: { id: 1 }, data: { botId: town.botId } })
  const letters = (n: number) => [...String(n)].map((digit) => 'абвгдежзик'[Number(digit)]).join('')
  await town.db.videoAsset.createMany({
    data: Array.from({ length: many }, (_, n) => ({
      id: `asset ${n}`,
      template: 'tiny',
      name: `имя${letters(n)}`,
      display: `Имя${letters(n)}`,
      status: 'AVAILABLE' as const,
      telegramFileId: `file ${n}`,
      telegramBotId: town.botId,
    })),
  })
  await town.db.user.create({ data: { id: 5n } })
  await town.db.userRequest.createMany({
    data: Array.from({ length: many }, (_, n) => ({
      userId: 5n,
      assetId: `asset ${n}`,
      chatId: 5n,
      language: 'ru',
      botId: town.botId,
      updateId: n,
      status: 'COMPLETED' as const,
      finishedAt: new Date(),
    })),
  })
  await writeFile(join(town.folder, 'list.csv'), 'Маша\nПетя\n7\n')
}, 120_000)
afterAll(() => town.close())

/** Runs a line of shell in which `"$@"` is `greetings <args>`. */
function shell(line: string, args: string[]): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)(
    'sh',
    ['-c', line, 'sh', process.execPath, join(packageRoot, 'bin', 'greetings.js'), ...args],
    { env: town.env, cwd: town.folder, timeout: 100_000 },
  )
}

/** Runs `greetings <args>` into a reader, with the exit code as the last line of stderr. */
const into = (reader: string, args: string[]) => shell(`{ "$@"; echo "code $?" >&2; } | ${reader}`, args)

it.each([
  ['names --missed', /^name,count,say\n$/],
  ['names --available', /^name,say\n$/],
  ['names --reported', /^name,count,say,wanted\n$/],
  ['export', /^\{"template":"tiny".*\}\n$/],
  ['status', /^home .*\n$/],
  ['warm --dry-run list.csv', /^column .*\n$/],
])('%s | head -1', async (line, first) => {
  const { stdout, stderr } = await into('head -n 1', line.split(' '))
  expect(stdout).toMatch(first)
  // What export says at its end it may have said already.
  expect(stderr.replace(/^\d+ videos exported\.\n/, '')).toBe('code 0\n')
})

it.each([
  'names --missed',
  'export',
  'status',
  'status --json',
  'status --watch',
  'status --check',
  'warm --dry-run list.csv',
  'doctor',
  'template list',
  'completion bash',
  '--help',
])('%s, and the reader has gone before the first line', async (line) => {
  expect(await into('true', line.split(' '))).toEqual({ stdout: '', stderr: 'code 0\n' })
})

it.each([
  ['warm nowhere.csv', 2],
  ['warm list.csv --no-work --timeout 300ms', 1],
])('%s, and nobody reads stderr: the work and the exit code are the same', async (line, code) => {
  const { stdout } = await shell('{ { "$@"; echo "code $?" >&3; } 2>&1 >/dev/null | true; } 3>&1', line.split(' '))
  expect(stdout).toBe(`code ${code}\n`)
})

const full =
  'The result could not be written to stdout (the disk is full). What was done stays done; make room, or write elsewhere, and run the command again.\n'

it.each([
  'names --missed',
  'names --available',
  'export --quiet',
  'status',
  'status --json',
  'status --watch',
  'status --check',
  'warm --dry-run list.csv',
  'warm list.csv --no-work --timeout 300ms --quiet',
  'cancel Маша',
  'retry --all',
  'purge --dry-run',
  'doctor',
  'template list',
  'template check tiny',
  'completion bash',
  '--help',
  'warm --help',
  '--version',
])('%s, and the disk is full: 3 and a sentence', async (line) => {
  const { stderr } = await shell('"$@" > /dev/full; echo "code $?" >&2', line.split(' '))
  expect(stderr).toBe(`${full}code 3\n`)
})

it('a disk that takes a part of the result only: 3, and not a cut result with 0', async () => {
  // A limit on the size of a file is a full disk that needs no root; writes beyond it end with EFBIG.
  const { stderr } = await shell('ulimit -f 1; trap "" XFSZ; "$@" > part.txt; echo "code $?" >&2', [
    'completion',
    'zsh',
  ])
  expect(stderr).toBe(`${full.replace('the disk is full', 'EFBIG')}code 3\n`)
})
