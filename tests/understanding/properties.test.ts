/** What holds for every text. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Name, parseName } from '../../src/names/name.ts'
import { loadShippedNames } from '../../src/understanding/known-names.ts'
import { understand, type UnderstandingContext, type Understood } from '../../src/understanding/understand.ts'
import { englishRows } from './rows-en.ts'
import { russianRows } from './rows-ru.ts'
import { told } from './told.ts'

const known = await loadShippedNames()
const context: UnderstandingContext = { known, nameRules: {}, language: 'ru' }

const rows = [...russianRows, ...englishRows].map(([text]) => text)
const words = [...new Set(rows.flatMap((row) => row.split(/(\s+)/)))]

/** Anything, and what is nearly a message: pieces of real ones in any order. */
const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc
    .array(fc.oneof(fc.constantFrom(...words), fc.constantFrom(' ', ', ', '\n', '!', '-', '❤️', ' и ', "'")), {
      maxLength: 12,
    })
    .map((parts) => parts.join('')),
  fc.constantFrom(...rows).chain((row) => fc.nat(row.length).map((at) => row.slice(0, at) + row.slice(at + 1))),
)

const contexts = fc.record({
  certain: fc.boolean(),
  language: fc.constantFrom('ru', 'en', ''),
  offered: fc.constantFrom([], [nameOf('Зайнабхон')], [nameOf('Маша'), nameOf('Миша')]),
})

function nameOf(text: string): Name {
  const parsed = parseName(text)
  if (!parsed.ok) throw new Error(text)
  return parsed.name
}

function namesIn(understood: Understood): readonly Name[] {
  if (understood.kind === 'name') return [understood.name, ...(understood.twin ? [understood.twin] : [])]
  if (understood.kind === 'unsure') return understood.options
  return understood.kind === 'several' ? understood.names : []
}

test('it never throws, and every name that comes out is one', () => {
  fc.assert(
    fc.property(texts, contexts, (text, more) => {
      const understood = understand(text, { ...context, ...more })
      for (const name of namesIn(understood)) expect(parseName(name.display)).toEqual({ ok: true, name })
      if (understood.kind === 'unsure') {
        expect(understood.options.length).toBeGreaterThan(0)
        expect(understood.options.length).toBeLessThanOrEqual(4)
        if (understood.typed) expect(understood.options).toContainEqual(understood.typed)
      }
      if (understood.kind === 'several') {
        expect(understood.names.length).toBeGreaterThan(1)
        expect(understood.names.length).toBeLessThanOrEqual(10)
      }
      const keys = understood.kind === 'name' ? [] : namesIn(understood).map(({ key }) => key)
      expect(new Set(keys).size).toBe(keys.length)
    }),
    { numRuns: 1500 },
  )
})

test('unwrapping twice changes nothing: a sure name alone is that name, sure', () => {
  fc.assert(
    fc.property(texts, (text) => {
      const once = understand(text, context)
      if (once.kind === 'name') expect(told(understand(once.name.display, context))).toBe(told(once))
    }),
    { numRuns: 1500 },
  )
})

test('decoration, capitals and blanks change nothing', () => {
  const names = fc.constantFrom('маша', 'петя', 'emily', 'артём', 'иван петрович')
  const around = fc.constantFrom('', ' ', '!', '❤️', '"', '«', '»', '.', '🎄', '  \n', '(', ')', '*')
  fc.assert(
    fc.property(names, around, around, fc.boolean(), (name, before, after, loud) => {
      const text = before + (loud ? name.toUpperCase() : name) + after
      expect(told(understand(text, context))).toBe(told(understand(name, context)))
    }),
  )
})

test('it takes under two milliseconds', () => {
  const pieces = [
    'а',
    'аб',
    'Маша ',
    'Маше, ',
    'для Маши и ',
    'х у й ',
    '- ',
    '😀',
    '1 ',
    'a\u0301',
    'Иванова ',
    'поздравьте ',
    'не ',
    'где ',
    'сколько ',
    '\u200B',
    "'",
    'Маша-',
    'ъ',
    'masha ',
    'z',
    'щщщ ',
    'привет ',
    'с новым годом ',
    'им правильно ',
    'is not ',
    '( ',
    '@a ',
    'http://',
    'приветствую',
    'аа бб вв ',
    'ааббвв',
    'и ',
    'имя-',
    '.М',
    'написаа ',
    'A',
    '\n',
    'ё ',
    '*',
  ]
  const shapes = pieces.flatMap((piece) =>
    [10, 40, 100, 400, 999, 1000, 1001, 4096].map((length) => piece.repeat(length).slice(0, length)),
  )
  expect(shapes.length).toBeGreaterThan(300)
  // The least of several runs, because other processes take the processor away.
  const best = shapes.map(() => Infinity)
  for (let run = 0; run < 12; run++)
    for (const [place, text] of shapes.entries()) {
      const start = performance.now()
      understand(text, context)
      best[place] = Math.min(best[place] ?? Infinity, performance.now() - start)
    }
  best.sort((a, b) => a - b)
  expect(best[Math.floor(best.length * 0.5)]).toBeLessThan(0.5)
  expect(best[Math.floor(best.length * 0.99)]).toBeLessThan(2)
})
