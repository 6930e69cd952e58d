import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { LockTimeout, withFileLock } from '../src/numbered-lock.ts'
import { startOf } from '../src/process-start.ts'
import { builtScript } from '../src/installation.ts'

let top: string
let folder: string
const children: ChildProcess[] = []
beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'greetings-lock-'))
  folder = join(top, 'lock')
})
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await rm(top, { recursive: true, force: true })
})

/** A process that takes the lock, writes a line, and keeps it until it is killed. */
async function holder(): Promise<ChildProcess> {
  const script = `
    const { withFileLock } = await import(${JSON.stringify(builtScript('numbered-lock'))})
    await withFileLock(${JSON.stringify(folder)}, () => new Promise(() => { console.log('held'); setInterval(() => {}, 1000) }))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  await once(child.stdout, 'data')
  return child
}

it('lets one at a time through', async () => {
  let inside = 0
  let most = 0
  await Promise.all(
    Array.from({ length: 30 }, () =>
      withFileLock(folder, async () => {
        most = Math.max(most, ++inside)
        await new Promise((resolve) => setImmediate(resolve))
        inside--
      }),
    ),
  )
  expect(most).toBe(1)
  expect((await readdir(folder)).filter((name) => name.startsWith('claim'))).toEqual([])
  expect((await readdir(folder)).length).toBeLessThan(12)
})

it('is free again after work that failed', async () => {
  await expect(withFileLock(folder, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await withFileLock(folder, () => Promise.resolve('mine'))).toBe('mine')
})

it('is kept from others by a living process, and free at once when that is killed', async () => {
  const child = await holder()
  const failure: unknown = await withFileLock(folder, () => Promise.resolve(), { waitMs: 50 }).catch(
    (error: unknown) => error,
  )
  expect(failure).toBeInstanceOf(LockTimeout)
  expect(failure).toMatchObject({ pid: child.pid })
  const waiting = withFileLock(folder, () => Promise.resolve(Date.now()))
  child.kill('SIGKILL')
  const killed = Date.now()
  expect((await waiting) - killed).toBeLessThan(1_000)
})

it('does not take another process with the same pid for the holder', async () => {
  await withFileLock(folder, () => Promise.resolve())
  await writeFile(join(folder, '99'), JSON.stringify({ pid: process.pid, start: 'another boot:1' }))
  expect(await withFileLock(folder, () => Promise.resolve('mine'), { waitMs: 50 })).toBe('mine')
})

it('makes no folder where its parent is gone', async () => {
  await rm(top, { recursive: true })
  await expect(withFileLock(folder, () => Promise.resolve())).rejects.toThrow(/ENOENT/)
})

it('knows a process by its start, and a dead one not at all', async () => {
  const child = await holder()
  const pid = child.pid ?? 0
  const start = await startOf(pid)
  expect(start).not.toBe('')
  expect(await startOf(pid)).toBe(start)
  expect(start).not.toBe(await startOf(process.pid))
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(await startOf(pid)).toBe('')
})
