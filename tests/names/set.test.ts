/** Several names in one greeting: their key, how they are displayed, and what is refused. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseName, type Name } from '../../src/names/name.ts'
import {
  displayIn,
  isSet,
  nameOfKey,
  parseNameOrSet,
  partsOf,
  partsOfDisplay,
  setOf,
  spokenTogether,
} from '../../src/names/set.ts'
import { languages, text } from '../../src/texts.ts'

function nameOf(raw: string): Name {
  const parsed = parseNameOrSet(raw)
  if (!parsed.ok) throw new Error(`${raw}: ${parsed.reason}`)
  return parsed.name
}

describe('a set', () => {
  it.each([
    ['Петя и Маша', 'маша & петя', 'Маша и Петя'],
    ['МАША,петя', 'маша & петя', 'Маша и Петя'],
    ['маша & петя + катя', 'катя & маша & петя', 'Катя, Маша и Петя'],
    ['Маша, Петя, и Маша', 'маша & петя', 'Маша и Петя'],
    ['Анна Мария та Иван Петрович', 'анна мария & иван петрович', 'Анна Мария и Иван Петрович'],
    ['Jack and Emily', 'emily & jack', 'Emily and Jack'],
    ['o’connor, mcdonald and zoë', "mcdonald & o'connor & zoë", "McDonald, O'Connor and Zoë"],
    ['Петя\nМаша', 'маша & петя', 'Маша и Петя'],
    ['Маша, маша', 'маша', 'Маша'],
    ['Маша', 'маша', 'Маша'],
  ])('%j is %s, and displayed is read back as the same', (raw, key, display) => {
    expect(nameOf(raw)).toEqual({ key, display, script: /^[a-z]/.test(key) ? 'Latin' : 'Cyrillic' })
    expect(nameOf(display)).toEqual(nameOf(raw))
    expect(nameOf(key)).toEqual(nameOf(raw))
    expect(isSet(key)).toBe(key.includes('&'))
    expect(partsOfDisplay(display) ?? [display]).toEqual(partsOf(key).map((part) => nameOf(part).display))
  })

  it.each([
    ['Маша, Петя, Катя и Ваня', 'several_names'],
    ['Маша или Петя', 'several_names'],
    ['Маша/Петя', 'several_names'],
    ['Маша и Emily', 'mixed_scripts'],
    ['Маша и ,', 'several_names'],
    ['Маша и П3тя', 'digits'],
    ['Маша и жопа', 'offensive'],
    ['Лесом, Иди', 'offensive'],
    ['А и Б', 'too_short'],
    ['Александрина-Виктория, Константин-Александр и Ваня', 'too_long'],
  ])('%j is none: %s', (raw, reason) => {
    expect(parseNameOrSet(raw)).toEqual({ ok: false, reason })
  })

  it('holds nothing that the operator refuses, and all that they allow', () => {
    expect(parseNameOrSet('Маша и Петя', { blocked: new Set(['петя']) })).toEqual({ ok: false, reason: 'blocked' })
    expect(parseNameOrSet('Маша и Жопа', { allowed: new Set(['жопа']) }).ok).toBe(true)
    expect(parseNameOrSet('Маша и Жопа', { anyWord: true }).ok).toBe(true)
  })

  it('has forty letters at most in all its names, whatever joins them', () => {
    const [one, two] = ['Аб'.repeat(10), 'Вг'.repeat(10)]
    expect(parseNameOrSet(`${one} и ${two}`).ok).toBe(true)
    expect(parseNameOrSet(`${one} и ${two}д`)).toEqual({ ok: false, reason: 'too_long' })
  })

  it('is displayed in the language of its template, with the word that the texts have', () => {
    expect(displayIn(nameOf('Маша, Петя и Катя'), 'en')).toBe('Катя, Маша and Петя')
    expect(displayIn(nameOf('Маша, Петя'), 'kk')).toBe('Маша и Петя')
    expect(displayIn(nameOf('Маша'), 'en')).toBe('Маша')
    for (const language of languages())
      expect(displayIn(nameOf('Маша и Петя'), language)).toBe(`Маша ${text(language, 'and')} Петя`)
    expect(spokenTogether(['Ма-ша', 'Петя'], 'ru')).toBe('Ма-ша и Петя')
  })

  it('is the same in whatever order and case its names come, and no single name', () => {
    const names = ['Маша', 'петя', 'АННА-МАРИЯ', 'Иван Петрович', 'Ия', 'Жан де Ля Мот']
    fc.assert(
      fc.property(fc.shuffledSubarray(names, { minLength: 2, maxLength: 3 }), fc.boolean(), (some, shouted) => {
        const raw = some.join(', ')
        const set = setOf(some.flatMap((each) => [nameOf(each)]))
        if (!set.ok) throw new Error(set.reason)
        expect(nameOf(shouted ? raw.toUpperCase() : raw)).toEqual(set.name)
        expect(nameOfKey(set.name.key, 'Cyrillic')).toEqual(set.name)
        for (const each of [set.name.key, set.name.display])
          expect(parseName(each)).toEqual({ ok: false, reason: 'several_names' })
      }),
    )
  })

  it('never throws, and is a name that can be read again', () => {
    const piece = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom(' и ', ', ', ' and ', '&', 'Маша', 'Emily'))
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const parsed = parseNameOrSet(pieces.join(''))
        if (parsed.ok) expect(parseNameOrSet(parsed.name.display)).toEqual(parsed)
      }),
      { numRuns: 300 },
    )
  })
})
