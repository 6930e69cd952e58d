/** What has to stay free, and of which file system. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { readConfig } from '../src/config.ts'
import { serverLimits } from '../src/db/embedded/settings.ts'
import { disksOf, reserveOf } from '../src/disk.ts'

const folder = mkdtempSync(join(tmpdir(), 'greetings-disk-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it.each([
  ['a tenth of the file system', 5e9, undefined, 0.5e9],
  ['150 MB at least', 420e6, undefined, 150e6],
  ['1 GB at most', 4e12, undefined, 1e9],
  ['KEEP_FREE_GB where it is set', 4e12, 30e9, 30e9],
  ['nothing where it is 0', 4e12, 0, 0],
])('stays free: %s', (_what, totalBytes, keepFreeBytes, reserve) => {
  expect(reserveOf(totalBytes, keepFreeBytes)).toBe(reserve)
})

it.each([
  ['x', 'is not a number'],
  ['-1', 'is below 0'],
  ['Infinity', 'is not a number'],
])('KEEP_FREE_GB=%s is refused with the remedy', (value, what) => {
  expect(() => readConfig({ KEEP_FREE_GB: value })).toThrow(
    `KEEP_FREE_GB ${what}. Correct it, or unset it for the default.`,
  )
  expect(readConfig({ KEEP_FREE_GB: '0.5' }).keepFreeBytes).toBe(0.5e9)
  expect(readConfig({ KEEP_FREE_GB: ' ' }).keepFreeBytes).toBeUndefined()
})

it('folders of one file system are one disk, also those that are still to be made', async () => {
  const inside = join(folder, 'to', 'be', 'made')
  const [disk, ...others] = await disksOf([folder, inside], undefined)
  expect(others).toEqual([])
  expect(disk?.folders).toEqual([folder, inside])
  expect(disk?.freeBytes).toBeLessThanOrEqual(disk?.totalBytes ?? 0)
  expect(disk?.reserveBytes).toBe(reserveOf(disk?.totalBytes ?? 0, undefined))
})

it.runIf(existsSync('/dev/shm'))('folders of several file systems are several disks', async () => {
  expect(
    (await disksOf([folder, '/dev/shm', join(folder, 'a')], 7)).map(({ folders, reserveBytes }) => [
      folders,
      reserveBytes,
    ]),
  ).toEqual([
    [[folder, join(folder, 'a')], 7],
    [['/dev/shm'], 7],
  ])
})

it.each([
  ['a small disk', 440e6, undefined],
  ['a disk of 5 GB', 5e9, undefined],
  ['a large disk', 4e12, undefined],
  ['a reserve of 2 GB', 4e12, 2e9],
])('what the embedded server writes beside its tables fits into half of it: %s', (_what, totalBytes, keepFreeBytes) => {
  const { max_wal_size = '', min_wal_size = '', temp_file_limit = '' } = serverLimits(totalBytes, keepFreeBytes)
  const [log, least, temporary] = [max_wal_size, min_wal_size, temp_file_limit].map((text) =>
    Number(/^(\d+)MB$/.exec(text)?.[1]),
  )
  const segment = 16
  expect(((log ?? NaN) + segment + (temporary ?? NaN)) * 1_048_576).toBeLessThanOrEqual(
    reserveOf(totalBytes, keepFreeBytes) / 2,
  )
  // More is of use, and PostgreSQL starts with no less.
  expect(log).toBeGreaterThanOrEqual(2 * segment)
  expect(least).toBeLessThanOrEqual(log ?? NaN)
  expect(temporary).toBeGreaterThanOrEqual(16)
})

it('the log of the embedded server never grows beyond what PostgreSQL does by itself, and without a reserve keeps to the default one', () => {
  expect(serverLimits(4e12, 100e9).max_wal_size).toBe('1024MB')
  expect(serverLimits(4e12, 0)).toEqual(serverLimits(4e12, undefined))
})
