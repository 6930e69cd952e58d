/**
 * Writes `names/cases-ru.csv`: how the Russian names that ship are declined, so that “для Маши” is known to mean Маша.
 * Run it after a change of `names/ru.csv`: `npm run build:names`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import petrovich from 'petrovich'
import { namesFolder } from '../src/installation.ts'

const cases = {
  gen: 'genitive',
  dat: 'dative',
  acc: 'accusative',
  ins: 'instrumental',
  prep: 'prepositional',
} as const

/** What the package gets wrong: after a hushing consonant stand и and ей. */
function mended(form: string): string {
  return form.replace(/([жшчщ])ы$/u, '$1и').replace(/([жшчщ])ой$/u, '$1ей')
}

const gendersOf = { m: ['male'], f: ['female'], '': ['male', 'female'] } as const

/** The lists that ship with Russian names in them. */
const lists = ['ru.csv', 'rare.csv']

/** The table for all of them, as it stands in the file. */
export function nameCases(): string {
  const rows = new Set<string>()
  for (const line of lists.flatMap((file) =>
    readFileSync(join(namesFolder, file), 'utf8').trim().split('\n').slice(1),
  )) {
    const [name = '', gender = ''] = line.split(',')
    if (!/^[а-яё-]+$/iu.test(name)) continue
    for (const sex of gendersOf[gender as keyof typeof gendersOf]) {
      for (const [short, long] of Object.entries(cases)) {
        const { first } = petrovich({ first: name, gender: sex }, long)
        rows.add(`${mended(first).toLowerCase().replaceAll('ё', 'е')},${short},${name}`)
      }
    }
  }
  return ['form,case,name', ...rows, ''].join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(join(namesFolder, 'cases-ru.csv'), nameCases())
