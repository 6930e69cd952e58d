import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseName } from '../../src/names/name.ts'
import { readOwnNames } from '../../src/names/own-names.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'own-names-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function file(name: string, content: string | Buffer): Promise<string> {
  await writeFile(join(folder, name), content)
  return join(folder, name)
}

test('the operator’s lists win over the lists of offensive words, whatever the case', async () => {
  const { names, faults } = await readOwnNames({
    allowed: await file('allowed', '\uFEFF# from our school\r\n\r\nСУКА\r\nDick\r\n'),
    blocked: await file('blocked', 'маша\nгиорги\nგიორგი\n'),
  })
  expect(faults).toEqual([])
  expect(parseName('сука')).toEqual({ ok: false, reason: 'offensive' })
  expect(parseName('Сука', names)).toMatchObject({ ok: true, name: { key: 'сука' } })
  expect(parseName('МАША', names)).toEqual({ ok: false, reason: 'blocked' })
  expect(parseName('გიორგი', { ...names, extraScripts: ['Georgian'] })).toEqual({ ok: false, reason: 'blocked' })
  expect(parseName('Машенька', names).ok).toBe(true)
  expect(parseName('пизда', names).ok).toBe(false)
})

test('every fault is told, with the variable and the line', async () => {
  const allowed = await file('wrong', `Маша\n${'X1\n'.repeat(5)}`)
  const { faults } = await readOwnNames({ allowed, blocked: join(folder, 'nothing') })
  expect(faults).toEqual([
    ...[2, 3, 4].map((line) => `ALLOWED_NAMES: line ${line} of ${allowed} is not a name. It has digits.`),
    `ALLOWED_NAMES: 2 more lines of ${allowed} are no names.`,
    `BLOCKED_NAMES names ${join(folder, 'nothing')}, which cannot be read (ENOENT). Correct it, or unset it.`,
  ])
  const twice = await file('twice', 'Маша\n')
  expect((await readOwnNames({ allowed: twice, blocked: twice })).faults).toEqual([
    expect.stringMatching(/^ALLOWED_NAMES and BLOCKED_NAMES both have/) as string,
  ])
  expect(
    (await readOwnNames({ allowed: await file('western', Buffer.from([0xc0, 0xe1])), blocked: undefined })).faults,
  ).toEqual([expect.stringMatching(/UTF-8/) as string])
})
