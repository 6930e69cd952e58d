import { expect, test } from 'vitest'
import { distinctNames } from '../../src/names/distinct-names.ts'

const nothing = { count: null, gender: null, say: null }

test('a hundred thousand keys are told apart and kept in order', () => {
  const names = distinctNames()
  const key = (n: number) => `имя${n.toString(36)}`
  let fresh = 0
  for (let n = 0; n < 100_000; n++) if (names.add(key(n), { ...nothing, line: n + 1 })) fresh++
  for (let n = 0; n < 100_000; n += 7) if (names.add(key(n), { ...nothing, line: 0, count: n })) fresh++
  expect(fresh).toBe(100_000)
  expect(names.size).toBe(100_000)
  for (let n = 0; n < 100_000; n++) {
    const { key: kept, line, count } = names.get(n)
    if (kept !== key(n) || line !== n + 1 || count !== (n % 7 === 0 ? n : null)) expect.fail(`name ${n} is ${kept}`)
  }
})

test('long texts and many genders find room', () => {
  const names = distinctNames()
  const long = 'ф'.repeat(300)
  for (let n = 0; n < 3_000; n++)
    names.add(`${long}${n}`, { line: 1, count: 0, gender: `g${n % 300}`, say: n % 2 ? `${long}!` : null })
  expect(names.get(2_999)).toMatchObject({ key: `${long}2999`, count: 0, say: `${long}!` })
  expect(names.get(2_998)).toMatchObject({ key: `${long}2998`, say: null, gender: null })
  expect(names.get(1)).toMatchObject({ gender: 'g1' })
})

test('a key is not taken for a longer one that begins with it', () => {
  const names = distinctNames()
  for (let length = 2_000; length > 0; length--) names.add('а'.repeat(length), { ...nothing, line: 1 })
  expect(names.size).toBe(2_000)
})
