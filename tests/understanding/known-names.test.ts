import { expect, it, test } from 'vitest'
import { type KnownName, KnownNames, loadShippedNames } from '../../src/understanding/known-names.ts'

const shipped = await loadShippedNames()
const displays = (names: readonly { display: string }[]) => names.map(({ display }) => display)

const listed = (key: string, count: number): KnownName => ({ name: { key, display: key, script: 'Cyrillic' }, count })

test('a beginning is completed to the most frequent names, ё and е being one letter', () => {
  expect(displays(shipped.startingWith('', 3))).toEqual(['Александр', 'София', 'Liam'])
  expect(displays(shipped.startingWith('ма', 3))).toEqual(['Максим', 'Мария', 'Марк'])
  expect(displays(shipped.startingWith('АЛЕК', 3))).toEqual(['Александр', 'Александра', 'Алексей'])
  expect(displays(shipped.startingWith('артем', 1))).toEqual(displays(shipped.startingWith('артём', 1)))
  expect(shipped.startingWith('ъъ', 3)).toEqual([])
})

it('takes names while it runs, and finds them in every way', () => {
  const known = new KnownNames([listed('маша', 10), listed('марина', 20)])
  for (let more = 0; more < 500; more++)
    known.add([listed(`м${'абвгд'.charAt(more % 5)}${'а'.repeat(more % 7)}${more}`, 0)])
  known.add([listed('марианна', 30), listed('маша', 40)])
  expect(displays(known.startingWith('ма', 3))).toEqual(['маша', 'марианна', 'марина'])
  expect(displays(known.startingWith('мари', 3))).toEqual(['марианна', 'марина'])
  expect(known.spelled('марианна').same?.count).toBe(30)
  expect(known.inCases('марианну').map(({ known: { name }, case: inCase }) => [name.key, inCase])).toEqual([
    ['марианна', 'acc'],
  ])
  expect(known.near('марианка', 1).map(({ name }) => name.key)).toEqual(['марианна'])
  expect(known.size).toBe(503)
})

it('is led by a slip to the 50,000 most frequent only', () => {
  const known = new KnownNames()
  const letters = 'абвгдеж'
  const word = (number: number) => [...number.toString(7)].map((digit) => letters.charAt(Number(digit))).join('')
  known.add(Array.from({ length: 60_000 }, (_, place) => listed(`${word(place)}ощ`, 100_000 - place)))
  known.add([listed('зинаида', 200_000), listed('зульфия', 1)])
  expect(known.near('зинаидо', 3).map(({ name }) => name.key)).toEqual(['зинаида'])
  expect(known.near('зульфио', 3)).toEqual([])
  expect(known.spelled('зульфия').same?.count).toBe(1)
})
