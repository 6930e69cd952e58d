import { expect, test } from 'vitest'
import { layOut } from '../../src/video/layout.ts'

/** Every letter half as wide as the font is high. */
const measure = (text: string) => ({ width: text.length * 0.5, ascent: 0.75, descent: 0.25 })
const space = { width: 540, height: 270, idealSize: 140, leastSize: 70 }

test('a short name gets the ideal size on one line', () => {
  expect(layOut('Ия', space, measure)).toEqual({ lines: ['Ия'], fontSize: 140, narrowing: 1, lineHeight: 140 * 0.92 })
})

test('a longer one shrinks to the width, as long as two lines would not be clearly larger', () => {
  const layout = layOut('Анна-Мария', space, measure)
  expect(layout.lines).toEqual(['Анна-Мария'])
  expect(layout.fontSize).toBeCloseTo(108)
})

test('from about 14 letters there are two lines, broken at a blank or behind a hyphen', () => {
  expect(layOut('Владислав Владиславович', space, measure).lines).toEqual(['Владислав', 'Владиславович'])
  expect(layOut('Маргарита-Анастасия', space, measure).lines).toEqual(['Маргарита-', 'Анастасия'])
})

test.each([
  ['Маша и Петя', ['Маша и Петя']],
  ['Катя, Маша и Петя', ['Катя, Маша', 'и Петя']],
  ['Александр и Анастасия', ['Александр', 'и Анастасия']],
  ['Bartholomew, Christopher and Wilhelmina', ['Bartholomew,', 'Christopher', 'and Wilhelmina']],
  ['Анна Мария, Иван Петрович и Оля', ['Анна Мария,', 'Иван Петрович', 'и Оля']],
])('of several names each keeps together where it can, and “and” is never left behind: %s', (display, lines) => {
  expect(layOut(display, space, measure).lines).toEqual(lines)
})

test('a word is broken by syllables only when it would be too small otherwise', () => {
  expect(layOut('Александринка', space, measure).lines).toEqual(['Александринка'])
  expect(layOut('Джалантахчандрачапала', space, measure).lines).toEqual(['Джалантах-', 'чандрачапала'])
})

test.each([
  'Ж'.repeat(40),
  'а'.repeat(40),
  'Абдурахмангаджи Мухаммедрасулович Оглы-Заде',
  'Wolfeschlegelsteinhausenbergerdorff',
])('the longest name fits and stays above the least size: %s', (name) => {
  const layout = layOut(name, space, measure)
  expect(layout.fontSize).toBeGreaterThanOrEqual(space.leastSize * 0.999)
  expect(layout.lines.length).toBeLessThanOrEqual(4)
  for (const line of layout.lines)
    expect(measure(line).width * layout.fontSize * layout.narrowing).toBeLessThanOrEqual(space.width + 0.001)
  expect((layout.lines.length - 1) * layout.lineHeight + layout.fontSize).toBeLessThanOrEqual(space.height + 0.001)
  expect(layout.lines.join('').replaceAll('-', '').replaceAll(' ', '')).toBe(
    name.replaceAll('-', '').replaceAll(' ', ''),
  )
})
