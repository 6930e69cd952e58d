import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openRecordings } from '../../src/speech/recordings.ts'

const folder = mkdtempSync(join(tmpdir(), 'greetings-recordings-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const template = { id: 'evening', scripts: ['Cyrillic'] }

test('are found by the key of the name a file is called by, and what serves no name is told', async () => {
  mkdirSync(join(folder, 'evening'))
  for (const file of [
    'Маша.wav',
    'анна—мария.MP3',
    'Йод'.normalize('NFD') + '.flac',
    'маша.ogg',
    'readme.txt',
    'take 2.wav',
    '.DS_Store',
  ])
    writeFileSync(join(folder, 'evening', file), file)
  const recordings = openRecordings(folder)
  const { byKey, faults } = await recordings.list(template)
  expect([...byKey.keys()].sort()).toEqual(['анна-мария', 'йод', 'маша'])
  expect(faults).toEqual([
    expect.stringMatching(/^readme.txt: is no sound file/),
    expect.stringMatching(/^take 2.wav: is not called by a name/),
    expect.stringMatching(/^маша.ogg: another file/),
  ])
  const found = await recordings.find(template, 'маша')
  expect(found?.path).toBe(join(folder, 'evening', 'Маша.wav'))
  expect(await recordings.find(template, 'петя')).toBeUndefined()
  expect(await recordings.find({ id: 'morning', scripts: [] }, 'маша')).toBeUndefined()
})

test('a worker that runs notices files that come, change and go', async () => {
  const recordings = openRecordings(folder)
  const before = await recordings.find(template, 'маша')
  writeFileSync(join(folder, 'evening', 'Маша.wav'), 'another take')
  const changed = await recordings.find(template, 'маша')
  expect(changed?.revision).not.toBe(before?.revision)
  writeFileSync(join(folder, 'evening', 'Маша.wav'), 'Маша.wav')
  expect((await recordings.find(template, 'маша'))?.revision).toBe(before?.revision)
  writeFileSync(join(folder, 'evening', 'Вера.wav'), 'new')
  expect(await recordings.find(template, 'вера')).toBeDefined()
  rmSync(join(folder, 'evening', 'Вера.wav'))
  expect(await recordings.find(template, 'вера')).toBeUndefined()
})

test('without a folder there are none', async () => {
  expect((await openRecordings(join(folder, 'nowhere')).list(template)).byKey.size).toBe(0)
})
