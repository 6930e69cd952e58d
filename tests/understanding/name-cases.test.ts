import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, test } from 'vitest'
import { nameCases } from '../../scripts/build-name-cases.ts'
import { namesFolder } from '../../src/installation.ts'

const table = readFileSync(join(namesFolder, 'cases-ru.csv'), 'utf8')

it('is what `npm run build:names` makes of the lists', () => expect(nameCases()).toBe(table))

test.each([
  'мишу,acc,Миша',
  'миши,gen,Миша',
  'саше,dat,Саша',
  'сережей,ins,Серёжа',
  'насти,gen,Настя',
  'павла,acc,Павел',
  'петра,gen,Пётр',
  'льва,gen,Лев',
  'али,dat,Али',
])('%s', (row) => expect(table.split('\n')).toContain(row))
