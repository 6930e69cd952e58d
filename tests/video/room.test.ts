/**
 * Which files give way for a render, and when work rests. The disks are played:
 * what is free of them is what our files leave.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, it, vi } from 'vitest'
import type { Disk } from '../../src/disk.ts'
import { openRoom, type RoomSettings } from '../../src/video/room.ts'

const kilobyte = 1_000
/** of each disk: how much it holds, and which folders; a reserve of 10 kB stays free */
let disks: { sizeBytes: number; folders: string[]; reserveBytes?: number }[]
let asked = 0
let giveNothingBack = false
vi.mock('../../src/disk.ts', async (original) => ({
  ...(await original<object>()),
  disksOf: async (folders: string[], keepFreeBytes = 10 * kilobyte): Promise<Disk[]> => {
    asked++
    return disks.flatMap(({ sizeBytes, folders: its, reserveBytes = keepFreeBytes }) => {
      const [first, ...more] = folders.filter((folder) => its.includes(folder))
      if (first === undefined) return []
      const used = its
        .flatMap((folder) => readdirSync(folder).map((name) => statSync(join(folder, name)).size))
        .reduce((sum, bytes) => sum + bytes, 0)
      return [
        {
          folders: [first, ...more],
          totalBytes: sizeBytes,
          freeBytes: sizeBytes - (giveNothingBack ? 50 * kilobyte : used),
          reserveBytes,
        },
      ]
    })
  },
}))

const top = mkdtempSync(join(tmpdir(), 'greetings-room-'))
afterAll(() => rmSync(top, { recursive: true, force: true }))
const [renders, cache, database] = ['renders', 'cache', 'database'].map((name) => join(top, name)) as [
  string,
  string,
  string,
]

const uploaded = ['first', 'second', 'third', 'fourth']
let removed: number[]
beforeEach(() => {
  for (const folder of [renders, cache, database]) {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder)
  }
  // 50 kB in all; the one that is not uploaded is the oldest.
  for (const [n, name] of ['waiting', ...uploaded].entries()) {
    writeFileSync(join(renders, `${name}.mp4`), Buffer.alloc(10 * kilobyte))
    writeFileSync(join(renders, `${name}.jpg`), '')
    const changed = new Date(Date.now() - (20 - n) * 3_600_000)
    utimesSync(join(renders, `${name}.mp4`), changed, changed)
  }
  removed = []
  asked = 0
  giveNothingBack = false
})

const room = (settings: Partial<RoomSettings> = {}) =>
  openRoom({
    rendersFolder: renders,
    cacheFolder: cache,
    otherFolders: [database],
    uploaded: async (revisions) => new Set(revisions.filter((one) => uploaded.includes(one))),
    onRemoved: (count) => removed.push(count),
    ...settings,
  })
const free = () => new AbortController().signal
const left = () =>
  ['waiting', ...uploaded].filter(
    (name) => existsSync(join(renders, `${name}.mp4`)) && existsSync(join(renders, `${name}.jpg`)),
  )
const oneDisk = (sizeBytes: number) => (disks = [{ sizeBytes, folders: [renders, cache, database] }])

it('nothing goes while the reserve is free', async () => {
  oneDisk(60 * kilobyte)
  await room().take(free())
  expect([left().length, removed]).toEqual([5, []])
})

it('below the reserve the oldest uploaded ones go, until a fifth more is free; what is not uploaded stays', async () => {
  oneDisk(50 * kilobyte)
  await room().take(free())
  expect([left(), removed]).toEqual([['waiting', 'third', 'fourth'], [2]])
})

it('only on the file system that lacks room', async () => {
  for (const [small, other] of [
    [cache, database],
    [database, cache],
  ] as const) {
    disks = [
      { sizeBytes: 1e9, folders: [renders, other] },
      { sizeBytes: 9 * kilobyte, folders: [small] },
    ]
    await expect(room().take(free())).rejects.toMatchObject({
      step: 'disk',
      message: expect.stringContaining(small) as string,
    })
    expect(left()).toHaveLength(5)
  }
})

it('only while that helps', async () => {
  // Another program takes what becomes free.
  oneDisk(55 * kilobyte)
  giveNothingBack = true
  await expect(room().take(free())).rejects.toMatchObject({ step: 'disk' })
  expect(left()).toEqual(['waiting', 'second', 'third', 'fourth'])
})

it('nothing that may not be removed goes: then work rests, until a fifth more than the reserve is free', async () => {
  oneDisk(15 * kilobyte)
  const { take } = room()
  const outage = {
    name: 'Outage',
    step: 'disk',
    message: expect.stringMatching(/^\S+: The disk of \S+renders .*KEEP_FREE_GB/) as string,
  }
  await expect(take(free())).rejects.toMatchObject(outage)
  expect(left()).toEqual(['waiting'])
  oneDisk(10 * kilobyte + 11.9 * kilobyte)
  await expect(take(free())).rejects.toMatchObject(outage)
  oneDisk(10 * kilobyte + 12 * kilobyte)
  ;(await take(free()))()
  // Over: from now on the reserve alone counts.
  oneDisk(10 * kilobyte + 10 * kilobyte)
  await take(free())
})

it('a reserve that no disk of this size can have is told as what it is', async () => {
  disks = [{ sizeBytes: 60 * kilobyte, folders: [renders, cache, database], reserveBytes: 51 * kilobyte }]
  await expect(room().take(free())).rejects.toThrow(/holds 1 MB in total, .*Lower KEEP_FREE_GB/)
})

it('KEEP_FREE_GB=0 asks no disk', async () => {
  oneDisk(0)
  await room({ keepFreeBytes: 0 }).take(free())
  expect([asked, left().length]).toEqual([0, 5])
})

it('what has to be made first needs its room too, in the cache', async () => {
  disks = [
    { sizeBytes: 1e9, folders: [renders, database] },
    { sizeBytes: 30 * kilobyte, folders: [cache] },
  ]
  await room().take(free(), async () => 20 * kilobyte)
  await expect(room().take(free(), async () => 20 * kilobyte + 1)).rejects.toMatchObject({ step: 'disk' })
})

it('what those under way may still write counts: the next one waits for them, and those behind it wait their turn', async () => {
  oneDisk(10 * kilobyte + 20e6)
  rmSync(renders, { recursive: true })
  mkdirSync(renders)
  const { take } = room()
  const leave = [await take(free()), await take(free())]
  const order: string[] = []
  const abort = new AbortController()
  const third = take(free()).then((end) => (order.push('third'), end))
  const fourth = take(abort.signal).then(
    () => order.push('fourth'),
    (error: unknown) => order.push(String(error)),
  )
  await vi.waitFor(() => expect(asked).toBeGreaterThan(3))
  expect(order).toEqual([])
  // Waiting asks twice a second, for all who wait.
  const before = asked
  await vi.waitFor(() => expect(asked).toBeGreaterThan(before), 2_000)
  expect(asked - before).toBeLessThan(3)
  leave[0]?.()
  leave[0]?.()
  const end = await third
  abort.abort('stopped')
  await fourth
  expect(order).toEqual(['third', 'stopped'])
  leave[1]?.()
  end()
})
