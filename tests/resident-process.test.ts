import { afterEach, expect, test } from 'vitest'
import { startResidentProcess } from '../src/resident-process.ts'

const { execPath } = process
afterEach(() => void (process.execPath = execPath))

test('a process that cannot be started is told as one that has ended, to whoever waits for an answer too', async () => {
  process.execPath = '/nowhere/node'
  let isGone = false
  const resident = startResidentProcess<{ id: number }, { id: number }>('video/render-process', {
    gone: () => void (isGone = true),
  })
  const ended = new Promise<void>((resolve) => resident.begin({ onAnswer: () => undefined, onGone: resolve }))
  await ended
  await resident.stop()
  expect(isGone).toBe(true)
})
