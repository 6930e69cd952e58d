import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { namesFolder } from '../../src/installation.ts'
import { type Name, parseName } from '../../src/names/name.ts'
import { type KnownName, KnownNames, loadShippedNames } from '../../src/understanding/known-names.ts'
import { type Topic, understand, type UnderstandingContext } from '../../src/understanding/understand.ts'
import { englishRows } from './rows-en.ts'
import { russianRows } from './rows-ru.ts'
import { told } from './told.ts'

const known = await loadShippedNames()

function read(text: string, more: Partial<UnderstandingContext> = {}): string {
  return told(understand(text, { known, nameRules: {}, language: 'ru', ...more }))
}

function nameOf(text: string): Name {
  const parsed = parseName(text)
  if (!parsed.ok) throw new Error(`${text} is no name: ${parsed.reason}`)
  return parsed.name
}

const listed = (text: string, count = 0): KnownName => ({ name: nameOf(text), count })

describe('Russian', () => {
  test.each(russianRows)('%j is %s', (text, outcome) => expect(read(text)).toBe(outcome))
})

describe('English', () => {
  test.each(englishRows)('%j is %s', (text, outcome) => expect(read(text)).toBe(outcome))
})

const topics: Topic[] = [
  'greeting',
  'thanks',
  'praise',
  'yes',
  'no',
  'bye',
  'help',
  'how_long',
  'how_much',
  'who_are_you',
  'wrong_name',
  'wrong_stress',
  'does_not_come',
  'wishes',
  'forget_me',
  'not_understood',
]
test.each(topics)('%s is talked about in both languages', (topic) => {
  for (const rows of [russianRows, englishRows]) expect(rows.map(([, outcome]) => outcome)).toContain(`talk ${topic}`)
})

