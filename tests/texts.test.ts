/** What people read: complete in every language, within Telegram's limits, and with names that stay names. */
import { readdirSync, readFileSync } from 'node:fs'
import { FluentBundle, FluentResource } from '@fluent/bundle'
import { describe, expect, it } from 'vitest'
import type { NameRejection } from '../src/names/name.ts'
import { parseName } from '../src/names/name.ts'
import {
  codesOf,
  languageOf,
  languageOfScript,
  languages,
  nameOfLanguage,
  text,
  textArguments,
  wholeHours,
  wholeMinutes,
  type TextKey,
} from '../src/texts.ts'

const folder = new URL('../src/languages/', import.meta.url)
const files = readdirSync(folder)
const keys = Object.keys(textArguments) as TextKey[]
const names = ['Маша', "O'Connor", 'Анна-Мария', 'Иван Петрович', 'Ёлка', '{ $name }', 'Şəhla']
/** Of every plural class of the languages there are, and those with words of their own. */
const numbers = [1, 2, 5, 11, 21, 22, 25, 60, 1_000_000]

/** A file's messages by their keys, read without the program. */
function messagesOf(file: string): Map<string, string> {
  const source = readFileSync(new URL(file, folder), 'utf8')
  return new Map([...source.matchAll(/^([a-z][\w-]*) =/gm)].map(([start, key = '']) => [key, start]))
}

/** A text as the program makes it, with what is wrong with it: a key that is missing, an argument that is. */
function strictly(language: string, key: TextKey, args: Record<string, string | number>): string {
  const bundle = new FluentBundle(language, { useIsolating: false })
  const faults = bundle.addResource(new FluentResource(readFileSync(new URL(`${language}.ftl`, folder), 'utf8')))
  const pattern = bundle.getMessage(key)?.value
  if (pattern == null) throw new Error(`${language}.ftl lacks ${key}`)
  const made = bundle.formatPattern(pattern, args, faults)
  if (faults.length > 0) throw new Error(`${language}.ftl, ${key}: ${faults.join(', ')}`)
  return made
}

/** A text with the same name, or number, for all it takes. */
function made(language: string, key: TextKey, name: string, number: number): string {
  const args = textArguments[key].map((what) => [what, what === 'name' || what === 'names' ? name : number] as const)
  const words = (text as (...given: unknown[]) => string)(language, key, Object.fromEntries(args))
  expect(words).toBe(strictly(language, key, Object.fromEntries(args)))
  return words
}

const everyText = languages().flatMap((language) => keys.map((key): [string, TextKey] => [language, key]))
const takesName = (key: TextKey) => textArguments[key].some((what) => what === 'name' || what === 'names')

describe('the files', () => {
  it('are the languages', () => {
    expect(files).toEqual(languages().map((language) => `${language}.ftl`))
    // As Telegram’s clients name theirs.
    for (const code of languages().flatMap(codesOf)) expect(code).toMatch(/^[a-z]{2}$/)
    expect(languages()).toEqual(expect.arrayContaining(['ru', 'en']))
    expect(languages().map(nameOfLanguage)).toEqual(expect.arrayContaining(['Русский', 'English']))
    expect(new Set(languages().map(nameOfLanguage)).size).toBe(languages().length)
  })

  it.each(files)('%s has every text once, and no other', (file) => {
    const source = readFileSync(new URL(file, folder), 'utf8')
    expect([...messagesOf(file).keys()].sort()).toEqual([...keys, 'language'].sort())
    expect(source.match(/^[a-z][\w-]* =/gm)?.length).toBe(keys.length + 1)
    // What the parser does not understand it leaves out without a word.
    expect(new FluentResource(source).body.length).toBe(keys.length + 1)
  })

  it.each(files)('%s takes what the table says', (file) => {
    const language = file.replace('.ftl', '')
    for (const key of keys) {
      const args = Object.fromEntries(textArguments[key].map((what) => [what, 1]))
      expect(() => strictly(language, key, args)).not.toThrow()
      for (const what of textArguments[key]) {
        const { [what]: _, ...others } = args
        expect(() => strictly(language, key, others), `${key} without ${what}`).toThrow(what)
      }
    }
  })

  it('no language is served by two files', () => {
    const sources = files.map((file) => readFileSync(new URL(file, folder), 'utf8'))
    const scripts = sources.flatMap((source) => /^ {4}\.script = (.*)$/m.exec(source)?.[1] ?? [])
    expect(scripts).toEqual(expect.arrayContaining(['Cyrillic', 'Latin']))
    expect(new Set(scripts).size).toBe(scripts.length)
    const codes = languages().flatMap((language) => codesOf(language).slice(1))
    expect(codes).toContain('kk')
    expect(new Set(codes).size).toBe(codes.length)
  })
})

/** How long a text may be. Telegram cuts a longer one short, or refuses it. */
function longest(key: TextKey): number {
  const limits: Partial<Record<TextKey, number>> = {
    caption: 1024,
    'caption-together': 1024,
    'bot-name': 64,
    'bot-description': 512,
    'bot-short-description': 120,
  }
  if (/^(?:button|inline)-/.test(key)) return 40
  return limits[key] ?? (key.startsWith('toast-') ? 200 : key.startsWith('menu-') ? 256 : 4096)
}

it.each(everyText)('%s, %s: is made with any number, within Telegram’s limits', (language, key) => {
  for (const number of numbers) {
    const words = made(language, key, 'Маша', number)
    expect(words.length).toBeGreaterThan(0)
    expect(words.length).toBeLessThanOrEqual(longest(key))
    expect(words).not.toMatch(/[\u2066-\u2069{}]|\$|undefined|NaN|\s$|^\s/)
  }
})

