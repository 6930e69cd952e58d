import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { cachedVideo, trimRenderCache } from '../../src/video/render-cache.ts'
import { made } from './tiny.ts'

const folder = mkdtempSync(join(tmpdir(), 'greetings-keep-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('the oldest uploaded files go until the rest fits; what is on its way stays, unless it was forgotten long ago', async () => {
  const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000)
  const files = { forgotten: 25, oldest: 9, waiting: 8, older: 7, newest: 1 }
  for (const [revision, hours] of Object.entries(files)) {
    writeFileSync(join(folder, `${revision}.mp4`), Buffer.alloc(1_000))
    writeFileSync(join(folder, `${revision}.jpg`), '')
    utimesSync(join(folder, `${revision}.mp4`), hoursAgo(hours), hoursAgo(hours))
  }
  const left = () =>
    Object.keys(files).filter(
      (revision) => existsSync(join(folder, `${revision}.mp4`)) && existsSync(join(folder, `${revision}.jpg`)),
    )
  const uploaded = async (revisions: string[]) =>
    new Set(revisions.filter((revision) => ['oldest', 'older', 'newest'].includes(revision)))
  expect(await trimRenderCache(folder, 5_000, uploaded)).toBe(0)
  expect(await trimRenderCache(folder, 4_999, uploaded)).toBe(1)
  expect(left()).toEqual(['oldest', 'waiting', 'older', 'newest'])
  expect(await trimRenderCache(folder, 2_000, uploaded)).toBe(2)
  expect(left()).toEqual(['waiting', 'newest'])
  expect(await trimRenderCache(folder, 0, uploaded)).toBe(1)
  expect(left()).toEqual(['waiting'])
  expect(readdirSync(folder).sort()).toEqual(['waiting.jpg', 'waiting.mp4'])
})

test('a file without a picture is no video, whatever its name says', async () => {
  const cache = join(folder, 'cache')
  mkdirSync(cache)
  await made(join(cache, 'silent.mp4'), '-f', 'lavfi', '-i', 'sine=r=48000:d=1', '-c:a', 'aac')
  await made(join(cache, 'silent.jpg'), '-f', 'lavfi', '-i', 'testsrc2=s=64x64:d=1', '-frames:v', '1', '-update', '1')
  expect(await cachedVideo(cache, 'silent')).toBeUndefined()
  expect(await cachedVideo(cache, 'never made')).toBeUndefined()
})