describe('a form that is a name and another name’s case', () => {
  const names = readFileSync(join(namesFolder, 'ru.csv'), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((row) => row.split(',')[0] ?? '')
  const cases = readFileSync(join(namesFolder, 'cases-ru.csv'), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((row) => row.split(','))
  const inList = new Set(names)
  const both = names.filter((name) => {
    const form = name.toLowerCase().replaceAll('ё', 'е')
    return cases.some(([other, , of = '']) => other === form && of !== name && inList.has(of))
  })

  it('occurs 26 times in the list', () => expect(both).toHaveLength(26))

  test.each(both)('%s alone is that name', (name) => expect(read(name)).toBe(name))

  const masculine = both.filter((name) => !['Али', 'Эмине', 'Мане'].includes(name))
  test.each(masculine)('«поздравьте %s»: the declined name first, then the other', (name) => {
    expect(read(`поздравьте ${name}`)).toMatch(new RegExp(`^\\? \\S+, ${name}$`))
    expect(read(`поздравьте ${name}`)).not.toMatch(new RegExp(`^\\? ${name}`))
    expect(read(`для ${name}`)).toBe(read(`поздравьте ${name}`))
  })

  test.each(masculine.filter((name) => name !== 'Данила'))('«моего сына %s» leaves no doubt', (name) => {
    expect(read(`для моего сына ${name}`)).toBe(/^\? (\S+),/.exec(read(`для ${name}`))?.[1])
  })

  test.each([
    ['для Али', '? Аля, Али'],
    ['поздравьте Али', 'Али'],
    ['поздравьте Эмине', 'Эмине'],
    ['о Эмине', '? Эмин, Эмине'],
    ['передайте Мане', '? Маня, Мане'],
    ['поздравьте Мане', 'Мане'],
  ])('%s is %s', (text, outcome) => expect(read(text)).toBe(outcome))
})

describe('a question that is open', () => {
  const one = { offered: [nameOf('Джалантахчандрачапала')] }
  const two = { offered: [nameOf('Александр'), nameOf('Александра')] }

  test.each([
    ['да', 'Джалантахчандрачапала'],
    ['Да!', 'Джалантахчандрачапала'],
    ['ага', 'Джалантахчандрачапала'],
    ['да, конечно', 'Джалантахчандрачапала'],
    ['yes', 'Джалантахчандрачапала'],
    ['yes please', 'Джалантахчандрачапала'],
    ['👍', 'Джалантахчандрачапала'],
    ['1', 'Джалантахчандрачапала'],
    ['джалантахчандрачапала', 'Джалантахчандрачапала'],
    ['да, Джалантахчандрачапала!', 'Джалантахчандрачапала'],
    ['нет', 'talk no'],
    ['нет, Петя', 'Петя'],
    ['Петя', 'Петя'],
    ['не надо', 'talk no'],
    ['другое имя', 'talk no'],
    ['спасибо', 'talk thanks'],
  ])('%s, asked about one name, is %s', (text, outcome) => expect(read(text, one)).toBe(outcome))

  test.each([
    ['да', 'talk yes'],
    ['да, Александр', 'Александр'],
    ['Александра', 'Александра'],
    ['2', 'Александра'],
    ['1', 'Александр'],
    ['3', 'refused digits'],
  ])('%s, asked about two names, is %s', (text, outcome) => expect(read(text, two)).toBe(outcome))

  it('is not needed', () => {
    expect(read('да')).toBe('talk yes')
    expect(read('2')).toBe('refused digits')
  })
})

describe('a name that is meant for certain', () => {
  test.each([
    ['Зайнабхон', 'Зайнабхон'],
    ['Мащ', 'Мащ'],
    ['Masha', 'Masha'],
    ['Джон Сноу', 'Джон Сноу'],
    ['Маша', 'Маша'],
    ['Артем', 'Артем = Артём'],
    ['моей дочке Маше', 'Маша'],
    ['жопа', 'refused offensive'],
    ['убей себя', 'refused offensive'],
    ['аааааа', 'refused nonsense'],
    ['М', 'refused too_short'],
    ['123', 'refused digits'],
  ])('%s is %s', (text, outcome) => expect(read(text, { certain: true })).toBe(outcome))
})

describe('names that do not ship', () => {
  const own = new KnownNames([
    listed('Спасибо', 900),
    listed('Гульзара', 5),
    listed('Алена', 700),
    listed('Алёна', 300),
  ])
  const context = { known: own }

  it('are sure, in every case', () => {
    expect(read('Гульзара', context)).toBe('Гульзара')
    expect(read('поздравьте Гульзару', context)).toBe('Гульзара')
    expect(read('для Гульзары', context)).toBe('Гульзара')
    expect(read('Гульзарра', context)).toBe('? Гульзара, Гульзарра')
  })

  it('come after talk', () => expect(read('Спасибо', context)).toBe('talk thanks'))

  it('have a twin with ё, also when the name with е is known', () =>
    expect(read('Алена', context)).toBe('Алена = Алёна'))
})

describe('what the operator decided', () => {
  const rules = { blocked: new Set(['маша']), allowed: new Set(['жопа']) }
  it('holds in every outcome', () => {
    expect(read('Маша', { nameRules: rules })).toBe('refused blocked')
    expect(read('для Маши', { nameRules: rules })).toBe('refused blocked')
    expect(read('Маша и Петя', { nameRules: rules })).toBe('Петя')
    expect(read('masha', { nameRules: rules })).not.toContain('Маша')
    expect(read('Жопа', { nameRules: rules })).toContain('Жопа')
  })
})

it('takes other scripts where a template has them', () => {
  expect(read('მარიამ')).toBe('refused unsupported_script')
  expect(read('მარიამ', { nameRules: { extraScripts: ['Georgian'] } })).toBe('? მარიამ')
})

it('counts what is left of more than ten names', () => {
  expect(read('Маша, Петя, Коля, Вася, Дима, Лена, Оля, Таня, Ира, Катя, Аня, Юля')).toMatch(/^\+ .*Катя and 2 more$/)
})

it('reads no more than a thousand characters', () => {
  expect(read('а'.repeat(4096))).toBe('refused too_long_input')
  expect(read('Маша очень хорошая девочка '.repeat(100))).toBe('talk not_understood')
})

test('a name that nobody listed is in no answer to anybody', () => {
  const marker = 'Зурбаганцева'
  expect(known.spelled(nameOf(marker).key)).toEqual({})
  const asked = [
    'З',
    'Зу',
    'Зурб',
    'Зурбаганцев',
    'Зурбаганцово',
    'Маша Зурбаганцев',
    'Зурбагацева',
    'Zurbagantseva',
    'Pehfufywtdf',
  ]
  for (const text of asked) expect(read(text)).not.toContain(marker)
  for (let end = 1; end <= marker.length; end++)
    expect(known.startingWith(marker.slice(0, end), 50).map(({ display }) => display)).not.toContain(marker)
  for (let at = 0; at < marker.length; at++)
    expect(read(marker.slice(0, at) + marker.slice(at + 1))).not.toContain(marker)
})