it.each(everyText.filter(([, key]) => takesName(key)))('%s, %s: keeps the name', (language, key) => {
  for (const name of names) {
    const words = made(language, key, name, 3)
    expect(words).toContain(name)
    // What somebody copies from between the quotes is the name they meant.
    const [, quoted] = /[«“]([^»”]*)[»”]/.exec(words) ?? []
    const copied = quoted === undefined || quoted === 'е' ? name : quoted
    expect(copied).toBe(name)
    expect(parseName(copied)).toEqual(parseName(name))
  }
})

describe('words', () => {
  it('agree with their numbers', () => {
    const today = (count: number) => text('ru', 'limit-today', { count, hours: count })
    expect(today(1)).toMatch(/ 1 новое имя\. .* через 1 час,/)
    expect(today(2)).toMatch(/ 2 новых имени\. .* через 2 часа,/)
    expect(today(5)).toMatch(/ 5 новых имён\. .* через 5 часов,/)
    expect(today(11)).toMatch(/ 11 новых имён\. .* через 11 часов,/)
    expect(today(21)).toMatch(/ 21 новое имя\. .* через 21 час,/)
    expect([1, 3, 20].map((count) => text('ru', 'limit-waiting', { count }))).toEqual([
      expect.stringContaining(' 1 имя от вас'),
      expect.stringContaining(' 3 имени от вас'),
      expect.stringContaining(' 20 имён от вас'),
    ])
    expect(text('en', 'limit-today', { count: 1, hours: 1 })).toMatch(/ 1 new name .* in 1 hour;/)
    expect(text('en', 'limit-today', { count: 50, hours: 3 })).toMatch(/ 50 new names .* in 3 hours;/)
  })

  it('tell hours and minutes as people do', () => {
    expect([-1, 1, 3_600_000, 3_600_001].map(wholeHours)).toEqual([1, 1, 1, 2])
    const failed = (ms: number) => text('ru', 'failed', { name: 'Маша', minutes: wholeMinutes(ms) })
    expect([-1, 0, 60_000].map(failed)).toEqual(Array(3).fill(expect.stringMatching(/через минуту\.$/)))
    expect(failed(60_001)).toMatch(/через 2 минуты\.$/)
    expect(failed(5 * 60_000)).toMatch(/через 5 минут\.$/)
    expect([60 * 60_000, 1e12].map(failed)).toEqual(Array(2).fill(expect.stringMatching(/через час\.$/)))
  })

  it('have no officialese and no «мы»', () => {
    for (const key of keys) {
      const words = made('ru', key, 'Маша', 5)
      expect(words, key).not.toMatch(/для имени|(?<!\p{L})(?:мы|нас|нам|нами|наш\p{L}*)(?!\p{L})/iu)
      const english = made('en', key, 'Emma', 5)
      expect(english, key).not.toMatch(
        /\b(?:I (?:am|will|have)|(?:do|does|did|can|is) ?not|it is(?= \p{L})|let us|we|our)\b/iu,
      )
    }
  })

  it('every refusal says what to do', () => {
    const reasons = keys.filter((key): key is `rejected-${NameRejection}` => key.startsWith('rejected-'))
    expect(reasons.length).toBeGreaterThan(10)
    for (const key of reasons) {
      expect(text('ru', key)).toMatch(/пожалуйста|пришлите имя|есть покороче\?/)
      expect(text('en', key)).toMatch(/please|Is there a shorter form\?/i)
    }
  })
})

describe('what cannot be made', () => {
  const anyhow = text as (language: string, key: string, args?: Record<string, unknown>) => string

  it('is said in English where a language lacks it', () => {
    expect(anyhow('xx', 'making', { name: 'Маша' })).toBe(text('en', 'making', { name: 'Маша' }))
  })

  it('is a plain sentence where nothing else is left, and never a placeholder', () => {
    expect(anyhow('ru', 'making')).toBe(text('ru', 'trouble'))
    expect(anyhow('ru', 'making', { nobody: 1 })).toBe(text('ru', 'trouble'))
    expect(anyhow('ru', 'no-such-text')).toBe(text('ru', 'trouble'))
    expect(anyhow('xx', 'constructor')).toMatch(/^Something isn’t working/)
  })
})

describe('the language of a person', () => {
  it.each([
    ['ru', 'ru'],
    ['RU-ru', 'ru'],
    [undefined, 'ru'],
    ['en', 'en'],
    ['en-GB', 'en'],
    ['xx', 'en'],
    ['xx-hans', 'en'],
    ['', 'en'],
  ])('of a Telegram in %s is %s', (code, language) => {
    expect(languageOf(code)).toBe(language)
  })

  it('is its own where there is a file for it, else the one whose file names it', () => {
    for (const language of languages()) {
      for (const code of codesOf(language))
        expect(languageOf(code), code).toBe(languages().includes(code) ? code : language)
    }
  })

  it.each([
    ['Маша', 'ru'],
    ['Привет, Emma!', 'ru'],
    ['Şəhla', 'en'],
    ['Hello, Маша', 'en'],
    ['ᏣᎳᎩ', undefined],
    ['Маша Emma!', undefined],
    ['12345 🎄', undefined],
    ['', undefined],
  ])('who writes “%s” is %s', (words, language) => {
    expect(languageOfScript(words)).toBe(language)
  })
})
